/* The table of answers. Senders react very differently to the same status, so what each does with
 * it is written beside it. */
#include "answers.h"

#include <assert.h>
#include <stddef.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct answer_row {
    const char *dialect;
    struct hook_answer answers[SITUATION_COUNT];
};

static const struct answer_row answer_rows[] = {
    {
        /* Tries again for ever on anything but 2xx and 3xx, one event at a time: an event that is
         * always refused blocks all that come after it, so what is not understood is a success. A
         * wrong secret holds the queue until it is set right, and nothing is lost meanwhile. */
        .dialect = "distribution",
        .answers =
            {
                [SITUATION_ACCEPTED] = {.status = 202},
                [SITUATION_NOTHING] = {.status = 204},
                [SITUATION_DEAD_LETTER] = {.status = 202},
                [SITUATION_UNAUTHORISED] = {.status = 401},
                [SITUATION_BUSY] = {.status = 503, .retry_after_s = 1},
            },
    },
    {
        /* Three attempts in all, at least 15 seconds apart, then the event is gone: a refusal for
         * good costs it two useless attempts, so what is not understood is a success. */
        .dialect = "harbor",
        .answers =
            {
                [SITUATION_ACCEPTED] = {.status = 202},
                [SITUATION_NOTHING] = {.status = 204},
                [SITUATION_DEAD_LETTER] = {.status = 202},
                [SITUATION_UNAUTHORISED] = {.status = 401},
                [SITUATION_BUSY] = {.status = 503, .retry_after_s = 15},
            },
    },
    {
        /* EventBridge tries again for a day, but on 429 and 5xx only; other 4xx drop the event.
         * Retry-After is honoured. */
        .dialect = "ecr",
        .answers =
            {
                [SITUATION_ACCEPTED] = {.status = 202},
                [SITUATION_NOTHING] = {.status = 204},
                [SITUATION_DEAD_LETTER] = {.status = 202},
                [SITUATION_UNAUTHORISED] = {.status = 401},
                [SITUATION_BUSY] = {.status = 503, .retry_after_s = 30},
            },
    },
    {
        /* Unknown senders: some disable themselves after a few refusals. */
        .dialect = NULL,
        .answers =
            {
                [SITUATION_ACCEPTED] = {.status = 202},
                [SITUATION_NOTHING] = {.status = 204},
                [SITUATION_DEAD_LETTER] = {.status = 202},
                [SITUATION_UNAUTHORISED] = {.status = 401},
                [SITUATION_BUSY] = {.status = 503, .retry_after_s = 15},
            },
    },
};

struct hook_answer answer_for(const char *dialect, enum situation situation)
{
    assert(situation < SITUATION_COUNT);
    const struct answer_row *row = answer_rows;
    while (row->dialect != NULL && !text_equal(row->dialect, dialect))
        row++;
    return row->answers[situation];
}
