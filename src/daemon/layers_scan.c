/* One layer on its way to be known: the record is asked, else the blob is streamed into a scan
 * worker at the worker's pace, and what it says is kept. */
#include "layers_priv.h"

#include <string.h>

#include "regwarden/log.h"
#include "regwarden/scan_pool.h"

/* --- the record --- */

static void found(void *argument, const struct error *error, const struct text_list *probes)
{
    struct store_call *call = argument;
    struct work *work = call->work;

    store_call_free(call);
    if (!work)
        return;
    work->call = NULL;
    /* When the record cannot be read the layer can. */
    if (error || !probes || !probes_are_in(&work->layers->probes, probes)) {
        work_scan(work);
        return;
    }
    work->layers->counters.from_store++;
    work_finish(work, NULL);
}

void work_look(struct work *work)
{
    struct layers *layers = work->layers;

    if (!layers->options.store) {
        work_scan(work);
        return;
    }
    work->call = store_call_new(layers);
    work->call->work = work;
    store_find_layer(layers->options.store, &work->layer.digest, found, work->call);
}

/* --- keeping --- */

/* Policies may have come to want more while it was scanned. */
static void end_or_repeat(struct work *work, const struct text_list *probes_asked)
{
    if (!probes_are_in(&work->layers->probes, probes_asked)) {
        work_scan(work);
        return;
    }
    work_finish(work, NULL);
}

static void kept(void *argument, const struct error *error)
{
    struct store_call *call = argument;
    struct layers *layers = call->layers;
    struct work *work = call->work;

    if (layers && call->packed.length > 0)
        layer_cache_put(layers->cache, &call->facts->digest, &call->packed,
                        &call->facts->probes_asked);
    if (work) {
        work->call = NULL;
        work->keeping = false;
        if (error && call->packed.length == 0)
            work_finish(work, error);
        else
            end_or_repeat(work, &call->facts->probes_asked);
    }
    store_call_free(call);
}

static void keep_in_memory(struct work *work, const struct layer_facts *facts)
{
    AUTO_TEXT struct text packed = {0};
    struct error error = {0};

    if (layer_facts_pack(facts, &packed, &error) < 0) {
        work_finish(work, &error);
        return;
    }
    layer_cache_put(work->layers->cache, &facts->digest, &packed, &facts->probes_asked);
    end_or_repeat(work, &facts->probes_asked);
}

static void keep_take(struct work *work, struct layer_facts *facts)
{
    struct layers *layers = work->layers;
    struct store_call *call;

    if (!layers->options.store) {
        keep_in_memory(work, facts);
        layer_facts_free(facts);
        return;
    }
    call = store_call_new(layers);
    call->work = work;
    call->facts = facts;
    work->call = call;
    work->keeping = true;
    store_put_layer(layers->options.store, facts, &call->packed, kept, call);
}

/* --- the scan --- */

static void forget_scan(struct work *work)
{
    work->layers->counters.active -= work->begun;
    work->begun = false;
    work->job = 0;
    work->stream = 0;
}

void work_stop(struct work *work)
{
    if (work->stream)
        work->source.cancel(work->source.self, work->stream);
    if (work->job)
        scan_pool_cancel(work->layers->options.pool, work->job);
    forget_scan(work);
}

/* The layer is to blame, or where it comes from? */
static void scan_failed(struct work *work, const struct error *error)
{
    work_stop(work);
    work->layers->counters.failed++;
    if (error->kind == FAILURE_LIMIT || error->kind == FAILURE_SYSTEM)
        work_finish(work, error);
    else if (work_fail_source(work, error))
        work_scan(work);
}

static void scan_done(void *argument, const struct error *error, struct layer_facts **facts)
{
    struct work *work = argument;

    work->job = 0;
    if (error) {
        scan_failed(work, error);
        return;
    }
    work_stop(work);
    work->layers->counters.scanned++;
    keep_take(work, TAKE(*facts));
}

static int take_bytes(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct work *work = argument;
    const struct layers_options *options = &work->layers->options;

    (void)err;
    work->done_bytes += size;
    work->layers->counters.bytes += size;
    if (options->progress)
        options->progress(options->progress_argument, &work->layer.digest, work->done_bytes,
                          work->layer.size);
    return scan_pool_push(options->pool, work->job, bytes, size) ? 0 : 1;
}

static void streamed(void *argument, const struct registry_answer *answer)
{
    struct work *work = argument;
    struct error error;

    work->stream = 0;
    if (!answer->error) {
        scan_pool_end(work->layers->options.pool, work->job);
        return;
    }
    error = *answer->error;
    /* Of the network, not of the layer. */
    if (error.kind == FAILURE_SYSTEM || error.kind == FAILURE_UNCERTAIN)
        error.kind = FAILURE_LATER;
    scan_failed(work, &error);
}

static void scan_begin(void *argument, uint64_t id)
{
    struct work *work = argument;
    struct blob_stream stream = {.write = take_bytes, .argument = work};

    (void)id;
    work->begun = true;
    work->layers->counters.active++;
    work->stream = work->source.stream_blob(work->source.self, work->repository, &work->layer,
                                            &stream, streamed, work);
}

static void scan_resume(void *argument, uint64_t id)
{
    struct work *work = argument;

    (void)id;
    if (work->stream)
        work->source.resume(work->source.self, work->stream);
}

/* Repositories take turns, and not images: there may be any number of those. */
static uint8_t owner_of(const struct ask *ask)
{
    struct digest digest;

    digest_compute(NULL, ask->repository, strlen(ask->repository), &digest);
    return digest.bytes[0];
}

void work_scan(struct work *work)
{
    struct scan_job job = {.digest = work->layer.digest,
                           .size = work->layer.size,
                           .owner = owner_of(TAILQ_FIRST(&work->asks)),
                           .begin = scan_begin,
                           .resume = scan_resume,
                           .done = scan_done,
                           .argument = work};
    const struct ask *first = TAILQ_FIRST(&work->asks);
    struct error error;

    work->source = first->source;
    free(work->repository);
    work->repository = memory_copy_text(first->repository);
    work->done_bytes = 0;
    if (!work->source.stream_blob) {
        error_set(&error, FAILURE_ABSENT, "layers cannot be read from there");
        if (work_fail_source(work, &error))
            work_scan(work);
        return;
    }
    work->job = scan_pool_start(work->layers->options.pool, &job);
}
