/* A token bucket: so many requests in a second, and no more than a tenth of them at once. */
#include "sweep.h"

enum { SECOND_US = 1000000, BURST_US = 100000, MS_US = 1000 };

int64_t sweep_pace_take(struct sweep_pace *pace, int64_t now_ms)
{
    int64_t now_us = now_ms * MS_US;

    if (pace->rate <= 0)
        return 0;
    if (pace->due_us < now_us - BURST_US)
        pace->due_us = now_us - BURST_US; /* what was not sent is not saved up */
    if (pace->due_us > now_us)
        return (pace->due_us - now_us + MS_US - 1) / MS_US;
    pace->due_us += (SECOND_US + pace->rate - 1) / pace->rate; /* rather too few */
    return 0;
}
