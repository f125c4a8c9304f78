/* Taking an image into quarantine and releasing it, with every ability that a registry may lack. */
#include "fixture.h"

#include <string.h>

static struct digest setup_image(struct fixture *fixture, const char *switches)
{
    fixture_reset(fixture, switches);
    return push_image(fixture, "team/app", "v1", "bad");
}

static void assert_moved(struct fixture *fixture, const struct digest *bad)
{
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), *bad);
    assert_true(is_whole(fixture, "quarantine/team/app", bad));
}

/* Every push that the registry saw was announced, and before the first write. */
static void assert_announced(struct fixture *fixture)
{
    struct json *log = take_log(fixture);
    const struct json *writes = json_get(log, "writes");
    assert_true(journal.count > 0);
    assert_int_equal(journal.entries[0].writes_before, 0);
    for (size_t i = 0; i < json_count(writes); i++) {
        const char *line = json_string(json_at(writes, i));
        const char *name = strstr(line, "/v2/");
        const char *middle = strstr(line, "/manifests/");
        if (!text_starts_with(line, "PUT") || middle == NULL)
            continue;
        AUTO_FREE char *repository = memory_copy_bytes(name + 4, (size_t)(middle - name - 4));
        AUTO_TEXT struct text reference = {0};
        for (const char *c = middle + strlen("/manifests/"); *c != '\0'; c++) {
            bool colon = text_starts_with(c, "%3A") || text_starts_with(c, "%3a");
            text_add_char(&reference, colon ? ':' : *c);
            c += colon ? 2 : 0;
        }
        if (!journal_announced(repository, text_data(&reference)))
            fail_msg("not announced: %s", line);
    }
    json_release(log);
}

static const struct {
    const char *switches, *means;
    bool has_passed, gone, held;
} ways[] = {
    {"{}", "tag-deleted", false, true, false},
    {"{'mount': false}", "tag-deleted", true, true, false},
    {"{'tag_delete': false}", "repointed", true, false, false},
    {"{'tag_delete': false}", "manifest-deleted", false, true, false},
    {"{'tag_delete': false, 'referrers': false}", "manifest-deleted", false, true, false},
    {"{'lying_delete': true}", "repointed", true, false, false},
    {"{'tag_delete': false, 'manifest_delete': false}", "none", false, false, true},
};

static void moves_by_what_the_registry_can(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = setup_image(fixture, ways[i].switches);
        struct digest good = push_image(fixture, "team/app", "v0", "good");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        if (ways[i].has_passed)
            target.last_passing = good;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("way %zu: %s", i, outcome.error.text);
        assert_moved(fixture, &bad);
        assert_string_equal(json_get_string(outcome.undo, "means"), ways[i].means);
        assert_int_equal(fixture->held, ways[i].held);
        struct digest now = tag_of(fixture, "team/app", "v1");
        if (ways[i].gone)
            assert_false(digest_is_set(&now));
        else
            assert_digest(now, ways[i].held ? bad : good);
        assert_digest(tag_of(fixture, "team/app", "v0"), good);
        assert_announced(fixture);
    }
}

