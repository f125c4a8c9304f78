/* From a reference to facts, over any source: the manifest, the children of an index side by side,
 * and the configs that are wanted. It fetches nothing itself and derives no fact. */
#include "regwarden/gather.h"

#include <assert.h>

#include "regwarden/loop.h"
#include "regwarden/memory.h"

#include "gathering.h"

/* Ids come without the loop that they belong to; each loop has its own thread. */
static _Thread_local TAILQ_HEAD(gather_list, gather) running;
static _Thread_local uint64_t last_id;

static void image_release(struct gathered_image *image)
{
    free(image->platform);
    facts_free(image->facts);
    *image = (struct gathered_image){0};
}

void gathered_release(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->image_count; i++)
        image_release(&gathered->images[i]);
    free(gathered->images);
    facts_free(gathered->index);
    free(gathered->media_type);
    *gathered = (struct gathered){0};
}

static void gather_free(struct gather *gather)
{
    for (size_t i = 0; gather->pending && i < gather->result.image_count; i++)
        manifest_free(gather->pending[i].manifest);
    for (size_t i = 0; gather->pending && i < gather->result.image_count; i++)
        pending_free_layers(&gather->pending[i]);
    free(gather->pending);
    attestations_free(gather->evidence);
    gathered_release(&gather->result);
    timer_free(gather->soon);
    free(gather->repository);
    free(gather->reference);
    free(gather);
}

/* Takes out the children that turned out to be no images. */
static void compact(struct gather *gather)
{
    struct gathered *result = &gather->result;
    size_t kept = 0;

    for (size_t i = 0; i < result->image_count; i++) {
        if (gather->pending[i].dropped)
            image_release(&result->images[i]);
        else
            result->images[kept++] = result->images[i];
    }
    result->image_count = kept;
}

static void tell(void *argument)
{
    struct gather *gather = argument;

    TAILQ_REMOVE(&running, gather, link);
    compact(gather);
    gather->done(gather->argument, &gather->result);
    gather_free(gather);
}

void gather_proceed(struct gather *gather)
{
    if (gather->open > 0)
        return;
    if (gather->starting)
        timer_arm(gather->soon, 0);
    else
        tell(gather);
}

static void fail(struct gather *gather, const struct error *error)
{
    struct error kept = *error;

    assert(!gather->starting && gather->open == 0);
    gathered_release(&gather->result);
    gather->result.error = kept;
    tell(gather);
}

/* Known facts that would be no better if everything were fetched again. Returns new or NULL. */
static struct facts *look(const struct gather *gather, const struct digest *digest)
{
    AUTO_FACTS struct facts *facts = NULL;

    if (!gather->options.lookup)
        return NULL;
    facts = gather->options.lookup(gather->options.lookup_argument, digest);
    if (!facts || !facts->manifest)
        return NULL;
    if (facts->manifest->kind == MANIFEST_IMAGE && gather_wants_config(gather) &&
        facts->status[FACT_CONFIG].state == FACT_ABSENT)
        return NULL;
    return TAKE(facts);
}

/* The index and the child have to agree on what the child is. */
static int check_entry(const struct pending *pending, const struct manifest *manifest,
                       struct error *err)
{
    const struct descriptor *entry = pending->entry;

    if (entry->size != manifest->size)
        return error_set(err, FAILURE_INPUT, "the index says %llu bytes, the manifest has %llu",
                         (unsigned long long)entry->size, (unsigned long long)manifest->size);
    if (*entry->media_type && !text_equal_nocase(entry->media_type, manifest->media_type)) {
        AUTO_FREE char *said = text_printable(entry->media_type, 100);
        AUTO_FREE char *is = text_printable(manifest->media_type, 100);

        return error_set(err, FAILURE_INPUT, "the index says %s, the manifest is %s", said, is);
    }
    if (manifest->kind == MANIFEST_INDEX)
        return error_set(err, FAILURE_INPUT,
                         "this entry of the index is an index itself, which is not judged");
    return 0;
}

static void take_child(struct pending *pending, struct manifest *manifest)
{
    if (check_entry(pending, manifest, &pending->image->error) < 0) {
        manifest_free(manifest);
        pending_settle(pending);
        return;
    }
    manifest_take_for_image(manifest);
    if (manifest->kind != MANIFEST_IMAGE) {
        pending->dropped = true;
        manifest_free(manifest);
        pending_settle(pending);
        return;
    }
    pending->manifest = manifest;
    pending_fetch_config(pending);
}

