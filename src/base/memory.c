/* Allocation that aborts when memory is out, and the functions behind the AUTO_* words. Not a pool
 * and not a tracker: free() is free(). */
#include "regwarden/memory.h"

#include <stdint.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 8 };

/* No formatting here: there is no memory for it. */
static void __attribute__((noreturn)) out_of_memory(void)
{
    static const char message[] = "regwarden: out of memory\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    (void)written;
    abort();
}

void *memory_new(size_t size)
{
    return memory_new_array(1, size);
}

void *memory_new_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

char *memory_copy_text(const char *text)
{
    return text ? memory_copy_bytes(text, strlen(text)) : NULL;
}

char *memory_copy_bytes(const void *bytes, size_t size)
{
    if (size == SIZE_MAX)
        out_of_memory();
    char *copy = malloc(size + 1);
    if (!copy)
        out_of_memory();
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return array;
    size_t wanted, bytes;
    if (__builtin_mul_overflow(*capacity, 2, &wanted))
        out_of_memory();
    if (wanted < FIRST_CAPACITY)
        wanted = FIRST_CAPACITY;
    if (__builtin_mul_overflow(wanted, item_size, &bytes))
        out_of_memory();
    void *moved = realloc(array, bytes);
    if (!moved)
        out_of_memory();
    *capacity = wanted;
    return moved;
}

void memory_auto_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void memory_auto_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
