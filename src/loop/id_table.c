/* Slots with a use count: see id_table.h. */
#include "id_table.h"

#include <assert.h>
#include <stdlib.h>

#include "regwarden/memory.h"

/* The low bits hold the slot, counted from 1, so that no id is 0. */
enum { SLOT_BITS = 24 };
#define SLOT_MAX ((UINT64_C(1) << SLOT_BITS) - 1)

static struct id_slot *slot_of(const struct id_table *table, uint64_t id)
{
    size_t slot = id & SLOT_MAX;
    if (slot == 0 || slot > table->count)
        return NULL;
    struct id_slot *found = &table->slots[slot - 1];
    if (found->object == NULL || found->uses != id >> SLOT_BITS)
        return NULL;
    return found;
}

uint64_t id_table_add(struct id_table *table, void *object)
{
    assert(object != NULL);
    size_t slot = table->first_free;
    if (slot == 0) {
        assert(table->count < SLOT_MAX);
        table->slots =
            memory_grow(table->slots, table->count, &table->capacity, sizeof(*table->slots));
        slot = ++table->count;
        table->slots[slot - 1] = (struct id_slot){0};
    }
    struct id_slot *taken = &table->slots[slot - 1];
    table->first_free = taken->next_free;
    taken->object = object;
    taken->next_free = 0;
    taken->uses++;
    table->in_use++;
    return taken->uses << SLOT_BITS | slot;
}

void *id_table_find(const struct id_table *table, uint64_t id)
{
    const struct id_slot *slot = slot_of(table, id);
    return slot == NULL ? NULL : slot->object;
}

void id_table_remove(struct id_table *table, uint64_t id)
{
    struct id_slot *slot = slot_of(table, id);
    if (slot == NULL)
        return;
    slot->object = NULL;
    slot->next_free = table->first_free;
    table->first_free = id & SLOT_MAX;
    table->in_use--;
}

void id_table_release(struct id_table *table)
{
    free(table->slots);
    *table = (struct id_table){0};
}
