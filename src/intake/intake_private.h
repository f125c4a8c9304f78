/* What intake.c, endpoint.c, replies.c and taking.c share. */
#ifndef INTAKE_PRIVATE_H
#define INTAKE_PRIVATE_H

#include "answers.h"
#include "decode.h"
#include "delivery.h"
#include "proofs.h"

struct intake {
    struct intake_options options;
    struct http_client *client; /* for keys and confirmations; NULL without a loop */
    struct keys *keys;
    struct hook *hooks;
    size_t hook_count;
    struct delivery *deliveries;
    size_t waiting_bytes;
    struct queues *queues; /* NULL: polling was stopped */
    bool polls;
    struct intake_counters counters;
};

struct hook *intake_hook(struct intake *intake, const char *registry);

/* For tests: where keys are fetched from in place of their hosts. */
struct intake_tuning {
    const char *unix_socket; /* NULL: TCP */
    const char *ca_file;     /* NULL: the system's */
};
int intake_new_tuned(const struct intake_options *options, const struct intake_tuning *tuning,
                     struct intake **ret, struct error *err);

/* endpoint.c: a key that a sender's proof needed has come, or will not; the waiter is an
 * exchange. `argument` is the intake. */
void endpoint_resume(void *argument, uint64_t waiter);

/* sns_confirm.c: visits the address that makes the topic send to us, then answers. */
void sns_confirm(struct intake *intake, const struct hook *hook, const char *url,
                 struct http_exchange *exchange);

/* taking.c: from a message whose sender is known to the disk, and the answer. */

/* Bytes of bodies whose events are being written. A sender that closes its connection without
 * waiting could otherwise queue without end. */
enum { WAITING_BYTES_MAX = 16 << 20 };

/* Who gets to know how it went: an HTTP exchange, or the caller of a replay. */
struct receiver {
    struct http_exchange *exchange;
    store_done_f *replay;
    void *replay_argument;
};
void intake_take(struct intake *intake, struct hook *hook, const struct hook_message *message,
                 const struct receiver *receiver);
/* The dialect's answer to a sender whose message cannot be kept now. */
void intake_refuse_now(struct intake *intake, const char *dialect, struct http_exchange *exchange);

#endif
