/* Words and variables of Dockerfile lines. Private to the room. */
#ifndef IMAGE_DOCKERFILE_WORDS_H
#define IMAGE_DOCKERFILE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/text.h"

struct dockerfile_words {
    const char *at; /* what is left */
    char escape;
};

/* The next word, with its quotes; a quoted blank does not end it. False at the end. `ret` points
 * into the line. */
bool dockerfile_next_word(struct dockerfile_words *words, const char **ret, size_t *ret_size);

/* Appends the word with variables put in and quotes taken off. A variable that nobody set is empty,
 * as for the builder. False when a value depends on what only the builder knows (TARGETARCH), or is
 * changed by a pattern; what could be read is appended all the same. */
bool dockerfile_expand(const char *word, size_t size, char escape, const struct text_pairs *values,
                       struct text *to);

#endif
