/* Where events wait and reviews start. One review at a time per placement, so that a tag's pushes
 * are judged in order; many placements at once, up to max-reviews of each registry, so that a slow
 * one keeps none of the others waiting. Memory is bounded: what has no place here stays open in the
 * store and is loaded again. It does not judge anything. */
#include "daemon_priv.h"
#include "review.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum {
    EVENTS_MAX = 8192,  /* in memory: waiting, under review, or parked */
    PARKED_MAX = 2048,  /* reviews that wait to be retried; below what stops loading, so that one
                           dead registry does not take all places */
    LOAD_AT_ONCE = 512, /* events per load from the store */
    RESCAN_AFTER_MS = 15000 /* a failed load, and what was left to the store, is tried again */
};

struct slot { /* one placement with work */
    char *key;
    struct lane *lane;
    struct review *active; /* NULL: in the ready queue */
    struct event *waiting;
    size_t count;
    size_t capacity;
};

struct lane {            /* one registry */
    struct slot **ready; /* ring of slots that wait for a free review */
    size_t first, count, capacity;
    size_t running; /* reviews that are not parked */
};

struct dispatcher {
    struct daemon *daemon;
    struct map *slots; /* k: slot key -> v: struct slot */
    struct lane
        *lanes; /* as daemon->registries; the last one is of those not configured any more */
    size_t lane_count;
    size_t events; /* in memory */
    size_t parked;
    bool backlog; /* the store holds open events that are not in memory */
    bool missed;  /* one more was left out while a load was under way */
    bool loading;
    bool stopped;
    bool left_some; /* parked reviews were left to the store: the next rescan starts from the first
                       id */
    int64_t loaded_to; /* ids up to here were loaded, or came in directly */
    struct map *held;  /* k: event id in decimal -> v: itself; what is in memory, so that a rescan
                          does not double it */
    struct timer *rescan;
};

static void pump(struct dispatcher *dispatcher);
static void load_more(struct dispatcher *dispatcher);

static void rescan_due(void *argument)
{
    struct dispatcher *dispatcher = argument;

    if (dispatcher->left_some) {
        dispatcher->left_some = false;
        dispatcher->loaded_to = 0;
        dispatcher->backlog = true;
    }
    load_more(dispatcher);
}

struct dispatcher *dispatcher_new(struct daemon *daemon)
{
    struct dispatcher *dispatcher = memory_new(sizeof *dispatcher);

    dispatcher->daemon = daemon;
    dispatcher->lane_count = daemon->registry_count + 1;
    dispatcher->lanes = memory_new_array(dispatcher->lane_count, sizeof *dispatcher->lanes);
    dispatcher->slots = map_new();
    dispatcher->held = map_new();
    dispatcher->rescan = timer_new(daemon->loop, rescan_due, dispatcher);
    return dispatcher;
}

static void slot_free(struct slot *slot)
{
    for (size_t i = 0; i < slot->count; i++)
        event_release(&slot->waiting[i]);
    free(slot->waiting);
    free(slot->key);
    free(slot);
}

void dispatcher_free(struct dispatcher *dispatcher)
{
    size_t position = 0;
    void *value;

    if (!dispatcher)
        return;
    while (map_each(dispatcher->slots, &position, NULL, &value)) {
        struct slot *slot = value;

        if (slot->active) {
            review_cancel(slot->active);
            review_free(slot->active);
        }
        slot_free(slot);
    }
    map_free(dispatcher->slots);
    map_free(dispatcher->held);
    timer_free(dispatcher->rescan);
    for (size_t i = 0; i < dispatcher->lane_count; i++)
        free(dispatcher->lanes[i].ready);
    free(dispatcher->lanes);
    free(dispatcher);
}

static char *slot_key(const struct event *event)
{
    char digest[DIGEST_TEXT_SIZE];

    if (event->tag)
        return text_new("%s\n%s:%s", event->registry, event->repository, event->tag);
    return text_new("%s\n%s@%s", event->registry, event->repository,
                    digest_format(&event->digest, digest));
}

static void hold_id(struct dispatcher *dispatcher, int64_t id)
{
    AUTO_FREE char *key = text_new("%lld", (long long)id);

    if (id > 0)
        map_set(dispatcher->held, key, dispatcher);
}

