/* The table of paths of a layer: writing it, and reading it back without trust. */
#include "regwarden/layer_facts.h"

#include <string.h>

/* One byte becomes at most four. */
enum { PRINTED_MAX = 4 * LAYER_PATH_BYTES_MAX };

static unsigned rank(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte == '/' ? 1 : byte == 0 ? 0 : byte + 1U;
}

int layer_path_compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (int)rank(*a) - (int)rank(*b);
}

void layer_path_print(struct text *to, const char *raw)
{
    for (; *raw; raw++) {
        unsigned char byte = (unsigned char)*raw;
        if (byte < 0x20 || byte > 0x7e || byte == '\\')
            text_format(to, "\\x%02x", byte);
        else
            text_add_char(to, *raw);
    }
}

void layer_paths_add(struct text *table, const char *previous, const struct layer_path *path)
{
    size_t kept = 0;

    while (path->path[kept] && path->path[kept] == previous[kept])
        kept++;
    text_format(table, "%zu %s\t%c%llu", kept, path->path + kept, (char)path->kind,
                (unsigned long long)path->size);
    if (*path->link)
        text_format(table, "\t%s", path->link);
    text_add_char(table, '\n');
}

void layer_paths_begin(struct layer_paths_cursor *cursor, const struct text *table)
{
    *cursor = (struct layer_paths_cursor){.next = text_data(table)};
    cursor->end = cursor->next + table->length;
}

void layer_paths_end(struct layer_paths_cursor *cursor)
{
    text_release(&cursor->path);
    text_release(&cursor->link);
}

static bool read_number(const char **at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    const char *start = *at;

    while (*at < end && **at >= '0' && **at <= '9' && *at - start < 19)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *ret = value;
    return *at > start;
}

static bool is_kind(char c)
{
    return c && strchr("wofdlhs", c);
}

/* Reads up to the tab or the line's end, printable bytes only. */
static bool read_text(const char **at, const char *end, struct text *to)
{
    const char *start = *at;

    while (*at < end && **at >= 0x20 && **at <= 0x7e)
        (*at)++;
    if (to->length + (size_t)(*at - start) > PRINTED_MAX)
        return false;
    text_add_bytes(to, start, (size_t)(*at - start));
    return true;
}

static bool take_char(const char **at, const char *end, char c)
{
    if (*at == end || **at != c)
        return false;
    (*at)++;
    return true;
}

static bool read_line(struct layer_paths_cursor *cursor, const char *end)
{
    const char *at = cursor->next;
    uint64_t kept, size;

    if (!read_number(&at, end, &kept) || kept > cursor->path.length || !take_char(&at, end, ' '))
        return false;
    if (cursor->path.data)
        cursor->path.data[kept] = '\0';
    cursor->path.length = kept;
    text_clear(&cursor->link);
    if (!read_text(&at, end, &cursor->path) || !take_char(&at, end, '\t') || at == end ||
        !is_kind(*at))
        return false;
    enum layer_path_kind kind = (enum layer_path_kind) * at++;
    if (!read_number(&at, end, &size))
        return false;
    if (at < end && (!take_char(&at, end, '\t') || !read_text(&at, end, &cursor->link)))
        return false;
    cursor->current = (struct layer_path){.path = text_data(&cursor->path),
                                          .kind = kind,
                                          .size = size,
                                          .link = text_data(&cursor->link)};
    return at == end;
}

/* Same path: a mark for lower layers stands before the entry. */
static unsigned kind_rank(enum layer_path_kind kind)
{
    switch (kind) {
    case LAYER_PATH_WHITEOUT:
        return 0;
    case LAYER_PATH_OPAQUE:
        return 1;
    case LAYER_PATH_FILE:
    case LAYER_PATH_DIRECTORY:
    case LAYER_PATH_SYMLINK:
    case LAYER_PATH_HARD_LINK:
    case LAYER_PATH_SPECIAL:
        break;
    }
    return 2;
}

int layer_paths_next(struct layer_paths_cursor *cursor, struct error *err)
{
    if (cursor->next == cursor->end)
        return 0;
    const char *end = memchr(cursor->next, '\n', (size_t)(cursor->end - cursor->next));
    bool first = !cursor->path.data;
    enum layer_path_kind kind_before = cursor->current.kind;
    AUTO_FREE char *before = memory_copy_text(text_data(&cursor->path));
    if (!end || !read_line(cursor, end))
        return error_set(err, FAILURE_INPUT, "a layer's table of paths is damaged");
    int order = first ? 1 : layer_path_compare(cursor->current.path, before);
    if (order < 0 || (order == 0 && kind_rank(cursor->current.kind) <= kind_rank(kind_before)))
        return error_set(err, FAILURE_INPUT, "a layer's table of paths is out of order");
    cursor->next = end + 1;
    return 1;
}

int layer_paths_check(const struct text *table, struct error *err)
{
    struct layer_paths_cursor cursor;
    size_t count = 0;
    int more;

    if (table->length > LAYER_TABLE_BYTES_MAX)
        return error_set(err, FAILURE_INPUT, "a layer's table of paths is too large");
    layer_paths_begin(&cursor, table);
    while ((more = layer_paths_next(&cursor, err)) > 0)
        count++;
    layer_paths_end(&cursor);
    if (more == 0 && count > LAYER_PATHS_MAX)
        return error_set(err, FAILURE_INPUT, "a layer's table of paths has too many");
    return more;
}
