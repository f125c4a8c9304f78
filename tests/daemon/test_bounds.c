/* Memory is bounded, and what has no place comes back: more events than places, a registry that is
 * down beside one that is not, more actions than places. */
#include "fixture.h"

#include <unistd.h>

#include "regwarden/clock.h"

enum { IN_MEMORY_MAX = 8192 + 512, TAG_SIZE = 24 };

static const char two_registries[] = "    timeout: 1s\n"
                                     "  down:\n"
                                     "    url: http://127.0.0.1:1\n"
                                     "    sweep-interval: 0\n";
static const char patient[] = "retry: {first: 100ms, max: 200ms, give-up: 1h}\n";

static char down[] = "down";

static void start_beside_a_dead_one(struct fixture *fixture)
{
    struct fixture_settings settings = {.top = patient, .registry = two_registries};

    fixture_stop(fixture);
    fixture_start_with(fixture, &settings);
}

/* Events about many tags of one image. */
struct crowd {
    struct event *events;
    char (*tags)[TAG_SIZE];
    size_t count;
};

static struct crowd crowd_of(size_t count, const struct digest *digest)
{
    struct crowd crowd = {.events = memory_new_array(count, sizeof *crowd.events),
                          .tags = memory_new_array(count, sizeof *crowd.tags),
                          .count = count};

    for (size_t i = 0; i < count; i++) {
        snprintf(crowd.tags[i], TAG_SIZE, "t%zu", i);
        crowd.events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", crowd.tags[i], digest);
    }
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    free(crowd->events);
    free(crowd->tags);
}

static int64_t judged_tags(struct fixture *fixture)
{
    AUTO_JSON struct json *status = list(fixture, STORE_LIST_STATUS, NULL);

    return json_get_integer(json_get(status, "tags"), "judged", -1);
}

static bool fits(struct fixture *fixture)
{
    assert_in_range(dispatcher_waiting(fixture->daemon.dispatcher), 0, IN_MEMORY_MAX);
    return dispatcher_waiting(fixture->daemon.dispatcher) == 0 &&
           dispatcher_is_idle(fixture->daemon.dispatcher);
}

static void more_events_than_places_are_all_judged(void **state)
{
    enum { COUNT = 6000 };
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "t0", true, "one");
    struct crowd crowd = crowd_of(COUNT, &digest);

    tell(fixture, crowd.events, COUNT / 2);
    tell(fixture, crowd.events + COUNT / 2, COUNT / 2);
    assert_in_range(dispatcher_waiting(fixture->daemon.dispatcher), 1, 4096); /* its share */
    until(fixture, fits);
    settle(fixture);
    assert_int_equal(judged_tags(fixture), COUNT);
    crowd_free(&crowd);
}

/* The same after a restart: the store has them all. */
static void what_an_earlier_run_left_is_judged(void **state)
{
    enum { COUNT = 1500 };
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "t0", true, "one");
    struct crowd crowd = crowd_of(COUNT, &digest);

    keep(fixture, crowd.events, COUNT);
    fixture_break_off(fixture);
    fixture_start(fixture);
    until(fixture, fits);
    settle(fixture);
    assert_int_equal(judged_tags(fixture), COUNT);
    crowd_free(&crowd);
}

static bool one_is_judged(struct fixture *fixture)
{
    return text_equal(verdict_of(fixture, "live/app", "v1"), "pass");
}

/* However many events of a dead registry wait, those of others are judged at once. */
static void a_dead_registry_takes_no_places(void **state)
{
    enum { COUNT = 7000 };
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "live/app", "v1", true, "one");
    struct crowd crowd = crowd_of(COUNT, &digest);
    struct event deletions[200];

    start_beside_a_dead_one(fixture);
    for (size_t i = 0; i < COUNT; i++)
        crowd.events[i].registry = down;
    tell(fixture, crowd.events, COUNT);
    /* one tag of it, to and fro: they wait behind the first */
    for (size_t i = 0; i < ARRAY_COUNT(deletions); i++) {
        deletions[i] = crowd.events[0];
        deletions[i].action = i % 2 ? EVENT_PUSH : EVENT_DELETE;
    }
    tell(fixture, deletions, ARRAY_COUNT(deletions));
    turn_for(fixture, 500);
    tell_push(fixture, "live/app", "v1", &digest);
    until(fixture, one_is_judged);
    assert_in_range(dispatcher_waiting(fixture->daemon.dispatcher), 1, IN_MEMORY_MAX);
    assert_int_equal(open_events(fixture), COUNT + ARRAY_COUNT(deletions));
    assert_int_equal(count_of(fixture, STORE_LIST_DEAD_LETTERS, NULL), 0);
    crowd_free(&crowd);
}

static bool all_judged(struct fixture *fixture)
{
    return open_events(fixture) == 0;
}

