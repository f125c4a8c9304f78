/* Amazon Web Services: credentials, signatures (SigV4) and calls of its JSON APIs.
 *
 * One `struct aws` is one identity in one region. Credentials come from where the settings say, or
 * with "auto" from the first of: the settings' credentials-file, a web identity (IRSA), the
 * container's endpoint (ECS, EKS Pod Identity), the instance's metadata (IMDSv2); they are fetched
 * when they are first needed, renewed before they expire, and fetched by one request however many
 * wait. Of the environment that is read which the platforms set: names of files, the container's
 * endpoint and its token, role and session; a secret key in it is not. Secrets are never logged and
 * never part of an error.
 *
 * A call is signed, sent to the endpoint of its service (or the settings' own), and ends with
 * exactly one callback on the loop, never from within the call. AWS says "later" with status 400:
 * Throttling* and the like are FAILURE_LATER, access denied FAILURE_DENIED, what is not there
 * FAILURE_ABSENT, other refusals FAILURE_INPUT, 5xx FAILURE_LATER; a write whose answer was lost or
 * was 5xx other than 503 is FAILURE_UNCERTAIN. What may pass is tried again here a few times,
 * uncertain writes excepted. A wrong clock is corrected once by the answer's Date, and credentials
 * that AWS does not take any more are fetched anew once. Loop thread. */
#ifndef REGWARDEN_AWS_H
#define REGWARDEN_AWS_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/config.h"
#include "regwarden/error.h"
#include "regwarden/json.h"

struct loop;
struct aws; /* opaque */

/* settings: outlive the aws. `region` may be NULL there: then `region` here, which a registry knows
 * from its host. FAILURE_INPUT (no region, wrong file), FAILURE_ABSENT. Nothing is sent yet. */
int aws_new(struct loop *loop, const struct config_aws *settings, const char *region,
            struct aws **ret, struct error *err);
void aws_free(struct aws *aws); /* accepts NULL; open calls end with FAILURE_LATER, "cancelled" */
const char *aws_region(const struct aws *aws);

struct aws_answer {            /* borrowed by the callback */
    const struct error *error; /* NULL exactly when the status was 2xx and the body is JSON */
    const struct json *body;   /* of errors too, when it was JSON; may be NULL */
    const char *error_type;    /* "ThrottlingException", without prefix; NULL when there is none */
    int status;                /* 0: no answer */
};
typedef void aws_done_f(void *argument, const struct aws_answer *answer);

struct aws_call {
    const char *service;  /* "ecr", "sqs": name for the signature and the endpoint's host */
    const char *endpoint; /* https://host[:port] in place of what the settings and AWS say; may be
                             NULL */
    const char *target;   /* X-Amz-Target, "AmazonSQS.ReceiveMessage" */
    const char *json_version; /* "1.1" for ECR, "1.0" for SQS */
    const struct json *input; /* borrowed during the call of aws_send */
    bool writes;              /* a lost answer is FAILURE_UNCERTAIN */
    int64_t idle_timeout_ms;  /* 0: 30 s; a long poll needs more than it waits */
    uint64_t max_body_bytes;  /* 0: 4 MiB */
};
/* Returns the call's id, never 0. */
uint64_t aws_send(struct aws *aws, const struct aws_call *call, aws_done_f *done, void *argument);
void aws_cancel(struct aws *aws, uint64_t id); /* no callback any more; unknown ids are ignored */

/* How hosts end in a region: "sqs.<region>.<services>". Pure, any thread. */
struct aws_names {
    const char *services;
    /* Where names answer over IPv6 too; NULL: none are known. */
    const char *dual_stack_hosts; /* of registries */
    const char *dual_stack_services;
};
const struct aws_names *aws_names(const char *region);

struct aws_counters {
    uint64_t calls, failures, retries, throttled, clock_corrections, credential_requests;
};
void aws_counters(const struct aws *aws, struct aws_counters *ret);

#endif
