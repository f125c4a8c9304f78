/* The poller against a queue of the test: what is deleted when, what is hidden anew, and what is
 * told of a queue that cannot be polled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "regwarden/file.h"
#include "regwarden/http_server.h"
#include "regwarden/loop.h"
#include "sqs.h"

enum { MESSAGES_MAX = 100 };

static const struct sqs_tuning quick = {
    .wait_s = 1,
    .visibility_s = 7,
    .extend_ms = 50,
    .delete_ms = 10,
    .backoff_first_ms = 40,
    .backoff_max_ms = 80,
};

static struct world {
    struct loop *loop;
    struct http_server *server;
    struct config_registry registry;
    struct sqs *sqs;
    char keys[40];
    unsigned to_send;    /* messages that the queue still holds */
    const char *at_once; /* answer of ReceiveMessage, without waiting */
    const char *refusal; /* answer of ReceiveMessage with status 400 */
    uint64_t waiting;    /* the long poll that is not answered */
    unsigned polls, deletes, deleted, extended;
    char last_body[256];
    store_done_f *done[MESSAGES_MAX]; /* of messages that are being written */
    void *done_argument[MESSAGES_MAX];
    unsigned taken;
    bool writes_now;
    unsigned troubles, recoveries;
} w;

static void take(void *argument, const struct intake_body *body, store_done_f *done,
                 void *done_argument)
{
    assert_ptr_equal(argument, &w);
    assert_string_equal(body->registry, "main");
    snprintf(w.last_body, sizeof(w.last_body), "%.*s", (int)body->size, body->bytes);
    assert_true(w.taken < MESSAGES_MAX);
    w.done[w.taken] = done;
    w.done_argument[w.taken++] = done_argument;
    if (w.writes_now)
        done(done_argument, NULL);
}

static void trouble(void *argument, const struct config_registry *registry,
                    const struct error *error)
{
    (void)argument;
    assert_string_equal(registry->name, "main");
    w.troubles += error != NULL;
    w.recoveries += error == NULL;
}

static void reply(struct http_exchange *exchange, int status, const char *body)
{
    http_exchange_reply(exchange, status, NULL, "application/x-amz-json-1.0", body, strlen(body));
}

static void receive(struct http_exchange *exchange)
{
    AUTO_TEXT struct text body = {0};
    unsigned count = w.to_send < 10 ? w.to_send : 10;

    w.polls++;
    if (w.refusal) {
        reply(exchange, 400, w.refusal);
        return;
    }
    if (w.at_once) {
        reply(exchange, 200, w.at_once);
        return;
    }
    if (count == 0) {
        w.waiting = http_exchange_id(exchange);
        return;
    }
    text_add(&body, "{\"Messages\":[{\"ReceiptHandle\":7},{\"Body\":\"no receipt\"}");
    for (unsigned i = 0; i < count && i < 8; i++, w.to_send--)
        text_format(&body, ",{\"MessageId\":\"m\",\"ReceiptHandle\":\"r%u\",\"Body\":\"b%u\"}",
                    w.to_send, w.to_send);
    text_add(&body, "]}");
    reply(exchange, 200, body.data);
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    const char *target = http_exchange_header(exchange, "X-Amz-Target");
    size_t size = 0;
    const char *bytes = http_exchange_body(exchange, &size);
    AUTO_JSON struct json *body = NULL;

    (void)argument;
    assert_int_equal(json_parse(bytes, size, NULL, &body, NULL), 0);
    assert_string_equal(json_get_string(body, "QueueUrl"), w.registry.aws.queue_url);
    if (text_equal(target, "AmazonSQS.ReceiveMessage")) {
        assert_int_equal(json_get_integer(body, "WaitTimeSeconds", 0), 1);
        receive(exchange);
    } else if (text_equal(target, "AmazonSQS.DeleteMessageBatch")) {
        assert_in_range(json_count(json_get(body, "Entries")), 1, 10);
        w.deletes++;
        w.deleted += (unsigned)json_count(json_get(body, "Entries"));
        reply(exchange, 200, "{\"Successful\":[]}");
    } else {
        assert_string_equal(target, "AmazonSQS.ChangeMessageVisibilityBatch");
        assert_int_equal(
            json_get_integer(json_at(json_get(body, "Entries"), 0), "VisibilityTimeout", 0), 7);
        w.extended += (unsigned)json_count(json_get(body, "Entries"));
        reply(exchange, 200, "{}");
    }
}

