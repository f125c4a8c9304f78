/* Keys of others and what they signed: vectors of RFC 7515, and keys made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signer.h"

static const struct key_validity a_day = {.from_ms = 1700000000000, .until_ms = 1700086400000};

static void add_decoded(const char *base64, struct text *to)
{
    assert_int_equal(crypto_from_base64(base64, to, NULL), 0);
}

static struct text text_of(const char *string)
{
    struct text text = {0};
    text_add(&text, string);
    return text;
}

/* RFC 7515, appendix A.2 */
static const char rfc_modulus[] =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
static const char rfc_rsa_signed[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";
static const char rfc_rsa_signature[] =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
    "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipU"
    "TI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/* appendix A.3 */
static const char rfc_x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char rfc_y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char rfc_ec_signed[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";
static const char rfc_ec_signature[] =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static void check_vector(const struct public_key *key, const char *signed_text,
                         const char *signature)
{
    AUTO_TEXT struct text bytes = text_of(signed_text);
    AUTO_TEXT struct text raw = {0};
    add_decoded(signature, &raw);
    assert_true(public_key_verifies(key, HASH_SHA256, &bytes, &raw));
    assert_false(public_key_verifies(key, HASH_SHA1, &bytes, &raw));
    bytes.data[3] ^= 1;
    assert_false(public_key_verifies(key, HASH_SHA256, &bytes, &raw));
    bytes.data[3] ^= 1;
    raw.data[9] ^= 1;
    assert_false(public_key_verifies(key, HASH_SHA256, &bytes, &raw));
    raw.data[9] ^= 1;
    raw.length--;
    assert_false(public_key_verifies(key, HASH_SHA256, &bytes, &raw));
    raw.length = 0;
    assert_false(public_key_verifies(key, HASH_SHA256, &bytes, &raw));
}

static void rsa_vector(void **state)
{
    (void)state;
    AUTO_PUBLIC_KEY struct public_key *key = NULL;
    AUTO_TEXT struct text n = {0}, e = {0};
    add_decoded(rfc_modulus, &n);
    add_decoded("AQAB", &e);
    assert_int_equal(public_key_from_rsa(&n, &e, &key, NULL), 0);
    assert_int_equal(public_key_kind(key), PUBLIC_KEY_RSA);
    check_vector(key, rfc_rsa_signed, rfc_rsa_signature);
}

static void p256_vector(void **state)
{
    (void)state;
    AUTO_PUBLIC_KEY struct public_key *key = NULL;
    AUTO_TEXT struct text x = {0}, y = {0};
    add_decoded(rfc_x, &x);
    add_decoded(rfc_y, &y);
    assert_int_equal(public_key_from_p256(&x, &y, &key, NULL), 0);
    assert_int_equal(public_key_kind(key), PUBLIC_KEY_P256);
    check_vector(key, rfc_ec_signed, rfc_ec_signature);
}

static void weak_numbers_are_refused(void **state)
{
    (void)state;
    struct public_key *key = NULL;
    struct error err = {0};
    AUTO_TEXT struct text n = {0}, e = {0}, x = {0}, y = {0}, none = {0};
    add_decoded(rfc_modulus, &n);
    add_decoded("AQAB", &e);
    add_decoded(rfc_x, &x);
    add_decoded(rfc_y, &y);
    struct text short_n = {.data = n.data, .length = 128};
    struct text one = {.data = e.data, .length = 1}; /* 0x01 */
    struct text even = {.data = e.data, .length = 2};
    assert_int_equal(public_key_from_rsa(&short_n, &e, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_rsa(&n, &one, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_rsa(&n, &even, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_rsa(&none, &e, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_rsa(&n, &none, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_p256(&x, &x, &key, &err), FAILURE_INPUT); /* off the curve */
    assert_int_equal(public_key_from_p256(&x, &none, &key, &err), FAILURE_INPUT);
    assert_int_equal(public_key_from_p256(&one, &y, &key, &err), FAILURE_INPUT);
    assert_null(key);
}

static void certificates(void **state)
{
    (void)state;
    struct signer *signer = signer_new_rsa(2048);
    AUTO_PUBLIC_KEY struct public_key *key = NULL;
    struct key_validity validity = {0};
    AUTO_TEXT struct text pem = {0};
    AUTO_TEXT struct text bytes = text_of("signed by the certificate's key");
    AUTO_TEXT struct text old = {0}, fresh = {0};
    signer_certificate(signer, a_day, &pem);
    assert_int_equal(public_key_from_certificate(&pem, &key, &validity, NULL), 0);
    assert_int_equal(validity.from_ms, a_day.from_ms);
    assert_int_equal(validity.until_ms, a_day.until_ms);
    signer_sign(signer, HASH_SHA1, bytes.data, &old);
    signer_sign(signer, HASH_SHA256, bytes.data, &fresh);
    assert_true(public_key_verifies(key, HASH_SHA1, &bytes, &old));
    assert_true(public_key_verifies(key, HASH_SHA256, &bytes, &fresh));
    assert_false(public_key_verifies(key, HASH_SHA256, &bytes, &old));
    signer_free(signer);
}

static void what_is_no_certificate(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "garbage",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    };
    struct public_key *key = NULL;
    struct key_validity validity = {0};
    struct error err = {0};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_TEXT struct text pem = text_of(table[i]);
        assert_int_equal(public_key_from_certificate(&pem, &key, &validity, &err), FAILURE_INPUT);
    }
    struct signer *weak = signer_new_rsa(1024);
    AUTO_TEXT struct text pem = {0};
    signer_certificate(weak, a_day, &pem);
    assert_int_equal(public_key_from_certificate(&pem, &key, &validity, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.text, "2048"));
    signer_free(weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_vector),
        cmocka_unit_test(p256_vector),
        cmocka_unit_test(weak_numbers_are_refused),
        cmocka_unit_test(certificates),
        cmocka_unit_test(what_is_no_certificate),
    };
    return cmocka_run_group_tests_name("crypto_keys", tests, NULL, NULL);
}
