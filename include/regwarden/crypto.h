/* Hashes, MACs, signatures of others, randomness and their spellings (home of libcrypto:
 * src/base/crypto*.c). Any thread. */
#ifndef REGWARDEN_CRYPTO_H
#define REGWARDEN_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

enum hash_algorithm { HASH_SHA1, HASH_SHA256, HASH_SHA512 };
enum { HASH_SIZE_MAX = 64 };
size_t hash_size(enum hash_algorithm algorithm); /* in bytes */

struct hash; /* opaque; a running hash */
struct hash *hash_new(enum hash_algorithm algorithm);
void hash_update(struct hash *hash, const void *bytes, size_t size);
void hash_finish(struct hash *hash,
                 uint8_t ret[static HASH_SIZE_MAX]); /* once; then only hash_free */
void hash_free(struct hash *hash);

void crypto_hash(enum hash_algorithm algorithm, const void *bytes, size_t size,
                 uint8_t ret[static HASH_SIZE_MAX]);
void crypto_hmac(enum hash_algorithm algorithm, const void *key, size_t key_size, const void *bytes,
                 size_t size, uint8_t ret[static HASH_SIZE_MAX]);
bool crypto_equal(const void *a, const void *b, size_t size); /* in constant time */
/* Constant time for strings of any lengths (both are hashed first). Two NULLs are never equal. */
bool crypto_equal_text(const char *a, const char *b);
void crypto_random(void *bytes, size_t size);
void crypto_erase(void *bytes, size_t size); /* not optimised away */

/* Public keys of others, and what they signed. RSA keys have 2048 to 8192 bits, others are refused;
 * a signature is PKCS#1 v1.5 for RSA, and for P-256 the two numbers of 32 bytes each, as JOSE
 * writes them. */
struct public_key; /* opaque */
enum public_key_kind { PUBLIC_KEY_RSA, PUBLIC_KEY_P256 };
struct key_validity {
    int64_t from_ms, until_ms; /* wall time */
};
/* Of the first certificate in the PEM text. Whoever issued it is not looked at: the caller knows
 * where it comes from. FAILURE_INPUT. Returns new. */
int public_key_from_certificate(const struct text *pem, struct public_key **ret_key,
                                struct key_validity *ret, struct error *err);
/* Unsigned numbers, most significant byte first. FAILURE_INPUT. Returns new. */
int public_key_from_rsa(const struct text *modulus, const struct text *exponent,
                        struct public_key **ret, struct error *err);
int public_key_from_p256(const struct text *x, const struct text *y, struct public_key **ret,
                         struct error *err);
enum public_key_kind public_key_kind(const struct public_key *key);
bool public_key_verifies(const struct public_key *key, enum hash_algorithm algorithm,
                         const struct text *signed_bytes, const struct text *signature);
void public_key_auto_free(struct public_key **key);
#define AUTO_PUBLIC_KEY AUTO(public_key_auto_free)

void crypto_hex(const uint8_t *bytes, size_t size,
                char *ret); /* lower case; ret holds 2 * size + 1 */
bool crypto_from_hex(const char *hex, size_t size,
                     uint8_t *ret); /* lower case only, exactly 2 * size digits */
void crypto_base64(const void *bytes, size_t size, struct text *to);
/* Standard or URL-safe alphabet, padding optional. FAILURE_INPUT. */
int crypto_from_base64(const char *base64, struct text *ret, struct error *err);

#endif
