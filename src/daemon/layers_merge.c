/* The layers of one image put on top of each other. What is known of them is read packed, unpacked
 * and merged by a thread, and dropped: one image at a time, within a budget, since the layers of a
 * single image may hold any number of files. */
#include "layers_priv.h"

#include "regwarden/facts_files.h"

/* Of an image's layers, as documents. What is over it loses its paths, and then goes. */
#define PLAIN_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PACKED_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct merge {
    TAILQ_ENTRY(merge) link;
    struct layers *layers;
    uint64_t id;
    struct facts *facts;
    char **missing; /* one per layer; NULL: it was read */
    struct text *packed;
    size_t count;
    size_t next;
    size_t packed_bytes;
    struct store_call *call;
    bool running; /* the thread has it */
    bool cancelled;
    layers_merged_f *done;
    void *argument;
    struct error error;
    struct facts_files *files;
};

static void merge_free(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        free(merge->missing[i]);
        text_release(&merge->packed[i]);
    }
    free(merge->missing);
    free(merge->packed);
    facts_files_free(merge->files);
    facts_free(merge->facts);
    if (merge->call)
        merge->call->merge = NULL;
    free(merge);
}

/* The last of it; the next one's turn. */
static void merge_end(struct merge *merge)
{
    struct layers *layers = merge->layers;
    bool failed = merge->error.kind != FAILURE_NONE;

    TAILQ_REMOVE(&layers->merges, merge, link);
    if (!TAILQ_EMPTY(&layers->merges) && !layers->closing)
        timer_arm(layers->merge_soon, 0);
    if (!merge->cancelled) {
        if (!failed)
            facts_add_files_take(merge->facts, TAKE(merge->files));
        merge->done(merge->argument, failed ? &merge->error : NULL, &merge->facts);
    }
    merge_free(merge);
}

/* --- the thread --- */

struct parts {
    struct layer_facts **facts;
    struct error *errors;
    struct layer_result *results;
    size_t plain_bytes;
};

static void drop_paths(struct layer_facts *facts)
{
    text_release(&facts->paths);
    facts->paths_complete = false;
    text_list_add(&facts->limits, "paths, since the layers of this image hold too many");
}

/* Rules judge by the sizes that the manifest tells. A layer that was known already was not read for
 * this image, so that nobody saw yet whether they are true. */
static int check_size(const struct merge *merge, size_t i, const struct layer_facts *facts,
                      struct error *err)
{
    uint64_t told = merge->facts->manifest->layers[i].size;

    if (facts->compressed_bytes == told)
        return 0;
    return error_set(err, FAILURE_INPUT, "layer %zu has %llu bytes, but the manifest says %llu", i,
                     (unsigned long long)facts->compressed_bytes, (unsigned long long)told);
}

/* Unpacks one layer as far as there is room for it. */
static int take_part(const struct merge *merge, size_t i, struct parts *parts, struct error *err)
{
    struct layer_facts *facts = NULL;
    size_t plain = layer_facts_plain_bytes(merge->packed[i].data, merge->packed[i].length);
    int failure = layer_facts_unpack(merge->packed[i].data, merge->packed[i].length, &facts, err);

    if (failure == 0)
        failure = check_size(merge, i, facts, err);
    if (failure < 0) {
        layer_facts_free(facts);
        return failure;
    }
    if (plain > PLAIN_BYTES_MAX - parts->plain_bytes) {
        plain -= facts->paths.length < plain ? facts->paths.length : plain;
        drop_paths(facts);
    }
    if (plain > PLAIN_BYTES_MAX - parts->plain_bytes) {
        layer_facts_free(facts);
        error_set(&parts->errors[i], FAILURE_LIMIT, "the layers of this image hold too much");
        parts->results[i].error = &parts->errors[i];
        return 0;
    }
    parts->plain_bytes += plain;
    parts->facts[i] = facts;
    parts->results[i].facts = facts;
    return 0;
}

static int take_parts(const struct merge *merge, struct parts *parts, struct error *err)
{
    for (size_t i = 0; i < merge->count; i++) {
        if (merge->missing[i]) {
            error_set(&parts->errors[i], FAILURE_ABSENT, "%s", merge->missing[i]);
            parts->results[i].error = &parts->errors[i];
            continue;
        }
        if (take_part(merge, i, parts, err) < 0)
            return err->kind;
    }
    return 0;
}

