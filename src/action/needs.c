/* Does anything else in the repository need a manifest? Deleting it would take it away from all of
 * them, so every tag is looked at, every index is opened, and referrers are asked for. What cannot
 * be told counts as needed. Untagged indexes cannot be listed by any registry and are not seen:
 * only manifests that stand under a tag of their own come here. */
#include "needs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/map.h"
#include "regwarden/reference.h"

enum { NEEDS_AT_ONCE = 8, NEEDS_REFERENCES_MAX = 10000 };

struct needs_slot {
    struct needs *needs;
    uint64_t id;           /* of the registry client; 0: free */
    const char *reference; /* borrowed from the list */
};

struct needs {
    struct task *task;
    struct needs_order order; /* strings are our own */
    needs_done_f *done;
    struct text_list references; /* tags, and digests of the indexes that indexes name */
    size_t next;
    struct map *seen; /* indexes that were opened, by digest */
    struct needs_slot slots[NEEDS_AT_ONCE];
    uint64_t lister; /* of tags, then of referrers */
    bool tags_complete;
};

static void look_on(struct needs *needs);

static void cancel(struct needs *needs, uint64_t *id)
{
    if (*id != 0)
        registry_cancel(needs->task->target.registry, *id);
    *id = 0;
}

void needs_free(struct needs *needs)
{
    if (needs == NULL)
        return;
    for (size_t i = 0; i < NEEDS_AT_ONCE; i++)
        cancel(needs, &needs->slots[i].id);
    cancel(needs, &needs->lister);
    text_list_release(&needs->references);
    map_free(needs->seen);
    free((void *)(uintptr_t)needs->order.repository);
    free((void *)(uintptr_t)needs->order.tag);
    free(needs);
}

static void finish(struct needs *needs, const char *why, const struct error *error)
{
    struct task *task = needs->task;
    needs_done_f *done = needs->done;
    task->needs = NULL;
    needs_free(needs);
    done(task, why, error);
}

static void finish_needed(struct needs *needs, const char *format, const char *what)
{
    struct text why = {0};
    text_format(&why, "%s ", needs->order.repository);
    text_add(&why, format);
    if (what != NULL)
        text_format(&why, " %s", what);
    AUTO_FREE char *text = text_take(&why);
    finish(needs, text, NULL);
}

/* A failure that passes is tried again later; any other means that it cannot be told. */
static void finish_failed(struct needs *needs, const struct error *error)
{
    if (failure_is_passing(error->kind)) {
        finish(needs, NULL, error);
        return;
    }
    AUTO_FREE char *text = text_new("it could not be told what needs it (%s)", error->text);
    finish(needs, text, NULL);
}

/* --- referrers --- */

static void on_referrers(void *argument, const struct registry_answer *answer)
{
    struct needs *needs = argument;
    AUTO_JSON struct json *index = NULL;
    struct error err = {0};
    needs->lister = 0;
    if (answer_is_absent(answer)) {
        finish(needs, NULL, NULL);
    } else if (answer->error != NULL) {
        finish_failed(needs, answer->error);
    } else if (json_parse(answer->bytes, answer->size, NULL, &index, &err) != 0 ||
               !json_is(json_get(index, "manifests"), JSON_KIND_ARRAY)) {
        finish_needed(needs, "has a list of referrers that cannot be read", NULL);
    } else if (json_count(json_get(index, "manifests")) > 0) {
        finish_needed(needs, "has a signature, attestation or other referrer to it", NULL);
    } else {
        finish(needs, NULL, NULL);
    }
}

/* --- tags and indexes --- */

static void on_index(void *argument, const struct registry_answer *answer)
{
    struct needs_slot *slot = argument;
    struct needs *needs = slot->needs;
    AUTO_MANIFEST struct manifest *manifest = NULL;
    struct error err = {0};
    char buffer[DIGEST_TEXT_SIZE];
    slot->id = 0;
    if (answer_is_absent(answer)) {
        look_on(needs);
        return;
    }
    if (answer->error != NULL) {
        finish_failed(needs, answer->error);
        return;
    }
    if (manifest_parse(answer->bytes, answer->size, answer->media_type, &answer->digest, &manifest,
                       &err) != 0) {
        finish_needed(needs, "has a manifest that cannot be read:", slot->reference);
        return;
    }
    for (size_t i = 0; i < manifest->child_count; i++) {
        const struct descriptor *child = &manifest->children[i];
        if (digest_equal(&child->digest, &needs->order.digest)) {
            finish_needed(needs, "has an index that names it:", slot->reference);
            return;
        }
        if (media_type_is_index(child->media_type) || !media_type_is_manifest(child->media_type))
            text_list_add(&needs->references, digest_format(&child->digest, buffer));
    }
    look_on(needs);
}

