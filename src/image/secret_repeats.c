/* Searches for many known strings at once: by their first eight bytes, sorted. At most a few
 * secrets with the same start are kept, so that nobody can make the search slow with secrets that
 * differ only at the end. */
#include "secret_repeats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/secret_text.h"

enum { START_SIZE = 8, SAME_START_MAX = 8 };

struct known {
    uint64_t start;
    const char *secret;
    size_t size;
};

struct secret_repeats {
    struct known *items;
    size_t count;
};

static uint64_t start_of(const char *text)
{
    uint64_t start;
    memcpy(&start, text, START_SIZE);
    return start;
}

/* Among equal starts the longest comes first, so that nothing of it is left over. */
static int compare(const void *a, const void *b)
{
    const struct known *left = a, *right = b;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->size != right->size)
        return left->size > right->size ? -1 : 1;
    return strcmp(left->secret, right->secret);
}

/* Drops duplicates and what is too much of one start. */
static void thin_out(struct secret_repeats *repeats)
{
    size_t kept = 0, same = 0;
    for (size_t i = 0; i < repeats->count; i++) {
        const struct known *last = kept > 0 ? &repeats->items[kept - 1] : NULL;
        if (last && strcmp(last->secret, repeats->items[i].secret) == 0)
            continue;
        same = last && last->start == repeats->items[i].start ? same + 1 : 0;
        if (same < SAME_START_MAX)
            repeats->items[kept++] = repeats->items[i];
    }
    repeats->count = kept;
}

struct secret_repeats *secret_repeats_new(const struct text_list *secrets)
{
    struct secret_repeats *repeats = memory_new(sizeof(*repeats));
    repeats->items = memory_new_array(secrets->count, sizeof(*repeats->items));
    for (size_t i = 0; i < secrets->count; i++) {
        size_t size = strlen(secrets->items[i]);
        if (size >= START_SIZE)
            repeats->items[repeats->count++] = (struct known){
                .start = start_of(secrets->items[i]), .secret = secrets->items[i], .size = size};
    }
    if (repeats->count > 1)
        qsort(repeats->items, repeats->count, sizeof(*repeats->items), compare);
    thin_out(repeats);
    return repeats;
}

void secret_repeats_free(struct secret_repeats *repeats)
{
    if (!repeats)
        return;
    free(repeats->items);
    free(repeats);
}

/* The first item whose start is not less. */
static size_t lower_bound(const struct secret_repeats *repeats, uint64_t start)
{
    size_t low = 0, high = repeats->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (repeats->items[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct known *known_at(const struct secret_repeats *repeats, const char *text,
                                    size_t left)
{
    uint64_t start = start_of(text);
    for (size_t i = lower_bound(repeats, start);
         i < repeats->count && repeats->items[i].start == start; i++) {
        const struct known *known = &repeats->items[i];
        if (known->size <= left && memcmp(text, known->secret, known->size) == 0)
            return known;
    }
    return NULL;
}

bool secret_repeats_mask(const struct secret_repeats *repeats, const char *text, struct text *to)
{
    size_t size = strlen(text), copied = 0, at = 0;
    while (repeats->count > 0 && at + START_SIZE <= size) {
        const struct known *known = known_at(repeats, text + at, size - at);
        if (!known) {
            at++;
            continue;
        }
        AUTO_FREE char *masked = secret_text_mask(known->secret, known->size);
        text_add_bytes(to, text + copied, at - copied);
        text_add(to, masked);
        at += known->size;
        copied = at;
    }
    if (copied == 0)
        return false;
    text_add(to, text + copied);
    return true;
}
