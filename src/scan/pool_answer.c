/* What workers say. A worker may have been taken over by what it read: order, sizes and content are
 * checked, and it is believed about its own layer only. */
#include "pool_private.h"

#include <assert.h>

static int out_of_turn(struct error *err)
{
    return error_set(err, FAILURE_INPUT, "a message came out of turn");
}

/* The layer was given whole, and the answer to it may come. */
static bool may_answer(const struct pool_worker *worker)
{
    return worker->state == WORKER_CANCELLING ||
           (worker->state == WORKER_BUSY && worker->job->ended);
}

static int check_bytes(const struct scan_job *job, const struct layer_facts *facts,
                       struct error *err)
{
    char wanted[DIGEST_TEXT_SIZE], found[DIGEST_TEXT_SIZE];

    if (!digest_equal(&facts->digest, &job->digest))
        return error_set(err, FAILURE_INPUT, "the layer's bytes are %s, not %s",
                         digest_format(&facts->digest, found), digest_format(&job->digest, wanted));
    if (job->size > 0 && facts->compressed_bytes != job->size)
        return error_set(err, FAILURE_INPUT, "the layer has %llu bytes, not %llu",
                         (unsigned long long)facts->compressed_bytes,
                         (unsigned long long)job->size);
    return 0;
}

/* FAILURE_INPUT when it is none. */
static int read_facts(struct pool_worker *worker, struct layer_facts **ret, struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;

    if (json_parse(text_data(&worker->message), worker->message.length, &layer_facts_limits, &json,
                   err) < 0 ||
        layer_facts_from_json(json, &facts, err) < 0)
        return FAILURE_INPUT;
    if (facts->paths.length > 0)
        return error_set(err, FAILURE_INPUT, "the facts have a second table of paths");
    if (layer_paths_check(&worker->paths, err) < 0)
        return FAILURE_INPUT;
    text_release(&facts->paths);
    facts->paths = worker->paths;
    worker->paths = (struct text){0};
    *ret = TAKE(facts);
    return 0;
}

static int finish(struct pool_worker *worker, struct error *err)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    struct error mismatch;

    if (read_facts(worker, &facts, err) < 0)
        return FAILURE_INPUT;
    assert(facts);
    text_release(&worker->message);
    if (check_bytes(&worker->job->spec, facts, &mismatch) < 0) {
        pool_worker_fail(worker, &mismatch);
        return 0;
    }
    struct pool_job *job = TAKE(worker->job);
    pool_worker_rest(worker);
    pool_job_done(worker->pool, job, NULL, &facts);
    return 0;
}

/* Of the kinds of failure a worker may name those that a scan has. */
static void report(struct pool_worker *worker)
{
    const char *text = text_data(&worker->message);
    struct error error;
    enum failure kind = FAILURE_SYSTEM;

    if (text[0] == '0' - FAILURE_INPUT && worker->state == WORKER_BUSY)
        kind = FAILURE_INPUT;
    if (text[0] == '0' - FAILURE_LIMIT && worker->state == WORKER_BUSY)
        kind = FAILURE_LIMIT;
    text += strcspn(text, " ");
    AUTO_FREE char *shown = text_printable(*text ? text + 1 : text, ERROR_TEXT_SIZE);
    error_set(&error, kind, "%s", shown);
    pool_worker_fail(worker, &error);
}

/* Keeps a message until it is whole; its size was bounded by its head. */
static void keep(struct text *to, const struct wire_part *part)
{
    if (part->size > 0)
        text_add_bytes(to, part->bytes, part->size);
}

static int take_ready(struct pool_worker *worker, const struct wire_part *part, struct error *err)
{
    if (worker->state != WORKER_STARTING)
        return out_of_turn(err);
    keep(&worker->message, part);
    if (!part->complete)
        return 0;
    text_clear(&worker->pool->missing);
    text_add(&worker->pool->missing, text_data(&worker->message));
    text_release(&worker->message);
    struct pool_job *job = TAKE(worker->job);
    pool_worker_rest(worker);
    if (job && worker->state == WORKER_IDLE)
        pool_worker_give(worker, job);
    else if (job)
        job->worker = NULL;
    return 0;
}

static int take_paths(struct pool_worker *worker, const struct wire_part *part, struct error *err)
{
    if (!may_answer(worker) || worker->has_paths)
        return out_of_turn(err);
    if (worker->state == WORKER_BUSY)
        keep(&worker->paths, part);
    worker->has_paths = part->complete;
    return 0;
}

static int take_facts(struct pool_worker *worker, const struct wire_part *part, struct error *err)
{
    if (!may_answer(worker) || !worker->has_paths)
        return out_of_turn(err);
    if (worker->state == WORKER_BUSY)
        keep(&worker->message, part);
    if (!part->complete)
        return 0;
    worker->has_paths = false;
    return worker->state == WORKER_BUSY ? finish(worker, err) : 0;
}

static int take_cancelled(struct pool_worker *worker, struct error *err)
{
    if (worker->state != WORKER_CANCELLING)
        return out_of_turn(err);
    pool_worker_rest(worker);
    return 0;
}

int pool_answer_take(struct pool_worker *worker, const struct wire_part *part, struct error *err)
{
    switch (part->kind) {
    case WIRE_READY:
        return take_ready(worker, part, err);
    case WIRE_PATHS:
        return take_paths(worker, part, err);
    case WIRE_FACTS:
        return take_facts(worker, part, err);
    case WIRE_CANCELLED:
        return take_cancelled(worker, err);
    case WIRE_ERROR:
        if (worker->state == WORKER_IDLE)
            return out_of_turn(err);
        keep(&worker->message, part);
        if (part->complete)
            report(worker);
        return 0;
    case WIRE_OPTIONS:
    case WIRE_LAYER:
    case WIRE_BYTES:
    case WIRE_END:
    case WIRE_CANCEL:
    case WIRE_KIND_COUNT:
        break;
    }
    return out_of_turn(err);
}
