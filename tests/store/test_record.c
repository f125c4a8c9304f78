/* The record of reviews and what the next review reads of it: facts, placements, verdicts in force,
 * what stood there before, what passed last. */
#include "fixture.h"

#include "regwarden/clock.h"

static const char *const one_rule[] = {"non-root", NULL};

static struct json *verdicts(struct fixture *fixture)
{
    return read_list(fixture, STORE_LIST_VERDICTS, NULL);
}

static void record_as(struct fixture *fixture, const char *tag, const char *content,
                      enum verdict_status status, const char *revision)
{
    struct verdict verdict =
        make_verdict(status, revision, status == VERDICT_FAIL ? one_rule : NULL);
    struct store_record wanted = make_record("team/app", tag, content, &verdict);

    record(fixture, &wanted);
    verdict_release(&verdict);
}

static void nothing_is_known_of_a_new_place(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("team/app", "v1", "one");
    struct store_context context = read_context(fixture, &event);

    assert_false(context.placement_known);
    assert_false(context.is_own_push);
    assert_false(context.has_verdict);
    assert_null(context.facts);
    assert_false(digest_is_set(&context.current));
    assert_false(digest_is_set(&context.previous));
    assert_false(digest_is_set(&context.last_passing));
    assert_int_equal(context.acted, 0);
}

static void a_verdict_is_in_force_for_its_digest_only(void **state)
{
    struct fixture *fixture = *state;
    struct event same = make_event("team/app", "v1", "one");
    struct event other = make_event("team/app", "v1", "two");
    struct event elsewhere = make_event("team/app", "v2", "one");
    int64_t before = clock_wall_ms();

    record_as(fixture, "v1", "one", VERDICT_FAIL, "revision-1");
    struct store_context context = read_context(fixture, &same);
    assert_true(context.placement_known);
    assert_true(context.has_verdict);
    assert_int_equal(context.verdict, VERDICT_FAIL);
    assert_string_equal(context.policy_revision, "revision-1");
    assert_true(digest_equal(&context.current, &same.digest));
    assert_false(digest_is_set(&context.previous));
    assert_true(context.first_seen_ms >= before);

    context = read_context(fixture, &other);
    assert_false(context.placement_known);
    assert_false(context.has_verdict);
    assert_int_equal(context.first_seen_ms, 0);
    assert_true(digest_equal(&context.current, &same.digest));
    assert_true(digest_equal(&context.previous, &same.digest)); /* it is about to move */
    assert_int_equal(context.previous_size_bytes, 1000);

    context = read_context(fixture, &elsewhere);
    assert_false(context.placement_known);
    assert_false(digest_is_set(&context.current));
}

static void a_moved_tag_remembers_what_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct event two = make_event("team/app", "v1", "two");
    struct digest one = digest_of("one");

    record_as(fixture, "v1", "one", VERDICT_PASS, "r");
    record_as(fixture, "v1", "two", VERDICT_FAIL, "r");
    struct store_context context = read_context(fixture, &two);
    assert_true(context.has_verdict);
    assert_true(digest_equal(&context.current, &two.digest));
    assert_true(digest_equal(&context.previous, &one));
    assert_int_equal(context.previous_size_bytes, 1000);
    assert_true(digest_equal(&context.last_passing, &one));

    /* the same digest once more changes none of this */
    record_as(fixture, "v1", "two", VERDICT_FAIL, "r2");
    context = read_context(fixture, &two);
    assert_true(digest_equal(&context.previous, &one));
    assert_string_equal(context.policy_revision, "r2");
    AUTO_JSON struct json *list = verdicts(fixture);
    assert_int_equal(json_count(list), 1);
    AUTO_JSON struct json *history = read_list(
        fixture, STORE_LIST_HISTORY,
        &(struct store_filter){.registry = "main", .repository = "team/app", .tag = "v1"});
    assert_int_equal(json_count(history), 3);
    assert_null(json_get(json_at(history, 0), "supersededAt"));
    assert_non_null(json_get(json_at(history, 1), "supersededAt"));
}

