/* One action under way: operations of the registry client with their continuations, the journal,
 * and the end. Knows nothing of what any action does; whether it may do it was decided in
 * actions.c. */
#include "task.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "needs.h"
#include "point.h"
#include "regwarden/clock.h"
#include "replace.h"
#include "untag.h"

static void on_registry_answer(void *argument, const struct registry_answer *answer)
{
    struct task *task = argument;
    task->operation = 0;
    task->on_answer(task, answer);
}

static void expect_answer(struct task *task, task_answer_f *next)
{
    assert(task->running && !task->ended && task->operation == 0);
    task->on_answer = next;
}

/* The second lock behind the choke point: a write from a task that may not is our own bug. */
static void expect_write(struct task *task, task_answer_f *next)
{
    assert(task->may_write && !task->actions->dry_run && !task->target.audit);
    expect_answer(task, next);
}

void kept_manifest_set(struct kept_manifest *kept, const struct registry_answer *answer)
{
    kept_manifest_release(kept);
    kept->bytes = memory_copy_bytes(answer->bytes, answer->size);
    kept->size = answer->size;
    kept->media_type = memory_copy_text(answer->media_type == NULL ? "" : answer->media_type);
    kept->digest = answer->digest;
}

void kept_manifest_release(struct kept_manifest *kept)
{
    free(kept->bytes);
    free(kept->media_type);
    *kept = (struct kept_manifest){0};
}

bool failure_is_passing(enum failure kind)
{
    switch (kind) {
    case FAILURE_LATER:
    case FAILURE_UNCERTAIN:
    case FAILURE_SYSTEM:
        return true;
    case FAILURE_NONE:
    case FAILURE_INPUT:
    case FAILURE_ABSENT:
    case FAILURE_DENIED:
    case FAILURE_LIMIT:
        return false;
    }
    return false;
}

bool answer_is_absent(const struct registry_answer *answer)
{
    return answer->error != NULL && answer->error->kind == FAILURE_ABSENT;
}

bool answer_is(const struct registry_answer *answer, const struct digest *digest)
{
    return answer->error == NULL && digest_is_set(digest) && digest_equal(&answer->digest, digest);
}

bool expectation_holds(const struct expectation *expectation, const struct registry_answer *answer)
{
    if (answer_is_absent(answer))
        return expectation->absent || expectation->anything;
    if (answer->error != NULL)
        return false;
    return expectation->anything || answer_is(answer, &expectation->either) ||
           answer_is(answer, &expectation->other);
}

/* --- operations --- */

void task_resolve(struct task *task, const char *repository, const char *reference,
                  task_answer_f *next)
{
    expect_answer(task, next);
    task->operation =
        registry_resolve(task->target.registry, repository, reference, on_registry_answer, task);
}

void task_fetch(struct task *task, const char *repository, const struct digest *digest,
                task_answer_f *next)
{
    char reference[DIGEST_TEXT_SIZE];
    expect_answer(task, next);
    task->operation =
        registry_fetch_manifest(task->target.registry, repository, digest_format(digest, reference),
                                on_registry_answer, task);
}

void task_copy_blob(struct task *task, const struct registry_blob_copy *blob, task_answer_f *next)
{
    assert(task->announced);
    expect_write(task, next);
    task->operation = registry_copy_blob(task->target.registry, blob, on_registry_answer, task);
}

void task_delete_tag(struct task *task, const char *repository, const char *tag,
                     task_answer_f *next)
{
    expect_write(task, next);
    task->operation =
        registry_delete_tag(task->target.registry, repository, tag, on_registry_answer, task);
}

void task_delete_manifest(struct task *task, const char *repository, const struct digest *digest,
                          task_answer_f *next)
{
    expect_write(task, next);
    task->operation = registry_delete_manifest(task->target.registry, repository, digest,
                                               on_registry_answer, task);
}

void task_add_label(struct task *task, const struct registry_label *label, task_answer_f *next)
{
    expect_write(task, next);
    task->operation = registry_add_label(task->target.registry, label, on_registry_answer, task);
}

void task_remove_label(struct task *task, const struct registry_label *label, task_answer_f *next)
{
    expect_write(task, next);
    task->operation = registry_remove_label(task->target.registry, label, on_registry_answer, task);
}

void task_archive(struct task *task, task_answer_f *next)
{
    expect_write(task, next);
    task->operation = registry_archive(task->target.registry, task->target.repository,
                                       &task->target.digest, on_registry_answer, task);
}

void task_restore(struct task *task, task_answer_f *next)
{
    expect_write(task, next);
    task->operation = registry_restore(task->target.registry, task->target.repository,
                                       &task->target.digest, on_registry_answer, task);
}

static void release_put(struct task *task)
{
    free(TAKE(task->put.repository));
    free(TAKE(task->put.reference));
}

static void on_put_seen(struct task *task, const struct registry_answer *answer)
{
    struct error error = {0};
    if (answer->error != NULL && !answer_is_absent(answer)) {
        error = *answer->error;
    } else if (!answer_is(answer, &task->put.digest)) {
        error = task->put.error;
        if (error.kind == FAILURE_NONE)
            error_set(&error, FAILURE_LATER,
                      "%s:%s does not name the manifest that was just pushed", task->put.repository,
                      task->put.reference);
    }
    release_put(task);
    task->put.next(task, error.kind == FAILURE_NONE ? NULL : &error);
}

static void on_put(struct task *task, const struct registry_answer *answer)
{
    if (answer->error != NULL && answer->error->kind != FAILURE_UNCERTAIN) {
        release_put(task);
        task->put.next(task, answer->error);
        return;
    }
    if (answer->error != NULL)
        task->put.error = *answer->error;
    task_resolve(task, task->put.repository, task->put.reference, on_put_seen);
}

