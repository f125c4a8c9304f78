/* One Amazon SQS queue that is polled: its messages are taken as if they had been sent to the
 * registry's hook, and deleted once what they say is durable.
 *
 * Who may write into the queue is the queue's policy: a message is trusted for being in it, so the
 * signature of an SNS envelope is not asked for. Any number of pollers may share a queue, and a
 * message may come more than once. Loop thread. */
#ifndef INTAKE_SQS_H
#define INTAKE_SQS_H

#include "regwarden/aws.h"
#include "regwarden/intake.h"

struct sqs; /* opaque */

struct sqs_tuning {
    int wait_s;               /* of a long poll */
    int visibility_s;         /* a message that was received is hidden for so long */
    int64_t extend_ms;        /* a message that is older and still being written is hidden anew */
    int64_t delete_ms;        /* deletes wait so long for company */
    int64_t backoff_first_ms; /* after a failure; doubles */
    int64_t backoff_max_ms;
};
extern const struct sqs_tuning sqs_tuning_default;

struct sqs_options {
    struct loop *loop;
    const struct config_registry *registry; /* outlives the poller; aws.queue_url is set */
    const struct sqs_tuning *tuning;        /* NULL: the default */
    /* As intake_take_message(). */
    void (*take)(void *argument, const struct intake_body *body, store_done_f *done,
                 void *done_argument);
    /* The queue cannot be used, or with NULL: can again. Once each. */
    void (*trouble)(void *argument, const struct config_registry *registry,
                    const struct error *error);
    void *argument;
};
/* FAILURE_INPUT, FAILURE_ABSENT, as aws_new(). Nothing is sent yet. */
int sqs_new(const struct sqs_options *options, struct sqs **ret, struct error *err);
void sqs_start(struct sqs *sqs);
/* Accepts NULL. What is being written stays in the queue and comes again. */
void sqs_free(struct sqs *sqs);
/* The strings are borrowed and good until the loop is entered again. */
void sqs_status(const struct sqs *sqs, struct intake_queue *ret);

/* The region in the address of a queue of AWS, or NULL. Returns new. */
char *sqs_region(const char *queue_url);

#endif
