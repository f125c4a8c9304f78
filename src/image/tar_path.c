/* Canonical paths and whiteouts: names only, no file system is asked. */
#include "tar_path.h"

#include <string.h>

static void cut_last(struct text *path)
{
    const char *slash = path->length > 0 ? memrchr(path->data, '/', path->length) : NULL;

    path->length = slash ? (size_t)(slash - path->data) : 0;
    if (path->data)
        path->data[path->length] = '\0';
}

void tar_path_clean(const char *name, size_t max, struct text *ret, bool *ret_escapes,
                    bool *ret_cut)
{
    *ret_escapes = *ret_cut = false;
    text_clear(ret);
    while (*name) {
        size_t size = strcspn(name, "/");
        const char *next = name + size + (name[size] == '/');
        bool here = size == 0 || (size == 1 && *name == '.');
        bool up = size == 2 && name[0] == '.' && name[1] == '.';
        if (up) {
            *ret_escapes = *ret_escapes || ret->length == 0;
            cut_last(ret);
        } else if (!here && ret->length + size + 1 > max) {
            *ret_cut = true;
            return;
        } else if (!here) {
            if (ret->length > 0)
                text_add_char(ret, '/');
            text_add_bytes(ret, name, size);
        }
        name = next;
    }
}

enum tar_whiteout tar_path_whiteout(struct text *path)
{
    static const char mark[] = ".wh.", opaque[] = ".wh..wh..opq", meta[] = ".wh..wh.";
    const char *data = text_data(path);
    const char *slash = strrchr(data, '/');
    size_t base = slash ? (size_t)(slash + 1 - data) : 0;
    const char *name = data + base;

    if (!text_starts_with(name, mark))
        return TAR_PLAIN;
    if (strcmp(name, opaque) == 0) {
        cut_last(path);
        return TAR_OPAQUE;
    }
    if (text_starts_with(name, meta))
        return TAR_META;
    name += strlen(mark);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return TAR_INVALID_WHITEOUT;
    memmove(path->data + base, name, strlen(name) + 1);
    path->length -= strlen(mark);
    return TAR_WHITEOUT;
}

bool tar_path_is_global(const char *name)
{
    static const char *const starts[] = {"pax_global_header", "GlobalHead", "@PaxHeader",
                                         "PaxHeader"};
    const char *slash = strrchr(name, '/');

    for (size_t i = 0; i < ARRAY_COUNT(starts); i++)
        if (text_starts_with(slash ? slash + 1 : name, starts[i]))
            return true;
    return false;
}
