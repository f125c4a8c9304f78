/* What the formats of `check` share: the rows of the table, and reading one result. */
#ifndef REPORT_CHECK_H
#define REPORT_CHECK_H

#include "regwarden/report.h"

extern const struct check_format check_table;
extern const struct check_format check_json;
extern const struct check_format check_markdown;
extern const struct check_format check_sarif;
extern const struct check_format check_junit;

extern const struct report_format report_json;
extern const struct report_format report_csv;

/* The findings in the order in which people read them: the waived last, else the severest first,
 * then what is certain, then by rule, the largest first. Returns new array of borrowed findings. */
const struct finding **check_sorted(const struct verdict *verdict);

/* How many findings of all results have this status. */
size_t check_count(const struct check_result *results, size_t count, enum finding_status status);
size_t check_count_verdicts(const struct check_result *results, size_t count,
                            enum verdict_status status);

/* "node 20.11", "" when unknown. Appended. */
void check_add_runtime(const struct facts *facts, struct text *to);
/* Compressed bytes of the image's layers; 0 when unknown and for an index. */
uint64_t check_bytes(const struct facts *facts);
/* How much of that is the image's own, and how much its base's. False when it is not known. */
bool check_split_bytes(const struct facts *facts, uint64_t *ret_own, uint64_t *ret_base);
/* The images beside each other: a table with sizes. Appended. */
void check_add_summary(const struct check_result *results, size_t count, struct text *to);
/* Where a finding is, in words: "base layer 0a1b2c3d4e5f, step 7, /app/.env, 12.3 MB, known by
 * layers". Appended plain.
 */
void check_add_place(const struct finding *finding, struct text *to);

#endif
