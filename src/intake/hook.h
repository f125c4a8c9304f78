/* One registry's hook: its settings, what its senders' proof needs, and the instances of it that
 * were heard of. */
#ifndef INTAKE_HOOK_H
#define INTAKE_HOOK_H

#include <stdbool.h>

#include "regwarden/config.h"

enum { HOOK_INSTANCES_MAX = 16 };

struct proof;

struct hook {
    const struct config_registry *registry; /* of the configuration in force */
    const struct proof *proof;              /* NULL: anybody may send */
    char *secret;                           /* NULL: none */
    char *issuer;                           /* of tokens; NULL: there are none */
    char *keys_url;                         /* where its keys are; NULL: in key_set */
    struct text key_set;                    /* from the settings' file */
    char *instances[HOOK_INSTANCES_MAX];    /* latest ids, oldest overwritten */
    size_t instance_count;                  /* of all that were ever noted */
    int64_t refusal_told_ms;                /* steady clock; 0: never */
};

/* Reads the files that the registry's proof needs. FAILURE_INPUT (with what to set),
 * FAILURE_ABSENT, FAILURE_SYSTEM. */
int hook_init(struct hook *hook, const struct config *config,
              const struct config_registry *registry, struct error *err);
void hook_release(struct hook *hook);

/* Whose rules an answer has to follow: the dialect's, or those of what carries it. */
const char *hook_sender(const struct hook *hook);

/* Notes the sender's instance id. True when it is new while others were known: that one was started
 * anew and may have lost events. Several replicas of one registry take turns without being new. */
bool hook_note_instance(struct hook *hook, const char *instance);
void hook_move_instances(struct hook *to, struct hook *from);

#endif
