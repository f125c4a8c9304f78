/* What stands where in a tar archive that holds an image. Private to the room.
 *
 * The archive is walked once, over its headers only, and never unpacked: members are read in place.
 * Links between members are followed inside the archive. Refused (FAILURE_INPUT): names that lead
 * out of it, names that occur twice, archives that are cut off or compressed, everything at which
 * readers of tar are known to disagree. FAILURE_LIMIT: more members or longer names than any image
 * has. */
#ifndef REGISTRY_ARCHIVE_H
#define REGISTRY_ARCHIVE_H

#include <stdint.h>

#include "regwarden/error.h"

struct archive; /* opaque */

struct archive_member {
    uint64_t offset; /* of its bytes in the file */
    uint64_t size;
};

/* `fd` is of a plain file, borrowed for the call. */
int archive_new(int fd, struct archive **ret, struct error *err);
void archive_free(struct archive *archive);
/* `name` as it is written in the archive's documents. FAILURE_ABSENT; FAILURE_INPUT when it is no
 * plain file, or a link to what is none. */
int archive_find(const struct archive *archive, const char *name, struct archive_member *ret,
                 struct error *err);

#endif
