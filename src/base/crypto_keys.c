/* Public keys of others, from certificates and from bare numbers, and what they signed. Nothing is
 * signed here, and no chain of certificates is followed. */
#include "regwarden/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, P256_BYTES = 32, PEM_MAX_BYTES = 64 << 10 };

struct public_key {
    EVP_PKEY *key;
    enum public_key_kind kind;
};

void public_key_auto_free(struct public_key **key)
{
    if (!*key)
        return;
    EVP_PKEY_free((*key)->key);
    free(*key);
}

enum public_key_kind public_key_kind(const struct public_key *key)
{
    return key->kind;
}

/* What is left in the thread's queue would be read as the next caller's. */
static int refuse(struct error *err, const char *why)
{
    ERR_clear_error();
    return error_set(err, FAILURE_INPUT, "%s", why);
}

static bool is_p256(const EVP_PKEY *key)
{
    char name[64];
    size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof(name), &length) == 1 &&
           text_equal(name, SN_X9_62_prime256v1);
}

/* Takes the key, also when it is refused. */
static int key_new_take(EVP_PKEY *key, struct public_key **ret, struct error *err)
{
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    bool rsa = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= RSA_BITS_MIN &&
               bits <= RSA_BITS_MAX;
    if (!rsa && (!key || !is_p256(key))) {
        EVP_PKEY_free(key);
        return refuse(err, "the key is neither RSA of 2048 to 8192 bits nor on P-256");
    }
    struct public_key *made = memory_new(sizeof(*made));
    *made = (struct public_key){.key = key, .kind = rsa ? PUBLIC_KEY_RSA : PUBLIC_KEY_P256};
    *ret = made;
    return 0;
}

/* --- certificates --- */

static bool time_of(const ASN1_TIME *time, int64_t *ret_ms)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool good = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    if (good)
        *ret_ms = ((int64_t)days * 86400 + seconds) * 1000;
    return good;
}

static X509 *certificate_read(const struct text *pem)
{
    if (pem->length == 0 || pem->length > PEM_MAX_BYTES)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->length);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

int public_key_from_certificate(const struct text *pem, struct public_key **ret_key,
                                struct key_validity *ret, struct error *err)
{
    X509 *certificate = certificate_read(pem);
    if (!certificate)
        return refuse(err, "there is no certificate in PEM form");
    struct key_validity validity = {0};
    bool dated = time_of(X509_get0_notBefore(certificate), &validity.from_ms) &&
                 time_of(X509_get0_notAfter(certificate), &validity.until_ms);
    EVP_PKEY *key = X509_get_pubkey(certificate);
    X509_free(certificate);
    if (!dated) {
        EVP_PKEY_free(key);
        return refuse(err, "the certificate has no dates");
    }
    int r = key_new_take(key, ret_key, err);
    if (r == 0)
        *ret = validity;
    return r;
}

/* --- numbers --- */

/* Takes what was collected. NULL when it is no key of that type. */
static EVP_PKEY *key_from_take(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    bool made = parameters && context && EVP_PKEY_fromdata_init(context) == 1 &&
                EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    if (made)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

int public_key_from_rsa(const struct text *modulus, const struct text *exponent,
                        struct public_key **ret, struct error *err)
{
    if (modulus->length == 0 || modulus->length > RSA_BITS_MAX / 8 || exponent->length == 0 ||
        exponent->length > 8)
        return refuse(err, "the numbers of the RSA key are too small or too large");
    BIGNUM *n = BN_bin2bn((const unsigned char *)modulus->data, (int)modulus->length, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent->data, (int)exponent->length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    /* An exponent of 1 would make every signature its own proof. */
    if (n && e && builder && BN_is_odd(e) && !BN_is_one(e) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = key_from_take("RSA", TAKE(builder));
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key_new_take(key, ret, err);
}

int public_key_from_p256(const struct text *x, const struct text *y, struct public_key **ret,
                         struct error *err)
{
    unsigned char point[1 + 2 * P256_BYTES] = {0x04};
    if (x->length != P256_BYTES || y->length != P256_BYTES)
        return refuse(err, "the numbers of the P-256 key do not have 32 bytes");
    memcpy(point + 1, x->data, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y->data, P256_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1,
                                        0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1)
        key = key_from_take("EC", TAKE(builder)); /* refuses what is not on the curve */
    OSSL_PARAM_BLD_free(builder);
    return key_new_take(key, ret, err);
}

/* --- signatures --- */

/* The two numbers as OpenSSL wants them. Returns new, NULL when they are not two numbers. */
static unsigned char *der_of(const struct text *signature, int *ret_size)
{
    unsigned char *der = NULL;
    if (signature->length != 2 * P256_BYTES)
        return NULL;
    const unsigned char *bytes = (const unsigned char *)signature->data;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, P256_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL);
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        *ret_size = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return der;
}

static bool verify(const struct public_key *key, const char *digest, const struct text *bytes,
                   const struct text *signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        context &&
        EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key->key, NULL) == 1 &&
        EVP_DigestVerify(context, (const unsigned char *)text_data(signature), signature->length,
                         (const unsigned char *)text_data(bytes), bytes->length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

bool public_key_verifies(const struct public_key *key, enum hash_algorithm algorithm,
                         const struct text *signed_bytes, const struct text *signature)
{
    static const char *const names[] = {
        [HASH_SHA1] = "SHA1", [HASH_SHA256] = "SHA2-256", [HASH_SHA512] = "SHA2-512"};
    if (key->kind == PUBLIC_KEY_RSA)
        return verify(key, names[algorithm], signed_bytes, signature);
    int size = 0;
    unsigned char *der = der_of(signature, &size);
    struct text as_der = {.data = (char *)der, .length = size > 0 ? (size_t)size : 0};
    bool good = der && size > 0 && verify(key, names[algorithm], signed_bytes, &as_der);
    OPENSSL_free(der);
    return good;
}
