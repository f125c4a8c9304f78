/* The tables of formats, and finding one by name. */
#include "check.h"

const struct check_format *const check_formats[] = {
    &check_table, &check_json, &check_sarif, &check_junit, &check_markdown, NULL,
};

const struct report_format *const report_formats[] = {
    &report_json,
    &report_csv,
    NULL,
};

const struct check_format *check_format_find(const char *name)
{
    for (size_t i = 0; check_formats[i] != NULL; i++) {
        if (text_equal(check_formats[i]->name, name))
            return check_formats[i];
    }
    return NULL;
}

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; report_formats[i] != NULL; i++) {
        if (text_equal(report_formats[i]->name, name))
            return report_formats[i];
    }
    return NULL;
}
