/* Rows from the daemon as tables on a terminal. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 12, CELL_MAX = 60 };

static const struct json *find(const struct json *row, const char *key)
{
    const char *dot = strchr(key, '.');

    if (!dot)
        return json_get(row, key);
    AUTO_FREE char *first = text_new("%.*s", (int)(dot - key), key);
    return find(json_get(row, first), dot + 1);
}

/* Text of one cell: never raw bytes from outside, digests shortened to what people compare. */
static char *cell(const struct json *row, const char *key)
{
    const struct json *value = find(row, key);
    const char *string = json_string(value);
    AUTO_TEXT struct text list = {0};

    if (string && text_starts_with(string, "sha256:") && strlen(string) == 71)
        return text_new("%.12s", string + 7);
    if (string)
        return text_printable(string, CELL_MAX);
    switch (json_kind(value)) {
    case JSON_KIND_INTEGER:
        return text_new("%lld", (long long)json_integer(value, 0));
    case JSON_KIND_BOOL:
        return memory_copy_text(json_bool(value, false) ? "yes" : "no");
    case JSON_KIND_REAL:
        return text_new("%.1f", json_real(value, 0));
    case JSON_KIND_ARRAY:
        for (size_t i = 0; i < json_count(value); i++)
            if (json_string(json_at(value, i)))
                text_format(&list, "%s%s", i ? "," : "", json_string(json_at(value, i)));
        return text_printable(text_data(&list), CELL_MAX);
    case JSON_KIND_NONE:
    case JSON_KIND_NULL:
    case JSON_KIND_STRING:
    case JSON_KIND_OBJECT:
        break;
    }
    return memory_copy_text("-");
}

static void print_row(char *const *cells, const size_t *widths, size_t count)
{
    for (size_t c = 0; c < count; c++) {
        if (c + 1 < count)
            printf("%-*s  ", (int)widths[c], cells[c]);
        else
            printf("%s\n", cells[c]);
    }
}

void client_print_table(const struct json *rows, const struct column *columns)
{
    size_t widths[COLUMNS_MAX] = {0};
    size_t count = 0;
    size_t row_count = json_count(rows);
    char **cells;

    while (columns[count].heading && count < COLUMNS_MAX)
        count++;
    cells = memory_new_array((row_count + 1) * count, sizeof *cells);
    for (size_t r = 0; r <= row_count; r++)
        for (size_t c = 0; c < count; c++) {
            char **place = &cells[r * count + c];

            *place = r == 0 ? memory_copy_text(columns[c].heading)
                            : cell(json_at(rows, r - 1), columns[c].key);
            if (strlen(*place) > widths[c])
                widths[c] = strlen(*place);
        }
    for (size_t r = 0; r <= row_count; r++)
        print_row(&cells[r * count], widths, count);
    for (size_t i = 0; i < (row_count + 1) * count; i++)
        free(cells[i]);
    free(cells);
}

void client_print_json(const struct json *json)
{
    AUTO_TEXT struct text text = {0};

    json_write(json, JSON_INDENTED, &text);
    puts(text_data(&text));
}
