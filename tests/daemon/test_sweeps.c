/* Walks over a registry: what they find, what they leave alone, and what they make of a registry
 * that does not tell all. */
#include "fixture.h"

#include "regwarden/clock.h"

static bool sweep_is_over(struct fixture *fixture)
{
    AUTO_JSON struct json *sweeps = sweeps_status(fixture->daemon.sweeps);

    return !json_bool(json_get(json_at(sweeps, 0), "running"), true);
}

/* Returns why it failed, "" when it did not. Borrowed until the next call. */
static const char *sweep(struct fixture *fixture)
{
    static char why[ERROR_TEXT_SIZE];

    assert_true(sweeps_request(fixture->daemon.sweeps, NULL, "test"));
    until(fixture, sweep_is_over);
    settle(fixture);
    AUTO_JSON struct json *sweeps = sweeps_status(fixture->daemon.sweeps);
    const char *error = json_get_string(json_at(sweeps, 0), "error");
    snprintf(why, sizeof why, "%s", error ? error : "");
    return why;
}

static int64_t tags(struct fixture *fixture, const char *which)
{
    AUTO_JSON struct json *status = list(fixture, STORE_LIST_STATUS, NULL);

    return json_get_integer(json_get(status, "tags"), which, -1);
}

/* The digits of a digest, as the names of our tags have them. Borrowed until the next call. */
static const char *own_tag(const struct digest *digest)
{
    static char text[DIGEST_TEXT_SIZE];

    return strchr(digest_format(digest, text), ':') + 1;
}

static void turn_past_this_moment(struct fixture *fixture)
{
    int64_t now_ms = clock_wall_ms();

    while (clock_wall_ms() == now_ms)
        turn_for(fixture, 2);
}

/* As many requests as the registry takes. */
static void unhurried(struct fixture *fixture)
{
    fixture_stop(fixture);
    fixture_start_with(fixture, &(struct fixture_settings){.registry = "    sweep-rate: 0\n"});
}

static void it_finds_what_no_event_announced(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *fixture = *state;

    unhurried(fixture);
    switches(fixture, "{'page': 300}");
    push_many(fixture, "team/app", "v", COUNT);
    push_many(fixture, "other/app", NULL, 700);
    assert_string_equal(sweep(fixture), "");
    assert_int_equal(tags(fixture, "judged"), COUNT + 700);
    assert_string_equal(verdict_of(fixture, "team/app", "v04999"), "pass");
    /* a second one finds nothing new, and forgets nothing */
    uint64_t before = fixture->daemon.counters.reviews_begun;
    assert_string_equal(sweep(fixture), "");
    assert_int_equal(fixture->daemon.counters.reviews_begun, before);
    assert_int_equal(tags(fixture, "judged"), COUNT + 700);
}

/* The first one takes what it finds for old, the next for news. */
static void the_first_one_only_reports(void **state)
{
    struct fixture *fixture = *state;
    struct digest old = push_image(fixture, "team/app", "old", false, "old");

    assert_string_equal(sweep(fixture), "");
    assert_string_equal(verdict_of(fixture, "team/app", "old"), "fail");
    assert_true(tag_is(fixture, "team/app", "old", &old));
    push_image(fixture, "team/app", "new", false, "new");
    assert_string_equal(sweep(fixture), "");
    assert_true(tag_is(fixture, "team/app", "new", NULL));
    assert_true(tag_is(fixture, "team/app", "old", &old));
}

static void what_it_misses_is_gone(void **state)
{
    struct fixture *fixture = *state;

    push_image(fixture, "team/app", "stays", true, "one");
    push_image(fixture, "team/app", "goes", true, "one");
    push_image(fixture, "team/other", "goes", true, "one");
    assert_string_equal(sweep(fixture), "");
    turn_past_this_moment(fixture);
    take_away(fixture, "team/app", "goes", NULL);
    take_away(fixture, "team/other", "goes", NULL);
    assert_string_equal(sweep(fixture), "");
    assert_int_equal(tags(fixture, "known"), 1);
    assert_string_equal(verdict_of(fixture, "team/app", "stays"), "pass");
}

