/* What a handler sees of a request. */
#include "http_test.h"

#include "http_server_private.h"

static struct world world;

/* Written by the handler, in words. */
static struct text seen;

static void add_text(const char *name, const char *value)
{
    text_format(&seen, "%s=%s;", name, value == NULL ? "(null)" : value);
}

static void describe(void *argument, struct http_exchange *exchange)
{
    (void)argument;
    text_clear(&seen);
    add_text("path", http_exchange_path(exchange));
    add_text("query", http_exchange_query(exchange));
    static const char *const names[] = {"a", "b c", "d"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO_FREE char *value = http_exchange_parameter(exchange, names[i]);
        add_text(names[i], value);
    }
    http_exchange_reply(exchange, 204, NULL, NULL, NULL, 0);
}

static void describe_headers(void *argument, struct http_exchange *exchange)
{
    (void)argument;
    text_clear(&seen);
    add_text("once", http_exchange_header(exchange, "x-once"));
    add_text("twice", http_exchange_header(exchange, "X-Twice"));
    add_text("never", http_exchange_header(exchange, "X-Never"));
    text_format(&seen, "%zu%zu%zu;", http_exchange_header_count(exchange, "X-ONCE"),
                http_exchange_header_count(exchange, "x-twice"),
                http_exchange_header_count(exchange, "x-never"));
    add_text("peer", http_exchange_peer(exchange));
    text_format(&seen, "local=%d;", http_exchange_is_local_socket(exchange));
    add_text("subject", http_exchange_client_subject(exchange));
    size_t size = 1;
    add_text("body", http_exchange_body(exchange, &size));
    text_format(&seen, "%zu", size);
    AUTO_PAIRS struct text_pairs all = {0};
    http_exchange_headers(exchange, &all);
    for (size_t i = 0; i < all.count; i++)
        text_format(&seen, ";%s:%s", all.items[i].key, all.items[i].value);
    http_exchange_reply(exchange, 204, NULL, NULL, NULL, 0);
}

static int open_world(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){0});
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    text_release(&seen);
    world_close(&world);
    return 0;
}

static void ask(const char *request)
{
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, request);
    assert_true(raw_wait_for(&raw, "HTTP/1.1 204 "));
    raw_close(&raw);
}

static void parameters_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *target, *seen;
    } rows[] = {
        {"/x", "path=/x;query=(null);a=(null);b c=(null);d=(null);"},
        {"/x?", "path=/x;query=;a=(null);b c=(null);d=(null);"},
        {"/x?a=1", "path=/x;query=a=1;a=1;b c=(null);d=(null);"},
        {"/x?a", "path=/x;query=a;a=;b c=(null);d=(null);"},
        {"/x?a&d=", "path=/x;query=a&d=;a=;b c=(null);d=;"},
        {"/x?a=1&a=2", "path=/x;query=a=1&a=2;a=1;b c=(null);d=(null);"},
        {"/x?aa=1&&a=2=3", "path=/x;query=aa=1&&a=2=3;a=2=3;b c=(null);d=(null);"},
        {"/x?b+c=x+y&d=%26%3D", "path=/x;query=b+c=x+y&d=%26%3D;a=(null);b c=x y;d=&=;"},
        {"/x?b%20c=%C3%A4", "path=/x;query=b%20c=%C3%A4;a=(null);b c=\xc3\xa4;d=(null);"},
        {"/x?a=%00&d=%", "path=/x;query=a=%00&d=%;a=(null);b c=(null);d=(null);"},
        {"/x%3Fa=1?d=?", "path=/x%3Fa=1;query=d=?;a=(null);b c=(null);d=?;"},
    };
    world_listen(&world, "127.0.0.1:0");
    world.server->handler = describe;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *request = text_new("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", rows[i].target);
        ask(request);
        assert_string_equal(text_data(&seen), rows[i].seen);
    }
}

static void headers_and_peer_are_seen(void **state)
{
    (void)state;
    world_listen(&world, "127.0.0.1:0");
    world.server->handler = describe_headers;
    ask("POST / HTTP/1.1\r\nHost: x\r\nX-Once:  a b \r\nX-Twice: 1\r\nx-twice: 2\r\n"
        "Content-Length: 3\r\n\r\nxyz");
    assert_string_equal(text_data(&seen), "once=a b;twice=(null);never=(null);120;peer=127.0.0.1;"
                                          "local=0;subject=(null);body=xyz;3;host:x;x-once:a b;"
                                          "x-twice:1;x-twice:2;content-length:3");
}

static void ipv4_peers_are_shown_as_such(void **state)
{
    (void)state;
    struct error err = {0};
    if (http_server_listen(world.server, "[::]:0", &err) != 0)
        skip(); /* no IPv6 on this machine */
    world.server->handler = describe_headers;
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(text_data(&seen), "peer=127.0.0.1;"));
}

#define EXCHANGE_TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(parameters_are_decoded),
        EXCHANGE_TEST(headers_and_peer_are_seen),
        EXCHANGE_TEST(ipv4_peers_are_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
