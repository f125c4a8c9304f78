/* The hash map: open addressing with linear probing; removed places stay marked until the table is
 * rebuilt, so that a walk may remove what it was just given. SipHash-1-3 with a random key per
 * process keeps the chains short whoever chooses the keys. */
#include "regwarden/map.h"

#include <pthread.h>
#include <stdint.h>

#include "regwarden/crypto.h"

enum { FIRST_SLOTS = 16 };

struct slot {
    char *key; /* NULL: free, or removed when `used_before` */
    void *value;
    uint64_t hash;
    bool used_before;
};

struct map {
    struct slot *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;      /* of keys */
    size_t taken;      /* of keys and removed places */
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    crypto_random(seed, sizeof(seed));
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[static 4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t sip_hash(const char *key, size_t length)
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261),
                     seed[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word;
    size_t left = length;
    for (; left >= sizeof(word); left -= sizeof(word), key += sizeof(word)) {
        memcpy(&word, key, sizeof(word));
        sip_word(v, word);
    }
    word = 0;
    memcpy(&word, key, left);
    sip_word(v, word | (uint64_t)length << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t hash_of(const char *key)
{
    pthread_once(&seed_once, make_seed);
    return sip_hash(key, strlen(key));
}

/* The slot that holds the key, or NULL. There is always a free slot, so the search ends. */
static struct slot *find(const struct map *map, const char *key, uint64_t hash)
{
    if (map->slot_count == 0)
        return NULL;
    size_t mask = map->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &map->slots[i];
        if (!slot->key && !slot->used_before)
            return NULL;
        if (slot->key && slot->hash == hash && strcmp(slot->key, key) == 0)
            return slot;
    }
}

static struct slot *find_free(const struct map *map, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t i = hash & mask;
    while (map->slots[i].key)
        i = (i + 1) & mask;
    return &map->slots[i];
}

/* Keeps a quarter of the slots free; a table full of removed places is rebuilt at its size. */
static void make_room(struct map *map)
{
    if (map->slot_count > 0 && map->taken < map->slot_count / 4 * 3)
        return;
    struct map grown = {.slot_count = FIRST_SLOTS, .count = map->count, .taken = map->count};
    while (map->count >= grown.slot_count / 2)
        grown.slot_count *= 2;
    grown.slots = memory_new_array(grown.slot_count, sizeof(*grown.slots));
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].key)
            *find_free(&grown, map->slots[i].hash) = map->slots[i];
    }
    free(map->slots);
    *map = grown;
}

struct map *map_new(void)
{
    return memory_new(sizeof(struct map));
}

void map_free(struct map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->slot_count; i++)
        free(map->slots[i].key);
    free(map->slots);
    free(map);
}

void map_auto_free(struct map **map)
{
    map_free(*map);
}

void *map_get(const struct map *map, const char *key)
{
    const struct slot *slot = find(map, key, hash_of(key));
    return slot ? slot->value : NULL;
}

void *map_set(struct map *map, const char *key, void *value)
{
    uint64_t hash = hash_of(key);
    struct slot *slot = find(map, key, hash);
    if (slot) {
        void *before = slot->value;
        slot->value = value;
        return before;
    }
    make_room(map);
    slot = find_free(map, hash);
    map->taken += !slot->used_before;
    map->count++;
    *slot = (struct slot){memory_copy_text(key), value, hash, true};
    return NULL;
}

void *map_remove(struct map *map, const char *key)
{
    struct slot *slot = find(map, key, hash_of(key));
    if (!slot)
        return NULL;
    void *value = slot->value;
    free(slot->key);
    *slot = (struct slot){.used_before = true};
    map->count--;
    return value;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

bool map_each(const struct map *map, size_t *position, const char **ret_key, void **ret_value)
{
    while (*position < map->slot_count && !map->slots[*position].key)
        ++*position;
    if (*position >= map->slot_count)
        return false;
    if (ret_key)
        *ret_key = map->slots[*position].key;
    if (ret_value)
        *ret_value = map->slots[*position].value;
    ++*position;
    return true;
}
