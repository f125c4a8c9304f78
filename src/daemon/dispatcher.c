/* Where events wait and reviews start. One review at a time per placement, so that a tag's pushes
 * are judged in order; many placements at once, up to max-reviews of each registry. Memory is
 * bounded: each registry has its share of it, so that one which is slow or down takes no place from
 * the others; what has no place stays open in the store and is found there when there is. It does
 * not judge anything. */
#include "daemon_priv.h"
#include "id_set.h"
#include "review.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum {                    /* of all registries together */
       LIVELY_MAX = 8192, /* events in memory that wait or are under review */
       STUCK_MAX = 8192,  /* events whose review waits to be retried, or that wait behind it */
       PARKED_MAX = 4096, /* reviews that wait to be retried */
       SHARE_MIN = 64,
       LOAD_AT_ONCE = 512,     /* events per load from the store */
       RESCAN_AFTER_MS = 15000 /* a failed load, and what failed and had no place, is tried again */
};

struct slot { /* one placement with work */
    char *key;
    struct lane *lane;
    struct review *active; /* NULL: in the ready queue */
    struct event *waiting;
    size_t count, capacity;
};

struct lane {            /* one registry */
    struct slot **ready; /* ring of slots that wait for a free review */
    size_t first, count, capacity;
    size_t running, parked; /* reviews: with a place, and those that gave theirs away */
    size_t events;          /* in memory */
    size_t stuck;           /* of these */
    bool due;               /* the store holds open events of it that are not in memory */
    bool missed; /* one more was left out since the present walk through the store began */
    bool failed; /* some were left out that had failed: not due before the timer has run down */
};

struct dispatcher {
    struct daemon *daemon;
    struct map *slots; /* k: slot key -> v: struct slot */
    struct lane
        *lanes; /* as daemon->registries; the last one is of those not configured any more */
    size_t lane_count;
    struct map *held;  /* k: event id in decimal -> v: the dispatcher; what is in memory, so that
                          no load doubles it */
    int64_t loaded_to; /* how far the present walk through the store has come */
    bool loading, stopped;
    struct timer *rescan;
};

static void pump(struct dispatcher *dispatcher);
static void load_more(struct dispatcher *dispatcher);

static void rescan_due(void *argument)
{
    struct dispatcher *dispatcher = argument;

    for (size_t i = 0; i < dispatcher->lane_count; i++) {
        struct lane *lane = &dispatcher->lanes[i];

        lane->due = lane->due || lane->failed;
        lane->missed = lane->missed || lane->failed;
        lane->failed = false;
    }
    load_more(dispatcher);
}

static void rescan_later(struct dispatcher *dispatcher)
{
    timer_arm(dispatcher->rescan, daemon_pause_ms(dispatcher->daemon, RESCAN_AFTER_MS));
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

    /* The tag in a scanner's event is a hint: what is pushed there must not wait for it. */
    if (event->tag && (event->action != EVENT_SCANNED || !digest_is_set(&event->digest)))
        return text_new("%s\n%s:%s", event->registry, event->repository, event->tag);
    return text_new("%s\n%s@%s", event->registry, event->repository,
                    digest_format(&event->digest, digest));
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

static size_t lively(const struct lane *lane)
{
    return lane->events - lane->stuck;
}

static size_t share(const struct dispatcher *dispatcher, size_t of_all)
{
    size_t each = of_all / dispatcher->lane_count;

    return each > SHARE_MIN ? each : SHARE_MIN;
}

static bool is_full(const struct dispatcher *dispatcher, const struct lane *lane)
{
    return lively(lane) >= share(dispatcher, LIVELY_MAX);
}

static bool has_room(const struct dispatcher *dispatcher, const struct lane *lane)
{
    return lively(lane) <= share(dispatcher, LIVELY_MAX) / 2;
}

static size_t slot_events(const struct slot *slot)
{
    return slot->count + (slot->active ? slot->active->event_count : 0);
}

/* To be found in the store as soon as there is room. */
static void leave(struct lane *lane)
{
    lane->due = true;
    lane->missed = true;
}

/* What failed is found again, but not at once; what is in no store, by judging all once more. */
static void leave_failed(struct dispatcher *dispatcher, struct lane *lane, int64_t event_id)
{
    if (event_id <= 0) {
        rejudge_left_one(dispatcher->daemon->rejudge);
        return;
    }
    lane->failed = true;
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
    struct lane *lane = slot->lane;
    bool is_stuck = slot->active && slot->active->parked;

    if (is_stuck && lane->stuck >= share(dispatcher, STUCK_MAX)) {
        leave_failed(dispatcher, lane, event->id);
        return;
    }
    lane->events++;
    lane->stuck += is_stuck;
    id_set_add(dispatcher->held, event->id);
    if (slot->active && slot->count == 0 && review_may_join(slot->active, event)) {
        review_join(slot->active, event);
        return;
    }
    slot->waiting = memory_grow(slot->waiting, slot->count, &slot->capacity, sizeof *slot->waiting);
    slot->waiting[slot->count] = (struct event){0};
    event_copy(&slot->waiting[slot->count], event);
    slot->count++;
}

/* An event is not taken in before those of its registry that came before it. */
void dispatcher_add(struct dispatcher *dispatcher, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct lane *lane = lane_of(dispatcher, events[i].registry);

        if (dispatcher->stopped || lane->due || is_full(dispatcher, lane))
            leave(lane);
        else
            take_in(dispatcher, &events[i]);
    }
    pump(dispatcher);
}