/* --- registries that do not tell all --- */

struct skipping {
    const char *refuse;
    bool may_pass; /* so that the sweep is not complete */
};

static void one_that_cannot_be_read_does_not_end_the_walk(void **state)
{
    static const struct skipping cases[] = {
        {"{'refuse': {'b/app/tags': 403}}", true},
        {"{'refuse': {'b/app/manifests': 403}}", true},
        {"{'refuse': {'b/app/manifests': 404}}", false}, /* deleted meanwhile */
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *tag = text_new("v%zu", i);

        push_image(fixture, "a/app", tag, true, "one");
        push_image(fixture, "b/app", tag, true, "two");
        push_image(fixture, "c/app", tag, true, "three");
        switches(fixture, cases[i].refuse);
        assert_int_equal(sweep(fixture)[0] != '\0', cases[i].may_pass);
        assert_string_equal(verdict_of(fixture, "a/app", tag), "pass");
        assert_string_equal(verdict_of(fixture, "b/app", tag), "");
        assert_string_equal(verdict_of(fixture, "c/app", tag), "pass");
        switches(fixture, "{'refuse': {}}");
        assert_string_equal(sweep(fixture), "");
        assert_string_equal(verdict_of(fixture, "b/app", tag), "pass");
        turn_past_this_moment(fixture);
    }
}

/* What was known there is not forgotten for it. */
static void what_could_not_be_looked_at_is_not_gone(void **state)
{
    struct fixture *fixture = *state;

    push_image(fixture, "a/app", "v1", true, "one");
    push_image(fixture, "b/app", "v1", true, "two");
    assert_string_equal(sweep(fixture), "");
    turn_past_this_moment(fixture);
    switches(fixture, "{'refuse': {'b/app/(tags|manifests)': 403}}");
    assert_string_not_equal(sweep(fixture), "");
    assert_string_equal(verdict_of(fixture, "b/app", "v1"), "pass");
}

static void a_registry_that_is_down_ends_the_walk_early(void **state)
{
    struct fixture *fixture = *state;

    push_many(fixture, "team/app", "v", 300);
    (void)requests(fixture);
    switches(fixture, "{'refuse': {'manifests': 503}}");
    assert_string_not_equal(sweep(fixture), "");
    assert_in_range(requests(fixture), 1, 150);
}

static void a_catalogue_that_is_refused_is_told(void **state)
{
    struct fixture *fixture = *state;

    push_image(fixture, "a/app", "v1", true, "one");
    switches(fixture, "{'catalog': 401}");
    assert_string_not_equal(sweep(fixture), "");
    switches(fixture, "{'catalog': 200}");
    assert_string_equal(sweep(fixture), "");
    assert_string_equal(verdict_of(fixture, "a/app", "v1"), "pass");
}

/* Some registries show nothing to those who may not see all. */
static void an_empty_catalogue_is_believed_only_when_nothing_is_known(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(sweep(fixture), "");
    push_image(fixture, "a/app", "v1", true, "one");
    assert_string_equal(sweep(fixture), "");
    turn_past_this_moment(fixture);
    stub_tell(&fixture->stub, "{'do': 'reset'}");
    assert_non_null(strstr(sweep(fixture), "the catalogue is empty"));
    assert_string_equal(verdict_of(fixture, "a/app", "v1"), "pass");
}

/* --- what is to be walked --- */

static void a_sweep_of_some_repositories_leaves_the_others(void **state)
{
    static const struct {
        const char *setting;
        bool finds_two;
    } cases[] = {
        {"    sweep-repositories: [\"a/*\"]\n", true},
        {"    sweep-repositories: [\"a/one\"]\n", false},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest digest;

        fixture_stop(fixture);
        fixture_start_with(fixture, &(struct fixture_settings){.registry = cases[i].setting});
        AUTO_FREE char *tag = text_new("v%zu", i);
        push_image(fixture, "a/one", tag, true, "one");
        push_image(fixture, "a/two", tag, true, "one");
        digest = push_image(fixture, "b/one", tag, true, "one");
        tell_push(fixture, "b/one", tag, &digest);
        settle(fixture);
        turn_past_this_moment(fixture);
        /* without a catalogue where plain names do */
        switches(fixture, cases[i].finds_two ? "{'catalog': 200}" : "{'catalog': 404}");
        assert_string_equal(sweep(fixture), "");
        assert_string_equal(verdict_of(fixture, "a/one", tag), "pass");
        assert_string_equal(verdict_of(fixture, "a/two", tag), cases[i].finds_two ? "pass" : "");
        assert_string_equal(verdict_of(fixture, "b/one", tag), "pass");
    }
}