static bool holds_id(const struct dispatcher *dispatcher, int64_t id)
{
    AUTO_FREE char *key = text_new("%lld", (long long)id);

    return map_get(dispatcher->held, key) != NULL;
}

static void drop_id(struct dispatcher *dispatcher, int64_t id)
{
    AUTO_FREE char *key = text_new("%lld", (long long)id);

    map_remove(dispatcher->held, key);
}

static struct lane *lane_of(struct dispatcher *dispatcher, const char *registry)
{
    const struct daemon *daemon = dispatcher->daemon;
    const struct daemon_registry *found = daemon_find_registry(dispatcher->daemon, registry);

    return &dispatcher
                ->lanes[found ? (size_t)(found - daemon->registries) : daemon->registry_count];
}

static void make_ready(struct slot *slot)
{
    struct lane *lane = slot->lane;

    if (lane->count == lane->capacity) {
        size_t capacity = lane->capacity ? 2 * lane->capacity : 64;
        struct slot **ring = memory_new_array(capacity, sizeof *ring);

        for (size_t i = 0; i < lane->count; i++)
            ring[i] = lane->ready[(lane->first + i) % lane->capacity];
        free(lane->ready);
        lane->ready = ring;
        lane->first = 0;
        lane->capacity = capacity;
    }
    lane->ready[(lane->first + lane->count) % lane->capacity] = slot;
    lane->count++;
}

static struct slot *take_ready(struct lane *lane)
{
    struct slot *slot = lane->ready[lane->first];

    lane->first = (lane->first + 1) % lane->capacity;
    lane->count--;
    return slot;
}

/* Takes the event in: joins the running review of its placement when that is about the same digest,
 * else queues. */
static void take_in(struct dispatcher *dispatcher, const struct event *event)
{
    AUTO_FREE char *key = slot_key(event);
    struct slot *slot = map_get(dispatcher->slots, key);

    dispatcher->events++;
    hold_id(dispatcher, event->id);
    if (slot && slot->active && slot->count == 0 && review_may_join(slot->active, event)) {
        review_join(slot->active, event);
        return;
    }
    if (!slot) {
        slot = memory_new(sizeof *slot);
        slot->key = memory_copy_text(key);
        slot->lane = lane_of(dispatcher, event->registry);
        map_set(dispatcher->slots, key, slot);
        make_ready(slot);
    }
    slot->waiting = memory_grow(slot->waiting, slot->count, &slot->capacity, sizeof *slot->waiting);
    slot->waiting[slot->count] = (struct event){0};
    event_copy(&slot->waiting[slot->count], event);
    slot->count++;
}

void dispatcher_add(struct dispatcher *dispatcher, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (dispatcher->stopped || dispatcher->backlog || dispatcher->events >= EVENTS_MAX) {
            dispatcher->backlog = true;
            dispatcher->missed = true;
            continue;
        }
        take_in(dispatcher, &events[i]);
        if (events[i].id > dispatcher->loaded_to)
            dispatcher->loaded_to = events[i].id;
    }
    pump(dispatcher);
}

bool dispatcher_add_passing(struct dispatcher *dispatcher, const struct event *event)
{
    if (dispatcher->stopped || dispatcher->events >= EVENTS_MAX / 2)
        return false;
    take_in(dispatcher, event);
    pump(dispatcher);
    return true;
}

static void loaded(void *argument, const struct error *error, const struct event *events,
                   size_t count)
{
    struct dispatcher *dispatcher = argument;

    dispatcher->loading = false;
    if (dispatcher->stopped)
        return;
    if (error) {
        log_warning(NULL, "reading open events failed: %s, retrying in %d s", error->text,
                    RESCAN_AFTER_MS / 1000);
        timer_arm(dispatcher->rescan, RESCAN_AFTER_MS);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!holds_id(dispatcher, events[i].id))
            take_in(dispatcher, &events[i]);
        dispatcher->loaded_to = events[i].id;
    }
    if (count < LOAD_AT_ONCE && !dispatcher->missed)
        dispatcher->backlog = false;
    pump(dispatcher);
}

static void load_more(struct dispatcher *dispatcher)
{
    if (!dispatcher->backlog || dispatcher->loading || dispatcher->stopped ||
        dispatcher->events > EVENTS_MAX / 2)
        return;
    dispatcher->loading = true;
    dispatcher->missed = false;
    store_load_events(dispatcher->daemon->store, dispatcher->loaded_to, LOAD_AT_ONCE, loaded,
                      dispatcher);
}

