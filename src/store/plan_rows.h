/* Plans, as the record of a verdict writes them in its own transaction. */
#ifndef STORE_PLAN_ROWS_H
#define STORE_PLAN_ROWS_H

#include "operation.h"

struct plan_owner {
    const char *registry;
    int64_t placement_id;
    const struct digest *digest;
    int64_t verdict_id;
    int64_t at_ms;
};
/* Announces its pushes, unless it is only audited. One that is no push is FAILURE_INPUT. */
int plan_insert(struct driver *driver, const struct plan_owner *owner, struct store_plan *plan,
                struct error *err);

#endif
