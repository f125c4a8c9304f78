/* Paths as they stand in image configs, compared without a file system. */
#ifndef REGWARDEN_POLICY_PATHS_H
#define REGWARDEN_POLICY_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Is `path` the directory `root` or below it? Doubled slashes, "." and ".." are resolved on the
 * way, so that "/var/../proc//sys" is below "/proc". `root` is absolute and plain; everything is
 * below
 * "/". A relative path is below nothing. */
bool path_is_below(const char *path, const char *root);
/* "/", "//", "/./": nothing but the root itself. */
bool path_is_root(const char *path);

#endif
