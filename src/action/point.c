/* Points a tag at a manifest that the repository has. Not for manifests of another repository: that
 * takes their blobs too (copy.c). */
#include "point.h"

#include <stdlib.h>

struct point {
    char *repository, *tag;
    struct digest digest;
    struct expectation expectation;
    struct kept_manifest kept;
    task_step_f *next;
};

void point_free(struct point *point)
{
    if (point == NULL)
        return;
    kept_manifest_release(&point->kept);
    free(point->repository);
    free(point->tag);
    free(point);
}

static void finish(struct task *task, const struct error *error)
{
    struct point *point = TAKE(task->point);
    task_step_f *next = point->next;
    point_free(point);
    next(task, error);
}

static void on_current(struct task *task, const struct registry_answer *answer)
{
    struct point *point = task->point;
    if (answer_is(answer, &point->digest))
        finish(task, NULL);
    else if (expectation_holds(&point->expectation, answer))
        task_put(task, point->repository, point->tag, &point->kept, finish);
    else
        task_skip_moved(task, point->repository, point->tag, answer);
}

static void on_recorded(struct task *task, const struct error *error)
{
    if (error != NULL)
        finish(task, error);
    else
        task_resolve(task, task->point->repository, task->point->tag, on_current);
}

static void on_manifest(struct task *task, const struct registry_answer *answer)
{
    struct point *point = task->point;
    if (answer->error != NULL) {
        finish(task, answer->error);
        return;
    }
    kept_manifest_set(&point->kept, answer);
    task_announce(task, point->repository, point->tag, &point->digest);
    task_record(task, on_recorded);
}

void point_tag(struct task *task, const struct point_order *order, task_step_f *next)
{
    struct point *point = memory_new(sizeof(*point));
    point->repository = memory_copy_text(order->repository);
    point->tag = memory_copy_text(order->tag);
    point->digest = order->digest;
    point->expectation = order->expectation;
    point->next = next;
    task->point = point;
    task_fetch(task, point->repository, &point->digest, on_manifest);
}
