/* A thread of the store: takes all that waits, carries it out in one transaction, answers after
 * COMMIT.
 *
 * An operation that fails must not take the others with it. Savepoints around every operation cost
 * a fifth of the rate, so they are used only where something failed: the transaction is rolled back
 * and the batch runs once more, each operation in its own savepoint. */
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>

#include "document.h"
#include "mailbox.h"
#include "regwarden/memory.h"

enum { WAITING_MAX = 65536, BATCH_MAX = 2048, SIZE_EVERY_COMMITS = 64 };

enum outcome {
    BATCH_DONE,
    BATCH_SPOILED, /* by one operation: to be run again, apart */
    BATCH_FAILED,
};

struct worker {
    pthread_t thread;
    struct session session;
    struct mailbox *mailbox;
    struct worker_counters *counters;
    bool isolate;
    pthread_mutex_t mutex; /* for the three below */
    pthread_cond_t wake;
    struct operations waiting;
    bool stopping;
};

static void operation_fail(struct operation *operation, const struct error *error)
{
    if (!operation->error)
        operation->error = memory_new(sizeof(*operation->error));
    *operation->error = *error;
    error_wrap(operation->error, "cannot %s", operation->type->doing);
}

static void forget_errors(struct operations *batch)
{
    for (struct operation *operation = batch->first; operation; operation = operation->next) {
        free(operation->error);
        operation->error = NULL;
        operation->again = false;
    }
}

/* `error` is filled when the batch failed as a whole. */
static enum outcome run_together(struct worker *worker, struct operations *batch,
                                 struct error *error)
{
    struct driver *driver = worker->session.driver;
    const struct driver_type *type = driver->type;

    if (type->begin(driver, error) < 0)
        return BATCH_FAILED;
    for (struct operation *operation = batch->first; operation; operation = operation->next) {
        int64_t before = type->written(driver);
        struct error own = {0};

        if (operation->type->run(operation, &worker->session, &own) == 0)
            continue;
        operation_fail(operation, &own);
        if (type->written(driver) != before || !type->in_transaction(driver)) {
            type->rollback(driver); /* it left something half done */
            return BATCH_SPOILED;
        }
    }
    if (type->commit(driver, error) == 0)
        return BATCH_DONE;
    type->rollback(driver);
    return BATCH_FAILED;
}

static int run_in_savepoint(struct worker *worker, struct operation *operation, struct error *error)
{
    static const char open_one[] = "SAVEPOINT operation";
    static const char keep[] = "RELEASE SAVEPOINT operation";
    static const char drop[] = "ROLLBACK TO SAVEPOINT operation";
    struct driver *driver = worker->session.driver;
    struct error own = {0};
    int failure = driver_run(driver, open_one, NO_BINDS, error);

    if (failure < 0)
        return failure;
    if (operation->type->run(operation, &worker->session, &own) < 0) {
        operation_fail(operation, &own);
        if (!driver->type->in_transaction(driver)) {
            *error = own;
            return (int)own.kind;
        }
        failure = driver_run(driver, drop, NO_BINDS, error);
    }
    return failure < 0 ? failure : driver_run(driver, keep, NO_BINDS, error);
}

static enum outcome run_apart(struct worker *worker, struct operations *batch, struct error *error)
{
    struct driver *driver = worker->session.driver;
    int failure = driver->type->begin(driver, error);

    if (failure < 0)
        return BATCH_FAILED;
    for (struct operation *operation = batch->first; operation && failure == 0;
         operation = operation->next)
        failure = run_in_savepoint(worker, operation, error);
    if (failure == 0)
        failure = driver->type->commit(driver, error);
    if (failure == 0)
        return BATCH_DONE;
    driver->type->rollback(driver);
    return BATCH_FAILED;
}

