/* JSON documents as they lie in the database: compact, compressed with zstd. One codec per thread.
 */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/json.h"
#include "regwarden/text.h"

struct codec; /* opaque */
struct codec *codec_new(void);
void codec_free(struct codec *codec);

/* Appends nothing: replaces `ret`. FAILURE_LIMIT for a document that document_unpack would refuse.
 */
int document_pack(struct codec *codec, const struct json *json, struct text *ret,
                  struct error *err);
/* The same of one that is written already. */
int document_pack_text(struct codec *codec, const struct text *plain, struct text *ret,
                       struct error *err);
/* Of a packed document; 0 when it is damaged. */
size_t document_plain_bytes(const void *bytes, size_t size);
/* FAILURE_SYSTEM for damage: what was packed by us is always readable. Returns new. */
int document_unpack(struct codec *codec, const void *bytes, size_t size, struct json **ret,
                    struct error *err);

#endif
