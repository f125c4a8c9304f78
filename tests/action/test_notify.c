/* Notifications: what receivers get, and what happens when they do not take it. */
#include "fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/file.h"

static struct stub sink;
static char key_file[] = "/tmp/regwarden-test-key-XXXXXX";
static const char key[] = "a key that nobody knows";

static int setup(void **state)
{
    int fd = mkstemp(key_file);
    assert_true(fd >= 0);
    assert_true(write(fd, key, strlen(key)) == (ssize_t)strlen(key));
    close(fd);
    stub_start(&sink, "stub_sink.py");
    return fixture_setup(state);
}

static void free_notifiers(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->config.notifier_count; i++) {
        free(fixture->notifiers[i].name);
        free(fixture->notifiers[i].url);
        free(fixture->notifiers[i].secret_file);
        text_list_release(&fixture->notifiers[i].on);
    }
    fixture->config.notifier_count = 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    free_notifiers(fixture);
    unlink(key_file);
    stub_stop(&sink);
    return fixture_teardown(state);
}

struct wanted {
    const char *name, *path, *on;
    bool slack, unsigned_, elsewhere;
};

/* Receivers at the sink, and answers of the sink as a JSON array. */
static void arrange(struct fixture *fixture, const struct wanted *wanted, size_t count,
                    const char *answers)
{
    static int round;
    fixture_reset(fixture, "{}");
    free_notifiers(fixture);
    stub_tell(&sink, "{'do': 'reset', 'answers': %s, 'prefix': '/%d'}", answers, ++round);
    for (size_t i = 0; i < count; i++) {
        struct config_notifier *notifier = &fixture->notifiers[i];
        *notifier = (struct config_notifier){
            .name = memory_copy_text(wanted[i].name),
            .url = text_new("http://127.0.0.1:%d/%d%s", wanted[i].elsewhere ? 1 : sink.port, round,
                            wanted[i].path),
            .secret_file = memory_copy_text(wanted[i].unsigned_ ? NULL : key_file),
            .format = wanted[i].slack,
            .timeout_ms = 2000,
        };
        text_list_add(&notifier->on, wanted[i].on == NULL ? "fail" : wanted[i].on);
    }
    fixture->config.notifier_count = count;
    assert_int_equal(actions_reload(fixture->actions, &fixture->config, NULL), 0);
}

static struct digest some_digest(void)
{
    struct digest digest;
    digest_compute(NULL, "bad", 3, &digest);
    return digest;
}

struct expected {
    size_t posts, letters, entries;
};

static bool has_come(void *argument)
{
    const struct expected *expected = argument;
    struct json *log = stub_ask(&sink, "{'do': 'log'}");
    size_t posts = json_count(json_get(log, "posts"));
    json_release(log);
    return posts >= expected->posts && journal.letter_count >= expected->letters &&
           journal.count >= expected->entries;
}

/* Waits for as much, and a little longer for what should not come. Returns the posts. */
static struct json *wait_for_posts(struct fixture *fixture, struct expected expected)
{
    if (!turn_until(fixture, has_come, &expected))
        fail_msg("waited in vain");
    turn_for(fixture, 60);
    struct json *log = stub_ask(&sink, "{'do': 'log'}");
    struct json *posts = json_retain(json_get(log, "posts"));
    json_release(log);
    assert_int_equal(json_count(posts), expected.posts);
    assert_int_equal(journal.letter_count, expected.letters);
    assert_int_equal(journal.count, expected.entries);
    return posts;
}

static struct json *body_of(const struct json *posts, size_t index)
{
    const char *body = json_get_string(json_at(posts, index), "body");
    struct json *json = NULL;
    assert_int_equal(json_parse(body, strlen(body), NULL, &json, NULL), 0);
    return json;
}

static void notify(struct fixture *fixture, const char *tag, bool audit)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = some_digest();
    struct action_target target = target_of(fixture, "team/app", tag, &bad);
    target.audit = audit;
    perform(fixture, ACTION_NOTIFY, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
}

/* --- what they get --- */

