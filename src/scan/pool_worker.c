/* One worker of the pool: its process, its socket, and what it may take of time. */
#include "pool_private.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "regwarden/clock.h"

enum {
    IDLE_MS = 30000,
    /* However well it goes, a worker is replaced now and then: what a layer may have left in it has
     * an end. */
    LAYERS_MAX = 64,
    READ_SIZE = 64 * 1024,
    READS_MAX = 4096, /* of one that has ended: more than any answer */
};

size_t pool_worker_pending(const struct pool_worker *worker)
{
    return worker->out.length - worker->out_at;
}

/* --- time --- */

static bool owes(const struct pool_worker *worker)
{
    switch (worker->state) {
    case WORKER_STARTING:
    case WORKER_CANCELLING:
        return true;
    case WORKER_BUSY:
        return pool_worker_pending(worker) > 0 || worker->job->ended;
    case WORKER_IDLE:
    case WORKER_DYING:
        break;
    }
    return false;
}

/* After every move of either side: the time of silence begins anew. */
static void moved(struct pool_worker *worker)
{
    if (owes(worker))
        timer_arm(worker->silence, worker->pool->spec.silence_ms);
    else
        timer_disarm(worker->silence);
    if (worker->state != WORKER_DYING)
        watch_set(worker->socket,
                  WATCH_READ | (pool_worker_pending(worker) > 0 ? WATCH_WRITE : 0u));
}

static void fell_silent(void *argument)
{
    struct pool_worker *worker = argument;
    struct error error;

    error_set(&error, FAILURE_SYSTEM, "the scan worker did nothing for %lld ms and was ended",
              (long long)worker->pool->spec.silence_ms);
    pool_worker_fail(worker, &error);
}

static void ran_out(void *argument)
{
    struct pool_worker *worker = argument;
    struct error error;

    error_set(&error, FAILURE_LIMIT, "the scan takes too long");
    pool_worker_fail(worker, &error);
}

/* --- the end --- */

void pool_worker_kill(struct pool_worker *worker)
{
    if (worker->state == WORKER_DYING)
        return;
    worker->state = WORKER_DYING;
    worker->pool->counters.killed++;
    watch_free(TAKE(worker->socket));
    timer_disarm(worker->silence);
    timer_disarm(worker->deadline);
    text_release(&worker->out);
    worker->out_at = 0;
    text_release(&worker->message);
    text_release(&worker->paths);
    child_close(&worker->child);
    child_kill(&worker->child);
}

void pool_worker_fail(struct pool_worker *worker, const struct error *error)
{
    struct pool_job *job = TAKE(worker->job);
    struct error kept = *error;

    pool_worker_kill(worker);
    if (job)
        pool_job_done(worker->pool, job, &kept, NULL);
}

static void release(struct pool_worker *worker)
{
    struct pool_worker **link = &worker->pool->workers;

    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    watch_free(worker->end);
    timer_free(worker->silence);
    timer_free(worker->deadline);
    free(worker);
}

void pool_worker_free(struct pool_worker *worker)
{
    char end[CHILD_END_SIZE];

    pool_worker_kill(worker);
    child_reap(&worker->child, /* wait= */ true, end);
    release(worker);
}

/* --- the socket --- */

/* Its job learns why when the process is taken away. */
static void hung_up(struct pool_worker *worker)
{
    pool_worker_kill(worker);
    worker->pool->counters.killed--; /* it ended by itself */
}

/* Reads once; false when there is nothing more for now, or ever. */
static bool read_some(struct pool_worker *worker)
{
    uint8_t bytes[READ_SIZE];
    const uint8_t *at = bytes;
    struct error err;
    struct wire_part part;
    int more = 0, failure = 0;
    ssize_t got = recv(worker->child.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        hung_up(worker);
        return false;
    }
    while (worker->state != WORKER_DYING && failure == 0 &&
           (more = wire_next(&worker->reader, &at, bytes + got, &part, &err)) > 0)
        failure = pool_answer_take(worker, &part, &err);
    if (failure < 0 || more < 0) {
        err.kind = FAILURE_SYSTEM;
        error_wrap(&err, "the scan worker answered nonsense and was ended");
        pool_worker_fail(worker, &err);
    }
    if (worker->state == WORKER_DYING)
        return false;
    moved(worker);
    return true;
}

/* Bytes that the worker does not take are no fault: it says why, or has ended. */
static size_t write_some(struct pool_worker *worker, const struct iovec *pieces, size_t count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                                   .msg_iovlen = count};
    ssize_t sent = sendmsg(worker->child.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent > 0 ? (size_t)sent : 0;
}

static void write_out(struct pool_worker *worker)
{
    const struct iovec piece = {worker->out.data + worker->out_at, pool_worker_pending(worker)};

    worker->out_at += write_some(worker, &piece, 1);
    if (pool_worker_pending(worker) == 0) {
        text_clear(&worker->out);
        worker->out_at = 0;
    }
    moved(worker);
    if (worker->job && worker->job->full)
        pool_job_resume(worker->job);
}

