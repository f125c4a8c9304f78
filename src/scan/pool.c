/* The pool: jobs in the order in which they came, their owners in turns, given to workers, which
 * are started when there is something to do. */
#include "pool_private.h"

#include <assert.h>
#include <stdlib.h>

#include "regwarden/crypto.h"
#include "worker_options.h"

/* More than FULL waits to be sent: the caller is asked to stop until no more than LOW does. */
enum { FULL = 256 * 1024, LOW = 64 * 1024, PIECE_MAX = 1024 * 1024 };

static struct pool_job *find(const struct scan_pool *pool, uint64_t id)
{
    for (struct pool_job *job = pool->jobs; job; job = job->next)
        if (job->id == id)
            return job;
    return NULL;
}

static void take_out(struct scan_pool *pool, struct pool_job *job)
{
    struct pool_job **link = &pool->jobs;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
}

/* --- workers --- */

/* Of those who wait the one whose owner was served the longest time ago: however many layers
 * somebody has, others' come in between. */
static struct pool_job *next_waiting(const struct scan_pool *pool)
{
    struct pool_job *next = NULL;

    for (struct pool_job *job = pool->jobs; job; job = job->next)
        if (!job->worker && (!next || pool->turns[job->spec.owner] < pool->turns[next->spec.owner]))
            next = job;
    return next;
}

static struct pool_worker *first_idle(const struct scan_pool *pool)
{
    for (struct pool_worker *worker = pool->workers; worker; worker = worker->next)
        if (worker->state == WORKER_IDLE)
            return worker;
    return NULL;
}

static bool has_place(const struct scan_pool *pool)
{
    unsigned count = 0;

    for (struct pool_worker *worker = pool->workers; worker; worker = worker->next)
        count++; /* a dying one has its memory still */
    return count < pool->spec.workers;
}

static void pump(void *argument)
{
    struct scan_pool *pool = argument;
    struct error err;

    for (struct pool_job *job; (job = next_waiting(pool));) {
        struct pool_worker *idle = first_idle(pool);
        if (!idle && !has_place(pool))
            break;
        pool->turns[job->spec.owner] = ++pool->turn;
        if (idle)
            pool_worker_give(idle, job);
        else if (pool_worker_new(pool, job, &err) < 0)
            pool_job_done(pool, job, &err, NULL);
    }
}

void pool_pump_soon(struct scan_pool *pool)
{
    timer_arm(pool->pump, 0);
}

/* --- jobs --- */

void pool_job_ready(struct pool_job *job)
{
    job->begun = true;
    job->spec.begin(job->spec.argument, job->id);
}

void pool_job_resume(struct pool_job *job)
{
    if (pool_worker_pending(job->worker) > LOW)
        return;
    job->full = false;
    job->spec.resume(job->spec.argument, job->id);
}

void pool_job_done(struct scan_pool *pool, struct pool_job *job, const struct error *error,
                   struct layer_facts **facts)
{
    struct layer_facts *none = NULL;

    take_out(pool, job);
    if (error)
        pool->counters.failed++;
    else
        pool->counters.finished++;
    job->spec.done(job->spec.argument, error, facts ? facts : &none);
    free(job);
}

/* --- the door --- */

static void write_options(struct scan_pool *pool, const struct scan_probes *probes)
{
    int64_t seconds = pool->spec.scan.limits.max_ms / 1000;
    struct worker_options options = {
        .scan = pool->spec.scan,
        .memory_bytes = pool->spec.memory_bytes,
        .cpu_seconds = 2 * (uint64_t)(seconds > 0 ? seconds : 1) + 60,
    };

    if (probes)
        options.probes = *probes; /* borrowed */
    if (pool->options.length > 0)
        crypto_erase(pool->options.data, pool->options.length);
    text_clear(&pool->options);
    worker_options_write(&options, &pool->options);
    crypto_erase(options.scan.salt, sizeof(options.scan.salt));
    pool->generation++;
}

