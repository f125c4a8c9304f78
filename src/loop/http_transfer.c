/* One request as a libcurl handle: its options, its body on the way out, and its time limits.
 *
 * The time without any byte is measured here, because libcurl's own low-speed limit counts whole
 * seconds and goes on counting while a transfer is held. */
#include "http_client_private.h"

#include <assert.h>
#include <stdarg.h>

#include "http_parse.h"
#include "regwarden/loop.h"

enum {
    BODY_BYTES = 64 * 1024,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    IDLE_TIMEOUT_MS = 30 * 1000,
    STREAM_BUFFER_BYTES = 64 * 1024L,
};

int transfer_fail(struct transfer *transfer, enum failure kind, const char *format, ...)
{
    if (!transfer->has_failed) {
        AUTO_FREE char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int size = vasprintf(&text, format, arguments);
        va_end(arguments);
        transfer->has_failed = true;
        error_set(&transfer->response.error, kind, "%s", size < 0 ? "" : text);
    }
    return kind;
}

static void end_by_timer(struct transfer *transfer)
{
    transfer->phase = TRANSFER_ENDED;
    http_client_kick(transfer->client);
}

static void on_idle(void *argument)
{
    struct transfer *transfer = argument;
    transfer_fail(transfer, FAILURE_LATER, "no byte came or went for %lld ms",
                  (long long)transfer->request.idle_timeout_ms);
    end_by_timer(transfer);
}

static void on_total(void *argument)
{
    struct transfer *transfer = argument;
    transfer_fail(transfer, FAILURE_LATER, "the request took longer than %lld ms",
                  (long long)transfer->request.total_timeout_ms);
    end_by_timer(transfer);
}

void transfer_watch_idle(struct transfer *transfer)
{
    bool is_held = transfer->receive_held || transfer->send_held;
    if (transfer->phase == TRANSFER_RUNNING && transfer->is_connected && !is_held)
        timer_arm(transfer->idle, transfer->request.idle_timeout_ms);
    else
        timer_disarm(transfer->idle);
}

/* The connection stands and the request is about to be written. */
static int on_connected(void *argument, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    struct transfer *transfer = argument;
    transfer->is_connected = true;
    transfer->response.sent = true;
    transfer_watch_idle(transfer);
    return CURL_PREREQFUNC_OK;
}

static int on_progress(void *argument, curl_off_t down_total, curl_off_t down_now,
                       curl_off_t up_total, curl_off_t up_now)
{
    (void)down_total;
    (void)up_total;
    struct transfer *transfer = argument;
    if (down_now + up_now != transfer->moved_bytes) {
        transfer->moved_bytes = down_now + up_now;
        transfer_watch_idle(transfer);
    }
    return 0;
}

static size_t on_read(char *buffer, size_t one, size_t size, void *argument)
{
    struct transfer *transfer = argument;
    if (transfer->phase != TRANSFER_RUNNING)
        return CURL_READFUNC_ABORT;
    size *= one;
    int64_t got = transfer->request.body_read(transfer->argument, buffer, size);
    if (got == HTTP_CLIENT_WAIT) {
        transfer->send_held = true;
        transfer_watch_idle(transfer);
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0) {
        transfer_fail(transfer, (enum failure)got, "the request's body could not be read");
        return CURL_READFUNC_ABORT;
    }
    assert((uint64_t)got <= size);
    transfer_watch_idle(transfer);
    return (size_t)got;
}

static int add_header(struct transfer *transfer, const struct http_header *header)
{
    for (const char *at = header->value; *at != '\0'; at++) {
        if (!http_is_value_byte((unsigned char)*at))
            return transfer_fail(transfer, FAILURE_INPUT,
                                 "a request header's value holds control characters");
    }
    if (!http_is_token(header->name))
        return transfer_fail(transfer, FAILURE_INPUT, "a request header's name is malformed");
    /* libcurl reads "Name:" as "leave it out"; the semicolon means an empty value. */
    AUTO_FREE char *line = header->value[0] == '\0'
                               ? text_new("%s;", header->name)
                               : text_new("%s: %s", header->name, header->value);
    transfer->headers = curl_slist_append(transfer->headers, line);
    return 0;
}

static bool has_header(const struct http_request *request, const char *name)
{
    const struct http_header *header = request->headers;
    for (; header != NULL && header->name != NULL; header++) {
        if (text_equal_nocase(header->name, name))
            return true;
    }
    return false;
}

/* Also switches off what libcurl would add by itself. */
static int copy_headers(struct transfer *transfer, const struct http_request *request)
{
    static const char *const unwanted[] = {"Expect", "Content-Type"};
    for (size_t i = 0; i < ARRAY_COUNT(unwanted); i++) {
        AUTO_FREE char *line = text_new("%s:", unwanted[i]);
        if (!has_header(request, unwanted[i]))
            transfer->headers = curl_slist_append(transfer->headers, line);
    }
    int result = 0;
    const struct http_header *header = request->headers;
    for (; result == 0 && header != NULL && header->name != NULL; header++)
        result = add_header(transfer, header);
    return result;
}

