/* The compliance report in its formats: as JSON as the store made it, and as CSV in long form, one
 * number for each row, so that what the store adds later needs no new column. */
#include "check.h"

#include <inttypes.h>

/* A value as CSV: text is defused, numbers are ours and stay numbers. */
static void add_value(struct text *to, const struct json *value)
{
    if (json_is(value, JSON_KIND_INTEGER))
        text_format(to, "%" PRId64, json_integer(value, 0));
    else if (json_is(value, JSON_KIND_REAL))
        text_format(to, "%.15g", json_real(value, 0));
    else if (json_is(value, JSON_KIND_BOOL))
        text_add(to, json_bool(value, false) ? "true" : "false");
    else
        report_csv_field(to, json_string(value));
}

static bool is_scalar(const struct json *value)
{
    return !json_is(value, JSON_KIND_ARRAY) && !json_is(value, JSON_KIND_OBJECT);
}

struct row {
    const char *section;
    const char *name;
};

static void add_row(struct text *to, const struct row *row, const char *key,
                    const struct json *value)
{
    report_csv_field(to, row->section);
    text_add_char(to, ',');
    report_csv_field(to, row->name);
    text_add_char(to, ',');
    report_csv_field(to, key);
    text_add_char(to, ',');
    add_value(to, value);
    text_add(to, "\r\n");
}

static void add_scalars(struct text *to, const struct row *row, const struct json *object)
{
    for (void *i = json_iterate(object); i != NULL; i = json_next(object, i)) {
        const struct json *value = json_iterator_value(i);
        if (is_scalar(value))
            add_row(to, row, json_iterator_key(i), value);
    }
}

/* What an entry of a list is about: its texts, in order, joined. Returns new. */
static char *entry_name(const struct json *entry)
{
    AUTO_TEXT struct text name = {0};
    for (void *i = json_iterate(entry); i != NULL; i = json_next(entry, i)) {
        const char *string = json_string(json_iterator_value(i));
        if (string == NULL)
            continue;
        text_add(&name, name.length > 0 ? " " : "");
        text_add(&name, string);
    }
    return text_take(&name);
}

static void add_numbers(struct text *to, const struct row *row, const struct json *entry)
{
    for (void *i = json_iterate(entry); i != NULL; i = json_next(entry, i)) {
        const struct json *value = json_iterator_value(i);
        if (is_scalar(value) && json_string(value) == NULL)
            add_row(to, row, json_iterator_key(i), value);
    }
}

static void add_section(struct text *to, const char *section, const struct json *value)
{
    if (json_is(value, JSON_KIND_OBJECT))
        add_scalars(to, &(struct row){section, ""}, value);
    for (size_t i = 0; json_is(value, JSON_KIND_ARRAY) && i < json_count(value); i++) {
        AUTO_FREE char *name = entry_name(json_at(value, i));
        add_numbers(to, &(struct row){section, name}, json_at(value, i));
    }
}

static void write_csv(const struct json *report, struct text *to)
{
    text_add(to, "section,name,field,value\r\n");
    add_scalars(to, &(struct row){"summary", ""}, report);
    for (void *i = json_iterate(report); i != NULL; i = json_next(report, i))
        add_section(to, json_iterator_key(i), json_iterator_value(i));
}

static void write_json(const struct json *report, struct text *to)
{
    json_write(report, JSON_INDENTED, to);
    text_add_char(to, '\n');
}

const struct report_format report_json = {
    .name = "json",
    .media_type = "application/json",
    .write = write_json,
};

const struct report_format report_csv = {
    .name = "csv",
    .media_type = "text/csv; charset=utf-8; header=present",
    .write = write_csv,
};
