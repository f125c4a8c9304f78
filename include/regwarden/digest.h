/* Content digests: a struct, never a bare string. Follows the OCI image-spec's descriptor.md
 * (section Digests).
 *
 * sha256 and sha512 can be verified and are accepted. Other registered or well-formed algorithms
 * parse as DIGEST_OTHER so that they can be named in a message; everything that has to verify
 * refuses them. Plain data, any thread. */
#ifndef REGWARDEN_DIGEST_H
#define REGWARDEN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"

enum digest_algorithm { DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA512, DIGEST_OTHER };

/* "sha512:" + 128 digits + NUL is the longest text that is kept. A DIGEST_OTHER keeps its
 * algorithm's name only: it is written "blake3:unsupported", and equals nothing, not even itself.
 */
enum { DIGEST_TEXT_SIZE = 160, DIGEST_SHORT_SIZE = 24 };

struct digest {
    enum digest_algorithm algorithm;
    uint8_t bytes[64];
    char other[32]; /* algorithm name when DIGEST_OTHER */
};

/* Strict: lower-case hex of the exact length. FAILURE_INPUT. */
int digest_parse(const char *text, struct digest *ret, struct error *err);
/* FAILURE_INPUT also for algorithms that cannot be verified. */
int digest_parse_verifiable(const char *text, struct digest *ret, struct error *err);
/* The digest that a tag is made of: "sha256-" and 64 digits, alone (it stands in for the referrers
 * API) or with a dot behind (cosign: ".sig", ".att", ".sbom"). Evidence about that digest stands
 * there. FAILURE_INPUT of any other tag, and of NULL. */
int digest_parse_tag(const char *tag, struct digest *ret);
const char *digest_format(const struct digest *digest,
                          char buffer[static DIGEST_TEXT_SIZE]); /* "" for DIGEST_NONE */
const char *
digest_format_short(const struct digest *digest,
                    char buffer[static DIGEST_SHORT_SIZE]); /* 12 hex digits, no algorithm */
bool digest_equal(const struct digest *a, const struct digest *b);
bool digest_is_set(const struct digest *digest);
/* With the algorithm of `like` (sha256 when NULL or none). */
void digest_compute(const struct digest *like, const void *bytes, size_t size, struct digest *ret);
/* Do these bytes have this digest? FAILURE_INPUT with both digests in the text. */
int digest_verify(const struct digest *digest, const void *bytes, size_t size, struct error *err);

#endif
