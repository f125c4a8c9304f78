/* What changes while the daemon runs: policies, waivers, settings; good ones and bad ones. */
#include "fixture.h"

#include <unistd.h>

#include "regwarden/clock.h"

static const char lenient[] = "policy: test\nlayers: false\nmode: enforce\nrules:\n"
                              "  - rule: workdir\n    severity: low\n    on-unknown: pass\n";

static size_t verdicts(struct fixture *fixture, const char *verdict)
{
    struct store_filter filter = {.verdict = verdict, .limit = 1000};

    return count_of(fixture, STORE_LIST_VERDICTS, &filter);
}

static bool nothing_fails(struct fixture *fixture)
{
    return verdicts(fixture, "fail") == 0;
}

static bool something_fails(struct fixture *fixture)
{
    return verdicts(fixture, "fail") > 0;
}

static bool something_passes(struct fixture *fixture)
{
    return verdicts(fixture, "pass") > 0;
}

static struct digest push_bad(struct fixture *fixture)
{
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    return bad;
}

static void start_watching(struct fixture *fixture)
{
    fixture_stop(fixture);
    fixture_policy(fixture, "audit", "tag", NULL);
    fixture_start(fixture);
}

/* --- policies --- */

/* All that was judged is judged again, without a request. */
static void other_policies_judge_everything_again(void **state)
{
    enum { COUNT = 300 };
    struct fixture *fixture = *state;
    struct digest bad;

    start_watching(fixture);
    for (int i = 0; i < COUNT; i++) {
        AUTO_FREE char *tag = text_new("v%d", i);

        bad = push_image(fixture, "team/app", tag, false, i % 2 ? "one" : "two");
        tell_push(fixture, "team/app", tag, &bad);
    }
    settle(fixture);
    assert_int_equal(verdicts(fixture, "fail"), COUNT);
    (void)requests(fixture);
    for (int round = 0; round < 2; round++) {
        fixture_write(fixture, "policy.yaml", lenient);
        daemon_reload(&fixture->daemon);
        assert_true(fixture->daemon.counters.last_reload_ok);
        until(fixture, nothing_fails);
        fixture_policy(fixture, "audit", "tag", NULL);
        daemon_reload(&fixture->daemon);
        daemon_reload(&fixture->daemon); /* one right behind the other */
        until(fixture, something_fails);
        settle(fixture);
        while (verdicts(fixture, "fail") < COUNT)
            turn_for(fixture, 50);
    }
    assert_int_equal(requests(fixture), 0);
}

/* Back and forth faster than anything can be judged: the last word holds for all. */
static void the_last_of_many_changes_holds(void **state)
{
    struct fixture *fixture = *state;

    start_watching(fixture);
    push_bad(fixture);
    for (int i = 0; i < 9; i++) {
        if (i % 2)
            fixture_policy(fixture, "audit", "tag", NULL);
        else
            fixture_write(fixture, "policy.yaml", lenient);
        daemon_reload(&fixture->daemon);
        turn_for(fixture, i % 4);
    }
    until(fixture, nothing_fails);
    turn_for(fixture, 300);
    assert_int_equal(verdicts(fixture, "fail"), 0);
}

static void what_was_there_is_acted_on_only_when_asked(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad;

    fixture_stop(fixture);
    fixture_write(fixture, "policy.yaml", lenient);
    fixture_start(fixture);
    bad = push_bad(fixture);
    fixture_policy(fixture, "enforce", "quarantine", NULL);
    daemon_reload(&fixture->daemon);
    until(fixture, something_fails);
    settle(fixture);
    assert_true(tag_is(fixture, "team/app", "v1", &bad));
    fixture_policy(fixture, "enforce", "quarantine", "existing: enforce\n");
    daemon_reload(&fixture->daemon);
    while (!tag_is(fixture, "team/app", "v1", NULL))
        turn_for(fixture, 50);
    settle(fixture);
}

