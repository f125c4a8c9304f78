/* Findings, counted per rule, severity and status: what sums and filters need, without opening
 * every verdict's document. */
#include "finding_rows.h"

int findings_insert(struct driver *driver, int64_t placement_id, const struct findings *findings,
                    struct error *err)
{
    static const char sql[] =
        "INSERT INTO findings (placement_id, rule, severity, status, findings)"
        " VALUES ($1, $2, $3, $4, 1) ON CONFLICT (placement_id, rule, severity, status)"
        " DO UPDATE SET findings = findings.findings + 1";

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        int failure =
            driver_run(driver, sql,
                       BINDS(bind_integer(placement_id), bind_text(finding->rule),
                             bind_integer(finding->severity), bind_integer(finding->status)),
                       err);
        if (failure < 0)
            return failure;
    }
    return 0;
}
