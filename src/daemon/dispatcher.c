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
    LIVELY_MAX = 4096,  /* events in memory that wait or are under review */
    STUCK_MAX = 4096,   /* events whose review waits to be retried, or that wait behind it: one dead
                           registry must not take the places of the others */
    PARKED_MAX = 2048,  /* reviews that wait to be retried */
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
    size_t stuck;  /* of these */
    size_t parked;
    int64_t loaded_to; /* ids up to here were loaded, or came in directly */
    bool backlog;      /* there may be open events beyond that are not in memory */
    bool missed;       /* one more was left out while a load was under way */
    bool left_some;    /* events up to loaded_to were left to the store: to be looked for again */
    bool rescanning;   /* looking for them, from rescanned_to on */
    int64_t rescanned_to, rescan_until;
    bool loading;
    bool loads_left; /* the load under way is of the rescan */
    bool stopped;
    struct map *held; /* k: event id in decimal -> v: the dispatcher; what is in memory, so that a
                         rescan does not double it */
    struct timer *rescan;
};

static void pump(struct dispatcher *dispatcher);
static void load_more(struct dispatcher *dispatcher);

static void rescan_later(struct dispatcher *dispatcher)
{
    timer_arm(dispatcher->rescan, daemon_pause_ms(dispatcher->daemon, RESCAN_AFTER_MS));
}

static void rescan_due(void *argument)
{
    struct dispatcher *dispatcher = argument;

    if (dispatcher->left_some && dispatcher->rescanning) {
        rescan_later(dispatcher); /* one after the other */
    } else if (dispatcher->left_some) {
        dispatcher->left_some = false;
        dispatcher->rescanning = true;
        dispatcher->rescanned_to = 0;
        dispatcher->rescan_until = dispatcher->loaded_to;
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

static size_t lively(const struct dispatcher *dispatcher)
{
    return dispatcher->events - dispatcher->stuck;
}

static size_t slot_events(const struct slot *slot)
{
    return slot->count + (slot->active ? slot->active->event_count : 0);
}

/* To be found again: in the store, or, what is in no store, by judging all once more. */
static void leave(struct dispatcher *dispatcher, int64_t event_id)
{
    if (event_id <= 0) {
        rejudge_left_one(dispatcher->daemon->rejudge);
        return;
    }
    dispatcher->left_some = true;
    rescan_later(dispatcher);
}

static struct slot *find_or_add_slot(struct dispatcher *dispatcher, const struct event *event)
{
    AUTO_FREE char *key = slot_key(event);
    struct slot *slot = map_get(dispatcher->slots, key);

    if (slot)
        return slot;
    slot = memory_new(sizeof *slot);
    slot->key = TAKE(key);
    slot->lane = lane_of(dispatcher, event->registry);
    map_set(dispatcher->slots, slot->key, slot);
    make_ready(slot);
    return slot;
}

/* Takes the event in: joins the running review of its placement when that is about the same digest,
 * else queues. */
static void take_in(struct dispatcher *dispatcher, const struct event *event)
{
    struct slot *slot = find_or_add_slot(dispatcher, event);
    bool is_stuck = slot->active && slot->active->parked;

    if (is_stuck && dispatcher->stuck >= STUCK_MAX) {
        leave(dispatcher, event->id);
        return;
    }
    dispatcher->events++;
    dispatcher->stuck += is_stuck;
    hold_id(dispatcher, event->id);
    if (slot->active && slot->count == 0 && review_may_join(slot->active, event)) {
        review_join(slot->active, event);
        return;
    }
    slot->waiting = memory_grow(slot->waiting, slot->count, &slot->capacity, sizeof *slot->waiting);
    slot->waiting[slot->count] = (struct event){0};
    event_copy(&slot->waiting[slot->count], event);
    slot->count++;
}

void dispatcher_add(struct dispatcher *dispatcher, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (dispatcher->stopped || dispatcher->backlog || lively(dispatcher) >= LIVELY_MAX) {
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
    if (dispatcher->stopped || lively(dispatcher) >= LIVELY_MAX / 2)
        return false;
    take_in(dispatcher, event);
    pump(dispatcher);
    return true;
}

static void take_new(struct dispatcher *dispatcher, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!holds_id(dispatcher, events[i].id))
            take_in(dispatcher, &events[i]);
        dispatcher->loaded_to = events[i].id;
    }
    if (count < LOAD_AT_ONCE && !dispatcher->missed)
        dispatcher->backlog = false;
}

static void take_left(struct dispatcher *dispatcher, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count && events[i].id <= dispatcher->rescan_until; i++)
        if (!holds_id(dispatcher, events[i].id))
            take_in(dispatcher, &events[i]);
    if (count > 0)
        dispatcher->rescanned_to = events[count - 1].id;
    if (count < LOAD_AT_ONCE || dispatcher->rescanned_to >= dispatcher->rescan_until)
        dispatcher->rescanning = false;
}

