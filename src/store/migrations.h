/* The schema, as numbered steps that were once released and never change again. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include <stddef.h>

#include "driver.h"

struct migration {
    int64_t number;
    const char *name;
    const char *sql;
};
extern const struct migration migrations[];
extern const size_t migration_count;

/* Brings the database to the last of `steps`, each in a transaction of its own. FAILURE_INPUT for a
 * database of a newer program or of another one. */
int migrate(struct driver *driver, const struct migration *steps, size_t count, int64_t now_ms,
            struct error *err);

#endif
