/* Tables of the spellings of an enumeration, by value; NULL for a value that has none. Private to
 * the room. */
#ifndef IMAGE_NAMES_H
#define IMAGE_NAMES_H

#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/memory.h"

/* The value, or -1. `name` may be NULL. */
int names_find(const char *const *names, size_t count, const char *name);

/* The body of TYPE_from_name(): returns 0, or FAILURE_INPUT. */
#define NAMES_FIND(table, type, name, ret)                             \
    do {                                                               \
        int found_value = names_find(table, ARRAY_COUNT(table), name); \
        if (found_value < 0)                                           \
            return FAILURE_INPUT;                                      \
        *(ret) = (type)found_value;                                    \
        return 0;                                                      \
    } while (0)

#endif
