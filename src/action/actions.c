/* Every kind of action, and the one door through which they reach the outside: what may not happen
 * in a dry run or while policies only watch stops here, whatever asked for it. Also whose turn it
 * is on a repository. What an action does is in its own file. */
#include "actions.h"

#include <assert.h>
#include <stdlib.h>

#include "deliveries.h"
#include "regwarden/reference.h"
#include "task.h"

static const struct action_type table[ACTION_KIND_COUNT] = {
    [ACTION_NOTIFY] =
        {
            .summary = "tells the configured receivers",
            .available = true,
            .only_tells = true,
            .plan = action_notify_plan,
            .perform = action_notify_perform,
        },
    [ACTION_TAG] =
        {
            .summary = "adds a tag that says how it was judged",
            .available = true,
            .changes_registry = true,
            .needs_tag = true,
            .plan = action_tag_plan,
            .perform = action_tag_perform,
            .undo = action_tag_undo,
        },
    [ACTION_LABEL] =
        {
            .summary = "puts a label on the image",
            .available = true,
            .changes_registry = true,
            .plan = action_label_plan,
            .perform = action_label_perform,
            .undo = action_label_undo,
        },
    [ACTION_ATTEST] =
        {
            .summary = "attaches a signed verdict",
        },
    [ACTION_PROMOTE] =
        {
            .summary = "copies what passed to another repository or tag",
        },
    [ACTION_HOLD] =
        {
            .summary = "has the gate refuse the digest",
            .available = true,
            .plan = action_hold_plan,
            .perform = action_hold_perform,
            .undo = action_hold_undo,
        },
    [ACTION_ROLLBACK] =
        {
            .summary = "points the tag at the last image that passed",
            .available = true,
            .changes_registry = true,
            .needs_tag = true,
            .plan = action_rollback_plan,
            .perform = action_rollback_perform,
            .undo = action_rollback_undo,
        },
    [ACTION_QUARANTINE] =
        {
            .summary = "moves the image out of reach",
            .available = true,
            .changes_registry = true,
            .needs_tag = true,
            .plan = quarantine_plan,
            .perform = quarantine_perform,
            .undo = quarantine_release,
        },
    [ACTION_REMOVE] =
        {
            .summary = "deletes the tag, or the manifest that nothing else needs",
            .available = true,
            .changes_registry = true,
            .needs_tag = true,
            .perform = action_remove_perform,
        },
};

const char *action_summary(enum action_kind kind)
{
    return table[kind].summary;
}

bool action_is_available(enum action_kind kind)
{
    return table[kind].available;
}

bool action_can_undo(enum action_kind kind)
{
    return table[kind].undo != NULL;
}

/* --- what is asked for, and what makes sense --- */

static bool can_roll_back(const struct action_target *target)
{
    return target->tag != NULL && digest_is_set(&target->last_passing) &&
           !digest_equal(&target->last_passing, &target->digest);
}

static unsigned without(unsigned wanted, unsigned kinds)
{
    return wanted & ~kinds;
}

/* A tag on what is taken out of reach would keep it in reach. */
static unsigned resolve_exclusive(unsigned wanted)
{
    const unsigned tags = ACTION_BIT(ACTION_TAG) | ACTION_BIT(ACTION_LABEL);
    const unsigned milder = ACTION_BIT(ACTION_HOLD) | ACTION_BIT(ACTION_ROLLBACK);
    if (wanted & ACTION_BIT(ACTION_REMOVE))
        return without(wanted, tags | milder | ACTION_BIT(ACTION_QUARANTINE));
    if (wanted & ACTION_BIT(ACTION_QUARANTINE))
        return without(wanted, tags | milder);
    if (wanted & ACTION_BIT(ACTION_ROLLBACK))
        return without(wanted, ACTION_BIT(ACTION_HOLD));
    return wanted;
}

/* What we moved there is not judged. What is, somebody else has pushed there: it cannot be moved
 * any further, but people are told, and the gate refuses it. */
static unsigned resolve_in_quarantine(unsigned wanted)
{
    const unsigned quiet = ACTION_BIT(ACTION_NOTIFY) | ACTION_BIT(ACTION_HOLD);
    if (wanted & (ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_REMOVE)))
        wanted |= ACTION_BIT(ACTION_HOLD);
    return wanted & quiet;
}

