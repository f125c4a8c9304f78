/* The breaker without a clock, and the queue's order, places, delays and holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/loop.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

#include "breaker.h"
#include "queue.h"

static const struct registry_tuning tuning = {
    .breaker_failures = 3, .breaker_open_ms = 100, .breaker_open_max_ms = 250, .hold_max_ms = 500};

static void test_breaker(void **state)
{
    enum step_kind { ASK, GOOD, BAD, DROP };
    static const struct {
        enum step_kind kind;
        int64_t at_ms;
        enum breaker_answer answer; /* of ASK */
    } steps[] = {
        {ASK, 0, BREAKER_GO},
        {BAD, 0, 0},
        {BAD, 0, 0},
        {GOOD, 0, 0}, /* not in a row */
        {BAD, 0, 0},
        {BAD, 0, 0},
        {ASK, 10, BREAKER_GO},
        {BAD, 10, 0},
        {ASK, 10, BREAKER_REFUSE},
        {BAD, 50, 0}, /* left before the opening: does not make it longer */
        {ASK, 109, BREAKER_REFUSE},
        {ASK, 110, BREAKER_PROBE},
        {ASK, 110, BREAKER_WAIT_FOR_PROBE},
        {DROP, 110, 0},
        {ASK, 111, BREAKER_PROBE},
        {BAD, 120, 0}, /* the probe: twice as long now */
        {ASK, 319, BREAKER_REFUSE},
        {ASK, 320, BREAKER_PROBE},
        {BAD, 320, 0}, /* up to the limit */
        {ASK, 569, BREAKER_REFUSE},
        {ASK, 570, BREAKER_PROBE},
        {GOOD, 580, 0},
        {ASK, 580, BREAKER_GO},
        {BAD, 580, 0},
        {ASK, 580, BREAKER_GO},
    };
    struct breaker breaker = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        switch (steps[i].kind) {
        case ASK:
            if (breaker_ask(&breaker, steps[i].at_ms) != steps[i].answer)
                fail_msg("step %zu", i);
            break;
        case GOOD:
        case BAD:
            breaker_report(&breaker, &tuning, steps[i].at_ms, steps[i].kind == GOOD);
            break;
        case DROP:
            breaker_drop_probe(&breaker);
            break;
        }
    }
}

struct item {
    struct queue_entry entry; /* first */
    char name;
};

/* What happened, in order: a letter per run, a letter in brackets per refusal. */
static struct text happened;

static void on_run(struct queue_entry *entry)
{
    text_add_char(&happened, ((struct item *)entry)->name);
}

static void on_refuse(struct queue_entry *entry, const struct error *error)
{
    assert_int_equal(error->kind, FAILURE_LATER);
    assert_true(error->retry_after_ms > 0);
    text_format(&happened, "(%c)", ((struct item *)entry)->name);
}

struct fixture {
    struct loop *loop;
    struct queue *queue;
    struct item items[6];
};

static int set_up(void **state)
{
    static const struct queue_owner owner = {.run = on_run, .refuse = on_refuse};
    struct fixture *fixture = memory_new(sizeof(*fixture));

    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture->queue = queue_new(fixture->loop, &owner, &tuning, 2);
    for (size_t i = 0; i < ARRAY_COUNT(fixture->items); i++)
        fixture->items[i].name = (char)('a' + i);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(fixture->items); i++)
        queue_remove(fixture->queue, &fixture->items[i].entry);
    queue_free(fixture->queue);
    loop_free(fixture->loop);
    text_release(&happened);
    free(fixture);
    return 0;
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void expect(struct fixture *fixture, int64_t after_ms, const char *wanted)
{
    (void)loop_run_until(fixture->loop, never, NULL, after_ms);
    assert_string_equal(text_data(&happened), wanted);
}

static void add(struct fixture *fixture, size_t item, int64_t delay_ms)
{
    queue_add(fixture->queue, &fixture->items[item].entry, delay_ms);
}

static void test_places(void **state)
{
    struct fixture *fixture = *state;
    struct queue_counts counts;

    for (size_t i = 0; i < 4; i++)
        add(fixture, i, 0);
    assert_string_equal(text_data(&happened), ""); /* never from within */
    expect(fixture, 20, "ab");
    queue_count(fixture->queue, &counts);
    assert_int_equal(counts.active, 2);
    assert_int_equal(counts.waiting, 2);
    queue_remove(fixture->queue, &fixture->items[0].entry);
    expect(fixture, 20, "abc");
    queue_remove(fixture->queue, &fixture->items[3].entry); /* cancelled while it waits */
    queue_remove(fixture->queue, &fixture->items[1].entry);
    expect(fixture, 20, "abc");
}