static void the_quarantine_is_not_walked(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    assert_true(tag_is(fixture, "quarantine/team/app", "v1", &bad));
    assert_string_equal(sweep(fixture), "");
    assert_string_equal(sweep(fixture), "");
    assert_true(tag_is(fixture, "quarantine/team/app", "v1", &bad));
    assert_int_equal(count_of(fixture, STORE_LIST_VERDICTS, NULL), 0);
}

/* --- stopped in the middle --- */

static bool has_begun(struct fixture *fixture)
{
    AUTO_JSON struct json *answer = stub_ask(&fixture->stub, "{'do': 'peek'}");

    return json_get_integer(answer, "count", 0) > 0;
}

static void a_sweep_that_is_stopped_says_so(void **state)
{
    static const char *const hangs[] = {"{'hang': 'nothing'}", "{'hang': '_catalog.*last'}",
                                        "{'hang': 'tags'}", "{'hang': 'manifests'}"};
    struct fixture *fixture = *state;

    push_many(fixture, "team/app", "v", 50);
    push_many(fixture, "other/app", NULL, 3);
    for (size_t i = 0; i < ARRAY_COUNT(hangs); i++) {
        stub_tell(&fixture->stub, "{'do': 'fault'}"); /* counts from 0 */
        switches(fixture, "{'page': 2}");
        switches(fixture, hangs[i]);
        assert_true(sweeps_request(fixture->daemon.sweeps, "main", "test"));
        until(fixture, has_begun);
        turn_for(fixture, (int64_t)(10 * i));
        fixture_break_off(fixture);
        switches(fixture, "{'hang': '', 'page': 1000}");
        fixture_start(fixture);
        AUTO_JSON struct json *sweeps = list(fixture, STORE_LIST_SWEEPS, NULL);
        assert_string_not_equal(json_get_string(json_at(sweeps, 0), "state"), "complete");
    }
    assert_string_equal(sweep(fixture), "");
    assert_int_equal(tags(fixture, "judged"), 53);
}

/* As at the daemon's start. */
static void start_sweeps(struct fixture *fixture)
{
    struct daemon *daemon = &fixture->daemon;

    daemon->config->sweep_at_start = true;
    ((struct config_registry *)(uintptr_t)daemon->registries[0].settings)->sweep_interval_ms =
        INT64_C(3600000);
    sweeps_start(daemon->sweeps);
}

static void one_that_was_stopped_goes_on_where_it_was(void **state)
{
    enum { COUNT = 1500, SLACK = 400 /* batches that were not saved, pages, reviews */ };
    struct fixture *fixture = *state;
    size_t before;

    unhurried(fixture);
    switches(fixture, "{'page': 200}");
    push_many(fixture, "team/app", "v", COUNT);
    push_many(fixture, "other/app", NULL, 100);
    stub_tell(&fixture->stub, "{'do': 'fault'}"); /* counts from 0 */
    (void)requests(fixture);
    switches(fixture, "{'hang': 'manifests/v01000'}");
    assert_true(sweeps_request(fixture->daemon.sweeps, "main", "test"));
    turn_for(fixture, 1500);
    fixture_break_off(fixture);
    switches(fixture, "{'hang': ''}");
    before = requests(fixture);
    assert_in_range(before, 1000, 1200 + SLACK);
    unhurried(fixture);
    start_sweeps(fixture);
    until(fixture, sweep_is_over);
    settle(fixture);
    assert_int_equal(tags(fixture, "judged"), COUNT + 100);
    assert_in_range(before + requests(fixture), COUNT, COUNT + 2 * 100 + SLACK);
    AUTO_JSON struct json *sweeps = list(fixture, STORE_LIST_SWEEPS, NULL);
    assert_int_equal(json_count(sweeps), 1);
    assert_string_equal(json_get_string(json_at(sweeps, 0), "state"), "complete");
    assert_int_equal(json_get_integer(json_at(sweeps, 0), "seen", 0), COUNT + 100);
    assert_int_equal(json_get_integer(json_at(sweeps, 0), "wanted", 0), COUNT + 100);
}

