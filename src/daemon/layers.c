/* Who asks for layers: one scan for many askers, answers from memory, and reasons that hold for a
 * while. How a layer gets known is in layers_scan.c. */
#include "layers_priv.h"

#include <assert.h>
#include <stdio.h>

#include "regwarden/clock.h"
#include "regwarden/facts_files.h"
#include "regwarden/log.h"
#include "regwarden/scan_pool.h"

enum {
    CACHE_BYTES = 8 * 1024 * 1024,
    CACHE_BYTES_ALONE = 512 * 1024 * 1024, /* without a store */
    FAILURES_MAX = 256,
    FAILURE_HOLDS_MS = 5 * 60 * 1000,
    MERGE_THREADS = 1
};

struct layer_failure {
    struct error error;
    int64_t until_ms; /* steady clock */
};

static void tell(struct ask *ask)
{
    ask->done(ask->argument, ask->error.kind == FAILURE_NONE ? NULL : &ask->error);
    free(ask->repository);
    free(ask);
}

static void tell_ready(void *argument)
{
    struct layers *layers = argument;
    struct ask *ask;

    while ((ask = TAILQ_FIRST(&layers->ready))) {
        TAILQ_REMOVE(&layers->ready, ask, link);
        tell(ask);
    }
}

static void make_ready(struct layers *layers, struct ask *ask, const struct error *error)
{
    ask->work = NULL;
    if (error)
        ask->error = *error;
    TAILQ_INSERT_TAIL(&layers->ready, ask, link);
    timer_arm(layers->soon, 0);
}

/* --- reasons --- */

static void forget_failures(struct layers *layers)
{
    size_t position = 0;
    void *value;

    while (map_each(layers->failures, &position, NULL, &value))
        free(value);
    map_free(layers->failures);
    layers->failures = map_new();
}

/* Such a layer fails again, at the cost of a worker. */
static void remember_failure(struct work *work, const struct error *error)
{
    struct layers *layers = work->layers;
    char key[DIGEST_TEXT_SIZE];
    struct layer_failure *failure;

    if (error->kind != FAILURE_LIMIT && error->kind != FAILURE_SYSTEM)
        return;
    if (map_count(layers->failures) >= FAILURES_MAX)
        forget_failures(layers);
    failure = memory_new(sizeof *failure);
    failure->error = *error;
    failure->until_ms = clock_steady_ms() + FAILURE_HOLDS_MS;
    free(map_set(layers->failures, digest_format(&work->layer.digest, key), failure));
}

static bool has_failed(struct layers *layers, const struct digest *digest, struct error *ret)
{
    char key[DIGEST_TEXT_SIZE];
    const struct layer_failure *failure = map_get(layers->failures, digest_format(digest, key));

    if (!failure)
        return false;
    if (failure->until_ms <= clock_steady_ms()) {
        free(map_remove(layers->failures, key));
        return false;
    }
    *ret = failure->error;
    return true;
}

/* --- works --- */

/* Two that disagree about the size do not share a scan: one of them is wrong, and must not make the
 * other's image seem so. */
enum { WORK_KEY_SIZE = DIGEST_TEXT_SIZE + 24 };

static const char *work_key(const struct descriptor *layer, char ret[static WORK_KEY_SIZE])
{
    char digest[DIGEST_TEXT_SIZE];

    snprintf(ret, WORK_KEY_SIZE, "%s %llu", digest_format(&layer->digest, digest),
             (unsigned long long)layer->size);
    return ret;
}

static struct work *work_new(struct layers *layers, const struct descriptor *layer)
{
    static char no_type[] = "";
    struct work *work = memory_new(sizeof *work);
    char key[WORK_KEY_SIZE];

    work->layers = layers;
    work->layer =
        (struct descriptor){.media_type = no_type, .digest = layer->digest, .size = layer->size};
    TAILQ_INIT(&work->asks);
    map_set(layers->works, work_key(layer, key), work);
    layers->counters.waiting++;
    return work;
}

static void work_free(struct work *work)
{
    char key[WORK_KEY_SIZE];

    assert(TAILQ_EMPTY(&work->asks));
    work_stop(work);
    if (work->call)
        work->call->work = NULL;
    map_remove(work->layers->works, work_key(&work->layer, key));
    work->layers->counters.waiting--;
    free(work->repository);
    free(work);
}

