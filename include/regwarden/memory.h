/* Allocation, clean-up by attribute, and hand-over.
 *
 * Small allocations abort the process when memory is out: there is nothing sensible left to do.
 * Whatever is sized by bytes from outside must be bounded by the caller BEFORE it comes here. Any
 * thread. */
#ifndef REGWARDEN_MEMORY_H
#define REGWARDEN_MEMORY_H

#include <stddef.h>

void *memory_new(size_t size); /* zeroed; never NULL; caller frees with free() */
void *memory_new_array(size_t count,
                       size_t size);      /* zeroed; aborts on overflow; never NULL, even for 0 */
char *memory_copy_text(const char *text); /* strdup; NULL gives NULL */
char *memory_copy_bytes(const void *bytes, size_t size); /* copy with a NUL behind it */

/* Makes room for one more item in a growing array: `array` holds `count` items of `item_size` bytes
 * and has
 * `*capacity` places. Returns the (moved) array. Doubling, so that adding n items costs O(n). */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t item_size);

void memory_auto_free(void *pointer_to_pointer);

/* Declares a pointer that is freed when its scope ends: `AUTO_FREE char *name = NULL;`. Each own
 * type has such a word beside its struct: AUTO_TEXT, AUTO_JSON, … */
#define AUTO(function) __attribute__((cleanup(function)))
#define AUTO_FREE AUTO(memory_auto_free)

/* Hands a pointer over and clears the source, so that its clean-up does nothing: `*ret =
 * TAKE(value);`. */
#define TAKE(pointer)                                \
    __extension__({                                  \
        __typeof__(pointer) *take_from = &(pointer); \
        __typeof__(pointer) take_value = *take_from; \
        *take_from = NULL;                           \
        take_value;                                  \
    })

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Closes a descriptor (if >= 0) at scope end: `AUTO_CLOSE int fd = -1;`. */
void memory_auto_close(int *fd);
#define AUTO_CLOSE AUTO(memory_auto_close)

#endif
