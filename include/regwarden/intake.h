/* Intake: notifications of registries in, normalised events out. A table of dialects
 * (src/intake/decoders.c), one file each.
 *
 * `/hooks/<registry>`: the registry is the configured one of that name, never what the payload
 * says; the sender proves itself in the way of its dialect, or as hook-proof says. What is
 * understood is handed over as events and answered 2xx only when they are durable; what is not
 * understood, from an authentic sender, is kept as a dead letter and answered 2xx too, since a
 * refusal would wedge or disable senders; see the answer table in the implementation. Of addresses
 * in a payload two are asked, and only on the host of Amazon SNS that a topic of the settings has:
 * that of its certificate, and the confirmation of a subscription. Loop thread; decoders are pure.
 */
#ifndef REGWARDEN_INTAKE_H
#define REGWARDEN_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/config.h"
#include "regwarden/error.h"
#include "regwarden/event.h"
#include "regwarden/store.h"

struct http_exchange;
struct http_server;
struct intake; /* opaque */

/* Messages of Amazon SNS that carry no event. The decoder only tells them apart: whether signature
 * and topic are right, and what follows, is not its business. */
enum hook_confirm {
    HOOK_CONFIRM_NONE,
    HOOK_CONFIRM_SUBSCRIPTION,   /* the body's SubscribeURL awaits a visit */
    HOOK_CONFIRM_UNSUBSCRIPTION, /* the subscription was ended; there is nothing to visit */
};

/* What the decoder made of one body. */
struct decoded {
    struct event *events; /* registry and received_ms are filled in by the intake */
    size_t count;
    size_t capacity;
    size_t ignored;       /* events that are of no interest: blobs, pulls, other types */
    char *instance;       /* sender's instance id when the dialect has one (distribution:
                             source.instanceID) */
    struct error *faults; /* parts that were not understood: one dead letter holds the body and
                             all of these */
    size_t fault_count;   /* the first 16 */
    size_t fault_capacity;
    size_t fault_more; /* that are only counted */
    char *reply; /* JSON that the sender waits for, with status 200 (handshakes); NULL: the usual
                    answer */
    enum hook_confirm confirm;
};
void decoded_release(struct decoded *decoded);

/* One notification as it came. Borrowed. */
struct hook_message {
    const struct text_pairs *headers; /* names in lower case; of a replayed dead letter those that
                                         the decoder names in `headers`. May be NULL */
    const char *content_type;         /* NULL when there is none */
    const char *bytes;                /* the body as it was sent */
    size_t size;
    const struct json *body; /* parsed; of a form (GitHub, Gitea) its payload */
};
/* NULL when absent or sent more than once. */
const char *hook_message_header(const struct hook_message *message, const char *name);

struct decoder {
    const char *name; /* "distribution", "harbor", "ecr", … */
    const char *summary;
    const char *const *headers; /* that it looks at beside Content-Type, lower case; kept with dead
                                   letters. Ends with NULL; may be NULL */
    enum hook_proof proof;      /* how its senders prove themselves, when the settings say "auto" */
    /* Does this look like the dialect? Used when the registry's dialect is "auto". */
    bool (*recognises)(const struct hook_message *message);
    /* Returns 0 and fills ret (also when all was ignored or faulty), or a failure when the whole
     * body is not of the dialect. */
    int (*decode)(const struct hook_message *message, const struct config_registry *registry,
                  struct decoded *ret, struct error *err);
};
extern const struct decoder *const decoders[]; /* ends with NULL */
const struct decoder *decoder_find(const char *name);

struct loop;
struct intake_options {
    struct loop *loop; /* for polling and for keys that are fetched; NULL: neither is done */
    const struct config *config; /* replaced by intake_reload */
    struct store *store;
    struct http_server *server;
    /* Durable events, in order; the callee copies what it needs. */
    void (*accept)(void *argument, const struct event *events, size_t count);
    /* The sender's instance id is not the one of before: it was restarted and may have lost events.
     */
    void (*instance_changed)(void *argument, const char *registry);
    /* What the operator wants to know of a sender, in a sentence: a subscription was confirmed or
     * ended, or it is refused (told once in a minute for each registry). May be NULL. */
    void (*told)(void *argument, const char *registry, const char *what);
    /* The registry's queue cannot be polled; with NULL: it can be again. Once each. May be NULL. */
    void (*queue_trouble)(void *argument, const char *registry, const struct error *error);
    void *argument;
};
/* Reads secrets and key files. FAILURE_INPUT says which setting the proof of a sender needs. */
int intake_new(const struct intake_options *options, struct intake **ret, struct error *err);
/* May anybody who reaches the listener send events for the registry? */
bool intake_is_open(const struct config_registry *registry);
int intake_reload(struct intake *intake, const struct config *config, struct error *err);
void intake_free(struct intake *intake);

/* Takes a request for /hooks/…; false when the path is not one of intake's. */
bool intake_handle(struct intake *intake, struct http_exchange *exchange);

/* The body of a dead letter of kind "hook" again, for instance after an upgrade that understands
 * it. Everything is copied. FAILURE_ABSENT: its registry is not configured any more; FAILURE_INPUT,
 * FAILURE_LIMIT: still not understood, nothing was written. Failures may come from within the call;
 * without error its events are durable and were handed to `accept`. */
struct intake_body {
    const char *registry;
    const char *bytes;
    size_t size;
    const struct text_pairs *headers; /* as kept with the letter; may be NULL */
};
void intake_replay(struct intake *intake, const struct intake_body *body, store_done_f *done,
                   void *argument);

/* A message that was polled (SQS): taken as if it had been sent to the registry's hook, by an
 * authentic sender; what is not understood becomes a dead letter. `done` without error: all of it
 * is durable, and the message may be deleted. Everything is copied. */
void intake_take_message(struct intake *intake, const struct intake_body *body, store_done_f *done,
                         void *argument);

/* Polls the SQS queues of the configuration (aws.queue-url) from here on; before, after
 * intake_stop_polling(), and without options.loop, none is polled. A reload goes on with the new
 * settings. */
void intake_start_polling(struct intake *intake);
void intake_stop_polling(struct intake *intake);

struct intake_queue {
    const char *registry;
    const char *error; /* why it cannot be polled now; NULL: it is */
    size_t in_flight;  /* messages received and not deleted yet */
    uint64_t messages, deleted, failures;
};
/* The n-th queue; false beyond the last. The strings are borrowed, and good until the loop is
 * entered again. */
bool intake_queue(const struct intake *intake, size_t index, struct intake_queue *ret);

struct intake_counters {
    uint64_t received, events, ignored, unauthorised, unknown_registry, dead, too_large, failed;
};
void intake_counters(const struct intake *intake, struct intake_counters *ret);

/* The stanza to paste into the registry's own configuration so that it notifies us. Returns new. */
char *intake_notification_stanza(const struct config_registry *registry, const char *base_url);

#endif
