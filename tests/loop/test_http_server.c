/* The server against raw sockets: what it answers and what it refuses. */
#include "http_test.h"

#include <sys/socket.h>
#include <unistd.h>

static struct world world;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){
                           .max_body_bytes = 100000,
                           .max_header_bytes = 2000,
                       });
    world_listen(&world, "127.0.0.1:0");
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const struct answered {
    const char *request;
    const char *seen; /* "<METHOD target|body>" */
} answered[] = {
    {"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "<GET /a?b=c|>"},
    {"GET / HTTP/1.1\r\nhost: x:80\r\nX-Empty:\r\nX-Tab:\ta\xc3\xa4\t\r\n\r\n", "<GET /|>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "<POST /p|hello>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length:  5\t\r\n\r\nhello", "<POST /p|hello>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nhel\r\n002\r\nlo\r\n0\r\n\r\n",
     "<POST /p|hello>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     "A\r\n0123456789\r\n0\r\nX-Trailer: dropped\r\nContent-Length: 9\r\n\r\n",
     "<POST /p|0123456789>"},
    {"GET / HTTP/1.0\r\n\r\n", "<GET /|>"},
    {"DELETE /x HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", "<DELETE /x|>"},
    {"PROPFIND /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "<PROPFIND /x|>"},
};

static void answers_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(answered); i++) {
        struct raw raw;
        raw_open(&raw, &world);
        raw_send(&raw, answered[i].request);
        assert_true(raw_wait_for(&raw, answered[i].seen));
        assert_non_null(strstr(text_data(&raw.got), "HTTP/1.1 200 OK\r\n"));
        raw_close(&raw);
    }
}

static void answers_requests_that_come_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(answered); i++) {
        struct raw raw;
        raw_open(&raw, &world);
        for (const char *at = answered[i].request; *at != '\0'; at++) {
            raw_send_bytes(&raw, at, 1);
            world_sleep(&world, 0);
        }
        assert_true(raw_wait_for(&raw, answered[i].seen));
        raw_close(&raw);
    }
}

#define BYTES(literal) .bytes = literal, .size = sizeof(literal) - 1
#define HOST "Host: x\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

