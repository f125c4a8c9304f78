/* Numbers and ranges of numbers, from texts. */
#include "id_ranges.h"

#include <string.h>

static int read_range(const char *text, struct id_range *ret)
{
    const char *dash = strchr(text, '-');
    AUTO_FREE char *first = memory_copy_bytes(text, dash ? (size_t)(dash - text) : strlen(text));
    uint64_t from, to;

    if (text_parse_uint(first, UINT32_MAX, &from, NULL) < 0)
        return FAILURE_INPUT;
    to = from;
    if (dash && (text_parse_uint(dash + 1, UINT32_MAX, &to, NULL) < 0 || to < from))
        return FAILURE_INPUT;
    *ret = (struct id_range){.first = (uint32_t)from, .last = (uint32_t)to};
    return 0;
}

int id_ranges_read(const struct text_list *texts, struct id_ranges *ret, struct error *err)
{
    *ret = (struct id_ranges){.items = memory_new_array(texts->count, sizeof(*ret->items))};
    for (size_t i = 0; i < texts->count; i++) {
        if (read_range(texts->items[i], &ret->items[ret->count++]) == 0)
            continue;
        AUTO_FREE char *shown = text_printable(texts->items[i], 40);
        error_set(err, FAILURE_INPUT, "'%s' is no id", shown);
        error_hint(err, "a number, or a range such as 100-999");
        return FAILURE_INPUT;
    }
    return 0;
}

void id_ranges_release(struct id_ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct id_ranges){0};
}

bool id_ranges_have(const struct id_ranges *ranges, uint32_t id)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (id >= ranges->items[i].first && id <= ranges->items[i].last)
            return true;
    return false;
}
