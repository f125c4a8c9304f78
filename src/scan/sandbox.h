/* The sandbox of a worker: after sandbox_enter() a process can compute, and read and write the one
 * socket it has (home of libseccomp). Private to the room. */
#ifndef SCAN_SANDBOX_H
#define SCAN_SANDBOX_H

#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct sandbox_limits {
    uint64_t memory_bytes; /* beyond what is mapped now; 0: no bound */
    uint64_t cpu_seconds;
};

/* For ever. `fd` stays open, everything else is closed. What is worth having and could not be had
 * (the kernel or whoever started us forbids it) is added to `missing`, one a line. FAILURE_SYSTEM
 * when what has to be in force is not: then nothing of strangers may be read. One thread only. */
int sandbox_enter(int fd, const struct sandbox_limits *limits, struct text *missing,
                  struct error *err);

#endif
