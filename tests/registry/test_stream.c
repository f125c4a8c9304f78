/* Layers as streams: at the taker's pace, over breaks, and bounded by the descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/crypto.h"
#include "regwarden/memory.h"

#include "client.h"

struct taker {
    struct client *client;
    struct hash *hash;
    uint64_t size;
    uint64_t id;
    uint64_t pause_every; /* bytes; 0: never */
    uint64_t refuse_at;   /* bytes; 0: never */
    bool paused;
    struct timer *timer;
    struct result result;
};

static int take(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct taker *taker = argument;
    uint64_t before = taker->size;

    assert_false(taker->paused);
    hash_update(taker->hash, bytes, size);
    taker->size += size;
    if (taker->refuse_at > 0 && taker->size >= taker->refuse_at)
        return error_set(err, FAILURE_LATER, "enough of this");
    if (taker->pause_every == 0 || before / taker->pause_every == taker->size / taker->pause_every)
        return 0;
    taker->paused = true;
    if (taker->timer)
        timer_arm(taker->timer, 1);
    return 1;
}

static void go_on(void *argument)
{
    struct taker *taker = argument;

    taker->paused = false;
    registry_resume(taker->client->registry, taker->id);
}

static void start(struct client *client, const char *what, struct taker *taker)
{
    AUTO_FREE char *size_name = text_new("%s-size", what);
    struct descriptor blob = {0};
    struct blob_stream stream = {.write = take, .argument = taker};

    assert_int_equal(digest_parse(stub_value(&client->stub, what), &blob.digest, NULL), 0);
    assert_int_equal(
        text_parse_uint(stub_value(&client->stub, size_name), UINT64_MAX, &blob.size, NULL), 0);
    taker->client = client;
    taker->hash = hash_new(HASH_SHA256);
    taker->id =
        registry_stream_blob(client->registry, "app", &blob, &stream, result_take, &taker->result);
    assert_true(taker->id > 0);
}

static void expect_all(struct taker *taker, const char *what)
{
    struct digest digest = {.algorithm = DIGEST_SHA256};

    expect_success(&taker->result);
    hash_finish(taker->hash, digest.bytes);
    expect_digest(&digest, stub_value(&taker->client->stub, what));
}

static void taker_release(struct taker *taker)
{
    hash_free(taker->hash);
    timer_free(taker->timer);
    result_release(&taker->result);
}
#define AUTO_TAKER AUTO(taker_release)

/* What becomes of the stream of a layer, and how many requests it takes. */
static const struct {
    const char *scenario, *blob;
    enum failure kind;
    const char *text;
    size_t requests, ranges;
} cases[] = {
    {"layered", "big", FAILURE_NONE, "", 1, 0},
    {"layer-breaks", "big", FAILURE_NONE, "", 5, 4},
    {"layer-breaks-once", "big", FAILURE_NONE, "", 2, 1},
    {"layer-breaks-early", "big", FAILURE_LATER, "after 4000 of 3145728 bytes", 4, 3},
    {"layer-other-part", "big", FAILURE_LATER, "another part than was asked for", 5, 4},
    {"layer-throttled", "big", FAILURE_NONE, "", 2, 0},
    {"small-blob", "layer", FAILURE_INPUT, "has 20479 bytes, its descriptor says 20480", 1, 0},
    {"endless-body", "layer", FAILURE_INPUT, "more bytes than the 20480 of its descriptor", 1, 0},
    {"endless-error", "layer", FAILURE_LATER, "", 4, 0},
    {"failing-always", "layer", FAILURE_LATER, "answered 503", 4, 0},
    {"odd-error", "layer", FAILURE_DENIED, "DENIED", 1, 0},
    {"redirect-strange", "layer", FAILURE_LATER, "cannot be used", 1, 0},
};

static void test_what_becomes_of_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_TAKER struct taker taker = {0};

        client_open(&client, cases[i].scenario, NULL);
        start(&client, cases[i].blob, &taker);
        client_wait(&client, &taker.result);
        expect_failure(&taker.result, cases[i].kind, cases[i].text);
        if (cases[i].kind == FAILURE_NONE)
            expect_all(&taker, cases[i].blob);
        if (stub_count(&client.stub, "/blobs/", NULL) != cases[i].requests ||
            stub_count(&client.stub, "\"Range\"", NULL) != cases[i].ranges)
            fail_msg("%s: %zu requests, %zu of a part", cases[i].scenario,
                     stub_count(&client.stub, "/blobs/", NULL),
                     stub_count(&client.stub, "\"Range\"", NULL));
        client_close(&client);
    }
}

