/* The actions that write one tag: tag and rollback; and hold, which writes none. */
#include "fixture.h"

#include <string.h>

static char *name_for(const struct digest *digest)
{
    char buffer[DIGEST_SHORT_SIZE];
    return text_new("policy-fail-%s", digest_format_short(digest, buffer));
}

/* --- tag --- */

static void adds_a_tag_and_takes_it_back(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    AUTO_FREE char *name = name_for(&bad);
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", name), bad);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
    assert_string_equal(json_get_string(outcome.undo, "tag"), name);
    assert_true(journal_announced("team/app", name));
    assert_int_equal(journal.entries[0].writes_before, 0);
    assert_int_equal(journal.entries[0].state, PLAN_PLANNED);
    assert_int_equal(take_writes(fixture), 1);

    AUTO_JSON struct json *recorded = json_retain(outcome.undo);
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_int_equal(take_writes(fixture), 0);

    for (int i = 0; i < 2; i++) {
        undo(fixture, ACTION_TAG, &target, recorded, false, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        struct digest gone = tag_of(fixture, "team/app", name);
        assert_false(digest_is_set(&gone));
        assert_digest(tag_of(fixture, "team/app", "v1"), bad);
    }
}

static void an_index_is_tagged_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest child = push_image(fixture, "team/app", NULL, "bad");
    struct digest index = push_index(fixture, "team/app", "v1", &child, 1);
    struct action_target target = target_of(fixture, "team/app", "v1", &index);
    AUTO_FREE char *name = name_for(&index);
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", name), index);
}

static void a_tag_of_somebody_else_stays(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    AUTO_FREE char *name = name_for(&bad);
    struct digest other = push_image(fixture, "team/app", name, "other");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_digest(tag_of(fixture, "team/app", name), other);
    assert_int_equal(take_writes(fixture), 0);
}

static void an_image_that_is_gone_is_not_tagged(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad;
    fixture_reset(fixture, "{}");
    digest_compute(NULL, "gone", 4, &bad);
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_int_equal(take_writes(fixture), 0);
}

static void the_template_is_filled_in(void **state)
{
    static const struct {
        const char *template, *tag, *expected; /* NULL: fails */
    } cases[] = {
        {"{verdict}-{tag}", "v1", "fail-v1"},
        {"x.{tag}.{tag}", "v1", "x.v1.v1"},
        {"{tag}-{tag}",
         "a-tag-that-is-long-enough-that-two-of-them-are-more-than-a-registry-takes-as-one-name",
         NULL},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        AUTO_FREE char *template = memory_copy_text(cases[i].template);
        fixture_reset(fixture, "{}");
        struct config config = fixture->config;
        config.tag_template = template;
        assert_int_equal(actions_reload(fixture->actions, &config, NULL), 0);
        struct digest bad = push_image(fixture, "team/app", cases[i].tag, "bad");
        struct action_target target = target_of(fixture, "team/app", cases[i].tag, &bad);
        perform(fixture, ACTION_TAG, &target, &outcome);
        assert_int_equal(outcome.state, cases[i].expected == NULL ? PLAN_FAILED : PLAN_DONE);
        if (cases[i].expected != NULL)
            assert_digest(tag_of(fixture, "team/app", cases[i].expected), bad);
        assert_int_equal(actions_reload(fixture->actions, &fixture->config, NULL), 0);
    }
}

/* Where a tag cannot be removed by itself the manifest is not touched: the image stays. */
static void undo_of_a_tag_never_deletes_the_image(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'tag_delete': false, 'manifest_delete': false}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_TAG, &target, &outcome);
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    undo(fixture, ACTION_TAG, &target, recorded, true, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);

    static const char *const ways[] = {"{'tag_delete': false}", "{'brutal': true}", "{}"};
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        fixture_reset(fixture, ways[i]);
        target.registry = fixture->registry;
        push_image(fixture, "team/app", json_get_string(recorded, "tag"), "bad");
        undo(fixture, ACTION_TAG, &target, recorded, true, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_int_equal(tag_count(fixture, "team/app"), 0);
        assert_true(is_whole(fixture, "team/app", &bad));
    }

    struct digest other = push_image(fixture, "team/app", json_get_string(recorded, "tag"), "o");
    undo(fixture, ACTION_TAG, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_digest(tag_of(fixture, "team/app", json_get_string(recorded, "tag")), other);
}

/* --- rollback --- */

