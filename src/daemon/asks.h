/* One request of an operator that is answered later. The first member of what asks; from malloc. */
#ifndef REGWARDEN_ASKS_H
#define REGWARDEN_ASKS_H

#include "daemon_priv.h"

struct ask {
    struct daemon *daemon;
    uint64_t request;                 /* of the API */
    void (*release)(struct ask *ask); /* what it holds, not itself */
    struct ask **link, *next;
};

/* `release` is set already. */
void ask_begin(struct ask *ask, struct daemon *daemon, uint64_t request);
/* Each of these answers, and frees the ask. */
void ask_answer(struct ask *ask, int status, const struct json *body);
void ask_fail(struct ask *ask, const struct error *error);
/* True, and the ask has failed, when the rooms are closing: nothing may be begun any more. */
bool ask_is_too_late(struct ask *ask);

#endif
