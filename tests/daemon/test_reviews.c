/* The way of an event: what is judged, what is repeated, what is given up, and in which order. */
#include "fixture.h"

#include "regwarden/clock.h"

static const struct daemon_counters *counters(const struct fixture *fixture)
{
    return &fixture->daemon.counters;
}

static size_t plans(struct fixture *fixture, const char *kind, const char *state)
{
    struct store_filter filter = {.kind = kind, .state = state};

    return count_of(fixture, STORE_LIST_PLANS, &filter);
}

static void a_push_is_judged_and_acted_on(void **state)
{
    struct fixture *fixture = *state;
    struct digest good = push_image(fixture, "team/app", "good", true, "good");
    struct digest bad = push_image(fixture, "team/app", "bad", false, "bad");

    tell_push(fixture, "team/app", "good", &good);
    tell_push(fixture, "team/app", "bad", NULL); /* the dialect does not say */
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "good"), "pass");
    assert_string_equal(verdict_of(fixture, "team/app", "bad"), "fail");
    assert_true(tag_is(fixture, "team/app", "good", &good));
    assert_true(tag_is(fixture, "team/app", "bad", NULL));
    assert_true(tag_is(fixture, "quarantine/team/app", "bad", &bad));
}

/* What we push ourselves is told to us like any push. */
static void an_own_push_is_not_judged(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    tell_push(fixture, "quarantine/team/app", "v1", &bad);
    settle(fixture);
    assert_int_equal(counters(fixture)->own_pushes, 1);
    assert_string_equal(verdict_of(fixture, "quarantine/team/app", "v1"), "");
    assert_int_equal(plans(fixture, "quarantine", NULL), 1);
}

static void equal_events_have_one_review(void **state)
{
    enum { COUNT = 50 };
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");
    struct event events[COUNT];

    for (int i = 0; i < COUNT; i++)
        events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &digest);
    tell(fixture, events, COUNT);
    tell(fixture, events, COUNT); /* joins what is under way, or is a repetition */
    settle(fixture);
    assert_in_range(counters(fixture)->reviews_begun, 1, 3);
    assert_int_equal(counters(fixture)->verdicts[VERDICT_PASS], 1);
    assert_int_equal(open_events(fixture), 0);
}

/* A tag's pushes are judged one after the other, in their order. */
static void pushes_of_a_tag_keep_their_order(void **state)
{
    enum { COUNT = 12 };
    struct fixture *fixture = *state;
    struct event events[COUNT];
    struct digest digests[COUNT];
    struct store_filter filter = {.registry = "main", .repository = "team/app", .tag = "v1"};

    fixture_stop(fixture);
    fixture_policy(fixture, "audit", "tag", NULL);
    fixture_start(fixture);
    for (int i = 0; i < COUNT; i++) {
        AUTO_FREE char *content = text_new("%d", i);

        digests[i] = push_image(fixture, "team/app", "v1", i % 2 == 0, content);
        events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &digests[i]);
    }
    tell(fixture, events, COUNT);
    settle(fixture);
    AUTO_JSON struct json *history = list(fixture, STORE_LIST_HISTORY, &filter);
    assert_int_equal(json_count(history), COUNT);
    for (int i = 0; i < COUNT; i++) {
        char text[DIGEST_TEXT_SIZE];

        assert_string_equal(json_get_string(json_at(history, (size_t)(COUNT - 1 - i)), "digest"),
                            digest_format(&digests[i], text));
    }
}

static void a_repetition_keeps_the_verdict(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");

    tell_push(fixture, "team/app", "v1", &digest);
    settle(fixture);
    (void)requests(fixture);
    for (int i = 0; i < 2; i++) { /* from memory, and from the record */
        tell_push(fixture, "team/app", "v1", &digest);
        settle(fixture);
        assert_int_equal(counters(fixture)->reviews_repeated, 1);
        assert_int_equal(requests(fixture), 0);
        fixture_stop(fixture);
        fixture_start(fixture);
    }
}

/* Facts are kept: the same image elsewhere costs no request, also after a restart. */
static void a_known_image_is_not_fetched_again(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");

    tell_push(fixture, "team/app", "v1", &digest);
    settle(fixture);
    (void)requests(fixture);
    tell_push(fixture, "team/app", "v2", &digest);
    settle(fixture);
    fixture_stop(fixture);
    fixture_start(fixture);
    tell_push(fixture, "other/app", "v1", &digest);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "other/app", "v1"), "pass");
    assert_int_equal(requests(fixture), 0);
}

