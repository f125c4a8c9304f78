/* Streams, cancelling, and whatever a caller may do from within its callbacks. */
#include "http_test.h"

#include "evil_server.h"

static struct world world;
static struct http_client *client;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){.max_body_bytes = 10 * 1024 * 1024});
    world_listen(&world, "127.0.0.1:0");
    struct http_client_options options = {.max_connections = 2};
    return http_client_new(world.loop, &options, &client, NULL);
}

static int close_world(void **state)
{
    (void)state;
    http_client_free(client);
    client = NULL;
    world_close(&world);
    return 0;
}

struct stream {
    uint64_t id;
    unsigned called;
    int status;
    struct error error;
    size_t received_bytes;
    size_t collected_bytes;
    bool ended_early; /* a piece came after the end or after a cancel */
    bool pauses_at_first;
    int fails_with;
    bool cancels_itself;
    bool frees_client;
    /* The request's body. */
    size_t given_bytes;
    size_t total_bytes;
    bool waits; /* nothing there for now */
};

static void on_done(void *argument, const struct http_response *response)
{
    struct stream *stream = argument;
    stream->called++;
    stream->status = response->status;
    stream->error = response->error;
    stream->collected_bytes = response->body_size;
}

static int on_piece(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct stream *stream = argument;
    (void)bytes;
    stream->ended_early |= stream->called > 0;
    bool is_first = stream->received_bytes == 0;
    stream->received_bytes += size;
    if (is_first && stream->pauses_at_first)
        http_client_pause(client, stream->id);
    if (is_first && stream->cancels_itself)
        http_client_cancel(client, stream->id);
    if (is_first && stream->frees_client) {
        http_client_free(client);
        client = NULL;
    }
    if (stream->fails_with != 0)
        return error_set(err, (enum failure)stream->fails_with, "the digest is wrong");
    return 0;
}

static int64_t on_read(void *argument, void *buffer, size_t size)
{
    struct stream *stream = argument;
    if (stream->waits)
        return HTTP_CLIENT_WAIT;
    if (stream->fails_with != 0)
        return stream->fails_with;
    size_t left = stream->total_bytes - stream->given_bytes;
    if (size > left)
        size = left;
    memset(buffer, 'r', size);
    stream->given_bytes += size;
    return (int64_t)size;
}

static bool was_called(void *argument)
{
    return ((struct stream *)argument)->called > 0;
}

static bool has_received(void *argument)
{
    return ((struct stream *)argument)->received_bytes > 0;
}

static void begin(struct stream *stream, const char *path, bool streamed)
{
    AUTO_FREE char *url = text_new("http://127.0.0.1:%u%s", world_port(&world), path);
    struct http_request request = {
        .method = "GET",
        .url = url,
        .body_write = streamed ? on_piece : NULL,
        .max_body_bytes = 64 * 1024 * 1024,
        .idle_timeout_ms = 200,
    };
    stream->id = http_client_send(client, &request, on_done, stream);
}

enum { CROWD = 12 };

static bool all_were_called(void *argument)
{
    const struct stream *crowd = argument;
    for (size_t i = 0; i < CROWD; i++) {
        if (crowd[i].called == 0)
            return false;
    }
    return true;
}

static void begin_crowd(struct stream *crowd)
{
    struct http_client_options options = {.max_connections = CROWD};
    http_client_free(client);
    assert_int_equal(http_client_new(world.loop, &options, &client, NULL), 0);
    world.reply_size = 2 * 1024 * 1024;
    for (size_t i = 0; i < CROWD; i++)
        begin(&crowd[i], "/large", false);
}

/* More than may grow at once: those that are held come later, and whole. */
static void large_answers_take_turns(void **state)
{
    (void)state;
    struct stream crowd[CROWD] = {0};
    begin_crowd(crowd);
    assert_true(world_wait(&world, all_were_called, crowd));
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].status, 200);
        assert_int_equal(crowd[i].collected_bytes, world.reply_size);
    }
}

