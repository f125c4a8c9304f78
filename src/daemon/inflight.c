/* One worker per key, the others wait and are woken when it leaves. For reviews of the same digest
 * under many tags: the first one gathers and records the facts, the others then find them. */
#include "daemon_priv.h"
#include "review.h"

#include <assert.h>

struct flight {
    struct review *first;
    struct review **others;
    size_t count;
    size_t capacity;
};

struct inflight {
    struct map *flights; /* k: key -> v: struct flight */
};

static void flight_free(struct flight *flight)
{
    free(flight->others);
    free(flight);
}

struct inflight *inflight_new(void)
{
    struct inflight *inflight = memory_new(sizeof *inflight);

    inflight->flights = map_new();
    return inflight;
}

void inflight_free(struct inflight *inflight)
{
    size_t position = 0;
    void *value;

    if (!inflight)
        return;
    while (map_each(inflight->flights, &position, NULL, &value))
        flight_free(value);
    map_free(inflight->flights);
    free(inflight);
}

bool inflight_enter(struct inflight *inflight, const char *key, struct review *review)
{
    struct flight *flight = map_get(inflight->flights, key);

    if (!flight) {
        flight = memory_new(sizeof *flight);
        flight->first = review;
        map_set(inflight->flights, key, flight);
        return true;
    }
    flight->others = memory_grow(flight->others, flight->count, &flight->capacity, sizeof(void *));
    flight->others[flight->count++] = review;
    return false;
}

void inflight_leave(struct inflight *inflight, const char *key, struct review *review)
{
    struct flight *flight = map_remove(inflight->flights, key);

    assert(flight && flight->first == review);
    for (size_t i = 0; i < flight->count; i++)
        review_wake(flight->others[i]);
    flight_free(flight);
}
