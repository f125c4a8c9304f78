/* Worker pools: `run` on a thread of the pool, `done` on the loop.
 *
 * Each pool has its own eventfd, so that freeing the pool leaves nothing behind on the loop. No job
 * is ever killed: the pool's end waits for what runs. */
#include "regwarden/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "loop_private.h"
#include "regwarden/memory.h"

struct job {
    struct job *next;
    job_run_f *run;
    job_done_f *done;
    void *argument;
};

struct job_list {
    struct job *first;
    struct job **last;
};

struct job_pool {
    char name[16]; /* as much as the kernel keeps of a thread's name */
    int wake_fd;
    struct event *wake;
    bool delivering;
    pthread_t *threads;
    unsigned thread_count;
    atomic_size_t waiting_count;
    pthread_mutex_t lock; /* for everything below */
    pthread_cond_t work;
    struct job_list waiting;
    struct job_list finished;
    bool stopping;
};

static void list_clear(struct job_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
}

static struct job *list_take_first(struct job_list *list)
{
    struct job *job = list->first;
    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->last = &list->first;
    return job;
}

/* Returns NULL when the pool stops. */
static struct job *wait_for_job(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->waiting.first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    struct job *job = pool->stopping ? NULL : list_take_first(&pool->waiting);
    pthread_mutex_unlock(&pool->lock);
    if (job != NULL)
        atomic_fetch_sub(&pool->waiting_count, 1);
    return job;
}

static void hand_back(struct job_pool *pool, struct job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool was_empty = pool->finished.first == NULL;
    list_add(&pool->finished, job);
    pthread_mutex_unlock(&pool->lock);
    if (was_empty) {
        uint64_t one = 1;
        ssize_t put = write(pool->wake_fd, &one, sizeof(one));
        assert(put == (ssize_t)sizeof(one)); /* an eventfd refuses only above 2^64 - 2 */
        (void)put;
    }
}

static void *work(void *argument)
{
    struct job_pool *pool = argument;
    struct job *job;
    while ((job = wait_for_job(pool)) != NULL) {
        job->run(job->argument);
        hand_back(pool, job);
    }
    return NULL;
}

static void deliver(struct job *job, bool cancelled)
{
    while (job != NULL) {
        struct job *next = job->next;
        job->done(job->argument, cancelled);
        free(job);
        job = next;
    }
}

static struct job *take_all(struct job_pool *pool, struct job_list *list)
{
    pthread_mutex_lock(&pool->lock);
    struct job *first = list->first;
    list_clear(list);
    pthread_mutex_unlock(&pool->lock);
    return first;
}

static void deliver_finished(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct job_pool *pool = argument;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));
    (void)got; /* the list is the truth, the counter only wakes */
    pool->delivering = true;
    deliver(take_all(pool, &pool->finished), /* cancelled= */ false);
    pool->delivering = false;
}

/* Signals are the loop's: no worker may be the thread that the kernel picks. */
static void start_threads(struct job_pool *pool, unsigned count)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pool->threads = memory_new_array(count, sizeof(*pool->threads));
    for (unsigned i = 0; i < count; i++) {
        int number = pthread_create(&pool->threads[i], NULL, work, pool);
        if (number != 0)
            break;
        pthread_setname_np(pool->threads[i], pool->name);
        pool->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(pool->thread_count > 0); /* without any thread no job would ever end */
}

struct job_pool *job_pool_new(struct loop *loop, const char *name, unsigned threads)
{
    struct job_pool *pool = memory_new(sizeof(*pool));
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    list_clear(&pool->waiting);
    list_clear(&pool->finished);
    pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(pool->wake_fd >= 0);
    pool->wake = event_new(loop_event_base(loop), pool->wake_fd, EV_READ | EV_PERSIST,
                           deliver_finished, pool);
    assert(pool->wake != NULL);
    event_add(pool->wake, NULL);
    start_threads(pool, threads > 0 ? threads : 1);
    return pool;
}

void job_pool_free(struct job_pool *pool)
{
    if (pool == NULL)
        return;
    assert(!pool->delivering);
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);

    deliver(take_all(pool, &pool->finished), /* cancelled= */ false);
    struct job *job;
    while ((job = take_all(pool, &pool->waiting)) != NULL) /* a done may submit again */
        deliver(job, /* cancelled= */ true);

    event_free(pool->wake);
    close(pool->wake_fd);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

void job_submit(struct job_pool *pool, job_run_f *run, job_done_f *done, void *argument)
{
    struct job *job = memory_new(sizeof(*job));
    job->run = run;
    job->done = done;
    job->argument = argument;
    atomic_fetch_add(&pool->waiting_count, 1);
    pthread_mutex_lock(&pool->lock);
    list_add(&pool->waiting, job);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

size_t job_pool_waiting(const struct job_pool *pool)
{
    return atomic_load(&pool->waiting_count);
}