void task_put(struct task *task, const char *repository, const char *reference,
              const struct kept_manifest *kept, task_step_f *next)
{
    assert(task->announced);
    task->put.repository = memory_copy_text(repository);
    task->put.reference = memory_copy_text(reference);
    task->put.digest = kept->digest;
    task->put.error = (struct error){0};
    task->put.next = next;
    expect_write(task, on_put);
    task->operation = registry_put_manifest(task->target.registry,
                                            &(struct registry_manifest_put){
                                                .repository = task->put.repository,
                                                .reference = task->put.reference,
                                                .media_type = kept->media_type,
                                                .bytes = kept->bytes,
                                                .size = kept->size,
                                            },
                                            on_registry_answer, task);
}

/* --- journal --- */

void task_announce(struct task *task, const char *repository, const char *reference,
                   const struct digest *digest)
{
    pushes_add(task->pushes, repository, reference, digest);
}

static void on_recorded(void *argument, const struct error *error)
{
    struct task *task = argument;
    task->waits_for_store = false;
    if (task->actions == NULL) {
        task_free(task);
        return;
    }
    task->announced = error == NULL;
    task->on_recorded(task, error);
}

void task_record(struct task *task, task_step_f *next)
{
    struct plan_update update = {
        .id = task->target.plan_id,
        .state = task->undoing ? PLAN_DONE : PLAN_PLANNED,
        .undo = task->undo,
        .pushes = task->pushes,
        .at_ms = clock_wall_ms(),
    };
    task->on_recorded = next;
    task->waits_for_store = true;
    store_update_plan(task->actions->store, &update, on_recorded, task);
}

/* --- life --- */

/* The first failing finding, else how the verdict stands: what people read at the gate. */
static char *verdict_reason(const struct verdict *verdict)
{
    if (verdict == NULL)
        return memory_copy_text("held by an operator");
    const struct finding *worst = NULL;
    for (size_t i = 0; i < verdict->findings.count; i++) {
        const struct finding *finding = &verdict->findings.items[i];
        if (finding->status == FINDING_WAIVED)
            continue;
        if (worst == NULL || finding->status > worst->status ||
            (finding->status == worst->status && finding->severity > worst->severity))
            worst = finding;
    }
    if (worst == NULL)
        return text_new("the verdict is %s", verdict_status_name(verdict->status));
    AUTO_FREE char *message = text_printable(worst->message == NULL ? "" : worst->message, 300);
    return text_new("policy %s, rule %s: %s", worst->policy == NULL ? "?" : worst->policy,
                    worst->id == NULL ? "?" : worst->id, message);
}

struct task *task_new(struct actions *actions, enum action_kind kind,
                      const struct action_target *target)
{
    struct task *task = memory_new(sizeof(*task));
    task->actions = actions;
    task->kind = kind;
    task->target = *target;
    task->target.registry_name = memory_copy_text(target->registry_name);
    task->target.repository = memory_copy_text(target->repository);
    task->target.tag = memory_copy_text(target->tag);
    task->why = verdict_reason(target->verdict);
    task->verdict = target->verdict == NULL ? VERDICT_UNKNOWN : target->verdict->status;
    task->pushes = json_new_array();
    return task;
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

void task_free(struct task *task)
{
    if (task == NULL)
        return;
    if (task->operation != 0)
        registry_cancel(task->target.registry, task->operation);
    needs_free(task->needs);
    replace_free(task->replace);
    untag_free(task->untag);
    copy_free(task->copy);
    point_free(task->point);
    release_put(task);
    if (task->free_work != NULL)
        task->free_work(task->work);
    json_release(task->recorded);
    json_release(task->undo);
    json_release(task->pushes);
    free_text(task->target.registry_name);
    free_text(task->target.repository);
    free_text(task->target.tag);
    free(task->why);
    free(task);
}

void task_abandon(struct task *task)
{
    if (!task->waits_for_store) {
        task_free(task);
        return;
    }
    task->actions = NULL;
    if (task->free_work != NULL)
        task->free_work(TAKE(task->work));
    task->free_work = NULL;
}

/* --- end --- */

static void end(struct task *task, enum plan_state state)
{
    assert(!task->ended);
    task->ended = true;
    task->state = state;
    actions_task_ended(task->actions);
}

void task_done(struct task *task)
{
    end(task, PLAN_DONE);
}

void task_done_with(struct task *task, const struct error *remark)
{
    task->error = *remark;
    end(task, PLAN_DONE);
}

void task_skip(struct task *task, const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    error_set(&task->error, FAILURE_INPUT, "%s", text);
    end(task, PLAN_SKIPPED);
}

void task_fail(struct task *task, const struct error *error)
{
    bool again = failure_is_passing(error->kind);
    task->error = *error;
    /* Whoever repeats it looks first: an uncertain write is one that may be tried again. */
    if (again)
        task->error.kind = FAILURE_LATER;
    end(task, again ? PLAN_PLANNED : PLAN_FAILED);
}

void task_skip_moved(struct task *task, const char *repository, const char *tag,
                     const struct registry_answer *answer)
{
    char digest[DIGEST_TEXT_SIZE];
    if (answer->error != NULL && !answer_is_absent(answer))
        task_fail(task, answer->error);
    else if (answer->error != NULL)
        task_skip(task, "%s:%s is gone since the verdict, left alone", repository, tag);
    else
        task_skip(task, "%s:%s moved to %s since the verdict, left alone", repository, tag,
                  digest_format(&answer->digest, digest));
}
