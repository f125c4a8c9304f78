/* The client against our own server and against one that misbehaves. */
#include "http_test.h"

#include <unistd.h>

#include "evil_server.h"
#include "regwarden/clock.h"

static struct world world;
static struct http_client *client;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){.max_body_bytes = 10 * 1024 * 1024});
    world_listen(&world, "127.0.0.1:0");
    struct http_client_options options = {.max_connections = 4};
    return http_client_new(world.loop, &options, &client, NULL);
}

static int close_world(void **state)
{
    (void)state;
    http_client_free(client);
    world_close(&world);
    return 0;
}

/* What a request came to, copied. */
struct outcome {
    unsigned called;
    int status;
    struct error error;
    bool sent;
    struct text body;
    struct text_pairs headers;
    int64_t retry_after_ms;
    uint64_t id;
};

static void on_done(void *argument, const struct http_response *response)
{
    struct outcome *outcome = argument;
    outcome->called++;
    outcome->status = response->status;
    outcome->error = response->error;
    outcome->sent = response->sent;
    text_add_bytes(&outcome->body, response->body, response->body_size);
    text_pairs_copy(&outcome->headers, &response->headers);
    outcome->retry_after_ms = http_response_retry_after_ms(response);
}

static void outcome_release(struct outcome *outcome)
{
    text_release(&outcome->body);
    text_pairs_release(&outcome->headers);
}
#define AUTO_OUTCOME AUTO(outcome_release)

static bool was_called(void *argument)
{
    return ((struct outcome *)argument)->called > 0;
}

static char *url_of(unsigned port, const char *path)
{
    return text_new("http://127.0.0.1:%u%s", port, path);
}

static void run_to_end(const struct http_request *request, struct outcome *ret)
{
    ret->id = http_client_send(client, request, on_done, ret);
    assert_int_not_equal(ret->id, 0);
    assert_int_equal(ret->called, 0);
    assert_true(world_wait(&world, was_called, ret));
    assert_int_equal(ret->called, 1);
}

static void get(const char *path, struct outcome *ret)
{
    AUTO_FREE char *url = url_of(world_port(&world), path);
    run_to_end(&(struct http_request){.method = "GET", .url = url}, ret);
}

static void requests_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *seen;
    } rows[] = {
        {"GET", NULL, "<GET /a%2Fb/../c?d=e|>"},
        {"DELETE", NULL, "<DELETE /a%2Fb/../c?d=e|>"},
        {"POST", "hello", "<POST /a%2Fb/../c?d=e|hello>"},
        {"PUT", "hello", "<PUT /a%2Fb/../c?d=e|hello>"},
        {"PATCH", "", "<PATCH /a%2Fb/../c?d=e|>"},
        {"POST", NULL, "<POST /a%2Fb/../c?d=e|>"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        AUTO_FREE char *url = url_of(world_port(&world), "/a%2Fb/../c?d=e");
        struct http_request request = {
            .method = rows[i].method,
            .url = url,
            .body = rows[i].body,
            .body_size = rows[i].body == NULL ? 0 : strlen(rows[i].body),
        };
        run_to_end(&request, &outcome);
        assert_int_equal(outcome.status, 200);
        assert_int_equal(outcome.error.kind, FAILURE_NONE);
        assert_string_equal(text_data(&outcome.body), rows[i].seen);
        assert_true(outcome.sent);
        assert_string_equal(text_pairs_get(&outcome.headers, "content-type"), "text/plain");
    }
    assert_int_equal(http_client_active(client), 0);
}

static void head_has_no_body(void **state)
{
    (void)state;
    AUTO_OUTCOME struct outcome outcome = {0};
    AUTO_FREE char *url = url_of(world_port(&world), "/x");
    run_to_end(&(struct http_request){.method = "HEAD", .url = url}, &outcome);
    assert_int_equal(outcome.status, 200);
    assert_int_equal(outcome.body.length, 0);
    assert_string_equal(text_pairs_get(&outcome.headers, "content-length"), "10");
}

static void refused_requests_fail_without_being_sent(void **state)
{
    (void)state;
    static const struct http_header line_end[] = {{"X-A", "b\r\nX-B: c"}, {NULL, NULL}};
    static const struct http_header bad_name[] = {{"X-A: b", "c"}, {NULL, NULL}};
    AUTO_FREE char *good = url_of(world_port(&world), "/");
    const struct http_request requests[] = {
        {.method = "GET", .url = "ftp://example.org/"},
        {.method = "GET", .url = "file:///etc/passwd"},
        {.method = "GET", .url = "http://user:secret@127.0.0.1/"},
        {.method = "GET", .url = "http://127.0.0.1/a b"},
        {.method = "GE T", .url = good},
        {.method = "", .url = good},
        {.method = "GET", .url = good, .headers = line_end},
        {.method = "GET", .url = good, .headers = bad_name},
    };
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        run_to_end(&requests[i], &outcome);
        assert_int_equal(outcome.status, 0);
        assert_int_equal(outcome.error.kind, FAILURE_INPUT);
        assert_false(outcome.sent);
        assert_null(strstr(outcome.error.text, "secret"));
    }
    assert_int_equal(world.handled, 0);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    world.reply_status = 302;
    world.reply_headers =
        (const struct http_reply_header[]){{"Location", "/elsewhere"}, {NULL, NULL}};
    AUTO_OUTCOME struct outcome outcome = {0};
    get("/empty", &outcome);
    assert_int_equal(outcome.status, 302);
    assert_string_equal(text_pairs_get(&outcome.headers, "location"), "/elsewhere");
    assert_int_equal(world.handled, 1);
}

