/* The inside of sweeps: sweep.c decides when, sweep_walk.c goes. */
#ifndef REGWARDEN_SWEEP_H
#define REGWARDEN_SWEEP_H

#include "daemon_priv.h"

enum {
    SWEEP_RESOLVES = 8,
    SWEEP_BATCH = 128,
    SWEEP_NAMES_BYTES_MAX = 24 << 20, /* of the names of repositories, and of one's tags */
    SWEEP_EXCEPTIONS_MAX = 1000,
    SWEEP_LATER_MAX = 8 /* failures in a row that say that the registry is down */
};

struct sweep_found {
    char *repository;
    char *tag;
    struct digest digest;
};

struct sweep { /* of one registry */
    struct daemon *daemon;
    struct daemon_registry *registry;
    struct timer *interval;
    char *cause;
    bool running;
    bool again;    /* asked for while running */
    bool is_first; /* of this registry: what it finds was there before us */
    int64_t id;
    int64_t begun_ms, finished_ms;
    unsigned failures; /* in a row */
    size_t repository_count, tag_count, wanted_count;
    char *last_error;

    /* the walk */
    bool walking;
    bool stopped;
    uint64_t listing;              /* request id of the catalogue or tags page under way */
    struct text_list repositories; /* still to visit, from repository_index */
    size_t repository_bytes, tag_bytes;
    size_t repository_index;
    bool repositories_complete;
    struct text_list tags; /* of the present repository, from tag_index */
    size_t tag_index;
    bool tags_complete;
    size_t resolving;          /* HEADs under way */
    struct sweep_found *found; /* batch for the store */
    size_t found_count;
    bool saving; /* a batch is with the store */
    struct sweep_item *items;
    bool *wanted;
    struct event *events;
    size_t event_count;
    struct error failure;        /* first failure that ends the walk */
    struct text_list exceptions; /* repositories of which something could not be looked at */
    size_t skipped;              /* tags and lists */
    struct error skip;           /* why, the first; one that may pass before one that will not */
    unsigned later_in_a_row;
};

struct sweeps {
    struct daemon *daemon;
    struct sweep *items;
    size_t count;
};

void sweep_walk(struct sweep *sweep);
void sweep_walk_stop(struct sweep *sweep);
void sweep_walk_release(struct sweep *sweep);
/* sweep.c: everything was looked at, but for what stands in sweep->exceptions; or why not. */
void sweep_walked(struct sweep *sweep, const struct error *error);

#endif