unsigned actions_resolve(const struct actions *actions, unsigned wanted,
                         const struct action_target *target)
{
    if (quarantine_owns(actions, target->registry_name, target->repository))
        return resolve_in_quarantine(wanted);
    if ((wanted & ACTION_BIT(ACTION_LABEL)) && action_label_is_in_vain(target))
        wanted = without(wanted, ACTION_BIT(ACTION_LABEL)) | ACTION_BIT(ACTION_TAG);
    if (!can_roll_back(target))
        wanted = without(wanted, ACTION_BIT(ACTION_ROLLBACK));
    if (target->tag == NULL && (wanted & ACTION_BIT(ACTION_QUARANTINE)))
        wanted |= ACTION_BIT(ACTION_HOLD);
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
        if (target->tag == NULL && table[kind].needs_tag)
            wanted = without(wanted, ACTION_BIT(kind));
    return resolve_exclusive(wanted);
}

void pushes_add(struct json *pushes, const char *repository, const char *reference,
                const struct digest *digest)
{
    char buffer[DIGEST_TEXT_SIZE];
    struct json *push = json_new_object();
    json_set_string(push, "repository", repository);
    json_set_string(push, "reference", reference);
    json_set_string(push, "digest", digest_format(digest, buffer));
    json_append_take(pushes, push);
}

void action_plan(const struct actions *actions, enum action_kind kind,
                 const struct action_target *target, struct store_plan *plan)
{
    plan->detail = json_new_object();
    plan->pushes = json_new_array();
    json_set_string(plan->detail, "summary", table[kind].summary);
    if (table[kind].plan != NULL)
        table[kind].plan(actions, target, plan->detail, plan->pushes);
}

/* --- the choke point --- */

/* Why nothing may be done about this target: PLAN_SKIPPED when it is meant to be so, PLAN_FAILED
 * when it was asked for in vain, PLAN_PLANNED when nothing stands in the way. */
static enum plan_state refuse(const struct task *task, struct error *err)
{
    const struct action_target *target = &task->target;
    const char *name = action_kind_name(task->kind);
    if (!task->type->available || (task->undoing && task->type->undo == NULL)) {
        error_set(err, FAILURE_INPUT, "%s %s", name,
                  task->undoing ? "cannot be undone" : "is not available in this version");
        return PLAN_FAILED;
    }
    if (task->actions->dry_run) {
        error_set(err, FAILURE_INPUT, "dry run: nothing is done");
        return PLAN_SKIPPED;
    }
    if (target->audit && !task->type->only_tells) {
        error_set(err, FAILURE_INPUT, "audit mode: nothing is changed");
        return PLAN_SKIPPED;
    }
    if (task->type->changes_registry &&
        quarantine_owns(task->actions, target->registry_name, target->repository)) {
        error_set(err, FAILURE_INPUT, "%s is in quarantine already", target->repository);
        return PLAN_SKIPPED;
    }
    if (task->type->needs_tag && target->tag == NULL) {
        error_set(err, FAILURE_INPUT, "%s takes a tag", name);
        return PLAN_SKIPPED;
    }
    if (!repository_is_valid(target->repository) || !digest_is_set(&target->digest) ||
        (target->tag != NULL && !tag_is_valid(target->tag))) {
        error_set(err, FAILURE_INPUT, "the image is not named by legal names");
        return PLAN_FAILED;
    }
    if (task->type->changes_registry && (target->plan_id <= 0 || target->registry == NULL)) {
        error_set(err, FAILURE_INPUT, "%s takes a recorded plan and a registry", name);
        return PLAN_FAILED;
    }
    return PLAN_PLANNED;
}

/* One writer per repository: what one action finds out before it writes, another must not change.
 */
static bool must_wait(const struct actions *actions, size_t position)
{
    const struct task *task = actions->tasks[position];
    for (size_t i = 0; task->may_write && i < position; i++) {
        const struct task *earlier = actions->tasks[i];
        if (!earlier->ended && earlier->may_write &&
            earlier->target.registry == task->target.registry &&
            text_equal(earlier->target.repository, task->target.repository))
            return true;
    }
    return false;
}

static void start_tasks(struct actions *actions)
{
    for (size_t i = 0; i < actions->task_count; i++) {
        struct task *task = actions->tasks[i];
        if (task->running || task->ended || must_wait(actions, i))
            continue;
        task->running = true;
        if (task->undoing)
            task->type->undo(task);
        else
            task->type->perform(task);
    }
}

/* Adds the task, and starts it when it is its turn. */
static void admit(struct actions *actions, struct task *task, action_done_f *done, void *argument)
{
    enum plan_state state;
    task->done = done;
    task->argument = argument;
    actions->tasks = memory_grow(actions->tasks, actions->task_count, &actions->task_capacity,
                                 sizeof(struct task *));
    actions->tasks[actions->task_count++] = task;
    state = refuse(task, &task->error);
    if (state != PLAN_PLANNED) {
        task->state = state;
        task->ended = true;
        actions_task_ended(actions);
    } else {
        task->may_write = task->type->changes_registry;
        start_tasks(actions);
    }
    task->target.verdict = NULL;
    task->target.facts = NULL;
}