static void assert_signed(const struct json *post)
{
    const struct json *headers = json_get(post, "headers");
    const char *timestamp = json_get_string(headers, "x-regwarden-timestamp");
    uint8_t mac[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    uint64_t seconds;
    assert_int_equal(text_parse_uint(timestamp, INT32_MAX * UINT64_C(4), &seconds, NULL), 0);
    assert_true(llabs((long long)seconds - (long long)(clock_wall_ms() / 1000)) < 60);
    AUTO_FREE char *text = text_new("%s.%s", timestamp, json_get_string(post, "body"));
    crypto_hmac(HASH_SHA256, key, strlen(key), text, strlen(text), mac);
    crypto_hex(mac, 32, hex);
    AUTO_FREE char *signature = text_new("sha256=%s", hex);
    assert_string_equal(json_get_string(headers, "x-regwarden-signature"), signature);
}

static void cloudevents(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/in"}}, 1, "[200]");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    const struct json *post = json_at(posts, 0);
    AUTO_JSON struct json *event = body_of(posts, 0);
    const struct json *data = json_get(event, "data");
    const struct json *finding = json_at(json_get(data, "findings"), 0);
    char digest[DIGEST_TEXT_SIZE];
    struct digest bad = some_digest();
    int64_t time_ms;
    assert_string_equal(json_get_string(post, "path"), "/in");
    assert_string_equal(json_get_string(json_get(post, "headers"), "content-type"),
                        "application/cloudevents+json");
    assert_signed(post);
    assert_string_equal(json_get_string(event, "specversion"), "1.0");
    assert_string_equal(json_get_string(event, "source"), "/regwarden/main");
    assert_string_equal(json_get_string(event, "type"), "regwarden.verdict.v1");
    assert_int_equal(strlen(json_get_string(event, "id")), 32);
    assert_int_equal(clock_parse_rfc3339(json_get_string(event, "time"), &time_ms, NULL), 0);
    AUTO_FREE char *subject = text_new("team/app:v1@%s", digest_format(&bad, digest));
    assert_string_equal(json_get_string(event, "subject"), subject);
    assert_string_equal(json_get_string(data, "registry"), "main");
    assert_string_equal(json_get_string(data, "repository"), "team/app");
    assert_string_equal(json_get_string(data, "tag"), "v1");
    assert_string_equal(json_get_string(data, "digest"), digest);
    assert_string_equal(json_get_string(data, "verdict"), "fail");
    assert_string_equal(json_get_string(data, "mode"), "enforce");
    assert_string_equal(json_get_string(finding, "rule"), "non-root");
    assert_string_equal(json_get_string(finding, "severity"), "high");
    assert_int_equal(json_get_integer(data, "findingsTotal", 0), 1);
}

static void audit_says_so(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture,
            (struct wanted[]){{.name = "hook", .path = "/", .unsigned_ = true},
                              {.name = "chat", .path = "/", .slack = true}},
            2, "[200]");
    notify(fixture, NULL, true);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 2});
    for (size_t i = 0; i < 2; i++) {
        AUTO_JSON struct json *body = body_of(posts, i);
        const struct json *headers = json_get(json_at(posts, i), "headers");
        if (json_get(body, "specversion") != NULL) {
            assert_string_equal(json_get_string(json_get(body, "data"), "mode"), "audit");
            assert_null(json_get(json_get(body, "data"), "tag"));
            assert_null(json_get(headers, "x-regwarden-signature"));
        } else {
            assert_non_null(strstr(json_get_string(body, "text"), "audit"));
        }
    }
}

/* A finding's words are data: they call nobody and link nowhere. */
static void slack(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "chat", .path = "/", .slack = true}}, 1, "[200]");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    AUTO_JSON struct json *body = body_of(posts, 0);
    const struct json *block = json_at(json_get(body, "blocks"), 0);
    const char *text = json_get_string(json_get(block, "text"), "text");
    assert_non_null(strstr(json_get_string(body, "text"), "fail for main/team/app:v1@sha256:"));
    assert_string_equal(json_get_string(json_get(block, "text"), "type"), "mrkdwn");
    assert_true(json_bool(json_get(json_get(block, "text"), "verbatim"), false));
    assert_non_null(strstr(text, "production/non-root: the image runs as &lt;root&gt; &amp; says"));
    assert_null(strchr(text, '<'));
}

