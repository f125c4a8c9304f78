/* How the server holds out: deadlines, caps, descriptors and memory. */
#include "http_test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world world;

static void open_world(const struct http_server_options *options)
{
    world_open(&world, options);
    world_listen(&world, "127.0.0.1:0");
}

static struct http_server_counters counters(void)
{
    struct http_server_counters now;
    http_server_counters(world.server, &now);
    return now;
}

#define HOST "Host: x\r\n"

/* Sends one byte each 10 ms until the server has had enough. */
static void trickle_until_closed(struct raw *raw, const char *bytes)
{
    for (; *bytes != '\0' && !raw_poll(raw); bytes++) {
        raw_send_bytes(raw, bytes, 1);
        world_sleep(&world, 10);
    }
}

static void slow_requests_are_ended(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET "
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "GET / HTTP/1.1\r\n" HOST
        "A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n",
    };
    open_world(&(struct http_server_options){.request_timeout_ms = 200});
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct raw raw;
        raw_open(&raw, &world);
        trickle_until_closed(&raw, requests[i]);
        assert_true(raw_wait_closed(&raw));
        assert_true(text_starts_with(text_data(&raw.got), "HTTP/1.1 408 "));
        assert_int_equal(counters().timed_out, i + 1);
        raw_close(&raw);
    }
    assert_int_equal(world.handled, 0);
    world_close(&world);
}

static void each_pipelined_request_has_its_own_deadline(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.request_timeout_ms = 300});
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /0 HTTP/1.1\r\n" HOST);
    for (unsigned i = 1; i <= 6; i++) { /* 600 ms of requests that are never quite complete */
        world_sleep(&world, 100);
        AUTO_FREE char *next = text_new("\r\nGET /%u HTTP/1.1\r\n" HOST, i);
        raw_send(&raw, next);
    }
    raw_send(&raw, "Connection: close\r\n\r\n");
    assert_true(raw_wait_closed(&raw));
    assert_non_null(strstr(text_data(&raw.got), "<GET /6|>"));
    assert_null(strstr(raw.got.data, "HTTP/1.1 408"));
    raw_close(&raw);
    world_close(&world);
}

static void idle_connections_are_closed_silently(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.idle_timeout_ms = 50});
    struct raw silent;
    raw_open(&silent, &world);
    assert_true(raw_wait_closed(&silent));
    assert_int_equal(silent.got.length, 0);
    raw_close(&silent);

    struct raw used;
    raw_open(&used, &world);
    raw_send(&used, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_wait_for(&used, "\r\n\r\n"));
    size_t before = used.got.length;
    assert_true(raw_wait_closed(&used));
    assert_int_equal(used.got.length, before);
    raw_close(&used);
    world_close(&world);
}

static bool handled_once(void *argument)
{
    (void)argument;
    return world.handled == 1;
}

static void a_handler_may_take_longer_than_any_deadline(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.request_timeout_ms = 40, .idle_timeout_ms = 40});
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, handled_once, NULL));
    world_sleep(&world, 200);
    struct http_exchange *exchange = http_server_find(world.server, world.last_id);
    assert_non_null(exchange);
    http_exchange_reply_text(exchange, 200, "late");
    assert_true(raw_wait_for(&raw, "late\n"));
    raw_close(&raw);
    world_close(&world);
}

static bool nobody_is_connected(void *argument)
{
    (void)argument;
    return http_server_connections(world.server) == 0;
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.idle_timeout_ms = 100});
    world.reply_size = 8 * 1024 * 1024;
    struct raw raw;
    raw_open(&raw, &world);
    int small = 4096;
    setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (unsigned i = 0; i < 50; i++) /* asks for 400 MiB */
        raw_send(&raw, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    world_sleep(&world, 60);
    assert_int_equal(world.handled, 1); /* the second waits until the first was read */
    shutdown(raw.fd, SHUT_WR);
    raw_close(&raw);
    assert_true(world_wait(&world, nobody_is_connected, NULL));
    world_close(&world);
}

