/* Descriptors of others, watched on the loop: sockets to child processes, and the children
 * themselves. */
#include "regwarden/loop.h"

#include <assert.h>

#include <event2/event.h>

#include "loop_private.h"
#include "regwarden/memory.h"

struct watch {
    struct event_base *base;
    struct event *event;
    evutil_socket_t fd;
    unsigned wanted;
    watch_f *callback;
    void *argument;
};

static void run_watch(evutil_socket_t fd, short what, void *argument)
{
    struct watch *watch = argument;
    unsigned ready = 0;

    (void)fd;
    ready |= what & EV_READ ? WATCH_READ : 0;
    ready |= what & EV_WRITE ? WATCH_WRITE : 0;
    watch->callback(watch->argument, ready); /* may free the watch */
}

struct watch *watch_new(struct loop *loop, int fd, watch_f *callback, void *argument)
{
    struct watch *watch = memory_new(sizeof(*watch));

    watch->base = loop_event_base(loop);
    watch->fd = fd;
    watch->callback = callback;
    watch->argument = argument;
    watch->event = event_new(watch->base, fd, EV_READ | EV_PERSIST, run_watch, watch);
    assert(watch->event != NULL);
    return watch;
}

void watch_set(struct watch *watch, unsigned wanted)
{
    short what = EV_PERSIST;

    if (wanted == watch->wanted)
        return;
    watch->wanted = wanted;
    event_del(watch->event);
    if (wanted == 0)
        return;
    what |= wanted & WATCH_READ ? EV_READ : 0;
    what |= wanted & WATCH_WRITE ? EV_WRITE : 0;
    int failed = event_assign(watch->event, watch->base, watch->fd, what, run_watch, watch);
    assert(failed == 0);
    event_add(watch->event, NULL);
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    event_free(watch->event);
    free(watch);
}
