/* Text: a growing buffer, a list, and the small parsers that every room needs.
 *
 * This file may depend on memory.h and error.h only. A `struct text` owns its bytes; `data` always
 * has a NUL behind `length` once something was added (use text_data() when it may be empty). Any
 * thread. */
#ifndef REGWARDEN_TEXT_H
#define REGWARDEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/memory.h"

struct text {
    char *data; /* NULL while nothing was added */
    size_t length;
    size_t capacity;
};

void text_release(struct text *text);
void text_clear(struct text *text); /* empty, capacity kept */
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t size);
void text_add_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *text_data(const struct text *text); /* "" when empty; borrowed */
char *text_take(struct text *text); /* returns new (never NULL); the buffer is empty afterwards */
#define AUTO_TEXT AUTO(text_release)

/* New string from a format. */
char *text_new(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A list of owned strings. */
struct text_list {
    char **items;
    size_t count;
    size_t capacity;
};
void text_list_add(struct text_list *list, const char *string); /* copies */
void text_list_add_take(struct text_list *list, char *string);
bool text_list_has(const struct text_list *list, const char *string);
void text_list_copy(struct text_list *to, const struct text_list *from); /* `to` must be empty */
void text_list_release(struct text_list *list);
#define AUTO_TEXT_LIST AUTO(text_list_release)

/* Ordered pairs of owned strings: labels, annotations, environment. Keys may repeat unless the
 * parser forbids it. */
struct text_pair {
    char *key;
    char *value; /* never NULL */
};
struct text_pairs {
    struct text_pair *items;
    size_t count;
    size_t capacity;
};
void text_pairs_add(struct text_pairs *pairs, const char *key, const char *value);
const char *text_pairs_get(const struct text_pairs *pairs,
                           const char *key); /* borrowed; NULL when absent; last wins */
void text_pairs_copy(struct text_pairs *to, const struct text_pairs *from);
void text_pairs_release(struct text_pairs *pairs);
#define AUTO_PAIRS AUTO(text_pairs_release)

bool text_equal(const char *a, const char *b);        /* two NULLs are equal */
bool text_equal_nocase(const char *a, const char *b); /* ASCII only, whatever the locale */
bool text_starts_with(const char *string, const char *prefix);
bool text_ends_with(const char *string, const char *suffix);

/* Copies `string` with every byte outside printable ASCII (and the backslash) written \xNN and at
 * most `max` bytes kept ("…" follows what was cut). For anything from outside that goes into a
 * message. Returns new. */
char *text_printable(const char *string, size_t max);

/* Path-like glob: `*` and `?` stop at a slash, two stars do not: prod + slash + two stars match
 * prod/a/b but not prod. Linear in pattern × string, no recursion. */
bool text_glob_match(const char *pattern, const char *string);

/* The list's entry nearest to `word` when near enough to be a typing slip, else NULL. `names` ends
 * with NULL; borrowed. */
const char *text_suggest(const char *word, const char *const *names);

/* Strict decimal without sign, blanks or overflow. FAILURE_INPUT. */
int text_parse_uint(const char *string, uint64_t max, uint64_t *ret, struct error *err);
/* "250MB" and "250 kB" are powers of 1000, "250MiB" of 1024; a bare number is bytes; decimals are
 * allowed
 * ("1.5GB"). */
int text_parse_bytes(const char *string, uint64_t *ret_bytes, struct error *err);
/* "90d", "12h", "30m", "10s", "250ms", "2w"; no bare numbers but 0. */
int text_parse_duration(const char *string, int64_t *ret_ms, struct error *err);
/* "118.3 MB" (powers of 1000); "12.4 s", "3 d". `buffer` holds at least TEXT_NUMBER_SIZE; returned
 * for use in calls. */
enum { TEXT_NUMBER_SIZE = 32 };
const char *text_format_bytes(uint64_t bytes, char buffer[static TEXT_NUMBER_SIZE]);
const char *text_format_duration(int64_t ms, char buffer[static TEXT_NUMBER_SIZE]);

#endif
