/* One action under way: its target, the operation that it waits for, and its end.
 *
 * A task does one thing at a time: each task_* call below starts an operation and names the
 * function to go on with. Every path ends in exactly one of task_done, task_skip and task_fail;
 * after that nothing of the task may be touched. The parts that several actions share (point, copy,
 * untag, needs, replace) keep their state here while they run. */
#ifndef REGWARDEN_ACTION_TASK_H
#define REGWARDEN_ACTION_TASK_H

#include "actions.h"

struct point;
struct copy;
struct untag;
struct needs;
struct replace;

typedef void task_answer_f(struct task *task, const struct registry_answer *answer);
typedef void task_step_f(struct task *task, const struct error *error); /* error NULL: go on */

/* A manifest's bytes, kept beyond the answer that brought them. */
struct kept_manifest {
    char *bytes;
    size_t size;
    char *media_type;
    struct digest digest;
};
void kept_manifest_set(struct kept_manifest *kept, const struct registry_answer *answer);
void kept_manifest_release(struct kept_manifest *kept);

/* What a tag may name in the moment before it is written. */
struct expectation {
    bool anything;
    bool absent;
    struct digest either, other; /* DIGEST_NONE matches nothing */
};

struct task {
    struct actions *actions; /* NULL: they were freed while the store still owed an answer */
    enum action_kind kind;
    const struct action_type *type;
    /* Strings are the task's own. facts and verdict are there only while action_perform runs. */
    struct action_target target;
    char *why; /* of the verdict, for people; never NULL */
    enum verdict_status verdict;
    bool undoing, force;
    bool may_write; /* the choke point said so */
    bool running, ended, waits_for_store, announced, was_gone;

    struct json *recorded; /* undoing: what performing left behind */
    struct json *undo;     /* what undoing will need */
    struct json *pushes;   /* announced so far */

    uint64_t operation; /* of the registry client; 0 none */
    task_answer_f *on_answer;
    task_step_f *on_recorded;
    struct {
        char *repository, *reference;
        struct digest digest;
        struct error error; /* of the PUT itself */
        task_step_f *next;
    } put;
    struct point *point;
    struct copy *copy;
    struct untag *untag;
    struct needs *needs;
    struct replace *replace;
    void *work; /* the action's own state */
    void (*free_work)(void *work);

    enum plan_state state;
    struct error error;
    action_done_f *done;
    void *argument;
};

struct task *task_new(struct actions *actions, enum action_kind kind,
                      const struct action_target *target);
void task_free(struct task *task); /* stops what is under way; accepts NULL */
/* Frees the task, or lets the store's late answer do so. */
void task_abandon(struct task *task);

void task_resolve(struct task *task, const char *repository, const char *reference,
                  task_answer_f *next);
void task_fetch(struct task *task, const char *repository, const struct digest *digest,
                task_answer_f *next);
/* Writes. Only for tasks that may, and only after task_record. */
void task_copy_blob(struct task *task, const struct registry_blob_copy *blob, task_answer_f *next);
void task_delete_tag(struct task *task, const char *repository, const char *tag,
                     task_answer_f *next);
void task_delete_manifest(struct task *task, const char *repository, const struct digest *digest,
                          task_answer_f *next);
void task_add_label(struct task *task, const struct registry_label *label, task_answer_f *next);
void task_remove_label(struct task *task, const struct registry_label *label, task_answer_f *next);
/* The target's image. */
void task_archive(struct task *task, task_answer_f *next);
void task_restore(struct task *task, task_answer_f *next);
/* PUT, then a look whether the reference names the manifest now: that also settles an answer that
 * was lost. `kept` lives until `next`. */
void task_put(struct task *task, const char *repository, const char *reference,
              const struct kept_manifest *kept, task_step_f *next);

/* Notes a push that is about to be made; task_record writes all of them, and `undo`, to the
 * journal.
 */
void task_announce(struct task *task, const char *repository, const char *reference,
                   const struct digest *digest);
void task_record(struct task *task, task_step_f *next);

void task_done(struct task *task);
void task_done_with(struct task *task, const struct error *remark);
void task_skip(struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What may work later leaves the plan planned; all else is its failure. */
void task_fail(struct task *task, const struct error *error);

/* May the same thing succeed when it is tried again? */
bool failure_is_passing(enum failure kind);
/* Does the tag name what it should? A failed answer other than "absent" never does. */
bool expectation_holds(const struct expectation *expectation, const struct registry_answer *answer);
bool answer_is(const struct registry_answer *answer, const struct digest *digest);
bool answer_is_absent(const struct registry_answer *answer);
/* Ends the task: the tag does not name what the verdict was about. */
void task_skip_moved(struct task *task, const char *repository, const char *tag,
                     const struct registry_answer *answer);

/* In actions.c: the result goes out at the next turn of the loop. */
void actions_task_ended(struct actions *actions);

#endif