static bool one_was_called(void *argument)
{
    const struct stream *crowd = argument;
    for (size_t i = 0; i < CROWD; i++) {
        if (crowd[i].called > 0)
            return true;
    }
    return false;
}

/* Whoever is cancelled, grown or held, gives way to the others. */
static void large_answers_give_way_when_cancelled(void **state)
{
    (void)state;
    struct stream crowd[CROWD] = {0};
    begin_crowd(crowd);
    assert_true(world_wait(&world, one_was_called, crowd));
    for (size_t i = 0; i < CROWD; i++) {
        if (crowd[i].called > 0 || i % 2 == 0)
            continue;
        http_client_cancel(client, crowd[i].id);
        crowd[i].called = 1;
        crowd[i].collected_bytes = world.reply_size;
    }
    assert_true(world_wait(&world, all_were_called, crowd));
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(crowd[i].collected_bytes, world.reply_size);
}

static void a_stream_arrives_in_pieces(void **state)
{
    (void)state;
    world.reply_size = 20 * 1024 * 1024;
    struct stream stream = {0};
    begin(&stream, "/large", true);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 200);
    assert_int_equal(stream.received_bytes, world.reply_size);
    assert_int_equal(stream.collected_bytes, 0);
}

static void other_answers_are_collected(void **state)
{
    (void)state;
    world.reply_status = 404;
    struct stream stream = {0};
    begin(&stream, "/empty", true);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 404);
    assert_int_equal(stream.received_bytes, 0);
}

static void large_other_answers_are_not_collected(void **state)
{
    (void)state;
    static const struct evil_piece script[] = {
        {.bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\n"},
        {.bytes = "0123456789", .repeat = 100000},
        {0},
    };
    struct evil_server evil = {.script = script};
    evil_start(&evil);
    struct stream stream = {0};
    AUTO_FREE char *url = text_new("http://127.0.0.1:%u/", evil.port);
    http_client_send(client,
                     &(struct http_request){.method = "GET",
                                            .url = url,
                                            .body_write = on_piece,
                                            .max_body_bytes = 64 * 1024 * 1024},
                     on_done, &stream);
    assert_true(world_wait(&world, was_called, &stream));
    evil_stop(&evil);
    assert_int_equal(stream.error.kind, FAILURE_LATER); /* an error page, not the content */
    assert_int_equal(stream.received_bytes, 0);
}

static void a_paused_stream_waits_without_time_limit(void **state)
{
    (void)state;
    world.reply_size = 20 * 1024 * 1024;
    struct stream stream = {.pauses_at_first = true};
    begin(&stream, "/large", true);
    assert_true(world_wait(&world, has_received, &stream));
    size_t before = stream.received_bytes;
    world_sleep(&world, 500); /* longer than its idle time-out */
    assert_int_equal(stream.received_bytes, before);
    assert_true(before <= 64 * 1024);
    assert_int_equal(stream.called, 0);
    http_client_resume(client, stream.id);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 200);
    assert_int_equal(stream.received_bytes, world.reply_size);
}

static void pausing_again_and_again_loses_nothing(void **state)
{
    (void)state;
    world.reply_size = 4 * 1024 * 1024;
    struct stream stream = {0};
    begin(&stream, "/large", true);
    while (stream.called == 0) {
        http_client_pause(client, stream.id);
        world_sleep(&world, 1);
        http_client_resume(client, stream.id);
        http_client_resume(client, stream.id);
        world_sleep(&world, 1);
    }
    assert_int_equal(stream.status, 200);
    assert_int_equal(stream.received_bytes, world.reply_size);
}

