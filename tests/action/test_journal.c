/* The room and the real store together: what an action pushes is known as ours before its event can
 * come in, and a plan keeps what undoing needs. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct stub stub;
    struct config_registry settings;
    struct config config;
    struct registry *registry;
    struct store *store;
    struct actions *actions;
    char directory[64];
    bool answered;
};

static bool is_answered(void *argument)
{
    return ((struct scene *)argument)->answered;
}

static void wait_for_answer(struct scene *scene)
{
    assert_true(loop_run_until(scene->loop, is_answered, scene, 10000));
    scene->answered = false;
}

static void on_done(void *argument, const struct error *error)
{
    if (error != NULL)
        fail_msg("%s", error->text);
    ((struct scene *)argument)->answered = true;
}

static void open_scene(struct scene *scene)
{
    struct error err = {0};
    *scene = (struct scene){.directory = "/tmp/regwarden-test-XXXXXX"};
    assert_non_null(mkdtemp(scene->directory));
    stub_start(&scene->stub, "stub_writable.py");
    scene->settings = (struct config_registry){
        .name = memory_copy_text("main"),
        .url = text_new("http://127.0.0.1:%d", scene->stub.port),
        .concurrency = 4,
        .timeout_ms = 5000,
        .quarantine_prefix = memory_copy_text("quarantine"),
    };
    scene->config = (struct config){
        .tag_template = memory_copy_text("policy-fail-{digest12}"),
        .registries = &scene->settings,
        .registry_count = 1,
    };
    AUTO_FREE char *url = text_new("sqlite:%s/test.db", scene->directory);
    if (loop_new(&scene->loop, &err) != 0 ||
        store_open(scene->loop, url, &scene->store, &err) != 0 ||
        registry_new(scene->loop, &scene->settings, &scene->registry, &err) != 0 ||
        actions_new(&(struct actions_options){.loop = scene->loop,
                                              .config = &scene->config,
                                              .store = scene->store},
                    &scene->actions, &err) != 0)
        fail_msg("%s", err.text);
}

static void close_scene(struct scene *scene)
{
    actions_free(scene->actions);
    registry_free(scene->registry);
    store_close(scene->store);
    loop_free(scene->loop);
    stub_stop(&scene->stub);
    AUTO_FREE char *command = text_new("%s/test.db", scene->directory);
    static const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
        AUTO_FREE char *path = text_new("%s%s", command, tails[i]);
        unlink(path);
    }
    rmdir(scene->directory);
    free(scene->settings.name);
    free(scene->settings.url);
    free(scene->settings.quarantine_prefix);
    free(scene->config.tag_template);
}

/* Records a failing verdict with one plan, as a review does. */
static void record(struct scene *scene, const struct action_target *target, struct store_plan *plan)
{
    struct store_record record = {
        .registry = target->registry_name,
        .repository = target->repository,
        .tag = target->tag,
        .digest = target->digest,
        .media_type = "application/vnd.oci.image.manifest.v1+json",
        .at_ms = 1000,
        .verdict = target->verdict,
        .plans = plan,
        .plan_count = 1,
    };
    action_plan(scene->actions, plan->kind, target, plan);
    store_record_verdict(scene->store, &record, on_done, scene);
    wait_for_answer(scene);
    assert_true(plan->id > 0);
    json_release(plan->detail);
    json_release(plan->pushes);
}

struct performed {
    struct scene *scene;
    struct json *undo;
};

static void on_performed(void *argument, const struct action_result *result)
{
    struct performed *performed = argument;
    if (result->state != PLAN_DONE)
        fail_msg("%s", result->error->text);
    performed->undo = result->undo == NULL ? NULL : json_retain(result->undo);
    performed->scene->answered = true;
}

struct context_wanted {
    struct scene *scene;
    bool is_own_push;
};

static void on_context(void *argument, const struct error *error, struct store_context *context)
{
    struct context_wanted *wanted = argument;
    assert_null(error);
    wanted->is_own_push = context->is_own_push;
    wanted->scene->answered = true;
}

