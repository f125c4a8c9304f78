/* Takes a tag away from a manifest, by what the registry can do. */
#ifndef REGWARDEN_ACTION_UNTAG_H
#define REGWARDEN_ACTION_UNTAG_H

#include "task.h"

enum untag_means {
    UNTAG_GONE,      /* it did not name the manifest any more */
    UNTAG_DELETED,   /* the registry removed the tag */
    UNTAG_REPOINTED, /* it names the last image that passed */
    UNTAG_MANIFEST,  /* the manifest was deleted: nothing else needed it */
    UNTAG_REPLACED,  /* it was pointed at an empty index, and that was deleted */
    UNTAG_HELPLESS,  /* none of these: `why` says what stood in the way */
};
const char *untag_means_name(enum untag_means means);

struct untag_order {
    const char *repository;
    const char *tag;
    struct digest digest;   /* that the tag must name, else the task ends (PLAN_SKIPPED) */
    struct digest fallback; /* to point it at when it cannot be removed; DIGEST_NONE: not to */
    bool lenient;       /* naming something else is as good as being gone. Not with a fallback */
    bool keep_manifest; /* also when nothing else needs it */
};
/* `why` only with UNTAG_HELPLESS. `error`: what may work later. */
typedef void untag_done_f(struct task *task, enum untag_means means, const char *why,
                          const struct error *error);
void untag(struct task *task, const struct untag_order *order, untag_done_f *done);
void untag_free(struct untag *untag);

#endif
