/* The table of answers. Senders react very differently to the same status, so what each does with
 * it is written beside it. */
#include "answers.h"

#include <assert.h>
#include <stddef.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

/* What every sender takes for what it is. */
static const struct hook_answer common_answers[SITUATION_COUNT] = {
    [SITUATION_ACCEPTED] = {.status = 202},    [SITUATION_NOTHING] = {.status = 204},
    [SITUATION_DEAD_LETTER] = {.status = 202}, [SITUATION_HANDSHAKE] = {.status = 200},
    [SITUATION_BUSY] = {.status = 503},
};

/* What a refusal does to a sender: that is where they differ. */
struct answer_row {
    const char *dialect;
    struct hook_answer unauthorised;
    int busy_retry_after_s;
};

static const struct answer_row answer_rows[] = {
    {
        /* Tries again for ever on anything but 2xx and 3xx, one event at a time: an event that is
         * always refused blocks all that come after it, so what is not understood is a success. A
         * wrong secret holds the queue until it is set right, and nothing is lost meanwhile. */
        .dialect = "distribution",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 1,
    },
    {
        /* As distribution, but gives an event up after its maxretries. */
        .dialect = "gitlab",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 1,
    },
    {
        /* Three attempts in all, at least 15 seconds apart, then the event is gone: a refusal for
         * good costs it two useless attempts, so what is not understood is a success. */
        .dialect = "harbor",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* EventBridge tries again for a day, but on 429, 5xx and silence only; with any other
         * status the event is gone. So a wrong secret is told as a failure of ours: the events of
         * the hours until it is set right are not lost. Retry-After is honoured. */
        .dialect = "ecr",
        .unauthorised = {.status = 503, .retry_after_s = 60},
        .busy_retry_after_s = 30,
    },
    {
        /* SNS takes every status from 200 to 499 as delivered and tries again on 5xx and silence
         * only, three times 20 seconds apart unless the topic says more. A message whose topic,
         * signature or age is wrong stays wrong, so it is refused once; a certificate that could
         * not be fetched is a 503. */
        .dialect = "sns",
        .unauthorised = {.status = 403},
        .busy_retry_after_s = 20,
    },
    {
        /* One attempt, 5 seconds, never again: whatever is answered, only the sweep finds what was
         * not kept. The status shows in the webhook's log. */
        .dialect = "acr",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* Success is 200 to 204 for events and exactly 200 for a handshake. 400 and 413 give an
         * event up at once, so they are never answered; 401, 403 and 404 wait five minutes, others
         * less, within a day and 30 attempts. */
        .dialect = "eventgrid",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 30,
    },
    {
        /* Pub/Sub: 102, 200, 201, 202 and 204 acknowledge; anything else comes again until the
         * subscription's retention ends. */
        .dialect = "gar",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 10,
    },
    {
        /* Never tries again by itself; the status shows among the recent deliveries, from where
         * one can be sent again by hand. */
        .dialect = "github",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* Never tries again. */
        .dialect = "gitea",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* Five attempts, 30 seconds apart; after three failed ones in a row it switches the
         * notification off until somebody resets it. So nothing but a wrong secret and a full disk
         * is a failure. */
        .dialect = "quay",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 30,
    },
    {
        /* No attempt after the first is documented. */
        .dialect = "dockerhub",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* One attempt, never again. */
        .dialect = "zot",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* Whether it tries again is not documented: any 2xx is a success. */
        .dialect = "jfrog",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* One attempt; 300 and above is an error in its log, nothing more. */
        .dialect = "nexus",
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
    {
        /* Unknown senders: some disable themselves after a few refusals. */
        .dialect = NULL,
        .unauthorised = {.status = 401},
        .busy_retry_after_s = 15,
    },
};

struct hook_answer answer_for(const char *dialect, enum situation situation)
{
    assert(situation < SITUATION_COUNT);
    const struct answer_row *row = answer_rows;
    while (row->dialect != NULL && !text_equal(row->dialect, dialect))
        row++;
    if (situation == SITUATION_UNAUTHORISED)
        return row->unauthorised;
    struct hook_answer answer = common_answers[situation];
    if (situation == SITUATION_BUSY)
        answer.retry_after_s = row->busy_retry_after_s;
    return answer;
}