/* Many tags of one new image: one of the reviews fetches it. */
static void one_review_works_for_all_of_a_digest(void **state)
{
    enum { COUNT = 40 };
    struct fixture *fixture = *state;
    struct digest digest = push_many(fixture, "team/app", "t", COUNT);
    struct event events[COUNT];
    char tags[COUNT][16];

    (void)requests(fixture);
    for (int i = 0; i < COUNT; i++) {
        snprintf(tags[i], sizeof tags[i], "t%05d", i);
        events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", tags[i], &digest);
    }
    tell(fixture, events, COUNT);
    settle(fixture);
    assert_int_equal(counters(fixture)->verdicts[VERDICT_PASS], COUNT);
    assert_int_equal(requests(fixture), 2); /* manifest and config */
}

/* --- gone --- */

static void what_is_not_there_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");

    stub_tell(&fixture->stub, "{'do': 'reset'}");
    tell_push(fixture, "team/app", "v1", &digest);
    tell_push(fixture, "team/app", "v2", NULL);
    settle(fixture);
    assert_int_equal(counters(fixture)->reviews_gone, 2);
    assert_int_equal(count_of(fixture, STORE_LIST_DEAD_LETTERS, NULL), 0);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "");
}

/* A notification may come before its tag is there. */
static void what_comes_a_little_later_is_not_gone(void **state)
{
    struct fixture *fixture = *state;

    tell_push(fixture, "team/app", "v1", NULL);
    turn_for(fixture, 100);
    push_image(fixture, "team/app", "v1", true, "one");
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

/* What is to be removed neither: an absent tag may be one that is not linked yet. */
static void a_tag_that_comes_a_little_later_is_removed(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad;

    fixture_stop(fixture);
    fixture_policy(fixture, "enforce", "remove", NULL);
    fixture_start(fixture);
    bad = push_image(fixture, "team/app", "other", false, "bad");
    tell_push(fixture, "team/app", "v1", &bad);
    turn_for(fixture, 100);
    assert_int_equal(plans(fixture, "remove", NULL), 1);
    push_image(fixture, "team/app", "v1", false, "bad");
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", "v1", NULL));
    assert_true(tag_is(fixture, "team/app", "other", &bad));
    assert_int_equal(plans(fixture, "remove", "done"), 1);
}

static void a_deletion_ends_the_verdict_and_its_events(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest;
    struct event events[3];

    for (int round = 0; round < 2; round++) { /* by tag, by digest */
        digest = push_image(fixture, "team/app", "v1", true, "one");
        tell_push(fixture, "team/app", "v1", &digest);
        settle(fixture);
        assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
        for (size_t i = 0; i < ARRAY_COUNT(events); i++) { /* told three times */
            events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", round ? NULL : "v1", &digest);
            events[i].action = EVENT_DELETE;
        }
        take_away(fixture, "team/app", "v1", round ? &digest : NULL);
        tell(fixture, events, ARRAY_COUNT(events));
        settle(fixture);
        assert_string_equal(verdict_of(fixture, "team/app", "v1"), "");
    }
    /* and back: what memory has of the old verdict answers nothing */
    push_image(fixture, "team/app", "v1", true, "one");
    tell_push(fixture, "team/app", "v1", &digest);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

/* --- back again --- */

static void what_is_pushed_again_is_acted_on_again(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    for (size_t round = 2; round < 4; round++) {
        assert_true(tag_is(fixture, "team/app", "v1", NULL));
        push_image(fixture, "team/app", "v1", false, "bad");
        tell_push(fixture, "team/app", "v1", &bad);
        settle(fixture);
        assert_true(tag_is(fixture, "team/app", "v1", NULL));
        assert_int_equal(plans(fixture, "quarantine", "done"), round);
        if (round == 2) /* also when the registry told us that the tag had gone */
            tell_delete(fixture, "team/app", "v1", &bad);
    }
}

static void a_notification_that_comes_twice_acts_once(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    assert_int_equal(plans(fixture, "quarantine", NULL), 1);
}

static bool is_released(struct fixture *fixture)
{
    return !fixture->daemon.asks;
}

/* The event of the operator's own push comes while the undo is not in the journal yet, or later. */
static void what_an_operator_put_back_stays(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");
    struct store_filter done = {.kind = "quarantine", .state = "done"};

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    AUTO_JSON struct json *items = list(fixture, STORE_LIST_PLANS, &done);
    daemon_release(&fixture->daemon, 0, json_get_integer(json_at(items, 0), "id", 0), false, "me");
    while (!is_released(fixture)) {
        if (tag_is(fixture, "team/app", "v1", &bad))
            tell_push(fixture, "team/app", "v1", &bad);
        turn_for(fixture, 1);
    }
    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", "v1", &bad));
    assert_int_equal(plans(fixture, "quarantine", "undone"), 1);
    assert_int_equal(plans(fixture, "quarantine", NULL), 1);
}

/* --- who pushed, who found --- */

static void what_stood_there_is_only_reported(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");
    struct event found = make_event(EVENT_CAUSE_EXISTING, "team/app", "v1", &bad);

    tell(fixture, &found, 1);
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", "v1", &bad));
    assert_int_equal(plans(fixture, "quarantine", "would"), 1);
    AUTO_JSON struct json *items = list(fixture, STORE_LIST_VERDICTS, NULL);
    assert_false(json_bool(json_get(json_at(items, 0), "enforced"), true));
}

/* A first sweep that meets a push does not take it for old. */
static void a_push_among_findings_is_a_push(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");
    struct event events[] = {make_event(EVENT_CAUSE_EXISTING, "team/app", "v1", &bad),
                             make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &bad)};

    tell(fixture, events, 2);
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", "v1", NULL));
}

/* --- giving up --- */

static void what_cannot_be_had_becomes_a_letter_and_unknown(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");

    switches(fixture, "{'refuse': {'manifests': 403}}");
    tell_push(fixture, "team/app", "v1", &digest);
    tell_push(fixture, "team/app", "v2", NULL);
    settle(fixture);
    assert_int_equal(counters(fixture)->reviews_given_up, 2);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "unknown");
    assert_string_equal(verdict_of(fixture, "team/app", "v2"), ""); /* nothing to put it on */
    AUTO_JSON struct json *letters = list(fixture, STORE_LIST_DEAD_LETTERS, NULL);
    assert_int_equal(json_count(letters), 2);

    switches(fixture, "{'refuse': {}}");
    for (size_t i = 0; i < 2; i++)
        daemon_retry_dead_letter(&fixture->daemon, 0,
                                 json_get_integer(json_at(letters, i), "id", 0));
    until(fixture, is_released);
    push_image(fixture, "team/app", "v2", true, "two");
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
    assert_string_equal(verdict_of(fixture, "team/app", "v2"), "pass");
    assert_int_equal(count_of(fixture, STORE_LIST_DEAD_LETTERS, NULL), 0);
}

