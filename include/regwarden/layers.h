/* Layers: each is fetched and scanned once, however many images and gatherings want it.
 *
 * Who wants to know a layer asks a layer_reader (gather.h); this one answers from memory, from the
 * record, or by streaming the blob into a scan worker. Askers that come while a layer is scanned
 * wait for that scan. A layer whose scan failed for reasons of its own is told with the reason, and
 * tried again some minutes later at the earliest. Layers are put on top of each other by a thread,
 * one image at a time, so that memory is bounded whatever they hold. Loop thread. */
#ifndef REGWARDEN_LAYERS_H
#define REGWARDEN_LAYERS_H

#include "regwarden/gather.h"
#include "regwarden/probes.h"

struct layers; /* opaque */
struct loop;
struct scan_pool;
struct store;

struct layers_options {
    struct scan_pool *pool;   /* borrowed, outlives the layers */
    struct store *store;      /* keeps what was scanned; NULL: memory only, for one command */
    uint64_t max_layer_bytes; /* as the manifest says; larger ones are not fetched. 0: any */
    bool log;                 /* failures of scans, once each */
    /* Tells of a scan under way, for people who wait; may be NULL. `done_bytes` of the compressed
     * `total_bytes`. */
    void (*progress)(void *argument, const struct digest *layer, uint64_t done_bytes,
                     uint64_t total_bytes);
    void *progress_argument;
};
struct layers *layers_new(struct loop *loop, const struct layers_options *options);
/* Whoever still waits is told FAILURE_LATER before it returns, and whoever comes later soon. Before
 * the sources and the store go. */
void layers_stop(struct layers *layers);
void layers_free(struct layers *layers); /* stops them first; accepts NULL */
struct layer_reader layers_reader(struct layers *layers);

/* What policies want to know from now on: layers that were not asked all of it are scanned again
 * when somebody wants them. */
void layers_set_probes(struct layers *layers, const struct scan_probes *probes);
void layers_set_max_bytes(struct layers *layers, uint64_t max_layer_bytes);

/* While whoever asks holds as much as may be held, nothing more is put together. */
void layers_set_paused(struct layers *layers, bool paused);

struct layers_counters {
    uint64_t scanned, failed, from_memory, from_store, joined, bytes;
    size_t active, waiting; /* layers that are being scanned; those that wait for it */
};
void layers_counters(const struct layers *layers, struct layers_counters *ret);

#endif
