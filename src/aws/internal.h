/* What the files of this room share. */
#ifndef AWS_INTERNAL_H
#define AWS_INTERNAL_H

#include <sys/queue.h>

#include "regwarden/aws.h"
#include "regwarden/http_client.h"
#include "regwarden/loop.h"

#include "credentials.h"
#include "tuning.h"

struct call;
struct keyring;
TAILQ_HEAD(call_list, call);

struct aws {
    struct loop *loop;
    const struct config_aws *settings;
    struct aws_tuning tuning;
    char *region;
    struct http_client *http;
    struct keyring *keyring;
    struct job_pool *files; /* reads files of credentials; NULL until there is one */
    struct call_list calls;
    uint64_t last_id;
    int64_t clock_offset_ms; /* AWS's clock minus ours */
    struct aws_counters counters;
};

int aws_new_tuned(struct loop *loop, const struct config_aws *settings, const char *region,
                  const struct aws_tuning *tuning, struct aws **ret, struct error *err);
int64_t aws_now_ms(const struct aws *aws); /* wall clock, corrected */
/* A wait before attempt number `attempt` (1: the first repetition), random up to a bound that
 * doubles. */
int64_t aws_backoff_ms(const struct aws *aws, unsigned attempt);

/* call.c */
void calls_end_first(struct aws *aws); /* of at least one, with "cancelled" */

#endif