static void an_old_event_gets_its_chance(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");
    struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &digest);

    event.received_ms -= 3600000; /* nobody was there for an hour */
    switches(fixture, "{'refuse': {'manifests': 403}}");
    tell(fixture, &event, 1);
    turn_for(fixture, 50);
    switches(fixture, "{'refuse': {}}");
    settle(fixture);
    assert_int_equal(counters(fixture)->reviews_given_up, 0);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

static void events_of_a_lost_registry_become_letters(void **state)
{
    static char other[] = "other";
    struct fixture *fixture = *state;
    struct digest digest = push_image(fixture, "team/app", "v1", true, "one");
    struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &digest);

    event.registry = other;
    tell(fixture, &event, 1);
    settle(fixture);
    AUTO_JSON struct json *letters = list(fixture, STORE_LIST_DEAD_LETTERS, NULL);
    assert_int_equal(json_count(letters), 1);
    assert_non_null(strstr(json_get_string(json_at(letters, 0), "reason"), "not configured"));
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "");
}

static void an_illegal_image_fails(void **state)
{
    struct fixture *fixture = *state;
    struct json *answer = stub_ask(
        &fixture->stub,
        "{'do': 'image', 'repository': 'team/app', 'tag': 'v1', 'config': 'no JSON at all'}");
    struct digest digest;

    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &digest, NULL), 0);
    json_release(answer);
    tell_push(fixture, "team/app", "v1", &digest);
    settle(fixture);
    assert_int_equal(counters(fixture)->verdicts[VERDICT_PASS], 0);
    assert_int_equal(counters(fixture)->verdicts[VERDICT_FAIL], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_push_is_judged_and_acted_on),
        TEST(an_own_push_is_not_judged),
        TEST(equal_events_have_one_review),
        TEST(pushes_of_a_tag_keep_their_order),
        TEST(a_repetition_keeps_the_verdict),
        TEST(a_known_image_is_not_fetched_again),
        TEST(one_review_works_for_all_of_a_digest),
        TEST(what_is_not_there_is_gone),
        TEST(what_comes_a_little_later_is_not_gone),
        TEST(a_tag_that_comes_a_little_later_is_removed),
        TEST(a_deletion_ends_the_verdict_and_its_events),
        TEST(what_is_pushed_again_is_acted_on_again),
        TEST(a_notification_that_comes_twice_acts_once),
        TEST(what_an_operator_put_back_stays),
        TEST(what_stood_there_is_only_reported),
        TEST(a_push_among_findings_is_a_push),
        TEST(what_cannot_be_had_becomes_a_letter_and_unknown),
        TEST(an_old_event_gets_its_chance),
        TEST(events_of_a_lost_registry_become_letters),
        TEST(an_illegal_image_fails),
    };

    return cmocka_run_group_tests_name("reviews", tests, fixture_group_setup,
                                       fixture_group_teardown);
}