static void run_batch(struct worker *worker, struct operations *batch)
{
    struct error error = {0};
    enum outcome outcome = BATCH_SPOILED;

    if (!worker->isolate)
        outcome = run_together(worker, batch, &error);
    if (outcome == BATCH_SPOILED) {
        forget_errors(batch);
        outcome = run_apart(worker, batch, &error);
    }
    if (outcome == BATCH_DONE)
        return;
    for (struct operation *operation = batch->first; operation; operation = operation->next) {
        operation->again = false;
        operation_fail(operation, &error);
    }
}

static void count_batch(struct worker *worker, const struct operations *batch)
{
    struct worker_counters *counters = worker->counters;
    uint_fast64_t failures = 0;

    if (!counters)
        return;
    for (const struct operation *operation = batch->first; operation; operation = operation->next)
        failures += operation->error != NULL;
    atomic_fetch_add(&counters->operations, batch->count);
    atomic_fetch_add(&counters->failures, failures);
    if (failures < batch->count &&
        atomic_fetch_add(&counters->commits, 1) % SIZE_EVERY_COMMITS == 0)
        atomic_store(&counters->bytes, worker->session.driver->type->size(worker->session.driver));
}

/* What is not through yet goes to the end of the queue. */
static void split_batch(struct operations *batch, struct operations *finished,
                        struct operations *unfinished)
{
    for (struct operation *next, *operation = batch->first; operation; operation = next) {
        next = operation->next;
        bool again = operation->again && !operation->error;
        operation->again = false;
        operations_add(again ? unfinished : finished, operation);
    }
    *batch = (struct operations){0};
}

static void take_batch(struct operations *from, struct operations *to)
{
    while (from->count > 0 && to->count < BATCH_MAX) {
        struct operation *operation = from->first;

        from->first = operation->next;
        from->count--;
        operations_add(to, operation);
    }
}

/* False when the queue is empty and the worker is to end. */
static bool wait_for_batch(struct worker *worker, struct operations *ret_batch)
{
    pthread_mutex_lock(&worker->mutex);
    while (worker->waiting.count == 0 && !worker->stopping)
        pthread_cond_wait(&worker->wake, &worker->mutex);
    take_batch(&worker->waiting, ret_batch);
    pthread_mutex_unlock(&worker->mutex);
    return ret_batch->count > 0;
}

static void put_back(struct worker *worker, struct operations *unfinished)
{
    pthread_mutex_lock(&worker->mutex);
    operations_join(&worker->waiting, unfinished);
    pthread_mutex_unlock(&worker->mutex);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct operations batch = {0};

    while (wait_for_batch(worker, &batch)) {
        struct operations finished = {0};
        struct operations unfinished = {0};

        run_batch(worker, &batch);
        count_batch(worker, &batch);
        split_batch(&batch, &finished, &unfinished);
        put_back(worker, &unfinished);
        mailbox_put(worker->mailbox, &finished);
    }
    return NULL;
}

bool worker_put(struct worker *worker, struct operation *operation)
{
    pthread_mutex_lock(&worker->mutex);
    bool fits = worker->waiting.count < WAITING_MAX;
    bool wake = worker->waiting.count == 0;
    if (fits)
        operations_add(&worker->waiting, operation);
    pthread_mutex_unlock(&worker->mutex);
    if (fits && wake)
        pthread_cond_signal(&worker->wake);
    return fits;
}

size_t worker_waiting(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    size_t count = worker->waiting.count;
    pthread_mutex_unlock(&worker->mutex);
    return count;
}

void worker_stop(struct worker *worker)
{
    if (!worker)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    assert(worker->waiting.count == 0);
    driver_close(worker->session.driver);
    codec_free(worker->session.codec);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}

struct worker *worker_start(const struct worker_options *options)
{
    struct worker *worker = memory_new(sizeof(*worker));
    sigset_t all;
    sigset_t before;

    worker->session = (struct session){.driver = options->driver, .codec = codec_new()};
    worker->mailbox = options->mailbox;
    worker->counters = options->counters;
    worker->isolate = options->isolate;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->wake, NULL);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        abort(); /* at start, once: without its threads there is no store */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setname_np(worker->thread, options->name);
    return worker;
}