static void only_who_wants_it(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    arrange(fixture,
            (struct wanted[]){{.name = "a", .path = "/a", .on = "pass"},
                              {.name = "b", .path = "/b", .on = "fail"},
                              {.name = "c", .path = "/c", .on = "unknown"}},
            3, "[200]");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    assert_string_equal(json_get_string(json_at(posts, 0), "path"), "/b");

    struct digest bad = some_digest();
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    struct verdict warn = {.status = VERDICT_WARN};
    target.verdict = &warn;
    perform(fixture, ACTION_NOTIFY, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
}

static void findings_are_bounded(void **state)
{
    static char message[2000];
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct finding findings[500];
    struct digest bad = some_digest();
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[200]");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    memset(message, 'm', sizeof(message) - 1);
    for (size_t i = 0; i < ARRAY_COUNT(findings); i++) {
        findings[i] = target.verdict->findings.items[0];
        findings[i].message = message;
        findings[i].status = i == 499 ? FINDING_FAIL : FINDING_WARN;
    }
    struct verdict verdict = {.status = VERDICT_FAIL, .findings = {findings, 500, 500}};
    target.verdict = &verdict;
    perform(fixture, ACTION_NOTIFY, &target, &outcome);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    assert_true(strlen(json_get_string(json_at(posts, 0), "body")) < 16 * 1024);
    AUTO_JSON struct json *event = body_of(posts, 0);
    const struct json *list = json_get(json_get(event, "data"), "findings");
    assert_int_equal(json_count(list), 20);
    assert_int_equal(json_get_integer(json_get(event, "data"), "findingsTotal", 0), 500);
    assert_string_equal(json_get_string(json_at(list, 0), "status"), "fail");
}

/* --- when they do not take it --- */

static void repeated_until_taken(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1,
            "[500, 429, 503, 'drop', 200]");
    notify(fixture, "v1", false);
    /* A connection that breaks may be tried a second time below us: at least five posts. */
    struct expected expected = {.entries = 2};
    assert_true(turn_until(fixture, has_come, &expected));
    struct json *log = stub_ask(&sink, "{'do': 'log'}");
    const struct json *posts = json_get(log, "posts");
    assert_true(json_count(posts) >= 5);
    AUTO_JSON struct json *first = body_of(posts, 0);
    AUTO_JSON struct json *last = body_of(posts, json_count(posts) - 1);
    assert_string_equal(json_get_string(first, "id"), json_get_string(last, "id"));
    json_release(log);
    assert_int_equal(journal.entries[0].state, PLAN_PLANNED);
    assert_non_null(strstr(journal.entries[0].reason, "500"));
    assert_int_equal(journal.entries[1].state, PLAN_DONE);
    assert_int_equal(journal.letter_count, 0);
}

static void given_up_and_sent_again(void **state)
{
    struct fixture *fixture = *state;
    AUTO_JSON struct json *letter = NULL;
    AUTO_OUTCOME struct outcome outcome = {0};
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[500]");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts =
        wait_for_posts(fixture, (struct expected){.posts = 6, .letters = 1, .entries = 2});
    assert_string_equal(journal.letters[0].kind, "notification");
    assert_string_equal(journal.letters[0].registry, "main");
    assert_non_null(strstr(journal.letters[0].reason, "500"));
    assert_int_equal(journal.entries[1].state, PLAN_FAILED);
    struct action_counters counters;
    action_counters(fixture->actions, &counters);
    assert_int_equal(counters.failed[ACTION_NOTIFY], 1);

    const char *body = journal.letters[0].body;
    assert_int_equal(json_parse(body, strlen(body), NULL, &letter, NULL), 0);
    for (int i = 0; i < 2; i++) { /* still refused, then taken */
        outcome = (struct outcome){0};
        stub_tell(&sink, "{'do': 'reset', 'answers': [%d]}", i == 0 ? 500 : 204);
        resend(fixture, letter, &outcome);
        assert_int_equal(outcome.state, i == 0 ? PLAN_PLANNED : PLAN_DONE);
        AUTO_JSON struct json *again =
            wait_for_posts(fixture, (struct expected){.posts = 1, .letters = 1, .entries = 2});
        AUTO_JSON struct json *event = body_of(again, 0);
        AUTO_JSON struct json *original = body_of(posts, 0);
        assert_string_equal(json_get_string(event, "id"), json_get_string(original, "id"));
        assert_string_equal(json_get_string(event, "subject"),
                            json_get_string(original, "subject"));
        assert_signed(json_at(again, 0));
    }
}

/* What will not get better is not repeated; a redirect is not followed. */
static void refused_for_good(void **state)
{
    static const int statuses[] = {301, 302, 307, 400, 401, 403, 404, 410};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        char answers[16];
        snprintf(answers, sizeof(answers), "[%d]", statuses[i]);
        arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/in"}}, 1, answers);
        stub_tell(&sink,
                  "{'do': 'reset', 'answers': [%d], 'headers': {'Location': "
                  "'http://127.0.0.1:%d/other'}}",
                  statuses[i], sink.port);
        notify(fixture, "v1", false);
        AUTO_JSON struct json *posts =
            wait_for_posts(fixture, (struct expected){.posts = 1, .letters = 1, .entries = 1});
        assert_string_equal(json_get_string(json_at(posts, 0), "path"), "/in");
        assert_int_equal(journal.entries[0].state, PLAN_FAILED);
    }
}