static const struct refused {
    const char *what;
    const char *bytes;
    size_t size;
    int status; /* 0: 400 */
} refused[] = {
    {"two lengths that differ",
     BYTES(GET HOST "Content-Length: 4\r\nContent-Length: 30\r\n\r\nabcd")},
    {"two lengths that agree",
     BYTES(GET HOST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd")},
    {"length list", BYTES(GET HOST "Content-Length: 4, 4\r\n\r\nabcd")},
    {"length with plus", BYTES(GET HOST "Content-Length: +4\r\n\r\nabcd")},
    {"length with minus", BYTES(GET HOST "Content-Length: -4\r\n\r\nabcd")},
    {"length in hex", BYTES(GET HOST "Content-Length: 0x4\r\n\r\nabcd")},
    {"length with fraction", BYTES(GET HOST "Content-Length: 4.0\r\n\r\nabcd")},
    {"empty length", BYTES(GET HOST "Content-Length:\r\n\r\nabcd")},
    {"length and chunks",
     BYTES(GET HOST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"chunks and length",
     BYTES(GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n")},
    {"chunks twice",
     BYTES(GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"unknown coding", BYTES(GET HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")},
    {"identity coding", BYTES(GET HOST "Transfer-Encoding: identity\r\n\r\n")},
    {"coding list", BYTES(GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
    {"coding in capitals", BYTES(GET HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n")},
    {"quoted coding", BYTES(GET HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")},
    {"blank before the colon", BYTES(GET HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")},
    {"empty coding", BYTES(GET HOST "Transfer-Encoding:\r\n\r\n")},
    {"chunks in HTTP/1.0",
     BYTES("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"folded line", BYTES(GET HOST "X-A: b\r\n c\r\n\r\n")},
    {"folded coding", BYTES(GET HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")},
    {"folded first field", BYTES(GET " X-A: b\r\n" HOST "\r\n")},
    {"bare LF after the request line", BYTES("GET / HTTP/1.1\nHost: x\r\n\r\n")},
    {"bare LF after a field", BYTES(GET "Host: x\nX-A: b\r\n\r\n")},
    {"bare LF as the empty line", BYTES(GET HOST "\n")},
    {"bare CR in a value", BYTES(GET HOST "X-A: b\rX-B: c\r\n\r\n")},
    {"bare CR before CR LF", BYTES(GET HOST "X-A: b\r\r\n\r\n")},
    {"NUL in a value", BYTES(GET HOST "X-A: b\0c\r\n\r\n")},
    {"NUL in a name", BYTES(GET HOST "X\0A: b\r\n\r\n")},
    {"NUL in the target", BYTES("GET /a\0b HTTP/1.1\r\n" HOST "\r\n")},
    {"NUL in the version", BYTES("GET / HTTP/1.1\0\r\n" HOST "\r\n")},
    {"control byte in a value", BYTES(GET HOST "X-A: \x01\r\n\r\n")},
    {"DEL in a value", BYTES(GET HOST "X-A: \x7f\r\n\r\n")},
    {"no colon", BYTES(GET HOST "X-A\r\n\r\n")},
    {"no name", BYTES(GET HOST ": b\r\n\r\n")},
    {"blank in a name", BYTES(GET HOST "X A: b\r\n\r\n")},
    {"name beyond ASCII", BYTES(GET HOST "X\xc3\xa4: b\r\n\r\n")},
    {"no host", BYTES(GET "\r\n")},
    {"two hosts", BYTES(GET HOST HOST "\r\n")},
    {"two hosts in HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" HOST HOST "\r\n")},
    {"empty host", BYTES(GET "Host:\r\n\r\n")},
    {"host with a blank", BYTES(GET "Host: a b\r\n\r\n")},
    {"host list", BYTES(GET "Host: a,b\r\n\r\n")},
    {"host with a path", BYTES(GET "Host: a/b\r\n\r\n")},
    {"host with a user", BYTES(GET "Host: u@a\r\n\r\n")},
    {"unknown version", BYTES("GET / HTTP/1.9\r\n" HOST "\r\n")},
    {"HTTP/2 without TLS", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {"version in small letters", BYTES("GET / http/1.1\r\n" HOST "\r\n")},
    {"version with a zero", BYTES("GET / HTTP/01.1\r\n" HOST "\r\n")},
    {"no version", BYTES("GET /\r\n" HOST "\r\n")},
    {"blank after the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n")},
    {"two blanks", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n")},
    {"tab between", BYTES("GET\t/\tHTTP/1.1\r\n" HOST "\r\n")},
    {"blank at the start", BYTES(" GET / HTTP/1.1\r\n" HOST "\r\n")},
    {"empty request line", BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n")},
    {"absolute target", BYTES("GET http://x/ HTTP/1.1\r\n" HOST "\r\n")},
    {"star", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")},
    {"connect", BYTES("CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n")},
    {"no slash", BYTES("GET x HTTP/1.1\r\n" HOST "\r\n")},
    {"control byte in the target", BYTES("GET /\x01 HTTP/1.1\r\n" HOST "\r\n")},
    {"target beyond ASCII", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n")},
    {"fragment", BYTES("GET /#a HTTP/1.1\r\n" HOST "\r\n")},
    {"malformed method", BYTES("GE(T / HTTP/1.1\r\n" HOST "\r\n")},
    {"long method", BYTES("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" HOST "\r\n")},
    {"chunk size with 0x", BYTES(CHUNKED "0x4\r\nabcd\r\n0\r\n\r\n")},
    {"chunk size with plus", BYTES(CHUNKED "+4\r\nabcd\r\n0\r\n\r\n")},
    {"chunk size with minus", BYTES(CHUNKED "-1\r\nabcd\r\n0\r\n\r\n")},
    {"chunk size with a blank before", BYTES(CHUNKED " 4\r\nabcd\r\n0\r\n\r\n")},
    {"chunk size with a blank behind", BYTES(CHUNKED "4 \r\nabcd\r\n0\r\n\r\n")},
    {"chunk extension", BYTES(CHUNKED "4;a=b\r\nabcd\r\n0\r\n\r\n")},
    {"empty chunk size", BYTES(CHUNKED "\r\nabcd\r\n0\r\n\r\n")},
    {"long chunk size", BYTES(CHUNKED "0000000000000004\r\nabcd\r\n0\r\n\r\n")},
    {"chunk size with bare LF", BYTES(CHUNKED "4\nabcd\r\n0\r\n\r\n")},
    {"chunk size with bare CR", BYTES(CHUNKED "4\rabcd\r\n0\r\n\r\n")},
    {"chunk longer than its size", BYTES(CHUNKED "4\r\nabcde\r\n0\r\n\r\n")},
    {"chunk that ends in bare LF", BYTES(CHUNKED "4\r\nabcd\n0\r\n\r\n")},
    {"last chunk with bare LF", BYTES(CHUNKED "0\r\n\n")},
    {"trailer without a name", BYTES(CHUNKED "0\r\n: b\r\n\r\n")},
    {"folded trailer", BYTES(CHUNKED "0\r\nX-A: b\r\n c\r\n\r\n")},
    {"trailer with bare LF", BYTES(CHUNKED "0\r\nX-A: b\n\r\n")},
    {"trailer with NUL", BYTES(CHUNKED "0\r\nX-A: \0\r\n\r\n")},
    {"unknown expectation", BYTES(GET HOST "Expect: 200-ok\r\n\r\n"), .status = 417},
    {"body too large", BYTES(GET HOST "Content-Length: 100001\r\n\r\n"), .status = 413},
    {"body beyond all numbers", BYTES(GET HOST "Content-Length: 99999999999999999999\r\n\r\n"),
     .status = 413},
    {"chunk too large", BYTES(CHUNKED "186a1\r\n"), .status = 413},
    {"chunk beyond all numbers", BYTES(CHUNKED "fffffffffffffff\r\n"), .status = 413},
};

static void refuses_and_closes(void **state)
{
    (void)state;
    static const char smuggled[] = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        struct raw raw;
        raw_open(&raw, &world);
        raw_send_bytes(&raw, refused[i].bytes, refused[i].size);
        raw_send(&raw, smuggled);
        AUTO_FREE char *status =
            text_new("HTTP/1.1 %d ", refused[i].status == 0 ? 400 : refused[i].status);
        if (!raw_wait_closed(&raw) || !text_starts_with(text_data(&raw.got), status))
            fail_msg("%s: got \"%s\"", refused[i].what, text_data(&raw.got));
        if (strstr(raw.got.data, "\r\nConnection: close\r\n") == NULL || world.handled != 0)
            fail_msg("%s: was not the connection's end", refused[i].what);
        raw_close(&raw);
    }
    struct http_server_counters counters;
    http_server_counters(world.server, &counters);
    assert_int_equal(counters.refused_size, 4);
    assert_int_equal(counters.refused_framing, ARRAY_COUNT(refused) - 4);
    assert_int_equal(counters.requests, 0);
}

static void expect_refusal(const struct text *request, const char *status)
{
    struct raw raw;
    raw_open(&raw, &world);
    raw_send_bytes(&raw, request->data, request->length);
    assert_true(raw_wait_closed(&raw));
    assert_true(text_starts_with(text_data(&raw.got), status));
    assert_int_equal(world.handled, 0);
    raw_close(&raw);
}

static void refuses_large_heads(void **state)
{
    (void)state;
    AUTO_TEXT struct text one_line = {0};
    text_add(&one_line, "GET /");
    for (size_t i = 0; i < 3000; i++)
        text_add_char(&one_line, 'a'); /* and never a line end */
    expect_refusal(&one_line, "HTTP/1.1 431 ");

    AUTO_TEXT struct text many = {0};
    text_add(&many, GET HOST);
    for (size_t i = 0; i < 100; i++)
        text_add(&many, "A: b\r\n");
    text_add(&many, "\r\n");
    expect_refusal(&many, "HTTP/1.1 431 ");

    AUTO_TEXT struct text trailers = {0};
    text_add(&trailers, CHUNKED "0\r\n");
    for (size_t i = 0; i < 600; i++)
        text_add(&trailers, "A: b\r\n");
    text_add(&trailers, "\r\n");
    expect_refusal(&trailers, "HTTP/1.1 431 ");

    AUTO_TEXT struct text chunks = {0};
    text_add(&chunks, CHUNKED);
    for (size_t i = 0; i < 11; i++)
        text_format(&chunks, "2710\r\n%010000d\r\n", 0);
    expect_refusal(&chunks, "HTTP/1.1 413 ");
}

static void takes_what_is_just_allowed(void **state)
{
    (void)state;
    AUTO_TEXT struct text request = {0};
    text_add(&request, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n");
    for (size_t i = 0; i < 98; i++)
        text_add(&request, "A: b\r\n");
    text_add(&request, "\r\n");
    for (size_t i = 0; i < 100000; i++)
        text_add_char(&request, 'y');
    struct raw raw;
    raw_open(&raw, &world);
    raw_send_bytes(&raw, request.data, request.length);
    assert_true(raw_wait_for(&raw, "yyy>"));
    assert_int_equal(world.last_body.length, 100000);
    raw_close(&raw);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    AUTO_TEXT struct text requests = {0};
    AUTO_TEXT struct text expected = {0};
    for (unsigned i = 0; i < 200; i++) {
        text_format(&requests, "POST /%u HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", i);
        AUTO_FREE char *seen = text_new("<POST /%u|ab>", i);
        text_format(&expected,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                    strlen(seen), seen);
    }
    struct raw raw;
    raw_open(&raw, &world);
    raw_send_bytes(&raw, requests.data, requests.length);
    assert_true(raw_wait_for(&raw, "<POST /199|ab>"));
    assert_string_equal(raw.got.data, expected.data);
    raw_close(&raw);
}

static bool handled_two(void *argument)
{
    (void)argument;
    return world.handled == 2;
}

static void late_answers_keep_the_order(void **state)
{
    (void)state;
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /first HTTP/1.1\r\n" HOST "\r\nGET /later HTTP/1.1\r\n" HOST
                   "\r\nGET /last HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, handled_two, NULL));
    world_sleep(&world, 20);
    assert_int_equal(world.handled, 2); /* the third waits for its turn */
    struct http_exchange *exchange = http_server_find(world.server, world.last_id);
    assert_non_null(exchange);
    assert_string_equal(http_exchange_path(exchange), "/later");
    http_exchange_reply_text(exchange, 200, "answered late");
    assert_int_equal(world.handled, 2); /* not from within the answer */
    assert_null(http_server_find(world.server, world.last_id));
    assert_true(raw_wait_for(&raw, "<GET /last|>"));
    const char *late = strstr(raw.got.data, "answered late");
    assert_non_null(late);
    assert_true(strstr(raw.got.data, "<GET /first|>") < late);
    assert_true(late < strstr(raw.got.data, "<GET /last|>"));
    raw_close(&raw);
}

static bool later_has_begun(void *argument)
{
    (void)argument;
    return text_equal(text_data(&world.last_line), "GET /later");
}

static bool nobody_is_connected(void *argument)
{
    (void)argument;
    return http_server_connections(world.server) == 0;
}

static void an_exchange_ends_when_the_client_goes(void **state)
{
    (void)state;
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, later_has_begun, NULL));
    assert_non_null(http_server_find(world.server, world.last_id));
    raw_close(&raw);
    assert_true(world_wait(&world, nobody_is_connected, NULL));
    assert_null(http_server_find(world.server, world.last_id));
}

static void a_half_closed_client_gets_its_answer(void **state)
{
    (void)state;
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n");
    shutdown(raw.fd, SHUT_WR);
    assert_true(raw_wait_closed(&raw));
    assert_non_null(strstr(text_data(&raw.got), "<GET /b|>"));
    raw_close(&raw);
}

static const struct closing {
    const char *fields; /* behind Host */
    const char *version;
    bool stays;
} closings[] = {
    {"", "1.1", true},
    {"Connection: close\r\n", "1.1", false},
    {"Connection: x, Close\r\n", "1.1", false},
    {"Connection: closed\r\n", "1.1", true},
    {"Connection: close\r\nConnection: keep-alive\r\n", "1.0", false},
    {"", "1.0", false},
    {"Connection: Keep-Alive\r\n", "1.0", true},
};

static void connections_stay_or_close_as_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(closings); i++) {
        const struct closing *closing = &closings[i];
        AUTO_FREE char *request = text_new("GET / HTTP/%s\r\n" HOST "%s\r\nGET /2 HTTP/1.1\r\n" HOST
                                           "Connection: close\r\n\r\n",
                                           closing->version, closing->fields);
        struct raw raw;
        raw_open(&raw, &world);
        raw_send(&raw, request);
        assert_true(raw_wait_closed(&raw));
        assert_non_null(strstr(text_data(&raw.got), "<GET /|>"));
        assert_int_equal(strstr(text_data(&raw.got), "<GET /2|>") != NULL, closing->stays);
        bool says_keep = strstr(raw.got.data, "Connection: keep-alive\r\n") != NULL;
        assert_int_equal(says_keep, closing->stays && text_equal(closing->version, "1.0"));
        raw_close(&raw);
    }
}

static void expect_answer(const char *request, const char *expected)
{
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, request);
    assert_true(raw_wait_closed(&raw));
    assert_string_equal(text_data(&raw.got), expected);
    raw_close(&raw);
}

#define CLOSE HOST "Connection: close\r\n\r\n"

static void bodies_are_left_out_where_they_must(void **state)
{
    (void)state;
    expect_answer("HEAD /x HTTP/1.1\r\n" CLOSE,
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n"
                  "Connection: close\r\n\r\n");
    expect_answer("GET /empty HTTP/1.1\r\n" CLOSE,
                  "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    world.reply_status = 304;
    expect_answer("GET /empty HTTP/1.1\r\n" CLOSE,
                  "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    world.reply_status = 200;
    expect_answer("GET /empty HTTP/1.1\r\n" CLOSE,
                  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    world.reply_headers =
        (const struct http_reply_header[]){{"content-length", "77"}, {NULL, NULL}};
    expect_answer("HEAD /empty HTTP/1.1\r\n" CLOSE,
                  "HTTP/1.1 200 OK\r\ncontent-length: 77\r\nConnection: close\r\n\r\n");
}

static void reply_headers_cannot_break_out(void **state)
{
    (void)state;
    static const struct http_reply_header bad[][2] = {
        {{"X-A", "b\r\nSet-Cookie: c"}},
        {{"X-A", "b\n"}},
        {{"X-A", "\x01"}},
        {{"X A", "b"}},
        {{"X-A:", "b"}},
        {{"", "b"}},
        {{"Content-Length", "3"}},
        {{"transfer-encoding", "chunked"}},
        {{"Connection", "keep-alive"}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        world.reply_headers = bad[i];
        struct raw raw;
        raw_open(&raw, &world);
        raw_send(&raw, GET CLOSE);
        assert_true(raw_wait_closed(&raw));
        assert_true(text_starts_with(text_data(&raw.got), "HTTP/1.1 500 "));
        AUTO_FREE char *line = text_new("%s: %s\r\n", bad[i][0].name, bad[i][0].value);
        assert_null(strstr(raw.got.data, line));
        raw_close(&raw);
    }
    world.reply_headers = (const struct http_reply_header[]){{"X-Gate-Reason", "ok"}, {NULL, NULL}};
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, GET CLOSE);
    assert_true(raw_wait_for(&raw, "\r\nX-Gate-Reason: ok\r\n"));
    raw_close(&raw);
}

static void continue_is_said_once_and_only_when_wanted(void **state)
{
    (void)state;
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(raw_wait_for(&raw, "HTTP/1.1 100 Continue\r\n\r\n"));
    raw_send(&raw, "a");
    world_sleep(&world, 20);
    raw_send(&raw, "b");
    assert_true(raw_wait_for(&raw, "<POST /|ab>"));
    assert_true(text_starts_with(raw.got.data, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    text_clear(&raw.got);
    raw_send(&raw,
             "POST /2 HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
    assert_true(raw_wait_for(&raw, "<POST /2|ab>"));
    assert_true(text_starts_with(raw.got.data, "HTTP/1.1 200 OK\r\n"));
    raw_close(&raw);
}

#define SERVER_TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(answers_requests),
        SERVER_TEST(answers_requests_that_come_byte_by_byte),
        SERVER_TEST(refuses_and_closes),
        SERVER_TEST(refuses_large_heads),
        SERVER_TEST(takes_what_is_just_allowed),
        SERVER_TEST(pipelined_requests_are_answered_in_order),
        SERVER_TEST(late_answers_keep_the_order),
        SERVER_TEST(an_exchange_ends_when_the_client_goes),
        SERVER_TEST(a_half_closed_client_gets_its_answer),
        SERVER_TEST(connections_stay_or_close_as_asked),
        SERVER_TEST(bodies_are_left_out_where_they_must),
        SERVER_TEST(reply_headers_cannot_break_out),
        SERVER_TEST(continue_is_said_once_and_only_when_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