static const char *type_told(const struct registry_answer *answer, const char *otherwise)
{
    if (answer->media_type && *answer->media_type)
        return answer->media_type;
    return otherwise && *otherwise ? otherwise : NULL;
}

static void on_child(void *argument, const struct registry_answer *answer)
{
    struct pending *pending = argument;
    struct gather *gather = pending->gather;
    struct manifest *manifest = NULL;

    pending->request = 0;
    if (answer->error) {
        pending->image->error = *answer->error;
        pending_settle(pending);
    } else if (manifest_parse(answer->bytes, answer->size,
                              type_told(answer, pending->entry->media_type),
                              &pending->image->digest, &manifest, &pending->image->error) < 0) {
        pending_settle(pending);
    } else {
        take_child(pending, manifest);
    }
    gather_proceed(gather);
}

static void fetch_child(struct pending *pending)
{
    struct gather *gather = pending->gather;
    char digest[DIGEST_TEXT_SIZE];

    if (gather_take_budget(gather, pending->entry->size, &pending->image->error) < 0) {
        pending_settle(pending);
        return;
    }
    pending->request = gather->source.fetch_manifest(gather->source.self, gather->repository,
                                                     digest_format(&pending->image->digest, digest),
                                                     on_child, pending);
}

static void begin_child(struct pending *pending)
{
    struct facts *known = look(pending->gather, &pending->image->digest);

    if (!known) {
        fetch_child(pending);
        return;
    }
    if (check_entry(pending, known->manifest, &pending->image->error) < 0) {
        facts_free(known);
        pending_settle(pending);
        return;
    }
    pending->dropped = known->manifest->kind != MANIFEST_IMAGE;
    pending_take_facts(pending, known, true);
}

static void make_room(struct gather *gather, size_t count)
{
    gather->result.images = memory_new_array(count, sizeof(*gather->result.images));
    gather->pending = memory_new_array(count, sizeof(*gather->pending));
    gather->open = 0;
}

static struct pending *add_image(struct gather *gather, const struct digest *digest, char *platform)
{
    size_t at = gather->result.image_count++;
    struct pending *pending = &gather->pending[at];

    *pending = (struct pending){.gather = gather, .image = &gather->result.images[at]};
    pending->image->digest = *digest;
    pending->image->platform = platform;
    gather->open++;
    return pending;
}

/* The same manifest under two platforms is judged once. */
static bool is_added(const struct gather *gather, const struct digest *digest)
{
    for (size_t i = 0; i < gather->result.image_count; i++) {
        if (digest_equal(&gather->result.images[i].digest, digest))
            return true;
    }
    return false;
}

static int list_children(struct gather *gather, const struct manifest *index, struct error *err)
{
    make_room(gather, GATHER_CHILDREN_MAX);
    for (size_t i = 0; i < index->child_count; i++) {
        const struct descriptor *child = &index->children[i];

        if (!descriptor_is_runnable(child) || is_added(gather, &child->digest))
            continue;
        if (gather->result.image_count == GATHER_CHILDREN_MAX) {
            gather->open = 0;
            return error_set(err, FAILURE_LIMIT, "the index has more than %d images",
                             GATHER_CHILDREN_MAX);
        }
        add_image(gather, &child->digest, platform_format(&child->platform))->entry = child;
    }
    return 0;
}

/* gather->result.index is there. */
static void begin_children(struct gather *gather)
{
    struct error error = {0};

    if (list_children(gather, gather->result.index->manifest, &error) < 0) {
        gathered_release(&gather->result);
        gather->result.error = error;
        gather_proceed(gather);
        return;
    }
    gather->open++; /* so that the first of them cannot be the last */
    for (size_t i = 0; i < gather->result.image_count; i++)
        begin_child(&gather->pending[i]);
    gather->open--;
    gather_proceed(gather);
}

static void describe(struct gather *gather, const struct manifest *manifest)
{
    gather->result.digest = manifest->digest;
    gather->result.media_type = memory_copy_text(manifest->media_type);
    gather->result.kind = manifest->kind;
    if (manifest->has_subject)
        gather->result.subject = manifest->subject.digest;
}

