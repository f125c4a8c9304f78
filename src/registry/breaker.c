/* The circuit breaker's states: closed, open, half open. It does not know requests or queues. */
#include "breaker.h"

enum breaker_answer breaker_ask(struct breaker *breaker, int64_t now_ms)
{
    if (!breaker_is_open(breaker))
        return BREAKER_GO;
    if (now_ms < breaker->open_until_ms)
        return BREAKER_REFUSE;
    if (breaker->probing)
        return BREAKER_WAIT_FOR_PROBE;
    breaker->probing = true;
    return BREAKER_PROBE;
}

void breaker_drop_probe(struct breaker *breaker)
{
    breaker->probing = false;
}

static void open_breaker(struct breaker *breaker, const struct registry_tuning *tuning,
                         int64_t now_ms)
{
    int64_t next_ms = breaker->open_for_ms * 2;

    if (next_ms == 0)
        next_ms = tuning->breaker_open_ms;
    if (next_ms > tuning->breaker_open_max_ms)
        next_ms = tuning->breaker_open_max_ms;
    breaker->open_for_ms = next_ms;
    breaker->open_until_ms = now_ms + next_ms;
    breaker->probing = false;
}

void breaker_report(struct breaker *breaker, const struct registry_tuning *tuning, int64_t now_ms,
                    bool good)
{
    if (good) {
        *breaker = (struct breaker){0};
        return;
    }
    if (breaker->failures < tuning->breaker_failures)
        breaker->failures++;
    if (breaker_is_open(breaker)) {
        /* Late failures of requests that left before the opening say nothing new. */
        if (breaker->probing)
            open_breaker(breaker, tuning, now_ms);
        return;
    }
    if (breaker->failures >= tuning->breaker_failures)
        open_breaker(breaker, tuning, now_ms);
}

bool breaker_is_open(const struct breaker *breaker)
{
    return breaker->open_for_ms > 0;
}
