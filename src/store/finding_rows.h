/* Findings of the verdict in force, counted per rule. */
#ifndef STORE_FINDING_ROWS_H
#define STORE_FINDING_ROWS_H

#include "driver.h"
#include "regwarden/verdict.h"

int findings_insert(struct driver *driver, int64_t placement_id, const struct findings *findings,
                    struct error *err);

#endif
