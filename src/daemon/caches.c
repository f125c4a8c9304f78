/* Two bounded memories: facts of digests seen lately, and placements whose verdict is in force.
 * Both forget by halves: a young and an old generation; when the young one is full the old one
 * goes. Losing an entry costs a read, never a verdict. */
#include "daemon_priv.h"

struct generations {
    struct map *young;
    struct map *old;
    size_t entries; /* per generation */
};

static void map_free_values(struct map *map)
{
    size_t position = 0;
    void *value;

    while (map_each(map, &position, NULL, &value))
        free(value);
    map_free(map);
}

static void generations_init(struct generations *generations, size_t entries)
{
    generations->young = map_new();
    generations->old = map_new();
    generations->entries = entries / 2 + 1;
}

static void generations_release(struct generations *generations)
{
    map_free_values(generations->young);
    map_free_values(generations->old);
}

static void generations_put_take(struct generations *generations, const char *key, void *value)
{
    if (map_count(generations->young) >= generations->entries) {
        map_free_values(generations->old);
        generations->old = generations->young;
        generations->young = map_new();
    }
    free(map_set(generations->young, key, value));
}

static const void *generations_get(const struct generations *generations, const char *key)
{
    const void *value = map_get(generations->young, key);

    return value ? value : map_get(generations->old, key);
}

static void generations_forget(struct generations *generations, const char *key)
{
    free(map_remove(generations->young, key));
    free(map_remove(generations->old, key));
}

struct packed_facts {
    size_t size;
    char bytes[];
};

struct facts_cache {
    struct store *store;            /* unpacks them; borrowed */
    struct generations generations; /* k: digest -> v: struct packed_facts */
};

struct facts_cache *facts_cache_new(struct store *store, size_t entries)
{
    struct facts_cache *cache = memory_new(sizeof *cache);

    cache->store = store;
    generations_init(&cache->generations, entries);
    return cache;
}

void facts_cache_free(struct facts_cache *cache)
{
    if (!cache)
        return;
    generations_release(&cache->generations);
    free(cache);
}

void facts_cache_put(struct facts_cache *cache, const struct digest *digest,
                     const struct text *packed)
{
    enum {
        ENTRY_BYTES_MAX = 16 * 1024
    }; /* larger ones are rare and would make the bound meaningless */
    char key[DIGEST_TEXT_SIZE];
    struct packed_facts *entry;

    if (packed->length == 0)
        return;
    digest_format(digest, key);
    generations_forget(&cache->generations, key); /* what was known before is known better now */
    if (packed->length > ENTRY_BYTES_MAX)
        return;
    entry = memory_new(sizeof *entry + packed->length);
    entry->size = packed->length;
    memcpy(entry->bytes, packed->data, packed->length);
    generations_put_take(&cache->generations, key, entry);
}

struct facts *facts_cache_get(struct facts_cache *cache, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];
    const struct packed_facts *entry =
        generations_get(&cache->generations, digest_format(digest, key));
    struct facts *facts = NULL;

    if (!entry || store_unpack_facts(cache->store, entry->bytes, entry->size, &facts, NULL) < 0)
        return NULL;
    return facts;
}

struct placement_cache {
    struct generations generations; /* k: placement -> v: "<digest> <policy revision>" */
};

struct placement_cache *placement_cache_new(size_t entries)
{
    struct placement_cache *cache = memory_new(sizeof *cache);

    generations_init(&cache->generations, entries);
    return cache;
}

void placement_cache_free(struct placement_cache *cache)
{
    if (!cache)
        return;
    generations_release(&cache->generations);
    free(cache);
}

static char *placement_key(const struct event *event)
{
    return text_new("%s\n%s:%s", event->registry, event->repository, event->tag ? event->tag : "");
}

static char *placement_value(const struct event *event, const char *policy_revision)
{
    char digest[DIGEST_TEXT_SIZE];

    return text_new("%s %s", digest_format(&event->digest, digest), policy_revision);
}

void placement_cache_put(struct placement_cache *cache, const struct event *event,
                         const char *policy_revision)
{
    AUTO_FREE char *key = placement_key(event);

    if (event->tag) /* an untagged placement is its digest: nothing moves, and repeats are rare */
        generations_put_take(&cache->generations, key, placement_value(event, policy_revision));
}

bool placement_cache_has(struct placement_cache *cache, const struct event *event,
                         const char *policy_revision)
{
    AUTO_FREE char *key = placement_key(event);
    AUTO_FREE char *value = placement_value(event, policy_revision);

    return event->tag && text_equal(generations_get(&cache->generations, key), value);
}

void placement_cache_forget(struct placement_cache *cache, const struct event *event)
{
    AUTO_FREE char *key = placement_key(event);

    generations_forget(&cache->generations, key);
}
