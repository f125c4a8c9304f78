/* Hashes, MACs, randomness and constant-time comparison over libcrypto (whose only home this is,
 * beside TLS in the loop room). Spellings of bytes are in crypto_text.c. */
#include "regwarden/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/random.h>

struct hash {
    EVP_MD_CTX *context;
};

/* Fetched once: looking an algorithm up costs more than hashing a manifest. */
static struct {
    const char *name;
    size_t size;
    EVP_MD *digest;
} algorithms[] = {
    [HASH_SHA1] = {"SHA1", 20, NULL},
    [HASH_SHA256] = {"SHA2-256", 32, NULL},
    [HASH_SHA512] = {"SHA2-512", 64, NULL},
};
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch_algorithms(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        algorithms[i].digest = EVP_MD_fetch(NULL, algorithms[i].name, NULL);
}

/* A libcrypto that cannot hash leaves nothing that could be done safely. */
static void must(bool worked)
{
    if (!worked)
        abort();
}

static const EVP_MD *digest_of(enum hash_algorithm algorithm)
{
    pthread_once(&fetch_once, fetch_algorithms);
    must(algorithms[algorithm].digest != NULL);
    return algorithms[algorithm].digest;
}

size_t hash_size(enum hash_algorithm algorithm)
{
    return algorithms[algorithm].size;
}

struct hash *hash_new(enum hash_algorithm algorithm)
{
    struct hash *hash = memory_new(sizeof(*hash));
    hash->context = EVP_MD_CTX_new();
    must(hash->context && EVP_DigestInit_ex(hash->context, digest_of(algorithm), NULL) == 1);
    return hash;
}

void hash_update(struct hash *hash, const void *bytes, size_t size)
{
    must(EVP_DigestUpdate(hash->context, bytes, size) == 1);
}

void hash_finish(struct hash *hash, uint8_t ret[static HASH_SIZE_MAX])
{
    must(EVP_DigestFinal_ex(hash->context, ret, NULL) == 1);
}

void hash_free(struct hash *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void crypto_hash(enum hash_algorithm algorithm, const void *bytes, size_t size,
                 uint8_t ret[static HASH_SIZE_MAX])
{
    must(EVP_Digest(bytes, size, ret, NULL, digest_of(algorithm), NULL) == 1);
}

void crypto_hmac(enum hash_algorithm algorithm, const void *key, size_t key_size, const void *bytes,
                 size_t size, uint8_t ret[static HASH_SIZE_MAX])
{
    /* An empty key is a key; a NULL would mean "the one from before". */
    const void *real_key = key_size > 0 ? key : "";
    must(HMAC(digest_of(algorithm), real_key, (int)key_size, bytes, size, ret, NULL) != NULL);
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

bool crypto_equal_text(const char *a, const char *b)
{
    uint8_t a_hash[HASH_SIZE_MAX], b_hash[HASH_SIZE_MAX];
    if (!a || !b)
        return false;
    crypto_hash(HASH_SHA256, a, strlen(a), a_hash);
    crypto_hash(HASH_SHA256, b, strlen(b), b_hash);
    return crypto_equal(a_hash, b_hash, hash_size(HASH_SHA256));
}

void crypto_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        must(got > 0 || errno == EINTR);
        if (got <= 0)
            continue;
        at += got;
        size -= (size_t)got;
    }
}

void crypto_erase(void *bytes, size_t size)
{
    OPENSSL_cleanse(bytes, size);
}