static void one_of_two_is_down(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture,
            (struct wanted[]){{.name = "down", .path = "/", .elsewhere = true},
                              {.name = "up", .path = "/up"}},
            2, "[200]");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts =
        wait_for_posts(fixture, (struct expected){.posts = 1, .letters = 1, .entries = 2});
    assert_string_equal(json_get_string(json_at(posts, 0), "path"), "/up");
    assert_non_null(strstr(journal.letters[0].reason, "notifier down"));
}

static void a_huge_answer_does_not_matter(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "['huge']");
    notify(fixture, "v1", false);
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    assert_int_equal(json_count(posts), 1);
}

static void asked_to_wait(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[200]");
    stub_tell(&sink, "{'do': 'reset', 'answers': [429, 200], 'headers': {'Retry-After': '1'}}");
    int64_t start_ms = clock_steady_ms();
    notify(fixture, "v1", false);
    json_release(wait_for_posts(fixture, (struct expected){.posts = 2, .entries = 2}));
    assert_true(clock_steady_ms() - start_ms >= 950);
}

/* A receiver that never answers fills its own queue and no more; what is over it is listed. */
static void the_queue_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = some_digest();
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "['hang']");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    for (int i = 0; i < 131; i++) {
        target.plan_id = 100 + i;
        perform(fixture, ACTION_NOTIFY, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
    }
    turn_for(fixture, 50);
    assert_int_equal(journal.letter_count, 3);
    assert_non_null(strstr(journal.letters[0].reason, "waiting"));
    journal_clear();
    fixture_restart(fixture);
    assert_int_equal(journal.count, 128); /* sent at the next start */
    assert_int_equal(journal.entries[0].state, PLAN_PLANNED);
}

static void twice_under_way_is_once(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "['hang']");
    notify(fixture, "v1", false);
    notify(fixture, "v1", false);
    json_release(wait_for_posts(fixture, (struct expected){.posts = 1}));
    fixture_restart(fixture);
    assert_int_equal(journal.entries[0].state, PLAN_PLANNED);
    assert_int_equal(journal.entries[0].id, 7);
}

static void a_receiver_that_is_gone(void **state)
{
    struct fixture *fixture = *state;
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[500]");
    fixture->config.retry_first_ms = 300;
    notify(fixture, "v1", false);
    json_release(wait_for_posts(fixture, (struct expected){.posts = 1, .entries = 1}));
    struct config without = fixture->config;
    without.notifier_count = 0;
    assert_int_equal(actions_reload(fixture->actions, &without, NULL), 0);
    json_release(
        wait_for_posts(fixture, (struct expected){.posts = 1, .letters = 1, .entries = 2}));
    assert_non_null(strstr(journal.letters[0].reason, "not configured"));
    assert_int_equal(actions_reload(fixture->actions, &fixture->config, NULL), 0);
    fixture->config.retry_first_ms = 5;
}

static void a_missing_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[200]");
    free(fixture->notifiers[0].secret_file);
    fixture->notifiers[0].secret_file = memory_copy_text("/nonexistent/key");
    assert_int_equal(actions_reload(fixture->actions, &fixture->config, &err), FAILURE_ABSENT);
    assert_non_null(strstr(err.text, "notifier hook"));
    notify(fixture, "v1", false); /* with the key that was read before */
    AUTO_JSON struct json *posts = wait_for_posts(fixture, (struct expected){.posts = 1});
    assert_signed(json_at(posts, 0));
    free_notifiers(fixture);
}

static void a_dead_letter_that_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    AUTO_JSON struct json *letter = json_new_object();
    arrange(fixture, (struct wanted[]){{.name = "hook", .path = "/"}}, 1, "[200]");
    resend(fixture, letter, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    json_release(wait_for_posts(fixture, (struct expected){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cloudevents),
        cmocka_unit_test(audit_says_so),
        cmocka_unit_test(slack),
        cmocka_unit_test(only_who_wants_it),
        cmocka_unit_test(findings_are_bounded),
        cmocka_unit_test(repeated_until_taken),
        cmocka_unit_test(given_up_and_sent_again),
        cmocka_unit_test(refused_for_good),
        cmocka_unit_test(one_of_two_is_down),
        cmocka_unit_test(a_huge_answer_does_not_matter),
        cmocka_unit_test(asked_to_wait),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(twice_under_way_is_once),
        cmocka_unit_test(a_receiver_that_is_gone),
        cmocka_unit_test(a_missing_key_is_refused),
        cmocka_unit_test(a_dead_letter_that_says_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
