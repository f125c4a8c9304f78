/* Ids for objects that answers may come too late for: whoever waits keeps the id, never the
 * pointer.
 *
 * An id is a slot and the count of its uses, so a lookup is one array access, and an id is not
 * given twice within 2^40 uses of its slot. Borrows the objects. */
#ifndef ID_TABLE_H
#define ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
    void *object;  /* NULL: free */
    uint64_t uses; /* how often this slot was given */
    size_t next_free;
};

struct id_table {
    struct id_slot *slots;
    size_t count;
    size_t capacity;
    size_t first_free; /* 1-based; 0: none */
    size_t in_use;
};

uint64_t id_table_add(struct id_table *table, void *object);    /* never 0 */
void *id_table_find(const struct id_table *table, uint64_t id); /* NULL when gone */
void id_table_remove(struct id_table *table, uint64_t id);      /* unknown ids are ignored */
void id_table_release(struct id_table *table);

#endif
