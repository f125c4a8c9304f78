/* Reads members of a JSON object one after another and keeps the first fault, so that a reader of
 * many members needs no check behind each. For documents of our own making that may have been
 * meddled with: kinds, sizes and counts are checked. Private to the room. */
#ifndef IMAGE_READER_H
#define IMAGE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/json.h"

struct reader {
    struct error *err;
    const char *what; /* the document, for messages */
    int failure;      /* of the first fault; else 0 */
};

/* `part`: what is not as it ought to be. Later faults are dropped. */
void reader_fault(struct reader *reader, const char *part);

/* A printable ASCII text of at most READER_TEXT_MAX bytes. Returns new; NULL after a fault, and
 * when `may_miss` and there is none. */
enum { READER_TEXT_MAX = 16384 };
char *reader_text(struct reader *reader, const struct json *json, const char *part, bool may_miss);
char *reader_member(struct reader *reader, const struct json *json, const char *key);
char *reader_member_if(struct reader *reader, const struct json *json, const char *key);

/* 0 after a fault. */
uint64_t reader_number(struct reader *reader, const struct json *json, uint64_t max,
                       const char *part);
uint64_t reader_count(struct reader *reader, const struct json *json, const char *key);

/* Only digests that can be computed. */
void reader_digest(struct reader *reader, const struct json *json, const char *key, bool may_miss,
                   struct digest *ret);

/* The member's list, of at most `max` items; *ret_count is 0 after a fault. Borrowed. */
const struct json *reader_list(struct reader *reader, const struct json *json, const char *key,
                               size_t max, size_t *ret_count);
void reader_texts(struct reader *reader, const struct json *json, const char *key, size_t max,
                  struct text_list *ret);

#endif