static void answers_of_all_connections_are_bounded_together(void **state)
{
    (void)state;
    enum { READERS = 6 };
    open_world(&(struct http_server_options){.max_total_body_bytes = 20 * 1024 * 1024});
    world.reply_size = 12 * 1024 * 1024;
    struct raw raws[READERS];
    for (size_t i = 0; i < READERS; i++) {
        raw_open(&raws[i], &world);
        raw_send(&raws[i], "GET /large HTTP/1.1\r\n" HOST "\r\n");
        world_sleep(&world, 30);
    }
    assert_int_equal(world.handled, READERS);
    uint64_t refused = counters().over_memory;
    assert_true(refused >= READERS - 2); /* some of it fits into the sockets */
    assert_true(raw_wait_for(&raws[READERS - 1], "HTTP/1.1 503 "));
    for (size_t i = 0; i < READERS; i++)
        raw_close(&raws[i]);
    assert_true(world_wait(&world, nobody_is_connected, NULL));
    struct raw after; /* what the others held is free again */
    raw_open(&after, &world);
    raw_send(&after, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(raw_wait_closed(&after));
    assert_true(after.got.length > world.reply_size);
    raw_close(&after);
    world_close(&world);
}

static void lingering_connections_make_room_first(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.max_connections = 2});
    struct raw idle;
    struct raw lingering;
    struct raw third;
    raw_open(&idle, &world);
    raw_open(&lingering, &world);
    raw_send(&lingering, "nonsense\r\n\r\n");
    assert_true(raw_wait_closed(&lingering)); /* our side is still open */
    raw_open(&third, &world);
    raw_send(&third, "GET /3 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_wait_for(&third, "<GET /3|>"));
    raw_send(&idle, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_wait_for(&idle, "<GET /1|>"));
    raw_close(&idle);
    raw_close(&lingering);
    raw_close(&third);
    world_close(&world);
}

static void slow_readers_have_time_by_size(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.idle_timeout_ms = 100});
    world.reply_size =
        8 * 1024 * 1024; /* half a second at the least allowed speed, and 8 at most */
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    world_sleep(&world, 300);
    assert_true(raw_wait_closed(&raw));
    assert_true(raw.got.length > world.reply_size);
    raw_close(&raw);
    world_close(&world);
}

static bool two_are_connected(void *argument)
{
    (void)argument;
    return http_server_connections(world.server) == 2;
}

static void at_the_cap_the_longest_idle_makes_room(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.max_connections = 2});
    struct raw first;
    struct raw second;
    struct raw third;
    raw_open(&first, &world);
    raw_open(&second, &world);
    assert_true(world_wait(&world, two_are_connected, NULL));
    raw_send(&first, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_wait_for(&first, "\r\n\r\n")); /* now the second is idle for longer */
    raw_open(&third, &world);
    assert_true(raw_wait_closed(&second));
    raw_send(&first, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    raw_send(&third, "GET /3 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(raw_wait_for(&first, "<GET /1|>"));
    assert_true(raw_wait_for(&third, "<GET /3|>"));
    assert_int_equal(counters().over_cap, 0);
    raw_close(&first);
    raw_close(&second);
    raw_close(&third);
    world_close(&world);
}

static void at_the_cap_busy_connections_stay(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){.max_connections = 2});
    struct raw busy[2];
    for (size_t i = 0; i < 2; i++) {
        raw_open(&busy[i], &world);
        raw_send(&busy[i], "GET / HTTP/1.1\r\n");
    }
    world_sleep(&world, 50);
    struct raw third;
    raw_open(&third, &world);
    assert_true(raw_wait_for(&third, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"));
    assert_true(raw_wait_closed(&third));
    assert_int_equal(counters().over_cap, 1);
    for (size_t i = 0; i < 2; i++) {
        raw_send(&busy[i], HOST "\r\n");
        assert_true(raw_wait_for(&busy[i], "<GET /|>"));
        raw_close(&busy[i]);
    }
    raw_close(&third);
    world_close(&world);
}

static void bodies_of_all_connections_are_bounded_together(void **state)
{
    (void)state;
    enum { CONNECTIONS = 8, BODY = 200 * 1024 };
    open_world(&(struct http_server_options){
        .max_body_bytes = 1024 * 1024,
        .max_total_body_bytes = 800 * 1024,
    });
    struct raw raws[CONNECTIONS];
    AUTO_FREE char *bytes = memory_new(BODY);
    memset(bytes, 'z', BODY);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        raw_open(&raws[i], &world);
        raw_send(&raws[i], "POST / HTTP/1.1\r\n" HOST "Content-Length: 204801\r\n\r\n");
        raw_send_bytes(&raws[i], bytes, BODY);
        world_sleep(&world, 20);
    }
    unsigned refused = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        raw_poll(&raws[i]);
        if (text_starts_with(text_data(&raws[i].got), "HTTP/1.1 503 "))
            refused++;
    }
    assert_true(refused >= 3 && refused < CONNECTIONS);
    assert_int_equal(counters().over_memory, refused);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        raw_send(&raws[i], "z"); /* the others are answered */
        assert_true(raw_wait_for(&raws[i], "HTTP/1.1 "));
        raw_close(&raws[i]);
    }
    assert_true(world_wait(&world, nobody_is_connected, NULL));
    assert_int_equal(world.handled, CONNECTIONS - refused);
    world_close(&world);
}