static void proxies_of_the_environment_are_ignored(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    AUTO_OUTCOME struct outcome outcome = {0};
    get("/x", &outcome);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(outcome.status, 200);
}

static void many_requests_share_few_connections(void **state)
{
    (void)state;
    enum { REQUESTS = 100 };
    static struct outcome outcomes[REQUESTS];
    AUTO_FREE char *url = url_of(world_port(&world), "/x");
    for (size_t i = 0; i < REQUESTS; i++)
        http_client_send(client, &(struct http_request){.method = "GET", .url = url}, on_done,
                         &outcomes[i]);
    assert_int_equal(http_client_active(client), REQUESTS);
    for (size_t i = 0; i < REQUESTS; i++) {
        assert_true(world_wait(&world, was_called, &outcomes[i]));
        assert_int_equal(outcomes[i].status, 200);
        outcome_release(&outcomes[i]);
    }
    struct http_server_counters counters;
    http_server_counters(world.server, &counters);
    assert_true(counters.connections <= 4);
    assert_int_equal(counters.requests, REQUESTS);
}

#define FIFTY "01234567890123456789012345678901234567890123456789"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct evil_case {
    const char *what;
    struct evil_piece script[4];
    enum evil_end end;
    bool is_write;
    enum failure kind;
    const char *text; /* part of the error's */
    int64_t idle_ms;  /* 0: the default */
    int64_t total_ms;
} evil_cases[] = {
    {.what = "closed without an answer", .kind = FAILURE_LATER, .text = "without an answer"},
    {.what = "reset", .end = EVIL_RESET, .kind = FAILURE_LATER, .text = "127.0.0.1"},
    {.what = "a write's answer is lost", .is_write = true, .kind = FAILURE_UNCERTAIN},
    {.what = "no HTTP", .script = {{.bytes = "hello there\r\n\r\n"}}, .kind = FAILURE_INPUT},
    {.what = "truncated body",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}},
     .kind = FAILURE_LATER,
     .text = "cut short"},
    {.what = "truncated chunks",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"}},
     .kind = FAILURE_LATER},
    {.what = "body too large",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"},
                {.bytes = "0123456789", .repeat = 10000}},
     .kind = FAILURE_LIMIT},
    {.what = "endless body",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\n\r\n"},
                {.bytes = "0123456789abcdef", .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "endless chunks",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
                {.bytes = "4\r\nabcd\r\n", .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "endless headers",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\n"}, {.bytes = "X: y\r\n", .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "large headers",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\n"},
                {.bytes =
                     "X: 0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "\r\n",
                 .repeat = 127},
                {.bytes = "\r\n"}},
     .kind = FAILURE_LIMIT},
    {.what = "one endless header",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nX: "}, {.bytes = LONG, .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "endless interim answers",
     .script = {{.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "endless trailers",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"},
                {.bytes = "X: y\r\n", .repeat = 100000000}},
     .kind = FAILURE_LIMIT},
    {.what = "silent after the request",
     .end = EVIL_HANG,
     .kind = FAILURE_LATER,
     .text = "no byte came or went for 200 ms",
     .idle_ms = 200},
    {.what = "silent in the body",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}},
     .end = EVIL_HANG,
     .kind = FAILURE_LATER,
     .text = "no byte",
     .idle_ms = 200},
    {.what = "trickling body",
     .script = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
                {.bytes = "x", .repeat = 1000, .pause_ms = 20}},
     .kind = FAILURE_LATER,
     .text = "longer than 1000 ms",
     .total_ms = 1000},
};

