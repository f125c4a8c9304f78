/* A hash map from string to pointer, seeded per process so that outsiders cannot choose colliding
 * keys.
 *
 * The map owns its keys and never its values. Not thread safe: one owner, one thread. */
#ifndef REGWARDEN_MAP_H
#define REGWARDEN_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/memory.h"

struct map; /* opaque */

struct map *map_new(void);
void map_free(struct map *map);
void map_auto_free(struct map **map);
#define AUTO_MAP AUTO(map_auto_free)

void *map_get(const struct map *map, const char *key); /* NULL when absent */
void *map_set(struct map *map, const char *key,
              void *value); /* returns the value that stood there, or NULL */
void *map_remove(struct map *map,
                 const char *key); /* returns the value that stood there, or NULL */
size_t map_count(const struct map *map);

/* Walks in no particular order; `*position` starts at 0. Either output may be NULL. False at the
 * end. The map may not change meanwhile, except that the entry just given may be removed. */
bool map_each(const struct map *map, size_t *position, const char **ret_key, void **ret_value);

#endif
