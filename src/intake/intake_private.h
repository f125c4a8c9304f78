/* What intake.c, endpoint.c, replies.c and taking.c share. */
#ifndef INTAKE_PRIVATE_H
#define INTAKE_PRIVATE_H

#include "answers.h"
#include "decode.h"
#include "delivery.h"
#include "hook.h"

struct intake {
    struct intake_options options;
    struct hook *hooks;
    size_t hook_count;
    struct delivery *deliveries;
    size_t waiting_bytes;
    struct intake_counters counters;
};

struct hook *intake_hook(struct intake *intake, const char *registry);

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
