/* Timers, signals, posting from other threads, and worker pools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "regwarden/loop.h"
#include "regwarden/memory.h"

static struct loop *loop;

static int open_loop(void **state)
{
    (void)state;
    return loop_new(&loop, NULL);
}

static int close_loop(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static int64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void count_up(void *argument)
{
    ++*(unsigned *)argument;
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

static bool is_positive(void *argument)
{
    return *(unsigned *)argument > 0;
}

static void timer_fires_once_per_arming(void **state)
{
    (void)state;
    unsigned fired = 0;
    struct timer *timer = timer_new(loop, count_up, &fired);
    timer_arm(timer, 10);
    timer_arm(timer, 20); /* replaces */
    int64_t start = real_ms();
    assert_true(loop_run_until(loop, is_positive, &fired, 5000));
    assert_true(real_ms() - start >= 14);
    loop_run_until(loop, never, NULL, 50);
    assert_int_equal(fired, 1);

    timer_arm(timer, 0);
    loop_run_until(loop, never, NULL, 20);
    assert_int_equal(fired, 2);
    timer_free(timer);
}

static void timer_disarmed_does_not_fire(void **state)
{
    (void)state;
    unsigned fired = 0;
    struct timer *timer = timer_new(loop, count_up, &fired);
    timer_arm(timer, 10);
    timer_disarm(timer);
    loop_run_until(loop, never, NULL, 40);
    assert_int_equal(fired, 0);
    timer_arm(timer, 10);
    timer_free(timer); /* armed */
    loop_run_until(loop, never, NULL, 40);
    assert_int_equal(fired, 0);
    timer_free(NULL);
}

struct self_freeing {
    struct timer *timer;
    unsigned fired;
};

static void free_itself(void *argument)
{
    struct self_freeing *self = argument;
    self->fired++;
    timer_free(self->timer);
}

static void timer_may_free_itself(void **state)
{
    (void)state;
    struct self_freeing self = {0};
    self.timer = timer_new(loop, free_itself, &self);
    timer_arm(self.timer, 1);
    loop_run_until(loop, is_positive, &self.fired, 5000);
    assert_int_equal(self.fired, 1);
}

static void run_until_gives_up(void **state)
{
    (void)state;
    int64_t start = real_ms();
    assert_false(loop_run_until(loop, never, NULL, 30));
    int64_t took = real_ms() - start;
    assert_true(took >= 24 && took < 2000);
    unsigned one = 1;
    assert_true(loop_run_until(loop, is_positive, &one, 0));
}

static void stop(void *argument)
{
    loop_stop(argument);
}

static void run_returns_after_stop(void **state)
{
    (void)state;
    struct timer *timer = timer_new(loop, stop, loop);
    timer_arm(timer, 5);
    loop_run(loop);
    timer_free(timer);

    loop_stop(loop); /* before the loop runs */
    loop_run(loop);

    loop_stop(loop);
    int64_t start = real_ms();
    assert_false(loop_run_until(loop, never, NULL, 5000));
    assert_true(real_ms() - start < 2500);
}

static void signals_reach_the_loop(void **state)
{
    (void)state;
    unsigned count = 0;
    loop_on_signal(loop, SIGUSR1, count_up, &count);
    raise(SIGUSR1);
    assert_true(loop_run_until(loop, is_positive, &count, 5000));
    count = 0;
    raise(SIGUSR1);
    assert_true(loop_run_until(loop, is_positive, &count, 5000));
}

static void broken_pipe_is_no_signal(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
}

enum { POSTS = 1000, POSTERS = 4 };

struct poster {
    pthread_t thread;
    unsigned next; /* expected by the loop */
    unsigned wrong;
    struct post {
        struct poster *poster;
        unsigned number;
    } posts[POSTS];
};
static unsigned arrived;

static void take_post(void *argument)
{
    struct post *post = argument;
    if (post->number != post->poster->next++)
        post->poster->wrong++;
    arrived++;
}

static void *post_all(void *argument)
{
    struct poster *poster = argument;
    for (unsigned i = 0; i < POSTS; i++) {
        poster->posts[i] = (struct post){poster, i};
        loop_post(loop, take_post, &poster->posts[i]);
    }
    return NULL;
}

static bool all_arrived(void *argument)
{
    (void)argument;
    return arrived == POSTS * POSTERS;
}

static void posts_arrive_in_order_per_thread(void **state)
{
    (void)state;
    static struct poster posters[POSTERS];
    arrived = 0;
    for (size_t i = 0; i < POSTERS; i++)
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    assert_true(loop_run_until(loop, all_arrived, NULL, 20000));
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].wrong, 0);
    }
}

static void post_again(void *argument)
{
    unsigned *left = argument;
    if (--*left > 0)
        loop_post(loop, post_again, left);
}

