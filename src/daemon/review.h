/* One review: an event (and its equals) on the way from the store to a recorded verdict. Steps are
 * listed in review.c. */
#ifndef REGWARDEN_REVIEW_H
#define REGWARDEN_REVIEW_H

#include <sys/queue.h>

#include "daemon_priv.h"

enum review_step {
    REVIEW_RECALL,  /* what the record knows of this placement and digest */
    REVIEW_UNPACK,  /* what is known and large, by turns */
    REVIEW_CONFIRM, /* is back what was taken away, or is this old news? */
    REVIEW_RESOLVE, /* tag to digest, when the event did not say */
    REVIEW_PREPARE, /* facts of an index's children from the store */
    REVIEW_GATHER,  /* manifest and configs from the registry */
    REVIEW_JUDGE,
    REVIEW_SPREAD, /* evidence came: what it speaks of is judged again */
    REVIEW_RECORD, /* verdict, facts and plans in one transaction */
    REVIEW_ACT,    /* hands the plans over */
    REVIEW_DONE,
};
const char *review_step_name(enum review_step step);

enum progress {
    PROGRESS_NEXT,    /* go on with review->next */
    PROGRESS_WAITING, /* a callback will go on */
};

struct review {
    struct daemon *daemon;
    struct event event;
    int64_t *event_ids; /* of all equal events that this review answers; 0 ids are in no store */
    size_t event_count;
    size_t event_capacity;
    char *slot; /* key of its placement in the dispatcher */
    enum review_step step;
    enum review_step next;
    bool parked;
    bool is_fresh;    /* the record changed under us: no short cut past it */
    bool is_released; /* an operator is putting it back at this moment */
    bool has_letter;  /* a dead letter tells of it already */
    bool is_hopeless; /* no verdict of it can be recorded */
    unsigned attempts;
    int64_t begun_ms;
    struct timer *retry;
    struct store_context context;
    struct map
        *known; /* k: digest text -> v: struct facts *; children of an index that the store had */
    size_t prepare_index;
    bool without_layers; /* what is under way is all but what layers tell */
    bool has_gathered;   /* all but that; it is in `context.facts` and `known` */
    struct map *judged;  /* k: digest text -> v: struct verdict; children that are judged already */
    size_t held_bytes;   /* of files in what was gathered, counted in the daemon */
    char *inflight_key;  /* set while this review works for others */
    enum scan_state {
        SCAN_NONE,
        SCAN_WAITS, /* for a place; parked */
        SCAN_HAS_PLACE,
    } scan;
    TAILQ_ENTRY(review) scan_link;  /* while it waits */
    TAILQ_ENTRY(review) large_link; /* while it waits for its turn */
    bool waits_for_large;
    size_t scan_registry; /* whose places */
    uint64_t gather_id;
    uint64_t resolve_id;
    struct gathered gathered;
    struct event *spread; /* events for what the evidence speaks of, until they are durable */
    size_t spread_count;
    struct digest spread_of; /* what it speaks of */
    int64_t spread_after;    /* of what was loaded last; 0: there is no more */
    unsigned spread_pages;
    struct event *under_way; /* what is judged just now, perhaps without that */
    size_t under_way_count, under_way_capacity;
    struct verdict verdict;
    bool has_verdict;
    struct store_record record;
    struct store_image *images;
    struct text *packed; /* by the store, one per image that is to be remembered */
    struct store_plan *plans;
    size_t plan_count;
};

struct review *review_new(struct daemon *daemon, const char *slot, const struct event *event);
void review_free(struct review *review);
void review_begin(struct review *review);
bool review_may_join(const struct review *review,
                     const struct event *event); /* equal, and not recorded yet */
/* Gives its place to others until something wakes it; all of what was read is read again then. It
 * may be gone afterwards. */
void review_wait_parked(struct review *review);
/* Whoever pushed it just now counts more than who found it there. */
void review_join(struct review *review, const struct event *event);
void review_resume(struct review *review, enum review_step step); /* from a callback */
void review_wake(struct review *review);   /* the one that worked on the same digest has left */
void review_cancel(struct review *review); /* at stop: its events stay open in the store */

/* review_fail.c: something could not be had. Retries later, gives up, or goes on to a verdict of
 * unavailability. */
enum progress review_failed(struct review *review, const struct error *why);
/* The record could not be read or written. Never given up: without the record there is nowhere to
 * give up to. Only what it will never take becomes a dead letter. */
void review_not_stored(struct review *review, const struct error *why);
enum progress review_has_no_registry(struct review *review);
void review_is_not_there(struct review *review); /* yet, or any more */
/* Records the placement as gone and finishes the events. */
void review_record_gone(struct review *review);
void review_settled(void *argument, const struct error *error); /* store_done_f: the end */
/* Did somebody push it just now, or does it stand there since before? */
bool review_is_of_a_push(const struct review *review);
/* Is it to be judged whatever verdict is in force? */
bool review_is_anew(const struct review *review);

/* review_steps.c: what policies want of the image; is all known that layers could tell of it? */
unsigned review_needs(const struct review *review);
bool review_has_files(struct review *review, const struct facts *facts);

/* review_children.c: is there an image among what was gathered whose layers are wanted? Then what
 * is known by now is kept for gathering once more. */
bool review_keeps_for_layers(struct review *review);

/* review_judge.c: one image, or child of an index. */
void review_judge_image(const struct review *review, const struct gathered_image *image,
                        struct verdict *ret);

/* review_children.c: an index may name many images with much in their layers. Each is judged when
 * it is known, kept, and its files let go, so that one of them is held at a time. */
void review_child_done(void *argument, struct gathered_image *image);
/* What the store knows of a child, before anything is gathered. */
void review_take_known_take(struct review *review, const struct descriptor *child,
                            struct facts *facts);
bool review_has_judged(const struct review *review, const struct digest *digest);
/* The verdict of a child that was judged before, if it was. */
bool review_take_judged(struct review *review, const struct digest *digest, struct verdict *ret);
void review_forget_judged(struct review *review);
/* Counts the files that it holds from now on. */
void review_hold(struct review *review);

/* The steps (review_*.c). */
enum progress review_recall(struct review *review);
enum progress review_unpack(struct review *review);
enum progress review_confirm(struct review *review);
enum progress review_resolve(struct review *review);
enum progress review_prepare(struct review *review);
enum progress review_gather(struct review *review);
enum progress review_judge(struct review *review);
/* review_spread.c */
enum progress review_spread(struct review *review);
enum progress review_spread_scan(struct review *review); /* all that the event of a scan asks for */
void review_forget_spread(struct review *review);
enum progress review_record(struct review *review);
enum progress review_act(struct review *review);
void review_release_plans(struct review *review);
void review_release_images(struct review *review);

#endif
