/* See signer.h. */
#include "signer.h"

#include <assert.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct signer {
    EVP_PKEY *key;
    bool is_rsa;
};

static struct signer *signer_new(EVP_PKEY *key, bool is_rsa)
{
    struct signer *signer = memory_new(sizeof(*signer));
    assert(key != NULL);
    *signer = (struct signer){.key = key, .is_rsa = is_rsa};
    return signer;
}

struct signer *signer_new_rsa(unsigned bits)
{
    return signer_new(EVP_RSA_gen(bits), true);
}

struct signer *signer_new_p256(void)
{
    return signer_new(EVP_EC_gen("P-256"), false);
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->key);
    free(signer);
}

/* --- signing --- */

static void add_pair(const unsigned char *der, size_t size, struct text *to)
{
    unsigned char numbers[64];
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    assert(pair != NULL);
    assert(BN_bn2binpad(ECDSA_SIG_get0_r(pair), numbers, 32) == 32);
    assert(BN_bn2binpad(ECDSA_SIG_get0_s(pair), numbers + 32, 32) == 32);
    ECDSA_SIG_free(pair);
    text_add_bytes(to, numbers, sizeof(numbers));
}

void signer_sign(const struct signer *signer, enum hash_algorithm algorithm,
                 const char *signed_text, struct text *to)
{
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const char *digest = algorithm == HASH_SHA1 ? "SHA1" : "SHA2-256";
    assert(EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, signer->key, NULL) == 1);
    assert(EVP_DigestSign(context, signature, &size, (const unsigned char *)signed_text,
                          strlen(signed_text)) == 1);
    EVP_MD_CTX_free(context);
    if (signer->is_rsa)
        text_add_bytes(to, signature, size);
    else
        add_pair(signature, size, to);
}

void signer_base64url(const void *bytes, size_t size, struct text *to)
{
    AUTO_TEXT struct text plain = {0};
    crypto_base64(bytes, size, &plain);
    for (size_t i = 0; i < plain.length && plain.data[i] != '='; i++) {
        char c = plain.data[i];
        text_add_char(to, c == '+' ? '-' : c == '/' ? '_' : c);
    }
}

void signer_token(const struct signer *signer, const char *header, const char *claims,
                  struct text *to)
{
    AUTO_TEXT struct text token = {0};
    AUTO_TEXT struct text signature = {0};
    signer_base64url(header, strlen(header), &token);
    text_add_char(&token, '.');
    signer_base64url(claims, strlen(claims), &token);
    signer_sign(signer, HASH_SHA256, token.data, &signature);
    text_add(to, token.data);
    text_add_char(to, '.');
    signer_base64url(signature.data, signature.length, to);
}

/* --- the public key --- */

static void set_time(ASN1_TIME *time, int64_t ms)
{
    assert(ASN1_TIME_set(time, (time_t)(ms / 1000)) != NULL);
}

void signer_certificate(const struct signer *signer, struct key_validity validity, struct text *to)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    assert(X509_set_version(certificate, 2) == 1);
    assert(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    set_time(X509_getm_notBefore(certificate), validity.from_ms);
    set_time(X509_getm_notAfter(certificate), validity.until_ms);
    assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"sns.amazonaws.com", -1, -1, 0) == 1);
    assert(X509_set_issuer_name(certificate, name) == 1);
    assert(X509_set_pubkey(certificate, signer->key) == 1);
    assert(X509_sign(certificate, signer->key, EVP_sha256()) > 0);
    assert(PEM_write_bio_X509(bio, certificate) == 1);
    long size = BIO_get_mem_data(bio, &bytes);
    text_add_bytes(to, bytes, (size_t)size);
    BIO_free(bio);
    X509_free(certificate);
}

static void add_number(const struct signer *signer, const char *parameter, int width,
                       struct text *to)
{
    unsigned char bytes[1024];
    BIGNUM *number = NULL;
    assert(EVP_PKEY_get_bn_param(signer->key, parameter, &number) == 1);
    int size = width > 0 ? BN_bn2binpad(number, bytes, width) : BN_bn2bin(number, bytes);
    assert(size > 0);
    signer_base64url(bytes, (size_t)size, to);
    BN_free(number);
}

void signer_jwk(const struct signer *signer, const char *id, struct text *to)
{
    text_format(to, "{\"kid\":\"%s\",\"use\":\"sig\",", id);
    text_add(to, signer->is_rsa ? "\"kty\":\"RSA\",\"n\":\""
                                : "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
    add_number(signer, signer->is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X,
               signer->is_rsa ? 0 : 32, to);
    text_add(to, signer->is_rsa ? "\",\"e\":\"" : "\",\"y\":\"");
    add_number(signer, signer->is_rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y,
               signer->is_rsa ? 0 : 32, to);
    text_add(to, "\"}");
}