static void a_receiver_may_refuse(void **state)
{
    (void)state;
    world.reply_size = 1024 * 1024;
    struct stream stream = {.fails_with = FAILURE_INPUT};
    begin(&stream, "/large", true);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 0);
    assert_int_equal(stream.error.kind, FAILURE_INPUT);
    assert_non_null(strstr(stream.error.text, "the digest is wrong"));
    assert_true(stream.received_bytes <= 64 * 1024);
}

static void cancelled_requests_call_nobody(void **state)
{
    (void)state;
    world.reply_size = 20 * 1024 * 1024;
    struct stream at_once = {0};
    begin(&at_once, "/large", true);
    http_client_cancel(client, at_once.id);

    struct stream running = {.pauses_at_first = true};
    begin(&running, "/large", true);
    assert_true(world_wait(&world, has_received, &running));
    http_client_cancel(client, running.id);
    http_client_cancel(client, running.id);

    struct stream itself = {.cancels_itself = true};
    begin(&itself, "/large", true);
    assert_true(world_wait(&world, has_received, &itself));
    size_t before = itself.received_bytes;
    world_sleep(&world, 100);
    assert_int_equal(itself.received_bytes, before);
    assert_int_equal(at_once.called + running.called + itself.called, 0);
    assert_int_equal(http_client_active(client), 0);
    http_client_cancel(client, 0);
    http_client_pause(client, 12345);
    http_client_resume(client, running.id);

    struct stream after = {0}; /* the client still works */
    begin(&after, "/x", false);
    assert_true(world_wait(&world, was_called, &after));
    assert_int_equal(after.status, 200);
}

static void cancelled_requests_that_wait_leave_the_queue(void **state)
{
    (void)state;
    struct stream first = {0};
    struct stream second = {0};
    struct stream third = {0};
    begin(&first, "/later", false);
    begin(&second, "/later", false);
    begin(&third, "/x", false); /* two connections, both busy */
    world_sleep(&world, 50);
    assert_int_equal(third.called, 0);
    http_client_cancel(client, first.id);
    assert_true(world_wait(&world, was_called, &third));
    assert_int_equal(third.status, 200);
    struct stream fourth = {0};
    begin(&fourth, "/x", false);
    http_client_cancel(client, second.id);
    assert_true(world_wait(&world, was_called, &fourth));
    assert_int_equal(first.called + second.called, 0);
}

static void waiting_counts_towards_the_total_time(void **state)
{
    (void)state;
    struct stream busy[2] = {0};
    begin(&busy[0], "/later", false);
    begin(&busy[1], "/later", false);
    world_sleep(&world, 20);
    struct stream waiting = {0};
    AUTO_FREE char *url = text_new("http://127.0.0.1:%u/x", world_port(&world));
    struct http_request request = {.method = "POST", .url = url, .total_timeout_ms = 50};
    http_client_send(client, &request, on_done, &waiting);
    assert_true(world_wait(&world, was_called, &waiting));
    assert_int_equal(waiting.error.kind, FAILURE_LATER); /* it was never sent */
    assert_int_equal(busy[0].called, 0);
    http_client_cancel(client, busy[0].id);
    http_client_cancel(client, busy[1].id);
}

static void freeing_the_client_ends_all_requests(void **state)
{
    (void)state;
    struct stream streams[4] = {0};
    for (size_t i = 0; i < ARRAY_COUNT(streams); i++)
        begin(&streams[i], "/later", false);
    world_sleep(&world, 50);
    http_client_free(client);
    client = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(streams); i++) {
        assert_int_equal(streams[i].called, 1);
        assert_int_equal(streams[i].status, 0);
        assert_int_equal(streams[i].error.kind, FAILURE_LATER);
        assert_non_null(strstr(streams[i].error.text, "cancelled"));
    }
}

static void the_client_may_be_freed_from_a_stream(void **state)
{
    (void)state;
    world.reply_size = 1024 * 1024;
    struct stream stream = {.frees_client = true};
    begin(&stream, "/large", true);
    assert_true(world_wait(&world, was_called, &stream));
    assert_non_null(strstr(stream.error.text, "cancelled"));
    world_sleep(&world, 50);
    assert_int_equal(stream.called, 1);
}

