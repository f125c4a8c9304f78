/* Hashes, MACs, randomness and their spellings (home of libcrypto: src/base/crypto.c). Any thread.
 */
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

void crypto_hex(const uint8_t *bytes, size_t size,
                char *ret); /* lower case; ret holds 2 * size + 1 */
bool crypto_from_hex(const char *hex, size_t size,
                     uint8_t *ret); /* lower case only, exactly 2 * size digits */
void crypto_base64(const void *bytes, size_t size, struct text *to);
/* Standard or URL-safe alphabet, padding optional. FAILURE_INPUT. */
int crypto_from_base64(const char *base64, struct text *ret, struct error *err);

#endif
