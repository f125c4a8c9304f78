/* The images of one `check` beside each other: verdict, runtime, sizes, base. Where several are of
 * one repository, as a build in one stage and one in two, each is compared with the first of them;
 * and two images are compared whatever they are. */
#include "check.h"

#include <string.h>

#include "escape.h"

enum { COLUMNS = 7, REFERENCE_SHOWN = 60, BASE_SHOWN = 48 };

static const char *const headings[COLUMNS] = {"IMAGE", "VERDICT", "SIZE", "CHANGE",
                                              "OWN",   "RUNTIME", "BASE"};
static const bool right[COLUMNS] = {[2] = true, [3] = true, [4] = true};

/* Up to its tag or digest. */
static size_t repository_size(const char *reference)
{
    const char *at = strchr(reference, '@');
    size_t size = at ? (size_t)(at - reference) : strlen(reference);
    const char *slash = memrchr(reference, '/', size);
    const char *colon = memrchr(reference, ':', size);
    return colon && (!slash || colon > slash) ? (size_t)(colon - reference) : size;
}

static bool same_repository(const struct check_result *a, const struct check_result *b)
{
    size_t size = repository_size(a->reference);
    return size == repository_size(b->reference) &&
           strncmp(a->reference, b->reference, size) == 0 && text_equal(a->platform, b->platform);
}

static size_t first_of(const struct check_result *results, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_repository(&results[i], &results[index]))
            return i;
    return index;
}

static void add_change(uint64_t before, uint64_t now, struct text *to)
{
    double percent;
    if (before == 0 || now == 0)
        return;
    percent = ((double)now - (double)before) * 100 / (double)before;
    /* nearly nothing is left: by how much tells */
    text_format(to, percent < -99 ? "%+.1f %%" : "%+.0f %%", percent);
}

static void add_cut(struct text *to, const char *value, size_t max)
{
    AUTO_TEXT struct text plain = {0};
    size_t cut;
    escape_plain(&plain, value, NULL);
    if (plain.length <= max) {
        text_add(to, text_data(&plain));
        return;
    }
    cut = plain.length - max; /* the end of a name tells more than its beginning */
    while (((unsigned char)plain.data[cut] & 0xC0) == 0x80)
        cut++;
    text_format(to, "…%s", plain.data + cut);
}

static void add_base(const struct facts *facts, struct text *to)
{
    if (facts == NULL)
        return;
    if (facts->base.name != NULL)
        add_cut(to, facts->base.name, BASE_SHOWN);
    else
        text_add(to, "unknown");
}

static void fill_row(const struct check_result *results, size_t count, size_t index,
                     struct text row[static COLUMNS])
{
    const struct check_result *result = &results[index];
    size_t other = count == 2 ? 0 : first_of(results, index);
    char number[TEXT_NUMBER_SIZE];
    uint64_t bytes = check_bytes(result->facts), own, base;
    add_cut(&row[0], result->reference, REFERENCE_SHOWN);
    text_add(&row[1], verdict_status_name(result->verdict->status));
    if (bytes > 0)
        text_add(&row[2], text_format_bytes(bytes, number));
    if (other != index)
        add_change(check_bytes(results[other].facts), bytes, &row[3]);
    if (check_split_bytes(result->facts, &own, &base))
        text_add(&row[4], text_format_bytes(own, number));
    check_add_runtime(result->facts, &row[5]);
    add_base(result->facts, &row[6]);
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void add_cell(struct text *to, const char *value, size_t width, bool at_right)
{
    size_t padding = width - width_of(value);
    if (at_right)
        text_format(to, "%*s", (int)padding, "");
    text_add(to, value);
    if (!at_right)
        text_format(to, "%*s", (int)padding, "");
}

static void add_row(struct text *to, const char *const cells[static COLUMNS],
                    const size_t widths[static COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (widths[i] == 0)
            continue;
        add_cell(to, cells[i], widths[i], right[i]);
        text_add(to, "  ");
    }
    while (to->length > 0 && to->data[to->length - 1] == ' ')
        to->data[--to->length] = '\0';
    text_add_char(to, '\n');
}

/* A column that is empty in all rows is left out. */
static void measure(struct text (*rows)[COLUMNS], size_t count, size_t widths[static COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = 0;
        for (size_t row = 0; row < count; row++) {
            size_t width = width_of(text_data(&rows[row][i]));
            if (width > widths[i])
                widths[i] = width;
        }
        if (widths[i] > 0 && widths[i] < strlen(headings[i]))
            widths[i] = strlen(headings[i]);
    }
}

void check_add_summary(const struct check_result *results, size_t count, struct text *to)
{
    struct text(*rows)[COLUMNS] = memory_new_array(count, sizeof(*rows));
    size_t widths[COLUMNS];
    for (size_t i = 0; i < count; i++)
        fill_row(results, count, i, rows[i]);
    measure(rows, count, widths);
    add_row(to, headings, widths);
    for (size_t row = 0; row < count; row++) {
        const char *cells[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            cells[i] = text_data(&rows[row][i]);
        add_row(to, cells, widths);
        for (size_t i = 0; i < COLUMNS; i++)
            text_release(&rows[row][i]);
    }
    free(rows);
}
