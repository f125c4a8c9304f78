/* A circuit breaker: after some failures in a row nothing is sent for a while, then one probe.
 * Plain data without a clock: now is handed in. */
#ifndef REGISTRY_BREAKER_H
#define REGISTRY_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "tuning.h"

struct breaker {
    unsigned failures;   /* in a row */
    int64_t open_for_ms; /* length of the present opening; 0: closed */
    int64_t open_until_ms;
    bool probing; /* half open: one request is out to find out */
};

enum breaker_answer { BREAKER_GO, BREAKER_PROBE, BREAKER_WAIT_FOR_PROBE, BREAKER_REFUSE };

/* May a request go out now? With BREAKER_PROBE the caller has taken the probe and must report it,
 * or give it back with breaker_drop_probe(). */
enum breaker_answer breaker_ask(struct breaker *breaker, int64_t now_ms);
void breaker_drop_probe(struct breaker *breaker);
void breaker_report(struct breaker *breaker, const struct registry_tuning *tuning, int64_t now_ms,
                    bool good);
bool breaker_is_open(const struct breaker *breaker);

#endif
