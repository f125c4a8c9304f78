/* Points a tag back at the last image that passed under it. */
#include "point.h"

void action_rollback_plan(const struct actions *actions, const struct action_target *target,
                          struct json *detail, struct json *pushes)
{
    char buffer[DIGEST_TEXT_SIZE];
    (void)actions;
    json_set_string(detail, "tag", target->tag);
    json_set_string(detail, "from", digest_format(&target->digest, buffer));
    json_set_string(detail, "to", digest_format(&target->last_passing, buffer));
    if (target->tag != NULL && digest_is_set(&target->last_passing))
        pushes_add(pushes, target->repository, target->tag, &target->last_passing);
}

static void on_pointed(struct task *task, const struct error *error)
{
    struct error hinted;
    if (error == NULL) {
        task_done(task);
        return;
    }
    hinted = *error;
    if (hinted.kind == FAILURE_ABSENT)
        error_wrap(&hinted, "the image to point %s at is gone", task->target.tag);
    task_fail(task, &hinted);
}

void action_rollback_perform(struct task *task)
{
    const struct action_target *target = &task->target;
    char buffer[DIGEST_TEXT_SIZE];
    if (!digest_is_set(&target->last_passing) ||
        digest_equal(&target->last_passing, &target->digest)) {
        task_skip(task, "no earlier image of %s:%s has passed", target->repository, target->tag);
        return;
    }
    task->undo = json_new_object();
    json_set_string(task->undo, "pointsAt", digest_format(&target->last_passing, buffer));
    point_tag(task,
              &(struct point_order){.repository = target->repository,
                                    .tag = target->tag,
                                    .digest = target->last_passing,
                                    .expectation = {.either = target->digest}},
              on_pointed);
}

void action_rollback_undo(struct task *task)
{
    struct expectation expectation = {.anything = task->force};
    const char *points_at = json_get_string(task->recorded, "pointsAt");
    struct error err = {0};
    if (points_at == NULL || digest_parse(points_at, &expectation.either, &err) != 0) {
        error_set(&err, FAILURE_INPUT, "the plan does not say where the tag was pointed at");
        task_fail(task, &err);
        return;
    }
    point_tag(task,
              &(struct point_order){.repository = task->target.repository,
                                    .tag = task->target.tag,
                                    .digest = task->target.digest,
                                    .expectation = expectation},
              on_pointed);
}
