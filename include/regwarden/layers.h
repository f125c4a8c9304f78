/* Layers: each is fetched and scanned once, however many images and gatherings want it.
 *
 * Who wants a layer's facts asks a layer_reader (gather.h); this one answers from memory, from the
 * record, or by streaming the blob into a scan worker. Askers that come while a layer is scanned
 * wait for that scan. A layer whose scan failed is told with the reason, and tried again when it is
 * asked for the next time. Loop thread. */
#ifndef REGWARDEN_LAYERS_H
#define REGWARDEN_LAYERS_H

#include "regwarden/gather.h"

struct layers; /* opaque */
struct loop;
struct scan_pool;
struct store;

struct layers_options {
    struct scan_pool *pool; /* borrowed, outlives the layers */
    struct store *store;    /* keeps what was scanned; NULL: memory only, for one command */
    /* Tells of a scan under way, for people who wait; may be NULL. `done_bytes` of the compressed
     * `total_bytes`. */
    void (*progress)(void *argument, const struct digest *layer, uint64_t done_bytes,
                     uint64_t total_bytes);
    void *progress_argument;
};
struct layers *layers_new(struct loop *loop, const struct layers_options *options);
void layers_free(struct layers *layers); /* askers are told no more */
struct layer_reader layers_reader(struct layers *layers);

struct layers_counters {
    uint64_t scanned, failed, from_memory, from_store, joined, bytes;
    size_t active, waiting;
};
void layers_counters(const struct layers *layers, struct layers_counters *ret);

#endif