/* A policy that cannot be read leaves everything as it was. */
static void a_bad_policy_changes_nothing(void **state)
{
    static const char *const bad[] = {"policy: test\nrules:\n  - rule: nonroot\n", "", "{",
                                      "policy: test\nrulez: []\n"};
    struct fixture *fixture = *state;

    start_watching(fixture);
    push_bad(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        AUTO_FREE char *before = memory_copy_text(policy_set_revision(fixture->daemon.policies));

        fixture_write(fixture, "policy.yaml", bad[i]);
        daemon_reload(&fixture->daemon);
        assert_false(fixture->daemon.counters.last_reload_ok);
        turn_for(fixture, 50);
        assert_string_equal(policy_set_revision(fixture->daemon.policies), before);
    }
    assert_int_equal(verdicts(fixture, "fail"), 1);
}

/* --- settings --- */

static void rewrite_settings(struct fixture *fixture, const char *more)
{
    AUTO_TEXT struct text text = {0};

    text_format(&text,
                "listen: [\"unix:%s/socket\"]\nstate-directory: %s/state/of/it\n"
                "policies: [\"%s\"]\nsweep-at-start: false\nretry: {first: 100ms, max: 300ms}\n"
                "log: {level: error}\n"
                "registries:\n  main:\n    url: http://127.0.0.1:%d\n    sweep-interval: 0\n%s",
                fixture->directory, fixture->directory, fixture->policy_path, fixture->stub.port,
                more);
    fixture_write(fixture, "regwarden.yaml", text_data(&text));
}

/* Found only when intake has taken the new settings. */
static const char unreadable_notifier[] = "notifiers:\n  chat:\n    url: http://127.0.0.1:1/\n"
                                          "    secret-file: /nowhere/at/all\n";

/* Whatever is wrong, wherever it is found, the running configuration goes on; also when part of the
 * new one was taken already. */
static void bad_settings_change_nothing(void **state)
{
    static const char *const bad[] = {
        "nonsense: yes\n",
        "    hook-secret-file: /nowhere/at/all\n",
        "tag-template: \"not a tag\"\n",
        unreadable_notifier,
    };
    struct fixture *fixture = *state;
    struct digest good = push_image(fixture, "team/app", "v1", true, "one");

    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        const struct config *before = fixture->daemon.config;

        for (int round = 0; round < 2; round++) {
            rewrite_settings(fixture, bad[i]);
            daemon_reload(&fixture->daemon);
            assert_false(fixture->daemon.counters.last_reload_ok);
            assert_ptr_equal(fixture->daemon.config, before);
            assert_ptr_equal(fixture->daemon.intake_config, before);
        }
        tell_push(fixture, "team/app", "v1", &good);
        settle(fixture);
    }
    for (int round = 0; round < 3; round++) {
        rewrite_settings(fixture, "tag-template: \"x-{digest12}\"\n");
        daemon_reload(&fixture->daemon);
        assert_true(fixture->daemon.counters.last_reload_ok);
        assert_ptr_equal(fixture->daemon.intake_config, fixture->daemon.config);
    }
    assert_int_equal(fixture->daemon.config->retry_max_ms, 300);
}

/* The way back can be gone, too: then intake goes on with what it has taken. */
static void a_reload_that_cannot_be_undone_is_survived(void **state)
{
    struct fixture *fixture = *state;
    AUTO_FREE char *secret = text_new("%s/secret", fixture->directory);
    AUTO_FREE char *with = text_new("    hook-secret-file: %s\n", secret);

    fixture_write(fixture, "secret", "s3cret\n");
    rewrite_settings(fixture, with);
    daemon_reload(&fixture->daemon);
    assert_true(fixture->daemon.counters.last_reload_ok);
    assert_int_equal(unlink(secret), 0);
    for (int round = 0; round < 3; round++) {
        rewrite_settings(fixture, unreadable_notifier);
        daemon_reload(&fixture->daemon);
        assert_false(fixture->daemon.counters.last_reload_ok);
        assert_ptr_not_equal(fixture->daemon.intake_config, fixture->daemon.config);
    }
    rewrite_settings(fixture, "");
    daemon_reload(&fixture->daemon);
    assert_true(fixture->daemon.counters.last_reload_ok);
    assert_ptr_equal(fixture->daemon.intake_config, fixture->daemon.config);
}

