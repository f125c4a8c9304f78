/* Plans whose policies have changed since: judged again instead of carried out. */
#ifndef REGWARDEN_RENEW_H
#define REGWARDEN_RENEW_H

#include "daemon_priv.h"

/* Was the plan made under other policies than those of now? To tell somebody is never too late. */
bool renew_is_due(const struct daemon *daemon, const struct acts_job *work, size_t first);

enum renewed {
    RENEWED,        /* this plan and the rest of the job are skipped, and an event asks anew */
    RENEW_CARRY_ON, /* the tag does not name the image: the plan finds out why */
};
/* With an error neither: to be tried later. */
typedef void renew_done_f(void *argument, enum renewed renewed, const struct error *error);

struct renew_order {
    const struct acts_job *work; /* lives until `done` */
    size_t first;                /* plan that is due */
};
void renew_start(struct daemon *daemon, struct registry *client, const struct renew_order *order,
                 renew_done_f *done, void *argument);

#endif