static void it_keeps_to_its_pace(void **state)
{
    struct fixture *fixture = *state;
    int64_t begun_ms;

    push_many(fixture, "team/app", "v", 100);
    assert_string_equal(sweep(fixture), "");
    fixture_stop(fixture);
    fixture_start_with(fixture, &(struct fixture_settings){.registry = "    sweep-rate: 50\n"});
    begun_ms = clock_steady_ms();
    assert_string_equal(sweep(fixture), "");
    assert_in_range(clock_steady_ms() - begun_ms, 1800, 10000);
}

static void a_tag_of_ours_that_was_taken_off_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad;

    fixture_policy(fixture, "enforce", "tag", NULL);
    fixture_stop(fixture);
    fixture_start(fixture);
    bad = push_image(fixture, "team/app", "v1", false, "bad");
    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    AUTO_FREE char *name = text_new("policy-fail-%.12s", own_tag(&bad));
    assert_true(tag_is(fixture, "team/app", name, &bad));
    turn_past_this_moment(fixture);
    assert_string_equal(sweep(fixture), "");
    assert_true(tag_is(fixture, "team/app", name, &bad));
    turn_past_this_moment(fixture);
    take_away(fixture, "team/app", name, NULL);
    assert_string_equal(sweep(fixture), "");
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", name, &bad));
    /* but not beside an image that is gone itself */
    turn_past_this_moment(fixture);
    take_away(fixture, "team/app", name, NULL);
    take_away(fixture, "team/app", "v1", NULL);
    assert_string_equal(sweep(fixture), "");
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", name, NULL));
}

static void an_unknown_registry_is_not_swept(void **state)
{
    struct fixture *fixture = *state;

    assert_false(sweeps_request(fixture->daemon.sweeps, "nowhere", "test"));
}

/* Asked for while one is running: another one follows. */
static void what_is_asked_for_meanwhile_follows(void **state)
{
    struct fixture *fixture = *state;

    push_image(fixture, "a/app", "v1", true, "one");
    for (int i = 0; i < 5; i++)
        assert_true(sweeps_request(fixture->daemon.sweeps, "main", "test"));
    until(fixture, sweep_is_over);
    settle(fixture);
    turn_for(fixture, 100);
    until(fixture, sweep_is_over);
    assert_int_equal(count_of(fixture, STORE_LIST_SWEEPS, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_finds_what_no_event_announced),
        TEST(the_first_one_only_reports),
        TEST(what_it_misses_is_gone),
        TEST(one_that_cannot_be_read_does_not_end_the_walk),
        TEST(what_could_not_be_looked_at_is_not_gone),
        TEST(a_registry_that_is_down_ends_the_walk_early),
        TEST(a_catalogue_that_is_refused_is_told),
        TEST(an_empty_catalogue_is_believed_only_when_nothing_is_known),
        TEST(a_sweep_of_some_repositories_leaves_the_others),
        TEST(the_quarantine_is_not_walked),
        TEST(a_sweep_that_is_stopped_says_so),
        TEST(one_that_was_stopped_goes_on_where_it_was),
        TEST(it_keeps_to_its_pace),
        TEST(a_tag_of_ours_that_was_taken_off_comes_back),
        TEST(an_unknown_registry_is_not_swept),
        TEST(what_is_asked_for_meanwhile_follows),
    };

    return cmocka_run_group_tests_name("sweeps", tests, fixture_group_setup,
                                       fixture_group_teardown);
}
