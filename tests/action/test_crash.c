/* A crash, a lost answer or a refusal at every single request: doing it again completes it, with
 * the same end as if nothing had happened. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

struct scenario {
    const char *name, *switches;
    enum action_kind kind;
    bool index, has_passed;
    bool release; /* what is interrupted is the release of it */
    bool shared;  /* another tag is on the image */
    /* Afterwards: */
    const char *tag; /* what v1 names: "good", "bad" or "none" */
    bool quarantined;
};

static const struct scenario scenarios[] = {
    {"tag", "{}", ACTION_TAG, .tag = "bad"},
    {"rollback", "{}", ACTION_ROLLBACK, .has_passed = true, .tag = "good"},
    {"remove the tag", "{}", ACTION_REMOVE, .tag = "none"},
    {"remove the manifest", "{'tag_delete': false}", ACTION_REMOVE, .tag = "none"},
    {"quarantine, tag deleted", "{}", ACTION_QUARANTINE, .tag = "none", .quarantined = true},
    {"quarantine, streamed", "{'mount': false}", ACTION_QUARANTINE, .tag = "none",
     .quarantined = true},
    {"quarantine, repointed", "{'tag_delete': false}", ACTION_QUARANTINE, .has_passed = true,
     .tag = "good", .quarantined = true},
    {"quarantine, manifest deleted", "{'tag_delete': false}", ACTION_QUARANTINE, .tag = "none",
     .quarantined = true},
    {"remove the tag only", "{'tag_delete': false}", ACTION_REMOVE, .shared = true, .tag = "none"},
    {"quarantine, tag replaced", "{'tag_delete': false}", ACTION_QUARANTINE, .shared = true,
     .tag = "none", .quarantined = true},
    {"release of what was replaced", "{'tag_delete': false}", ACTION_QUARANTINE, .shared = true,
     .release = true, .tag = "bad"},
    {"quarantine of an index", "{}", ACTION_QUARANTINE, .index = true, .tag = "none",
     .quarantined = true},
    {"release", "{}", ACTION_QUARANTINE, .release = true, .tag = "bad"},
    {"release of what was repointed", "{'tag_delete': false}", ACTION_QUARANTINE,
     .has_passed = true, .release = true, .tag = "bad"},
    {"release of an index", "{'tag_delete': false}", ACTION_QUARANTINE, .index = true,
     .release = true, .tag = "bad"},
};

struct scene {
    struct fixture *fixture;
    const struct scenario *scenario;
    struct digest good, bad, bystander;
    struct action_target target;
    struct json *recorded; /* of the quarantine that is released */
};

static void scene_set(struct scene *scene, struct fixture *fixture, const struct scenario *scenario)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    *scene = (struct scene){.fixture = fixture, .scenario = scenario};
    fixture_reset(fixture, scenario->switches);
    scene->good = push_image(fixture, "team/app", NULL, "good");
    scene->bystander = push_image(fixture, "team/app", "v0", "bystander");
    if (scenario->index) {
        struct digest children[] = {push_image(fixture, "team/app", NULL, "amd64"),
                                    push_image(fixture, "team/app", NULL, "arm64")};
        scene->bad = push_index(fixture, "team/app", "v1", children, 2);
    } else {
        scene->bad = push_image(fixture, "team/app", "v1", "bad");
    }
    if (scenario->shared)
        push_image(fixture, "team/app", "shared", "bad");
    scene->target = target_of(fixture, "team/app", "v1", &scene->bad);
    if (scenario->has_passed)
        scene->target.last_passing = scene->good;
    if (scenario->release) {
        perform(fixture, scenario->kind, &scene->target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        scene->recorded = TAKE(outcome.undo);
    }
}

static void on_done(void *argument, const struct action_result *result)
{
    struct outcome *outcome = argument;
    outcome->called = true;
    outcome->state = result->state;
    if (result->error != NULL)
        outcome->error = *result->error;
    outcome->undo = result->undo == NULL ? NULL : json_retain(result->undo);
}

static void scene_begin(struct scene *scene, struct outcome *ret)
{
    outcome_release(ret);
    *ret = (struct outcome){0};
    scene->target.registry = scene->fixture->registry;
    if (scene->scenario->release)
        action_undo(scene->fixture->actions, scene->scenario->kind, &scene->target, scene->recorded,
                    false, on_done, ret);
    else
        action_perform(scene->fixture->actions, scene->scenario->kind, &scene->target, on_done,
                       ret);
}

/* As the daemon does: what stays planned is done again. */
static void scene_finish(struct scene *scene, const char *when)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    for (int i = 0; i < 4 && (i == 0 || outcome.state == PLAN_PLANNED); i++) {
        scene_begin(scene, &outcome);
        wait_for(scene->fixture, &outcome);
    }
    if (outcome.state != PLAN_DONE)
        fail_msg("%s, %s: %d %s", scene->scenario->name, when, (int)outcome.state,
                 outcome.error.text);
    if (scene->scenario->kind == ACTION_QUARANTINE && !scene->scenario->release)
        assert_string_equal(json_get_string(outcome.undo, "repository"), "quarantine/team/app");
}

