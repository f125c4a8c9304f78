/* Copies an image, or an index with all that it names, to another repository of the same registry.
 */
#ifndef REGWARDEN_ACTION_COPY_H
#define REGWARDEN_ACTION_COPY_H

#include "task.h"

struct copy_order {
    const char *from;
    const char *to;
    const char *tag; /* in `to`: written last, so that a tag that is there names a whole image */
    struct digest digest;
    struct expectation expectation; /* what the tag may name until then */
    bool another_name_will_do;      /* a tag that somebody else took meanwhile is FAILURE_LATER */
};
/* Announces every manifest, then copies blobs and manifests, children first, and looks whether the
 * tag names the digest. A tag that moved ends the task (PLAN_SKIPPED), mostly. FAILURE_ABSENT when
 * something of it is gone from `from`. */
void copy_image(struct task *task, const struct copy_order *order, task_step_f *next);
void copy_free(struct copy *copy);

#endif