/* Tells whether this manifest has to be opened: an index, or something that does not say what it
 * is, that was not seen before. */
static bool must_open(struct needs *needs, const struct registry_answer *answer)
{
    char buffer[DIGEST_TEXT_SIZE];
    if (answer->media_type != NULL && media_type_is_manifest(answer->media_type) &&
        !media_type_is_index(answer->media_type))
        return false;
    return map_set(needs->seen, digest_format(&answer->digest, buffer), needs) == NULL;
}

static void on_resolved(void *argument, const struct registry_answer *answer)
{
    struct needs_slot *slot = argument;
    struct needs *needs = slot->needs;
    char buffer[DIGEST_TEXT_SIZE];
    slot->id = 0;
    if (answer_is_absent(answer)) {
        look_on(needs);
    } else if (answer->error != NULL) {
        finish_failed(needs, answer->error);
    } else if (answer_is(answer, &needs->order.digest)) {
        finish_needed(needs, "has another tag on it:", slot->reference);
    } else if (must_open(needs, answer)) {
        slot->id = registry_fetch_manifest(needs->task->target.registry, needs->order.repository,
                                           digest_format(&answer->digest, buffer), on_index, slot);
    } else {
        look_on(needs);
    }
}

static bool is_idle(const struct needs *needs)
{
    for (size_t i = 0; i < NEEDS_AT_ONCE; i++)
        if (needs->slots[i].id != 0)
            return false;
    return true;
}

static void look_on(struct needs *needs)
{
    if (needs->references.count > NEEDS_REFERENCES_MAX) {
        finish_needed(needs, "has more tags than are looked through", NULL);
        return;
    }
    for (size_t i = 0; i < NEEDS_AT_ONCE && needs->next < needs->references.count; i++) {
        struct needs_slot *slot = &needs->slots[i];
        if (slot->id != 0)
            continue;
        slot->reference = needs->references.items[needs->next++];
        slot->id = registry_resolve(needs->task->target.registry, needs->order.repository,
                                    slot->reference, on_resolved, slot);
    }
    if (needs->tags_complete && is_idle(needs))
        needs->lister =
            registry_fetch_referrers(needs->task->target.registry, needs->order.repository,
                                     &needs->order.digest, on_referrers, needs);
}

/* Signatures of the older kind stand under tags made of the digest: "sha256-<hex>.sig". */
static bool names_digest(const struct needs *needs, const char *tag)
{
    char text[DIGEST_TEXT_SIZE];
    digest_format(&needs->order.digest, text);
    char *colon = strchr(text, ':');
    assert(colon != NULL);
    *colon = '-';
    return text_starts_with(tag, text) && tag[strlen(text)] == '.';
}

static void on_tags(void *argument, const struct registry_answer *answer)
{
    struct needs *needs = argument;
    if (!answer->more)
        needs->lister = 0;
    if (answer->error != NULL) {
        needs->lister = 0;
        finish_failed(needs, answer->error);
        return;
    }
    for (size_t i = 0; i < answer->names->count; i++) {
        const char *tag = answer->names->items[i];
        if (text_equal(tag, needs->order.tag))
            continue;
        if (!tag_is_valid(tag)) {
            finish_needed(needs, "has a tag that cannot be read", NULL);
            return;
        }
        if (names_digest(needs, tag)) {
            finish_needed(needs, "has a signature or attestation of it:", tag);
            return;
        }
        text_list_add(&needs->references, tag);
    }
    needs->tags_complete = !answer->more;
    look_on(needs);
}

void needs_check(struct task *task, const struct needs_order *order, needs_done_f *done)
{
    struct needs *needs = memory_new(sizeof(*needs));
    assert(task->needs == NULL);
    needs->task = task;
    needs->order = *order;
    needs->order.repository = memory_copy_text(order->repository);
    needs->order.tag = memory_copy_text(order->tag);
    needs->done = done;
    needs->seen = map_new();
    for (size_t i = 0; i < NEEDS_AT_ONCE; i++)
        needs->slots[i].needs = needs;
    task->needs = needs;
    needs->lister =
        registry_list_tags(task->target.registry, needs->order.repository, on_tags, needs);
}
