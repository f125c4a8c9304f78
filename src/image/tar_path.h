/* Names in tar archives, made canonical. Private to the room. */
#ifndef IMAGE_TAR_PATH_H
#define IMAGE_TAR_PATH_H

#include "regwarden/tar.h"
#include "regwarden/text.h"

/* Is the canonical path a mark for lower layers? Then `path` becomes what it is about. */
enum tar_whiteout tar_path_whiteout(struct text *path);

/* May records for all entries be named so? Runtimes take away what stands at their name, and heed
 * it as a mark: only names that writers give are no file's. */
bool tar_path_is_global(const char *name);

#endif
