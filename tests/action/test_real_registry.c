/* The actions against a real docker-registry, which removes no single tags and, as it is set up
 * here, removes manifests or does not. Skipped where it is not installed. */
#include "fixture.h"

#include <string.h>

#define DELETES "{'manifest_delete': true}"
#define KEEPS "{'manifest_delete': false}"

static int setup(void **state)
{
    return fixture_setup_with(state, "real_writable.py");
}

static struct fixture *start(void **state, const char *switches)
{
    struct fixture *fixture = *state;
    if (fixture->stub.port == 0) {
        print_message("docker-registry is not installed\n");
        skip();
    }
    fixture_reset(fixture, switches);
    return fixture;
}

/* There and back, with the same bytes. */
static void moves_and_releases(void **state)
{
    static const struct {
        const char *switches, *means;
        bool has_passed, index;
    } cases[] = {
        {DELETES, "manifest-deleted", false, false},
        {DELETES, "repointed", true, false},
        {DELETES, "manifest-deleted", false, true},
        {DELETES, "repointed", true, true},
        {KEEPS, "none", false, false},
        {KEEPS, "repointed", true, false},
        {KEEPS, "none", false, true},
        {KEEPS, "repointed", true, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct fixture *fixture = start(state, cases[i].switches);
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest good = push_image(fixture, "team/app", "v0", "good");
        struct digest image = push_image(fixture, "team/app", cases[i].index ? NULL : "v1", "bad");
        struct digest bad =
            cases[i].index ? push_index(fixture, "team/app", "v1", &image, 1) : image;
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        if (cases[i].has_passed)
            target.last_passing = good;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("case %zu: %s", i, outcome.error.text);
        assert_string_equal(json_get_string(outcome.undo, "means"), cases[i].means);
        assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), bad);
        assert_true(is_whole(fixture, "quarantine/team/app", &bad));
        struct digest now = tag_of(fixture, "team/app", "v1");
        bool held = text_equal(cases[i].means, "none");
        assert_int_equal(fixture->held, held);
        assert_digest(now, held ? bad : cases[i].has_passed ? good : (struct digest){0});

        undo(fixture, ACTION_QUARANTINE, &target, outcome.undo, false, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("case %zu: %s", i, outcome.error.text);
        assert_false(fixture->held);
        assert_digest(tag_of(fixture, "team/app", "v1"), bad);
        assert_true(is_whole(fixture, "team/app", &bad));
        assert_digest(tag_of(fixture, "team/app", "v0"), good);
        assert_true(is_whole(fixture, "team/app", &good));
        struct digest left = tag_of(fixture, "quarantine/team/app", "v1");
        assert_int_equal(digest_is_set(&left), text_equal(cases[i].switches, KEEPS));
    }
}

/* Of a manifest that something else needs only the tag goes. */
static void needed_manifests_stay(void **state)
{
    struct fixture *fixture = start(state, DELETES);
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest child = push_image(fixture, "team/app", "v2", "child");
    push_image(fixture, "team/app", "v3", "bad");
    struct digest index = push_index(fixture, "team/app", "multi", &child, 1);
    const struct {
        const char *tag;
        struct digest digest;
    } cases[] = {{"v1", bad}, {"v2", child}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct action_target target =
            target_of(fixture, "team/app", cases[i].tag, &cases[i].digest);
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("%s", outcome.error.text);
        assert_string_equal(json_get_string(outcome.undo, "means"), "tag-replaced");
        struct digest now = tag_of(fixture, "team/app", cases[i].tag);
        assert_false(digest_is_set(&now));
        assert_true(is_whole(fixture, "team/app", &cases[i].digest));
        assert_digest(tag_of(fixture, "quarantine/team/app", cases[i].tag), cases[i].digest);
    }
    assert_digest(tag_of(fixture, "team/app", "v3"), bad);
    assert_digest(tag_of(fixture, "team/app", "multi"), index);
    assert_true(is_whole(fixture, "team/app", &index));
    struct action_target target = target_of(fixture, "team/app", "multi", &index);
    perform(fixture, ACTION_REMOVE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_true(is_whole(fixture, "team/app", &child));
}

static void tags_and_rolls_back(void **state)
{
    struct fixture *fixture = start(state, KEEPS);
    AUTO_OUTCOME struct outcome outcome = {0};
    char buffer[DIGEST_SHORT_SIZE];
    struct digest good = push_image(fixture, "team/app", "v1", "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    perform(fixture, ACTION_TAG, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    AUTO_FREE char *name = text_new("policy-fail-%s", digest_format_short(&bad, buffer));
    assert_digest(tag_of(fixture, "team/app", name), bad);
    undo(fixture, ACTION_TAG, &target, outcome.undo, false, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED); /* this registry deletes nothing */

    perform(fixture, ACTION_ROLLBACK, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), good);
    undo(fixture, ACTION_ROLLBACK, &target, outcome.undo, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_and_releases),
        cmocka_unit_test(needed_manifests_stay),
        cmocka_unit_test(tags_and_rolls_back),
    };
    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
