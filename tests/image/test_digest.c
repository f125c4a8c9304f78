/* Digests: what parses, what can be verified, and what is refused with which reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/digest.h"
#include "regwarden/memory.h"

#define HEX64 "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static void known_digests_round_trip(void **state)
{
    static const char *const cases[] = {"sha256:" HEX64, "sha512:" HEX64 HEX64};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest digest;
        char buffer[DIGEST_TEXT_SIZE];
        assert_int_equal(digest_parse_verifiable(cases[i], &digest, NULL), 0);
        assert_string_equal(digest_format(&digest, buffer), cases[i]);
    }
}

static void tags_of_evidence_name_a_digest(void **state)
{
    static const char *const good[] = {"sha256-" HEX64, "sha256-" HEX64 ".att",
                                       "sha256-" HEX64 ".sig"};
    static const char *const bad[] = {
        NULL,
        "",
        "v1",
        "sha256-app",
        "sha256-",
        "sha256:" HEX64,
        "sha256-" HEX64 "0",
        "sha256-" HEX64 "-app",
        "sha256-z4136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61"
        "caaff8a"};
    struct digest expected, digest;

    (void)state;
    assert_int_equal(digest_parse("sha256:" HEX64, &expected, NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_int_equal(digest_parse_tag(good[i], &digest), 0);
        assert_true(digest_equal(&digest, &expected));
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_int_equal(digest_parse_tag(bad[i], &digest), FAILURE_INPUT);
}

static void bad_digests_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "sha256",
        "sha256:",
        ":" HEX64,
        HEX64,
        "sha256:" HEX64 "0",
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8",
        "sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A",
        "sha256:z4136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "SHA256:" HEX64,
        "sha256 :" HEX64,
        "sha256:" HEX64 "\n",
        "+sha256:" HEX64,
        "sha256+:" HEX64,
        "a..b:cd",
        "blake3:../../etc",
        "a-name-that-is-much-too-long-to-be-one:ab",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest digest = {.algorithm = DIGEST_SHA512};
        struct error err = {0};
        assert_int_equal(digest_parse(cases[i], &digest, &err), FAILURE_INPUT);
        assert_int_equal(digest.algorithm, DIGEST_SHA512); /* untouched on failure */
        assert_string_not_equal(err.text, "");
    }
    assert_int_equal(digest_parse(NULL, &(struct digest){0}, NULL), FAILURE_INPUT);
}

/* Naive: any algorithm that is not sha256 is malformed. blake3 is registered; it parses, is named
 * in the refusal, and nothing is taken as verified by it. */
static void unknown_algorithms_parse_but_verify_nothing(void **state)
{
    struct digest digest, copy;
    struct error err = {0};
    char buffer[DIGEST_TEXT_SIZE];
    (void)state;
    assert_int_equal(digest_parse("blake3:" HEX64, &digest, NULL), 0);
    assert_int_equal(digest.algorithm, DIGEST_OTHER);
    assert_string_equal(digest.other, "blake3");
    assert_int_equal(digest_parse_verifiable("blake3:" HEX64, &digest, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.text, "blake3"));
    assert_int_equal(digest_verify(&digest, "", 0, NULL), FAILURE_INPUT);
    assert_false(digest_equal(&digest, &digest));
    assert_int_equal(digest_parse(digest_format(&digest, buffer), &copy, NULL), 0);
    assert_int_equal(copy.algorithm, DIGEST_OTHER);
    assert_int_equal(digest_parse("sha256+b64:a_-=Z", &digest, NULL), 0);
}

static void bytes_are_verified(void **state)
{
    struct digest digest, sha512;
    struct error err = {0};
    char buffer[DIGEST_SHORT_SIZE];
    (void)state;
    assert_int_equal(digest_parse("sha256:" HEX64, &digest, NULL), 0);
    assert_int_equal(digest_verify(&digest, "{}", 2, NULL), 0);
    assert_int_equal(digest_verify(&digest, "{ }", 3, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.text, HEX64));
    assert_string_equal(digest_format_short(&digest, buffer), "44136fa355b3");
    digest_compute(&(struct digest){.algorithm = DIGEST_SHA512}, "{}", 2, &sha512);
    assert_int_equal(sha512.algorithm, DIGEST_SHA512);
    assert_int_equal(digest_verify(&sha512, "{}", 2, NULL), 0);
    assert_false(digest_equal(&digest, &sha512));
    digest_compute(NULL, "{}", 2, &sha512);
    assert_true(digest_equal(&digest, &sha512));
}

static void no_digest_is_nothing(void **state)
{
    struct digest none = {0};
    char buffer[DIGEST_TEXT_SIZE];
    char brief[DIGEST_SHORT_SIZE];
    (void)state;
    assert_false(digest_is_set(&none));
    assert_string_equal(digest_format(&none, buffer), "");
    assert_string_equal(digest_format_short(&none, brief), "");
    assert_int_equal(digest_verify(&none, "", 0, NULL), FAILURE_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_round_trip),
        cmocka_unit_test(tags_of_evidence_name_a_digest),
        cmocka_unit_test(bad_digests_are_refused),
        cmocka_unit_test(unknown_algorithms_parse_but_verify_nothing),
        cmocka_unit_test(bytes_are_verified),
        cmocka_unit_test(no_digest_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
