/* Inside of the action room: the state of one `struct actions` and the row that every kind of
 * action has. */
#ifndef REGWARDEN_ACTION_ACTIONS_H
#define REGWARDEN_ACTION_ACTIONS_H

#include "regwarden/action.h"
#include "regwarden/loop.h"

struct task;
struct deliveries;

struct actions {
    struct loop *loop;
    struct store *store;
    const struct config *config; /* borrowed, replaced by a reload: nothing keeps its strings */
    bool dry_run;
    void (*hold)(void *argument, const char *registry, const char *repository,
                 const struct digest *digest, bool held, const char *reason);
    void *argument;
    struct task **tasks; /* in the order of their calls: waiting, running and ended ones */
    size_t task_count;
    size_t task_capacity;
    struct timer *timer; /* hands results over, so that no callback comes from within a call */
    struct deliveries *deliveries;
    struct text_list gentle; /* registries that were seen to remove a tag and keep its manifest */
    struct action_counters counters;
};

/* One row of the table. */
struct action_type {
    const char *summary;
    bool available;
    bool changes_registry; /* the task may write, and waits for its turn on the repository */
    bool only_tells;       /* allowed while policies only watch */
    bool needs_tag;
    /* Describes for people what will be done, and names the pushes that it takes. May be NULL. */
    void (*plan)(const struct actions *actions, const struct action_target *target,
                 struct json *detail, struct json *pushes);
    void (*perform)(struct task *task);
    void (*undo)(struct task *task); /* NULL: cannot be undone */
};

/* The table's functions, one pair per action_*.c. */
void action_hold_plan(const struct actions *actions, const struct action_target *target,
                      struct json *detail, struct json *pushes);
void action_hold_perform(struct task *task);
void action_hold_undo(struct task *task);
void action_label_plan(const struct actions *actions, const struct action_target *target,
                       struct json *detail, struct json *pushes);
void action_label_perform(struct task *task);
void action_label_undo(struct task *task);
void action_notify_plan(const struct actions *actions, const struct action_target *target,
                        struct json *detail, struct json *pushes);
void action_notify_perform(struct task *task);
void action_notify_resend(struct task *task);
void action_remove_perform(struct task *task);
void action_rollback_plan(const struct actions *actions, const struct action_target *target,
                          struct json *detail, struct json *pushes);
void action_rollback_perform(struct task *task);
void action_rollback_undo(struct task *task);
void action_tag_plan(const struct actions *actions, const struct action_target *target,
                     struct json *detail, struct json *pushes);
void action_tag_perform(struct task *task);
void action_tag_undo(struct task *task);
void quarantine_plan(const struct actions *actions, const struct action_target *target,
                     struct json *detail, struct json *pushes);
void quarantine_perform(struct task *task);
void quarantine_release(struct task *task);

/* Is it known that images have no labels in this registry? Then a tag takes its place. */
bool action_label_is_in_vain(const struct action_target *target);

/* FAILURE_INPUT when the template has an unknown placeholder or cannot give a legal tag. */
int action_tag_check_template(const char *template, struct error *err);

/* Is this one of the repositories that quarantined images are moved to? */
bool quarantine_owns(const struct actions *actions, const char *registry, const char *repository);

/* Archiving in place of moving, where the registry has that (quarantine_archive.c). */
bool quarantine_can_archive(const struct task *task);
void quarantine_archive(struct task *task);
void quarantine_restore(struct task *task);
/* The other way: moves the image. */
void quarantine_move(struct task *task);

/* Adds {"repository", "reference", "digest"} to an array of pushes. */
void pushes_add(struct json *pushes, const char *repository, const char *reference,
                const struct digest *digest);

#endif
