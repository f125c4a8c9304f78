/* The steps of one exchange: turn, authorisation, sending, and what each kind of answer leads to.
 * It does not know what is exchanged. */
#include "exchange.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"

#include "auth.h"
#include "errors.h"
#include "location.h"
#include "profile.h"
#include "queue.h"

enum { AUTH_ROUNDS_MAX = 2 };
#define HOLD_CAP_MS (INT64_C(15) * 60 * 1000)

struct exchange {
    struct queue_entry entry; /* first: the queue hands it back */
    struct registry *registry;
    struct exchange_request request; /* strings and body are own copies */
    char *target, *scope, *accept, *content_type, *body;
    exchange_done_f *done;
    void *argument;
    struct url url;           /* asked now */
    bool foreign;             /* it is not of the registry's origin */
    struct text_list visited; /* by redirects of this attempt */
    unsigned attempt;
    unsigned auth_rounds;
    char *authorization; /* as sent last, or NULL */
    struct auth_ask ask;
    uint64_t http_id; /* 0: not sent */
    bool granted;     /* the last answer was of status 2xx */
    bool streamed;    /* bytes have gone to or come from the stream */
    bool paused;
};

static void exchange_free(struct exchange *exchange)
{
    if (exchange->authorization)
        crypto_erase(exchange->authorization, strlen(exchange->authorization));
    free(exchange->authorization);
    free(exchange->target);
    free(exchange->scope);
    free(exchange->accept);
    free(exchange->content_type);
    free(exchange->body);
    url_release(&exchange->url);
    text_list_release(&exchange->visited);
    free(exchange);
}

/* Whoever reads an image takes FAILURE_INPUT as said of the image, and it fails. A redirect that
 * leads nowhere or a strange status say nothing of it: they may pass once the registry is set
 * right. */
static void blame_the_way(const struct exchange *exchange, struct error *error)
{
    if (exchange->request.effect == EFFECT_NONE && !exchange->granted && !exchange->streamed &&
        error->kind == FAILURE_INPUT)
        error->kind = FAILURE_LATER;
}

static void end(struct exchange *exchange, const struct http_response *response,
                const struct error *error)
{
    struct exchange_answer answer = {.response = response, .url = &exchange->url};
    struct error kept = error ? *error : (struct error){0};

    if (error) {
        exchange->registry->counters.failures++;
        blame_the_way(exchange, &kept);
        answer.error = &kept;
    }
    queue_remove(exchange->registry->queue, &exchange->entry);
    exchange->done(exchange->argument, &answer);
    exchange_free(exchange);
}

static void set_authorization(struct exchange *exchange, char *header)
{
    if (exchange->authorization)
        crypto_erase(exchange->authorization, strlen(exchange->authorization));
    free(exchange->authorization);
    exchange->authorization = header;
}

static int64_t backoff_ms(const struct exchange *exchange)
{
    const struct registry_tuning *tuning = &exchange->registry->tuning;
    int64_t top_ms = tuning->backoff_first_ms;
    uint32_t random = 0;

    for (unsigned i = 1; i < exchange->attempt && top_ms < tuning->backoff_max_ms; i++)
        top_ms *= 2;
    if (top_ms > tuning->backoff_max_ms)
        top_ms = tuning->backoff_max_ms;
    crypto_random(&random, sizeof(random));
    return 1 + (int64_t)(random % (uint64_t)(top_ms + 1));
}

/* Back to the registry's own address: a redirect's target may have expired. */
static void reset_url(struct exchange *exchange)
{
    url_release(&exchange->url);
    text_list_release(&exchange->visited);
    exchange->foreign = false;
    /* It was resolved at the start, so it can be again. */
    (void)location_resolve(&exchange->registry->url, exchange->target, &exchange->url, NULL);
}

static bool may_repeat(const struct exchange *exchange, const struct http_response *response)
{
    if (exchange->streamed || exchange->request.read ||
        exchange->attempt >= exchange->registry->tuning.attempts)
        return false;
    if (exchange->request.effect == EFFECT_NONE)
        return true;
    /* A write is repeated when it certainly was not done. */
    if (!response)
        return true;
    return !response->sent || response->status == 429 || response->status == 503;
}