static void the_last_passing_digest_is_another_one(void **state)
{
    static const struct {
        const char *content;
        enum verdict_status status;
        const char *last_passing; /* for this content, afterwards */
    } steps[] = {
        {"one", VERDICT_FAIL, NULL},       {"two", VERDICT_PASS, NULL},
        {"three", VERDICT_UNKNOWN, "two"}, {"four", VERDICT_WARN, "two"},
        {"five", VERDICT_FAIL, "four"},    {"four", VERDICT_FAIL, "two"}, /* it passes no longer */
        {"five", VERDICT_FAIL, "two"},     {"two", VERDICT_FAIL, NULL},
        {"six", VERDICT_PASS, NULL},       {"seven", VERDICT_FAIL, "six"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct event event = make_event("team/app", "v1", steps[i].content);
        struct digest expected = digest_of(steps[i].last_passing);

        record_as(fixture, "v1", steps[i].content, steps[i].status, "r");
        struct store_context context = read_context(fixture, &event);
        assert_true(digest_equal(&context.last_passing, &expected));
    }
}

static void untagged_digests_stand_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    struct event one = make_event("team/app", NULL, "one");
    struct event two = make_event("team/app", NULL, "two");

    record_as(fixture, NULL, "one", VERDICT_PASS, "r");
    record_as(fixture, NULL, "two", VERDICT_FAIL, "r");
    struct store_context context = read_context(fixture, &one);
    assert_int_equal(context.verdict, VERDICT_PASS);
    assert_false(digest_is_set(&context.previous));
    context = read_context(fixture, &two);
    assert_int_equal(context.verdict, VERDICT_FAIL);
}

/* What a record hands back for a cache is what the store itself would read. */
static void assert_same_facts(struct store *store, const struct text *wanted,
                              const struct text *packed)
{
    struct facts *facts = NULL;
    AUTO_TEXT struct text text = {0};
    struct error error = {0};

    assert_int_equal(store_unpack_facts(store, packed->data, packed->length, &facts, &error), 0);
    AUTO_JSON struct json *json = facts_to_json(facts);
    json_write(json, JSON_SORTED, &text);
    assert_string_equal(text_data(wanted), text_data(&text));
    facts_free(facts);
    assert_int_equal(store_unpack_facts(store, packed->data, packed->length - 1, &facts, &error),
                     FAILURE_SYSTEM);
}

static void facts_come_back_and_another_version_does_not(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("team/app", "v1", "one");
    struct facts *facts = make_facts("one");
    AUTO_TEXT struct text packed = {0};
    struct store_image image = {.digest = event.digest, .facts = facts, .ret_packed = &packed};
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record("team/app", "v1", "one", &verdict);
    struct reply unknown = {0};
    struct reply known = {0};
    struct digest other = digest_of("other");

    wanted.images = &image;
    wanted.image_count = 1;
    record(fixture, &wanted);
    record(fixture, &wanted); /* written over, not twice */
    fixture_reopen(fixture);
    struct store_context context = read_context(fixture, &event);
    assert_non_null(context.facts);
    AUTO_JSON struct json *before = facts_to_json(facts);
    AUTO_JSON struct json *after = facts_to_json(context.facts);
    AUTO_TEXT struct text before_text = {0};
    AUTO_TEXT struct text after_text = {0};
    json_write(before, JSON_SORTED, &before_text);
    json_write(after, JSON_SORTED, &after_text);
    assert_string_equal(text_data(&before_text), text_data(&after_text));
    assert_same_facts(fixture->store, &before_text, &packed);
    facts_free(context.facts);
    facts_free(facts);

    store_read_facts(fixture->store, &event.digest, on_facts, &known);
    fixture_wait(fixture, &known, 1);
    assert_non_null(known.facts);
    store_read_facts(fixture->store, &other, on_facts, &unknown);
    fixture_wait(fixture, &unknown, 1);
    assert_null(unknown.facts);
    assert_int_equal(unknown.error.kind, FAILURE_NONE);
    reply_release(&known);

    fixture_change(fixture, "UPDATE facts SET version = version + 1");
    store_read_facts(fixture->store, &event.digest, on_facts, &known);
    fixture_wait(fixture, &known, 1);
    assert_int_equal(known.error.kind, FAILURE_NONE);
    assert_null(known.facts);
}