static bool lane_is_idle(const struct dispatcher *dispatcher, const struct lane *lane)
{
    size_t max = (size_t)dispatcher->daemon->config->max_reviews;

    return lane->count == 0 && !lane->due && lane->running < max / 2 + 1 &&
           !scan_places_are_crowded(dispatcher->daemon->scan_places,
                                    (size_t)(lane - dispatcher->lanes));
}

bool dispatcher_add_passing(struct dispatcher *dispatcher, const struct event *event)
{
    struct lane *lane = lane_of(dispatcher, event->registry);

    if (dispatcher->stopped || lane->due || !has_room(dispatcher, lane))
        return false;
    take_in(dispatcher, event);
    pump(dispatcher);
    return true;
}

/* The end of the open events is reached: what was left out on the way needs another walk. */
static void walk_ended(struct dispatcher *dispatcher)
{
    dispatcher->loaded_to = 0;
    for (size_t i = 0; i < dispatcher->lane_count; i++) {
        dispatcher->lanes[i].due = dispatcher->lanes[i].missed;
        dispatcher->lanes[i].missed = false;
    }
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
    for (size_t i = 0; i < count; i++) {
        struct lane *lane = lane_of(dispatcher, events[i].registry);

        dispatcher->loaded_to = events[i].id;
        if (id_set_has(dispatcher->held, events[i].id))
            continue;
        if (is_full(dispatcher, lane))
            leave(lane);
        else
            take_in(dispatcher, &events[i]);
    }
    if (count < LOAD_AT_ONCE)
        walk_ended(dispatcher);
    pump(dispatcher);
}

static bool wants_more(const struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < dispatcher->lane_count; i++)
        if (dispatcher->lanes[i].due && has_room(dispatcher, &dispatcher->lanes[i]))
            return true;
    return false;
}

static void load_more(struct dispatcher *dispatcher)
{
    if (dispatcher->loading || dispatcher->stopped || !wants_more(dispatcher))
        return;
    dispatcher->loading = true;
    store_load_events(dispatcher->daemon->store, dispatcher->loaded_to, LOAD_AT_ONCE, loaded,
                      dispatcher);
}

void dispatcher_start(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < dispatcher->lane_count; i++)
        dispatcher->lanes[i].due = true;
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
        id_set_remove(dispatcher->held, review->event_ids[i]);
    slot->lane->events -= review->event_count;
    slot->lane->running--;
    slot_settle(dispatcher, slot);
    review_free(review);
    pump(dispatcher);
}

bool dispatcher_review_parked(struct dispatcher *dispatcher, struct review *review)
{
    struct slot *slot = map_get(dispatcher->slots, review->slot);
    struct lane *lane = slot->lane;

    assert(slot->active == review && !review->parked);
    if (lane->parked >= share(dispatcher, PARKED_MAX) ||
        lane->stuck + slot_events(slot) > share(dispatcher, STUCK_MAX)) {
        for (size_t i = 0; i < review->event_count; i++)
            leave_failed(dispatcher, lane, review->event_ids[i]);
        dispatcher_review_ended(dispatcher, review);
        return false;
    }
    review->parked = true;
    lane->running--;
    lane->parked++;
    lane->stuck += slot_events(slot);
    pump(dispatcher);
    return true;
}

void dispatcher_review_unparked(struct dispatcher *dispatcher, struct review *review)
{
    struct slot *slot = map_get(dispatcher->slots, review->slot);

    assert(slot && slot->active == review && review->parked);
    review->parked = false;
    slot->lane->running++;
    slot->lane->parked--;
    slot->lane->stuck -= slot_events(slot);
}

bool dispatcher_newer_waits(const struct dispatcher *dispatcher, const struct review *review)
{
    const struct slot *slot = map_get(dispatcher->slots, review->slot);

    for (size_t i = 0; slot && i < slot->count; i++)
        if (slot->waiting[i].id > review->event.id)
            return true;
    return false;
}

void dispatcher_each(const struct dispatcher *dispatcher, dispatcher_each_f *take, void *argument)
{
    size_t position = 0;
    void *slot;

    while (map_each(dispatcher->slots, &position, NULL, &slot))
        if (((struct slot *)slot)->active)
            take(argument, ((struct slot *)slot)->active);
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
    size_t events = 0;

    for (size_t i = 0; i < dispatcher->lane_count; i++)
        events += dispatcher->lanes[i].events;
    return events;
}

bool dispatcher_is_idle(const struct dispatcher *dispatcher)
{
    for (size_t i = 0; i + 1 < dispatcher->lane_count; i++)
        if (lane_is_idle(dispatcher, &dispatcher->lanes[i]))
            return true;
    return false;
}
