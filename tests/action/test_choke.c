/* What must not happen: nothing is changed in a dry run, while policies only watch, without a plan,
 * in quarantine, or by kinds that are not there. And which kinds are left of what was asked for. */
#include "fixture.h"

#include <string.h>

static const enum action_kind available[] = {ACTION_NOTIFY,   ACTION_TAG,        ACTION_HOLD,
                                             ACTION_ROLLBACK, ACTION_QUARANTINE, ACTION_REMOVE};

static void assert_untouched(struct fixture *fixture)
{
    struct json *log = take_log(fixture);
    assert_int_equal(json_count(json_get(log, "writes")), 0);
    json_release(log);
    assert_int_equal(journal.count, 0);
    assert_int_equal(fixture->holds, 0);
}

static void audit_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    struct digest good = push_image(fixture, "team/app", NULL, "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    target.audit = true;
    for (size_t i = 0; i < ARRAY_COUNT(available); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        perform(fixture, available[i], &target, &outcome);
        assert_int_equal(outcome.state, PLAN_SKIPPED);
        if (available[i] != ACTION_NOTIFY)
            assert_non_null(strstr(outcome.error.text, "audit"));
    }
    assert_untouched(fixture);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void dry_run_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    fixture->dry_run = true;
    fixture_restart(fixture);
    struct digest good = push_image(fixture, "team/app", NULL, "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    for (size_t i = 0; i < ARRAY_COUNT(available); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        perform(fixture, available[i], &target, &outcome);
        assert_int_equal(outcome.state, PLAN_SKIPPED);
        assert_non_null(strstr(outcome.error.text, "dry run"));
    }
    assert_untouched(fixture);
}

