/* One image of a gathering, from its facts to those that its layers tell: each layer is asked for,
 * bottom first and few at a time, then they are put on top of each other. What a layer that cannot
 * be had means for the image is decided here; how one is read is not known here. */
#include <assert.h>

#include "regwarden/facts_files.h"
#include "regwarden/image_files.h"
#include "regwarden/memory.h"

#include "gathering.h"

enum { LAYERS_AT_ONCE = 4, TYPE_SHOWN = 100 };

struct layer_ask {
    struct pending *pending;
    size_t layer;
    uint64_t id; /* 0: not under way */
};

struct layer_asks {
    struct layer_ask *items; /* one per layer of the manifest */
    char **missing;          /* why a layer is not known; NULL when it is */
    size_t count;
    size_t next;
    size_t running;
    bool failed; /* image->error says why */
    uint64_t merge;
};

static const struct layer_reader *reader_of(const struct pending *pending)
{
    return pending->gather->options.layers;
}

bool pending_wants_layers(const struct pending *pending)
{
    const struct gather_options *options = &pending->gather->options;
    const struct facts *facts = pending->image->facts;
    unsigned needs = options->needs;

    if (!reader_of(pending) || facts->manifest->kind != MANIFEST_IMAGE)
        return false;
    if ((needs & FACT_BIT(FACT_FILES)) && options->needs_of)
        needs &= options->needs_of(options->needs_of_argument, facts);
    if (!(needs & FACT_BIT(FACT_FILES)))
        return false;
    return facts->status[FACT_FILES].state == FACT_ABSENT || !facts->files ||
           !reader_of(pending)->covers(reader_of(pending)->self, facts->files);
}

static void forget_files(struct facts *facts, const char *reason)
{
    facts_files_free(TAKE(facts->files));
    free(facts->status[FACT_FILES].reason);
    facts->status[FACT_FILES].reason = memory_copy_text(reason);
    facts->status[FACT_FILES].state = FACT_ABSENT;
}

static bool is_foreign(const struct descriptor *layer)
{
    return strstr(layer->media_type, ".nondistributable.") ||
           strstr(layer->media_type, ".rootfs.foreign.");
}

/* Files that a runtime unpacks, as far as the type tells. Other things in their place are not
 * fetched: nobody could look into them. */
static bool is_of_files(const struct descriptor *layer)
{
    const char *type = layer->media_type;

    if (text_ends_with(type, "+encrypted"))
        return false;
    return !*type || text_starts_with(type, "application/vnd.oci.image.layer.") ||
           text_starts_with(type, "application/vnd.docker.image.rootfs.");
}

void pending_free_layers(struct pending *pending)
{
    struct layer_asks *asks = TAKE(pending->layers);

    if (!asks)
        return;
    for (size_t i = 0; i < asks->count; i++)
        free(asks->missing[i]);
    free(asks->missing);
    free(asks->items);
    free(asks);
}

void pending_cancel_layers(struct pending *pending)
{
    const struct layer_asks *asks = pending->layers;
    const struct layer_reader *reader = reader_of(pending);

    if (!asks)
        return;
    for (size_t i = 0; i < asks->count; i++) {
        if (asks->items[i].id)
            reader->cancel(reader->self, asks->items[i].id);
    }
    if (asks->merge)
        reader->cancel(reader->self, asks->merge);
}

static void settle(struct pending *pending)
{
    pending_free_layers(pending);
    pending_settle(pending);
}

static void on_merged(void *argument, const struct error *error, struct facts **facts)
{
    struct pending *pending = argument;
    struct gather *gather = pending->gather;
    struct gathered_image *image = pending->image;

    pending->layers->merge = 0;
    image->facts = TAKE(*facts);
    /* A bound that was hit leaves the group absent; the rest of what is known stands. */
    if (error && error->kind == FAILURE_LIMIT) {
        forget_files(image->facts, error->text);
    } else if (error) {
        image->error = *error;
        facts_free(TAKE(image->facts));
    } else if (gather->result.index && gather->options.child_done) {
        gather->options.child_done(gather->options.child_done_argument, image);
    }
    settle(pending);
    gather_proceed(gather);
}

