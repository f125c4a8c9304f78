/* The end, at every moment: what is under way when the rooms close, and what the next start makes
 * of it. What goes wrong here goes wrong under the address sanitizer. */
#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "regwarden/clock.h"

static size_t plans(struct fixture *fixture, const char *state)
{
    struct store_filter filter = {.state = state};

    return count_of(fixture, STORE_LIST_PLANS, &filter);
}

/* Everything at once: reviews of images and an index, one that waits for another, one that waits
 * for its time, actions, a sweep, a release, a dead letter. */
static void begin_everything(struct fixture *fixture, const struct digest *bad)
{
    struct digest children[2] = {push_image(fixture, "team/multi", "a", true, "a"),
                                 push_image(fixture, "team/multi", "b", false, "b")};
    char text[2][DIGEST_TEXT_SIZE];
    struct json *answer;
    struct digest index;

    answer = stub_ask(&fixture->stub,
                      "{'do': 'index', 'repository': 'team/multi', 'tag': 'v1', 'children': ['%s', "
                      "'%s']}",
                      digest_format(&children[0], text[0]), digest_format(&children[1], text[1]));
    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &index, NULL), 0);
    json_release(answer);
    tell_push(fixture, "team/multi", "v1", &index);
    tell_push(fixture, "team/multi", "v2", &index);
    tell_push(fixture, "team/multi", "v1", NULL);
    tell_push(fixture, "team/gone", "v1", NULL);
    tell_push(fixture, "team/app", "v1", bad);
    tell_push(fixture, "team/app", "v2", bad);
    tell_delete(fixture, "team/app", "old", bad);
    sweeps_request(fixture->daemon.sweeps, NULL, "test");
    daemon_release(&fixture->daemon, 0, 1, true, "me");
    daemon_retry_dead_letter(&fixture->daemon, 0, 1);
    daemon_reload(&fixture->daemon);
}

static void every_moment_is_a_good_one(void **state)
{
    enum { MOMENTS = 60 };
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v0", false, "bad");

    tell_push(fixture, "team/app", "v0", &bad); /* a plan that can be released */
    settle(fixture);
    for (int moment = 0; moment < MOMENTS; moment++) {
        AUTO_FREE char *content = text_new("%d", moment);
        struct digest other = push_image(fixture, "team/app", "v1", false, content);

        push_image(fixture, "team/app", "v2", false, content);
        fixture_policy(fixture, "enforce", moment % 2 ? "quarantine, notify" : "tag, hold", NULL);
        begin_everything(fixture, &other);
        turn_for(fixture, moment / 2);
        fixture_break_off(fixture);
        fixture_start(fixture);
    }
    settle(fixture);
    assert_int_equal(plans(fixture, "failed"), 0);
    assert_string_equal(verdict_of(fixture, "team/multi", "v2"), "fail");
}

/* Requests that never end are ended by us, and give nothing up. */
static void a_hanging_registry_keeps_nothing(void **state)
{
    static const char *const hangs[] = {"HEAD|manifests", "blobs", "tags/list", "uploads"};
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v0", false, "bad");
    struct fixture_settings settings = {.top = "retry: {first: 100ms, max: 200ms, give-up: 1s}\n"};

    for (size_t i = 0; i < ARRAY_COUNT(hangs); i++) {
        AUTO_FREE char *hang = text_new("{'hang': '%s'}", hangs[i]);
        struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", "v0", &bad);

        event.received_ms -= 100000; /* old enough to be given up */
        switches(fixture, hang);
        tell(fixture, &event, 1);
        begin_everything(fixture, &bad);
        turn_for(fixture, 300);
        fixture_break_off(fixture);
        switches(fixture, "{'hang': ''}");
        fixture_start_with(fixture, &settings);
        assert_int_equal(count_of(fixture, STORE_LIST_DEAD_LETTERS, NULL), 0);
        settle(fixture);
    }
}

/* With time to end, everything ends. */
static void a_stop_waits_for_what_is_under_way(void **state)
{
    enum { COUNT = 200 };
    struct fixture *fixture = *state;
    struct digest good = push_many(fixture, "team/app", "v", COUNT);
    struct event events[COUNT];
    char tags[COUNT][8];
    int64_t open;

    for (int i = 0; i < COUNT; i++) {
        snprintf(tags[i], sizeof tags[i], "v%05d", i);
        events[i] = make_event(EVENT_CAUSE_HOOK, "team/app", tags[i], &good);
    }
    tell(fixture, events, COUNT);
    turn_for(fixture, 5);
    open = open_events(fixture);
    fixture_stop(fixture);
    fixture_start(fixture);
    assert_true(open_events(fixture) <= open); /* of those that had not begun */
    settle(fixture);
    assert_int_equal(fixture->daemon.counters.reviews_given_up, 0);
}