static void misbehaving_servers_give_clear_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(evil_cases); i++) {
        const struct evil_case *row = &evil_cases[i];
        struct evil_server evil = {.script = row->script, .end = row->end};
        evil_start(&evil);
        AUTO_FREE char *url = url_of(evil.port, "/");
        AUTO_OUTCOME struct outcome outcome = {0};
        struct http_request request = {
            .method = row->is_write ? "POST" : "GET",
            .url = url,
            .max_body_bytes = 1000,
            .idle_timeout_ms = row->idle_ms,
            .total_timeout_ms = row->total_ms,
        };
        run_to_end(&request, &outcome);
        if (outcome.error.kind != row->kind || outcome.status != 0)
            fail_msg("%s: %s: %s", row->what, failure_name(outcome.error.kind), outcome.error.text);
        if (row->text != NULL && strstr(outcome.error.text, row->text) == NULL)
            fail_msg("%s: %s", row->what, outcome.error.text);
        assert_true(outcome.sent);
        evil_stop(&evil);
    }
}

static void a_slow_answer_with_bytes_in_time_is_awaited(void **state)
{
    (void)state;
    static const struct evil_piece script[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", .pause_ms = 100},
        {.bytes = "x", .repeat = 20, .pause_ms = 30},
        {0},
    };
    struct evil_server evil = {.script = script};
    evil_start(&evil);
    AUTO_FREE char *url = url_of(evil.port, "/");
    AUTO_OUTCOME struct outcome outcome = {0};
    struct http_request request = {.method = "GET", .url = url, .idle_timeout_ms = 500};
    run_to_end(&request, &outcome);
    evil_stop(&evil);
    assert_int_equal(outcome.status, 200);
    assert_int_equal(outcome.body.length, 20);
}

static void unreachable_servers_are_for_later(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://127.0.0.1:1/",
        "http://name.invalid/",
        "http://[::1]:1/",
    };
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        run_to_end(&(struct http_request){.method = "POST", .url = urls[i]}, &outcome);
        assert_int_equal(outcome.error.kind, FAILURE_LATER);
        assert_false(outcome.sent);
    }
}

static const struct answer_headers {
    const char *answer;
    const char *name;
    const char *value; /* NULL: absent */
    int64_t retry_after_ms;
    bool fails;
} answer_headers[] = {
    {"X-A:  b \t\r\n", "x-a", "b", .retry_after_ms = 0},
    {"X-A: b\r\n c\r\n", "x-a", "b c", .retry_after_ms = 0},
    {"X-A: b\r\nx-a: c\r\n", "x-a", "b", .retry_after_ms = 0},
    {"X-A: b\r\n", "x-b", NULL, .retry_after_ms = 0},
    {"X A: b\r\n", .fails = true},
    {"Retry-After: 7\r\n", "retry-after", "7", .retry_after_ms = 7000},
    {"Retry-After: 99999999999999999999\r\n", .retry_after_ms = 86400000},
    {"Retry-After: -7\r\n", .retry_after_ms = 0},
    {"Retry-After: soon\r\n", .retry_after_ms = 0},
    {"Retry-After: 1.5\r\n", .retry_after_ms = 0},
    {"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", .retry_after_ms = 0},
    {"Retry-After: Sat, 01 Jan 2000 00:01:30 GMT\r\n", .retry_after_ms = 90000},
    {"Retry-After: Sat, 01 Jan 2050 00:00:00 GMT\r\n", .retry_after_ms = 86400000},
};

static void answer_headers_are_understood(void **state)
{
    (void)state;
    clock_set_for_test(946684800000, 1); /* 2000-01-01T00:00:00Z */
    for (size_t i = 0; i < ARRAY_COUNT(answer_headers); i++) {
        const struct answer_headers *row = &answer_headers[i];
        AUTO_FREE char *answer =
            text_new("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n%s\r\n", row->answer);
        const struct evil_piece script[] = {{.bytes = answer}, {0}};
        struct evil_server evil = {.script = script};
        evil_start(&evil);
        AUTO_FREE char *url = url_of(evil.port, "/");
        AUTO_OUTCOME struct outcome outcome = {0};
        run_to_end(&(struct http_request){.method = "GET", .url = url}, &outcome);
        evil_stop(&evil);
        assert_int_equal(outcome.status, row->fails ? 0 : 503);
        assert_int_equal(outcome.retry_after_ms, row->retry_after_ms);
        struct http_response response = {.headers = outcome.headers};
        if (row->name != NULL && row->value == NULL)
            assert_null(http_response_header(&response, row->name));
        else if (row->name != NULL)
            assert_string_equal(http_response_header(&response, row->name), row->value);
    }
    clock_set_for_test(-1, -1);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(requests_are_answered),
        CLIENT_TEST(head_has_no_body),
        CLIENT_TEST(refused_requests_fail_without_being_sent),
        CLIENT_TEST(redirects_are_not_followed),
        CLIENT_TEST(proxies_of_the_environment_are_ignored),
        CLIENT_TEST(many_requests_share_few_connections),
        CLIENT_TEST(misbehaving_servers_give_clear_failures),
        CLIENT_TEST(a_slow_answer_with_bytes_in_time_is_awaited),
        CLIENT_TEST(unreachable_servers_are_for_later),
        CLIENT_TEST(answer_headers_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
