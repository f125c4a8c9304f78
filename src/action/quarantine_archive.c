/* Quarantine by the registry's own archive (Amazon ECR): nothing is copied, the image stays where
 * it is and cannot be pulled. That takes it away from everybody who has it, under each of its tags:
 * so it is done only when no other tag, index or referrer needs it. */
#include "needs.h"
#include "task.h"

static enum quarantine_means means_of(const struct task *task)
{
    const struct config_registry *settings =
        config_find_registry(task->actions->config, task->target.registry_name);
    return settings == NULL ? QUARANTINE_AUTO : (enum quarantine_means)settings->quarantine_means;
}

bool quarantine_can_archive(const struct task *task)
{
    struct registry_abilities abilities;
    switch (means_of(task)) {
    case QUARANTINE_COPY:
        return false;
    case QUARANTINE_ARCHIVE:
        return true;
    case QUARANTINE_AUTO:
        break;
    }
    registry_abilities(task->target.registry, &abilities);
    return registry_get_type(task->target.registry) != REGISTRY_TYPE_AUTO &&
           abilities.archive != ANSWER_NO;
}

static void set_undo(struct task *task)
{
    task->undo = json_new_object();
    json_set_string(task->undo, "means", "archived");
}

/* The image cannot be archived, for this reason. */
static void move_instead(struct task *task, const char *why)
{
    struct error err = {0};
    json_release(TAKE(task->undo));
    if (means_of(task) == QUARANTINE_AUTO) {
        quarantine_move(task);
        return;
    }
    error_set(&err, FAILURE_DENIED, "the image was not archived: %s", why);
    error_hint(&err, "with quarantine-means auto or copy it is moved instead");
    task_fail(task, &err);
}

static void on_archived(struct task *task, const struct registry_answer *answer)
{
    if (answer->error == NULL) {
        task_done(task);
    } else if (answer_is_absent(answer)) {
        json_release(TAKE(task->undo));
        task_skip(task, "the image is not in %s any more", task->target.repository);
    } else if (failure_is_passing(answer->error->kind)) {
        task_fail(task, answer->error);
    } else {
        move_instead(task, answer->error->text);
    }
}

static void on_before(struct task *task, const struct registry_answer *answer)
{
    if (answer_is(answer, &task->target.digest)) {
        task_archive(task, on_archived);
        return;
    }
    json_release(TAKE(task->undo));
    task_skip_moved(task, task->target.repository, task->target.tag, answer);
}

static void on_still_needed(struct task *task, const char *why, const struct error *error)
{
    if (error != NULL)
        task_fail(task, error);
    else if (why != NULL)
        move_instead(task, why);
    else
        task_resolve(task, task->target.repository, task->target.tag, on_before);
}

static void check_needs(struct task *task, needs_done_f *next)
{
    needs_check(task,
                &(struct needs_order){.repository = task->target.repository,
                                      .tag = task->target.tag,
                                      .digest = task->target.digest},
                next);
}

/* The record may have taken a while: what was found out before it is found out once more. */
static void on_recorded(struct task *task, const struct error *error)
{
    if (error != NULL)
        task_fail(task, error);
    else
        check_needs(task, on_still_needed);
}

static void on_needed(struct task *task, const char *why, const struct error *error)
{
    if (error != NULL) {
        task_fail(task, error);
    } else if (why != NULL) {
        move_instead(task, why);
    } else {
        set_undo(task);
        task_record(task, on_recorded);
    }
}

static void on_recorded_again(struct task *task, const struct error *error)
{
    if (error != NULL)
        task_fail(task, error);
    else
        task_archive(task, on_archived);
}

/* The tag names nothing. After a crash the image may be archived already: it cannot be seen then,
 * and asking for the same once more changes nothing. When it can be seen, its tag was taken away.
 */
static void on_unnamed(struct task *task, const struct registry_answer *answer)
{
    if (answer->error != NULL && !answer_is_absent(answer)) {
        task_fail(task, answer->error);
    } else if (answer->error == NULL) {
        task_skip(task, "%s:%s is gone since the verdict, left alone", task->target.repository,
                  task->target.tag);
    } else {
        set_undo(task);
        task_record(task, on_recorded_again);
    }
}

static void on_current(struct task *task, const struct registry_answer *answer)
{
    char buffer[DIGEST_TEXT_SIZE];
    if (answer_is(answer, &task->target.digest))
        check_needs(task, on_needed);
    else if (answer_is_absent(answer))
        task_resolve(task, task->target.repository, digest_format(&task->target.digest, buffer),
                     on_unnamed);
    else
        task_skip_moved(task, task->target.repository, task->target.tag, answer);
}

void quarantine_archive(struct task *task)
{
    task_resolve(task, task->target.repository, task->target.tag, on_current);
}

/* --- back --- */

static void on_restored(struct task *task, const struct registry_answer *answer)
{
    struct error err = {0};
    if (answer->error == NULL) {
        task_done(task);
        return;
    }
    err = *answer->error;
    if (failure_is_passing(err.kind))
        error_hint(&err, "release it once more, to see whether it is back");
    task_fail(task, &err);
}

void quarantine_restore(struct task *task)
{
    task_restore(task, on_restored);
}