void dispatcher_start(struct dispatcher *dispatcher)
{
    dispatcher->backlog = true;
    load_more(dispatcher);
}

static bool same_matter(const struct event *a, const struct event *b)
{
    return a->action == b->action && digest_equal(&a->digest, &b->digest);
}

/* Starts the slot's review with its first event and all that directly follow and are equal. */
static void start_review(struct dispatcher *dispatcher, struct slot *slot)
{
    size_t taken = 1;
    struct review *review = review_new(dispatcher->daemon, slot->key, &slot->waiting[0]);

    while (taken < slot->count && same_matter(&slot->waiting[0], &slot->waiting[taken]))
        review_join(review, &slot->waiting[taken++]);
    for (size_t i = 0; i < taken; i++)
        event_release(&slot->waiting[i]);
    slot->count -= taken;
    memmove(slot->waiting, slot->waiting + taken, slot->count * sizeof *slot->waiting);
    slot->active = review;
    slot->lane->running++;
    review_begin(review);
}

static void pump(struct dispatcher *dispatcher)
{
    size_t max = (size_t)dispatcher->daemon->config->max_reviews;

    for (size_t i = 0; i < dispatcher->lane_count; i++) {
        struct lane *lane = &dispatcher->lanes[i];

        while (!dispatcher->stopped && lane->running < max && lane->count)
            start_review(dispatcher, take_ready(lane));
    }
    load_more(dispatcher);
    if (dispatcher_is_idle(dispatcher))
        rejudge_more(dispatcher->daemon->rejudge);
}

static void slot_settle(struct dispatcher *dispatcher, struct slot *slot)
{
    slot->active = NULL;
    if (slot->count) {
        make_ready(slot);
        return;
    }
    map_remove(dispatcher->slots, slot->key);
    slot_free(slot);
}

void dispatcher_review_ended(struct dispatcher *dispatcher, struct review *review)
{
    struct slot *slot = map_get(dispatcher->slots, review->slot);

    assert(slot && slot->active == review);
    for (size_t i = 0; i < review->event_count; i++)
        drop_id(dispatcher, review->event_ids[i]);
    dispatcher->events -= review->event_count;
    if (review->parked)
        dispatcher->parked--;
    else
        slot->lane->running--;
    slot_settle(dispatcher, slot);
    review_free(review);
    pump(dispatcher);
}

bool dispatcher_review_parked(struct dispatcher *dispatcher, struct review *review)
{
    assert(!review->parked);
    if (dispatcher->parked >= PARKED_MAX) {
        dispatcher->left_some = true;
        timer_arm(dispatcher->rescan, RESCAN_AFTER_MS);
        dispatcher_review_ended(dispatcher, review);
        return false;
    }
    review->parked = true;
    lane_of(dispatcher, review->event.registry)->running--;
    dispatcher->parked++;
    pump(dispatcher);
    return true;
}

void dispatcher_review_unparked(struct dispatcher *dispatcher, struct review *review)
{
    assert(review->parked);
    review->parked = false;
    dispatcher->parked--;
    lane_of(dispatcher, review->event.registry)->running++;
}

bool dispatcher_newer_waits(const struct dispatcher *dispatcher, const struct review *review)
{
    const struct slot *slot = map_get(dispatcher->slots, review->slot);

    return slot && slot->count > 0;
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
    dispatcher->stopped = true;
    timer_disarm(dispatcher->rescan);
}

size_t dispatcher_active(const struct dispatcher *dispatcher)
{
    size_t running = 0;

    for (size_t i = 0; i < dispatcher->lane_count; i++)
        running += dispatcher->lanes[i].running;
    return running;
}

size_t dispatcher_waiting(const struct dispatcher *dispatcher)
{
    return dispatcher->events;
}

bool dispatcher_is_idle(const struct dispatcher *dispatcher)
{
    size_t places =
        (size_t)dispatcher->daemon->config->max_reviews * dispatcher->daemon->registry_count;

    for (size_t i = 0; i < dispatcher->lane_count; i++)
        if (dispatcher->lanes[i].count)
            return false;
    return !dispatcher->backlog && dispatcher_active(dispatcher) < places / 2 + 1;
}
