/* The paths of a layer, bounded, sorted at the end. Directories are kept once and paths as a
 * directory and a name: a layer with everything that is allowed takes some megabytes. */
#include "path_table.h"

#include <string.h>

/* Of directories, names and links together, each with a NUL behind it. */
enum { BYTES_MAX = 5 * 512 * 1024, NOWHERE = UINT32_MAX };

struct directory {
    uint32_t offset; /* in the bytes */
    uint32_t size;
};

struct item {
    uint32_t directory;
    uint32_t name; /* offset in the bytes; behind it the link */
    uint64_t size : 56;
    uint64_t kind : 8;
};

struct path_table {
    struct text bytes;
    struct item *items; /* in the order of the archive */
    size_t count;
    size_t capacity;
    struct directory *directories;
    size_t directory_count;
    size_t directory_capacity;
    uint32_t *places; /* of directories, by hash; NOWHERE: free */
    size_t place_count;
    uint32_t last; /* directory: most paths are in that of the path before */
    struct text path;
    bool full;
};

struct path_table *path_table_new(void)
{
    return memory_new(sizeof(struct path_table));
}

static void clear(struct path_table *table)
{
    text_release(&table->bytes);
    text_release(&table->path);
    free(TAKE(table->items));
    free(TAKE(table->directories));
    free(TAKE(table->places));
    table->count = 0;
}

void path_table_free(struct path_table *table)
{
    if (!table)
        return;
    clear(table);
    free(table);
}

/* --- directories --- */

static const char *name_of(const struct path_table *table, uint32_t directory)
{
    return table->bytes.data + table->directories[directory].offset;
}

static bool is_directory(const struct path_table *table, uint32_t directory, const char *path,
                         size_t size)
{
    return table->directories[directory].size == size &&
           memcmp(name_of(table, directory), path, size) == 0;
}

static size_t hash_of(const char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* Where this directory stands, or would. */
static uint32_t *place_of(struct path_table *table, const char *path, size_t size)
{
    size_t at = hash_of(path, size) & (table->place_count - 1);

    while (table->places[at] != NOWHERE && !is_directory(table, table->places[at], path, size))
        at = (at + 1) & (table->place_count - 1);
    return &table->places[at];
}

static void make_places(struct path_table *table)
{
    table->place_count = table->place_count > 0 ? 2 * table->place_count : 1024;
    free(table->places);
    table->places = memory_new_array(table->place_count, sizeof(*table->places));
    memset(table->places, 0xff, table->place_count * sizeof(*table->places));
    for (uint32_t i = 0; i < table->directory_count; i++)
        *place_of(table, name_of(table, i), table->directories[i].size) = i;
}

static uint32_t find_directory(struct path_table *table, const char *path, size_t size)
{
    if (table->directory_count > 0 && is_directory(table, table->last, path, size))
        return table->last;
    /* nearly full, since memory is what counts; most paths do not come here */
    if (16 * table->directory_count >= 15 * table->place_count)
        make_places(table);
    uint32_t *place = place_of(table, path, size);
    if (*place == NOWHERE) {
        table->directories = memory_grow(table->directories, table->directory_count,
                                         &table->directory_capacity, sizeof(*table->directories));
        *place = (uint32_t)table->directory_count++;
        table->directories[*place] =
            (struct directory){(uint32_t)table->bytes.length, (uint32_t)size};
        text_add_bytes(&table->bytes, path, size);
        text_add_bytes(&table->bytes, "", 1);
    }
    return table->last = *place;
}

bool path_table_add(struct path_table *table, enum layer_path_kind kind, const char *path,
                    uint64_t size, const char *link)
{
    /* four bytes for one at worst */
    size_t worst = 4 * (strlen(path) + strlen(link)) + 3;

    table->full =
        table->full || table->count == LAYER_PATHS_MAX || table->bytes.length + worst > BYTES_MAX;
    if (table->full)
        return false;
    text_clear(&table->path);
    layer_path_print(&table->path, path);
    const char *whole = text_data(&table->path), *slash = strrchr(whole, '/');
    uint32_t directory = find_directory(table, whole, slash ? (size_t)(slash - whole) : 0);
    table->items = memory_grow(table->items, table->count, &table->capacity, sizeof(*table->items));
    table->items[table->count++] =
        (struct item){.directory = directory,
                      .name = (uint32_t)table->bytes.length,
                      .size = size < UINT64_C(1) << 55 ? size : UINT64_C(1) << 55,
                      .kind = (unsigned char)kind};
    text_add(&table->bytes, slash ? slash + 1 : whole);
    text_add_bytes(&table->bytes, "", 1);
    layer_path_print(&table->bytes, link);
    text_add_bytes(&table->bytes, "", 1);
    return true;
}

/* --- order --- */

/* A name in one directory with what is in another one below that; `rest` leads there from it. */
static int compare_with_below(const char *name, const char *rest)
{
    while (*name && *name == *rest) {
        name++;
        rest++;
    }
    const char here[] = {*name, '\0'}, there[] = {*rest ? *rest : '/', '\0'};
    return layer_path_compare(here, there);
}

/* As layer_path_compare() of the whole paths. */
static int compare_paths(const struct path_table *table, const struct item *a, const struct item *b)
{
    const char *bytes = table->bytes.data;

    if (a->directory == b->directory)
        return layer_path_compare(bytes + a->name, bytes + b->name);
    const char *left = name_of(table, a->directory), *right = name_of(table, b->directory);
    size_t same = 0;
    while (left[same] && left[same] == right[same])
        same++;
    if (left[same] && right[same])
        return layer_path_compare(left + same, right + same);
    const char *rest = left[same] ? left + same : right + same;
    const struct item *above = left[same] ? b : a;
    /* "usr" and "usr-local" only look as if one were below the other */
    int order =
        same > 0 && *rest != '/' ? -1 : compare_with_below(bytes + above->name, rest + (same > 0));
    return above == a ? order : -order;
}

/* Marks for lower layers before the entry, each kind for itself. */
static int class_of(const struct item *item)
{
    return item->kind == LAYER_PATH_WHITEOUT ? 0 : item->kind == LAYER_PATH_OPAQUE ? 1 : 2;
}

static int compare(const struct path_table *table, uint32_t a, uint32_t b)
{
    const struct item *left = &table->items[a], *right = &table->items[b];
    int order = compare_paths(table, left, right);

    if (order == 0)
        order = class_of(left) - class_of(right);
    return order != 0 ? order : a < b ? -1 : 1;
}

static void merge(const struct path_table *table, uint32_t *to, const uint32_t *left,
                  const uint32_t *right, const uint32_t *end)
{
    const uint32_t *middle = right;

    while (left < middle && right < end)
        *to++ = compare(table, *left, *right) < 0 ? *left++ : *right++;
    memcpy(to, left, (size_t)(middle - left) * sizeof(*to));
    memcpy(to + (middle - left), right, (size_t)(end - right) * sizeof(*to));
}

/* Numbers of the items in their order. Not qsort(): that one asks the system how much memory there
 * is, which a worker may not. Returns new. */
static uint32_t *sort(const struct path_table *table)
{
    size_t count = table->count;
    uint32_t *order = memory_new_array(count, sizeof(*order));
    uint32_t *other = memory_new_array(count, sizeof(*other));

    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t middle = at + width < count ? at + width : count;
            size_t end = middle + width < count ? middle + width : count;
            merge(table, other + at, order + at, order + middle, order + end);
        }
        uint32_t *sorted = other;
        other = order;
        order = sorted;
    }
    free(other);
    return order;
}