static void log_failure(const struct work *work, const struct error *error)
{
    char digest[DIGEST_TEXT_SIZE];

    /* What may pass is told by the review that is put off. */
    if (!work->layers->options.log || error->kind == FAILURE_LATER ||
        error->kind == FAILURE_ABSENT || error->kind == FAILURE_DENIED)
        return;
    log_warning(LOG_FIELDS({"layer", digest_format(&work->layer.digest, digest)}),
                "the layer cannot be read: %s", error->text);
}

void work_finish(struct work *work, const struct error *error)
{
    struct ask *ask;

    if (error) {
        remember_failure(work, error);
        log_failure(work, error);
    }
    while ((ask = TAILQ_FIRST(&work->asks))) {
        TAILQ_REMOVE(&work->asks, ask, link);
        make_ready(work->layers, ask, error);
    }
    work_free(work);
}

static bool is_same_place(const struct work *work, const struct ask *ask)
{
    return ask->source.self == work->source.self && text_equal(ask->repository, work->repository);
}

bool work_fail_source(struct work *work, const struct error *error)
{
    struct ask *next;

    log_failure(work, error);
    for (struct ask *ask = TAILQ_FIRST(&work->asks); ask; ask = next) {
        next = TAILQ_NEXT(ask, link);
        if (!is_same_place(work, ask))
            continue;
        TAILQ_REMOVE(&work->asks, ask, link);
        make_ready(work->layers, ask, error);
    }
    if (!TAILQ_EMPTY(&work->asks))
        return true;
    work_free(work);
    return false;
}

/* --- the reader --- */

static void join(struct layers *layers, const struct descriptor *layer, struct ask *ask)
{
    char key[WORK_KEY_SIZE];
    struct work *work = map_get(layers->works, work_key(layer, key));
    bool is_new = !work;

    if (is_new)
        work = work_new(layers, layer);
    else
        layers->counters.joined++;
    ask->work = work;
    TAILQ_INSERT_TAIL(&work->asks, ask, link);
    if (is_new)
        work_look(work);
}

static int check_size(const struct layers *layers, const struct descriptor *layer,
                      struct error *err)
{
    uint64_t max = layers->options.max_layer_bytes;
    char size[TEXT_NUMBER_SIZE], limit[TEXT_NUMBER_SIZE];

    if (max == 0 || layer->size <= max)
        return 0;
    return error_set(err, FAILURE_LIMIT, "it has %s, more than the %s of scan.max-layer",
                     text_format_bytes(layer->size, size), text_format_bytes(max, limit));
}

static uint64_t read_layer(void *self, const struct image_source *source, const char *repository,
                           const struct descriptor *layer, layer_done_f *done, void *argument)
{
    struct layers *layers = self;
    struct ask *ask = memory_new(sizeof *ask);
    uint64_t id = ++layers->last_id;
    struct error error = {0};

    *ask = (struct ask){.id = id,
                        .source = *source,
                        .repository = memory_copy_text(repository),
                        .done = done,
                        .argument = argument};
    if (layers->closing) {
        error_set(&error, FAILURE_LATER, "reading layers was stopped");
        make_ready(layers, ask, &error);
    } else if (layer_cache_covers(layers->cache, &layer->digest, &layers->probes)) {
        layers->counters.from_memory++;
        make_ready(layers, ask, NULL);
    } else if (check_size(layers, layer, &error) < 0 ||
               has_failed(layers, &layer->digest, &error)) {
        make_ready(layers, ask, &error);
    } else {
        join(layers, layer, ask);
    }
    return id;
}

static uint64_t merge_take(void *self, struct facts *facts, const char *const *missing,
                           layers_merged_f *done, void *argument)
{
    return merge_start_take(self, facts, missing, done, argument);
}

static bool covers(void *self, const struct facts_files *files)
{
    const struct layers *layers = self;

    for (size_t i = 0; i < files->layer_count; i++)
        if (files->layers[i].state == FACT_ABSENT)
            return false; /* it may be there by now */
    return files->layer_count == 0 || probes_are_in(&layers->probes, &files->probes_asked);
}

static struct ask *find_ask(struct layers *layers, uint64_t id)
{
    size_t position = 0;
    struct ask *ask;
    void *value;

    TAILQ_FOREACH(ask, &layers->ready, link)
    {
        if (ask->id == id)
            return ask;
    }
    while (map_each(layers->works, &position, NULL, &value)) {
        TAILQ_FOREACH(ask, &((struct work *)value)->asks, link)
        {
            if (ask->id == id)
                return ask;
        }
    }
    return NULL;
}

