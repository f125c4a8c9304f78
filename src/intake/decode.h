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
extern const struct decoder decoder_gitlab;
extern const struct decoder decoder_harbor;
extern const struct decoder decoder_ecr;
extern const struct decoder decoder_sns;
extern const struct decoder decoder_acr;
extern const struct decoder decoder_event_grid;
extern const struct decoder decoder_gar;
extern const struct decoder decoder_github;
extern const struct decoder decoder_gitea;
extern const struct decoder decoder_quay;
extern const struct decoder decoder_docker_hub;
extern const struct decoder decoder_zot;
extern const struct decoder decoder_jfrog;
extern const struct decoder decoder_nexus;

/* --- what the message holds (payload.c) --- */

bool message_has_type(const struct hook_message *message, const char *prefix);
/* JSON within the bounds of a body; also for what is packed inside one. Returns new. */
int message_parse_json(const char *bytes, size_t size, struct json **ret, struct error *err);
/* The body, or of a form its field "payload". Returns new. */
int message_parse_body(const struct hook_message *message, struct json **ret, struct error *err);

/* --- whose event it is (origin.c) --- */

/* Is `host`, with or without a port, one of the registry's own? */
bool registry_has_host(const struct config_registry *registry, const char *host);
/* Is the registry reached by a host "label.…"? */
bool registry_has_subdomain(const struct config_registry *registry, const char *label);
/* Sets the error and returns FAILURE_INPUT. */
int registry_refuse_host(const struct config_registry *registry, const char *host,
                         struct error *err);
/* 0, or FAILURE_INPUT when the host is another's. */
int registry_check_host(const struct config_registry *registry, const char *host,
                        struct error *err);

/* --- events --- */

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

/* A reference that is a tag or a digest, or NULL. */
void draft_set_reference(struct draft *draft, const char *reference);

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

/* ASCII letters, in place. */
char *decode_lower(char *text);

/* True also when the type is not known. */
bool media_type_may_be_manifest(const char *media_type);

/* Printable copy of at most `max` bytes. NULL gives NULL. Returns new. */
char *decode_label(const char *value, size_t max);

/* --- what dialects lend each other. All return 0, or why it was not understood --- */

/* Repository, tag and digest of an event's target. */
int distribution_read_target(const struct json *target, struct draft *draft, struct error *err);
bool distribution_is_envelope(const struct json *body);
/* is_ignored: NULL, or which events are of no interest beside distribution's own. */
int distribution_decode_envelope(const struct json *body,
                                 bool (*is_ignored)(const struct json *event), struct decoded *ret,
                                 struct error *err);
bool gitlab_has_actor(const struct json *body);

/* One event of EventBridge. Parts that are not understood are faults in `ret`. */
int ecr_decode_event(const struct json *body, const struct config_registry *registry,
                     struct decoded *ret, struct error *err);
bool sns_is_envelope(const struct json *body);
/* Decodes what is in the envelope, or returns what it wants confirmed. */
enum hook_confirm sns_decode_envelope(const struct json *body,
                                      const struct config_registry *registry, struct decoded *ret);

/* One event of Azure Container Registry. */
int acr_decode_event(const struct json *event, const char *source_id,
                     const struct config_registry *registry, struct decoded *decoded,
                     struct error *err);

/* --- the whole --- */

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