static void take_known(struct gather *gather, struct facts *known)
{
    describe(gather, known->manifest);
    switch (known->manifest->kind) {
    case MANIFEST_INDEX:
        gather->result.index = known;
        begin_children(gather);
        return;
    case MANIFEST_IMAGE:
        make_room(gather, 1);
        pending_take_facts(add_image(gather, &gather->result.digest, memory_copy_text("")), known,
                           true);
        break;
    case MANIFEST_ATTESTATION:
    case MANIFEST_ARTIFACT:
        facts_free(known);
        break;
    }
    gather_proceed(gather);
}

static bool stands_as_image(const struct gather *gather)
{
    struct digest subject;

    return gather->options.tag && digest_parse_tag(gather->options.tag, &subject) < 0;
}

static void take_manifest(struct gather *gather, struct manifest *manifest)
{
    if (stands_as_image(gather))
        manifest_take_for_image(manifest);
    describe(gather, manifest);
    switch (manifest->kind) {
    case MANIFEST_INDEX:
        gather->result.index =
            facts_build_take(manifest, NULL, "an index has no config", gather->options.salt);
        begin_children(gather);
        return;
    case MANIFEST_IMAGE: {
        struct pending *pending;

        make_room(gather, 1);
        pending = add_image(gather, &manifest->digest, memory_copy_text(""));
        pending->manifest = manifest;
        pending_fetch_config(pending);
        break;
    }
    case MANIFEST_ATTESTATION:
    case MANIFEST_ARTIFACT:
        manifest_free(manifest);
        break;
    }
    gather_proceed(gather);
}

static void on_root(void *argument, const struct registry_answer *answer)
{
    struct gather *gather = argument;
    struct facts *known = NULL;
    struct manifest *manifest = NULL;
    struct error error = {0};

    gather->request = 0;
    if (answer->error) {
        fail(gather, answer->error);
        return;
    }
    if (!gather->looked)
        known = look(gather, &answer->digest);
    if (known) {
        take_known(gather, known);
        return;
    }
    if (manifest_parse(answer->bytes, answer->size, type_told(answer, NULL), &answer->digest,
                       &manifest, &error) < 0) {
        AUTO_FREE char *shown = text_printable(gather->reference, 160);

        (void)error_wrap(&error, "%s", shown);
        fail(gather, &error);
        return;
    }
    take_manifest(gather, manifest);
}

static struct facts *look_for_reference(struct gather *gather)
{
    struct digest digest;

    if (!gather->source.loop || digest_parse_verifiable(gather->reference, &digest, NULL) < 0)
        return NULL;
    gather->looked = true;
    return look(gather, &digest);
}

uint64_t gather_start(const struct image_source *source, const char *repository,
                      const char *reference, const struct gather_options *options,
                      gather_done_f *done, void *argument)
{
    struct gather *gather = memory_new(sizeof(*gather));
    struct facts *known;
    uint64_t id = ++last_id;

    if (!running.tqh_last)
        TAILQ_INIT(&running);
    gather->id = id;
    gather->source = *source;
    gather->options = *options;
    gather->repository = memory_copy_text(repository);
    gather->reference = memory_copy_text(reference ? reference : "");
    gather->done = done;
    gather->argument = argument;
    if (source->loop)
        gather->soon = timer_new(source->loop, tell, gather);
    TAILQ_INSERT_TAIL(&running, gather, link);
    known = look_for_reference(gather);
    if (known) {
        gather->starting = true;
        take_known(gather, known);
        gather->starting = false;
    } else {
        gather->request =
            source->fetch_manifest(source->self, repository, reference, on_root, gather);
    }
    return id;
}

static void cancel_requests(struct gather *gather)
{
    const struct image_source *source = &gather->source;

    if (gather->request)
        source->cancel(source->self, gather->request);
    for (size_t i = 0; gather->pending && i < gather->result.image_count; i++) {
        if (gather->pending[i].request)
            source->cancel(source->self, gather->pending[i].request);
        pending_cancel_layers(&gather->pending[i]);
    }
    attestations_cancel(gather->evidence);
}

void gather_cancel(uint64_t id)
{
    struct gather *gather = running.tqh_last ? TAILQ_FIRST(&running) : NULL;

    while (gather && gather->id != id)
        gather = TAILQ_NEXT(gather, link);
    if (!gather)
        return;
    TAILQ_REMOVE(&running, gather, link);
    cancel_requests(gather);
    gather_free(gather);
}
