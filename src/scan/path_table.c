/* The paths of a layer in one block of memory, bounded, sorted at the end. */
#include "path_table.h"

#include <string.h>

struct item {
    uint32_t offset; /* of the path, and behind it the link, in the bytes */
    uint32_t order;  /* in the archive */
    uint64_t size;
    enum layer_path_kind kind;
};

struct path_table {
    struct text bytes; /* printable paths and links, each with a NUL behind it */
    struct item *items;
    size_t count;
    size_t capacity;
    bool full;
};

struct path_table *path_table_new(void)
{
    return memory_new(sizeof(struct path_table));
}

void path_table_free(struct path_table *table)
{
    if (!table)
        return;
    text_release(&table->bytes);
    free(table->items);
    free(table);
}

bool path_table_add(struct path_table *table, enum layer_path_kind kind, const char *path,
                    uint64_t size, const char *link)
{
    /* four bytes for one at worst, and the table's own digits */
    size_t worst = 4 * (strlen(path) + strlen(link)) + 64;

    table->full = table->full || table->count == LAYER_PATHS_MAX ||
                  table->bytes.length + worst > LAYER_TABLE_BYTES_MAX;
    if (table->full)
        return false;
    table->items = memory_grow(table->items, table->count, &table->capacity, sizeof(*table->items));
    table->items[table->count] = (struct item){.offset = (uint32_t)table->bytes.length,
                                               .order = (uint32_t)table->count,
                                               .size = size < INT64_MAX ? size : INT64_MAX,
                                               .kind = kind};
    table->count++;
    layer_path_print(&table->bytes, path);
    text_add_bytes(&table->bytes, "", 1);
    layer_path_print(&table->bytes, link);
    text_add_bytes(&table->bytes, "", 1);
    return true;
}

static bool is_mark(const struct item *item, enum layer_path_kind kind)
{
    return item->kind == kind;
}

/* Marks for lower layers before the entry, each kind for itself. */
static unsigned class_of(const struct item *item)
{
    return is_mark(item, LAYER_PATH_WHITEOUT) ? 0 : is_mark(item, LAYER_PATH_OPAQUE) ? 1 : 2;
}

static int compare(const void *a, const void *b, void *argument)
{
    const struct item *left = a, *right = b;
    const char *bytes = argument;
    int order = layer_path_compare(bytes + left->offset, bytes + right->offset);

    if (order == 0)
        order = (int)class_of(left) - (int)class_of(right);
    if (order == 0)
        order = left->order < right->order ? -1 : 1;
    return order;
}

static bool same_place(const struct path_table *table, const struct item *a, const struct item *b)
{
    const char *bytes = text_data(&table->bytes);

    return class_of(a) == class_of(b) && strcmp(bytes + a->offset, bytes + b->offset) == 0;
}

bool path_table_write(struct path_table *table, struct text *to, uint64_t *ret_duplicate_bytes)
{
    const char *previous = "";
    bool fits = true;

    if (table->count > 0)
        qsort_r(table->items, table->count, sizeof(*table->items), compare, table->bytes.data);
    for (size_t i = 0; i < table->count; i++) {
        const struct item *item = &table->items[i];
        const char *path = table->bytes.data + item->offset;
        if (i + 1 < table->count && same_place(table, item, item + 1)) {
            *ret_duplicate_bytes += item->size;
            continue;
        }
        const char *link = path + strlen(path) + 1;
        fits = to->length + strlen(path) + strlen(link) + 64 <= LAYER_TABLE_BYTES_MAX;
        if (!fits)
            break;
        const struct layer_path line = {path, item->kind, item->size, link};
        layer_paths_add(to, previous, &line);
        previous = path;
    }
    fits = fits && !table->full;
    text_release(&table->bytes);
    table->count = 0;
    return fits;
}
