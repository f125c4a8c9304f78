/* The steps that all sources are made of: reading a file beside the loop, asking an endpoint, and
 * assuming a role. Which source does what stands in source_*.c. */
#include "fetch.h"

#include <unistd.h>

#include "regwarden/crypto.h"
#include "regwarden/file.h"

#include "answer.h"
#include "endpoint.h"
#include "post.h"

enum { FILE_BYTES_MAX = 256 * 1024, ANSWER_BYTES_MAX = 64 * 1024 };

/* A file that is being read; it may outlive its fetch. */
struct reading {
    struct fetch *fetch; /* NULL: nobody waits any more */
    char *path;
    struct text bytes;
    struct error error;
};

struct fetch {
    struct aws *aws;
    const struct source *source;
    fetch_done_f *done;
    void *argument;
    struct timer *begin;
    struct reading *reading;
    fetch_bytes_f *then_bytes;
    fetch_answer_f *then_answer;
    uint64_t http_id; /* of the question under way, or 0 */
    char *note;
    bool is_role; /* the role was assumed */
};

static const struct source *const sources[] = {&source_file, &source_web_identity,
                                               &source_container, &source_instance, NULL};

const struct source *fetch_source(const struct config_aws *settings)
{
    const struct source *const *source = sources;

    while (source[1]) {
        if (settings->credentials == AWS_CREDENTIALS_AUTO
                ? (*source)->is_there(settings)
                : (int)(*source)->kind == settings->credentials)
            break;
        source++;
    }
    return *source;
}

static void begin(void *argument)
{
    struct fetch *fetch = argument;

    fetch->source->begin(fetch);
}

struct fetch *fetch_start(struct aws *aws, fetch_done_f *done, void *argument)
{
    struct fetch *fetch = memory_new(sizeof(*fetch));

    fetch->aws = aws;
    fetch->source = fetch_source(aws->settings);
    fetch->is_role = fetch->source->is_role;
    fetch->done = done;
    fetch->argument = argument;
    fetch->begin = timer_new(aws->loop, begin, fetch);
    timer_arm(fetch->begin, 0);
    return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
    if (!fetch)
        return;
    if (fetch->reading)
        fetch->reading->fetch = NULL;
    if (fetch->http_id)
        http_client_cancel(fetch->aws->http, fetch->http_id);
    timer_free(fetch->begin);
    aws_keys_erase_text(&fetch->note);
    free(fetch);
}

struct aws *fetch_aws(struct fetch *fetch)
{
    return fetch->aws;
}

char **fetch_note(struct fetch *fetch)
{
    return &fetch->note;
}

static void end(struct fetch *fetch, struct aws_keys *credentials, const struct error *error)
{
    fetch_done_f *done = fetch->done;
    void *argument = fetch->argument;

    fetch_cancel(fetch);
    done(argument, credentials, error);
}

void fetch_fail(struct fetch *fetch, const struct error *error)
{
    struct error copy = *error;

    end(fetch, NULL, &copy);
}

/* --- files --- */

static void read_file(void *argument)
{
    struct reading *reading = argument;

    (void)file_read(reading->path, FILE_BYTES_MAX, &reading->bytes, &reading->error);
}

static void on_file(void *argument, bool cancelled)
{
    struct reading *reading = argument;
    struct fetch *fetch = reading->fetch;

    if (fetch)
        fetch->reading = NULL;
    if (fetch && cancelled)
        (void)error_set(&reading->error, FAILURE_LATER, "cancelled");
    if (fetch && reading->error.kind != FAILURE_NONE)
        fetch_fail(fetch, &reading->error);
    else if (fetch)
        fetch->then_bytes(fetch, &reading->bytes);
    aws_keys_erase(&reading->bytes);
    free(reading->path);
    free(reading);
}

void fetch_read(struct fetch *fetch, const char *path, fetch_bytes_f *then)
{
    struct reading *reading = memory_new(sizeof(*reading));

    reading->fetch = fetch;
    reading->path = memory_copy_text(path);
    fetch->reading = reading;
    fetch->then_bytes = then;
    if (!fetch->aws->files)
        fetch->aws->files = job_pool_new(fetch->aws->loop, "aws", 1);
    job_submit(fetch->aws->files, read_file, on_file, reading);
}

/* --- questions --- */

static void on_answer(void *argument, const struct http_response *response)
{
    struct fetch *fetch = argument;

    fetch->http_id = 0;
    if (response->error.kind != FAILURE_NONE) {
        struct error error = response->error;

        if (error.kind == FAILURE_UNCERTAIN) /* nothing is changed by asking */
            error.kind = FAILURE_LATER;
        if (fetch->source->hint)
            (void)error_hint(&error, "%s", fetch->source->hint);
        fetch_fail(fetch, &error);
        return;
    }
    fetch->then_answer(fetch, response);
}