static bool is_own(struct scene *scene, char *repository, char *tag, const struct digest *digest)
{
    struct context_wanted wanted = {.scene = scene};
    struct event event = {
        .registry = scene->settings.name, .repository = repository, .tag = tag, .digest = *digest};
    store_read_context(scene->store, &event, on_context, &wanted);
    wait_for_answer(scene);
    return wanted.is_own_push;
}

static struct digest push(struct scene *scene, const char *command)
{
    struct json *answer = stub_ask(&scene->stub, "%s", command);
    struct digest digest;
    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &digest, NULL), 0);
    json_release(answer);
    return digest;
}

static void own_pushes_are_known(void **state)
{
    struct scene scene;
    struct verdict verdict = {.status = VERDICT_FAIL, .policy_revision = "r1"};
    char child_text[DIGEST_TEXT_SIZE], command[512];
    (void)state;
    open_scene(&scene);
    struct digest child =
        push(&scene, "{'do': 'image', 'repository': 'team/app', 'layers': ['bad']}");
    snprintf(command, sizeof(command),
             "{'do': 'index', 'repository': 'team/app', 'tag': 'v1', 'children': ['%s']}",
             digest_format(&child, child_text));
    struct digest index = push(&scene, command);
    struct store_plan plan = {.kind = ACTION_QUARANTINE};
    struct action_target target = {
        .registry = scene.registry,
        .registry_name = "main",
        .repository = "team/app",
        .tag = "v1",
        .digest = index,
        .verdict = &verdict,
    };
    struct performed performed = {.scene = &scene};
    record(&scene, &target, &plan);
    target.plan_id = plan.id;
    assert_false(is_own(&scene, (char[]){"quarantine/team/app"}, NULL, &child));
    action_perform(scene.actions, ACTION_QUARANTINE, &target, on_performed, &performed);
    wait_for_answer(&scene);
    assert_true(is_own(&scene, (char[]){"quarantine/team/app"}, (char[]){"v1"}, &index));
    assert_true(is_own(&scene, (char[]){"quarantine/team/app"}, NULL, &child));
    assert_false(is_own(&scene, (char[]){"quarantine/team/app"}, (char[]){"v2"}, &index));
    assert_false(is_own(&scene, (char[]){"team/app"}, (char[]){"v1"}, &index));
    json_release(performed.undo);
    close_scene(&scene);
}

static void on_plan(void *argument, const struct error *error, struct plan *plans, size_t count)
{
    struct scene *scene = argument;
    assert_null(error);
    assert_int_equal(count, 1);
    assert_int_equal(plans[0].state, PLAN_PLANNED); /* the result is the daemon's to journal */
    assert_string_equal(json_get_string(plans[0].undo, "repository"), "quarantine/team/app");
    assert_string_equal(json_get_string(plans[0].undo, "tag"), "v1");
    scene->answered = true;
}

/* What undoing needs is on disk before the first write: also when nobody learns the result. */
static void undo_is_kept_before_the_write(void **state)
{
    struct scene scene;
    struct verdict verdict = {.status = VERDICT_FAIL, .policy_revision = "r1"};
    (void)state;
    open_scene(&scene);
    struct digest bad =
        push(&scene, "{'do': 'image', 'repository': 'team/app', 'tag': 'v1', 'layers': ['bad']}");
    struct store_plan plan = {.kind = ACTION_QUARANTINE};
    struct action_target target = {
        .registry = scene.registry,
        .registry_name = "main",
        .repository = "team/app",
        .tag = "v1",
        .digest = bad,
        .verdict = &verdict,
    };
    struct performed performed = {.scene = &scene};
    record(&scene, &target, &plan);
    target.plan_id = plan.id;
    action_perform(scene.actions, ACTION_QUARANTINE, &target, on_performed, &performed);
    wait_for_answer(&scene);
    json_release(performed.undo);
    store_load_plan(scene.store, plan.id, on_plan, &scene);
    wait_for_answer(&scene);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_pushes_are_known),
        cmocka_unit_test(undo_is_kept_before_the_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