/* Documents are only read here; the reference count is all that changes. */
static struct json *share(const struct json *json)
{
    return json == NULL ? NULL : json_retain((struct json *)(uintptr_t)json);
}

void action_perform(struct actions *actions, enum action_kind kind,
                    const struct action_target *target, action_done_f *done, void *argument)
{
    struct task *task = task_new(actions, kind, target);
    task->type = &table[kind];
    admit(actions, task, done, argument);
}

void action_undo(struct actions *actions, enum action_kind kind, const struct action_target *target,
                 const struct json *undo, bool force, action_done_f *done, void *argument)
{
    struct task *task = task_new(actions, kind, target);
    task->type = &table[kind];
    task->undoing = true;
    task->force = force;
    task->recorded = share(undo);
    admit(actions, task, done, argument);
}

void action_resend(struct actions *actions, const struct json *notification, action_done_f *done,
                   void *argument)
{
    static const struct action_type again = {
        .available = true, .only_tells = true, .perform = action_notify_resend};
    const struct json *data = json_get(notification, "data");
    const char *registry = json_get_string(data, "registry");
    const char *repository = json_get_string(data, "repository");
    const char *digest = json_get_string(data, "digest");
    struct action_target target = {
        .registry_name = registry == NULL ? "" : registry,
        .repository = repository == NULL ? "" : repository,
        .tag = json_get_string(data, "tag"),
    };
    if (digest == NULL || digest_parse(digest, &target.digest, NULL) != 0)
        target.digest = (struct digest){0};
    struct task *task = task_new(actions, ACTION_NOTIFY, &target);
    task->type = &again;
    task->recorded = share(notification);
    admit(actions, task, done, argument);
}

/* --- results --- */

static void count(struct action_counters *counters, const struct task *task)
{
    if (task->state == PLAN_DONE && task->undoing)
        counters->undone[task->kind]++;
    else if (task->state == PLAN_DONE)
        counters->done[task->kind]++;
    else if (task->state == PLAN_FAILED)
        counters->failed[task->kind]++;
    else if (task->state == PLAN_SKIPPED)
        counters->skipped[task->kind]++;
}

static struct task *take_ended(struct actions *actions)
{
    for (size_t i = 0; i < actions->task_count; i++) {
        struct task *task = actions->tasks[i];
        if (!task->ended)
            continue;
        for (size_t j = i + 1; j < actions->task_count; j++)
            actions->tasks[j - 1] = actions->tasks[j];
        actions->task_count--;
        return task;
    }
    return NULL;
}

static void hand_over(void *argument)
{
    struct actions *actions = argument;
    struct task *task;
    while ((task = take_ended(actions)) != NULL) {
        struct action_result result = {
            .state = task->state,
            .error = task->error.text[0] == '\0' ? NULL : &task->error,
            .undo = task->undo,
            .was_gone = task->was_gone,
        };
        count(&actions->counters, task);
        task->done(task->argument, &result);
        task_free(task);
    }
    start_tasks(actions);
    deliveries_start(actions->deliveries);
}

void actions_task_ended(struct actions *actions)
{
    timer_arm(actions->timer, 0);
}

void action_counters(const struct actions *actions, struct action_counters *ret)
{
    *ret = actions->counters;
}

/* --- life --- */

int actions_new(const struct actions_options *options, struct actions **ret, struct error *err)
{
    int rc = action_tag_check_template(options->config->tag_template, err);
    if (rc != 0)
        return rc;
    struct actions *actions = memory_new(sizeof(*actions));
    actions->loop = options->loop;
    actions->store = options->store;
    actions->config = options->config;
    actions->dry_run = options->dry_run;
    actions->hold = options->hold;
    actions->argument = options->argument;
    rc = deliveries_new(actions, &actions->deliveries, err);
    if (rc != 0) {
        free(actions);
        return rc;
    }
    actions->timer = timer_new(actions->loop, hand_over, actions);
    *ret = actions;
    return 0;
}

int actions_reload(struct actions *actions, const struct config *config, struct error *err)
{
    int rc = action_tag_check_template(config->tag_template, err);
    if (rc == 0)
        rc = deliveries_reload(actions->deliveries, config, err);
    if (rc == 0)
        actions->config = config;
    return rc;
}

void actions_free(struct actions *actions)
{
    if (actions == NULL)
        return;
    for (size_t i = 0; i < actions->task_count; i++)
        task_abandon(actions->tasks[i]);
    free(actions->tasks);
    deliveries_free(actions->deliveries);
    text_list_release(&actions->gentle);
    timer_free(actions->timer);
    free(actions);
}
