/* The paths of a layer while it is read: gathered in the order of the archive, then sorted and
 * written as the table of layer_facts.h. Private to the room. */
#ifndef SCAN_PATH_TABLE_H
#define SCAN_PATH_TABLE_H

#include "regwarden/layer_facts.h"

struct path_table; /* opaque */
struct path_table *path_table_new(void);
void path_table_free(struct path_table *table);

/* False when it is full; then it stays so. */
bool path_table_add(struct path_table *table, enum layer_path_kind kind, const char *path,
                    uint64_t size, const char *link);
/* Writes the table; the last entry of a path wins, and what it replaces is added up. False when
 * paths are missing. The table is empty afterwards. */
bool path_table_write(struct path_table *table, struct text *to, uint64_t *ret_duplicate_bytes);

#endif
