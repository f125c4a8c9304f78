/* Published vectors for hashes and MACs; strict hex and base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/crypto.h"

static void hashes(void **state)
{
    static const struct {
        enum hash_algorithm algorithm;
        size_t size;
        const char *text, *hex;
    } cases[] = {
        {HASH_SHA1, 20, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {HASH_SHA256, 32, "abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {HASH_SHA256, 32, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {HASH_SHA512, 64, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t bytes[HASH_SIZE_MAX];
        char hex[2 * HASH_SIZE_MAX + 1];
        assert_int_equal(hash_size(cases[i].algorithm), cases[i].size);
        crypto_hash(cases[i].algorithm, cases[i].text, strlen(cases[i].text), bytes);
        crypto_hex(bytes, cases[i].size, hex);
        assert_string_equal(hex, cases[i].hex);
        struct hash *hash = hash_new(cases[i].algorithm);
        for (const char *at = cases[i].text; *at; at++)
            hash_update(hash, at, 1);
        hash_finish(hash, bytes);
        hash_free(hash);
        crypto_hex(bytes, cases[i].size, hex);
        assert_string_equal(hex, cases[i].hex);
    }
    hash_free(NULL);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than the block), and the empty key. */
static void macs(void **state)
{
    char long_key[131], ones[20];
    memset(long_key, 0xaa, sizeof(long_key));
    memset(ones, 0x0b, sizeof(ones));
    const struct {
        const char *key;
        size_t key_size;
        const char *text, *hex;
    } cases[] = {
        {ones, sizeof(ones), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {long_key, sizeof(long_key), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {NULL, 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint8_t bytes[HASH_SIZE_MAX];
        char hex[2 * HASH_SIZE_MAX + 1];
        crypto_hmac(HASH_SHA256, cases[i].key, cases[i].key_size, cases[i].text,
                    strlen(cases[i].text), bytes);
        crypto_hex(bytes, 32, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void comparing(void **state)
{
    (void)state;
    assert_true(crypto_equal("abc", "abc", 3));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_true(crypto_equal("a", "b", 0));
    assert_true(crypto_equal_text("secret", "secret"));
    assert_false(crypto_equal_text("secret", "secret2"));
    assert_false(crypto_equal_text("", "x"));
    assert_true(crypto_equal_text("", ""));
    assert_false(crypto_equal_text(NULL, NULL));
    assert_false(crypto_equal_text("x", NULL));
}

static void random_bytes_differ(void **state)
{
    uint8_t a[512] = {0}, b[512] = {0}, zero[512] = {0};
    (void)state;
    crypto_random(a, sizeof(a));
    crypto_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    crypto_erase(a, sizeof(a));
    assert_memory_equal(a, zero, sizeof(a));
    crypto_random(NULL, 0);
}

static void hex_is_strict(void **state)
{
    static const char *const refused[] = {"0aF", "0AFF", "0a", "0aff00", "0afg", "", "0a f"};
    uint8_t bytes[2] = {1, 2};
    (void)state;
    assert_true(crypto_from_hex("0aff", 2, bytes));
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        uint8_t untouched[2] = {1, 2};
        assert_false(crypto_from_hex(refused[i], 2, untouched));
        assert_int_equal(untouched[0], 1);
    }
}

static void base64_both_ways(void **state)
{
    static const struct {
        const char *bytes, *base64;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text base64 = {0}, bytes = {0}, bare = {0};
        crypto_base64(cases[i].bytes, strlen(cases[i].bytes), &base64);
        assert_string_equal(text_data(&base64), cases[i].base64);
        assert_int_equal(crypto_from_base64(cases[i].base64, &bytes, NULL), 0);
        assert_string_equal(text_data(&bytes), cases[i].bytes);
        text_add_bytes(&bare, cases[i].base64, strcspn(cases[i].base64, "="));
        text_clear(&bytes);
        assert_int_equal(crypto_from_base64(text_data(&bare), &bytes, NULL), 0);
        assert_string_equal(text_data(&bytes), cases[i].bytes);
    }
    AUTO_TEXT struct text bytes = {0};
    text_add(&bytes, "kept ");
    assert_int_equal(crypto_from_base64("__79", &bytes, NULL), 0);
    assert_string_equal(text_data(&bytes), "kept \xff\xfe\xfd");
}

static void base64_is_strict(void **state)
{
    static const char *const refused[] = {"Z",    "Zg=",   "Zg===",     "Z===",   "=",
                                          "==",   "Zm9v=", "Zm 9v",     "Zm9v\n", "Zh==",
                                          "Zm9=", "Z=g=",  "Zm\xc3\xbc"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        AUTO_TEXT struct text bytes = {0};
        struct error err;
        if (crypto_from_base64(refused[i], &bytes, &err) != FAILURE_INPUT)
            fail_msg("%s was taken", refused[i]);
        assert_int_equal(bytes.length, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),           cmocka_unit_test(macs),
        cmocka_unit_test(comparing),        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(hex_is_strict),    cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