static void end_reading(struct pending *pending)
{
    struct layer_asks *asks = pending->layers;
    const struct layer_reader *reader = reader_of(pending);

    if (asks->failed) {
        facts_free(TAKE(pending->image->facts));
        settle(pending);
        return;
    }
    forget_files(pending->image->facts, "not gathered");
    asks->merge = reader->merge_take(reader->self, TAKE(pending->image->facts),
                                     (const char *const *)asks->missing, on_merged, pending);
}

static const struct descriptor *layer_of(const struct layer_ask *ask)
{
    return &ask->pending->image->facts->manifest->layers[ask->layer];
}

/* A gap in what is known, or the end of this image? */
static void take_failure(struct layer_ask *ask, const struct error *error)
{
    struct layer_asks *asks = ask->pending->layers;
    char digest[DIGEST_TEXT_SIZE];

    if (error->kind == FAILURE_ABSENT || error->kind == FAILURE_LIMIT ||
        error->kind == FAILURE_SYSTEM) {
        asks->missing[ask->layer] =
            error->kind == FAILURE_ABSENT && is_foreign(layer_of(ask))
                ? memory_copy_text("it is not to be distributed, and the registry does not have it")
                : memory_copy_text(error->text);
        return;
    }
    if (asks->failed)
        return;
    asks->failed = true;
    ask->pending->image->error = *error;
    (void)error_wrap(&ask->pending->image->error, "layer %s",
                     digest_format(&layer_of(ask)->digest, digest));
}

static void read_on(struct gather *gather);

static void on_layer(void *argument, const struct error *error)
{
    struct layer_ask *ask = argument;
    struct gather *gather = ask->pending->gather;

    assert(ask->id != 0);
    ask->id = 0;
    ask->pending->layers->running--;
    gather->reading--;
    if (error)
        take_failure(ask, error);
    read_on(gather);
    gather_proceed(gather);
}

static void ask_for(struct layer_ask *ask)
{
    struct gather *gather = ask->pending->gather;
    const struct layer_reader *reader = reader_of(ask->pending);
    const struct descriptor *layer = layer_of(ask);

    if (!is_of_files(layer)) {
        AUTO_FREE char *type = text_printable(layer->media_type, TYPE_SHOWN);

        ask->pending->layers->missing[ask->layer] =
            text_new("it is of type %s, which cannot be looked into", type);
        return;
    }
    ask->pending->layers->running++;
    gather->reading++;
    ask->id = reader->read(reader->self, &gather->source, gather->repository, layer, on_layer, ask);
}

static void read_image(struct pending *pending)
{
    struct layer_asks *asks = pending->layers;

    while (!asks->failed && asks->next < asks->count && pending->gather->reading < LAYERS_AT_ONCE)
        ask_for(&asks->items[asks->next++]);
    if (asks->running == 0 && (asks->failed || asks->next == asks->count))
        end_reading(pending);
}

static void read_on(struct gather *gather)
{
    for (size_t i = 0; i < gather->result.image_count; i++) {
        struct pending *pending = &gather->pending[i];

        if (pending->layers && !pending->layers->merge)
            read_image(pending);
    }
}

void pending_read_layers(struct pending *pending)
{
    struct facts *facts = pending->image->facts;
    size_t count = facts->manifest->layer_count;
    struct layer_asks *asks;

    pending->image->known = false;
    if (count > IMAGE_LAYERS_MAX) {
        AUTO_FREE char *reason = text_new("the image has more than %d layers", IMAGE_LAYERS_MAX);

        forget_files(facts, reason);
        pending_settle(pending);
        return;
    }
    asks = memory_new(sizeof(*asks));
    asks->items = memory_new_array(count, sizeof(*asks->items));
    asks->missing = memory_new_array(count, sizeof(*asks->missing));
    asks->count = count;
    for (size_t i = 0; i < count; i++)
        asks->items[i] = (struct layer_ask){.pending = pending, .layer = i};
    pending->layers = asks;
    read_image(pending);
}