static void loaded(void *argument, const struct error *error, const struct event *events,
                   size_t count)
{
    struct dispatcher *dispatcher = argument;

    dispatcher->loading = false;
    if (dispatcher->stopped)
        return;
    if (error) {
        log_warning(NULL, "reading open events failed: %s, retrying", error->text);
        rescan_later(dispatcher);
        return;
    }
    if (dispatcher->loads_left)
        take_left(dispatcher, events, count);
    else
        take_new(dispatcher, events, count);
    pump(dispatcher);
}

/* First what nobody has looked at, then what was left. */
static void load_more(struct dispatcher *dispatcher)
{
    if ((!dispatcher->backlog && !dispatcher->rescanning) || dispatcher->loading ||
        dispatcher->stopped || lively(dispatcher) > LIVELY_MAX / 2)
        return;
    dispatcher->loading = true;
    dispatcher->loads_left = !dispatcher->backlog;
    if (dispatcher->backlog)
        dispatcher->missed = false;
    store_load_events(dispatcher->daemon->store,
                      dispatcher->backlog ? dispatcher->loaded_to : dispatcher->rescanned_to,
                      LOAD_AT_ONCE, loaded, dispatcher);
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

    assert(slot && slot->active == review && !review->parked);
    for (size_t i = 0; i < review->event_count; i++)
        drop_id(dispatcher, review->event_ids[i]);
    dispatcher->events -= review->event_count;
    slot->lane->running--;
    slot_settle(dispatcher, slot);
    review_free(review);
    pump(dispatcher);
}

bool dispatcher_review_parked(struct dispatcher *dispatcher, struct review *review)
{
    struct slot *slot = map_get(dispatcher->slots, review->slot);

    assert(slot && slot->active == review && !review->parked);
    if (dispatcher->parked >= PARKED_MAX || dispatcher->stuck + slot_events(slot) > STUCK_MAX) {
        for (size_t i = 0; i < review->event_count; i++)
            leave(dispatcher, review->event_ids[i]);
        dispatcher_review_ended(dispatcher, review);
        return false;
    }
    review->parked = true;
    slot->lane->running--;
    dispatcher->parked++;
    dispatcher->stuck += slot_events(slot);
    pump(dispatcher);
    return true;
}

void dispatcher_review_unparked(struct dispatcher *dispatcher, struct review *review)
{
    struct slot *slot = map_get(dispatcher->slots, review->slot);

    assert(slot && slot->active == review && review->parked);
    review->parked = false;
    slot->lane->running++;
    dispatcher->parked--;
    dispatcher->stuck -= slot_events(slot);
}

bool dispatcher_newer_waits(const struct dispatcher *dispatcher, const struct review *review)
{
    const struct slot *slot = map_get(dispatcher->slots, review->slot);

    for (size_t i = 0; slot && i < slot->count; i++)
        if (slot->waiting[i].id > review->event.id)
            return true;
    return false;
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
    return !dispatcher->backlog && !dispatcher->rescanning &&
           dispatcher_active(dispatcher) < places / 2 + 1;
}
