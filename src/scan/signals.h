/* What paths tell: one table of patterns, and a fast way to ask it. Private to the room.
 *
 * A pattern is a path whose parts may each hold one star; it matches the path and, for a directory,
 * all that is in it. Two stars as the first part match at any depth. Whoever changes the tables
 * raises LAYER_FACTS_VERSION. */
#ifndef SCAN_SIGNALS_H
#define SCAN_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/layer_facts.h"

struct signal_row {
    enum signal_kind kind;
    const char *what;
    const char *pattern;
    enum runtime runtime;
    bool own_only; /* does not count inside of libraries: they bring such files along for their own
                      reasons */
};

/* The tables: tools and what they leave behind; what ought not to be in an image at all. */
extern const struct signal_row signal_tools[];
extern const size_t signal_tools_count;
extern const struct signal_row signal_leaks[];
extern const size_t signal_leaks_count;

/* Is the path inside of a library, a language's or the system's? */
bool signal_in_library(const char *path);

struct signals; /* opaque; the tables, indexed */
struct signals *signals_new(void);
void signals_free(struct signals *signals);

struct signal_match {
    const struct signal_row *row;
    size_t root_size; /* of the part of the path that the pattern matched */
};
enum { SIGNAL_MATCHES_MAX = 8 };
/* The rows that match a file's path, each at its outermost root. Returns how many. */
size_t signals_match(const struct signals *signals, const char *path,
                     struct signal_match ret[static SIGNAL_MATCHES_MAX]);

#endif