static int setup(void **state)
{
    static const char keys[] = "[default]\naws_access_key_id=A\naws_secret_access_key=s\n";
    static char name[] = "main", region[] = "eu-central-1", profile[] = "default";
    struct error err = {0};

    (void)state;
    w = (struct world){.keys = "/tmp/regwarden-sqs-XXXXXX", .writes_now = true};
    close(mkstemp(w.keys));
    assert_int_equal(file_write(w.keys, keys, strlen(keys), 0600, &err), 0);
    assert_int_equal(loop_new(&w.loop, &err), 0);
    assert_int_equal(http_server_new(w.loop, &(struct http_server_options){0}, on_request, NULL,
                                     &w.server, &err),
                     0);
    assert_int_equal(http_server_listen(w.server, "127.0.0.1:0", &err), 0);
    w.registry = (struct config_registry){
        .name = name, .aws = {.region = region, .profile = profile, .credentials_file = w.keys}};
    w.registry.aws.queue_url =
        text_new("http://%s/123456789012/events", http_server_address(w.server, 0));
    assert_int_equal(sqs_new(&(struct sqs_options){.loop = w.loop,
                                                   .registry = &w.registry,
                                                   .tuning = &quick,
                                                   .take = take,
                                                   .trouble = trouble,
                                                   .argument = &w},
                             &w.sqs, &err),
                     0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sqs_free(w.sqs);
    http_server_free(w.server);
    loop_free(w.loop);
    unlink(w.keys);
    free(w.registry.aws.queue_url);
    return 0;
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void run(int64_t ms)
{
    (void)loop_run_until(w.loop, never, NULL, ms);
}

static bool all_deleted(void *argument)
{
    return w.deleted >= *(const unsigned *)argument;
}

static void deletes_what_is_durable(void **state)
{
    unsigned count = 23;
    struct intake_queue status;

    (void)state;
    w.to_send = count;
    sqs_start(w.sqs);
    assert_true(loop_run_until(w.loop, all_deleted, &count, 5000));
    run(50);
    assert_int_equal(w.taken, count);
    assert_int_equal(w.deleted, count);
    assert_string_equal(w.last_body, "b1");
    assert_true(w.deletes < count);
    assert_int_equal(w.extended, 0);
    sqs_status(w.sqs, &status);
    assert_int_equal(status.messages, count);
    assert_int_equal(status.in_flight, 0);
    assert_null(status.error);
}

static void keeps_what_is_being_written(void **state)
{
    struct intake_queue status;
    unsigned one = 1;

    (void)state;
    w.writes_now = false;
    w.to_send = 2;
    sqs_start(w.sqs);
    run(300);
    assert_int_equal(w.taken, 2);
    assert_int_equal(w.deleted, 0);
    assert_true(w.extended >= 2);
    sqs_status(w.sqs, &status);
    assert_int_equal(status.in_flight, 2);
    w.done[1](w.done_argument[1], NULL);
    assert_true(loop_run_until(w.loop, all_deleted, &one, 5000));
    assert_int_equal(w.deleted, 1);
    sqs_free(TAKE(w.sqs)); /* the other is written while nobody polls any more */
    w.done[0](w.done_argument[0], NULL);
    run(50);
    assert_int_equal(w.deleted, 1);
}

static void bounds_what_is_in_flight(void **state)
{
    (void)state;
    w.writes_now = false;
    w.to_send = 90;
    sqs_start(w.sqs);
    run(400);
    assert_in_range(w.taken, 40, 50);
    for (unsigned i = 0; i < w.taken; i++) {
        struct error cancelled = {.kind = FAILURE_LATER};
        if (i % 2)
            w.done[i](w.done_argument[i], &cancelled);
        else
            w.done[i](w.done_argument[i], NULL);
    }
}

static void leaves_what_cannot_be_kept(void **state)
{
    struct error full = {.kind = FAILURE_SYSTEM, .text = "disk full"};
    struct intake_queue status;
    unsigned polls;

    (void)state;
    w.writes_now = false;
    w.to_send = 1;
    sqs_start(w.sqs);
    run(100);
    http_exchange_reply_text(http_server_find(w.server, w.waiting), 200, "{}");
    polls = w.polls;
    w.done[0](w.done_argument[0], &full);
    sqs_status(w.sqs, &status);
    assert_non_null(strstr(status.error, "disk full"));
    run(10);
    assert_int_equal(w.polls, polls); /* it pauses */
    run(200);
    assert_true(w.polls > polls);
    assert_int_equal(w.deleted, 0);
    assert_int_equal(w.troubles, 1);
}

static void does_not_hurry_what_never_waits(void **state)
{
    static const char *const answers[] = {"{}", "{\"Messages\":[]}",
                                          "{\"Messages\":[{\"Body\":\"no receipt\"}]}"};
    (void)state;
    sqs_start(w.sqs);
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        unsigned before = w.polls;
        w.at_once = answers[i];
        if (w.waiting)
            http_exchange_reply_text(http_server_find(w.server, w.waiting), 200, "{}");
        w.waiting = 0;
        run(400);
        assert_in_range(w.polls - before, 3, 12);
    }
    assert_int_equal(w.troubles, 0);
}

static void tells_of_trouble_once(void **state)
{
    unsigned one = 1;

    (void)state;
    w.to_send = 1;
    w.refusal = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}";
    sqs_start(w.sqs);
    run(300);
    assert_in_range(w.polls, 3, 15); /* with pauses in between */
    assert_int_equal(w.troubles, 1);
    assert_int_equal(w.recoveries, 0);
    w.refusal = NULL;
    assert_true(loop_run_until(w.loop, all_deleted, &one, 5000));
    assert_int_equal(w.troubles, 1);
    assert_int_equal(w.recoveries, 1);
}

static void knows_regions_of_queues(void **state)
{
    static const struct {
        const char *url;
        const char *region;
    } cases[] = {{"https://sqs.eu-central-1.amazonaws.com/123456789012/events", "eu-central-1"},
                 {"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/events", "cn-north-1"},
                 {"https://sqs.eu-central-1.example.com/1/events", NULL},
                 {"http://127.0.0.1:9324/1/events", NULL},
                 {"no address", NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *region = sqs_region(cases[i].url);
        assert_true(text_equal(region, cases[i].region));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(deletes_what_is_durable),         TEST(keeps_what_is_being_written),
        TEST(bounds_what_is_in_flight),        TEST(leaves_what_cannot_be_kept),
        TEST(does_not_hurry_what_never_waits), TEST(tells_of_trouble_once),
        TEST(knows_regions_of_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
