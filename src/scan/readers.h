/* Files whose content is read: accounts, the distribution, lists of packages. Private to the room.
 *
 * Content comes in pieces and is read line by line, or gathered whole when it is small; both are
 * bounded. */
#ifndef SCAN_READERS_H
#define SCAN_READERS_H

#include "findings.h"
#include "regwarden/tar.h"

struct reader; /* opaque; one file */

/* The reader of this path, or NULL when the file is not one that is read. Returns new. */
struct reader *reader_new(struct findings *findings, const struct tar_entry *entry);
void reader_push(struct reader *reader, const uint8_t *bytes, size_t size);
void reader_finish(struct reader *reader); /* the file is complete; once */
void reader_free(struct reader *reader);

/* An entry without data stands at a path that may be read: a link, a directory. */
void reader_note_other(struct findings *findings, const struct tar_entry *entry);

#endif
