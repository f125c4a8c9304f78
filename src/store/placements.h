/* Placements as rows: what is known of a tag (or of an untagged digest), and the moves that keep
 * it true. Store's threads, inside a transaction. */
#ifndef STORE_PLACEMENTS_H
#define STORE_PLACEMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "driver.h"
#include "regwarden/event.h"
#include "regwarden/verdict.h"

/* The key. Borrowed. */
struct place {
    const char *registry;
    const char *repository;
    const char *tag;             /* NULL: untagged */
    const struct digest *digest; /* of the key only when untagged */
};

struct place place_of_event(const struct event *event); /* borrows */

struct placement_row {
    int64_t id; /* 0: there is no such row yet */
    struct digest digest;
    uint64_t size_bytes;
    struct digest previous;
    uint64_t previous_size_bytes;
    struct digest passing;        /* the last digest that passed or only warned */
    struct digest passing_before; /* the one before, another digest */
    int64_t first_seen_ms;        /* with this digest */
    int64_t last_seen_ms;
    int64_t gone_ms; /* 0: it is there */
    int64_t newest_event;
    int64_t sweep;      /* the last that saw it */
    bool artifact;      /* there is nothing to judge */
    int64_t verdict_id; /* in force; 0 none */
    enum verdict_status verdict;
    char policy_revision[65];
    const char *media_type; /* only for writing: NULL leaves what is there; borrowed */
    const char *pusher;     /* the same */
};

/* ret->id is 0 when there is none. */
int placement_find(struct driver *driver, const struct place *place, struct placement_row *ret,
                   struct error *err);
/* What the rest of the row is when the tag points at `digest` from now on. Ends the verdict when
 * that is another digest than before. Writes nothing to the row's table. */
int placement_move(struct driver *driver, struct placement_row *row, const struct digest *digest,
                   int64_t at_ms, struct error *err);
/* Inserts or updates; fills row->id. */
int placement_save(struct driver *driver, const struct place *place, struct placement_row *row,
                   struct error *err);
/* The same for no more than last_seen_ms, newest_event and sweep of a row that is there. */
int placement_sight(struct driver *driver, const struct placement_row *row, struct error *err);
/* What a push named that will not be judged: recorded with its digest, without a verdict. */
int placement_make_known(struct driver *driver, const struct event *event, struct error *err);
int placement_end_verdict(struct driver *driver, struct placement_row *row, int64_t at_ms,
                          struct error *err);
/* Removed from the registry: `id`'s verdict ends. */
int placement_end(struct driver *driver, int64_t id, int64_t at_ms, struct error *err);
/* The last passing digest of the tag other than `digest`. */
const struct digest *placement_last_passing(const struct placement_row *row,
                                            const struct digest *digest);

/* Did a plan of ours announce this push, and to a place that nobody else ever used? */
int push_is_own(struct driver *driver, const struct place *place, const struct placement_row *row,
                bool *ret, struct error *err);

#endif
