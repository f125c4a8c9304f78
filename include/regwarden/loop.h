/* The event loop: timers, signals, descriptors, wake-ups from other threads, and jobs that may
 * block (home of libevent: src/loop/).
 *
 * One loop, one thread: everything here is called on the loop thread unless it says "any thread".
 * Callbacks are short and never block; blocking work is a job: `run` on a worker thread, then
 * `done` on the loop. Late answers find their object by id, not by pointer. Durations are
 * milliseconds of the real steady clock, whatever clock.h was told by a test, and good to about
 * 5 ms. */
#ifndef REGWARDEN_LOOP_H
#define REGWARDEN_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"

struct loop;  /* opaque */
struct timer; /* opaque */

/* FAILURE_SYSTEM. Makes the process ignore SIGPIPE: a peer that has gone is an answer, not an end.
 */
int loop_new(struct loop **ret, struct error *err);
/* Accepts NULL. After everything that was made from it; posted callbacks that did not run are
 * dropped. */
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* returns after loop_stop, at once when that came first */
void loop_stop(struct loop *loop);
/* Runs events until `condition(argument)` is true, `timeout_ms` have passed or the loop was told to
 * stop; for start-up, the command line and tests, never from within a callback. Returns the
 * condition's last answer. */
bool loop_run_until(struct loop *loop, bool (*condition)(void *argument), void *argument,
                    int64_t timeout_ms);

typedef void loop_f(void *argument);

/* A timer that can be armed again and again; arming replaces. Fires once per arming. */
struct timer *timer_new(struct loop *loop, loop_f *callback, void *argument);
void timer_arm(struct timer *timer, int64_t after_ms);
void timer_disarm(struct timer *timer);
void timer_free(struct timer *timer); /* accepts NULL; also from within its own callback */

/* Calls back on the loop at every delivery of the signal. Lives as long as the loop. */
void loop_on_signal(struct loop *loop, int number, loop_f *callback, void *argument);

/* Watches a descriptor, which stays the caller's and outlives the watch. Level-triggered: calls
 * back as long as one of the wanted states lasts. A pidfd can be read when its process has ended.
 */
struct watch; /* opaque */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void watch_f(void *argument, unsigned ready);
struct watch *watch_new(struct loop *loop, int fd, watch_f *callback, void *argument);
void watch_set(struct watch *watch, unsigned wanted); /* 0, as at the start: nothing */
void watch_free(struct watch *watch); /* accepts NULL; also from within its own callback */

/* Runs the callback on the loop soon, never from within this call. ANY THREAD. In order per calling
 * thread. */
void loop_post(struct loop *loop, loop_f *callback, void *argument);

/* Worker threads for work that blocks. A pool's queue is bounded by its callers. */
struct job_pool; /* opaque */
struct job_pool *job_pool_new(struct loop *loop, const char *name, unsigned threads);
/* Accepts NULL. Waits for running jobs and calls their `done`; jobs not begun are dropped after
 * their `done` was called with cancelled = true. Not from within a `done` of this pool. */
void job_pool_free(struct job_pool *pool);
typedef void job_run_f(void *argument);                  /* worker thread */
typedef void job_done_f(void *argument, bool cancelled); /* loop thread */
void job_submit(struct job_pool *pool, job_run_f *run, job_done_f *done, void *argument);
size_t job_pool_waiting(const struct job_pool *pool); /* submitted and not begun */

#endif
