/* Writes members of JSON objects as reader.h reads them: what is not set is left out. Private to
 * the room. */
#ifndef IMAGE_WRITER_H
#define IMAGE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/json.h"

void writer_digest(struct json *to, const char *key, const struct digest *digest);
void writer_digests(struct json *to, const char *key, const struct digest *digests, size_t count);
void writer_time(struct json *to, const char *key, int64_t ms); /* wall clock; 0: not set */
/* Of a time that may be 0. */
void writer_time_if(struct json *to, const char *key, bool is_set, int64_t ms);
void writer_count(struct json *to, const char *key, uint64_t value); /* as far as JSON counts */

#endif
