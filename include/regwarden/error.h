/* What went wrong, in a form that the caller can act on.
 *
 * Every fallible function returns 0 or a negative `enum failure` and fills the caller's `struct
 * error` (fixed text: an error path never allocates). On the way up, each level adds what it was
 * doing with error_wrap(), so that the user reads: what failed, on what, why; the hint says what to
 * do. `err` may be NULL everywhere. Plain data, no thread rules. */
#ifndef REGWARDEN_ERROR_H
#define REGWARDEN_ERROR_H

#include <stdarg.h>
#include <stdint.h>

/* What the caller can do about it decides the kind, not where it happened. */
enum failure {
    FAILURE_NONE = 0,
    FAILURE_INPUT = -1,     /* what we were given is malformed, contradictory or not allowed */
    FAILURE_ABSENT = -2,    /* it does not exist where we looked */
    FAILURE_DENIED = -3,    /* credentials are missing, wrong or not sufficient */
    FAILURE_LATER = -4,     /* may work when tried again: time out, 429, 5xx, refused, locked */
    FAILURE_LIMIT = -5,     /* one of our own bounds was hit; the same input hits it again */
    FAILURE_UNCERTAIN = -6, /* a write was sent and its answer lost: it may have happened */
    FAILURE_SYSTEM = -7,    /* this machine failed: disk, descriptors, permissions */
};

enum { ERROR_TEXT_SIZE = 512, ERROR_HINT_SIZE = 256 };

struct error {
    enum failure kind;
    int64_t retry_after_ms; /* with FAILURE_LATER: what the other side asked for, 0 when it did not
                               say */
    char text[ERROR_TEXT_SIZE];
    char hint[ERROR_HINT_SIZE]; /* what to do about it; may be empty */
};

/* "input", "absent", … for logs and JSON. */
const char *failure_name(enum failure kind);

/* Fills err and returns `kind`, so that `return error_set(err, FAILURE_INPUT, "…")` is one line.
 * Bytes from outside must be passed through text_printable() first when they may hold control
 * characters; error_set replaces what is left of them by '?'. */
int error_set(struct error *err, enum failure kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with ": " and the text of errno `number` at the end. */
int error_set_errno(struct error *err, enum failure kind, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "<context>: " before the text. Returns err->kind (FAILURE_SYSTEM when err is NULL). */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the hint. Returns err->kind. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "<text>; <hint>", or the text alone: for logs and the record, which have one line. New; NULL for
 * NULL. */
char *error_with_hint(const struct error *err);

#endif
