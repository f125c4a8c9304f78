/* Scan workers: layers are read in child processes that can do nothing else.
 *
 * A worker is this same program started anew with a hidden command. It has one socket and nothing
 * more: no credentials, no environment, no file system, no network, a filter for system calls, and
 * bounds on memory, processor time and output. Bytes go in as they come, with back-pressure; layer
 * facts come out as one bounded document, which is checked when it is read. A worker that crashes,
 * runs out of memory or time, or falls silent costs its layer and nothing else: the next layer gets
 * a new one. The daemon's memory does not grow with the layer. Loop thread. */
#ifndef REGWARDEN_SCAN_POOL_H
#define REGWARDEN_SCAN_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/layer_facts.h"
#include "regwarden/scan.h"

struct loop;
struct scan_pool; /* opaque */

struct scan_pool_options {
    const char *program; /* NULL: /proc/self/exe */
    unsigned workers;    /* at the same time; more layers wait */
    struct scan_options scan;
    uint64_t memory_bytes; /* that one worker may use */
    int64_t silence_ms;    /* without progress of a worker that has bytes to read */
};
int scan_pool_new(struct loop *loop, const struct scan_pool_options *options,
                  struct scan_pool **ret, struct error *err);
/* Kills the workers; their jobs end with FAILURE_LATER. Accepts NULL. */
void scan_pool_free(struct scan_pool *pool);
/* For scans that begin from now on. */
void scan_pool_set_probes(struct scan_pool *pool, const struct scan_probes *probes);

/* One layer. `begin` comes when a worker is ready to take its bytes; `resume` when it takes more
 * after scan_pool_push() said that it was full. Then exactly one `done`, never from within a call:
 * error NULL and the facts, which the callback may TAKE; or why there are none. FAILURE_INPUT: no
 * legal layer, or not the bytes of `digest`. FAILURE_LIMIT: a bound of the scan was hit.
 * FAILURE_SYSTEM: the worker died. FAILURE_LATER: the pool is going down. */
struct scan_job {
    struct digest digest; /* that the bytes must have */
    uint64_t size;        /* of the compressed bytes; 0 when it is not known */
    uint8_t owner;        /* whoever it is for, such as a byte of a hash: owners take turns */
    void (*begin)(void *argument, uint64_t id);
    void (*resume)(void *argument, uint64_t id);
    void (*done)(void *argument, const struct error *error, struct layer_facts **facts);
    void *argument;
};
uint64_t scan_pool_start(struct scan_pool *pool, const struct scan_job *job);
/* Takes all of it. False: bring no more before `resume` comes. Unknown ids are ignored (true):
 * their `done` is on its way. */
bool scan_pool_push(struct scan_pool *pool, uint64_t id, const void *bytes, size_t size);
void scan_pool_end(struct scan_pool *pool, uint64_t id);    /* all bytes were given */
void scan_pool_cancel(struct scan_pool *pool, uint64_t id); /* no `done` any more */

struct scan_pool_counters {
    uint64_t started, finished, failed, killed;
    size_t active, waiting;
};
void scan_pool_counters(const struct scan_pool *pool, struct scan_pool_counters *ret);
/* What the kernel, or whoever started this process, did not let the last worker have of the sandbox
 * beyond what it must have; one a line, "" when nothing is missing. Borrowed. */
const char *scan_pool_missing(const struct scan_pool *pool);

/* The hidden command: serves one layer after another on descriptor 3 and ends when it is closed.
 * Returns the exit status. */
int scan_worker_main(void);
#define SCAN_WORKER_COMMAND "scan-worker"

#endif
