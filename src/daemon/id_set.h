/* A set of ids over a map: which events are in memory. */
#ifndef REGWARDEN_ID_SET_H
#define REGWARDEN_ID_SET_H

#include <stdbool.h>
#include <stdint.h>

struct map;

void id_set_add(struct map *set,
                int64_t id); /* ids of events that are in no store (0 and below) are left out */
bool id_set_has(const struct map *set, int64_t id);
void id_set_remove(struct map *set, int64_t id);

#endif
