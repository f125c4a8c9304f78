/* Copies an image or an index to another repository: lists what there is, announces it, copies it
 * children first and the tag last. Bytes are never changed: digests stay. Repeating it after a
 * crash costs requests and does no harm. */
#include "copy.h"

#include <stdlib.h>

#include "regwarden/manifest.h"
#include "regwarden/map.h"

enum { COPY_MANIFESTS_MAX = 2048 };

struct copy_item {
    struct digest digest;
    bool leaf; /* names no further manifests */
};

/* Registries that allow it hold indexes of which some manifests are not there. What is not there
 * need not be copied; the image itself must be. */
static bool may_lack(const struct registry_answer *answer, size_t position)
{
    return position > 0 && answer_is_absent(answer);
}

struct copy {
    char *from, *to, *tag;
    struct expectation expectation;
    bool another_name_will_do;
    task_step_f *next;
    /* Parents before children; a manifest that two indexes name is here twice, so that walking
     * backwards meets every child before each of its parents. */
    struct copy_item *items;
    size_t count, capacity;
    size_t position; /* next to list, later one behind the next to copy */
    struct kept_manifest kept;
    struct manifest *manifest;
    size_t blob;      /* next of the manifest at hand: 0 its config, then the layers */
    struct map *done; /* blobs that are there, by digest */
};

static void list_next(struct task *task);
static void copy_next(struct task *task, const struct error *error);
static void copy_blobs(struct task *task);

void copy_free(struct copy *copy)
{
    if (copy == NULL)
        return;
    manifest_free(copy->manifest);
    kept_manifest_release(&copy->kept);
    map_free(copy->done);
    free(copy->items);
    free(copy->from);
    free(copy->to);
    free(copy->tag);
    free(copy);
}

static void finish(struct task *task, const struct error *error)
{
    struct copy *copy = TAKE(task->copy);
    task_step_f *next = copy->next;
    struct error kept = {0};
    if (error != NULL) {
        kept = *error;
        error_wrap(&kept, "copy to %s", copy->to);
    }
    copy_free(copy);
    next(task, error == NULL ? NULL : &kept);
}

static void add_item(struct copy *copy, const struct digest *digest, bool leaf)
{
    copy->items = memory_grow(copy->items, copy->count, &copy->capacity, sizeof(*copy->items));
    copy->items[copy->count++] = (struct copy_item){.digest = *digest, .leaf = leaf};
}

/* --- what there is --- */

static int add_children(struct copy *copy, const struct manifest *index, struct error *err)
{
    if (index->child_count > COPY_MANIFESTS_MAX - copy->count)
        return error_set(err, FAILURE_LIMIT, "the index names more than %d manifests",
                         COPY_MANIFESTS_MAX);
    for (size_t i = 0; i < index->child_count; i++) {
        const struct descriptor *child = &index->children[i];
        bool leaf =
            media_type_is_manifest(child->media_type) && !media_type_is_index(child->media_type);
        add_item(copy, &child->digest, leaf);
    }
    return 0;
}

static void on_listed(struct task *task, const struct registry_answer *answer)
{
    struct copy *copy = task->copy;
    AUTO_MANIFEST struct manifest *manifest = NULL;
    struct error err = {0};
    if (may_lack(answer, copy->position)) {
        copy->position++;
        list_next(task);
        return;
    }
    if (answer->error != NULL) {
        finish(task, answer->error);
        return;
    }
    int rc = manifest_parse(answer->bytes, answer->size, answer->media_type,
                            &copy->items[copy->position].digest, &manifest, &err);
    if (rc == 0)
        rc = add_children(copy, manifest, &err);
    if (rc != 0) {
        finish(task, &err);
        return;
    }
    copy->position++;
    list_next(task);
}

/* Children are put by digest; the image itself, first of the list and last to be copied, under its
 * tag. */
static const char *put_reference(const struct copy *copy, size_t position,
                                 char buffer[static DIGEST_TEXT_SIZE])
{
    return position == 0 ? copy->tag : digest_format(&copy->items[position].digest, buffer);
}

static void list_next(struct task *task)
{
    struct copy *copy = task->copy;
    char buffer[DIGEST_TEXT_SIZE];
    while (copy->position < copy->count && copy->items[copy->position].leaf)
        copy->position++;
    if (copy->position < copy->count) {
        task_fetch(task, copy->from, &copy->items[copy->position].digest, on_listed);
        return;
    }
    for (size_t i = 0; i < copy->count; i++)
        task_announce(task, copy->to, put_reference(copy, i, buffer), &copy->items[i].digest);
    task_record(task, copy_next);
}

