/* Layers for commands: the daemon's way of looking into them, without a record. */
#include "looking.h"

#include <stdlib.h>
#include <unistd.h>

#include "regwarden/layers.h"
#include "regwarden/loop.h"
#include "regwarden/scan_pool.h"
#include "regwarden/text.h"

enum { WORKERS_MAX = 4, WORKER_BYTES = 256 * 1024 * 1024, SILENCE_MS = 60 * 1000 };

struct looking {
    struct scan_pool *pool;
    struct layers *layers;
    struct layer_reader reader;
    struct progress *progress;
    uint64_t done_before; /* layers of the images before this one */
};

static uint64_t count_done(const struct layers_counters *counters)
{
    return counters->scanned + counters->failed + counters->from_memory;
}

/* "layer 3 of 7, 45.2 MB of 118.3 MB". */
static void on_progress(void *argument, const struct digest *layer, uint64_t done_bytes,
                        uint64_t total_bytes)
{
    struct looking *looking = argument;
    struct layers_counters counters = {0};
    char done[TEXT_NUMBER_SIZE], total[TEXT_NUMBER_SIZE];
    AUTO_FREE char *how_far = NULL;
    uint64_t before;

    (void)layer;
    layers_counters(looking->layers, &counters);
    before = count_done(&counters) - looking->done_before;
    how_far = text_new("layer %llu of %llu, %s of %s", (unsigned long long)before + 1,
                       (unsigned long long)before + counters.active + counters.waiting,
                       text_format_bytes(done_bytes, done), text_format_bytes(total_bytes, total));
    progress_tell(looking->progress, how_far);
}

static unsigned worker_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
}

int looking_new(struct loop *loop, struct progress *progress, struct looking **ret,
                struct error *err)
{
    struct looking *looking = memory_new(sizeof(*looking));
    /* No salt: hashes of secrets are of use where they are kept, and nothing is kept here. */
    struct scan_pool_options pool = {.workers = worker_count(),
                                     .scan = {.limits = scan_limits_default, .diff_id = true},
                                     .memory_bytes = WORKER_BYTES,
                                     .silence_ms = SILENCE_MS};
    struct layers_options options = {.progress = on_progress, .progress_argument = looking};

    if (scan_pool_new(loop, &pool, &looking->pool, err) < 0) {
        free(looking);
        return err->kind;
    }
    options.pool = looking->pool;
    looking->progress = progress;
    looking->layers = layers_new(loop, &options);
    looking->reader = layers_reader(looking->layers);
    *ret = looking;
    return 0;
}

void looking_free(struct looking *looking)
{
    if (!looking)
        return;
    layers_free(looking->layers);
    scan_pool_free(looking->pool);
    free(looking);
}

void looking_set_probes(struct looking *looking, const struct scan_probes *probes)
{
    layers_set_probes(looking->layers, probes);
}

const struct layer_reader *looking_reader(const struct looking *looking)
{
    return &looking->reader;
}

void looking_begin(struct looking *looking)
{
    struct layers_counters counters = {0};

    layers_counters(looking->layers, &counters);
    looking->done_before = count_done(&counters);
}