static void what_cannot_be_moved_is_held(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{'tag_delete': false, 'manifest_delete': false}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_non_null(strstr(outcome.error.text, "held at the gate"));
    assert_true(strlen(outcome.error.hint) > 0);
    assert_true(json_bool(json_get(outcome.undo, "held"), false));
    assert_non_null(strstr(fixture->hold_reason, "non-root"));

    undo(fixture, ACTION_QUARANTINE, &target, outcome.undo, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_false(fixture->held);
    assert_int_equal(fixture->holds, 2);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void without_a_gate_it_says_so(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{'tag_delete': false, 'manifest_delete': false}");
    fixture->no_gate = true;
    fixture_restart(fixture);
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_non_null(strstr(outcome.error.text, "still pullable"));
    assert_non_null(outcome.undo);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void release_brings_back_the_same(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = setup_image(fixture, ways[i].switches);
        struct digest good = push_image(fixture, "team/app", "v0", "good");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        if (ways[i].has_passed)
            target.last_passing = good;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        (void)take_writes(fixture);
        journal_clear();
        AUTO_JSON struct json *recorded = TAKE(outcome.undo);
        target.last_passing = (struct digest){0};
        undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("way %zu: %s", i, outcome.error.text);
        assert_digest(tag_of(fixture, "team/app", "v1"), bad);
        assert_true(is_whole(fixture, "team/app", &bad));
        assert_digest(tag_of(fixture, "team/app", "v0"), good);
        assert_int_equal(tag_count(fixture, "team/app"), 2);
        bool can_tidy = strstr(ways[i].switches, "'manifest_delete': false") == NULL;
        assert_int_equal(tag_count(fixture, "quarantine/team/app"), can_tidy ? 0 : 1);

        undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_digest(tag_of(fixture, "team/app", "v1"), bad);
    }
}

static void release_leaves_a_moved_tag_alone(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest child = push_image(fixture, "team/app", NULL, "bad");
    struct digest bad = push_index(fixture, "team/app", "v1", &child, 1);
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    struct digest fixed = push_image(fixture, "team/app", "v1", "fixed");
    (void)take_writes(fixture);
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_non_null(strstr(outcome.error.text, "moved"));
    assert_int_equal(take_writes(fixture), 0);
    assert_digest(tag_of(fixture, "team/app", "v1"), fixed);

    undo(fixture, ACTION_QUARANTINE, &target, recorded, true, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void release_copes_with_an_emptied_quarantine(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    char buffer[DIGEST_TEXT_SIZE];
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    stub_tell(&fixture->stub, "{'do': 'forget', 'repository': '%s', 'digest': '%s'}",
              "quarantine/team/app", digest_format(&bad, buffer));
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void release_needs_a_sane_record(void **state)
{
    static const char *const records[] = {
        "{}",
        "{\"repository\": \"other/app\", \"tag\": \"v1\"}",
        "{\"repository\": \"quarantine/../x\", \"tag\": \"v1\"}",
        "{\"repository\": \"quarantine/app\", \"tag\": \"a/b\"}",
        "{\"repository\": \"quarantine/app\", \"tag\": \"v1\", \"pointsAt\": \"sha256:x\"}",
    };
    struct fixture *fixture = *state;
    struct digest bad = setup_image(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    for (size_t i = 0; i < ARRAY_COUNT(records); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        AUTO_JSON struct json *recorded = NULL;
        assert_int_equal(json_parse(records[i], strlen(records[i]), NULL, &recorded, NULL), 0);
        undo(fixture, ACTION_QUARANTINE, &target, recorded, true, &outcome);
        assert_int_equal(outcome.state, PLAN_FAILED);
    }
    assert_int_equal(take_writes(fixture), 0);
}

static void an_index_moves_with_its_children(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'tag_delete': false}");
    struct digest inner[] = {push_image(fixture, "team/app", NULL, "amd64")};
    struct digest children[] = {
        inner[0],
        push_image(fixture, "team/app", NULL, "arm64"),
        push_index(fixture, "team/app", NULL, inner, 1),
    };
    struct digest index = push_index(fixture, "team/app", "v1", children, 3);
    struct action_target target = target_of(fixture, "team/app", "v1", &index);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(json_get_string(outcome.undo, "means"), "manifest-deleted");
    assert_moved(fixture, &index);
    assert_announced(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(children); i++)
        assert_true(is_whole(fixture, "team/app", &children[i]));
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), index);
    assert_true(is_whole(fixture, "team/app", &index));
}

/* Layers that the image shares with others stay where they are. */
static void shared_blobs_stay(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{'tag_delete': false}");
    struct digest sibling = push_image(fixture, "team/app", "v2", "other");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_moved(fixture, &bad);
    assert_true(is_whole(fixture, "team/app", &sibling));
    assert_digest(tag_of(fixture, "team/app", "v2"), sibling);
}

static void foreign_layers_are_not_missed(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad;
    fixture_reset(fixture, "{}");
    stub_tell(&fixture->stub, "{'do': 'image', 'repository': 'team/app', 'tag': 'v1', 'foreign': "
                              "['https://example.com/layer']}");
    bad = tag_of(fixture, "team/app", "v1");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    if (outcome.state != PLAN_DONE)
        fail_msg("%s", outcome.error.text);
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), bad);
}

/* A second bad image under the same tag does not push the first out of quarantine. */
static void two_images_of_one_tag(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome first = {0};
    AUTO_OUTCOME struct outcome second = {0};
    struct digest one = setup_image(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &one);
    perform(fixture, ACTION_QUARANTINE, &target, &first);
    struct digest two = push_image(fixture, "team/app", "v1", "worse");
    target.digest = two;
    perform(fixture, ACTION_QUARANTINE, &target, &second);
    assert_int_equal(second.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), one);
    const char *name = json_get_string(second.undo, "tag");
    assert_true(text_starts_with(name, "v1-"));
    assert_digest(tag_of(fixture, "quarantine/team/app", name), two);
    assert_int_equal(tag_count(fixture, "team/app"), 0);

    perform(fixture, ACTION_QUARANTINE, &target, &second);
    assert_int_equal(second.state, PLAN_DONE);
    assert_int_equal(tag_count(fixture, "quarantine/team/app"), 2);
}

