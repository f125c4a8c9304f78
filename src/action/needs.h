/* Does anything else in the repository need a manifest: another tag, an index, a referrer? */
#ifndef REGWARDEN_ACTION_NEEDS_H
#define REGWARDEN_ACTION_NEEDS_H

#include "task.h"

struct needs_order {
    const char *repository;
    const char *tag; /* the one that is to go: not counted */
    struct digest digest;
};
/* `why` says what needs it, or why that could not be told (which counts as needed); NULL: nothing
 * does. `error`: what may work later; then `why` says nothing. */
typedef void needs_done_f(struct task *task, const char *why, const struct error *error);
void needs_check(struct task *task, const struct needs_order *order, needs_done_f *done);
void needs_free(struct needs *needs);

#endif