static unsigned chained;

static void free_client_when_done(void *argument, const struct http_response *response)
{
    (void)argument;
    (void)response;
    chained++;
    http_client_free(client);
    client = NULL;
}

static void send_next_when_done(void *argument, const struct http_response *response)
{
    (void)response;
    const struct http_request *request = argument;
    chained++;
    http_client_send(client, request, chained < 20 ? send_next_when_done : free_client_when_done,
                     argument);
}

static bool chain_has_ended(void *argument)
{
    (void)argument;
    return client == NULL;
}

static void callbacks_may_send_and_free(void **state)
{
    (void)state;
    chained = 0;
    AUTO_FREE char *url = text_new("http://127.0.0.1:%u/x", world_port(&world));
    struct http_request request = {.method = "GET", .url = url};
    http_client_send(client, &request, send_next_when_done, &request);
    struct stream other = {0};
    begin(&other, "/later", false);
    assert_true(world_wait(&world, chain_has_ended, NULL));
    assert_int_equal(chained, 21);
    assert_int_equal(other.called, 1);
}

static void upload(struct stream *stream)
{
    AUTO_FREE char *url = text_new("http://127.0.0.1:%u/up", world_port(&world));
    struct http_request request = {
        .method = "PUT",
        .url = url,
        .body_read = on_read,
        .body_size = stream->total_bytes,
        .max_body_bytes = 64 * 1024 * 1024,
        .idle_timeout_ms = 200,
    };
    stream->id = http_client_send(client, &request, on_done, stream);
}

static void request_bodies_stream(void **state)
{
    (void)state;
    struct stream stream = {.total_bytes = 3 * 1024 * 1024};
    upload(&stream);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 200);
    assert_int_equal(world.last_body.length, stream.total_bytes);
    assert_string_equal(text_data(&world.last_line), "PUT /up");
}

static void request_bodies_may_wait_for_their_source(void **state)
{
    (void)state;
    struct stream stream = {.total_bytes = 300 * 1024, .waits = true};
    upload(&stream);
    world_sleep(&world, 500); /* longer than the idle time-out */
    assert_int_equal(stream.called, 0);
    stream.waits = false;
    http_client_resume(client, stream.id);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.status, 200);
    assert_int_equal(world.last_body.length, stream.total_bytes);
}

static void request_bodies_may_fail(void **state)
{
    (void)state;
    struct stream stream = {.total_bytes = 1000, .fails_with = FAILURE_DENIED};
    upload(&stream);
    assert_true(world_wait(&world, was_called, &stream));
    assert_int_equal(stream.error.kind, FAILURE_DENIED);
    assert_int_equal(world.handled, 0);
}

#define STREAM_TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(large_answers_take_turns),
        STREAM_TEST(large_answers_give_way_when_cancelled),
        STREAM_TEST(a_stream_arrives_in_pieces),
        STREAM_TEST(other_answers_are_collected),
        STREAM_TEST(large_other_answers_are_not_collected),
        STREAM_TEST(a_paused_stream_waits_without_time_limit),
        STREAM_TEST(pausing_again_and_again_loses_nothing),
        STREAM_TEST(a_receiver_may_refuse),
        STREAM_TEST(cancelled_requests_call_nobody),
        STREAM_TEST(cancelled_requests_that_wait_leave_the_queue),
        STREAM_TEST(waiting_counts_towards_the_total_time),
        STREAM_TEST(freeing_the_client_ends_all_requests),
        STREAM_TEST(the_client_may_be_freed_from_a_stream),
        STREAM_TEST(callbacks_may_send_and_free),
        STREAM_TEST(request_bodies_stream),
        STREAM_TEST(request_bodies_may_wait_for_their_source),
        STREAM_TEST(request_bodies_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
