/* Names in tar archives, made canonical. Private to the room. */
#ifndef SCAN_TAR_PATH_H
#define SCAN_TAR_PATH_H

#include "regwarden/text.h"
#include "tar.h"

/* Replaces `ret` by the path without ".", "..", doubled and outer slashes, as it stands below the
 * layer's root. At most `max` bytes; *ret_cut says that there were more, *ret_escapes that ".." led
 * out of the root. */
void tar_path_clean(const char *name, size_t max, struct text *ret, bool *ret_escapes,
                    bool *ret_cut);

/* Is the canonical path a mark for lower layers? Then `path` becomes what it is about. */
enum tar_whiteout tar_path_whiteout(struct text *path);

#endif
