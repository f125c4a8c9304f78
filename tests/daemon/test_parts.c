/* The small parts by themselves: the two memories, and the flights of reviews. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/loop.h"
#include "review.h"

static struct digest digest_of(unsigned number)
{
    struct digest digest = {.algorithm = DIGEST_SHA256};

    memcpy(digest.bytes, &number, sizeof number);
    return digest;
}

/* --- caches --- */

static struct event event_of(const char *tag, const struct digest *digest)
{
    static char registry[] = "main", repository[] = "team/app";

    return (struct event){.registry = registry,
                          .repository = repository,
                          .tag = (char *)(uintptr_t)tag,
                          .digest = *digest};
}

static void a_placement_is_known_by_all_of_its_parts(void **state)
{
    struct placement_cache *cache = placement_cache_new(100);
    struct digest one = digest_of(1);
    struct digest two = digest_of(2);
    struct event event = event_of("v1", &one);
    struct event moved = event_of("v1", &two);
    struct event other = event_of("v2", &one);
    struct event untagged = event_of(NULL, &one);

    (void)state;
    placement_cache_put(cache, &event, "r1");
    assert_true(placement_cache_has(cache, &event, "r1"));
    assert_false(placement_cache_has(cache, &event, "r2"));
    assert_false(placement_cache_has(cache, &moved, "r1"));
    assert_false(placement_cache_has(cache, &other, "r1"));
    placement_cache_put(cache, &moved, "r1");
    assert_false(placement_cache_has(cache, &event, "r1"));
    assert_true(placement_cache_has(cache, &moved, "r1"));
    placement_cache_forget(cache, &event); /* whatever its digest was */
    assert_false(placement_cache_has(cache, &moved, "r1"));
    placement_cache_put(cache, &untagged, "r1");
    assert_false(placement_cache_has(cache, &untagged, "r1"));
    placement_cache_free(cache);
}

/* Two generations: what was put lately is there, what is old goes, and nothing grows. */
static void caches_forget_what_is_old(void **state)
{
    enum { ENTRIES = 64, MANY = 1000 };
    struct placement_cache *cache = placement_cache_new(ENTRIES);
    struct digest one = digest_of(1);
    char tags[MANY][8];
    int known = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(tags[i], sizeof tags[i], "v%d", i);
        struct event event = event_of(tags[i], &one);
        placement_cache_put(cache, &event, "r");
    }
    for (int i = 0; i < MANY; i++) {
        struct event event = event_of(tags[i], &one);
        known += placement_cache_has(cache, &event, "r");
    }
    struct event last = event_of(tags[MANY - 1], &one);
    assert_true(placement_cache_has(cache, &last, "r"));
    assert_in_range(known, ENTRIES / 2, ENTRIES + 2);
    placement_cache_free(cache);
}

static void facts_that_are_none_or_huge_are_not_kept(void **state)
{
    struct facts_cache *cache = facts_cache_new(NULL, 4);
    struct digest one = digest_of(1);
    const struct text nothing = {0};
    AUTO_FREE char *large = memory_new(1 << 20);
    const struct text huge = {.data = large, .length = 1 << 20};

    (void)state;
    facts_cache_put(cache, &one, &nothing);
    assert_null(facts_cache_get(cache, &one));
    facts_cache_put(cache, &one, &huge);
    assert_null(facts_cache_get(cache, &one));
    facts_cache_free(cache);
}

/* --- flights --- */

struct hangar {
    struct loop *loop;
    struct daemon daemon;
    struct review *reviews[4];
};

static int make_hangar(void **state)
{
    struct hangar *hangar = memory_new(sizeof *hangar);
    static char registry[] = "main", repository[] = "team/app";
    struct event event = {.registry = registry, .repository = repository};

    assert_int_equal(loop_new(&hangar->loop, NULL), 0);
    hangar->daemon.loop = hangar->loop;
    hangar->daemon.closing = true; /* who is woken does nothing */
    hangar->daemon.inflight = inflight_new();
    hangar->daemon.large = large_new();
    for (size_t i = 0; i < ARRAY_COUNT(hangar->reviews); i++)
        hangar->reviews[i] = review_new(&hangar->daemon, "slot", &event);
    *state = hangar;
    return 0;
}

