/* Many literals looked for at once: the clues of secret_text.h, compiled by vectorscan. Private to
 * the room.
 *
 * The compiled patterns are made once in a process, before a sandbox closes around it, and then
 * only read. Each search has scratch space of its own. */
#ifndef SCAN_PATTERNS_H
#define SCAN_PATTERNS_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"

/* FAILURE_SYSTEM: this processor lacks what the library needs. Any thread, any number of times. */
int patterns_prepare(struct error *err);

struct patterns_search; /* opaque */
/* The patterns must be prepared. Returns new. */
struct patterns_search *patterns_search_new(void);
void patterns_search_free(struct patterns_search *search);

/* A place that may hold a secret: its literal begins at `at`. */
struct patterns_place {
    uint32_t at;
    uint32_t clue;
};
/* All places in the text, by their position. The list is borrowed until the next search. Texts are
 * up to PATTERNS_TEXT_MAX bytes. */
enum { PATTERNS_TEXT_MAX = 1 << 20 };
size_t patterns_find(struct patterns_search *search, const char *text, size_t size,
                     const struct patterns_place **ret);

#endif