static void posting_from_a_post_does_not_starve_timers(void **state)
{
    (void)state;
    unsigned left = UINT32_MAX;
    unsigned fired = 0;
    struct timer *timer = timer_new(loop, count_up, &fired);
    loop_post(loop, post_again, &left);
    timer_arm(timer, 5);
    assert_true(loop_run_until(loop, is_positive, &fired, 5000));
    left = 1;
    loop_run_until(loop, never, NULL, 10);
    timer_free(timer);
}

static void undelivered_posts_are_dropped(void **state)
{
    (void)state;
    unsigned count = 0;
    struct loop *other;
    assert_int_equal(loop_new(&other, NULL), 0);
    loop_post(other, count_up, &count);
    loop_free(other);
    assert_int_equal(count, 0);
    loop_free(NULL);
}

struct counted_job {
    pthread_t ran_on;
    atomic_bool *gate; /* NULL: do not wait */
    unsigned done;
    unsigned cancelled;
    unsigned *total;
};

static void run_job(void *argument)
{
    struct counted_job *job = argument;
    job->ran_on = pthread_self();
    while (job->gate != NULL && !atomic_load(job->gate))
        usleep(1000);
}

static void job_done(void *argument, bool cancelled)
{
    struct counted_job *job = argument;
    job->done++;
    if (cancelled)
        job->cancelled++;
    ++*job->total;
}

enum { JOBS = 500 };

static bool all_done(void *argument)
{
    return *(unsigned *)argument == JOBS;
}

static void jobs_run_on_workers_and_end_on_the_loop(void **state)
{
    (void)state;
    static struct counted_job jobs[JOBS];
    unsigned total = 0;
    struct job_pool *pool = job_pool_new(loop, "a name longer than fifteen", 3);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct counted_job){.total = &total};
        job_submit(pool, run_job, job_done, &jobs[i]);
    }
    assert_true(loop_run_until(loop, all_done, &total, 20000));
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].cancelled, 0);
        assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
    }
    assert_int_equal(job_pool_waiting(pool), 0);
    job_pool_free(pool);
    job_pool_free(NULL);
}

static void *open_gate_later(void *argument)
{
    usleep(50000);
    atomic_store((atomic_bool *)argument, true);
    return NULL;
}

static void freeing_a_pool_waits_and_cancels(void **state)
{
    (void)state;
    atomic_bool gate = false;
    unsigned total = 0;
    struct counted_job jobs[4];
    struct job_pool *pool = job_pool_new(loop, "pool", 1);
    for (size_t i = 0; i < ARRAY_COUNT(jobs); i++) {
        jobs[i] = (struct counted_job){.gate = &gate, .total = &total};
        job_submit(pool, run_job, job_done, &jobs[i]);
    }
    while (job_pool_waiting(pool) > 3)
        usleep(1000);
    pthread_t opener;
    pthread_create(&opener, NULL, open_gate_later, &gate);
    job_pool_free(pool);
    pthread_join(opener, NULL);
    assert_int_equal(total, 4);
    assert_int_equal(jobs[0].done, 1);
    assert_int_equal(jobs[0].cancelled, 0);
    for (size_t i = 1; i < ARRAY_COUNT(jobs); i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].cancelled, 1);
    }
}

static sigset_t worker_mask;

static void read_mask(void *argument)
{
    (void)argument;
    pthread_sigmask(SIG_SETMASK, NULL, &worker_mask);
}

static void workers_take_no_signals(void **state)
{
    (void)state;
    unsigned total = 0;
    struct counted_job job = {.total = &total};
    struct job_pool *pool = job_pool_new(loop, "mask", 1);
    job_submit(pool, read_mask, job_done, &job);
    assert_true(loop_run_until(loop, is_positive, &total, 5000));
    job_pool_free(pool);
    assert_true(sigismember(&worker_mask, SIGTERM));
    assert_true(sigismember(&worker_mask, SIGHUP));
    sigset_t own;
    pthread_sigmask(SIG_SETMASK, NULL, &own);
    assert_false(sigismember(&own, SIGTERM));
}

#define LOOP_TEST(function) cmocka_unit_test_setup_teardown(function, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timer_fires_once_per_arming),
        LOOP_TEST(timer_disarmed_does_not_fire),
        LOOP_TEST(timer_may_free_itself),
        LOOP_TEST(run_until_gives_up),
        LOOP_TEST(run_returns_after_stop),
        LOOP_TEST(signals_reach_the_loop),
        LOOP_TEST(broken_pipe_is_no_signal),
        LOOP_TEST(posts_arrive_in_order_per_thread),
        LOOP_TEST(posting_from_a_post_does_not_starve_timers),
        LOOP_TEST(undelivered_posts_are_dropped),
        LOOP_TEST(jobs_run_on_workers_and_end_on_the_loop),
        LOOP_TEST(freeing_a_pool_waits_and_cancels),
        LOOP_TEST(workers_take_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
