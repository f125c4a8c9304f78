/* Calls of JSON services: credentials, one signed POST, and again where that is safe. What an
 * answer means stands in answer.c. */
#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"

#include "answer.h"
#include "endpoint.h"
#include "keyring.h"
#include "post.h"

#define BODY_BYTES_MAX (UINT64_C(4) * 1024 * 1024)
/* Years 2020 to 2200: what is told beside them is no clock. */
#define CLOCK_MIN_MS (INT64_C(1577836800) * 1000)
#define CLOCK_MAX_MS (INT64_C(7258118400) * 1000)

struct call {
    TAILQ_ENTRY(call) link;
    struct aws *aws; /* NULL: it is ending */
    uint64_t id;
    aws_done_f *done;
    void *argument;
    char *service;
    char *endpoint; /* NULL: the settings', or AWS's own */
    char *target;
    char *content_type;
    struct text body;
    struct url url;
    bool writes;
    int64_t idle_timeout_ms;
    uint64_t max_body_bytes;
    unsigned attempt; /* from 1 */
    bool clock_corrected;
    bool credentials_renewed;
    struct keyring_wait wait;
    uint64_t http_id;
    struct timer *again;
    struct aws_keys used; /* by the request under way */
};

static void call_free(struct call *call)
{
    keyring_cancel(&call->wait);
    if (call->http_id)
        http_client_cancel(call->aws->http, call->http_id);
    timer_free(call->again);
    aws_keys_release(&call->used);
    aws_keys_erase(&call->body);
    url_release(&call->url);
    free(call->service);
    free(call->endpoint);
    free(call->target);
    free(call->content_type);
    free(call);
}

static void detach(struct call *call)
{
    TAILQ_REMOVE(&call->aws->calls, call, link);
}

/* The aws may be gone when the callback returns. */
static void finish(struct call *call, const struct aws_answer *answer)
{
    aws_done_f *done = call->done;
    void *argument = call->argument;

    if (answer->error)
        call->aws->counters.failures++;
    detach(call);
    call_free(call);
    done(argument, answer);
}

static void fail(struct call *call, const struct error *error)
{
    struct error copy = *error;

    (void)error_wrap(&copy, "%s", call->target);
    finish(call, &(struct aws_answer){.error = &copy});
}

static void send_again(struct call *call, int64_t after_ms)
{
    call->aws->counters.retries++;
    timer_arm(call->again, after_ms);
}

/* AWS's clock by its answer, when it is far from ours. True: it was taken over. */
static bool correct_clock(struct call *call, const struct http_response *response)
{
    struct aws *aws = call->aws;
    int64_t date_ms = http_response_date_ms(response);
    int64_t off_ms = date_ms - aws_now_ms(aws);

    if (call->clock_corrected || date_ms < CLOCK_MIN_MS || date_ms > CLOCK_MAX_MS)
        return false;
    if (off_ms < aws->tuning.skew_min_ms && off_ms > -aws->tuning.skew_min_ms)
        return false;
    call->clock_corrected = true;
    aws->clock_offset_ms += off_ms;
    aws->counters.clock_corrections++;
    return true;
}

static bool renew_credentials(struct call *call)
{
    if (call->credentials_renewed)
        return false;
    call->credentials_renewed = true;
    keyring_forget(call->aws->keyring, call->used.access_key_id);
    return true;
}

/* True: the call goes on. */
static bool goes_on(struct call *call, const struct http_response *response,
                    const struct answer *answer)
{
    const struct aws_tuning *tuning = &call->aws->tuning;
    int64_t wait_ms;

    if ((answer->may_be_clock && correct_clock(call, response)) ||
        (answer->is_expired && renew_credentials(call))) {
        send_again(call, 0);
        return true;
    }
    if (answer->error.kind != FAILURE_LATER || call->attempt >= tuning->attempts ||
        (call->writes && answer->is_uncertain))
        return false;
    wait_ms = aws_backoff_ms(call->aws, call->attempt);
    if (answer->error.retry_after_ms > tuning->backoff_max_ms)
        return false; /* the caller has better things to do than to wait for so long */
    send_again(call,
               wait_ms > answer->error.retry_after_ms ? wait_ms : answer->error.retry_after_ms);
    return true;
}

