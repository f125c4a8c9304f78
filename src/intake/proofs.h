/* How senders prove who they are: one table (proofs.c), one file per way.
 *
 * A proof looks at one message and what is known about its sender, and answers at once. Where it
 * needs a key that is fetched first, it says which: the same message is asked about again when the
 * key is there. Pure but for the keys that it reads. */
#ifndef INTAKE_PROOFS_H
#define INTAKE_PROOFS_H

#include "hook.h"
#include "keys.h"

#include "regwarden/intake.h"

struct proof_input { /* borrowed */
    const struct hook *hook;
    const struct hook_message *message;
    const char *subject;     /* of the verified client certificate; NULL without one */
    const char *code;        /* decoded parameter of the query; NULL when absent */
    const char *secret;      /* the same */
    const struct keys *keys; /* NULL: no key can be fetched */
    int64_t now_ms;          /* wall time */
};

enum proof_state {
    PROOF_PROVEN,
    PROOF_REFUSED, /* err says why */
    PROOF_LATER,   /* could not be told now, for want of a key; err says why */
    PROOF_FETCH,   /* the key at `url` has to be fetched first */
};

enum proof_news { PROOF_NEWS_NONE, PROOF_NEWS_SUBSCRIPTION, PROOF_NEWS_UNSUBSCRIPTION };

struct proof_outcome {
    char *url; /* with PROOF_FETCH: of the key; with a proven subscription: to visit once */
    enum proof_news news; /* proven, and it is no notification of a registry at all */
};
void proof_outcome_release(struct proof_outcome *outcome);

struct proof {
    const char *challenge; /* for WWW-Authenticate; NULL: none */
    /* Are the settings enough? Reads what the proof needs into the hook. FAILURE_INPUT says what to
     * set. */
    int (*prepare)(const struct config *config, struct hook *hook, struct error *err);
    enum proof_state (*prove)(const struct proof_input *input, struct proof_outcome *ret,
                              struct error *err);
};
extern const struct proof proof_secret, proof_hmac, proof_certificate, proof_sns, proof_jwt;

/* What the settings come to: never HOOK_PROOF_AUTO, unless anybody may send. */
enum hook_proof proof_kind(const struct config_registry *registry);
const struct proof *proof_find(enum hook_proof kind); /* NULL for HOOK_PROOF_AUTO */

/* Values of Authorization: what stands behind "Bearer " or "Basic " in any case, without the blanks
 * between; NULL when it is another scheme. */
const char *proof_after_scheme(const char *value, const char *scheme);

#endif