/* --- one manifest --- */

static void on_current(struct task *task, const struct registry_answer *answer)
{
    struct copy *copy = task->copy;
    struct error taken = {0};
    if (answer_is(answer, &copy->kept.digest)) {
        copy_next(task, NULL);
    } else if (expectation_holds(&copy->expectation, answer)) {
        task_put(task, copy->to, copy->tag, &copy->kept, copy_next);
    } else if (answer->error == NULL && copy->another_name_will_do) {
        error_set(&taken, FAILURE_LATER, "somebody else has taken the tag %s", copy->tag);
        finish(task, &taken);
    } else {
        task_skip_moved(task, copy->to, copy->tag, answer);
    }
}

static void put_manifest(struct task *task)
{
    struct copy *copy = task->copy;
    char buffer[DIGEST_TEXT_SIZE];
    if (copy->position == 0)
        task_resolve(task, copy->to, copy->tag, on_current);
    else
        task_put(task, copy->to, put_reference(copy, copy->position, buffer), &copy->kept,
                 copy_next);
}

/* Layers that are never to be distributed usually lie elsewhere, and a registry does not miss them.
 */
static bool is_foreign(const struct descriptor *blob)
{
    return text_starts_with(blob->media_type,
                            "application/vnd.docker.image.rootfs.foreign.diff.tar") ||
           text_starts_with(blob->media_type,
                            "application/vnd.oci.image.layer.nondistributable.v1.tar");
}

static const struct descriptor *blob_at(const struct copy *copy, size_t position)
{
    return position == 0 ? &copy->manifest->config : &copy->manifest->layers[position - 1];
}

static void on_blob(struct task *task, const struct registry_answer *answer)
{
    struct copy *copy = task->copy;
    char buffer[DIGEST_TEXT_SIZE];
    const struct descriptor *blob = blob_at(copy, copy->blob);
    if (answer->error != NULL && !(answer_is_absent(answer) && is_foreign(blob))) {
        finish(task, answer->error);
        return;
    }
    map_set(copy->done, digest_format(&blob->digest, buffer), copy);
    copy->blob++;
    copy_blobs(task);
}

static void copy_blobs(struct task *task)
{
    struct copy *copy = task->copy;
    char buffer[DIGEST_TEXT_SIZE];
    size_t count = copy->manifest->kind == MANIFEST_INDEX ? 0 : copy->manifest->layer_count + 1;
    for (; copy->blob < count; copy->blob++) {
        const struct descriptor *blob = blob_at(copy, copy->blob);
        if (!digest_is_set(&blob->digest) ||
            map_get(copy->done, digest_format(&blob->digest, buffer)) != NULL)
            continue;
        task_copy_blob(task,
                       &(struct registry_blob_copy){
                           .from = copy->from,
                           .to = copy->to,
                           .digest = blob->digest,
                           .size = blob->size,
                       },
                       on_blob);
        return;
    }
    put_manifest(task);
}

static void on_manifest(struct task *task, const struct registry_answer *answer)
{
    struct copy *copy = task->copy;
    struct error err = {0};
    if (may_lack(answer, copy->position)) {
        copy_next(task, NULL);
        return;
    }
    if (answer->error != NULL) {
        finish(task, answer->error);
        return;
    }
    manifest_free(TAKE(copy->manifest));
    kept_manifest_set(&copy->kept, answer);
    if (manifest_parse(copy->kept.bytes, copy->kept.size, copy->kept.media_type,
                       &copy->items[copy->position].digest, &copy->manifest, &err) != 0) {
        finish(task, &err);
        return;
    }
    copy->blob = 0;
    copy_blobs(task);
}

static void copy_next(struct task *task, const struct error *error)
{
    struct copy *copy = task->copy;
    if (error != NULL || copy->position == 0) {
        finish(task, error);
        return;
    }
    copy->position--;
    task_fetch(task, copy->from, &copy->items[copy->position].digest, on_manifest);
}

void copy_image(struct task *task, const struct copy_order *order, task_step_f *next)
{
    struct copy *copy = memory_new(sizeof(*copy));
    copy->from = memory_copy_text(order->from);
    copy->to = memory_copy_text(order->to);
    copy->tag = memory_copy_text(order->tag);
    copy->expectation = order->expectation;
    copy->another_name_will_do = order->another_name_will_do;
    copy->done = map_new();
    copy->next = next;
    add_item(copy, &order->digest, false);
    task->copy = copy;
    list_next(task);
}
