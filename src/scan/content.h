/* What the content of a file tells: secrets in texts, how a program was built. Private to the room.
 */
#ifndef SCAN_CONTENT_H
#define SCAN_CONTENT_H

#include "findings.h"
#include "regwarden/tar.h"

enum { CONTENT_SALT_SIZE = 32 };

struct content; /* opaque; used for one file after another */
/* `salt` makes secrets comparable across layers; NULL: no hashes. Copied. */
struct content *content_new(struct findings *findings, const unsigned char *salt);
void content_free(struct content *content);

void content_begin(struct content *content, const struct tar_entry *entry);
void content_push(struct content *content, const uint8_t *bytes, size_t size);
void content_end(struct content *content);

#endif
