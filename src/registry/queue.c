/* Places, waiting, delays, and the two reasons to send nothing: the breaker and Retry-After. It
 * knows nothing of HTTP. */
#include "queue.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/loop.h"
#include "regwarden/memory.h"

#include "breaker.h"

TAILQ_HEAD(entry_list, queue_entry);

struct queue {
    struct queue_owner owner;
    const struct registry_tuning *tuning; /* borrowed */
    struct timer *timer;
    struct breaker breaker;
    int64_t hold_until_ms;
    struct entry_list waiting;
    struct entry_list waiting_bulk;
    struct entry_list delayed;
    unsigned places;
    size_t active_count; /* bulk ones too */
    size_t bulk_count;
    size_t waiting_count; /* of all lists */
    bool bulk_was_last;
};

static struct entry_list *list_of(struct queue *queue, const struct queue_entry *entry)
{
    return entry->bulk ? &queue->waiting_bulk : &queue->waiting;
}

static void move_due(struct queue *queue, int64_t now_ms)
{
    struct queue_entry *next;

    for (struct queue_entry *entry = TAILQ_FIRST(&queue->delayed); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->due_ms > now_ms)
            continue;
        TAILQ_REMOVE(&queue->delayed, entry, link);
        TAILQ_INSERT_TAIL(list_of(queue, entry), entry, link);
        entry->state = QUEUE_WAITING;
    }
}

/* How long until something can change by time alone; -1: nothing waits for time. */
static int64_t next_wake_ms(const struct queue *queue, int64_t now_ms)
{
    int64_t wake_ms = -1;

    for (const struct queue_entry *entry = TAILQ_FIRST(&queue->delayed); entry;
         entry = TAILQ_NEXT(entry, link)) {
        int64_t left_ms = entry->due_ms > now_ms ? entry->due_ms - now_ms : 0;

        if (wake_ms < 0 || left_ms < wake_ms)
            wake_ms = left_ms;
    }
    if (queue->hold_until_ms > now_ms &&
        (!TAILQ_EMPTY(&queue->waiting) || !TAILQ_EMPTY(&queue->waiting_bulk))) {
        int64_t left_ms = queue->hold_until_ms - now_ms;

        if (wake_ms < 0 || left_ms < wake_ms)
            wake_ms = left_ms;
    }
    return wake_ms;
}

static void take_out(struct queue *queue, struct queue_entry *entry)
{
    switch (entry->state) {
    case QUEUE_OUT:
        break;
    case QUEUE_WAITING:
        TAILQ_REMOVE(list_of(queue, entry), entry, link);
        queue->waiting_count--;
        break;
    case QUEUE_DELAYED:
        TAILQ_REMOVE(&queue->delayed, entry, link);
        queue->waiting_count--;
        break;
    case QUEUE_ACTIVE:
        if (!entry->companion)
            queue->active_count--;
        if (entry->bulk)
            queue->bulk_count--;
        break;
    }
    entry->state = QUEUE_OUT;
    if (entry->probe)
        breaker_drop_probe(&queue->breaker);
    entry->probe = false;
}

static void refuse_entry(struct queue *queue, struct queue_entry *entry, int64_t wait_ms,
                         const char *why)
{
    struct error error = {0};

    take_out(queue, entry);
    (void)error_set(&error, FAILURE_LATER, "%s", why);
    error.retry_after_ms = wait_ms;
    queue->owner.refuse(entry, &error);
}

enum admission { ADMIT_RUN, ADMIT_WAIT, ADMIT_REFUSED };

/* Takes one waiting entry as far as it can go now. */
static enum admission admit(struct queue *queue, struct queue_entry *entry, int64_t now_ms)
{
    int64_t hold_ms = queue->hold_until_ms - now_ms;

    if (hold_ms > queue->tuning->hold_max_ms) {
        refuse_entry(queue, entry, hold_ms, "the registry has asked to be left alone");
        return ADMIT_REFUSED;
    }
    if (hold_ms > 0)
        return ADMIT_WAIT;
    if (!entry->companion && queue->active_count >= queue->places)
        return ADMIT_WAIT;
    switch (breaker_ask(&queue->breaker, now_ms)) {
    case BREAKER_GO:
        return ADMIT_RUN;
    case BREAKER_PROBE:
        entry->probe = true;
        return ADMIT_RUN;
    case BREAKER_WAIT_FOR_PROBE:
        return ADMIT_WAIT;
    case BREAKER_REFUSE:
        refuse_entry(queue, entry, queue->breaker.open_until_ms - now_ms,
                     "the registry does not answer; it is tried again later");
        return ADMIT_REFUSED;
    }
    return ADMIT_WAIT;
}