static void rolls_back_and_forth(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'tag_delete': false, 'manifest_delete': false}");
    struct digest good = push_image(fixture, "team/app", "v1", "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    for (int i = 0; i < 2; i++) {
        perform(fixture, ACTION_ROLLBACK, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_digest(tag_of(fixture, "team/app", "v1"), good);
        assert_int_equal(take_writes(fixture), i == 0 ? 1 : 0);
    }
    assert_true(journal_announced("team/app", "v1"));
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    for (int i = 0; i < 2; i++) {
        undo(fixture, ACTION_ROLLBACK, &target, recorded, false, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_digest(tag_of(fixture, "team/app", "v1"), bad);
        assert_int_equal(take_writes(fixture), i == 0 ? 1 : 0);
    }
}

static void rollback_leaves_a_moved_tag_alone(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest good = push_image(fixture, "team/app", "v1", "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest fixed = push_image(fixture, "team/app", "v1", "fixed");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_int_equal(take_writes(fixture), 0);

    AUTO_JSON struct json *recorded = json_new_object();
    char buffer[DIGEST_TEXT_SIZE];
    json_set_string(recorded, "pointsAt", digest_format(&good, buffer));
    undo(fixture, ACTION_ROLLBACK, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_digest(tag_of(fixture, "team/app", "v1"), fixed);
    undo(fixture, ACTION_ROLLBACK, &target, recorded, true, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void rollback_needs_somewhere_to_go(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    target.last_passing = bad;
    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    digest_compute(NULL, "gone", 4, &target.last_passing);
    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_non_null(strstr(outcome.error.text, "gone"));
    assert_int_equal(take_writes(fixture), 0);
}

/* --- between the look and the write --- */

/* Somebody pushes to the tag right before the n-th request: fetch, compare, PUT, look. What they
 * pushed stays. (Only between compare and PUT could it be lost: the protocol has no
 * compare-and-set, so nothing comes between the two.) */
static void a_push_in_between_stays(void **state)
{
    static const struct {
        int at;
        enum plan_state state;
    } cases[] = {{1, PLAN_SKIPPED}, {2, PLAN_SKIPPED}, {4, PLAN_PLANNED}};
    struct fixture *fixture = *state;
    char buffer[DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        fixture_reset(fixture, "{}");
        struct digest good = push_image(fixture, "team/app", NULL, "good");
        struct digest bad = push_image(fixture, "team/app", "v1", "bad");
        struct digest fixed = push_image(fixture, "team/app", NULL, "fixed");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        target.last_passing = good;
        stub_tell(&fixture->stub,
                  "{'do': 'move', 'at': %d, 'repository': 'team/app', 'tag': 'v1', 'digest': '%s'}",
                  cases[i].at, digest_format(&fixed, buffer));
        perform(fixture, ACTION_ROLLBACK, &target, &outcome);
        assert_int_equal(outcome.state, cases[i].state);
        assert_digest(tag_of(fixture, "team/app", "v1"), fixed);
        perform(fixture, ACTION_ROLLBACK, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_SKIPPED);
        assert_digest(tag_of(fixture, "team/app", "v1"), fixed);
    }
}

/* --- hold --- */

static void holds_and_releases(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", NULL, "bad");
    struct action_target target = target_of(fixture, "team/app", NULL, &bad);
    target.plan_id = 0;
    perform(fixture, ACTION_HOLD, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_true(fixture->held);
    assert_non_null(strstr(fixture->hold_reason, "policy production, rule non-root"));
    undo(fixture, ACTION_HOLD, &target, outcome.undo, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_false(fixture->held);
    struct json *log = take_log(fixture);
    assert_int_equal(json_count(json_get(log, "log")), 0);
    json_release(log);

    fixture->no_gate = true;
    fixture_restart(fixture);
    perform(fixture, ACTION_HOLD, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
}

/* --- counters --- */

static void results_are_counted(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct action_counters counters;
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_TAG, &target, &outcome);
    undo(fixture, ACTION_TAG, &target, outcome.undo, false, &outcome);
    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    perform(fixture, ACTION_ATTEST, &target, &outcome);
    action_counters(fixture->actions, &counters);
    assert_int_equal(counters.done[ACTION_TAG], 1);
    assert_int_equal(counters.undone[ACTION_TAG], 1);
    assert_int_equal(counters.skipped[ACTION_ROLLBACK], 1);
    assert_int_equal(counters.failed[ACTION_ATTEST], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_a_tag_and_takes_it_back),
        cmocka_unit_test(an_index_is_tagged_as_it_is),
        cmocka_unit_test(a_tag_of_somebody_else_stays),
        cmocka_unit_test(an_image_that_is_gone_is_not_tagged),
        cmocka_unit_test(the_template_is_filled_in),
        cmocka_unit_test(undo_of_a_tag_never_deletes_the_image),
        cmocka_unit_test(rolls_back_and_forth),
        cmocka_unit_test(rollback_leaves_a_moved_tag_alone),
        cmocka_unit_test(rollback_needs_somewhere_to_go),
        cmocka_unit_test(a_push_in_between_stays),
        cmocka_unit_test(holds_and_releases),
        cmocka_unit_test(results_are_counted),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
