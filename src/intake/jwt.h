/* Signed tokens (JWS in its compact form) and the key sets that check them. Only RS256 and ES256:
 * a token that says otherwise, "none" before all, is refused before its key is looked for. Pure. */
#ifndef INTAKE_JWT_H
#define INTAKE_JWT_H

#include "regwarden/crypto.h"
#include "regwarden/json.h"

struct jwt {
    struct json *header;
    struct json *claims;
    struct text signed_text;
    struct text signature;
    enum public_key_kind kind; /* that the token's algorithm needs */
};
/* FAILURE_INPUT, FAILURE_LIMIT. Nothing is believed yet. */
int jwt_parse(const char *token, struct jwt *ret, struct error *err);
void jwt_release(struct jwt *jwt);
#define AUTO_JWT AUTO(jwt_release)

/* Is it signed by the key of the set that its header names? FAILURE_ABSENT: the set has no such
 * key; FAILURE_DENIED: the signature is wrong; FAILURE_INPUT: the set is damaged. */
int jwt_check(const struct jwt *jwt, const struct text *key_set, struct error *err);

/* Is `text` a key set with at least one key that could be used? FAILURE_INPUT. */
int key_set_check(const struct text *text, struct error *err);

#endif
