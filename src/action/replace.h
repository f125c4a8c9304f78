/* Takes a single tag away where a registry removes whole manifests only: points it at an empty
 * index of its own and deletes that one. No manifest of anybody else is touched. */
#ifndef REGWARDEN_ACTION_REPLACE_H
#define REGWARDEN_ACTION_REPLACE_H

#include "task.h"

struct replace_order {
    const char *repository;
    const char *tag;
    struct digest digest; /* that the tag must name, else the task ends (PLAN_SKIPPED) */
};
/* The tag's own empty index: with a crash behind us, it may still name that. */
void replace_digest(const struct task *task, const char *repository, const char *tag,
                    struct digest *ret);
/* FAILURE_DENIED and its like: the registry takes no such index, or deletes none; the tag names
 * what it named before. */
void replace_tag(struct task *task, const struct replace_order *order, task_step_f *next);
void replace_free(struct replace *replace);

#endif
