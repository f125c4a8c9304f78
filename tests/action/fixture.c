/* What the tests of actions share; see fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/policy.h"

struct journal journal;

/* --- the journal --- */

struct answer_later {
    store_done_f *done;
    void *argument;
    bool failed;
};

static void answer_now(void *argument)
{
    struct answer_later *answer = argument;
    struct error error = {0};
    if (answer->failed)
        error_set(&error, FAILURE_LATER, "the journal is broken");
    answer->done(answer->argument, answer->failed ? &error : NULL);
    free(answer);
}

static void answer_later(store_done_f *done, void *argument)
{
    struct answer_later *answer = memory_new(sizeof(*answer));
    *answer = (struct answer_later){.done = done, .argument = argument, .failed = journal.broken};
    loop_post(journal.loop, answer_now, answer);
}

static struct json *copy(const struct json *json)
{
    struct text text = {0};
    struct json *ret = NULL;
    if (json == NULL)
        return NULL;
    json_write(json, JSON_COMPACT, &text);
    assert_int_equal(json_parse(text.data, text.length, NULL, &ret, NULL), 0);
    text_release(&text);
    return ret;
}

void store_update_plan(struct store *store, const struct plan_update *update, store_done_f *done,
                       void *argument)
{
    (void)store;
    assert_true(update->id > 0);
    if (!journal.broken) {
        assert_true(journal.count < JOURNAL_MAX);
        struct json *peek = stub_ask(journal.stub, "{'do': 'peek'}");
        journal.entries[journal.count++] = (struct journal_entry){
            .id = update->id,
            .state = update->state,
            .reason = memory_copy_text(update->reason),
            .pushes = copy(update->pushes),
            .undo = copy(update->undo),
            .writes_before = json_get_integer(peek, "writes", -1),
        };
        json_release(peek);
    }
    answer_later(done, argument);
}

void store_add_dead_letter(struct store *store, const struct dead_letter *letter,
                           store_done_f *done, void *argument)
{
    (void)store;
    if (!journal.broken) {
        assert_true(journal.letter_count < LETTERS_MAX);
        size_t i = journal.letter_count++;
        journal.letters[i].kind = memory_copy_text(letter->kind);
        journal.letters[i].registry = memory_copy_text(letter->registry);
        journal.letters[i].reason = memory_copy_text(letter->reason);
        journal.letters[i].body = memory_copy_bytes(letter->body, letter->body_size);
    }
    answer_later(done, argument);
}

void journal_clear(void)
{
    for (size_t i = 0; i < journal.count; i++) {
        free(journal.entries[i].reason);
        json_release(journal.entries[i].pushes);
        json_release(journal.entries[i].undo);
    }
    for (size_t i = 0; i < journal.letter_count; i++) {
        free(journal.letters[i].kind);
        free(journal.letters[i].registry);
        free(journal.letters[i].reason);
        free(journal.letters[i].body);
    }
    journal.count = journal.letter_count = 0;
    journal.broken = false;
}

bool journal_announced(const char *repository, const char *reference)
{
    for (size_t i = 0; i < journal.count; i++) {
        const struct json *pushes = journal.entries[i].pushes;
        for (size_t j = 0; j < json_count(pushes); j++) {
            const struct json *push = json_at(pushes, j);
            if (text_equal(json_get_string(push, "repository"), repository) &&
                text_equal(json_get_string(push, "reference"), reference))
                return true;
        }
    }
    return false;
}

/* --- the room --- */

static void on_hold(void *argument, const char *registry, const char *repository,
                    const struct digest *digest, bool held, const char *reason)
{
    struct fixture *fixture = argument;
    assert_string_equal(registry, "main");
    assert_true(strlen(repository) > 0 && digest_is_set(digest));
    fixture->holds++;
    fixture->held = held;
    snprintf(fixture->hold_reason, sizeof(fixture->hold_reason), "%s", reason);
}

