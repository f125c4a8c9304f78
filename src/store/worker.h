/* A thread of the store with its queue and its connection. Takes all that waits, carries it out in
 * one transaction, hands it to the mailbox. */
#ifndef STORE_WORKER_H
#define STORE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "operation.h"

struct mailbox;
struct worker; /* opaque */

/* Read by any thread. */
struct worker_counters {
    atomic_uint_fast64_t commits, operations, failures;
    atomic_int_fast64_t bytes;
};

struct worker_options {
    const char *name;                 /* of the thread */
    struct driver *driver;            /* taken */
    struct mailbox *mailbox;          /* borrowed */
    struct worker_counters *counters; /* borrowed; NULL: nothing is counted */
    bool isolate; /* each operation in its own savepoint from the start; otherwise only when one
                     fails */
};
struct worker *worker_start(const struct worker_options *options);
/* Any thread. False, and nothing is taken, when too much is waiting already. */
bool worker_put(struct worker *worker, struct operation *operation);
size_t worker_waiting(struct worker *worker); /* any thread */
void worker_stop(struct worker *worker);      /* carries out what waits, then ends; accepts NULL */

#endif
