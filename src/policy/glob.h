/* Lists of patterns, compiled once.
 *
 * A pattern is a path-like glob (text_glob_match): `*` and `?` stop at a slash, two stars do not.
 * Deliberately otherwise: `*` alone matches everything, so that nobody who writes
 * `repositories: ["*"]` leaves team/app unguarded. `!` excludes, wherever it stands in the list; a
 * list of nothing but exclusions matches all else. Matching does not allocate. Any thread. */
#ifndef REGWARDEN_POLICY_GLOB_H
#define REGWARDEN_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

enum glob_kind {
    GLOB_ALL,
    GLOB_LITERAL,
    GLOB_BELOW,  /* literal and two stars: whatever begins so */
    GLOB_BEGINS, /* literal and one star: whatever begins so and has no slash after it */
    GLOB_ENDS,   /* two stars and a literal: whatever ends so */
    GLOB_PATTERN,
};
struct glob {
    enum glob_kind kind;
    bool excludes;
    const char *pattern; /* borrowed from the list it was compiled from, behind the `!` */
    size_t literal;      /* leading bytes that hold no wildcard */
};

struct glob_list {
    struct glob *items;
    size_t count;
    bool only_excludes;
    bool has_all; /* `*` or two stars stand in it */
};

/* Borrows the patterns. FAILURE_INPUT for an empty pattern. */
int glob_list_compile(const struct text_list *patterns, struct glob_list *ret, struct error *err);
void glob_list_release(struct glob_list *list);

void glob_compile(const char *pattern, struct glob *ret);
bool glob_match(const struct glob *glob, const char *string);
/* An empty list matches nothing: callers say what a list that was left out means. */
bool glob_list_match(const struct glob_list *list, const char *string);

#endif