int scan_pool_new(struct loop *loop, const struct scan_pool_options *options,
                  struct scan_pool **ret, struct error *err)
{
    if (options->workers == 0 || options->silence_ms <= 0)
        return error_set(err, FAILURE_INPUT, "a pool of scan workers needs a worker and some time");
    if (getenv(CHILD_MARK))
        return error_set(err, FAILURE_SYSTEM, "a scan worker starts no workers of its own");
    struct scan_pool *pool = memory_new(sizeof(*pool));
    pool->loop = loop;
    pool->program = memory_copy_text(options->program);
    pool->spec = *options;
    pool->spec.program = NULL;
    pool->spec.scan.probes = NULL;
    pool->pump = timer_new(loop, pump, pool);
    write_options(pool, options->scan.probes);
    *ret = pool;
    return 0;
}

void scan_pool_free(struct scan_pool *pool)
{
    struct error error;

    if (!pool)
        return;
    pool->going = true;
    while (pool->workers)
        pool_worker_free(pool->workers);
    error_set(&error, FAILURE_LATER, "scanning was stopped");
    while (pool->jobs)
        pool_job_done(pool, pool->jobs, &error, NULL);
    timer_free(pool->pump);
    crypto_erase(pool->options.data, pool->options.length);
    crypto_erase(pool->spec.scan.salt, sizeof(pool->spec.scan.salt));
    text_release(&pool->options);
    text_release(&pool->missing);
    free(pool->program);
    free(pool);
}

void scan_pool_set_probes(struct scan_pool *pool, const struct scan_probes *probes)
{
    write_options(pool, probes);
    for (struct pool_worker *worker = pool->workers; worker; worker = worker->next)
        if (worker->state == WORKER_IDLE)
            pool_worker_kill(worker);
}

uint64_t scan_pool_start(struct scan_pool *pool, const struct scan_job *spec)
{
    struct pool_job *job = memory_new(sizeof(*job)), **last = &pool->jobs;

    assert(!pool->going);
    job->id = ++pool->last_id;
    job->spec = *spec;
    while (*last)
        last = &(*last)->next;
    *last = job;
    pool->counters.started++;
    pool_pump_soon(pool);
    return job->id;
}

bool scan_pool_push(struct scan_pool *pool, uint64_t id, const void *bytes, size_t size)
{
    struct pool_job *job = find(pool, id);

    if (!job || !job->begun || job->ended)
        return true;
    for (size_t taken; size > 0; size -= taken) {
        taken = size < PIECE_MAX ? size : PIECE_MAX;
        pool_worker_send(job->worker, WIRE_BYTES, bytes, taken);
        bytes = (const char *)bytes + taken;
    }
    job->full = pool_worker_pending(job->worker) > FULL;
    return !job->full;
}

void scan_pool_end(struct scan_pool *pool, uint64_t id)
{
    struct pool_job *job = find(pool, id);

    if (!job || !job->begun || job->ended)
        return;
    job->ended = true;
    job->full = false;
    pool_worker_send(job->worker, WIRE_END, "", 0);
}

void scan_pool_cancel(struct scan_pool *pool, uint64_t id)
{
    struct pool_job *job = find(pool, id);

    if (!job)
        return;
    take_out(pool, job);
    pool->counters.failed++;
    if (job->worker)
        pool_worker_cancel(job->worker);
    free(job);
    pool_pump_soon(pool);
}

void scan_pool_counters(const struct scan_pool *pool, struct scan_pool_counters *ret)
{
    *ret = pool->counters;
    ret->active = ret->waiting = 0;
    for (const struct pool_job *job = pool->jobs; job; job = job->next) {
        ret->active += job->worker != NULL;
        ret->waiting += job->worker == NULL;
    }
}

const char *scan_pool_missing(const struct scan_pool *pool)
{
    return text_data(&pool->missing);
}