static void socket_ready(void *argument, unsigned ready)
{
    struct pool_worker *worker = argument;

    if (ready & WATCH_WRITE && pool_worker_pending(worker) > 0)
        write_out(worker);
    if (ready & WATCH_READ && worker->state != WORKER_DYING)
        read_some(worker);
}

/* What has been sent is dropped before more is kept, so that the queue is never much longer than
 * what is pending. */
static void queue(struct pool_worker *worker, const void *bytes, size_t size)
{
    struct text *out = &worker->out;

    if (worker->out_at > 0) {
        memmove(out->data, out->data + worker->out_at, pool_worker_pending(worker));
        out->length -= worker->out_at;
        worker->out_at = 0;
    }
    text_add_bytes(out, bytes, size);
}

void pool_worker_send(struct pool_worker *worker, enum wire_kind kind, const void *bytes,
                      size_t size)
{
    AUTO_TEXT struct text head = {0};
    size_t sent = 0;

    if (worker->state == WORKER_DYING)
        return;
    wire_add_head(&head, kind, size);
    if (pool_worker_pending(worker) == 0) {
        const struct iovec pieces[] = {{head.data, head.length}, {(void *)(uintptr_t)bytes, size}};
        sent = write_some(worker, pieces, ARRAY_COUNT(pieces));
    }
    if (sent < head.length)
        queue(worker, head.data + sent, head.length - sent);
    size_t sent_of_bytes = sent > head.length ? sent - head.length : 0;
    if (sent_of_bytes < size)
        queue(worker, (const char *)bytes + sent_of_bytes, size - sent_of_bytes);
    moved(worker);
}

/* --- the process --- */

/* What it said before it ended counts. */
static void process_ended(void *argument, unsigned ready)
{
    struct pool_worker *worker = argument;
    struct scan_pool *pool = worker->pool;
    char end[CHILD_END_SIZE];
    struct error error;

    (void)ready;
    for (unsigned i = 0; worker->state != WORKER_DYING && i < READS_MAX && read_some(worker); i++)
        continue;
    if (worker->state != WORKER_DYING)
        hung_up(worker);
    if (!child_reap(&worker->child, /* wait= */ false, end))
        return;
    struct pool_job *job = TAKE(worker->job);
    release(worker);
    if (job) {
        error_set(&error, FAILURE_SYSTEM, "the scan worker %s", end);
        pool_job_done(pool, job, &error, NULL);
    }
    pool_pump_soon(pool);
}

int pool_worker_new(struct scan_pool *pool, struct pool_job *job, struct error *err)
{
    struct child child;

    if (child_start(pool->program, SCAN_WORKER_COMMAND, &child, err) < 0)
        return FAILURE_SYSTEM;
    struct pool_worker *worker = memory_new(sizeof(*worker));
    worker->pool = pool;
    worker->child = child;
    worker->generation = pool->generation;
    worker->reader.side = WIRE_TO_POOL;
    worker->socket = watch_new(pool->loop, child.fd, socket_ready, worker);
    worker->end = watch_new(pool->loop, child.pidfd, process_ended, worker);
    watch_set(worker->end, WATCH_READ);
    worker->silence = timer_new(pool->loop, fell_silent, worker);
    worker->deadline = timer_new(pool->loop, ran_out, worker);
    worker->next = pool->workers;
    pool->workers = worker;
    worker->state = WORKER_STARTING;
    worker->job = job;
    job->worker = worker;
    pool_worker_send(worker, WIRE_OPTIONS, pool->options.data, pool->options.length);
    return 0;
}

void pool_worker_give(struct pool_worker *worker, struct pool_job *job)
{
    const struct scan_pool_options *spec = &worker->pool->spec;
    const uint8_t algorithm = (uint8_t)job->spec.digest.algorithm;

    assert(worker->state == WORKER_IDLE && !worker->job);
    worker->state = WORKER_BUSY;
    worker->job = job;
    job->worker = worker;
    worker->since_ms = clock_steady_ms();
    timer_arm(worker->deadline, spec->scan.limits.max_ms + spec->silence_ms);
    pool_worker_send(worker, WIRE_LAYER, &algorithm, 1);
    pool_job_ready(job);
}

void pool_worker_cancel(struct pool_worker *worker)
{
    worker->job = NULL;
    text_release(&worker->paths);
    text_release(&worker->message);
    if (worker->state != WORKER_BUSY)
        return;
    worker->state = WORKER_CANCELLING;
    pool_worker_send(worker, WIRE_CANCEL, "", 0);
}

void pool_worker_rest(struct pool_worker *worker)
{
    struct scan_pool *pool = worker->pool;

    if (worker->state != WORKER_STARTING) {
        worker->layers++;
        worker->busy_ms += clock_steady_ms() - worker->since_ms;
    }
    worker->state = WORKER_IDLE;
    worker->has_paths = false;
    if (worker->layers >= LAYERS_MAX || worker->busy_ms >= pool->spec.scan.limits.max_ms ||
        worker->generation != pool->generation)
        pool_worker_kill(worker);
    else
        timer_arm(worker->deadline, IDLE_MS);
    pool_pump_soon(pool);
}