static void twice_is_once(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = setup_image(fixture, ways[i].switches);
        struct digest good = push_image(fixture, "team/app", "v0", "good");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        if (ways[i].has_passed)
            target.last_passing = good;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        struct digest after = tag_of(fixture, "team/app", "v1");
        (void)take_writes(fixture);
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_digest(tag_of(fixture, "team/app", "v1"), after);
        assert_moved(fixture, &bad);
        if (!ways[i].held)
            assert_int_equal(take_writes(fixture), 0);
    }
}

static void a_moved_tag_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{}");
    struct digest fixed = push_image(fixture, "team/app", "v1", "fixed");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_int_equal(take_writes(fixture), 0);
    assert_digest(tag_of(fixture, "team/app", "v1"), fixed);

    stub_tell(&fixture->stub, "{'do': 'untag', 'repository': 'team/app', 'tag': 'v1'}");
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_int_equal(take_writes(fixture), 0);
}

/* The rights to push into the quarantine are missing: nothing is taken away, and the hint helps. */
static void no_copy_no_removal(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = setup_image(fixture, "{'read_only': 'quarantine/'}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_non_null(strstr(outcome.error.hint, "quarantine/team/app"));
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

/* A long name is no way around: the image goes where its repository's hash says, and comes back. */
static void a_name_that_is_too_long(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    char name[251];
    fixture_reset(fixture, "{}");
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct digest bad = push_image(fixture, name, "v1", "bad");
    struct action_target target = target_of(fixture, name, "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    const char *to = json_get_string(recorded, "repository");
    assert_int_equal(strlen(to), strlen("quarantine/") + 64);
    assert_digest(tag_of(fixture, to, "v1"), bad);
    assert_int_equal(tag_count(fixture, name), 0);
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, name, "v1"), bad);
}

static void a_prefix_that_is_too_long(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    char prefix[251];
    memset(prefix, 'q', sizeof(prefix) - 1);
    prefix[sizeof(prefix) - 1] = '\0';
    struct digest bad = setup_image(fixture, "{}");
    char *before = fixture->settings.quarantine_prefix;
    fixture->settings.quarantine_prefix = prefix;
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    fixture->settings.quarantine_prefix = before;
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_non_null(strstr(outcome.error.hint, "quarantine-prefix"));
    assert_int_equal(take_writes(fixture), 0);
}

/* Somebody who may push there has put other images under the names that are likely. */
static void names_that_are_taken(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    char twelve[DIGEST_SHORT_SIZE];
    struct digest bad = setup_image(fixture, "{}");
    AUTO_FREE char *second = text_new("v1-%s", digest_format_short(&bad, twelve));
    struct digest one = push_image(fixture, "quarantine/team/app", "v1", "one");
    struct digest two = push_image(fixture, "quarantine/team/app", second, "two");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    const char *third = json_get_string(recorded, "tag");
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), one);
    assert_digest(tag_of(fixture, "quarantine/team/app", second), two);
    assert_digest(tag_of(fixture, "quarantine/team/app", third), bad);
    assert_int_equal(tag_count(fixture, "team/app"), 0);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_int_equal(tag_count(fixture, "quarantine/team/app"), 3);
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