/* --- the table --- */

static bool same_place(const struct path_table *table, const struct item *a, const struct item *b)
{
    const char *bytes = table->bytes.data;

    return class_of(a) == class_of(b) && a->directory == b->directory &&
           strcmp(bytes + a->name, bytes + b->name) == 0;
}

/* Adds the line of one path, unless the table is as large as it may be. */
static bool write_line(const struct path_table *table, const struct item *item,
                       struct text *previous, struct text *path, struct text *to)
{
    const char *name = table->bytes.data + item->name, *link = name + strlen(name) + 1;
    const struct directory *directory = &table->directories[item->directory];

    text_clear(path);
    text_add_bytes(path, name_of(table, item->directory), directory->size);
    if (directory->size > 0)
        text_add_char(path, '/');
    text_add(path, name);
    if (to->length + path->length + strlen(link) + 64 > LAYER_TABLE_BYTES_MAX)
        return false;
    const struct layer_path line = {text_data(path), (enum layer_path_kind)item->kind, item->size,
                                    link};
    layer_paths_add(to, text_data(previous), &line);
    const struct text spare = *previous;
    *previous = *path;
    *path = spare;
    return true;
}

bool path_table_write(struct path_table *table, struct text *to, uint64_t *ret_duplicate_bytes)
{
    AUTO_TEXT struct text previous = {0}, path = {0};
    bool fits = true;

    free(TAKE(table->places));
    AUTO_FREE uint32_t *order = sort(table);
    for (size_t i = 0; i < table->count && fits; i++) {
        const struct item *item = &table->items[order[i]];
        if (i + 1 < table->count && same_place(table, item, &table->items[order[i + 1]]))
            *ret_duplicate_bytes += item->size;
        else
            fits = write_line(table, item, &previous, &path, to);
    }
    fits = fits && !table->full;
    clear(table);
    return fits;
}