static void on_answer(void *argument, const struct http_response *response)
{
    struct call *call = argument;
    struct answer answer;

    call->http_id = 0;
    answer_read(response, &call->used, &answer);
    if (answer.is_throttled)
        call->aws->counters.throttled++;
    if (answer.error.kind != FAILURE_NONE && goes_on(call, response, &answer)) {
        answer_release(&answer);
        return;
    }
    if (call->writes && answer.is_uncertain && answer.error.kind == FAILURE_LATER)
        answer.error.kind = FAILURE_UNCERTAIN;
    if (answer.error.kind != FAILURE_NONE)
        (void)error_wrap(&answer.error, "%s", call->target);
    finish(call,
           &(struct aws_answer){.error = answer.error.kind == FAILURE_NONE ? NULL : &answer.error,
                                .body = answer.body,
                                .error_type = answer.type,
                                .status = response->status});
    answer_release(&answer);
}

static void on_credentials(void *argument, const struct aws_keys *credentials,
                           const struct error *error)
{
    struct call *call = argument;

    if (error) {
        fail(call, error);
        return;
    }
    aws_keys_release(&call->used);
    aws_keys_copy(&call->used, credentials);
    call->http_id = post_send(call->aws,
                              &(struct post){.service = call->service,
                                             .url = &call->url,
                                             .content_type = call->content_type,
                                             .target = call->target,
                                             .body = &call->body,
                                             .idle_timeout_ms = call->idle_timeout_ms,
                                             .max_body_bytes = call->max_body_bytes},
                              &call->used, on_answer, call);
}

static const char *own_endpoint(const struct call *call)
{
    const struct config_aws *settings = call->aws->settings;

    if (call->endpoint)
        return call->endpoint;
    if (text_equal(call->service, "ecr"))
        return settings->ecr_endpoint;
    if (text_equal(call->service, "sqs"))
        return settings->sqs_endpoint;
    return NULL;
}

/* Both beginning and beginning again. */
static void start(void *argument)
{
    struct call *call = argument;
    struct error error = {0};

    call->attempt++;
    if (!call->url.scheme &&
        endpoint_of(call->service, call->aws->region, own_endpoint(call), &call->url, &error) < 0) {
        fail(call, &error);
        return;
    }
    call->wait.ready = on_credentials;
    call->wait.argument = call;
    keyring_ask(call->aws->keyring, &call->wait);
}

uint64_t aws_send(struct aws *aws, const struct aws_call *settings, aws_done_f *done,
                  void *argument)
{
    struct call *call = memory_new(sizeof(*call));

    call->aws = aws;
    call->id = ++aws->last_id;
    call->done = done;
    call->argument = argument;
    call->service = memory_copy_text(settings->service);
    call->endpoint = memory_copy_text(settings->endpoint);
    call->target = memory_copy_text(settings->target);
    call->content_type = text_new("application/x-amz-json-%s", settings->json_version);
    call->writes = settings->writes;
    call->idle_timeout_ms = settings->idle_timeout_ms;
    call->max_body_bytes = settings->max_body_bytes ? settings->max_body_bytes : BODY_BYTES_MAX;
    json_write(settings->input, JSON_COMPACT, &call->body);
    call->again = timer_new(aws->loop, start, call);
    TAILQ_INSERT_TAIL(&aws->calls, call, link);
    aws->counters.calls++;
    timer_arm(call->again, 0);
    return call->id;
}

void aws_cancel(struct aws *aws, uint64_t id)
{
    struct call *call;

    TAILQ_FOREACH(call, &aws->calls, link)
    {
        if (call->id != id)
            continue;
        detach(call);
        call_free(call);
        return;
    }
}

void calls_end_first(struct aws *aws)
{
    struct error cancelled = {0};

    (void)error_set(&cancelled, FAILURE_LATER, "cancelled");
    finish(TAILQ_FIRST(&aws->calls), &(struct aws_answer){.error = &cancelled});
}