static void test_redirect_takes_no_credentials_along(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_TAKER struct taker taker = {0};

    (void)state;
    client_open(&client, "redirect-other", &options);
    start(&client, "layer", &taker);
    client_wait(&client, &taker.result);
    expect_all(&taker, "layer");
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", "\"authorization\": \"\""), 1);
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 1);
    client_close(&client);
}

static void test_time_is_of_silence_only(void **state)
{
    struct client client;
    struct client_options options = {.timeout_ms = 600};
    AUTO_TAKER struct taker slow = {0};
    AUTO_TAKER struct taker silent = {0};

    (void)state;
    client_open(&client, "layer-falters", &options);
    start(&client, "big", &slow);
    client_wait(&client, &slow.result);
    expect_all(&slow, "big");
    client_close(&client);
    client_open(&client, "layer-falls-silent", &options);
    start(&client, "big", &silent);
    client_wait(&client, &silent.result);
    expect_failure(&silent.result, FAILURE_LATER, "no byte came or went for 600 ms");
    client_close(&client);
}

static void test_pace_of_the_taker(void **state)
{
    struct client client;
    struct client_options options = {.timeout_ms = 300};
    AUTO_TAKER struct taker taker = {.pause_every = 100000};

    (void)state;
    client_open(&client, "layer-breaks", &options);
    start(&client, "big", &taker);
    taker.timer = timer_new(client.loop, go_on, &taker);
    client_wait(&client, &taker.result);
    expect_all(&taker, "big");
    client_close(&client);
}

/* Held for longer than any silence is allowed to last, and nothing comes meanwhile. */
static void test_held_stream(void **state)
{
    struct client client;
    struct client_options options = {.timeout_ms = 300};
    AUTO_TAKER struct taker taker = {.pause_every = 100000};

    (void)state;
    client_open(&client, "layered", &options);
    start(&client, "big", &taker);
    client_run_for(&client, 900);
    assert_true(taker.paused);
    assert_true(taker.size < 300000);
    assert_false(taker.result.done);
    taker.pause_every = 0;
    go_on(&taker);
    client_wait(&client, &taker.result);
    expect_all(&taker, "big");
    client_close(&client);
}

static void test_taker_ends_it(void **state)
{
    struct client client;
    AUTO_TAKER struct taker taker = {.refuse_at = 100000};

    (void)state;
    client_open(&client, "layered", NULL);
    start(&client, "big", &taker);
    client_wait(&client, &taker.result);
    expect_failure(&taker.result, FAILURE_LATER, "enough of this");
    assert_int_equal(stub_count(&client.stub, "/blobs/", NULL), 1);
    client_close(&client);
}

static void test_cancel(void **state)
{
    struct client client;
    AUTO_TAKER struct taker taker = {.pause_every = 1};
    AUTO_RESULT struct result after = {0};

    (void)state;
    client_open(&client, "layered", NULL);
    start(&client, "big", &taker);
    client_run_for(&client, 100);
    assert_true(taker.paused);
    registry_cancel(client.registry, taker.id);
    registry_resume(client.registry, taker.id); /* unknown by now */
    client_fetch(&client, "v1", &after);
    expect_success(&after);
    assert_false(taker.result.done);
    client_close(&client);
}

/* Of two places one is for what is short, however many streams are held. */
static void test_streams_leave_room(void **state)
{
    struct client client;
    struct client_options options = {.concurrency = 2};
    AUTO_TAKER struct taker first = {.pause_every = 1};
    AUTO_TAKER struct taker second = {0};
    AUTO_RESULT struct result manifest = {0};

    (void)state;
    client_open(&client, "layered", &options);
    start(&client, "big", &first);
    start(&client, "big", &second);
    client_run_for(&client, 100);
    client_fetch(&client, "v1", &manifest);
    expect_success(&manifest);
    assert_int_equal(second.size, 0);
    registry_cancel(client.registry, first.id);
    client_wait(&client, &second.result);
    expect_all(&second, "big");
    client_close(&client);
}

static void test_names_are_checked(void **state)
{
    struct client client;
    struct descriptor blob = {.digest = {.algorithm = DIGEST_SHA256}, .size = 1};
    struct blob_stream stream = {.write = take};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    (void)registry_stream_blob(client.registry, "../app", &blob, &stream, result_take, &result);
    client_wait(&client, &result);
    expect_failure(&result, FAILURE_INPUT, "");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_becomes_of_streams),
        cmocka_unit_test(test_redirect_takes_no_credentials_along),
        cmocka_unit_test(test_time_is_of_silence_only),
        cmocka_unit_test(test_pace_of_the_taker),
        cmocka_unit_test(test_held_stream),
        cmocka_unit_test(test_taker_ends_it),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_streams_leave_room),
        cmocka_unit_test(test_names_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
