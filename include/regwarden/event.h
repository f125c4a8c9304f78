/* One normalised notification. Plain data, owned by whoever holds the struct; strings passed the
 * grammars of reference.h. */
#ifndef REGWARDEN_EVENT_H
#define REGWARDEN_EVENT_H

#include <stdint.h>

#include "regwarden/digest.h"

enum event_action {
    EVENT_PUSH,
    EVENT_DELETE,
    EVENT_SCANNED, /* a scanner has reported on this digest; tag is a hint at most */
};
enum event_cause {
    EVENT_CAUSE_HOOK,     /* a registry told us */
    EVENT_CAUSE_SWEEP,    /* a sweep found what no event had announced */
    EVENT_CAUSE_EXISTING, /* the first sweep of a registry found it: it was there before us */
    EVENT_CAUSE_POLICY,   /* judged before, under other policies */
    EVENT_CAUSE_MANUAL,   /* an operator asked */
    EVENT_CAUSE_EVIDENCE, /* a signature or an attestation came for it */
};
const char *event_action_name(enum event_action action); /* "push", "delete", "scanned" */
const char *event_cause_name(enum event_cause cause);    /* "hook", "sweep", "existing", … */

struct event {
    int64_t id; /* given by the store; grows */
    int64_t received_ms;
    enum event_action action;
    enum event_cause cause;
    char *registry; /* configured name */
    char *repository;
    char *tag;            /* NULL: untagged push, or delete by digest */
    struct digest digest; /* DIGEST_NONE: the dialect does not say; resolved from the tag */
    char *media_type;     /* NULL unknown */
    char *actor;          /* NULL unknown; printable, at most 256 bytes */
    char
        *source_id; /* the sender's id of this notification or NULL; printable, at most 128 bytes */
};
void event_release(struct event *event);
void event_copy(struct event *to, const struct event *from); /* `to` must be empty */

#endif
