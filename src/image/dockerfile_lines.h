/* Dockerfile text cut into instructions. Private to the room. */
#ifndef IMAGE_DOCKERFILE_LINES_H
#define IMAGE_DOCKERFILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/text.h"

struct dockerfile_lines {
    const char *at;
    const char *end;
    unsigned line; /* of `at`, from 1 */
    char escape;
    char *syntax; /* of the directive; NULL when absent; owned */
};

/* Reads the parser directives at the top. The text stays borrowed. */
void dockerfile_lines_init(struct dockerfile_lines *lines, const char *text, size_t size);
void dockerfile_lines_release(struct dockerfile_lines *lines);
/* The next instruction: its own line, continued lines joined and comments left out, in `head`; the
 * bodies of its here-documents, with the marks that end them, in `bodies`. False at the end. */
bool dockerfile_lines_next(struct dockerfile_lines *lines, struct text *head, struct text *bodies,
                           unsigned *ret_line);

#endif
