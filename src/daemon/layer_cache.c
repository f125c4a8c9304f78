/* Two generations of packed layer facts: when the young one is full the old one goes. */
#include "layer_cache.h"

#include "regwarden/map.h"

struct entry {
    struct text packed;
    struct text_list probes;
};

struct layer_cache {
    struct map *young; /* k: digest -> v: struct entry */
    struct map *old;
    size_t young_bytes;
    size_t half_bytes;
};

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    text_release(&entry->packed);
    text_list_release(&entry->probes);
    free(entry);
}

static void entries_free(struct map *entries)
{
    size_t position = 0;
    void *value;

    while (map_each(entries, &position, NULL, &value))
        entry_free(value);
    map_free(entries);
}

struct layer_cache *layer_cache_new(size_t max_bytes)
{
    struct layer_cache *cache = memory_new(sizeof *cache);

    cache->young = map_new();
    cache->old = map_new();
    cache->half_bytes = max_bytes / 2;
    return cache;
}

void layer_cache_free(struct layer_cache *cache)
{
    if (!cache)
        return;
    entries_free(cache->young);
    entries_free(cache->old);
    free(cache);
}

static void forget(struct layer_cache *cache, const char *key)
{
    struct entry *entry = map_remove(cache->young, key);

    if (entry)
        cache->young_bytes -= entry->packed.length;
    entry_free(entry);
    entry_free(map_remove(cache->old, key));
}

void layer_cache_put(struct layer_cache *cache, const struct digest *digest,
                     const struct text *packed, const struct text_list *probes_asked)
{
    char key[DIGEST_TEXT_SIZE];
    struct entry *entry;

    digest_format(digest, key);
    forget(cache, key);
    if (packed->length > cache->half_bytes)
        return;
    if (cache->young_bytes + packed->length > cache->half_bytes) {
        entries_free(cache->old);
        cache->old = cache->young;
        cache->young = map_new();
        cache->young_bytes = 0;
    }
    entry = memory_new(sizeof *entry);
    text_add_bytes(&entry->packed, packed->data, packed->length);
    text_list_copy(&entry->probes, probes_asked);
    cache->young_bytes += packed->length;
    map_set(cache->young, key, entry);
}

static const struct entry *find(const struct layer_cache *cache, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];
    const struct entry *entry;

    digest_format(digest, key);
    entry = map_get(cache->young, key);
    return entry ? entry : map_get(cache->old, key);
}

const struct text *layer_cache_get(const struct layer_cache *cache, const struct digest *digest)
{
    const struct entry *entry = find(cache, digest);

    return entry ? &entry->packed : NULL;
}

bool probes_are_in(const struct scan_probes *probes, const struct text_list *ids)
{
    for (size_t i = 0; i < probes->count; i++)
        if (!text_list_has(ids, probes->items[i].id))
            return false;
    return true;
}

bool layer_cache_covers(const struct layer_cache *cache, const struct digest *digest,
                        const struct scan_probes *probes)
{
    const struct entry *entry = find(cache, digest);

    return entry && probes_are_in(probes, &entry->probes);
}