/* The source of somebody who is gone may go too. */
static bool has_lost_its_source(const struct work *work)
{
    const struct ask *ask;

    if (work->job == 0)
        return false;
    TAILQ_FOREACH(ask, &work->asks, link)
    {
        if (ask->source.self == work->source.self)
            return false;
    }
    return true;
}

static void cancel(void *self, uint64_t id)
{
    struct layers *layers = self;
    struct ask *ask;
    struct work *work;

    if (merge_cancel(layers, id))
        return;
    ask = find_ask(layers, id);
    if (!ask)
        return;
    work = ask->work;
    TAILQ_REMOVE(work ? &work->asks : &layers->ready, ask, link);
    free(ask->repository);
    free(ask);
    if (!work)
        return;
    if (TAILQ_EMPTY(&work->asks)) {
        work_free(work);
    } else if (has_lost_its_source(work)) {
        work_stop(work);
        work_scan(work);
    }
}

struct layer_reader layers_reader(struct layers *layers)
{
    return (struct layer_reader){.read = read_layer,
                                 .merge_take = merge_take,
                                 .covers = covers,
                                 .cancel = cancel,
                                 .self = layers};
}

/* --- life --- */

struct store_call *store_call_new(struct layers *layers)
{
    struct store_call *call = memory_new(sizeof *call);

    call->layers = layers;
    TAILQ_INSERT_TAIL(&layers->calls, call, link);
    return call;
}

void store_call_free(struct store_call *call)
{
    if (call->layers)
        TAILQ_REMOVE(&call->layers->calls, call, link);
    layer_facts_free(call->facts);
    text_release(&call->packed);
    free(call);
}

struct layers *layers_new(struct loop *loop, const struct layers_options *options)
{
    struct layers *layers = memory_new(sizeof *layers);

    layers->loop = loop;
    layers->options = *options;
    layers->cache = layer_cache_new(options->store ? CACHE_BYTES : CACHE_BYTES_ALONE);
    layers->works = map_new();
    layers->failures = map_new();
    layers->soon = timer_new(loop, tell_ready, layers);
    layers->merge_soon = timer_new(loop, merge_next, layers);
    layers->jobs = job_pool_new(loop, "layers", MERGE_THREADS);
    TAILQ_INIT(&layers->ready);
    TAILQ_INIT(&layers->calls);
    TAILQ_INIT(&layers->merges);
    return layers;
}

static void end_works(struct layers *layers)
{
    struct error error;
    size_t position = 0;
    void *value;

    error_set(&error, FAILURE_LATER, "reading layers was stopped");
    while (map_each(layers->works, &position, NULL, &value))
        work_finish(value, &error);
    tell_ready(layers);
}

static void orphan_calls(struct layers *layers)
{
    struct store_call *call;

    while ((call = TAILQ_FIRST(&layers->calls))) {
        TAILQ_REMOVE(&layers->calls, call, link);
        call->layers = NULL;
        call->work = NULL;
        call->merge = NULL;
    }
}

void layers_stop(struct layers *layers)
{
    layers->closing = true;
    end_works(layers);
    merge_close(layers);
    job_pool_free(TAKE(layers->jobs)); /* with what runs */
    tell_ready(layers);
    orphan_calls(layers);
}

void layers_free(struct layers *layers)
{
    if (!layers)
        return;
    layers_stop(layers);
    timer_free(layers->soon);
    timer_free(layers->merge_soon);
    forget_failures(layers);
    map_free(layers->failures);
    map_free(layers->works);
    layer_cache_free(layers->cache);
    scan_probes_release(&layers->probes);
    free(layers);
}

void layers_set_probes(struct layers *layers, const struct scan_probes *probes)
{
    scan_probes_release(&layers->probes);
    for (size_t i = 0; i < probes->count; i++)
        scan_probes_add(&layers->probes, probes->items[i].path, probes->items[i].content);
    scan_pool_set_probes(layers->options.pool, &layers->probes);
}

void layers_set_paused(struct layers *layers, bool paused)
{
    if (layers->paused && !paused)
        timer_arm(layers->merge_soon, 0);
    layers->paused = paused;
}

void layers_set_max_bytes(struct layers *layers, uint64_t max_layer_bytes)
{
    layers->options.max_layer_bytes = max_layer_bytes;
    forget_failures(layers);
}

void layers_counters(const struct layers *layers, struct layers_counters *ret)
{
    *ret = layers->counters;
    ret->waiting -= ret->active;
}