static void run_entry(struct queue *queue, struct queue_entry *entry)
{
    TAILQ_REMOVE(list_of(queue, entry), entry, link);
    queue->waiting_count--;
    if (!entry->companion)
        queue->active_count++;
    if (entry->bulk)
        queue->bulk_count++;
    queue->bulk_was_last = entry->bulk;
    entry->state = QUEUE_ACTIVE;
    queue->owner.run(entry);
}

/* Bulk is let in beside the others, in turns: neither may keep the other out. Companions are put in
 * front (queue_add), so that looking at the first entry is enough. */
static struct queue_entry *next_entry(const struct queue *queue)
{
    struct queue_entry *bulk = TAILQ_FIRST(&queue->waiting_bulk);
    struct queue_entry *other = TAILQ_FIRST(&queue->waiting);
    size_t bulk_places = queue->places > 1 ? queue->places / 2 : 1;

    if (bulk && queue->bulk_count >= bulk_places)
        bulk = NULL;
    if (!bulk || (other && (queue->bulk_was_last || other->companion)))
        return other;
    return bulk;
}

static void pump(void *argument)
{
    struct queue *queue = argument;
    int64_t now_ms = clock_steady_ms();
    /* Callbacks may add entries: those have to wait for the next round. */
    size_t budget;

    move_due(queue, now_ms);
    budget = queue->waiting_count;
    while (budget-- > 0) {
        struct queue_entry *entry = next_entry(queue);
        enum admission admission = entry ? admit(queue, entry, now_ms) : ADMIT_WAIT;

        if (admission == ADMIT_WAIT)
            break;
        if (admission == ADMIT_RUN)
            run_entry(queue, entry);
    }
    now_ms = next_wake_ms(queue, now_ms);
    if (now_ms >= 0)
        timer_arm(queue->timer, now_ms);
}

struct queue *queue_new(struct loop *loop, const struct queue_owner *owner,
                        const struct registry_tuning *tuning, unsigned places)
{
    struct queue *queue = memory_new(sizeof(*queue));

    assert(places > 0);
    queue->owner = *owner;
    queue->tuning = tuning;
    queue->places = places;
    queue->timer = timer_new(loop, pump, queue);
    TAILQ_INIT(&queue->waiting);
    TAILQ_INIT(&queue->waiting_bulk);
    TAILQ_INIT(&queue->delayed);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue->waiting_count == 0 && queue->active_count == 0);
    timer_free(queue->timer);
    free(queue);
}

void queue_add(struct queue *queue, struct queue_entry *entry, int64_t delay_ms)
{
    take_out(queue, entry);
    queue->waiting_count++;
    if (delay_ms > 0) {
        entry->state = QUEUE_DELAYED;
        entry->due_ms = clock_steady_ms() + delay_ms;
        TAILQ_INSERT_TAIL(&queue->delayed, entry, link);
    } else {
        entry->state = QUEUE_WAITING;
        if (entry->companion)
            TAILQ_INSERT_HEAD(&queue->waiting, entry, link);
        else
            TAILQ_INSERT_TAIL(list_of(queue, entry), entry, link);
    }
    timer_arm(queue->timer, 0);
}

void queue_remove(struct queue *queue, struct queue_entry *entry)
{
    if (entry->state == QUEUE_OUT)
        return;
    take_out(queue, entry);
    if (queue->waiting_count > 0)
        timer_arm(queue->timer, 0);
}

void queue_report(struct queue *queue, struct queue_entry *entry, bool good)
{
    breaker_report(&queue->breaker, queue->tuning, clock_steady_ms(), good);
    entry->probe = false;
    if (queue->waiting_count > 0)
        timer_arm(queue->timer, 0);
}

void queue_hold(struct queue *queue, int64_t for_ms)
{
    int64_t until_ms = clock_steady_ms() + for_ms;

    if (until_ms > queue->hold_until_ms)
        queue->hold_until_ms = until_ms;
}

void queue_count(const struct queue *queue, struct queue_counts *ret)
{
    *ret = (struct queue_counts){.active = queue->active_count,
                                 .waiting = queue->waiting_count,
                                 .breaker_open = breaker_is_open(&queue->breaker)};
}
