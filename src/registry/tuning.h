/* The bounds of a registry client. Not settings: tests make them small, nothing else changes them.
 * Plain data. */
#ifndef REGISTRY_TUNING_H
#define REGISTRY_TUNING_H

#include <stddef.h>
#include <stdint.h>

struct registry_tuning {
    unsigned attempts;        /* of a request that may be repeated, the first one included */
    int64_t backoff_first_ms; /* upper end of the first wait; doubles with every attempt */
    int64_t backoff_max_ms;
    int64_t hold_max_ms;       /* longer Retry-After is not waited for here but handed on */
    unsigned breaker_failures; /* in a row, until the breaker opens */
    int64_t breaker_open_ms;   /* before the first probe; doubles with every probe that fails */
    int64_t breaker_open_max_ms;
    uint64_t slowest_bytes_per_s; /* an answer that comes slower on average is given up */
    unsigned max_redirects;
    unsigned max_pages; /* of a list */
};
extern const struct registry_tuning registry_tuning_default;

#endif
