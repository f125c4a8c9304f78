/* Has the gate refuse a digest; the registry stays as it is. The gate's memory is not kept here:
 * who started us hands over the way to it. */
#include "task.h"

void action_hold_plan(const struct actions *actions, const struct action_target *target,
                      struct json *detail, struct json *pushes)
{
    char buffer[DIGEST_TEXT_SIZE];
    (void)actions;
    (void)pushes;
    json_set_string(detail, "denies", digest_format(&target->digest, buffer));
}

static void set_held(struct task *task, bool held, const char *reason)
{
    struct actions *actions = task->actions;
    if (actions->hold == NULL) {
        task_skip(task, "there is no gate that could hold it");
        return;
    }
    actions->hold(actions->argument, task->target.registry_name, task->target.repository,
                  &task->target.digest, held, reason);
    task_done(task);
}

void action_hold_perform(struct task *task)
{
    task->undo = json_new_object();
    json_set_bool(task->undo, "held", true);
    set_held(task, true, task->why);
}

void action_hold_undo(struct task *task)
{
    set_held(task, false, "released");
}
