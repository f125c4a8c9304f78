/* One registry's hook: its settings, its secret, and the instances of it that were heard of. */
#ifndef INTAKE_HOOK_H
#define INTAKE_HOOK_H

#include <stdbool.h>

#include "regwarden/config.h"

enum { HOOK_INSTANCES_MAX = 16 };

struct hook {
    const struct config_registry *registry; /* of the configuration in force */
    char *secret;                           /* NULL: anyone may send */
    char *instances[HOOK_INSTANCES_MAX];    /* latest ids, oldest overwritten */
    size_t instance_count;                  /* of all that were ever noted */
};

/* Reads the registry's secret. FAILURE_INPUT, FAILURE_ABSENT, FAILURE_SYSTEM. */
int hook_init(struct hook *hook, const struct config_registry *registry, struct error *err);
void hook_release(struct hook *hook);

/* Does the value of the secret's header prove the sender? In constant time. With the header
 * Authorization the secret may come bare, as "Bearer <secret>", or as Basic credentials: either the
 * password or the whole "user:password" is the secret. value NULL: the header is missing or
 * doubled.
 */
bool hook_admits(const struct hook *hook, const char *value);

/* Notes the sender's instance id. True when it is new while others were known: that one was started
 * anew and may have lost events. Several replicas of one registry take turns without being new. */
bool hook_note_instance(struct hook *hook, const char *instance);
void hook_move_instances(struct hook *to, struct hook *from);

#endif
