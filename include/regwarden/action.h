/* Actions: what is done about a verdict. A table (src/action/actions.c), one file each, undo beside
 * do.
 *
 * action_perform is the one door to the outside and the one place that knows dry run and audit
 * mode: behind it nothing is written. Every action is idempotent, compares before it writes (a tag
 * that moved since the verdict is left alone: PLAN_SKIPPED), announces what it is about to push
 * (journal) before it pushes, and never deletes a manifest that another tag, an index or a referrer
 * needs. Loop thread. */
#ifndef REGWARDEN_ACTION_H
#define REGWARDEN_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/config.h"
#include "regwarden/error.h"
#include "regwarden/json.h"
#include "regwarden/registry.h"
#include "regwarden/store.h"
#include "regwarden/verdict.h"

struct loop;
struct actions; /* opaque */

struct actions_options {
    struct loop *loop;
    const struct config *config;
    struct store *store; /* journal of pushes */
    bool dry_run;        /* nothing leaves the machine, not even notifications */
    /* The gate's memory: deny or allow this digest in this repository from now on. NULL: no gate.
     */
    void (*hold)(void *argument, const char *registry, const char *repository,
                 const struct digest *digest, bool held, const char *reason);
    void *argument;
};
int actions_new(const struct actions_options *options, struct actions **ret, struct error *err);
int actions_reload(struct actions *actions, const struct config *config, struct error *err);
void actions_free(
    struct actions *actions); /* what is under way ends without callback; its plan stays planned */

/* What to do it to. Everything borrowed; copied by action_perform. */
struct action_target {
    struct registry *registry; /* client */
    const char *registry_name;
    const char *repository;
    const char *tag; /* NULL untagged */
    struct digest digest;
    struct digest last_passing; /* of the tag; DIGEST_NONE */
    const struct facts *facts;  /* of the image, or of the index itself; may be NULL */
    const struct verdict *verdict;
    int64_t plan_id;
    bool audit; /* the policies only watch: notify says so, nothing else may be called */
};

/* Which actions of `wanted` make sense for this target (an untagged manifest is never quarantined,
 * rolled back or tagged; the quarantine's own repositories are left alone; exclusive ones are
 * resolved: quarantine before rollback before hold). */
unsigned actions_resolve(const struct actions *actions, unsigned wanted,
                         const struct action_target *target);
/* Fills plan->detail and plan->pushes (new references, released by the caller). */
void action_plan(const struct actions *actions, enum action_kind kind,
                 const struct action_target *target, struct store_plan *plan);

struct action_result {
    enum plan_state state; /* PLAN_DONE, PLAN_SKIPPED, PLAN_FAILED, or PLAN_PLANNED: try again later
                              (error has retry_after_ms) */
    const struct error *error; /* NULL when done */
    struct json *undo;         /* borrowed; what undo needs */
};
typedef void action_done_f(void *argument, const struct action_result *result);
void action_perform(struct actions *actions, enum action_kind kind,
                    const struct action_target *target, action_done_f *done, void *argument);
/* target->digest and tag as planned; `undo` as recorded. Refused when the tag meanwhile points at
 * something else, unless `force`. */
void action_undo(struct actions *actions, enum action_kind kind, const struct action_target *target,
                 const struct json *undo, bool force, action_done_f *done, void *argument);

struct action_type;
const char *action_summary(enum action_kind kind);
bool action_is_available(enum action_kind kind); /* built in this version */
bool action_can_undo(enum action_kind kind);

/* Dead-lettered notifications go out again. */
void action_resend(struct actions *actions, const struct json *notification, action_done_f *done,
                   void *argument);

struct action_counters {
    uint64_t done[ACTION_KIND_COUNT], failed[ACTION_KIND_COUNT], skipped[ACTION_KIND_COUNT],
        undone[ACTION_KIND_COUNT];
};
void action_counters(const struct actions *actions, struct action_counters *ret);

#endif
