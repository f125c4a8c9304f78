/* Rules by table: settings, what differs from a good image, where it stands, and what must come
 * out. */
#ifndef TESTS_POLICY_ROWS_H
#define TESTS_POLICY_ROWS_H

#include "policy_support.h"

#include "compiled.h"

struct row {
    const char *with;  /* settings, YAML flow */
    const char *facts; /* laid over the good image, YAML flow */
    enum judgement judgement;
    const char *message; /* part of some finding's message; NULL: not looked at */
    struct placement placement;
};

/* Judges the row; `ret` must be empty. */
void row_judge(const char *rule, const struct row *row, struct verdict *ret);
/* `more` are further lines of the policy. */
void run_rows(const char *rule, const char *more, const struct row *rows, size_t count);
#define RUN_ROWS(rule, rows) run_rows(rule, "", rows, ARRAY_COUNT(rows))
#define RUN_ROWS_WITHOUT_LAYERS(rule, rows) \
    run_rows(rule, "layers: false\n", rows, ARRAY_COUNT(rows))

#endif