static void undo_is_stopped_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    fixture->dry_run = true;
    fixture_restart(fixture);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest other = push_image(fixture, "quarantine/team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &other);
    AUTO_JSON struct json *recorded = json_new_object();
    AUTO_OUTCOME struct outcome outcome = {0};
    json_set_string(recorded, "repository", "quarantine/team/app");
    json_set_string(recorded, "tag", "v1");
    undo(fixture, ACTION_QUARANTINE, &target, recorded, true, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_untouched(fixture);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
}

static void refused_targets(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    const struct {
        const char *name, *repository, *tag;
        int64_t plan_id;
        enum action_kind kind;
        enum plan_state state;
    } cases[] = {
        {"no plan", "team/app", "v1", 0, ACTION_QUARANTINE, PLAN_FAILED},
        {"no plan", "team/app", "v1", 0, ACTION_TAG, PLAN_FAILED},
        {"untagged", "team/app", NULL, 7, ACTION_QUARANTINE, PLAN_SKIPPED},
        {"untagged", "team/app", NULL, 7, ACTION_ROLLBACK, PLAN_SKIPPED},
        {"untagged", "team/app", NULL, 7, ACTION_TAG, PLAN_SKIPPED},
        {"untagged", "team/app", NULL, 7, ACTION_REMOVE, PLAN_SKIPPED},
        {"in quarantine", "quarantine/team/app", "v1", 7, ACTION_QUARANTINE, PLAN_SKIPPED},
        {"in quarantine", "quarantine/team/app", "v1", 7, ACTION_REMOVE, PLAN_SKIPPED},
        {"in quarantine", "quarantine", "v1", 7, ACTION_REMOVE, PLAN_SKIPPED},
        {"illegal name", "Team/../app", "v1", 7, ACTION_TAG, PLAN_FAILED},
        {"illegal tag", "team/app", "v1/x", 7, ACTION_REMOVE, PLAN_FAILED},
        {"not there", "team/app", "v1", 7, ACTION_ATTEST, PLAN_FAILED},
        {"not there", "team/app", "v1", 7, ACTION_ATTEST, PLAN_FAILED},
        {"not there", "team/app", "v1", 7, ACTION_PROMOTE, PLAN_FAILED},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct action_target target = target_of(fixture, cases[i].repository, cases[i].tag, &bad);
        target.plan_id = cases[i].plan_id;
        perform(fixture, cases[i].kind, &target, &outcome);
        if (outcome.state != cases[i].state || outcome.error.text[0] == '\0')
            fail_msg("%s: %d, %s", cases[i].name, (int)outcome.state, outcome.error.text);
    }
    assert_untouched(fixture);
}

#define BIT(kind) ACTION_BIT(ACTION_##kind)

static void resolves_what_is_wanted(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest good = push_image(fixture, "team/app", NULL, "good");
    const struct {
        const char *repository, *tag;
        bool has_passed;
        unsigned wanted, expected;
    } cases[] = {
        {"a", "v1", true, BIT(NOTIFY) | BIT(TAG), BIT(NOTIFY) | BIT(TAG)},
        {"a", "v1", true, BIT(HOLD) | BIT(ROLLBACK) | BIT(QUARANTINE), BIT(QUARANTINE)},
        {"a", "v1", true, BIT(TAG) | BIT(QUARANTINE), BIT(QUARANTINE)},
        {"a", "v1", true, BIT(HOLD) | BIT(ROLLBACK) | BIT(TAG), BIT(ROLLBACK) | BIT(TAG)},
        {"a", "v1", false, BIT(HOLD) | BIT(ROLLBACK), BIT(HOLD)},
        {"a", "v1", false, BIT(ROLLBACK), 0},
        {"a", "v1", true, BIT(REMOVE) | BIT(QUARANTINE) | BIT(HOLD), BIT(REMOVE)},
        {"a", NULL, false, BIT(NOTIFY) | BIT(QUARANTINE), BIT(NOTIFY) | BIT(HOLD)},
        {"a", NULL, false, BIT(TAG) | BIT(REMOVE) | BIT(ROLLBACK), 0},
        {"a", "v1", true, BIT(LABEL), BIT(LABEL)},
        {"a", "v1", true, BIT(ATTEST), BIT(ATTEST)},
        {"quarantine/a", "v1", true, BIT(NOTIFY) | BIT(QUARANTINE) | BIT(TAG),
         BIT(NOTIFY) | BIT(HOLD)},
        {"quarantine/a", NULL, false, BIT(NOTIFY) | BIT(REMOVE), BIT(NOTIFY) | BIT(HOLD)},
        {"quarantine", "v1", true, BIT(TAG), 0},
        {"quarantined/a", "v1", true, BIT(TAG), BIT(TAG)},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct action_target target = target_of(fixture, cases[i].repository, cases[i].tag, &bad);
        if (cases[i].has_passed)
            target.last_passing = good;
        unsigned got = actions_resolve(fixture->actions, cases[i].wanted, &target);
        if (got != cases[i].expected)
            fail_msg("case %zu: %x instead of %x", i, got, cases[i].expected);
    }
}

static void plans_name_their_pushes(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    digest_compute(NULL, "good", 4, &target.last_passing);
    const struct {
        enum action_kind kind;
        const char *repository, *reference; /* NULL: no push */
        const char *detail;
    } cases[] = {
        {ACTION_NOTIFY, NULL, NULL, "notifiers"},
        {ACTION_TAG, "team/app", "policy-fail-", "adds"},
        {ACTION_HOLD, NULL, NULL, "denies"},
        {ACTION_ROLLBACK, "team/app", "v1", "to"},
        {ACTION_QUARANTINE, "quarantine/team/app", "v1", "to"},
        {ACTION_REMOVE, NULL, NULL, "summary"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct store_plan plan = {.kind = cases[i].kind};
        action_plan(fixture->actions, cases[i].kind, &target, &plan);
        assert_non_null(json_get(plan.detail, cases[i].detail));
        const struct json *push = json_at(plan.pushes, 0);
        if (cases[i].repository == NULL) {
            assert_null(push);
        } else {
            assert_string_equal(json_get_string(push, "repository"), cases[i].repository);
            assert_true(text_starts_with(json_get_string(push, "reference"), cases[i].reference));
            assert_non_null(json_get_string(push, "digest"));
        }
        json_release(plan.detail);
        json_release(plan.pushes);
    }
    assert_untouched(fixture);
}

/* The journal is the first thing that is written: when that fails, the registry stays as it is. */
static void broken_journal_stops_writes(void **state)
{
    static const enum action_kind writers[] = {ACTION_TAG, ACTION_ROLLBACK, ACTION_QUARANTINE};
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    struct digest good = push_image(fixture, "team/app", NULL, "good");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    target.last_passing = good;
    journal.broken = true;
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        perform(fixture, writers[i], &target, &outcome);
        assert_int_equal(outcome.state, PLAN_PLANNED);
        assert_int_equal(outcome.error.kind, FAILURE_LATER);
    }
    assert_int_equal(take_writes(fixture), 0);
}

static void templates(void **state)
{
    static const struct {
        const char *template;
        bool legal;
    } cases[] = {
        {"policy-fail-{digest12}", true},
        {"{verdict}-{tag}", true},
        {"{tag}.{digest12}.{verdict}", true},
        {"rejected", false}, /* one tag for all images would move all the time */
        {"x-{digest}", false},
        {"x-{digest12", false},
        {"-{digest12}", false},
        {"a/b-{digest12}", false},
        {"", false},
    };
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{}");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = {0};
        struct config config = fixture->config;
        AUTO_FREE char *template = memory_copy_text(cases[i].template);
        config.tag_template = template;
        int rc = actions_reload(fixture->actions, &config, &err);
        if ((rc == 0) != cases[i].legal)
            fail_msg("%s: %s", template, err.text);
        assert_true(rc == 0 || err.kind == FAILURE_INPUT);
        assert_int_equal(actions_reload(fixture->actions, &fixture->config, &err), 0);
    }
}

static void kinds_are_described(void **state)
{
    (void)state;
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        assert_true(strlen(action_summary((enum action_kind)kind)) > 10);
        assert_true(action_is_available((enum action_kind)kind) ||
                    !action_can_undo((enum action_kind)kind));
    }
    assert_true(action_can_undo(ACTION_QUARANTINE));
    assert_false(action_can_undo(ACTION_REMOVE));
    assert_false(action_can_undo(ACTION_NOTIFY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit_changes_nothing),       cmocka_unit_test(dry_run_changes_nothing),
        cmocka_unit_test(undo_is_stopped_too),         cmocka_unit_test(refused_targets),
        cmocka_unit_test(resolves_what_is_wanted),     cmocka_unit_test(plans_name_their_pushes),
        cmocka_unit_test(broken_journal_stops_writes), cmocka_unit_test(templates),
        cmocka_unit_test(kinds_are_described),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
