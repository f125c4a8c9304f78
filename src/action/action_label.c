/* Puts a label on the image, where images have labels (Harbor): whoever looks at the registry sees
 * what was judged, and Harbor's own rules can go by it. Elsewhere a tag says it. What a registry
 * can do may be known only once it is asked, so the way out is here as well as in the plan. */
#include "task.h"

#define LABEL_DEFAULT "policy-fail"
#define LABEL_DESCRIPTION "regwarden: the image violates a policy"

bool action_label_is_in_vain(const struct action_target *target)
{
    struct registry_abilities abilities;
    if (target->registry == NULL)
        return false;
    registry_abilities(target->registry, &abilities);
    return abilities.labels == ANSWER_NO;
}

static const char *label_of(const struct actions *actions, const char *registry)
{
    const struct config_registry *settings = config_find_registry(actions->config, registry);
    if (settings == NULL || settings->label == NULL || settings->label[0] == '\0')
        return LABEL_DEFAULT;
    return settings->label;
}

void action_label_plan(const struct actions *actions, const struct action_target *target,
                       struct json *detail, struct json *pushes)
{
    json_set_string(detail, "label", label_of(actions, target->registry_name));
    /* It may become a tag. */
    if (target->tag != NULL)
        action_tag_plan(actions, target, detail, pushes);
}

/* --- do --- */

static void on_labelled(struct task *task, const struct registry_answer *answer)
{
    if (answer->error == NULL) {
        task_done(task);
        return;
    }
    if (answer_is_absent(answer)) {
        json_release(TAKE(task->undo));
        task_skip(task, "the image is not in %s any more", task->target.repository);
        return;
    }
    if (answer->error->kind != FAILURE_DENIED || !action_label_is_in_vain(&task->target)) {
        task_fail(task, answer->error);
        return;
    }
    json_release(TAKE(task->undo));
    if (task->target.tag == NULL)
        task_skip(task, "images have no labels here, and one without a tag gets no tag");
    else
        action_tag_perform(task);
}

static void on_recorded(struct task *task, const struct error *error)
{
    struct registry_label label = {.repository = task->target.repository,
                                   .digest = task->target.digest,
                                   .name = json_get_string(task->undo, "label"),
                                   .description = LABEL_DESCRIPTION};
    if (error != NULL)
        task_fail(task, error);
    else
        task_add_label(task, &label, on_labelled);
}

void action_label_perform(struct task *task)
{
    task->undo = json_new_object();
    json_set_string(task->undo, "label", label_of(task->actions, task->target.registry_name));
    task_record(task, on_recorded);
}

/* --- undo --- */

static void on_removed(struct task *task, const struct registry_answer *answer)
{
    /* An image that is gone has no label either. */
    if (answer->error == NULL || answer_is_absent(answer))
        task_done(task);
    else
        task_fail(task, answer->error);
}

void action_label_undo(struct task *task)
{
    struct registry_label label = {.repository = task->target.repository,
                                   .digest = task->target.digest,
                                   .name = json_get_string(task->recorded, "label")};
    struct error err = {0};
    if (json_get_string(task->recorded, "tag") != NULL) {
        action_tag_undo(task);
    } else if (label.name == NULL) {
        error_set(&err, FAILURE_INPUT, "the plan does not say which label was put");
        task_fail(task, &err);
    } else {
        task_remove_label(task, &label, on_removed);
    }
}