static void a_record_finishes_its_events(void **state)
{
    struct fixture *fixture = *state;
    struct event events[] = {make_event("team/app", "v1", "one"),
                             make_event("team/app", "v1", "one"),
                             make_event("team/app", "v2", "one")};
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record("team/app", "v1", "one", &verdict);
    struct reply done = {0};

    for (size_t i = 0; i < ARRAY_COUNT(events); i++)
        add_event(fixture, &events[i]);
    wanted.event_ids = (const int64_t[]){events[0].id, events[1].id};
    wanted.event_count = 2;
    record(fixture, &wanted);
    assert_int_equal(count_open(fixture), 1);
    store_record_repeat(fixture->store, "main", "team/app", "v1", clock_wall_ms() + 5000,
                        &events[2].id, 1, on_done, &done);
    fixture_wait(fixture, &done, 1);
    assert_int_equal(count_open(fixture), 0);
    AUTO_JSON struct json *list = verdicts(fixture);
    const struct json *item = json_at(list, 0);
    assert_string_not_equal(json_get_string(item, "lastSeenAt"),
                            json_get_string(item, "firstSeenAt"));
    assert_string_equal(json_get_string(item, "judgedAt"), json_get_string(item, "firstSeenAt"));
}

/* A verdict that is no longer in force answers nothing. */
static void a_repeat_of_what_is_gone_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record("team/app", "v1", "one", &verdict);
    struct event gone = make_event("team/app", NULL, "one");
    struct event again = make_event("team/app", "v1", "one");
    struct reply done = {0};
    struct reply repeated = {0};

    record(fixture, &wanted);
    gone.action = EVENT_DELETE;
    add_event(fixture, &gone);
    store_record_gone(fixture->store, &gone, on_done, &done);
    add_event(fixture, &again);
    store_record_repeat(fixture->store, "main", "team/app", "v1", clock_wall_ms(), &again.id, 1,
                        on_done, &repeated);
    fixture_wait(fixture, &repeated, 1);
    assert_int_equal(repeated.error.kind, FAILURE_ABSENT);
    assert_int_equal(count_open(fixture), 1);
}

static void record_of_event(struct fixture *fixture, const struct event *event, const char *content,
                            enum verdict_status status)
{
    struct verdict verdict = make_verdict(status, "r", status == VERDICT_FAIL ? one_rule : NULL);
    struct store_record wanted = make_record("team/app", event->tag, content, &verdict);

    wanted.event_ids = &event->id;
    wanted.event_count = 1;
    record(fixture, &wanted);
    verdict_release(&verdict);
}

static void an_overtaken_review_does_not_move_the_tag_back(void **state)
{
    struct fixture *fixture = *state;
    struct event older = make_event("team/app", "v1", "one");
    struct event newer = make_event("team/app", "v1", "two");
    struct event renewal = make_event("team/app", "v1", "one"); /* under new policies: no event */

    add_event(fixture, &older);
    add_event(fixture, &newer);
    record_of_event(fixture, &newer, "two", VERDICT_PASS);
    record_of_event(fixture, &older, "one", VERDICT_FAIL);
    record_of_event(fixture, &renewal, "one", VERDICT_FAIL);
    struct store_context context = read_context(fixture, &newer);
    assert_true(digest_equal(&context.current, &newer.digest));
    assert_true(context.has_verdict);
    assert_int_equal(context.verdict, VERDICT_PASS);
    assert_int_equal(count_open(fixture), 0);
    AUTO_JSON struct json *history =
        read_list(fixture, STORE_LIST_HISTORY, &(struct store_filter){.tag = "v1"});
    assert_int_equal(json_count(history), 3);
    assert_non_null(json_get(json_at(history, 0), "supersededAt"));
}

static void a_gone_tag_has_no_verdict_but_a_past(void **state)
{
    struct fixture *fixture = *state;
    struct event push = make_event("team/app", "v1", "one");
    struct event removal = make_event("team/app", "v1", "one");
    struct reply done = {0};

    add_event(fixture, &push);
    record_of_event(fixture, &push, "one", VERDICT_FAIL);
    removal.action = EVENT_DELETE;
    add_event(fixture, &removal);
    store_record_gone(fixture->store, &removal, on_done, &done);
    fixture_wait(fixture, &done, 1);
    assert_int_equal(count_open(fixture), 0);
    struct store_context context = read_context(fixture, &push);
    assert_false(context.placement_known);
    assert_false(context.has_verdict);
    assert_false(digest_is_set(&context.current));
    AUTO_JSON struct json *list = verdicts(fixture);
    assert_int_equal(json_count(list), 0);

    record_of_event(fixture, &push, "one", VERDICT_PASS); /* an event without a newer id: it may */
    context = read_context(fixture, &push);
    assert_true(context.placement_known);
    assert_int_equal(context.verdict, VERDICT_PASS);
}