static void scene_check(struct scene *scene, const char *when)
{
    struct fixture *fixture = scene->fixture;
    const struct scenario *scenario = scene->scenario;
    struct digest now = tag_of(fixture, "team/app", "v1");
    bool right = text_equal(scenario->tag, "none")   ? !digest_is_set(&now)
                 : text_equal(scenario->tag, "good") ? digest_equal(&now, &scene->good)
                                                     : digest_equal(&now, &scene->bad);
    if (!right)
        fail_msg("%s, %s: the tag is wrong", scenario->name, when);
    if (text_equal(scenario->tag, "bad") && !is_whole(fixture, "team/app", &scene->bad))
        fail_msg("%s, %s: not whole", scenario->name, when);
    if (scenario->quarantined) {
        struct digest there = tag_of(fixture, "quarantine/team/app", "v1");
        if (!digest_equal(&there, &scene->bad) ||
            !is_whole(fixture, "quarantine/team/app", &scene->bad))
            fail_msg("%s, %s: not in quarantine", scenario->name, when);
    }
    if (scenario->shared)
        assert_digest(tag_of(fixture, "team/app", "shared"), scene->bad);
    assert_digest(tag_of(fixture, "team/app", "v0"), scene->bystander);
    assert_true(is_whole(fixture, "team/app", &scene->bystander));
    assert_int_equal(fixture->holds, 0);
}

static bool is_held(void *argument)
{
    struct fixture *fixture = argument;
    struct json *peek = stub_ask(&fixture->stub, "{'do': 'peek'}");
    bool held = json_bool(json_get(peek, "held"), false);
    json_release(peek);
    return held;
}

struct watched {
    struct fixture *fixture;
    const struct outcome *outcome;
};

static bool is_held_or_done(void *argument)
{
    const struct watched *watched = argument;
    return watched->outcome->called || is_held(watched->fixture);
}

static size_t requests_of(struct scene *scene, struct fixture *fixture,
                          const struct scenario *scenario, struct json **ret_log)
{
    scene_set(scene, fixture, scenario);
    json_release(take_log(fixture));
    scene_finish(scene, "undisturbed");
    *ret_log = take_log(fixture);
    scene_check(scene, "undisturbed");
    json_release(TAKE(scene->recorded));
    return json_count(json_get(*ret_log, "log"));
}

/* The process dies while the n-th request is on its way, or while its answer is. */
static void crash_at_every_request(void **state)
{
    static const char *const hows[] = {"hold-before", "hold-after"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct scene scene;
        AUTO_JSON struct json *log = NULL;
        size_t count = requests_of(&scene, fixture, &scenarios[i], &log);
        size_t held = 0;
        assert_true(count > 2);
        for (size_t n = 0; n < count * ARRAY_COUNT(hows); n++) {
            AUTO_OUTCOME struct outcome outcome = {0};
            char when[64];
            snprintf(when, sizeof(when), "%s %zu", hows[n % 2], n / 2 + 1);
            scene_set(&scene, fixture, &scenarios[i]);
            stub_tell(&fixture->stub, "{'do': 'fault', 'at': %zu, 'how': '%s'}", n / 2 + 1,
                      hows[n % 2]);
            scene_begin(&scene, &outcome);
            if (!turn_until(fixture, is_held_or_done, &(struct watched){fixture, &outcome}))
                fail_msg("%s, %s: the request did not come", scenarios[i].name, when);
            held += !outcome.called; /* looks made side by side are not always as many */
            stub_tell(&fixture->stub, "{'do': 'fault'}");
            fixture_restart(fixture);
            scene_finish(&scene, when);
            scene_check(&scene, when);
            json_release(TAKE(scene.recorded));
        }
        assert_true(held > count);
    }
}

static bool is_write(const struct json *log, size_t position)
{
    const char *line = json_string(json_at(json_get(log, "log"), position));
    return !text_starts_with(line, "GET ") && !text_starts_with(line, "HEAD ");
}

/* The n-th request, a write, fails: its answer is lost after it was carried out or before, or the
 * registry has no time. */
static void fault_at_every_write(void **state)
{
    static const char *const hows[] = {"drop-after", "drop-before", "cut-after", "status"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct scene scene;
        AUTO_JSON struct json *log = NULL;
        size_t count = requests_of(&scene, fixture, &scenarios[i], &log);
        for (size_t n = 0; n < count * ARRAY_COUNT(hows); n++) {
            const char *how = hows[n % ARRAY_COUNT(hows)];
            size_t at = n / ARRAY_COUNT(hows);
            char when[64];
            if (!is_write(log, at))
                continue;
            snprintf(when, sizeof(when), "%s %zu", how, at + 1);
            scene_set(&scene, fixture, &scenarios[i]);
            stub_tell(&fixture->stub, "{'do': 'fault', 'at': %zu, 'how': '%s'}", at + 1, how);
            scene_finish(&scene, when);
            scene_check(&scene, when);
            json_release(TAKE(scene.recorded));
        }
    }
}

/* A lost answer is looked into before anything is written again: nothing is written twice. */
static void a_lost_answer_is_not_repeated(void **state)
{
    struct fixture *fixture = *state;
    const struct scenario *scenario = &scenarios[1];
    struct scene scene;
    AUTO_OUTCOME struct outcome outcome = {0};
    scene_set(&scene, fixture, scenario);
    (void)take_writes(fixture);
    stub_tell(&fixture->stub, "{'do': 'fault', 'at': 3, 'how': 'cut-after'}");
    scene_begin(&scene, &outcome);
    wait_for(fixture, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_int_equal(take_writes(fixture), 1);
}

/* What is under way when the room is closed ends without a callback, whatever it waits for. */
static void closed_at_any_moment(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        AUTO_OUTCOME struct outcome waiting = {0};
        struct scene scene;
        scene_set(&scene, fixture, &scenarios[i]);
        scene_begin(&scene, &outcome);
        scene_begin(&scene, &waiting);
        fixture_restart(fixture);
        assert_false(outcome.called);
        assert_false(waiting.called);
        json_release(TAKE(scene.recorded));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash_at_every_request),
        cmocka_unit_test(fault_at_every_write),
        cmocka_unit_test(a_lost_answer_is_not_repeated),
        cmocka_unit_test(closed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
