/* Puts a quarantined image back: the same bytes, so the same digests, from the quarantine's
 * repository to where they came from; then the tag, unless it names something else by now; then the
 * quarantine's own tag is removed where the registry can do that. */
#include <stdlib.h>

#include "copy.h"
#include "point.h"
#include "regwarden/reference.h"
#include "replace.h"
#include "task.h"
#include "untag.h"

struct release {
    const char *repository, *tag; /* in quarantine; borrowed from what was recorded */
    struct expectation expectation;
};

/* What is left in quarantine after this does no harm: the release itself is done. */
static void on_tidied(struct task *task, enum untag_means means, const char *why,
                      const struct error *error)
{
    (void)means;
    (void)why;
    (void)error;
    task_done(task);
}

static void tidy(struct task *task)
{
    const struct release *release = task->work;
    untag(task,
          &(struct untag_order){.repository = release->repository,
                                .tag = release->tag,
                                .digest = task->target.digest,
                                .lenient = true},
          on_tidied);
}

static void lift_hold(struct task *task)
{
    struct actions *actions = task->actions;
    if (json_bool(json_get(task->recorded, "held"), false) && actions->hold != NULL)
        actions->hold(actions->argument, task->target.registry_name, task->target.repository,
                      &task->target.digest, false, "released from quarantine");
}

static void on_back(struct task *task, const struct error *error)
{
    if (error != NULL) {
        task_fail(task, error);
        return;
    }
    lift_hold(task);
    tidy(task);
}

/* Somebody emptied the quarantine; the repository itself may have the manifest still. */
static void on_copied_back(struct task *task, const struct error *error)
{
    const struct release *release = task->work;
    if (error == NULL || error->kind != FAILURE_ABSENT) {
        on_back(task, error);
        return;
    }
    point_tag(task,
              &(struct point_order){.repository = task->target.repository,
                                    .tag = task->target.tag,
                                    .digest = task->target.digest,
                                    .expectation = release->expectation},
              on_back);
}

static void on_current(struct task *task, const struct registry_answer *answer)
{
    const struct release *release = task->work;
    if (answer_is(answer, &task->target.digest)) {
        on_back(task, NULL);
        return;
    }
    if (!expectation_holds(&release->expectation, answer)) {
        task_skip_moved(task, task->target.repository, task->target.tag, answer);
        return;
    }
    copy_image(task,
               &(struct copy_order){.from = release->repository,
                                    .to = task->target.repository,
                                    .tag = task->target.tag,
                                    .digest = task->target.digest,
                                    .expectation = release->expectation},
               on_copied_back);
}

void quarantine_release(struct task *task)
{
    struct release *release = memory_new(sizeof(*release));
    struct error err = {0};
    const char *points_at = json_get_string(task->recorded, "pointsAt");
    if (text_equal(json_get_string(task->recorded, "means"), "archived")) {
        free(release);
        quarantine_restore(task);
        return;
    }
    task->work = release;
    task->free_work = free;
    release->repository = json_get_string(task->recorded, "repository");
    release->tag = json_get_string(task->recorded, "tag");
    release->expectation = (struct expectation){.anything = task->force, .absent = true};
    replace_digest(task, task->target.repository, task->target.tag, &release->expectation.other);
    if (release->repository == NULL || !repository_is_valid(release->repository) ||
        release->tag == NULL || !tag_is_valid(release->tag) ||
        !quarantine_owns(task->actions, task->target.registry_name, release->repository) ||
        (points_at != NULL && digest_parse(points_at, &release->expectation.either, &err) != 0)) {
        error_set(&err, FAILURE_INPUT, "the plan does not say where the image was moved to");
        task_fail(task, &err);
        return;
    }
    task_resolve(task, task->target.repository, task->target.tag, on_current);
}