void fetch_ask(struct fetch *fetch, const struct fetch_question *question, fetch_answer_f *then)
{
    const struct http_header headers[] = {
        {"Accept", "*/*"}, {question->header_name, question->header_value}, {NULL, NULL}};
    int64_t timeout_ms = fetch->aws->tuning.metadata_timeout_ms;

    fetch->then_answer = then;
    fetch->aws->counters.credential_requests++;
    fetch->http_id = http_client_send(fetch->aws->http,
                                      &(struct http_request){.method = question->method,
                                                             .url = question->url,
                                                             .headers = headers,
                                                             .max_body_bytes = ANSWER_BYTES_MAX,
                                                             .connect_timeout_ms = timeout_ms,
                                                             .total_timeout_ms = 2 * timeout_ms},
                                      on_answer, fetch);
}

void fetch_fail_status(struct fetch *fetch, const struct http_response *response, const char *what)
{
    struct error error = {0};
    bool passes = response->status == 408 || response->status == 429 || response->status >= 500;

    /* Its body is not quoted: it comes from where credentials come from. */
    (void)error_set(&error, passes ? FAILURE_LATER : FAILURE_DENIED, "%s answered %d", what,
                    response->status);
    error.retry_after_ms = passes ? http_response_retry_after_ms(response) : 0;
    fetch_fail(fetch, &error);
}

/* --- roles --- */

static void on_role(struct fetch *fetch, const struct http_response *response)
{
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    struct error error = {0};
    struct answer answer;

    answer_read_sts(response, NULL, &answer);
    error = answer.error;
    answer_release(&answer);
    if (error.kind == FAILURE_NONE)
        (void)aws_keys_from_sts(response->body, response->body_size, &credentials, &error);
    if (error.kind != FAILURE_NONE) {
        (void)error_wrap(&error, "assume the role");
        fetch_fail(fetch, &error);
        return;
    }
    fetch->is_role = true;
    fetch_take(fetch, &credentials);
}

static void add_parameter(struct text *body, const char *name, const char *value)
{
    text_format(body, "%s%s=", body->length > 0 ? "&" : "", name);
    url_encode(body, value);
}

static int make_role_url(struct fetch *fetch, struct url *ret, struct error *err)
{
    return endpoint_of("sts", fetch->aws->region, fetch->aws->settings->sts_endpoint, ret, err);
}

void fetch_assume(struct fetch *fetch, const struct aws_keys *base,
                  const struct text_pairs *parameters)
{
    struct text body = {0};
    struct error error = {0};
    struct url url = {0};

    if (make_role_url(fetch, &url, &error) < 0) {
        fetch_fail(fetch, &error);
        return;
    }
    add_parameter(&body, "Action", base ? "AssumeRole" : "AssumeRoleWithWebIdentity");
    add_parameter(&body, "Version", "2011-06-15");
    for (size_t i = 0; i < parameters->count; i++)
        add_parameter(&body, parameters->items[i].key, parameters->items[i].value);
    fetch->then_answer = on_role;
    fetch->aws->counters.credential_requests++;
    fetch->http_id =
        post_send(fetch->aws,
                  &(struct post){.service = "sts",
                                 .url = &url,
                                 .content_type = "application/x-www-form-urlencoded; charset=utf-8",
                                 .body = &body,
                                 .total_timeout_ms = 10 * fetch->aws->tuning.metadata_timeout_ms,
                                 .max_body_bytes = ANSWER_BYTES_MAX},
                  base, on_answer, fetch);
    aws_keys_erase(&body);
    url_release(&url);
}

static void assume_on_top(struct fetch *fetch, const struct aws_keys *base)
{
    struct text_pairs parameters = {0};

    text_pairs_add(&parameters, "RoleArn", fetch->aws->settings->role_arn);
    text_pairs_add(&parameters, "RoleSessionName", "regwarden");
    fetch_assume(fetch, base, &parameters);
    text_pairs_release(&parameters);
}

void fetch_take(struct fetch *fetch, struct aws_keys *credentials)
{
    if (!fetch->is_role && fetch->aws->settings->role_arn) {
        assume_on_top(fetch, credentials);
        return;
    }
    end(fetch, credentials, NULL);
}

void fetch_take_answer(struct fetch *fetch, const struct http_response *response, const char *what)
{
    AUTO_AWS_KEYS struct aws_keys credentials = {0};
    struct error error = {0};

    if (response->status != 200) {
        fetch_fail_status(fetch, response, what);
        return;
    }
    if (aws_keys_from_json(response->body, response->body_size, &credentials, &error) < 0)
        fetch_fail(fetch, &error);
    else
        fetch_take(fetch, &credentials);
}