static void check(struct transfer *transfer, const struct http_request *request)
{
    struct error err = {0};
    struct url url = {0};
    if (url_parse(request->url, &url, &err) != 0) {
        transfer_fail(transfer, err.kind, "%s", err.text);
        return;
    }
    transfer->url = text_new("%s://%s%s", url.scheme, url.host_port, url.path);
    transfer->host_port = TAKE(url.host_port);
    url_release(&url);
    if (!http_is_token(request->method))
        transfer_fail(transfer, FAILURE_INPUT, "the request's method is malformed");
    else
        copy_headers(transfer, request);
}

struct transfer *transfer_new(struct http_client *client, const struct http_request *request)
{
    struct transfer *transfer = memory_new(sizeof(*transfer));
    transfer->client = client;
    transfer->method = memory_copy_text(request->method);
    transfer->request = *request;
    if (request->max_body_bytes == 0)
        transfer->request.max_body_bytes = BODY_BYTES;
    if (request->connect_timeout_ms == 0)
        transfer->request.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (request->idle_timeout_ms == 0)
        transfer->request.idle_timeout_ms = IDLE_TIMEOUT_MS;
    if (request->body != NULL)
        transfer->body = memory_copy_bytes(request->body, request->body_size);
    transfer->idle = timer_new(client->loop, on_idle, transfer);
    if (request->total_timeout_ms > 0) {
        transfer->total = timer_new(client->loop, on_total, transfer);
        timer_arm(transfer->total, request->total_timeout_ms);
    }
    check(transfer, request);
    if (transfer->has_failed)
        transfer->phase = TRANSFER_ENDED;
    return transfer;
}

static void set_method(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const char *method = transfer->method;
    const struct http_request *request = &transfer->request;
    bool has_length = text_equal(method, "POST") || text_equal(method, "PUT") ||
                      text_equal(method, "PATCH") || transfer->body != NULL;
    /* On a kept connection that the other side has closed meanwhile, libcurl silently sends again:
     * a write could happen twice, and a body that streams cannot be had twice. */
    if (request->body_read != NULL || !transfer_is_safe(method))
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (text_equal(method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    if (request->body_read != NULL) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    } else if (has_length) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body == NULL ? "" : transfer->body);
    }
}

/* HTTP/2 only for small bodies: a held stream of it keeps up to 32 MiB in memory. Then requests
 * wait for the first connection, to share it if it can be shared; without TLS they would wait for
 * its first answer, so there nobody waits. */
static void set_protocol(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    bool is_stream = transfer->request.body_write != NULL || transfer->request.body_read != NULL;
    bool may_share = !is_stream && text_starts_with(transfer->url, "https:");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     may_share ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, may_share ? 1L : 0L);
    if (is_stream)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)transfer->request.connect_timeout_ms);
}

static void set_trust(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct http_client_options *options = &transfer->client->options;
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (options->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (options->client_certificate_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options->client_certificate_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, options->client_key_file);
    }
    if (options->unix_socket != NULL)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    /* "" keeps the environment out. */
    curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy == NULL ? "" : options->proxy);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
}

static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
}

bool transfer_start(struct transfer *transfer)
{
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        transfer_fail(transfer, FAILURE_SYSTEM, "cannot set up the request");
        return false;
    }
    set_callbacks(transfer);
    set_protocol(transfer);
    set_trust(transfer);
    set_method(transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    CURLMcode code = curl_multi_add_handle(transfer->client->multi, transfer->easy);
    if (code != CURLM_OK) {
        transfer_fail(transfer, FAILURE_SYSTEM, "cannot start the request: %s",
                      curl_multi_strerror(code));
        return false;
    }
    transfer->phase = TRANSFER_RUNNING;
    return true;
}

/* All that wait try again, the first of them takes the place: one that was chosen could be
 * cancelled before its turn, and nobody would be told. */
static void leave_room(struct transfer *transfer)
{
    struct http_client *client = transfer->client;
    struct transfer *other;
    client->large_count--;
    if (client->is_dying)
        return;
    TAILQ_FOREACH(other, &client->running, entry)
    {
        other->resume_wanted = other->resume_wanted || other->awaits_room;
    }
    http_client_kick(client);
}

void transfer_free(struct transfer *transfer)
{
    if (transfer->is_large)
        leave_room(transfer);
    if (transfer->easy != NULL) {
        curl_multi_remove_handle(transfer->client->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    timer_free(transfer->idle);
    timer_free(transfer->total);
    curl_slist_free_all(transfer->headers);
    text_pairs_release(&transfer->response.headers);
    text_release(&transfer->collected);
    free(transfer->method);
    free(transfer->url);
    free(transfer->host_port);
    free(transfer->body);
    free(transfer);
}
