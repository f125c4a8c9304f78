/* The inside of sweeps: sweep.c decides when, sweep_walk.c goes, sweep_page.c holds what one answer
 * listed, sweep_batch.c hands to the store what was seen, sweep_pace.c says how fast.
 *
 * Memory holds one page of repositories, one page of images and two batches, whatever the size of
 * the registry. */
#ifndef REGWARDEN_SWEEP_H
#define REGWARDEN_SWEEP_H

#include "daemon_priv.h"

enum {
    SWEEP_RESOLVES = 8,
    SWEEP_BATCH = 128,
    SWEEP_EXCEPTIONS_MAX = 1000,
    SWEEP_LATER_MAX = 8,      /* failures in a row that say that the registry is down */
    SWEEP_PAGES_MAX = 100000, /* of one list: one without end is not walked for ever */
    SWEEP_UNSAVED_MAX = 64    /* pages without a tag, until the position is saved nevertheless */
};

/* --- sweep_pace.c: how many requests in a second --- */
struct sweep_pace {
    int64_t rate;   /* per second; 0: no bound */
    int64_t due_us; /* when the next one would be on time, on the steady clock */
};
/* Milliseconds to wait before a request may be sent; 0: now, and it is counted. */
int64_t sweep_pace_take(struct sweep_pace *pace, int64_t now_ms);

/* --- sweep_page.c: the images of one page, copied from the registry's answer --- */
struct sweep_row {
    const char *tag;      /* NULL: untagged; borrowed from the page */
    struct digest digest; /* DIGEST_NONE: to be resolved */
    enum answer has_label;
};
struct sweep_page {
    struct text names;      /* of all rows, each with its 0 */
    struct digest *digests; /* NULL: the listing names none */
    uint8_t *labels;        /* enum answer each; NULL: the listing shows none */
    size_t count, next;
    size_t offset; /* of the next name */
    int64_t read_ms;
};
/* What tells nothing (neither tag nor digest) or is against the grammar is left out. */
void sweep_page_fill(struct sweep_page *page, const struct registry_page *answer,
                     const char *label);
bool sweep_page_take(struct sweep_page *page, struct sweep_row *ret); /* false: none is left */
/* Goes past the row that is named by `last`, as a sweep that went on left it; nowhere when there is
 * none. */
void sweep_page_go_past(struct sweep_page *page, const char *last);
/* What a row is called in a position: its tag, or its digest. */
const char *sweep_row_name(const struct sweep_row *row, char buffer[static DIGEST_TEXT_SIZE]);
void sweep_page_release(struct sweep_page *page);

/* --- where a walk stands, as text for the store --- */
struct sweep_position {
    char *catalogue;             /* cursor of the present page of repositories; NULL: the first */
    char *repository;            /* the present one; NULL: none yet */
    char *images;                /* cursor of its present page; NULL: the first */
    char last[DIGEST_TEXT_SIZE]; /* row of that page that was taken last; "": none yet */
    uint64_t repositories, tags, wanted, skipped;
    char *reason; /* why something was skipped: the first, or the first that may pass */
    bool lasting; /* everything that was skipped is broken for good */
};
char *sweep_position_write(const struct sweep_position *position); /* returns new */
/* FAILURE_INPUT: not one of ours. */
int sweep_position_read(const char *text, struct sweep_position *ret, struct error *err);
void sweep_position_release(struct sweep_position *position);

/* --- sweep_batch.c: two batches, of which one is filled while the other is with the store --- */
struct sweep_box {
    struct sweep_item *items; /* those whose event names no repository are empty */
    size_t count;
    size_t pending;              /* are still being resolved */
    struct text_list exceptions; /* repositories of which something could not be looked at */
    char *position;
    struct sweep_batch batch; /* as the store gets it */
};
struct sweep_boxes {
    struct sweep_box boxes[2];
    struct sweep_box *filling;
    struct sweep_box *sealed; /* the other one, once it is full */
    bool saving;              /* it is with the store */
};

struct sweep { /* of one registry */
    struct daemon *daemon;
    struct daemon_registry *registry;
    struct timer *interval;
    char *cause;
    bool running;
    bool again;        /* asked for while running */
    bool is_first;     /* of this registry: what it finds was there before us */
    bool went_on;      /* where it had broken off */
    int64_t resume_ms; /* how long ago that may have been; 0: it begins anew */
    int64_t id;
    int64_t begun_ms, finished_ms;
    unsigned failures; /* in a row */
    char *last_error;
    struct sweep_counters counters;

    /* the walk */
    bool walking;
    bool stopped;
    bool broke_off; /* the end was not reached */
    bool advanced;  /* a batch was saved since it began or went on */
    bool over;      /* nothing is left to ask for */
    struct sweep_position position;
    struct sweep_pace pace;
    struct timer *pause; /* until the pace lets the next request go */
    bool pausing;
    uint64_t listing;                           /* request under way */
    int64_t asked_ms;                           /* when it was sent */
    bool repositories_listed, images_listed;    /* the present pages are here */
    struct text_list repositories;              /* of the present page */
    size_t repository_index;                    /* the next one */
    char *next_catalogue, *next_images;         /* cursors of the next pages; NULL: there is none */
    bool catalogue_restarted, images_restarted; /* since a cursor was refused */
    unsigned catalogue_pages, image_pages;
    unsigned unsaved_pages;
    struct sweep_page page;
    size_t resolving; /* HEADs under way */
    struct sweep_boxes boxes;
    size_t exception_count;
    struct error failure; /* first failure that ends the walk */
    unsigned later_in_a_row;
};

struct sweeps {
    struct daemon *daemon;
    struct sweep *items;
    size_t count;
};

void sweep_boxes_init(struct sweep *sweep);
void sweep_boxes_release(struct sweep *sweep);
/* Place for one row of the present repository, with its event but for the digest; NULL: none before
 * a batch is saved. */
struct sweep_item *sweep_boxes_place(struct sweep *sweep);
void sweep_boxes_empty(struct sweep_item *item); /* it is not there after all */
/* Hands over what is complete; `all`: also a batch that is not full. */
void sweep_boxes_save(struct sweep *sweep, bool all);
bool sweep_boxes_are_empty(const struct sweep *sweep);

/* --- sweep_walk.c --- */
void sweep_walk(struct sweep *sweep);
/* Looks at where the walk stands and does the next thing; every callback ends here. */
void sweep_walk_on(struct sweep *sweep);
void sweep_walk_fail(struct sweep *sweep, const struct error *error);
void sweep_walk_stop(struct sweep *sweep);
void sweep_walk_release(struct sweep *sweep);
/* sweep.c: everything was looked at, but for what could not be; or why not. */
void sweep_walked(struct sweep *sweep, const struct error *error);

#endif