/* Refused reviews are left to the store when too many wait, and found again. */
static void what_was_left_comes_back(void **state)
{
    enum { COUNT = 3000 };
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "t0", true, "one");
    struct crowd crowd = crowd_of(COUNT, &digest);
    struct fixture_settings settings = {.top = patient};
    int64_t end_ms;

    fixture_stop(fixture);
    fixture_start_with(fixture, &settings);
    switches(fixture, "{'refuse': {'manifests': 403}}");
    tell(fixture, crowd.events, COUNT);
    turn_for(fixture, 3000);
    assert_int_equal(open_events(fixture), COUNT);
    switches(fixture, "{'refuse': {}}");
    end_ms = clock_steady_ms() + 120000;
    while (!all_judged(fixture) && clock_steady_ms() < end_ms)
        turn_for(fixture, 200);
    assert_int_equal(judged_tags(fixture), COUNT);
    crowd_free(&crowd);
}

/* --- actions --- */

static size_t plans(struct fixture *fixture, const char *state)
{
    struct store_filter filter = {.kind = "tag", .state = state, .limit = 1000};

    return count_of(fixture, STORE_LIST_PLANS, &filter);
}

/* Each image of a crowd gets its mark: more actions than there are places. */
static void more_actions_than_places_are_all_done(void **state)
{
    enum { COUNT = 900 };
    struct fixture *fixture = *state;
    struct crowd crowd;
    struct digest digest;

    fixture_stop(fixture);
    fixture_policy(fixture, "enforce", "tag", NULL);
    fixture_start_with(fixture, &(struct fixture_settings){.top = patient});
    digest = push_image(fixture, "team/app", "t0", false, "one");
    crowd = crowd_of(COUNT, &digest);
    switches(fixture, "{'hang': 'policy-fail'}"); /* nothing ends until all are planned */
    tell(fixture, crowd.events, COUNT);
    while (plans(fixture, "planned") < COUNT)
        turn_for(fixture, 50);
    switches(fixture, "{'hang': ''}");
    settle(fixture);
    assert_int_equal(plans(fixture, "done"), COUNT);
    crowd_free(&crowd);
}

/* --- the journal --- */

static bool mark_is_refused(struct fixture *fixture)
{
    AUTO_JSON struct json *answer = stub_ask(&fixture->stub, "{'do': 'peek'}");

    return json_get_integer(answer, "count", 0) > 0 && acts_active(fixture->daemon.acts) == 0 &&
           dispatcher_waiting(fixture->daemon.dispatcher) == 0;
}

static void leave_a_plan(struct fixture *fixture)
{
    struct digest bad;

    fixture_stop(fixture);
    fixture_policy(fixture, "enforce", "tag", NULL);
    fixture_start_with(fixture, &(struct fixture_settings){.top = patient});
    bad = push_image(fixture, "team/app", "v1", false, "bad");
    switches(fixture, "{'refuse': {'^PUT': 429}}");
    tell_push(fixture, "team/app", "v1", &bad);
    until(fixture, mark_is_refused);
    turn_for(fixture, 300);
    assert_int_equal(plans(fixture, "planned"), 1);
}

static void a_plan_of_an_earlier_run_is_carried_out(void **state)
{
    struct fixture *fixture = *state;

    leave_a_plan(fixture);
    fixture_break_off(fixture);
    switches(fixture, "{'refuse': {}}");
    fixture_start(fixture);
    settle(fixture);
    assert_int_equal(plans(fixture, "done"), 1);
}

/* Also when the clock went back meanwhile. */
static void the_journal_does_not_go_by_the_clock(void **state)
{
    struct fixture *fixture = *state;

    leave_a_plan(fixture);
    fixture_break_off(fixture);
    switches(fixture, "{'refuse': {}}");
    clock_set_for_test(clock_wall_ms() - 86400000, -1);
    fixture_start(fixture);
    settle(fixture);
    assert_int_equal(plans(fixture, "done"), 1);
}

/* A registry that is not configured any more: its plan stays, and disturbs nothing. */
static void a_plan_without_registry_stays(void **state)
{
    struct fixture *fixture = *state;

    leave_a_plan(fixture);
    fixture_break_off(fixture);
    switches(fixture, "{'refuse': {}}");
    fixture_start_with(fixture, &(struct fixture_settings){.name = "other"});
    turn_for(fixture, 300);
    assert_int_equal(plans(fixture, "planned"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(more_events_than_places_are_all_judged), TEST(what_an_earlier_run_left_is_judged),
        TEST(a_dead_registry_takes_no_places),        TEST(what_was_left_comes_back),
        TEST(more_actions_than_places_are_all_done),  TEST(a_plan_of_an_earlier_run_is_carried_out),
        TEST(the_journal_does_not_go_by_the_clock),   TEST(a_plan_without_registry_stays),
    };

    return cmocka_run_group_tests_name("bounds", tests, fixture_group_setup,
                                       fixture_group_teardown);
}