static void run_merge(void *argument)
{
    struct merge *merge = argument;
    struct parts parts = {
        .facts = memory_new_array(merge->count, sizeof *parts.facts),
        .errors = memory_new_array(merge->count, sizeof *parts.errors),
        .results = memory_new_array(merge->count, sizeof *parts.results),
    };

    if (take_parts(merge, &parts, &merge->error) == 0)
        (void)facts_files_build(merge->facts->manifest, merge->facts->config, parts.results,
                                &merge->files, &merge->error);
    for (size_t i = 0; i < merge->count; i++)
        layer_facts_free(parts.facts[i]);
    free(parts.facts);
    free(parts.errors);
    free(parts.results);
}

static void merge_ran(void *argument, bool cancelled)
{
    struct merge *merge = argument;

    if (cancelled)
        error_set(&merge->error, FAILURE_LATER, "reading layers was stopped");
    merge_end(merge);
}

/* --- what is known of the layers --- */

static void load(struct merge *merge);

static void lost(struct merge *merge, const struct error *error)
{
    if (error) {
        merge->error = *error;
        merge->error.kind = FAILURE_LATER; /* the layers can be read again */
    } else {
        error_set(&merge->error, FAILURE_LATER, "what was known of a layer is gone");
    }
    merge_end(merge);
}

static bool add_packed_take(struct merge *merge, struct text *packed)
{
    merge->packed[merge->next++] = *packed;
    merge->packed_bytes += packed->length;
    *packed = (struct text){0};
    if (merge->packed_bytes <= PACKED_BYTES_MAX)
        return true;
    error_set(&merge->error, FAILURE_LIMIT, "the layers of this image hold too much");
    merge_end(merge);
    return false;
}

static void loaded(void *argument, const struct error *error, struct text *packed)
{
    struct store_call *call = argument;
    struct merge *merge = call->merge;

    store_call_free(call);
    if (!merge)
        return;
    merge->call = NULL;
    if (merge->cancelled)
        merge_end(merge);
    else if (!packed)
        lost(merge, error);
    else if (add_packed_take(merge, packed))
        load(merge);
}

static void load(struct merge *merge)
{
    struct layers *layers = merge->layers;

    for (; merge->next < merge->count;) {
        const struct digest *digest = &merge->facts->manifest->layers[merge->next].digest;
        const struct text *cached;
        struct text copy = {0};

        if (merge->missing[merge->next]) {
            merge->next++;
            continue;
        }
        cached = layer_cache_get(layers->cache, digest);
        if (!cached && layers->options.store) {
            merge->call = store_call_new(layers);
            merge->call->merge = merge;
            store_read_layer(layers->options.store, digest, loaded, merge->call);
            return;
        }
        if (!cached) {
            lost(merge, NULL);
            return;
        }
        text_add_bytes(&copy, cached->data, cached->length);
        if (!add_packed_take(merge, &copy))
            return;
    }
    merge->running = true;
    job_submit(layers->jobs, run_merge, merge_ran, merge);
}

/* --- turns --- */

void merge_next(void *argument)
{
    struct layers *layers = argument;
    struct merge *first = TAILQ_FIRST(&layers->merges);

    if (layers->closing) {
        merge_close(layers);
        return;
    }
    if (first && !first->running && !first->call && !layers->paused)
        load(first);
}

uint64_t merge_start_take(struct layers *layers, struct facts *facts, const char *const *missing,
                          layers_merged_f *done, void *argument)
{
    struct merge *merge = memory_new(sizeof *merge);

    merge->layers = layers;
    merge->id = ++layers->last_id;
    merge->facts = facts;
    merge->count = facts->manifest->layer_count;
    merge->missing = memory_new_array(merge->count, sizeof *merge->missing);
    merge->packed = memory_new_array(merge->count, sizeof *merge->packed);
    merge->done = done;
    merge->argument = argument;
    for (size_t i = 0; i < merge->count; i++)
        merge->missing[i] = memory_copy_text(missing[i]);
    TAILQ_INSERT_TAIL(&layers->merges, merge, link);
    timer_arm(layers->merge_soon, 0);
    return merge->id;
}

bool merge_cancel(struct layers *layers, uint64_t id)
{
    struct merge *merge = TAILQ_FIRST(&layers->merges);

    while (merge && merge->id != id)
        merge = TAILQ_NEXT(merge, link);
    if (!merge)
        return false;
    merge->cancelled = true;
    if (!merge->running) /* else it ends by itself */
        merge_end(merge);
    return true;
}

static struct merge *first_that_waits(const struct layers *layers)
{
    struct merge *merge = TAILQ_FIRST(&layers->merges);

    while (merge && merge->running)
        merge = TAILQ_NEXT(merge, link);
    return merge;
}

void merge_close(struct layers *layers)
{
    struct merge *merge;

    /* Whoever is told may cancel others, or begin anew. */
    while ((merge = first_that_waits(layers))) {
        error_set(&merge->error, FAILURE_LATER, "reading layers was stopped");
        merge_end(merge);
    }
}
