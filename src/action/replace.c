/* A tag away and nothing else: PUT of an empty index under it, DELETE of that index. What stands in
 * the index makes it this plan's own, and the same again after a crash. */
#include "replace.h"

#include <inttypes.h>
#include <stdlib.h>

#include "point.h"
#include "regwarden/manifest.h"

struct replace {
    char *repository, *tag;
    struct digest digest;
    struct kept_manifest empty;
    struct error refused; /* what the registry said to the removal */
    task_step_f *next;
};

static void make_empty(const struct task *task, const char *repository, const char *tag,
                       struct kept_manifest *ret)
{
    AUTO_JSON struct json *index = json_new_object();
    AUTO_TEXT struct text bytes = {0};
    AUTO_FREE char *plan = text_new("%" PRId64, task->target.plan_id);
    AUTO_FREE char *place = text_new("%s:%s", repository, tag);
    char digest[DIGEST_TEXT_SIZE];
    struct json *annotations = json_new_object();
    json_set_string(annotations, "regwarden.removes", place);
    json_set_string(annotations, "regwarden.removes.digest",
                    digest_format(&task->target.digest, digest));
    json_set_string(annotations, "regwarden.plan", plan);
    json_set_integer(index, "schemaVersion", 2);
    json_set_string(index, "mediaType", MEDIA_TYPE_OCI_INDEX);
    json_set_take(index, "manifests", json_new_array());
    json_set_take(index, "annotations", annotations);
    json_write(index, JSON_SORTED, &bytes);
    *ret = (struct kept_manifest){.size = bytes.length,
                                  .media_type = memory_copy_text(MEDIA_TYPE_OCI_INDEX)};
    digest_compute(NULL, bytes.data, bytes.length, &ret->digest);
    ret->bytes = text_take(&bytes);
}

void replace_digest(const struct task *task, const char *repository, const char *tag,
                    struct digest *ret)
{
    struct kept_manifest empty;
    make_empty(task, repository, tag, &empty);
    *ret = empty.digest;
    kept_manifest_release(&empty);
}

void replace_free(struct replace *replace)
{
    if (replace == NULL)
        return;
    kept_manifest_release(&replace->empty);
    free(replace->repository);
    free(replace->tag);
    free(replace);
}

static void finish(struct task *task, const struct error *error)
{
    struct replace *replace = TAKE(task->replace);
    task_step_f *next = replace->next;
    struct error kept = {0};
    if (error != NULL)
        kept = *error;
    replace_free(replace);
    next(task, error == NULL ? NULL : &kept);
}

/* --- the registry deletes nothing: back to what it was --- */

static void on_restored(struct task *task, const struct error *error)
{
    finish(task, error == NULL ? &task->replace->refused : error);
}

static void restore(struct task *task)
{
    struct replace *replace = task->replace;
    point_tag(task,
              &(struct point_order){.repository = replace->repository,
                                    .tag = replace->tag,
                                    .digest = replace->digest,
                                    .expectation = {.either = replace->empty.digest}},
              on_restored);
}

/* --- removal --- */

static void on_seen(struct task *task, const struct registry_answer *answer)
{
    struct replace *replace = task->replace;
    if (answer->error != NULL && !answer_is_absent(answer)) {
        finish(task, answer->error);
    } else if (!answer_is(answer, &replace->empty.digest)) {
        finish(task, NULL);
    } else if (failure_is_passing(replace->refused.kind)) {
        finish(task, &replace->refused); /* next time it is seen here, and deleted */
    } else {
        if (replace->refused.kind == FAILURE_NONE)
            error_set(&replace->refused, FAILURE_DENIED,
                      "the registry says that it deleted a manifest, but still has it");
        restore(task);
    }
}

static void on_deleted(struct task *task, const struct registry_answer *answer)
{
    struct replace *replace = task->replace;
    if (answer->error != NULL && !answer_is_absent(answer))
        replace->refused = *answer->error;
    if (replace->refused.kind == FAILURE_LATER || replace->refused.kind == FAILURE_SYSTEM)
        finish(task, &replace->refused);
    else
        task_resolve(task, replace->repository, replace->tag, on_seen);
}

static void delete_empty(struct task *task)
{
    struct replace *replace = task->replace;
    task_delete_manifest(task, replace->repository, &replace->empty.digest, on_deleted);
}

/* --- replacement --- */

static void on_put(struct task *task, const struct error *error)
{
    if (error != NULL)
        finish(task, error);
    else
        delete_empty(task);
}

static void on_current(struct task *task, const struct registry_answer *answer)
{
    struct replace *replace = task->replace;
    if (answer_is(answer, &replace->empty.digest))
        delete_empty(task);
    else if (answer_is(answer, &replace->digest))
        task_put(task, replace->repository, replace->tag, &replace->empty, on_put);
    else if (answer_is_absent(answer))
        finish(task, NULL);
    else
        task_skip_moved(task, replace->repository, replace->tag, answer);
}

static void on_recorded(struct task *task, const struct error *error)
{
    if (error != NULL)
        finish(task, error);
    else
        task_resolve(task, task->replace->repository, task->replace->tag, on_current);
}

void replace_tag(struct task *task, const struct replace_order *order, task_step_f *next)
{
    struct replace *replace = memory_new(sizeof(*replace));
    replace->repository = memory_copy_text(order->repository);
    replace->tag = memory_copy_text(order->tag);
    replace->digest = order->digest;
    replace->next = next;
    make_empty(task, order->repository, order->tag, &replace->empty);
    task->replace = replace;
    task_announce(task, replace->repository, replace->tag, &replace->empty.digest);
    task_record(task, on_recorded);
}
