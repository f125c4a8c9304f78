/* The one queue of a registry: how many requests run at once, which ones wait, and for how long.
 *
 * Entries are embedded in what waits. `run` is called when an entry's turn has come, `refuse` when
 * the registry is known to be down or has asked to be left alone for long: both from a timer only,
 * never from within a call. Loop thread. */
#ifndef REGISTRY_QUEUE_H
#define REGISTRY_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "regwarden/error.h"

#include "tuning.h"

struct loop;
struct queue; /* opaque */

enum queue_state { QUEUE_OUT, QUEUE_WAITING, QUEUE_DELAYED, QUEUE_ACTIVE };

struct queue_entry {
    TAILQ_ENTRY(queue_entry) link;
    enum queue_state state;
    int64_t due_ms; /* of a delayed entry, steady clock */
    bool companion; /* runs beside a transfer that holds a place and takes none itself: otherwise
                       the two could wait for each other */
    bool bulk;      /* takes long: at most half of the places are given to such ones */
    bool probe;     /* of the breaker */
};

struct queue_owner {
    void (*run)(struct queue_entry *entry);
    void (*refuse)(struct queue_entry *entry, const struct error *error);
};

struct queue *queue_new(struct loop *loop, const struct queue_owner *owner,
                        const struct registry_tuning *tuning, unsigned places);
void queue_free(struct queue *queue); /* empty by then; accepts NULL */

/* Waits for `delay_ms`, then for a place; an active entry gives its place back. */
void queue_add(struct queue *queue, struct queue_entry *entry, int64_t delay_ms);
/* Done or cancelled: out of the queue, its place is free. */
void queue_remove(struct queue *queue, struct queue_entry *entry);
/* Did the registry answer like one that is up? */
void queue_report(struct queue *queue, struct queue_entry *entry, bool good);
/* The registry asked not to be bothered for so long. */
void queue_hold(struct queue *queue, int64_t for_ms);

struct queue_counts {
    size_t active, waiting;
    bool breaker_open;
};
void queue_count(const struct queue *queue, struct queue_counts *ret);

#endif
