/* Secrets in short texts: environment values, labels, build arguments, history. One table of token
 * formats and name rules; content of layers is searched elsewhere with the same table.
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

#endif