static void retry_or_end(struct exchange *exchange, const struct http_response *response,
                         const struct error *error)
{
    int64_t delay_ms = backoff_ms(exchange);

    if (error->kind != FAILURE_LATER || !may_repeat(exchange, response) ||
        error->retry_after_ms > exchange->registry->tuning.hold_max_ms) {
        end(exchange, response && response->error.kind == FAILURE_NONE ? response : NULL, error);
        return;
    }
    if (error->retry_after_ms > delay_ms)
        delay_ms = error->retry_after_ms;
    exchange->registry->counters.retries++;
    reset_url(exchange);
    queue_add(exchange->registry->queue, &exchange->entry, delay_ms);
}

static void send_request(struct exchange *exchange);

static void on_authorized(void *argument, const char *header, const struct error *error)
{
    struct exchange *exchange = argument;

    if (error) {
        retry_or_end(exchange, NULL, error);
        return;
    }
    set_authorization(exchange, memory_copy_text(header));
    send_request(exchange);
}

static void authorize(struct exchange *exchange)
{
    char *header = NULL;

    /* Nothing of ours goes to another origin. */
    if (exchange->foreign) {
        set_authorization(exchange, NULL);
        send_request(exchange);
        return;
    }
    if (exchange->request.basic)
        header = auth_basic(exchange->registry->auth);
    else if (!auth_get(exchange->registry->auth, exchange->scope, &exchange->ask, &header))
        return;
    set_authorization(exchange, header);
    send_request(exchange);
}

static bool is_read(const struct exchange *exchange)
{
    return text_equal(exchange->request.method, "GET") ||
           text_equal(exchange->request.method, "HEAD");
}

