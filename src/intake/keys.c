/* The store of fetched keys: places by URL, each with its document, its waiters and the time when
 * it may be asked again. What a document means is the business of the proofs. */
#include "keys.h"

#include <assert.h>

#include "regwarden/clock.h"

enum {
    PLACES_MAX = 64,
    DOCUMENT_MAX = 64 << 10,
    FETCH_TIMEOUT_MS = 8000,    /* the most patient sender waits 15 s, the least 10 s */
    AGAIN_MS = 5 * 60 * 1000,   /* a place that answered */
    RETRY_MS = 20 * 1000,       /* one that did not */
    BURST_MAX = 20,             /* requests at once, for all places together */
    BURST_REFILL_MS = 5 * 1000, /* for each of them */
};

struct place {
    struct keys *keys;
    char *url;
    struct text document;
    int64_t fetched_ms; /* steady time */
    int64_t next_ms;    /* not asked before */
    bool asked;         /* a request is under way */
    uint64_t *waiters;
    size_t waiter_count, waiter_capacity;
};

struct keys {
    struct http_client *client;
    void (*arrived)(void *argument, uint64_t waiter);
    void *argument;
    struct place *places[PLACES_MAX];
    size_t place_count;
    int64_t burst_ms; /* time that requests were sent for, ahead of now */
};

static void place_free(struct place *place)
{
    free(place->url);
    text_release(&place->document);
    free(place->waiters);
    free(place);
}

static struct place *place_find(const struct keys *keys, const char *url)
{
    for (size_t i = 0; keys != NULL && i < keys->place_count; i++) {
        if (text_equal(keys->places[i]->url, url))
            return keys->places[i];
    }
    return NULL;
}

/* What holds no document goes first, then what was fetched longest ago: strangers can make places,
 * but no documents. */
static bool goes_before(const struct place *a, const struct place *b)
{
    bool a_empty = a->document.length == 0, b_empty = b->document.length == 0;
    if (a_empty != b_empty)
        return a_empty;
    return a_empty ? a->next_ms < b->next_ms : a->fetched_ms < b->fetched_ms;
}

/* Where the next place goes; NULL when all are being asked. */
static struct place **place_room(struct keys *keys)
{
    if (keys->place_count < PLACES_MAX)
        return &keys->places[keys->place_count++];
    struct place **worst = NULL;
    for (size_t i = 0; i < keys->place_count; i++) {
        struct place **at = &keys->places[i];
        if (!(*at)->asked && (worst == NULL || goes_before(*at, *worst)))
            worst = at;
    }
    if (worst != NULL)
        place_free(*worst);
    return worst;
}

static struct place *place_make(struct keys *keys, const char *url)
{
    struct place *place = place_find(keys, url);
    if (place != NULL)
        return place;
    struct place **room = place_room(keys);
    if (room == NULL)
        return NULL;
    place = memory_new(sizeof(*place));
    place->keys = keys;
    place->url = memory_copy_text(url);
    *room = place;
    return place;
}

const struct text *keys_find(const struct keys *keys, const char *url, int64_t *ret_age_ms)
{
    const struct place *place = place_find(keys, url);
    if (place == NULL || place->document.length == 0)
        return NULL;
    *ret_age_ms = clock_steady_ms() - place->fetched_ms;
    return &place->document;
}

bool keys_may_fetch(const struct keys *keys, const char *url)
{
    if (keys == NULL || keys->client == NULL)
        return false;
    const struct place *place = place_find(keys, url);
    int64_t now_ms = clock_steady_ms();
    if (place != NULL && place->asked)
        return true;
    if (keys->burst_ms > now_ms + (BURST_MAX - 1) * BURST_REFILL_MS)
        return false;
    return place == NULL || now_ms >= place->next_ms;
}

static void place_keep(struct place *place, const char *bytes, size_t size)
{
    int64_t now_ms = clock_steady_ms();
    text_clear(&place->document);
    text_add_bytes(&place->document, bytes, size);
    place->fetched_ms = now_ms;
    place->next_ms = now_ms + AGAIN_MS;
}

void keys_put(struct keys *keys, const char *url, const char *bytes, size_t size)
{
    struct place *place = place_make(keys, url);
    if (place != NULL)
        place_keep(place, bytes, size);
}

static void fetched(void *argument, const struct http_response *response)
{
    struct place *place = argument;
    struct keys *keys = place->keys;
    place->asked = false;
    if (response->status == 200 && response->body_size > 0)
        place_keep(place, response->body, response->body_size);
    else
        place->next_ms = clock_steady_ms() + RETRY_MS;
    /* A waiter may ask for this or another place, which may be put in the place's stead. */
    AUTO_FREE uint64_t *waiters = TAKE(place->waiters);
    size_t count = place->waiter_count;
    place->waiter_count = place->waiter_capacity = 0;
    for (size_t i = 0; i < count; i++)
        keys->arrived(keys->argument, waiters[i]);
}

static void place_ask(struct place *place)
{
    static const struct http_header headers[] = {
        {"Accept", "application/json, application/x-pem-file, */*"}, {NULL, NULL}};
    struct keys *keys = place->keys;
    int64_t now_ms = clock_steady_ms();
    struct http_request request = {
        .method = "GET",
        .url = place->url,
        .headers = headers,
        .max_body_bytes = DOCUMENT_MAX,
        .connect_timeout_ms = FETCH_TIMEOUT_MS,
        .total_timeout_ms = FETCH_TIMEOUT_MS,
    };
    keys->burst_ms = (keys->burst_ms > now_ms ? keys->burst_ms : now_ms) + BURST_REFILL_MS;
    place->asked = true;
    http_client_send(keys->client, &request, fetched, place);
}

void keys_fetch(struct keys *keys, const char *url, uint64_t waiter)
{
    struct place *place = place_make(keys, url);
    assert(place != NULL); /* far fewer are under way at once than there are places */
    place->waiters = memory_grow(place->waiters, place->waiter_count, &place->waiter_capacity,
                                 sizeof(place->waiters[0]));
    place->waiters[place->waiter_count++] = waiter;
    if (!place->asked)
        place_ask(place);
}

struct keys *keys_new(struct http_client *client, void (*arrived)(void *argument, uint64_t waiter),
                      void *argument)
{
    struct keys *keys = memory_new(sizeof(*keys));
    *keys = (struct keys){.client = client, .arrived = arrived, .argument = argument};
    return keys;
}

void keys_stop(struct keys *keys)
{
    keys->client = NULL;
}

void keys_free(struct keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->place_count; i++)
        place_free(keys->places[i]);
    free(keys);
}