static int free_hangar(void **state)
{
    struct hangar *hangar = *state;

    for (size_t i = 0; i < ARRAY_COUNT(hangar->reviews); i++)
        review_free(hangar->reviews[i]);
    inflight_free(hangar->daemon.inflight);
    large_free(hangar->daemon.large);
    loop_free(hangar->loop);
    free(hangar);
    return 0;
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void one_works_and_the_others_wait(void **state)
{
    struct hangar *hangar = *state;
    struct inflight *inflight = hangar->daemon.inflight;

    assert_true(inflight_enter(inflight, "a", hangar->reviews[0]));
    assert_false(inflight_enter(inflight, "a", hangar->reviews[1]));
    assert_true(inflight_enter(inflight, "b", hangar->reviews[2]));
    assert_false(inflight_enter(inflight, "a", hangar->reviews[3]));
    inflight_leave(inflight, "a", hangar->reviews[0]);
    assert_true(inflight_enter(inflight, "a", hangar->reviews[3])); /* all were woken */
    inflight_leave(inflight, "b", hangar->reviews[2]);
    inflight_leave(inflight, "a", hangar->reviews[3]);
    loop_run_until(hangar->loop, never, NULL, 20);
}

/* Woken and gone before it could get up: nothing is called that is no more. */
static void one_that_is_woken_may_go_first(void **state)
{
    struct hangar *hangar = *state;
    struct inflight *inflight = hangar->daemon.inflight;

    assert_true(inflight_enter(inflight, "a", hangar->reviews[0]));
    assert_false(inflight_enter(inflight, "a", hangar->reviews[1]));
    inflight_leave(inflight, "a", hangar->reviews[0]);
    review_free(TAKE(hangar->reviews[1]));
    loop_run_until(hangar->loop, never, NULL, 20);
}

/* At the end some wait still. */
static void flights_end_with_the_daemon(void **state)
{
    struct hangar *hangar = *state;

    assert_true(inflight_enter(hangar->daemon.inflight, "a", hangar->reviews[0]));
    assert_false(inflight_enter(hangar->daemon.inflight, "a", hangar->reviews[1]));
}

/* --- who joins --- */

static void a_review_takes_equal_events_until_it_is_recorded(void **state)
{
    struct hangar *hangar = *state;
    struct review *review = hangar->reviews[0];
    struct digest one = digest_of(1);
    struct digest two = digest_of(2);
    struct event same = event_of("v1", &one);
    struct event other = event_of("v1", &two);
    struct event deletion = same;
    struct event vague = event_of("v1", &(struct digest){0});

    deletion.action = EVENT_DELETE;
    review->event.digest = one;
    assert_true(review_may_join(review, &same));
    assert_false(review_may_join(review, &other));
    assert_false(review_may_join(review, &deletion));
    assert_false(review_may_join(review, &vague));
    review->step = REVIEW_RECORD;
    assert_false(review_may_join(review, &same));
}

static void who_pushed_counts_more_than_who_found(void **state)
{
    static char actor[] = "somebody";
    static const struct {
        enum event_cause first, second, both;
    } cases[] = {
        {EVENT_CAUSE_EXISTING, EVENT_CAUSE_HOOK, EVENT_CAUSE_HOOK},
        {EVENT_CAUSE_POLICY, EVENT_CAUSE_SWEEP, EVENT_CAUSE_SWEEP},
        {EVENT_CAUSE_HOOK, EVENT_CAUSE_EXISTING, EVENT_CAUSE_HOOK},
        {EVENT_CAUSE_HOOK, EVENT_CAUSE_POLICY, EVENT_CAUSE_HOOK},
        {EVENT_CAUSE_HOOK, EVENT_CAUSE_MANUAL, EVENT_CAUSE_MANUAL},
        {EVENT_CAUSE_MANUAL, EVENT_CAUSE_HOOK, EVENT_CAUSE_MANUAL},
        {EVENT_CAUSE_EXISTING, EVENT_CAUSE_POLICY, EVENT_CAUSE_EXISTING},
        {EVENT_CAUSE_HOOK, EVENT_CAUSE_EVIDENCE, EVENT_CAUSE_EVIDENCE},
        {EVENT_CAUSE_EVIDENCE, EVENT_CAUSE_HOOK, EVENT_CAUSE_EVIDENCE},
        {EVENT_CAUSE_MANUAL, EVENT_CAUSE_EVIDENCE, EVENT_CAUSE_MANUAL},
    };
    struct hangar *hangar = *state;
    struct digest one = digest_of(1);
    struct event event = event_of("v1", &one);

    event.actor = actor;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct review *review = hangar->reviews[0];

        review->event.cause = cases[i].first;
        event.cause = cases[i].second;
        event.id = (int64_t)i + 1;
        review_join(review, &event);
        assert_int_equal(review->event.cause, cases[i].both);
        assert_int_equal(review->event.id, event.id); /* the newest */
        assert_string_equal(review->event.actor, actor);
    }
    assert_int_equal(hangar->reviews[0]->event_count, 1 + ARRAY_COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_placement_is_known_by_all_of_its_parts),
        cmocka_unit_test(caches_forget_what_is_old),
        cmocka_unit_test(facts_that_are_none_or_huge_are_not_kept),
        cmocka_unit_test_setup_teardown(one_works_and_the_others_wait, make_hangar, free_hangar),
        cmocka_unit_test_setup_teardown(one_that_is_woken_may_go_first, make_hangar, free_hangar),
        cmocka_unit_test_setup_teardown(flights_end_with_the_daemon, make_hangar, free_hangar),
        cmocka_unit_test_setup_teardown(a_review_takes_equal_events_until_it_is_recorded,
                                        make_hangar, free_hangar),
        cmocka_unit_test_setup_teardown(who_pushed_counts_more_than_who_found, make_hangar,
                                        free_hangar),
    };

    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