static bool is_redirect(const struct exchange *exchange, const struct http_response *response)
{
    int status = response->status;

    return is_read(exchange) && http_response_header(response, "location") &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static int check_redirect(const struct exchange *exchange, const struct url *next,
                          struct error *err)
{
    AUTO_FREE char *text = location_format(next);
    AUTO_FREE char *host = text_printable(next->host_port, 100);

    if (exchange->visited.count >= exchange->registry->tuning.max_redirects)
        return error_set(err, FAILURE_INPUT, "redirects more than %u times",
                         exchange->registry->tuning.max_redirects);
    if (text_equal(exchange->url.scheme, "https") && !text_equal(next->scheme, "https"))
        return error_set(err, FAILURE_INPUT, "redirects to %s without encryption", host);
    if (text_list_has(&exchange->visited, text))
        return error_set(err, FAILURE_INPUT, "redirects in a circle");
    return 0;
}

static int follow(struct exchange *exchange, const struct http_response *response,
                  struct error *err)
{
    const char *target = http_response_header(response, "location");
    struct url next = {0};
    int rc;

    if (exchange->visited.count == 0)
        text_list_add_take(&exchange->visited, location_format(&exchange->url));
    rc = location_resolve(&exchange->url, target, &next, err);
    if (rc < 0)
        return error_wrap(err, "redirects to an address that cannot be used");
    rc = check_redirect(exchange, &next, err);
    if (rc < 0) {
        url_release(&next);
        return rc;
    }
    text_list_add_take(&exchange->visited, location_format(&next));
    url_release(&exchange->url);
    exchange->url = next;
    exchange->foreign = !url_same_origin(&exchange->registry->url, &exchange->url);
    return 0;
}

static void on_redirect(struct exchange *exchange, const struct http_response *response)
{
    struct error error = {0};

    if (follow(exchange, response, &error) < 0)
        end(exchange, response, &error);
    else
        authorize(exchange);
}

static void explain(const struct exchange *exchange, const struct http_response *response,
                    struct error *ret)
{
    AUTO_FREE char *host = text_printable(exchange->url.host_port, 100);

    if (response->error.kind != FAILURE_NONE)
        *ret = response->error;
    else
        (void)errors_from_response(
            response, !auth_repeats_secret(exchange->registry->auth, response->body), ret);
    if (exchange->foreign)
        (void)error_wrap(ret, "redirected to %s", host);
}

static void on_unauthorized(struct exchange *exchange, const struct http_response *response)
{
    struct error error = {0};

    if (exchange->foreign || exchange->request.read || exchange->request.basic ||
        ++exchange->auth_rounds > AUTH_ROUNDS_MAX) {
        explain(exchange, response, &error);
        if (exchange->auth_rounds > AUTH_ROUNDS_MAX)
            (void)error_hint(&error, "the account has no right to do this in this repository");
        end(exchange, response, &error);
        return;
    }
    if (auth_learn(exchange->registry->auth, exchange->scope, response, exchange->authorization,
                   &error) < 0)
        end(exchange, response, &error);
    else
        authorize(exchange);
}

/* 502 to 504 are what a proxy says of a dead registry; a 500 may be about one broken image. */
static bool looks_alive(const struct http_response *response)
{
    return response->error.kind == FAILURE_NONE &&
           !(response->status >= 502 && response->status <= 504);
}

/* The transfer ended because of us: the registry is not to blame. */
static bool is_own_failure(const struct http_response *response)
{
    enum failure kind = response->error.kind;

    return kind != FAILURE_NONE && kind != FAILURE_LATER && kind != FAILURE_UNCERTAIN;
}

static void note_answer(struct exchange *exchange, const struct http_response *response)
{
    struct registry *registry = exchange->registry;
    int64_t hold_ms;

    registry->counters.bytes_received += response->body_size;
    if (exchange->foreign || is_own_failure(response))
        return;
    profiles_note_answer(registry, response);
    queue_report(registry->queue, &exchange->entry, looks_alive(response));
    if (response->status != 429 && response->status != 503)
        return;
    registry->counters.throttled += response->status == 429;
    hold_ms = http_response_retry_after_ms(response);
    if (hold_ms > 0)
        queue_hold(registry->queue, hold_ms < HOLD_CAP_MS ? hold_ms : HOLD_CAP_MS);
}

/* What a write's missing or broken answer means. */
static enum failure lost_kind(const struct exchange *exchange, const struct http_response *response)
{
    int status = response->status;

    if (exchange->request.effect != EFFECT_WRITE || !response->sent)
        return FAILURE_LATER;
    /* These say that nothing was done; other failures may come after the deed. */
    if (status == 408 || status == 423 || status == 425 || status == 429 || status == 503)
        return FAILURE_LATER;
    return FAILURE_UNCERTAIN;
}

static void on_failure(struct exchange *exchange, const struct http_response *response)
{
    struct error error = {0};

    explain(exchange, response, &error);
    if (error.kind == FAILURE_LATER || error.kind == FAILURE_UNCERTAIN)
        error.kind = lost_kind(exchange, response);
    retry_or_end(exchange, response, &error);
}

static void on_response(void *argument, const struct http_response *response)
{
    struct exchange *exchange = argument;

    exchange->http_id = 0;
    exchange->granted = response->status >= 200 && response->status <= 299;
    note_answer(exchange, response);
    if (exchange->granted && response->error.kind == FAILURE_NONE)
        end(exchange, response, NULL);
    else if (response->status == 401)
        on_unauthorized(exchange, response);
    else if (is_redirect(exchange, response))
        on_redirect(exchange, response);
    else
        on_failure(exchange, response);
}

static int on_begin(void *argument, const struct http_response *response, struct error *err)
{
    struct exchange *exchange = argument;

    return exchange->request.begin(exchange->request.stream, response, err);
}

static int on_write(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct exchange *exchange = argument;

    exchange->streamed = true;
    exchange->registry->counters.bytes_received += size;
    return exchange->request.write(exchange->request.stream, bytes, size, err);
}

static int64_t on_read(void *argument, void *buffer, size_t size)
{
    struct exchange *exchange = argument;

    exchange->streamed = true;
    return exchange->request.read(exchange->request.stream, buffer, size);
}

/* A peer that sends a byte now and then keeps the idle time from running out: the whole is limited
 * too, by the slowest rate that is worth waiting for. */
static int64_t total_timeout_ms(const struct exchange *exchange, int64_t idle_ms)
{
    uint64_t bytes = exchange->request.max_body_bytes + exchange->request.body_size;
    uint64_t rate = exchange->registry->tuning.slowest_bytes_per_s;
    uint64_t seconds = bytes / rate;

    if (exchange->request.bulk)
        return 0;
    return idle_ms + (int64_t)(seconds < INT32_MAX ? seconds : INT32_MAX) * 1000;
}

static void send_request(struct exchange *exchange)
{
    const struct exchange_request *request = &exchange->request;
    int64_t idle_ms = exchange->registry->idle_ms;
    struct http_header headers[5 + REQUEST_HEADERS_MAX] = {0};
    size_t count = 0;
    AUTO_FREE char *range = text_new("bytes=%llu-", (unsigned long long)request->from);
    AUTO_FREE char *url = location_format(&exchange->url);
    struct http_request http = {.method = request->method,
                                .url = url,
                                .headers = headers,
                                .body = exchange->body,
                                .body_size = request->body_size,
                                .max_body_bytes = request->max_body_bytes,
                                .connect_timeout_ms = idle_ms,
                                .idle_timeout_ms = idle_ms,
                                .total_timeout_ms = total_timeout_ms(exchange, idle_ms),
                                .body_write = request->write ? on_write : NULL,
                                .body_begin = request->begin ? on_begin : NULL,
                                .body_read = request->read ? on_read : NULL};

    if (exchange->accept)
        headers[count++] = (struct http_header){"Accept", exchange->accept};
    if (exchange->content_type)
        headers[count++] = (struct http_header){"Content-Type", exchange->content_type};
    if (exchange->authorization)
        headers[count++] = (struct http_header){"Authorization", exchange->authorization};
    if (request->from > 0)
        headers[count++] = (struct http_header){"Range", range};
    for (size_t i = 0; i < REQUEST_HEADERS_MAX && request->headers && request->headers[i].name; i++)
        headers[count++] = request->headers[i];
    exchange->registry->counters.requests++;
    exchange->http_id = http_client_send(exchange->registry->http, &http, on_response, exchange);
    if (exchange->paused)
        http_client_pause(exchange->registry->http, exchange->http_id);
}

void exchange_run(struct queue_entry *entry)
{
    struct exchange *exchange = (struct exchange *)entry;
    struct error error = {0};

    exchange->attempt++;
    exchange->granted = false;
    if (!exchange->url.host_port &&
        location_resolve(&exchange->registry->url, exchange->target, &exchange->url, &error) < 0) {
        end(exchange, NULL, &error);
        return;
    }
    /* Places that answers name (Location, Link) are held against the registry's origin where they
     * are read; this is the last door before credentials go out. */
    if (!url_same_origin(&exchange->registry->url, &exchange->url)) {
        (void)error_set(&error, FAILURE_INPUT, "an address outside the registry was to be asked");
        end(exchange, NULL, &error);
        return;
    }
    authorize(exchange);
}

void exchange_refuse(struct queue_entry *entry, const struct error *error)
{
    struct exchange *exchange = (struct exchange *)entry;

    end(exchange, NULL, error);
}

struct exchange *exchange_start(struct registry *registry, const struct exchange_request *request,
                                exchange_done_f *done, void *argument)
{
    struct exchange *exchange = memory_new(sizeof(*exchange));

    assert(!request->read || request->effect != EFFECT_NONE);
    exchange->registry = registry;
    exchange->request = *request;
    exchange->target = memory_copy_text(request->target);
    exchange->scope = memory_copy_text(request->scope);
    exchange->accept = memory_copy_text(request->accept);
    exchange->content_type = memory_copy_text(request->content_type);
    if (request->body)
        exchange->body = memory_copy_bytes(request->body, request->body_size);
    exchange->done = done;
    exchange->argument = argument;
    exchange->ask.ready = on_authorized;
    exchange->ask.argument = exchange;
    exchange->entry.companion = request->companion;
    exchange->entry.bulk = request->bulk;
    queue_add(registry->queue, &exchange->entry, request->delay_ms);
    return exchange;
}

void exchange_cancel(struct exchange *exchange)
{
    if (!exchange)
        return;
    auth_cancel(&exchange->ask);
    if (exchange->http_id)
        http_client_cancel(exchange->registry->http, exchange->http_id);
    queue_remove(exchange->registry->queue, &exchange->entry);
    exchange_free(exchange);
}

void exchange_pause(struct exchange *exchange)
{
    exchange->paused = true;
    if (exchange->http_id)
        http_client_pause(exchange->registry->http, exchange->http_id);
}

void exchange_resume(struct exchange *exchange)
{
    exchange->paused = false;
    if (exchange->http_id)
        http_client_resume(exchange->registry->http, exchange->http_id);
}

int exchange_status(const struct exchange_answer *answer)
{
    return answer->response ? answer->response->status : 0;
}
