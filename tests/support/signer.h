/* Somebody who signs, for tests of what checks signatures: a key pair, made anew in each run. */
#ifndef TEST_SIGNER_H
#define TEST_SIGNER_H

#include "regwarden/crypto.h"

struct signer; /* opaque */

struct signer *signer_new_rsa(unsigned bits);
struct signer *signer_new_p256(void);
void signer_free(struct signer *signer);

/* Appends the raw signature; with P-256 as JOSE writes it. */
void signer_sign(const struct signer *signer, enum hash_algorithm algorithm,
                 const char *signed_text, struct text *to);
/* Appends a certificate of its own for this time, in PEM. */
void signer_certificate(const struct signer *signer, struct key_validity validity, struct text *to);
/* Appends the public key as a JSON object of a key set. */
void signer_jwk(const struct signer *signer, const char *id, struct text *to);
/* Appends base64url without padding. */
void signer_base64url(const void *bytes, size_t size, struct text *to);
/* Appends header.claims.signature, signed by this key whatever the header says. */
void signer_token(const struct signer *signer, const char *header, const char *claims,
                  struct text *to);

#endif
