/* The event loop over libevent: timers, signals, and callbacks posted by other threads.
 *
 * libevent's base is touched by the loop thread alone, so it runs without locks; other threads
 * reach the loop through a list under one mutex and an eventfd. Jobs are in jobs.c. */
#include "regwarden/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "loop_private.h"
#include "regwarden/memory.h"

struct posted {
    struct posted *next;
    loop_f *callback;
    void *argument;
};

struct signal_watch {
    struct signal_watch *next;
    struct event *event;
    loop_f *callback;
    void *argument;
};

struct loop {
    struct event_base *base;
    struct signal_watch *signals;
    bool stopping;
    int wake_fd;
    struct event *wake;
    pthread_mutex_t lock; /* for the two below */
    struct posted *posted_first;
    struct posted **posted_last;
};

struct timer {
    struct event *event;
    loop_f *callback;
    void *argument;
};

static struct posted *take_posted(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct posted *first = loop->posted_first;
    loop->posted_first = NULL;
    loop->posted_last = &loop->posted_first;
    pthread_mutex_unlock(&loop->lock);
    return first;
}

/* What is posted while these run waits for the next round, so that a callback which posts itself
 * cannot starve the sockets. */
static void run_posted(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));
    (void)got; /* the list is the truth, the counter only wakes */

    struct posted *item = take_posted(argument);
    while (item != NULL) {
        struct posted *next = item->next;
        item->callback(item->argument);
        free(item);
        item = next;
    }
}

static void run_signal(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    struct signal_watch *watch = argument;
    watch->callback(watch->argument);
}

static void run_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct timer *timer = argument;
    timer->callback(timer->argument); /* may free the timer */
}

static void do_nothing(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
}

static int open_base(struct loop *loop, struct error *err)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return error_set(err, FAILURE_SYSTEM, "cannot configure the event loop");
    /* Without cached time a long callback does not make the timers armed behind it too short. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (loop->base == NULL)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open the event loop");

    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open the loop's eventfd");
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, run_posted, loop);
    if (loop->wake == NULL || event_add(loop->wake, NULL) != 0)
        return error_set(err, FAILURE_SYSTEM, "cannot watch the loop's eventfd");
    return 0;
}

struct event_base *loop_event_base(struct loop *loop)
{
    return loop->base;
}

struct timeval loop_timeval(int64_t ms)
{
    if (ms < 0)
        ms = 0;
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

int loop_new(struct loop **ret, struct error *err)
{
    struct loop *loop = memory_new(sizeof(*loop));
    pthread_mutex_init(&loop->lock, NULL);
    loop->posted_last = &loop->posted_first;
    loop->wake_fd = -1;
    if (open_base(loop, err) != 0) {
        loop_free(loop);
        return FAILURE_SYSTEM;
    }
    signal(SIGPIPE, SIG_IGN);
    *ret = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->signals != NULL) {
        struct signal_watch *watch = loop->signals;
        loop->signals = watch->next;
        event_free(watch->event);
        free(watch);
    }
    struct posted *item = take_posted(loop);
    while (item != NULL) {
        struct posted *next = item->next;
        free(item);
        item = next;
    }
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->base != NULL)
        event_base_free(loop->base);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_run(struct loop *loop)
{
    /* libevent forgets a break that was asked for before its loop began; the flag does not. */
    while (!loop->stopping)
        event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    loop->stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    event_base_loopbreak(loop->base);
}

bool loop_run_until(struct loop *loop, bool (*condition)(void *argument), void *argument,
                    int64_t timeout_ms)
{
    if (condition(argument))
        return true;
    struct event *deadline = evtimer_new(loop->base, do_nothing, NULL);
    assert(deadline != NULL);
    struct timeval after = loop_timeval(timeout_ms);
    evtimer_add(deadline, &after);

    bool answer = false;
    while (!answer && !loop->stopping && evtimer_pending(deadline, NULL)) {
        event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
        answer = condition(argument);
    }
    event_free(deadline);
    return answer;
}

struct timer *timer_new(struct loop *loop, loop_f *callback, void *argument)
{
    struct timer *timer = memory_new(sizeof(*timer));
    timer->callback = callback;
    timer->argument = argument;
    timer->event = evtimer_new(loop->base, run_timer, timer);
    assert(timer->event != NULL);
    return timer;
}

void timer_arm(struct timer *timer, int64_t after_ms)
{
    struct timeval after = loop_timeval(after_ms);
    evtimer_add(timer->event, &after);
}

void timer_disarm(struct timer *timer)
{
    evtimer_del(timer->event);
}

void timer_free(struct timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

void loop_on_signal(struct loop *loop, int number, loop_f *callback, void *argument)
{
    struct signal_watch *watch = memory_new(sizeof(*watch));
    watch->callback = callback;
    watch->argument = argument;
    watch->event = evsignal_new(loop->base, number, run_signal, watch);
    assert(watch->event != NULL);
    event_add(watch->event, NULL);
    watch->next = loop->signals;
    loop->signals = watch;
}

void loop_post(struct loop *loop, loop_f *callback, void *argument)
{
    struct posted *item = memory_new(sizeof(*item));
    item->callback = callback;
    item->argument = argument;

    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->posted_first == NULL;
    *loop->posted_last = item;
    loop->posted_last = &item->next;
    pthread_mutex_unlock(&loop->lock);

    if (was_empty) {
        uint64_t one = 1;
        ssize_t put = write(loop->wake_fd, &one, sizeof(one));
        assert(put == (ssize_t)sizeof(one)); /* an eventfd refuses only above 2^64 - 2 */
        (void)put;
    }
}
