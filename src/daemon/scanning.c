/* Looking into layers, as the daemon does it: the pool of workers by the settings, what policies
 * want to know, and how many reviews may wait for layers so that the others get on. */
#include "daemon_priv.h"
#include "review.h"

#include <sched.h>

#include "regwarden/log.h"
#include "regwarden/scan_pool.h"

enum { WORKERS_MAX_UNASKED = 4, CROWD = 64 };
#define SILENCE_MS (INT64_C(60) * 1000)

/* --- places --- */

TAILQ_HEAD(review_list, review);

struct line { /* of one registry */
    size_t active;
    struct review_list waiting;
    size_t waiting_count;
};

struct scan_places {
    struct daemon *daemon;
    struct line *lines; /* as daemon->registries; one more for those not configured any more */
    size_t count;
};

static size_t limit(const struct scan_places *places)
{
    size_t half = (size_t)places->daemon->config->max_reviews / 2;

    return half > 0 ? half : 1;
}

static struct scan_places *scan_places_new(struct daemon *daemon)
{
    struct scan_places *places = memory_new(sizeof *places);

    places->daemon = daemon;
    places->count = daemon->registry_count + 1;
    places->lines = memory_new_array(places->count, sizeof *places->lines);
    for (size_t i = 0; i < places->count; i++)
        TAILQ_INIT(&places->lines[i].waiting);
    return places;
}

static void scan_places_free(struct scan_places *places)
{
    if (!places)
        return;
    free(places->lines);
    free(places);
}

static size_t line_of(const struct scan_places *places, const struct review *review)
{
    const struct daemon *daemon = places->daemon;
    const struct daemon_registry *registry =
        daemon_find_registry(places->daemon, review->event.registry);

    return registry ? (size_t)(registry - daemon->registries) : daemon->registry_count;
}

bool scan_places_enter(struct scan_places *places, struct review *review)
{
    struct line *line;

    if (review->scan == SCAN_HAS_PLACE)
        return true;
    review->scan_registry = line_of(places, review);
    line = &places->lines[review->scan_registry];
    if (line->active < limit(places)) {
        line->active++;
        review->scan = SCAN_HAS_PLACE;
        return true;
    }
    review->scan = SCAN_WAITS;
    TAILQ_INSERT_TAIL(&line->waiting, review, scan_link);
    line->waiting_count++;
    return false;
}

static void take_from_line(struct line *line, struct review *review)
{
    TAILQ_REMOVE(&line->waiting, review, scan_link);
    line->waiting_count--;
}

void scan_places_leave(struct scan_places *places, struct review *review)
{
    enum scan_state state = review->scan;
    struct line *line;
    struct review *next;

    review->scan = SCAN_NONE;
    if (state == SCAN_NONE)
        return;
    line = &places->lines[review->scan_registry];
    if (state == SCAN_WAITS) {
        take_from_line(line, review);
        return;
    }
    line->active--;
    next = TAILQ_FIRST(&line->waiting);
    if (!next || line->active >= limit(places) || places->daemon->stopping)
        return;
    take_from_line(line, next);
    line->active++;
    next->scan = SCAN_HAS_PLACE;
    review_wake(next);
}

bool scan_places_are_crowded(const struct scan_places *places, size_t registry)
{
    return places->lines[registry].waiting_count >= CROWD;
}

/* --- life --- */

static unsigned worker_count(const struct config *config)
{
    cpu_set_t set;
    int processors;

    if (config->scan_workers > 0)
        return (unsigned)config->scan_workers;
    processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return processors < WORKERS_MAX_UNASKED ? (unsigned)processors : WORKERS_MAX_UNASKED;
}

static int start_pool(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    struct scan_pool_options options = {
        .program = daemon->options->scan_program,
        .workers = worker_count(config),
        .scan = {.limits = scan_limits_default, .diff_id = config->scan_diff_ids, .has_salt = true},
        .memory_bytes = config->scan_memory_bytes,
        .silence_ms = SILENCE_MS,
    };

    options.scan.limits.max_entries = (uint64_t)config->scan_max_entries;
    options.scan.limits.max_ms = config->scan_time_limit_ms;
    memcpy(options.scan.salt, store_salt(daemon->store), SCAN_SALT_SIZE);
    return scan_pool_new(daemon->loop, &options, &daemon->scan_pool, err);
}

int scanning_start(struct daemon *daemon, struct error *err)
{
    struct layers_options options = {.store = daemon->store, .log = true};

    if (start_pool(daemon, err) < 0)
        return error_wrap(err, "starting scan workers");
    options.pool = daemon->scan_pool;
    daemon->layers = layers_new(daemon->loop, &options);
    daemon->layer_reader = layers_reader(daemon->layers);
    daemon->scan_places = scan_places_new(daemon);
    scanning_reload(daemon);
    return 0;
}

void scanning_reload(struct daemon *daemon)
{
    AUTO_PROBES struct scan_probes probes = {0};

    if (!daemon->layers)
        return;
    policy_set_probes(daemon->policies, NULL, &probes);
    layers_set_probes(daemon->layers, &probes);
    layers_set_max_bytes(daemon->layers, daemon->config->scan_max_layer_bytes);
}

void scanning_stop(struct daemon *daemon)
{
    if (daemon->layers)
        layers_stop(daemon->layers);
}

void scanning_free(struct daemon *daemon)
{
    layers_free(daemon->layers);
    scan_pool_free(daemon->scan_pool);
    scan_places_free(daemon->scan_places);
}