static void a_deletion_does_not_undo_a_later_push(void **state)
{
    struct fixture *fixture = *state;
    struct event removal = make_event("team/app", "v1", NULL);
    struct event push = make_event("team/app", "v1", "two");
    struct event of_another = make_event("team/app", "v1", "one");
    struct reply done = {0};

    removal.action = of_another.action = EVENT_DELETE;
    add_event(fixture, &removal);
    add_event(fixture, &push);
    add_event(fixture, &of_another);
    record_of_event(fixture, &push, "two", VERDICT_PASS);
    store_record_gone(fixture->store, &removal, on_done, &done);    /* came before the push */
    store_record_gone(fixture->store, &of_another, on_done, &done); /* of another digest */
    fixture_wait(fixture, &done, 2);
    struct store_context context = read_context(fixture, &push);
    assert_true(context.has_verdict);
    assert_int_equal(count_open(fixture), 0);
}

static void a_deleted_digest_takes_all_its_tags_along(void **state)
{
    struct fixture *fixture = *state;
    struct event removal = make_event("team/app", NULL, "one");
    struct reply done = {0};

    record_as(fixture, "v1", "one", VERDICT_PASS, "r");
    record_as(fixture, "v2", "one", VERDICT_PASS, "r");
    record_as(fixture, NULL, "one", VERDICT_PASS, "r");
    record_as(fixture, "v3", "two", VERDICT_PASS, "r");
    removal.action = EVENT_DELETE;
    add_event(fixture, &removal);
    store_record_gone(fixture->store, &removal, on_done, &done);
    fixture_wait(fixture, &done, 1);
    AUTO_JSON struct json *list = verdicts(fixture);
    assert_int_equal(json_count(list), 1);
    assert_string_equal(json_get_string(json_at(list, 0), "tag"), "v3");
}

static void an_artifact_is_known_and_needs_no_verdict(void **state)
{
    struct fixture *fixture = *state;
    struct store_record wanted = make_record("team/app", "sha256-abc.sig", "one", NULL);

    record(fixture, &wanted);
    AUTO_JSON struct json *status = read_list(fixture, STORE_LIST_STATUS, NULL);
    const struct json *tags = json_get(status, "tags");
    assert_int_equal(json_get_integer(tags, "artifacts", -1), 1);
    assert_int_equal(json_get_integer(tags, "known", -1), 0);
    assert_int_equal(json_get_integer(tags, "unjudged", -1), 0);
}

/* Refused alone, whatever stands beside it in the transaction. */
static void one_failing_write_does_not_fail_the_others(void **state)
{
    enum { COUNT = 50 };
    struct fixture *fixture = *state;
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record records[COUNT];
    struct store_plan bad = {.kind = ACTION_TAG};
    struct reply good = {0};
    struct reply refused = {0};
    AUTO_JSON struct json *no_push = json_new_array();

    json_append_take(no_push, json_new_string("not a push"));
    bad.pushes = no_push;
    for (int i = 0; i < COUNT; i++) {
        AUTO_FREE char *tag = text_new("v%d", i);

        records[i] = make_record("team/app", NULL, tag, &verdict);
        if (i == COUNT / 2) {
            records[i].plans = &bad;
            records[i].plan_count = 1;
        }
        store_record_verdict(fixture->store, &records[i], on_done,
                             i == COUNT / 2 ? &refused : &good);
    }
    fixture_wait(fixture, &good, COUNT - 1);
    fixture_wait(fixture, &refused, 1);
    assert_int_equal(good.error.kind, FAILURE_NONE);
    assert_int_equal(refused.error.kind, FAILURE_INPUT);
    assert_non_null(strstr(refused.error.text, "cannot record a verdict"));
    AUTO_JSON struct json *list = verdicts(fixture);
    assert_int_equal(json_count(list), COUNT - 1); /* nothing of it was left behind */
    AUTO_JSON struct json *plans = read_list(fixture, STORE_LIST_PLANS, NULL);
    assert_int_equal(json_count(plans), 0);
}

