/* Deletes the tag, or the manifest when nothing else needs it. There is no way back: a policy has
 * to ask for it by name. */
#include "untag.h"

static void on_untagged(struct task *task, enum untag_means means, const char *why,
                        const struct error *error)
{
    struct error err = {0};
    if (error != NULL) {
        task_fail(task, error);
    } else if (means == UNTAG_HELPLESS) {
        error_set(&err, FAILURE_DENIED, "%s:%s could not be removed: %s", task->target.repository,
                  task->target.tag, why);
        error_hint(&err, "remove the tag by hand, or change what keeps it: rights, switched-off "
                         "deletion, immutability");
        task_fail(task, &err);
    } else {
        task->was_gone = means == UNTAG_GONE;
        task_done(task);
    }
}

void action_remove_perform(struct task *task)
{
    untag(task,
          &(struct untag_order){.repository = task->target.repository,
                                .tag = task->target.tag,
                                .digest = task->target.digest},
          on_untagged);
}
