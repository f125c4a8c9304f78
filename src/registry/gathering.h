/* What gather.c and gather_image.c share: one gathering and the images that it waits for. */
#ifndef REGISTRY_GATHERING_H
#define REGISTRY_GATHERING_H

#include <sys/queue.h>

#include "regwarden/gather.h"

struct attestations;
struct gather;

struct pending { /* beside each gathered_image */
    struct gather *gather;
    struct gathered_image *image;
    const struct descriptor *entry; /* in the index; NULL for a single image */
    struct manifest *manifest;      /* while the config is fetched */
    uint64_t request;               /* 0: none */
    struct layer_asks *layers;      /* while layers are read */
    bool waits_for_evidence;
    bool dropped; /* no image after all */
};

struct gather {
    TAILQ_ENTRY(gather) link;
    uint64_t id;
    struct image_source source;
    struct gather_options options;
    char *repository;
    char *reference;
    gather_done_f *done;
    void *argument;
    struct timer *soon;
    bool starting; /* nothing may be told yet */
    bool looked;   /* for the reference itself */
    uint64_t request;
    struct gathered result;
    struct pending *pending;
    struct attestations *evidence; /* NULL until it is wanted */
    size_t open;                   /* images that are not settled */
    size_t reading;                /* layers, of all images */
    uint64_t bytes;
};

/* gather.c: ends the gathering when no image is open any more; it may be gone afterwards. */
void gather_proceed(struct gather *gather);

/* gather_image.c: each call brings the image further; gather_proceed() is left to the caller. */
bool gather_wants_config(const struct gather *gather);
/* Counts what one reference makes us hold. FAILURE_LIMIT. */
int gather_take_budget(struct gather *gather, uint64_t bytes, struct error *err);
/* pending->manifest is there: fetches the config when it is wanted. */
void pending_fetch_config(struct pending *pending);
/* Takes the facts: the image is settled. */
void pending_take_facts(struct pending *pending, struct facts *facts, bool known);
/* gather_layers.c: image->facts are there and lack what the layers tell. They are settled sooner or
 * later. */
bool pending_wants_layers(const struct pending *pending);
void pending_read_layers(struct pending *pending);
void pending_cancel_layers(struct pending *pending);
void pending_free_layers(struct pending *pending);
/* gather_attestations.c: image->facts are there and lack what others say of the image. */
bool pending_wants_evidence(const struct pending *pending);
void pending_read_evidence(struct pending *pending); /* pending_go_on() follows */
void attestations_cancel(struct attestations *evidence);
void attestations_free(struct attestations *evidence);
/* gather_image.c: what comes after the evidence. */
void pending_go_on(struct pending *pending);
/* Settled without facts. */
void pending_settle(struct pending *pending);

#endif