static void test_companions_need_no_place(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 0, 0);
    add(fixture, 1, 0);
    add(fixture, 2, 0);
    fixture->items[3].entry.companion = true;
    expect(fixture, 20, "ab");
    add(fixture, 3, 0);
    expect(fixture, 20, "abd");
    queue_remove(fixture->queue, &fixture->items[3].entry);
    expect(fixture, 20, "abd");
}

/* Half of the places at most, in turns with the others, and never in their way. */
static void test_bulk(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 3; i++) {
        fixture->items[i].entry.bulk = true;
        add(fixture, i, 0);
    }
    expect(fixture, 20, "a");
    add(fixture, 3, 0);
    add(fixture, 4, 0);
    expect(fixture, 20, "ad");
    queue_remove(fixture->queue, &fixture->items[0].entry);
    expect(fixture, 20, "adb");
    queue_remove(fixture->queue, &fixture->items[3].entry);
    expect(fixture, 20, "adbe"); /* not c: b is still there */
    queue_remove(fixture->queue, &fixture->items[1].entry);
    expect(fixture, 20, "adbec");
    queue_remove(fixture->queue, &fixture->items[2].entry);
    queue_remove(fixture->queue, &fixture->items[4].entry);
}

static void test_bulk_and_one_place(void **state)
{
    struct fixture *fixture = *state;
    static const struct queue_owner owner = {.run = on_run, .refuse = on_refuse};

    queue_free(fixture->queue);
    fixture->queue = queue_new(fixture->loop, &owner, &tuning, 1);
    for (size_t i = 0; i < 4; i++) {
        fixture->items[i].entry.bulk = i < 2;
        add(fixture, i, 0);
    }
    expect(fixture, 20, "a");
    queue_remove(fixture->queue, &fixture->items[0].entry);
    expect(fixture, 20, "ac");
    queue_remove(fixture->queue, &fixture->items[2].entry);
    expect(fixture, 20, "acb");
    queue_remove(fixture->queue, &fixture->items[1].entry);
    expect(fixture, 20, "acbd");
}

static void test_delays(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 0, 80);
    add(fixture, 1, 40);
    expect(fixture, 20, "");
    expect(fixture, 40, "b");
    expect(fixture, 60, "ba");
    /* Back into the queue: the place is free meanwhile. */
    add(fixture, 0, 60);
    add(fixture, 2, 0);
    expect(fixture, 20, "bac");
    expect(fixture, 80, "bac");
    queue_remove(fixture->queue, &fixture->items[1].entry);
    expect(fixture, 20, "baca");
}

static void test_hold(void **state)
{
    struct fixture *fixture = *state;

    queue_hold(fixture->queue, 80);
    add(fixture, 0, 0);
    expect(fixture, 30, "");
    expect(fixture, 80, "a");
    /* Longer than anybody waits here. */
    queue_hold(fixture->queue, 60000);
    add(fixture, 1, 0);
    expect(fixture, 20, "a(b)");
}

static void test_breaker_in_the_queue(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 0, 0);
    expect(fixture, 10, "a");
    for (unsigned i = 0; i < 3; i++)
        queue_report(fixture->queue, &fixture->items[0].entry, false);
    queue_remove(fixture->queue, &fixture->items[0].entry);
    add(fixture, 1, 0);
    add(fixture, 2, 0);
    expect(fixture, 20, "a(b)(c)");
    /* A probe that is cancelled makes room for the next one. */
    add(fixture, 3, 120);
    add(fixture, 4, 120);
    add(fixture, 5, 120);
    expect(fixture, 160, "a(b)(c)d");
    queue_remove(fixture->queue, &fixture->items[3].entry);
    expect(fixture, 20, "a(b)(c)de");
    queue_report(fixture->queue, &fixture->items[4].entry, true);
    expect(fixture, 20, "a(b)(c)def");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_breaker),
        cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_companions_need_no_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bulk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bulk_and_one_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_breaker_in_the_queue, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