/* With this as the limit no descriptor can be opened any more. */
static rlim_t lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return (rlim_t)fd;
}

static bool accept_failed(void *argument)
{
    (void)argument;
    return counters().accept_errors > 0;
}

static void running_out_of_descriptors_pauses_accepting(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){0});
    struct raw raw;
    raw_open(&raw, &world);
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit tight = {.rlim_cur = lowest_free_descriptor(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    raw_send(&raw, "GET /waited HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, accept_failed, NULL));
    world_sleep(&world, 500);
    uint64_t errors = counters().accept_errors;
    setrlimit(RLIMIT_NOFILE, &before);
    assert_in_range(errors, 2, 7); /* one each 100 ms, not one each microsecond */
    assert_true(raw_wait_for(&raw, "<GET /waited|>"));
    raw_close(&raw);
    world_close(&world);
}

static void the_cap_leaves_descriptors(void **state)
{
    (void)state;
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit tight = {.rlim_cur = 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    open_world(&(struct http_server_options){.max_connections = 1000});
    setrlimit(RLIMIT_NOFILE, &before);
    struct raw raws[11];
    for (size_t i = 0; i < ARRAY_COUNT(raws); i++) {
        raw_open(&raws[i], &world);
        raw_send(&raws[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        world_sleep(&world, 5);
    }
    assert_true(raw_wait_for(&raws[10], "HTTP/1.1 503 "));
    assert_int_equal(http_server_connections(world.server), 10);
    for (size_t i = 0; i < ARRAY_COUNT(raws); i++)
        raw_close(&raws[i]);
    world_close(&world);
}

static void draining_lets_exchanges_end(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){0});
    struct raw idle;
    struct raw waiting;
    raw_open(&idle, &world);
    raw_open(&waiting, &world);
    raw_send(&waiting, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, handled_once, NULL));
    http_server_stop_accepting(world.server);
    assert_true(raw_wait_closed(&idle));
    assert_false(raw_poll(&waiting));
    http_exchange_reply_text(http_server_find(world.server, world.last_id), 200, "the last");
    assert_true(raw_wait_closed(&waiting));
    assert_non_null(strstr(text_data(&waiting.got), "Connection: close\r\n"));
    assert_non_null(strstr(text_data(&waiting.got), "the last\n"));
    raw_close(&idle);
    raw_close(&waiting);
    assert_true(world_wait(&world, nobody_is_connected, NULL));
    world_close(&world);
}

static void freeing_the_server_ends_open_exchanges(void **state)
{
    (void)state;
    open_world(&(struct http_server_options){0});
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    assert_true(world_wait(&world, handled_once, NULL));
    http_server_free(world.server);
    world.server = NULL;
    assert_true(raw_wait_closed(&raw));
    raw_close(&raw);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_requests_are_ended),
        cmocka_unit_test(each_pipelined_request_has_its_own_deadline),
        cmocka_unit_test(idle_connections_are_closed_silently),
        cmocka_unit_test(a_handler_may_take_longer_than_any_deadline),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
        cmocka_unit_test(answers_of_all_connections_are_bounded_together),
        cmocka_unit_test(lingering_connections_make_room_first),
        cmocka_unit_test(slow_readers_have_time_by_size),
        cmocka_unit_test(at_the_cap_the_longest_idle_makes_room),
        cmocka_unit_test(at_the_cap_busy_connections_stay),
        cmocka_unit_test(bodies_of_all_connections_are_bounded_together),
        cmocka_unit_test(running_out_of_descriptors_pauses_accepting),
        cmocka_unit_test(the_cap_leaves_descriptors),
        cmocka_unit_test(draining_lets_exchanges_end),
        cmocka_unit_test(freeing_the_server_ends_open_exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