static void the_salt_stays(void **state)
{
    struct fixture *fixture = *state;
    unsigned char salt[32];
    unsigned char zeroes[32] = {0};

    memcpy(salt, store_salt(fixture->store), sizeof(salt));
    assert_memory_not_equal(salt, zeroes, sizeof(salt));
    fixture_reopen(fixture);
    assert_memory_equal(salt, store_salt(fixture->store), sizeof(salt));
}

static void stale_verdicts_are_named_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    int64_t after = 0;
    size_t count = 0;

    record_as(fixture, "v1", "one", VERDICT_PASS, "old");
    record_as(fixture, "v2", "two", VERDICT_PASS, "new");
    record_as(fixture, "v3", "three", VERDICT_FAIL, "old");
    record_as(fixture, NULL, "four", VERDICT_FAIL, "old");
    for (;;) {
        struct reply page = {0};

        store_load_stale(fixture->store, "new", after, 1, on_events, &page);
        fixture_wait(fixture, &page, 1);
        if (page.count == 0) {
            reply_release(&page);
            break;
        }
        struct event *event = &page.events[0];
        assert_true(event->id < 0); /* no id of a stored event */
        assert_int_equal(event->cause, EVENT_CAUSE_POLICY);
        assert_string_equal(event->repository, "team/app");
        assert_false(text_equal(event->tag, "v2"));
        after = event->id;
        count++;
        reply_release(&page);
    }
    assert_int_equal(count, 3);
}

static void placements_of_an_image_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct reply found = {0};
    struct event place = {0};
    char registry[] = "main", repository[] = "team/app";

    record_as(fixture, "v1", "one", VERDICT_PASS, "new");
    record_as(fixture, "v2", "one", VERDICT_FAIL, "old");
    record_as(fixture, "v3", "three", VERDICT_PASS, "new");
    record_as(fixture, NULL, "one", VERDICT_PASS, "new");
    place.registry = registry;
    place.repository = repository;
    place.digest = digest_of("one");
    store_load_judged(fixture->store, &place, 2, on_events, &found);
    fixture_wait(fixture, &found, 1);
    assert_int_equal(found.count, 2); /* as many as were asked for */
    assert_string_equal(found.events[0].tag, "v1");
    assert_int_equal(found.events[0].cause, EVENT_CAUSE_EVIDENCE);
    assert_string_equal(found.events[1].tag, "v2");
    place.id = found.events[1].id;
    reply_release(&found);
    found = (struct reply){0};
    store_load_judged(fixture->store, &place, 2, on_events, &found);
    fixture_wait(fixture, &found, 1);
    assert_int_equal(found.count, 1); /* the next one, without a tag */
    assert_null(found.events[0].tag);
    reply_release(&found);
    found = (struct reply){0};
    place.id = 7; /* of a stored event */
    store_load_judged(fixture->store, &place, 9, on_events, &found);
    fixture_wait(fixture, &found, 1);
    assert_int_equal(found.count, 3);
    reply_release(&found);
    found = (struct reply){0};
    place.digest = digest_of("nobody");
    store_load_judged(fixture->store, &place, 9, on_events, &found);
    fixture_wait(fixture, &found, 1);
    assert_int_equal(found.count, 0);
    reply_release(&found);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(placements_of_an_image_are_found),
        TEST(nothing_is_known_of_a_new_place),
        TEST(a_verdict_is_in_force_for_its_digest_only),
        TEST(a_moved_tag_remembers_what_it_was),
        TEST(the_last_passing_digest_is_another_one),
        TEST(untagged_digests_stand_side_by_side),
        TEST(facts_come_back_and_another_version_does_not),
        TEST(a_record_finishes_its_events),
        TEST(a_repeat_of_what_is_gone_is_told),
        TEST(an_overtaken_review_does_not_move_the_tag_back),
        TEST(a_gone_tag_has_no_verdict_but_a_past),
        TEST(a_deletion_does_not_undo_a_later_push),
        TEST(a_deleted_digest_takes_all_its_tags_along),
        TEST(an_artifact_is_known_and_needs_no_verdict),
        TEST(one_failing_write_does_not_fail_the_others),
        TEST(the_salt_stays),
        TEST(stale_verdicts_are_named_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