/* A name that is taken between look and write: later, under another one, and nothing is lost. */
static void a_name_that_is_taken_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_SIZE];
    for (int at = 1; at < 40; at++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = setup_image(fixture, "{}");
        struct digest other = push_image(fixture, "quarantine/team/app", NULL, "other");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        stub_tell(&fixture->stub,
                  "{'do': 'move', 'at': %d, 'repository': 'quarantine/team/app', 'tag': 'v1',"
                  " 'digest': '%s'}",
                  at, digest_format(&other, digest));
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        if (outcome.state == PLAN_PLANNED)
            perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("before request %d: %d, %s", at, (int)outcome.state, outcome.error.text);
        assert_int_equal(tag_count(fixture, "team/app"), 0);
        assert_true(is_whole(fixture, "quarantine/team/app", &bad));
    }
}

/* Some registries hold indexes of which not every manifest is there. */
static void an_index_that_lacks_a_child(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_SIZE];
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'sparse': true}");
    struct digest inner = push_image(fixture, "team/app", NULL, "amd64");
    struct digest children[] = {
        inner,
        push_image(fixture, "team/app", NULL, "arm64"),
        push_index(fixture, "team/app", NULL, &inner, 1),
    };
    struct digest index = push_index(fixture, "team/app", "v1", children, 3);
    for (size_t i = 1; i < ARRAY_COUNT(children); i++)
        stub_tell(&fixture->stub, "{'do': 'forget', 'repository': 'team/app', 'digest': '%s'}",
                  digest_format(&children[i], digest));
    struct action_target target = target_of(fixture, "team/app", "v1", &index);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    if (outcome.state != PLAN_DONE)
        fail_msg("%s", outcome.error.text);
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), index);
    assert_true(is_whole(fixture, "quarantine/team/app", &inner));
    assert_int_equal(tag_count(fixture, "team/app"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_by_what_the_registry_can),
        cmocka_unit_test(what_cannot_be_moved_is_held),
        cmocka_unit_test(without_a_gate_it_says_so),
        cmocka_unit_test(release_brings_back_the_same),
        cmocka_unit_test(release_leaves_a_moved_tag_alone),
        cmocka_unit_test(release_copes_with_an_emptied_quarantine),
        cmocka_unit_test(release_needs_a_sane_record),
        cmocka_unit_test(an_index_moves_with_its_children),
        cmocka_unit_test(shared_blobs_stay),
        cmocka_unit_test(foreign_layers_are_not_missed),
        cmocka_unit_test(two_images_of_one_tag),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(a_moved_tag_is_left_alone),
        cmocka_unit_test(no_copy_no_removal),
        cmocka_unit_test(a_name_that_is_too_long),
        cmocka_unit_test(a_prefix_that_is_too_long),
        cmocka_unit_test(names_that_are_taken),
        cmocka_unit_test(a_name_that_is_taken_meanwhile),
        cmocka_unit_test(an_index_that_lacks_a_child),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
