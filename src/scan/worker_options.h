/* What a worker is told when it starts. Private to the room. */
#ifndef SCAN_WORKER_OPTIONS_H
#define SCAN_WORKER_OPTIONS_H

#include "regwarden/scan.h"

enum { WORKER_OPTIONS_BYTES_MAX = 4 * 1024 * 1024 };

struct worker_options {
    struct scan_options scan; /* its probes are `probes` below */
    struct scan_probes probes;
    uint64_t memory_bytes; /* beyond what the program itself takes; 0: no bound */
    uint64_t cpu_seconds;  /* of the whole life of the worker */
};

/* Releases the probes, and erases the salt. */
void worker_options_release(struct worker_options *options);

/* Appends the document. Probes that do not fit are left out: they are not asked then. */
void worker_options_write(const struct worker_options *options, struct text *to);
/* Returns new. FAILURE_INPUT. */
int worker_options_read(const char *bytes, size_t size, struct worker_options *ret,
                        struct error *err);

#endif
