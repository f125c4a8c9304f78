/* Comparing paths of image configs: lexically, bounded, without copying to the heap. */
#include "paths.h"

#include <string.h>

enum { PATH_SIZE = 1024 };

/* Writes the plain form of an absolute path: "/a/b", "" for the root. False when it is relative or
 * too long. */
static bool plain_path(const char *path, char *ret)
{
    size_t length = 0;

    if (path[0] != '/')
        return false;
    while (*path) {
        size_t part;

        path += strspn(path, "/");
        part = strcspn(path, "/");
        if (part == 2 && memcmp(path, "..", 2) == 0) {
            while (length > 0 && ret[--length] != '/')
                continue;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (length + part + 2 > PATH_SIZE)
                return false;
            ret[length++] = '/';
            memcpy(ret + length, path, part);
            length += part;
        }
        path += part;
    }
    ret[length] = '\0';
    return true;
}

bool path_is_below(const char *path, const char *root)
{
    char plain[PATH_SIZE];
    char plain_root[PATH_SIZE];
    size_t length;

    if (!plain_path(path, plain) || !plain_path(root, plain_root))
        return false;
    length = strlen(plain_root);
    return strncmp(plain, plain_root, length) == 0 &&
           (plain[length] == '\0' || plain[length] == '/');
}

bool path_is_root(const char *path)
{
    char plain[PATH_SIZE];

    return plain_path(path, plain) && plain[0] == '\0';
}
