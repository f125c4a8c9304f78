/* What the decoders share: strict reading of members, and the one place where an event passes the
 * grammars. */
#ifndef INTAKE_DECODE_H
#define INTAKE_DECODE_H

#include "regwarden/intake.h"
#include "regwarden/json.h"

enum {
    DECODE_EVENTS_MAX = 4096, /* events of one body that are taken */
    DECODE_FAULTS_MAX = 16,   /* faults of one body that are told in words */
    DECODE_ACTOR_MAX = 256,
    DECODE_ID_MAX = 128,
};

extern const struct decoder decoder_distribution;
extern const struct decoder decoder_harbor;
extern const struct decoder decoder_ecr;

/* One event as the payload words it, before any grammar was asked. Borrowed from the body. */
struct draft {
    enum event_action action;
    const char *repository;
    const char *tag;    /* NULL when absent */
    const char *digest; /* NULL when absent */
    const char *media_type;
    const char *actor;
    const char *source_id;
};

/* Adds the event, or a fault when a part of it breaks its grammar. */
void decoded_add_event(struct decoded *decoded, const struct draft *draft);
void decoded_add_fault(struct decoded *decoded, const struct error *error);
/* False when the body holds more events than are taken: the fault was added, the caller stops. */
bool decoded_has_room(struct decoded *decoded, size_t index, size_t total);

/* A member that is a string. Absent, null and "" give NULL: senders differ in how they say nothing.
 * FAILURE_INPUT for any other kind. */
int decode_string(const struct json *object, const char *key, const char **ret, struct error *err);
/* The same where nothing depends on it: another kind gives NULL. */
const char *decode_hint(const struct json *object, const char *key);

/* Printable copy of at most `max` bytes. NULL gives NULL. Returns new. */
char *decode_label(const char *value, size_t max);

/* Parses the body and hands it to the registry's decoder, or with dialect "auto" to the first that
 * recognises it. *ret_decoder tells which (NULL: none), also on failure. FAILURE_INPUT,
 * FAILURE_LIMIT; `ret` must be empty. Pure. */
struct decode_input {
    const struct config_registry *registry;
    const struct hook_message *message; /* `body` is not looked at: it is parsed here */
};
int decode_body(const struct decode_input *input, struct decoded *ret,
                const struct decoder **ret_decoder, struct error *err);

#endif