/* A registry that a reload has added is served by the next start: its events wait. */
static void a_registry_that_was_added_waits_for_the_restart(void **state)
{
    static char added[] = "added";
    struct fixture *fixture = *state;
    struct digest good = push_image(fixture, "team/app", "v1", true, "one");
    struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &good);
    AUTO_FREE char *more = text_new(
        "  added:\n    url: http://127.0.0.1:%d\n    sweep-interval: 0\n", fixture->stub.port);

    rewrite_settings(fixture, more);
    daemon_reload(&fixture->daemon);
    assert_true(fixture->daemon.counters.last_reload_ok);
    event.registry = added;
    tell(fixture, &event, 1);
    turn_for(fixture, 800);
    assert_int_equal(open_events(fixture), 1);
    assert_int_equal(count_of(fixture, STORE_LIST_DEAD_LETTERS, NULL), 0);
    fixture_stop(fixture);
    fixture_start_with(fixture, &(struct fixture_settings){.registry = more});
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

/* --- waivers --- */

static void on_added(void *argument, const struct error *error)
{
    assert_null(error);
    *(bool *)argument = true;
}

static bool *added;

static bool is_added(struct fixture *fixture)
{
    (void)fixture;
    return *added;
}

static void add_waiver(struct fixture *fixture, int64_t expires_ms)
{
    static char id[] = "W-1", rule[] = "non-root", reason[] = "r", owner[] = "o";
    struct waiver waiver = {
        .id = id, .rule = rule, .reason = reason, .owner = owner, .expires_ms = expires_ms};
    bool done = false;

    added = &done;
    store_add_waiver(fixture->daemon.store, &waiver, on_added, &done);
    until(fixture, is_added);
}

static void a_waiver_holds_until_it_ends(void **state)
{
    struct fixture *fixture = *state;

    start_watching(fixture);
    push_bad(fixture);
    assert_int_equal(verdicts(fixture, "fail"), 1);
    add_waiver(fixture, clock_wall_ms() + 2500);
    daemon_reload_waivers(&fixture->daemon);
    until(fixture, something_passes);
    until(fixture, something_fails); /* nobody asked: its time was over */
}

/* After a restart nothing is judged before the ledger has been read. */
static void waivers_hold_from_the_first_review_on(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");
    struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &bad);

    add_waiver(fixture, clock_wall_ms() + 3600000);
    keep(fixture, &event, 1);
    fixture_break_off(fixture);
    fixture_start(fixture);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
    assert_true(tag_is(fixture, "team/app", "v1", &bad));
}

static void a_waiver_of_a_file_ends_too(void **state)
{
    struct fixture *fixture = *state;
    char time[CLOCK_TEXT_SIZE];
    AUTO_FREE char *path = text_new("%s/waivers.yaml", fixture->directory);
    AUTO_FREE char *top = text_new("retry: {first: 100ms, max: 300ms}\nwaivers: [\"%s\"]\n", path);
    AUTO_TEXT struct text text = {0};

    fixture_stop(fixture);
    fixture_policy(fixture, "audit", "tag", NULL);
    text_format(&text,
                "waivers:\n  - {id: F-1, rule: non-root, reason: r, owner: o, expires: %s}\n",
                clock_format_rfc3339(clock_wall_ms() + 3000, time));
    fixture_write(fixture, "waivers.yaml", text_data(&text));
    fixture_start_with(fixture, &(struct fixture_settings){.top = top});
    push_bad(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
    until(fixture, something_fails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(other_policies_judge_everything_again),
        TEST(the_last_of_many_changes_holds),
        TEST(what_was_there_is_acted_on_only_when_asked),
        TEST(a_bad_policy_changes_nothing),
        TEST(bad_settings_change_nothing),
        TEST(a_reload_that_cannot_be_undone_is_survived),
        TEST(a_registry_that_was_added_waits_for_the_restart),
        TEST(a_waiver_holds_until_it_ends),
        TEST(waivers_hold_from_the_first_review_on),
        TEST(a_waiver_of_a_file_ends_too),
    };

    return cmocka_run_group_tests_name("changes", tests, fixture_group_setup,
                                       fixture_group_teardown);
}
