/* What arrives: header lines and body pieces, counted before they are kept, and the few header
 * values that every caller needs. */
#include "http_client_private.h"

#include <assert.h>

#include "http_parse.h"
#include "regwarden/clock.h"

enum {
    HEADERS_MAX = 128,
    HEADER_BYTES_MAX = 64 * 1024,
    COLLECTED_MAX = 64 * 1024, /* of an answer that was not the one to be streamed */
    RETRY_AFTER_MAX_S = 24 * 60 * 60,
    LARGE_BYTES = 128 * 1024,
    LARGE_AT_ONCE = 4,
};

/* A new status line: what came before belongs to an interim answer. */
static bool begin_answer(struct transfer *transfer, const char *line, size_t size)
{
    if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
        return false;
    text_pairs_release(&transfer->response.headers);
    transfer->headers_ended = false;
    return true;
}

static int continue_last(struct transfer *transfer, const char *value)
{
    struct text_pairs *headers = &transfer->response.headers;
    if (headers->count == 0)
        return transfer_fail(transfer, FAILURE_INPUT, "the answer's headers are malformed");
    struct text_pair *last = &headers->items[headers->count - 1];
    char *joined = text_new("%s %s", last->value, value);
    free(last->value);
    last->value = joined;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* `line` is a copy of its own with a NUL behind it. */
static int add_header(struct transfer *transfer, char *line, size_t size)
{
    while (size > 0 && is_blank(line[size - 1]))
        line[--size] = '\0';
    if (memchr(line, '\0', size) != NULL)
        return transfer_fail(transfer, FAILURE_INPUT, "the answer's headers hold a NUL");
    if (line[0] == ' ' || line[0] == '\t')
        return continue_last(transfer, line + strspn(line, " \t"));
    char *colon = strchr(line, ':');
    if (colon != NULL)
        *colon = '\0';
    if (colon == NULL || !http_is_token(line))
        return transfer_fail(transfer, FAILURE_INPUT, "the answer's headers are malformed");
    if (transfer->response.headers.count == HEADERS_MAX)
        return transfer_fail(transfer, FAILURE_LIMIT, "the answer has more than %d headers",
                             HEADERS_MAX);
    for (char *at = line; at < colon; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    text_pairs_add(&transfer->response.headers, line, colon + 1 + strspn(colon + 1, " \t"));
    return 0;
}

static int take_line(struct transfer *transfer, const char *bytes, size_t size)
{
    transfer->header_bytes += size; /* also of interim answers and trailers, which may be endless */
    if (transfer->header_bytes > HEADER_BYTES_MAX)
        return transfer_fail(transfer, FAILURE_LIMIT, "the answer's headers exceed %d bytes",
                             HEADER_BYTES_MAX);
    if (begin_answer(transfer, bytes, size) || transfer->headers_ended)
        return 0;
    if (size <= 2 && (bytes[0] == '\r' || bytes[0] == '\n')) {
        transfer->headers_ended = true;
        return 0;
    }
    AUTO_FREE char *line = memory_copy_bytes(bytes, size);
    return add_header(transfer, line, size);
}

size_t transfer_on_header(char *bytes, size_t one, size_t size, void *argument)
{
    struct transfer *transfer = argument;
    size *= one;
    if (transfer->phase != TRANSFER_RUNNING)
        return 0;
    transfer_watch_idle(transfer);
    return size == 0 || take_line(transfer, bytes, size) == 0 ? size : 0;
}

static bool is_success(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status <= 299;
}

static bool is_streamed(const struct transfer *transfer)
{
    return transfer->request.body_write != NULL && is_success(transfer);
}

static int begin_stream(struct transfer *transfer, struct error *err)
{
    long status = 0;
    if (transfer->has_begun || transfer->request.body_begin == NULL)
        return 0;
    transfer->has_begun = true;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->response.status = (int)status;
    return transfer->request.body_begin(transfer->argument, &transfer->response, err);
}

static int stream(struct transfer *transfer, const char *bytes, size_t size)
{
    struct error error = {0};
    int result = begin_stream(transfer, &error);
    if (result == 0)
        result = transfer->request.body_write(transfer->argument, bytes, size, &error);
    if (result == 0)
        return 0;
    return transfer_fail(transfer, result, "%s",
                         error.text[0] == '\0' ? "the answer was not taken" : error.text);
}

static int take_body(struct transfer *transfer, const char *bytes, size_t size)
{
    bool to_stream = is_streamed(transfer);
    uint64_t max = transfer->request.max_body_bytes;
    /* What an error says may be longer than what was asked for. */
    if (!is_success(transfer) && (transfer->request.body_write != NULL || max < COLLECTED_MAX))
        max = COLLECTED_MAX;
    if (size > max - transfer->body_bytes)
        /* The server's error page says nothing about what was asked for. */
        return transfer_fail(transfer, is_success(transfer) ? FAILURE_LIMIT : FAILURE_LATER,
                             "the answer exceeds %llu bytes", (unsigned long long)max);
    transfer->body_bytes += size;
    if (to_stream)
        return stream(transfer, bytes, size);
    text_add_bytes(&transfer->collected, bytes, size);
    return 0;
}

/* What is collected takes memory, and it is the other side that says how much: few answers at a
 * time may grow large, the others are held meanwhile. Those few always come to an end, by their
 * limit or their time. */
static bool has_room(struct transfer *transfer, size_t size)
{
    if (transfer->is_large || transfer->body_bytes + size <= LARGE_BYTES || is_streamed(transfer))
        return true;
    transfer->awaits_room = transfer->client->large_count >= LARGE_AT_ONCE;
    if (transfer->awaits_room)
        return false;
    transfer->is_large = true;
    transfer->client->large_count++;
    return true;
}

size_t transfer_on_body(char *bytes, size_t one, size_t size, void *argument)
{
    struct transfer *transfer = argument;
    size *= one;
    if (transfer->phase != TRANSFER_RUNNING)
        return size + 1; /* any other count than the given one aborts */
    if (transfer->receive_paused || !has_room(transfer, size)) {
        transfer->receive_held = true;
        transfer_watch_idle(transfer);
        return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
    }
    transfer_watch_idle(transfer);
    return take_body(transfer, bytes, size) == 0 ? size : size + 1;
}

const char *http_response_header(const struct http_response *response, const char *lower_case_name)
{
    for (size_t i = 0; i < response->headers.count; i++) {
        if (text_equal(response->headers.items[i].key, lower_case_name))
            return response->headers.items[i].value;
    }
    return NULL;
}

int64_t http_response_retry_after_ms(const struct http_response *response)
{
    const char *value = http_response_header(response, "retry-after");
    if (value == NULL)
        return 0;
    uint64_t seconds;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0') {
        if (text_parse_uint(value, RETRY_AFTER_MAX_S, &seconds, NULL) != 0)
            seconds = RETRY_AFTER_MAX_S;
        return (int64_t)seconds * 1000;
    }
    int64_t date_s = curl_getdate(value, NULL);
    int64_t wait_ms = date_s < 0 ? 0 : date_s * 1000 - clock_wall_ms();
    if (wait_ms < 0)
        return 0;
    return wait_ms > RETRY_AFTER_MAX_S * INT64_C(1000) ? RETRY_AFTER_MAX_S * INT64_C(1000)
                                                       : wait_ms;
}

int64_t http_response_date_ms(const struct http_response *response)
{
    const char *value = http_response_header(response, "date");
    int64_t date_s = value == NULL ? -1 : curl_getdate(value, NULL);
    return date_s < 0 ? 0 : date_s * 1000;
}
