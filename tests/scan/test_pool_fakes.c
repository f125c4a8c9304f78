/* Workers that do not do what they ought to. Whatever they do, their layer ends with a reason, the
 * pool stays as small as it was, and the next worker gets the next layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_worker.h"
#include "pool_fixture.h"
#include "streams.h"

static void open_fake(struct pool_fixture *fixture, enum fake fake, int64_t silence_ms)
{
    struct scan_pool_options options = pool_options();

    options.program = FAKE_PROGRAM;
    options.workers = 1;
    options.memory_bytes = fake;
    options.silence_ms = silence_ms;
    options.scan.limits.max_ms = fake == FAKE_TRICKLES ? 300 : 60000;
    pool_open(fixture, &options);
}

static void make_layer(struct text *to)
{
    stream_add_noise(to, 100000);
}

/* Twice: the second layer gets a worker of its own, with the same answer. */
static void assert_ends(enum fake fake, int64_t silence_ms, enum failure kind, const char *text)
{
    struct pool_fixture fixture;
    AUTO_TEXT struct text layer = {0};
    int workers[8];

    make_layer(&layer);
    open_fake(&fixture, fake, silence_ms);
    for (unsigned i = 0; i < 2; i++) {
        struct feed feed = {.fixture = &fixture,
                            .parts = {{.text = &layer}},
                            .stop_at = fake == FAKE_ANSWERS_EARLY ? 1 : 0};
        feed_start(&feed);
        assert_true(feed_wait(&feed));
        assert_null(feed.facts);
        if (feed.kind != kind || !strstr(feed.text, text))
            fail_msg("fake %d: %s: %s", (int)fake, failure_name(feed.kind), feed.text);
    }
    assert_true(pool_children(workers, 8) <= 1);
    pool_close(&fixture);
    assert_int_equal(pool_children(workers, 8), 0);
}

static void ends_are_told(void **state)
{
    (void)state;
    assert_ends(FAKE_ENDS_AT_ONCE, 60000, FAILURE_SYSTEM, "the scan worker ended with status 7");
    assert_ends(FAKE_ENDS_WHEN_READY, 60000, FAILURE_SYSTEM, "the scan worker ended with status 0");
    assert_ends(FAKE_HANGS_UP, 60000, FAILURE_SYSTEM, "the scan worker was killed by signal 9");
    assert_ends(FAKE_NEVER_READY, 200, FAILURE_SYSTEM, "did nothing for 200 ms");
}

static void nonsense_is_refused(void **state)
{
    static const enum fake fakes[] = {
        FAKE_GARBAGE,       FAKE_TOO_LARGE_A_HEAD, FAKE_ENDLESS_PATHS,
        FAKE_ANSWERS_EARLY, FAKE_NO_PATHS,         FAKE_PATHS_OUT_OF_ORDER,
        FAKE_TWO_TABLES,    FAKE_NO_DOCUMENT,      FAKE_SECOND_READY,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(fakes); i++)
        assert_ends(fakes[i], 60000, FAILURE_SYSTEM, "answered nonsense");
    assert_ends(FAKE_OTHER_DIGEST, 60000, FAILURE_INPUT, ", not sha256:");
    assert_ends(FAKE_OTHER_SIZE, 60000, FAILURE_INPUT, "the layer has 100001 bytes, not 100000");
    assert_ends(FAKE_ODD_ERROR, 60000, FAILURE_SYSTEM, "\\x1b[2J you may\\x0aretry");
    assert_ends(FAKE_TRICKLES, 500, FAILURE_LIMIT, "takes too long");
}

static void the_sandbox_ends_who_tries_anything(void **state)
{
    (void)state;
    for (enum fake fake = FAKE_STAYS + 1; fake < FAKE_COUNT; fake++)
        if (fake != FAKE_MAPS_CODE || !pool_is_sanitized())
            assert_ends(fake, 60000, FAILURE_SYSTEM, "tried what it may not");
}

static void the_sandbox_lets_work(void **state)
{
    struct pool_fixture fixture;
    AUTO_TEXT struct text layer = {0};

    (void)state;
    make_layer(&layer);
    open_fake(&fixture, FAKE_STAYS, 60000);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &layer}}};
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s", feed.text);
    assert_string_equal(text_data(&feed.facts->paths), "0 a\tf0\n");
    feed_release(&feed);
    pool_close(&fixture);
}

/* 16 MiB wait for a worker that takes 4 KiB at a time: the caller is told to stop and to go on. */
static void a_slow_worker_slows_its_layer(void **state)
{
    struct pool_fixture fixture;
    AUTO_TEXT struct text body = {0};

    (void)state;
    make_layer(&body);
    open_fake(&fixture, FAKE_SLOW, 60000);
    struct feed feed = {.fixture = &fixture, .parts = {{.text = &body, 160}}};
    feed_start(&feed);
    assert_true(feed_wait(&feed));
    if (!feed.facts)
        fail_msg("%s", feed.text);
    assert_true(feed.resumed > 20);
    assert_true(feed.most_waiting <= 512 * 1024);
    feed_release(&feed);
    pool_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_sandbox_ends_who_tries_anything),
        cmocka_unit_test(the_sandbox_lets_work),
        cmocka_unit_test(a_slow_worker_slows_its_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
