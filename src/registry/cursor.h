/* Where a walk through a list stands, as text that is kept between calls and over restarts.
 *
 * Either the address of the next page, which the registry gave, or, where a registry sends all
 * names at once, the last name that was told. Addresses carry the number of pages so far and a mark
 * of an earlier page, so that a circle is seen although nobody remembers the pages. Pure; the text
 * may be anything. */
#ifndef REGISTRY_CURSOR_H
#define REGISTRY_CURSOR_H

#include "regwarden/error.h"

enum { CURSOR_MAX = 1024, CURSOR_MARK_DIGITS = 12 };

struct cursor {
    const char *target; /* path of the next page; NULL: none, borrowed from the text */
    const char *after;  /* name; NULL: none, borrowed from the text */
    unsigned pages;
    char mark[CURSOR_MARK_DIGITS + 1]; /* "" at the start */
};
/* text: NULL or "" is the start. FAILURE_ABSENT for what is no cursor of such a list. */
int cursor_read(const char *text, struct cursor *ret, struct error *err);
/* The text that leads to `target`. Returns new. FAILURE_INPUT for a circle, FAILURE_LIMIT for more
 * than `max_pages` pages and for an address that is too long. */
int cursor_to_target(const struct cursor *current, const char *target, unsigned max_pages,
                     char **ret, struct error *err);
/* The text that leads to what comes behind `name`. Returns new. */
char *cursor_behind(const char *name);

#endif
