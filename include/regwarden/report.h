/* Reports: documents for people and machines from verdicts and records. One file per format in a
 * table. Pure; any thread. */
#ifndef REGWARDEN_REPORT_H
#define REGWARDEN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/text.h"
#include "regwarden/verdict.h"

/* One result of `check`. Borrowed. */
struct check_result {
    const char *reference;
    struct digest digest;
    const char *platform;      /* NULL or "" for an index */
    const struct facts *facts; /* NULL when it could not be had */
    const struct verdict *verdict;
};
struct check_format {
    const char *name; /* "table", "json", "markdown", … */
    const char *media_type;
    void (*write)(const struct check_result *results, size_t count, bool color, struct text *to);
};
extern const struct check_format *const check_formats[]; /* ends with NULL */
const struct check_format *check_format_find(const char *name);
struct json *check_schema(void); /* of the json format. Returns new. */

/* From store_list(STORE_LIST_REPORT). */
struct report_format {
    const char *name; /* "json", "csv" */
    const char *media_type;
    void (*write)(const struct json *report, struct text *to);
};
extern const struct report_format *const report_formats[]; /* ends with NULL */
const struct report_format *report_format_find(const char *name);

/* RFC 4180 field; a leading = + - @ TAB CR is defused with an apostrophe so that no spreadsheet
 * runs it. */
void report_csv_field(struct text *to, const char *value);
void report_html_escape(struct text *to, const char *value);

/* OpenMetrics 1.0 text. Families in a const table; values are pulled by the caller. */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };
struct metric_sample {
    const char *labels; /* "registry=\"a\"" made by metric_label, or NULL */
    double value;
};
void metric_family(struct text *to, const char *name, enum metric_kind kind, const char *unit,
                   const char *help);
void metric_sample(struct text *to, const char *name, enum metric_kind kind,
                   const struct metric_sample *sample);
void metric_label(struct text *to, const char *name,
                  const char *value); /* escaped; comma put before when needed */
void metric_end(struct text *to);     /* "# EOF\n" */

#endif