static void start(struct fixture *fixture)
{
    struct error err = {0};
    struct actions_options options = {
        .loop = fixture->loop,
        .config = &fixture->config,
        .dry_run = fixture->dry_run,
        .hold = fixture->no_gate ? NULL : on_hold,
        .argument = fixture,
    };
    if (registry_new(fixture->loop, &fixture->settings, &fixture->registry, &err) != 0 ||
        actions_new(&options, &fixture->actions, &err) != 0)
        fail_msg("%s", err.text);
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static void stop(struct fixture *fixture)
{
    actions_free(fixture->actions);
    registry_free(fixture->registry);
    fixture->actions = NULL;
    fixture->registry = NULL;
    turn_for(fixture, 5); /* the journal's late answers */
}

void fixture_restart(struct fixture *fixture)
{
    stop(fixture);
    start(fixture);
}

int fixture_setup(void **state)
{
    return fixture_setup_with(state, "stub_writable.py");
}

int fixture_setup_with(void **state, const char *script)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    struct error err = {0};
    if (loop_new(&fixture->loop, &err) != 0)
        fail_msg("%s", err.text);
    stub_start(&fixture->stub, script);
    journal.loop = fixture->loop;
    journal.stub = &fixture->stub;
    fixture->settings = (struct config_registry){
        .name = memory_copy_text("main"),
        /* Port 0: there is no registry, and every test is skipped. */
        .url = text_new("http://127.0.0.1:%d", fixture->stub.port == 0 ? 1 : fixture->stub.port),
        .concurrency = 8,
        .timeout_ms = 5000,
        .quarantine_prefix = memory_copy_text("quarantine"),
    };
    fixture->config = (struct config){
        .tag_template = memory_copy_text("policy-fail-{digest12}"),
        .retry_first_ms = 5,
        .retry_max_ms = 50,
        .registries = &fixture->settings,
        .registry_count = 1,
        .notifiers = fixture->notifiers,
    };
    start(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    stop(fixture);
    journal_clear();
    stub_stop(&fixture->stub);
    loop_free(fixture->loop);
    free(fixture->settings.name);
    free(fixture->settings.url);
    free(fixture->settings.quarantine_prefix);
    free(fixture->config.tag_template);
    free(fixture);
    return 0;
}

void fixture_reset(struct fixture *fixture, const char *switches)
{
    stub_tell(&fixture->stub, "{'do': 'reset', 'switches': %s}", switches);
    fixture->dry_run = fixture->no_gate = false;
    fixture->holds = 0;
    fixture->held = false;
    fixture_restart(fixture);
    journal_clear();
}

/* --- the registry --- */

static struct digest digest_in(struct json *answer)
{
    struct digest digest = {0};
    const char *text = json_get_string(answer, "digest");
    if (text != NULL)
        assert_int_equal(digest_parse(text, &digest, NULL), 0);
    json_release(answer);
    return digest;
}

static char *quoted(const char *tag)
{
    return tag == NULL ? memory_copy_text("null") : text_new("'%s'", tag);
}

struct digest push_image(struct fixture *fixture, const char *repository, const char *tag,
                         const char *layer)
{
    AUTO_FREE char *name = quoted(tag);
    return digest_in(stub_ask(&fixture->stub,
                              "{'do': 'image', 'repository': '%s', 'tag': %s, 'layers': ['shared "
                              "base', '%s']}",
                              repository, name, layer));
}

struct digest push_index(struct fixture *fixture, const char *repository, const char *tag,
                         const struct digest *children, size_t count)
{
    AUTO_FREE char *name = quoted(tag);
    AUTO_TEXT struct text list = {0};
    char buffer[DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < count; i++)
        text_format(&list, "%s'%s'", i == 0 ? "" : ", ", digest_format(&children[i], buffer));
    return digest_in(stub_ask(&fixture->stub,
                              "{'do': 'index', 'repository': '%s', 'tag': %s, 'children': [%s]}",
                              repository, name, text_data(&list)));
}

struct digest push_signature(struct fixture *fixture, const char *repository,
                             const struct digest *subject)
{
    char buffer[DIGEST_TEXT_SIZE];
    return digest_in(stub_ask(&fixture->stub,
                              "{'do': 'image', 'repository': '%s', 'subject': '%s', 'layers': "
                              "['signature']}",
                              repository, digest_format(subject, buffer)));
}

struct digest tag_of(struct fixture *fixture, const char *repository, const char *tag)
{
    struct json *answer =
        stub_ask(&fixture->stub, "{'do': 'tags', 'repository': '%s'}", repository);
    struct digest digest = {0};
    const char *text = json_get_string(json_get(answer, "tags"), tag);
    if (text != NULL)
        assert_int_equal(digest_parse(text, &digest, NULL), 0);
    json_release(answer);
    return digest;
}

size_t tag_count(struct fixture *fixture, const char *repository)
{
    struct json *answer =
        stub_ask(&fixture->stub, "{'do': 'tags', 'repository': '%s'}", repository);
    size_t count = json_count(json_get(answer, "tags"));
    json_release(answer);
    return count;
}

bool is_whole(struct fixture *fixture, const char *repository, const struct digest *digest)
{
    char buffer[DIGEST_TEXT_SIZE];
    struct json *answer =
        stub_ask(&fixture->stub, "{'do': 'whole', 'repository': '%s', 'digest': '%s'}", repository,
                 digest_format(digest, buffer));
    bool whole = json_bool(json_get(answer, "whole"), false);
    json_release(answer);
    return whole;
}

struct json *take_log(struct fixture *fixture)
{
    return stub_ask(&fixture->stub, "{'do': 'log'}");
}

size_t take_writes(struct fixture *fixture)
{
    struct json *log = take_log(fixture);
    size_t count = json_count(json_get(log, "writes"));
    json_release(log);
    return count;
}

/* --- actions --- */

static struct finding finding = {
    .rule = (char[]){"non-root"},
    .id = (char[]){"non-root"},
    .policy = (char[]){"production"},
    .severity = SEVERITY_HIGH,
    .status = FINDING_FAIL,
    .message = (char[]){"the image runs as <root> & says so"},
    .step = -1,
};
static struct verdict verdict = {
    .status = VERDICT_FAIL, .findings = {&finding, 1, 1}, .policy_revision = "r1"};

void outcome_release(struct outcome *outcome)
{
    json_release(TAKE(outcome->undo));
}

struct action_target target_of(struct fixture *fixture, const char *repository, const char *tag,
                               const struct digest *digest)
{
    return (struct action_target){
        .registry = fixture->registry,
        .registry_name = "main",
        .repository = repository,
        .tag = tag,
        .digest = *digest,
        .verdict = &verdict,
        .plan_id = 7,
    };
}

static void on_done(void *argument, const struct action_result *result)
{
    struct outcome *outcome = argument;
    assert_false(outcome->called);
    outcome->called = true;
    outcome->state = result->state;
    if (result->error != NULL)
        outcome->error = *result->error;
    outcome->undo = result->undo == NULL ? NULL : json_retain(result->undo);
}

static bool was_called(void *argument)
{
    return ((struct outcome *)argument)->called;
}

void begin(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
           struct outcome *ret)
{
    outcome_release(ret);
    *ret = (struct outcome){0};
    action_perform(fixture->actions, kind, target, on_done, ret);
    assert_false(ret->called);
}

void wait_for(struct fixture *fixture, struct outcome *outcome)
{
    if (!loop_run_until(fixture->loop, was_called, outcome, 20000))
        fail_msg("the action did not end");
}

void perform(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
             struct outcome *ret)
{
    begin(fixture, kind, target, ret);
    wait_for(fixture, ret);
}

void undo(struct fixture *fixture, enum action_kind kind, const struct action_target *target,
          const struct json *recorded, bool force, struct outcome *ret)
{
    struct json *earlier = TAKE(ret->undo); /* may be what is undone */
    *ret = (struct outcome){0};
    action_undo(fixture->actions, kind, target, recorded, force, on_done, ret);
    json_release(earlier);
    assert_false(ret->called);
    wait_for(fixture, ret);
}

void resend(struct fixture *fixture, const struct json *letter, struct outcome *ret)
{
    *ret = (struct outcome){0};
    action_resend(fixture->actions, letter, on_done, ret);
    assert_false(ret->called);
    wait_for(fixture, ret);
}

static void tick(void *argument)
{
    struct timer **timer = argument;
    timer_arm(*timer, 1);
}

bool turn_until(struct fixture *fixture, bool (*condition)(void *argument), void *argument)
{
    struct timer *timer = timer_new(fixture->loop, tick, &timer);
    timer_arm(timer, 1);
    bool held = loop_run_until(fixture->loop, condition, argument, 15000);
    timer_free(timer);
    return held;
}

void turn_for(struct fixture *fixture, int64_t ms)
{
    loop_run_until(fixture->loop, never, NULL, ms);
}
