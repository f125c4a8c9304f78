/* Actions: what is done about a verdict. A table (src/action/actions.c), one file each, undo beside
 * do.
 *
 * action_perform is the one door to the outside and the one place that knows dry run and audit
 * mode: behind it nothing is written. Every action is idempotent, compares before it writes (a tag
 * that moved since the verdict is left alone: PLAN_SKIPPED), announces what it is about to push
 * (journal) before it pushes, and never deletes a manifest that another tag, an index or a referrer
 * needs. Actions on one repository are carried out one after the other. Every call ends with
 * exactly one callback, never from within the call. Loop thread.
 *
 * A notification is done as soon as it is under way: nobody waits for a receiver. When the first
 * attempt fails its plan is set back to planned (so that a restart sends it again), and to done or
 * failed when it was delivered or became a dead letter. Receivers may get one twice, with one id.
 */
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
/* What is under way ends without callback; its plan stays planned. Before the registries of the
 * targets and before the store are closed; not from within a callback of this room. */
void actions_free(struct actions *actions);

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
    int64_t plan_id; /* recorded; what changes the registry is refused without one */
    bool audit; /* the policies only watch: notify says so, all else is refused, undo included */
};

/* Which actions of `wanted` make sense for this target (an untagged manifest is never quarantined,
 * rolled back, tagged or removed: a quarantine becomes a hold there; the quarantine's own
 * repositories are left as they are, there is only notify and hold; exclusive ones are resolved:
 * remove before quarantine before rollback before hold, and what leaves is not tagged). Kinds that
 * this version does not have stay in, so that their plan says so; a label becomes a tag where it is
 * known that images have none. */
unsigned actions_resolve(const struct actions *actions, unsigned wanted,
                         const struct action_target *target);
/* Fills plan->detail and plan->pushes (new references, released by the caller). */
void action_plan(const struct actions *actions, enum action_kind kind,
                 const struct action_target *target, struct store_plan *plan);

struct action_result {
    enum plan_state state; /* PLAN_DONE, PLAN_SKIPPED, PLAN_FAILED, or PLAN_PLANNED: try again later
                              (error has retry_after_ms) */
    const struct error *error; /* the plan's reason; with PLAN_DONE a remark (quarantine: the tag
                                  could not be taken away, so the gate holds the image), mostly NULL
                                */
    struct json
        *undo;     /* borrowed; what undo needs, NULL when there is nothing to undo. A quarantine
                      that the gate holds has "held": true: hold it again after a restart */
    bool was_gone; /* with PLAN_DONE: the tag was not there, and nothing was written. Just after a
                      push it may only not be there yet */
};
typedef void action_done_f(void *argument, const struct action_result *result);
void action_perform(struct actions *actions, enum action_kind kind,
                    const struct action_target *target, action_done_f *done, void *argument);
/* target->digest and tag as planned; `undo` as recorded. PLAN_DONE: undone. Refused (PLAN_SKIPPED)
 * when the tag meanwhile points at something else, unless `force`. */
void action_undo(struct actions *actions, enum action_kind kind, const struct action_target *target,
                 const struct json *undo, bool force, action_done_f *done, void *argument);

struct action_type;
const char *action_summary(enum action_kind kind);
bool action_is_available(enum action_kind kind); /* built in this version */
bool action_can_undo(enum action_kind kind);

/* A dead letter's notification goes out again, once; the dead letter is the caller's to remove. */
void action_resend(struct actions *actions, const struct json *notification, action_done_f *done,
                   void *argument);

struct action_counters {
    uint64_t done[ACTION_KIND_COUNT], failed[ACTION_KIND_COUNT], skipped[ACTION_KIND_COUNT],
        undone[ACTION_KIND_COUNT];
};
void action_counters(const struct actions *actions, struct action_counters *ret);

#endif
