/* Writes members of JSON objects as reader.h reads them: what is not set is left out. Private to
 * the room. */
#ifndef IMAGE_WRITER_H
#define IMAGE_WRITER_H

#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/json.h"

void writer_digest(struct json *to, const char *key, const struct digest *digest);
void writer_time(struct json *to, const char *key, int64_t ms);      /* wall clock; 0: not set */
void writer_count(struct json *to, const char *key, uint64_t value); /* as far as JSON counts */

#endif
