/* Points a tag at a manifest that the repository has: PUT of the same bytes under another name. */
#ifndef REGWARDEN_ACTION_POINT_H
#define REGWARDEN_ACTION_POINT_H

#include "task.h"

struct point_order {
    const char *repository;
    const char *tag;
    struct digest digest;           /* what the tag shall name */
    struct expectation expectation; /* what it may name until then */
};
/* Compares immediately before it writes. A tag that moved ends the task (PLAN_SKIPPED); one that is
 * where it should be is success. FAILURE_ABSENT when the manifest is gone. */
void point_tag(struct task *task, const struct point_order *order, task_step_f *next);
void point_free(struct point *point);

#endif
