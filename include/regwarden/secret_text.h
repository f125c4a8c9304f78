/* Secrets in short texts: environment values, labels, build arguments, history. One table of token
 * formats and name rules; the content of layers is searched with the same table (room scan).
 *
 * Nothing that this recognises may be logged, stored or shown: masked form and salted hash only.
 * Pure; any thread. */
#ifndef REGWARDEN_SECRET_TEXT_H
#define REGWARDEN_SECRET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/text.h"

struct secret_match {
    const char *kind; /* "github-token", "named-value", …; borrowed from the table */
    size_t start;     /* of the secret's bytes in the text */
    size_t size;
    bool weak; /* others write such things, too: libraries, tests and manuals are full of them */
};

/* Finds up to `max` secrets by format anywhere in `text`. Returns how many. */
size_t secret_text_find(const char *text, struct secret_match *ret, size_t max);

/* Does a variable called `key` with this value hold a secret, by its name and the value's shape, or
 * by the value's format? Names of public things (GPG_KEY, checksums, versions, *_FILE),
 * placeholders, references like ${X} and empty values do not count. */
bool secret_text_pair(const char *key, const char *value, struct secret_match *ret);

/* "ghp_…" becomes "ghp_****(36)": at most 4 leading bytes and the length; never more than a quarter
 * of the secret. Returns new. */
char *secret_text_mask(const char *secret, size_t size);

/* A copy of `text` in which all found secrets, and the values of NAME=value words that
 * secret_text_pair() says so, are masked. Returns new. */
char *secret_text_redact(const char *text);

/* --- large texts ---
 *
 * Whoever has a fast way to look for many literals at once looks for the clues, and asks at each
 * place that has one. */
struct secret_clue {
    const char *literal;
    const char *set; /* then `follow` characters of this class, as regular expressions write it */
    unsigned follow;
    bool any_case; /* the literal may be written in capitals */
};
size_t secret_clue_count(void);
struct secret_clue secret_clue(size_t index);

struct secret_search; /* opaque; for one text after another */
struct secret_search *secret_search_new(void);
void secret_search_free(struct secret_search *search);
/* Borrows the text, which has a NUL behind its end and none inside. */
void secret_search_begin(struct secret_search *search, const char *text, size_t size);
/* Is there a secret to this clue, whose literal begins at `at`? Linear in the text when places are
 * asked in ascending order. */
bool secret_search_try(struct secret_search *search, size_t clue, size_t at,
                       struct secret_match *ret);

#endif