/* An operator who is waited for gets an answer, and the journal is told. */
static void a_release_is_ended_by_the_stop(void **state)
{
    struct fixture *fixture = *state;
    struct digest bad = push_image(fixture, "team/app", "v1", false, "bad");
    struct store_filter done = {.kind = "quarantine", .state = "done"};

    tell_push(fixture, "team/app", "v1", &bad);
    settle(fixture);
    AUTO_JSON struct json *items = list(fixture, STORE_LIST_PLANS, &done);
    daemon_release(&fixture->daemon, 0, json_get_integer(json_at(items, 0), "id", 0), false, "me");
    assert_non_null(fixture->daemon.asks);
    fixture_stop(fixture);
    assert_null(fixture->daemon.asks);
    fixture_start(fixture);
    assert_int_equal(plans(fixture, "undone"), 1);
    assert_true(tag_is(fixture, "team/app", "v1", &bad));
}

/* --- starts that fail --- */

static int start_error(struct fixture *fixture, const char *top, struct error *err)
{
    AUTO_FREE char *path = text_new("%s/regwarden.yaml", fixture->directory);
    AUTO_TEXT struct text text = {0};
    struct daemon_options options = {.scan_program = REGWARDEN_PROGRAM};
    struct daemon daemon = {.options = &options};
    int result;

    text_format(&text,
                "policies: [\"%s\"]\nsweep-at-start: false\n%s"
                "registries:\n  main:\n    url: http://127.0.0.1:%d\n",
                fixture->policy_path, top, fixture->stub.port);
    fixture_write(fixture, "regwarden.yaml", text_data(&text));
    if (config_load(path, &daemon.config, err) < 0)
        fail_msg("%s", err->text);
    daemon.start_config = daemon.intake_config = daemon.config;
    result = daemon_start(&daemon, err);
    daemon_stop(&daemon);
    daemon_free_configs(&daemon);
    return result;
}

static void a_start_that_fails_says_why_and_leaves_nothing(void **state)
{
    static const struct {
        const char *top; /* %s: the test's directory */
        const char *why;
    } cases[] = {
        {"state-directory: %s/regwarden.yaml/below\nlisten: [\"unix:%s/x\"]\n", "state directory"},
        {"state-directory: %s/regwarden.yaml\nlisten: [\"unix:%s/x\"]\n", "state directory"},
        {"state-directory: %s/fresh/one\nlisten: [\"unix:%s/no/such/place/x\"]\n", "listening on"},
        {"state-directory: %s/fresh/two\nlisten: [\"unix:%s/x\", \"systemd\"]\n", "no socket"},
        {"state-directory: %s/three\nlisten: [\"unix:%s/x\"]\napi: {token-file: /nowhere/at/all}\n",
         "API token"},
        {"state-directory: %s/four\nlisten: [\"unix:%s/x\"]\nwaivers: [\"/nowhere/at/all\"]\n",
         "/nowhere/at/all"},
        {"state-directory: %s/five\nlisten: [\"unix:%s/x\"]\n"
         "tls: {certificate-file: /nowhere/at/all, key-file: /nowhere/at/all}\n",
         "/nowhere/at/all"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text top = {0};
        struct error error = {0};

        for (const char *c = cases[i].top; *c; c++) {
            if (c[0] == '%' && c[1] == 's') {
                text_add(&top, fixture->directory);
                c++;
            } else {
                text_add_char(&top, *c);
            }
        }
        assert_true(start_error(fixture, text_data(&top), &error) < 0);
        if (!strstr(error.text, cases[i].why))
            fail_msg("%s", error.text);
    }
}

/* The state directory comes with its parents, and only it is closed to others. */
static void the_state_directory_is_made(void **state)
{
    static const struct {
        const char *path;
        mode_t closed;
    } cases[] = {{"state", 0}, {"state/of", 0}, {"state/of/it", 077}};
    struct fixture *fixture = *state;
    mode_t mask = umask(0);

    (void)umask(mask);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *path = text_new("%s/%s", fixture->directory, cases[i].path);
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0755 & ~mask & ~cases[i].closed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_moment_is_a_good_one),
        TEST(a_hanging_registry_keeps_nothing),
        TEST(a_stop_waits_for_what_is_under_way),
        TEST(a_release_is_ended_by_the_stop),
        TEST(a_start_that_fails_says_why_and_leaves_nothing),
        TEST(the_state_directory_is_made),
    };

    return cmocka_run_group_tests_name("stops", tests, fixture_group_setup, fixture_group_teardown);
}
