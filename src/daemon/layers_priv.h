/* What the files of the layers share: layers.c has the askers, layers_scan.c brings one layer to be
 * known, layers_merge.c puts the layers of an image on top of each other. */
#ifndef REGWARDEN_LAYERS_PRIV_H
#define REGWARDEN_LAYERS_PRIV_H

#include <sys/queue.h>

#include "layer_cache.h"
#include "regwarden/layer_facts.h"
#include "regwarden/layers.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"
#include "regwarden/store.h"

struct ask { /* of one asker for one layer */
    TAILQ_ENTRY(ask) link;
    uint64_t id;
    struct work *work; /* NULL: the answer is there */
    struct image_source source;
    char *repository;
    layer_done_f *done;
    void *argument;
    struct error error; /* kind NONE: it is known */
};
TAILQ_HEAD(ask_list, ask);

/* One layer that somebody waits for. */
struct work {
    struct layers *layers;
    struct descriptor layer; /* digest and size */
    struct ask_list asks;
    struct store_call *call; /* the store is asked */
    bool keeping;            /* … to keep it */
    uint64_t job;            /* of the scan pool */
    bool begun;
    uint64_t stream;
    struct image_source source; /* that it comes from */
    char *repository;
    uint64_t done_bytes;
};

/* The store answers even when nobody is there any more. */
struct store_call {
    TAILQ_ENTRY(store_call) link;
    struct layers *layers; /* NULL: gone */
    struct work *work;     /* NULL: given up */
    struct merge *merge;
    struct layer_facts *facts; /* that are being kept */
    struct text packed;
};
TAILQ_HEAD(store_call_list, store_call);

TAILQ_HEAD(merge_list, merge);

struct layers {
    struct loop *loop;
    struct layers_options options;
    struct scan_probes probes;
    struct layer_cache *cache;
    struct map *works;    /* k: digest, size -> v: struct work */
    struct map *failures; /* k: digest -> v: struct layer_failure */
    struct ask_list ready;
    struct timer *soon; /* tells them */
    struct store_call_list calls;
    struct merge_list merges; /* the first one runs */
    struct timer *merge_soon;
    struct job_pool *jobs;
    struct layers_counters counters;
    uint64_t last_id;
    bool paused;
    bool closing;
};

struct store_call *store_call_new(struct layers *layers);
/* From its callback. */
void store_call_free(struct store_call *call);

/* layers.c: the work is done and gone. NULL: it is known now. */
void work_finish(struct work *work, const struct error *error);
/* The askers that want it from the same place as the work did are told; false: no others are left,
 * and the work is gone. */
bool work_fail_source(struct work *work, const struct error *error);

/* layers_scan.c */
void work_look(struct work *work); /* in the record, else scans */
void work_scan(struct work *work);
void work_stop(struct work *work); /* the scan, if there is one */

/* layers_merge.c */
uint64_t merge_start_take(struct layers *layers, struct facts *facts, const char *const *missing,
                          layers_merged_f *done, void *argument);
bool merge_cancel(struct layers *layers, uint64_t id); /* false: not one of them */
void merge_next(void *layers);                         /* a loop_f */
void merge_close(struct layers *layers);               /* tells all but the one that runs */

#endif
