/* Secrets in short texts: formats, names, values that are none, masks, and a redaction that stays
 * linear whatever it is given. Tokens are put together here, so that no scanner takes this file for
 * a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/secret_text.h"

#define ALNUM "a1B2c3D4e5F6g7H8"
#define HEX "0a1b2c3d4e5f6789"
#define UPPER "A2B3C4D5E6F7G2H3"

/* prefix + `size` characters going round in `set` + suffix. Returns new. */
static char *token(const char *prefix, const char *set, size_t size, const char *suffix)
{
    struct text text = {0};
    text_add(&text, prefix);
    for (size_t i = 0; i < size; i++)
        text_add_char(&text, set[i % strlen(set)]);
    text_add(&text, suffix);
    return text_take(&text);
}

static const struct {
    const char *prefix, *set;
    size_t size;
    const char *suffix, *kind;
} formats[] = {
    {"AKIA", UPPER, 16, "", "aws-access-key"},
    {"ASIA", UPPER, 16, "", "aws-access-key"},
    {"ghp_", ALNUM, 36, "", "github-token"},
    {"gho_", ALNUM, 36, "", "github-token"},
    {"ghs_", ALNUM, 36, "", "github-token"},
    {"github_pat_", ALNUM, 82, "", "github-token"},
    {"glpat-", ALNUM, 20, "", "gitlab-token"},
    {"glptt-", HEX, 40, "", "gitlab-token"},
    {"xoxb-", "12345678-", 40, "", "slack-token"},
    {"hooks.slack.com/services/", "T123/B456/abc", 44, "", "slack-webhook"},
    {"AIza", ALNUM, 35, "", "google-api-key"},
    {"sk_live_", ALNUM, 24, "", "stripe-key"},
    {"rk_test_", ALNUM, 24, "", "stripe-key"},
    {"npm_", ALNUM, 36, "", "npm-token"},
    {"pypi-AgEIcHlwaS5vcmc", ALNUM, 80, "", "pypi-token"},
    {"rubygems_", HEX, 48, "", "rubygems-token"},
    {"hf_", ALNUM, 34, "", "huggingface-token"},
    {"sk-", ALNUM, 20, "T3BlbkFJabcdefghijklmnopqrst", "openai-key"},
    {"sk-ant-api03-", ALNUM, 93, "AA", "anthropic-key"},
    {"SG.", ALNUM, 22, ".0123456789012345678901234567890123456789012", "sendgrid-key"},
    {"dapi", HEX, 32, "", "databricks-token"},
    {"dop_v1_", HEX, 64, "", "digitalocean-token"},
    {"shpat_", HEX, 32, "", "shopify-token"},
    {"hvs.", ALNUM, 90, "", "vault-token"},
    {"abcdefghijklmn.atlasv1.", ALNUM, 64, "", "terraform-token"},
    {"pul-", HEX, 40, "", "pulumi-token"},
    {"dp.pt.", ALNUM, 43, "", "doppler-token"},
    {"glsa_", ALNUM, 32, "_0a1b2c3d", "grafana-token"},
    {"AGE-SECRET-KEY-1", UPPER, 58, "", "age-secret-key"},
    {"dckr_pat_", ALNUM, 27, "", "docker-token"},
    {"ABIA", UPPER, 16, "", "aws-access-key"},
    {"ACCA", UPPER, 16, "", "aws-access-key"},
    {"ABSK", ALNUM, 120, "", "aws-bedrock-key"},
    {"ghu_", ALNUM, 36, "", "github-token"},
    {"ghr_", ALNUM, 40, "", "github-token"},
    {"gldt-", ALNUM, 20, "", "gitlab-token"},
    {"glrt-", ALNUM, 20, "", "gitlab-token"},
    {"glcbt-", ALNUM, 20, "", "gitlab-token"},
    {"glsoat-", ALNUM, 20, "", "gitlab-token"},
    {"GR1348941", ALNUM, 20, "", "gitlab-token"},
    {"xoxp-", "12345678-", 40, "", "slack-token"},
    {"xoxa-", "12345678-", 40, "", "slack-token"},
    {"xapp-", "12345678-", 40, "", "slack-token"},
    {"xoxe.", "12345678-", 40, "", "slack-token"},
    {"GOCSPX-", ALNUM, 28, "", "google-oauth-secret"},
    {"sk_test_", ALNUM, 24, "", "stripe-key"},
    {"sk_prod_", ALNUM, 24, "", "stripe-key"},
    {"rk_live_", ALNUM, 24, "", "stripe-key"},
    {"rk_prod_", ALNUM, 24, "", "stripe-key"},
    {"sk-ant-admin01-", ALNUM, 93, "", "anthropic-key"},
    {"doo_v1_", HEX, 64, "", "digitalocean-token"},
    {"dor_v1_", HEX, 64, "", "digitalocean-token"},
    {"shpca_", HEX, 32, "", "shopify-token"},
    {"shppa_", HEX, 32, "", "shopify-token"},
    {"shpss_", HEX, 32, "", "shopify-token"},
    {"hvb.", ALNUM, 90, "", "vault-token"},
    {"dp.st.", ALNUM, 43, "", "doppler-token"},
    {"glc_", ALNUM, 40, "", "grafana-token"},
    {"lin_api_", ALNUM, 40, "", "linear-key"},
    {"eyJ", ALNUM, 30, ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLWhlcmU", "jwt"},
};

static void formats_are_found_anywhere(void **state)
{
    static const char *const around[][2] = {{"", ""},     {"curl -H 'X: ", "' https://x"},
                                            {"a=", ";b"}, {"(", ")"},
                                            {"\"", "\""}, {"\n", "\n"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        AUTO_FREE char *secret =
            token(formats[i].prefix, formats[i].set, formats[i].size, formats[i].suffix);
        for (size_t k = 0; k < ARRAY_COUNT(around); k++) {
            AUTO_FREE char *text = text_new("%s%s%s", around[k][0], secret, around[k][1]);
            struct secret_match match[2];
            if (secret_text_find(text, match, 2) != 1)
                fail_msg("%s in \"%s\"", formats[i].kind, text);
            assert_string_equal(match[0].kind, formats[i].kind);
            assert_int_equal(match[0].start, strlen(around[k][0]));
            assert_int_equal(match[0].size, strlen(secret));
            AUTO_FREE char *redacted = secret_text_redact(text);
            assert_null(strstr(redacted, secret));
        }
    }
}

static void too_short_too_long_or_inside_a_word_is_none(void **state)
{
    static const struct {
        const char *prefix, *set;
        size_t size;
        const char *suffix;
    } cases[] = {
        {"ghp_", ALNUM, 35, ""},
        {"ghp_", ALNUM, 37, ""},
        {"xghp_", ALNUM, 36, ""},
        {"AKIA", UPPER, 9, "EXAMPLE"},
        {"AKIA", UPPER, 15, ""},
        {"AKIA", UPPER, 17, ""},
        {"ghp_", "x", 36, ""},
        {"sk-", ALNUM, 48, ""},
        {"eyJ", ALNUM, 30, ".eyJhIjoxfQ."},
        {"dapi", HEX, 31, ""},
        {"pypi-", ALNUM, 80, ""},
        {"hf_", ALNUM, 12, ""},
        {"", HEX, 64, ""}, /* a checksum: never by entropy alone */
        {"", HEX, 40, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = token(cases[i].prefix, cases[i].set, cases[i].size, cases[i].suffix);
        struct secret_match match;
        if (secret_text_find(text, &match, 1) != 0)
            fail_msg("%s is said to be %s", text, match.kind);
    }
}

static void secrets_in_their_context(void **state)
{
    static const struct {
        const char *text, *secret, *kind;
    } cases[] = {
        {"git clone https://user:s3cr3tpw@example.com/x", "s3cr3tpw", "url-password"},
        {"postgres://app:pa%24s@db:5432/x", "pa%24s", "url-password"},
        {"redis://:pw12345@cache", "pw12345", "url-password"},
        {"{\"auths\":{\"r\":{\"auth\":\"dXNlcjpwYXNzd29yZA==\"}}}",
         "dXNlcjpwYXNzd29yZA==", "docker-auth"},
        {"echo {\\\"auth\\\": \\\"dXNlcjpwYXNzd29yZA==\\\"}",
         "dXNlcjpwYXNzd29yZA==", "docker-auth"},
        {"curl -H 'Authorization: Bearer abcdef1234567890'", "abcdef1234567890",
         "authorization-header"},
        {"curl -H 'Authorization: Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz", "authorization-header"},
        {"DefaultEndpointsProtocol=https;AccountKey="
         "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMz=="
         ";",
         "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMz==",
         "azure-storage-key"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct secret_match match;
        if (secret_text_find(cases[i].text, &match, 1) != 1)
            fail_msg("nothing in %s", cases[i].text);
        AUTO_FREE char *found = memory_copy_bytes(cases[i].text + match.start, match.size);
        assert_string_equal(found, cases[i].secret);
        assert_string_equal(match.kind, cases[i].kind);
    }
}

static void private_keys_are_taken_whole(void **state)
{
    AUTO_FREE char *body = token("", ALNUM, 80, "");
    AUTO_FREE char *key = text_new("-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE "
                                   "KEY-----",
                                   body);
    AUTO_FREE char *cut = text_new("-----BEGIN OPENSSH PRIVATE KEY-----\\n%s", body);
    AUTO_FREE char *public =
        text_new("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----", body);
    AUTO_FREE char *mentioned = text_new("grep -q -- '-----BEGIN PRIVATE KEY-----' x");
    AUTO_FREE char *text = text_new("echo '%s' > key", key);
    struct secret_match match;
    (void)state;
    assert_int_equal(secret_text_find(text, &match, 1), 1);
    assert_string_equal(match.kind, "private-key");
    assert_int_equal(match.start, 6);
    assert_int_equal(match.size, strlen(key));
    assert_int_equal(secret_text_find(cut, &match, 1), 1);
    assert_int_equal(match.size, strlen(cut));
    assert_int_equal(secret_text_find(public, &match, 1), 0);
    assert_int_equal(secret_text_find(mentioned, &match, 1), 0);
}

/* Names and values as they stand in real images. */
static void names_and_values(void **state)
{
    static const struct {
        const char *key, *value;
        bool secret;
    } cases[] = {
        {"DB_PASSWORD", "hunter2", true},
        {"SONARQUBE_JDBC_PASSWORD", "sonar", true},
        {"db.password", "x", true},
        {"dbPassword", "hunter2", true},
        {"MYSQL_PASS", "abc", true},
        {"SECRET_KEY_BASE", "0a1b2c3d4e5f", true},
        {"API_KEY", "abcd1234efgh", true},
        {"AUTH_TOKEN", "Zm9vYmFyYmF6cXV4", true},
        {"PASSWORD_HASH", "$2y$10$abcdefgh", true},
        {"NPM_TOKEN", "0a1b2c3d-1234-5678", true},
        /* Naive: "key", "pass", "auth", "token" anywhere in the name. */
        {"GPG_KEY", "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567", false},
        {"PHP_SHA256", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", false},
        {"KEYCLOAK_VERSION", "24.0.1", false},
        {"MONKEY", "abcd1234efgh", false},
        {"COMPASS_HOME", "abcd1234", false},
        {"AUTHOR", "jane1234567", false},
        {"PUBLIC_KEY", "abcd1234efgh", false},
        {"PASSWORD_FILE", "hunter2", false},
        {"TOKEN_URL", "abcd1234efgh", false},
        {"AWS_ACCESS_KEY_ID", "abcd1234efgh", false},
        {"SSH_KEY_PATH", "abcd1234efgh", false},
        {"SIGNING_KEY", "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567", false}, /* a fingerprint */
        {"TOKEN", "short", false},
        {"AUTH_METHOD", "abcd1234efgh", false},
        {"KEY", "two words 123", false},
        /* Values that are none under any name. */
        {"PASSWORD", "", false},
        {"PASSWORD", "${DB_PASSWORD}", false},
        {"PASSWORD", "$(cat /run/x)", false},
        {"PASSWORD", "$DB_PASSWORD", false},
        {"PASSWORD", "{{ .Values.password }}", false},
        {"PASSWORD", "<password>", false},
        {"PASSWORD", "%PASSWORD%", false},
        {"PASSWORD", "changeme", false},
        {"PASSWORD", "CHANGE_ME", false},
        {"PASSWORD", "your_password_here", false},
        {"PASSWORD", "xxxxxxxx", false},
        {"PASSWORD", "********", false},
        {"PASSWORD", "hunt****(12)", false}, /* masked before */
        {"PASSWORD", "/run/secrets/password", false},
        {"PASSWORD", "false", false},
        {"ALLOW_EMPTY_PASSWORD", "yes", false},
        {"PATH", "/usr/local/bin:/usr/bin", false},
        {"PHPIZE_DEPS", "autoconf dpkg-dev file g++ gcc", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct secret_match match = {0};
        if (secret_text_pair(cases[i].key, cases[i].value, &match) != cases[i].secret)
            fail_msg("%s=%s", cases[i].key, cases[i].value);
        if (cases[i].secret)
            assert_int_equal(match.size, strlen(cases[i].value));
    }
}

/* The format names the kind; a harmless name does not excuse a token. */
static void a_token_counts_under_any_name(void **state)
{
    AUTO_FREE char *secret = token("ghp_", ALNUM, 36, "");
    AUTO_FREE char *inside = text_new("x %s y", secret);
    struct secret_match match;
    (void)state;
    assert_true(secret_text_pair("SOME_VERSION", secret, &match));
    assert_string_equal(match.kind, "github-token");
    assert_true(secret_text_pair("SOME_VERSION", inside, &match));
    assert_int_equal(match.start, 2);
    assert_true(secret_text_pair("GITHUB_TOKEN", secret, &match));
    assert_string_equal(match.kind, "github-token");
}

static void masks_show_at_most_a_quarter(void **state)
{
    static const struct {
        const char *secret, *masked;
    } cases[] = {
        {"", "****(0)"},
        {"abc", "****(3)"},
        {"abcd", "a****(4)"},
        {"abcdefgh", "ab****(8)"},
        {"ghp_0123456789abcdef", "ghp_****(20)"},
        {"\x01"
         "bcdefghijklmnop",
         "****(16)"},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "****(16)"},
        {"a\"b'c<d>efghijkl", "a****(16)"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *masked = secret_text_mask(cases[i].secret, strlen(cases[i].secret));
        assert_string_equal(masked, cases[i].masked);
    }
}

static void redaction(void **state)
{
    static const struct {
        const char *text, *redacted;
    } cases[] = {
        {"", ""},
        {"nothing here", "nothing here"},
        {"DB_PASSWORD=hunter22 ./run", "DB_PASSWORD=hu****(8) ./run"},
        {"./run --password=hunter22 -v", "./run --password=hu****(8) -v"},
        {"./run --password hunter22 -v", "./run --password hu****(8) -v"},
        {"./run --password -v", "./run --password -v"},
        {"PASSWORD=\"two words\" x", "PASSWORD=\"tw****(9)\" x"},
        {"PASSWORD='it' x", "PASSWORD='****(2)' x"},
        {"echo '{\"password\": \"hunter22\"}'", "echo '{\"password\": \"hu****(8)\"}'"},
        {"echo {\\\"password\\\":\\\"hunter22\\\"}", "echo {\\\"password\\\":\\\"hu****(8)\\\"}"},
        {"curl 'https://x/?token=abcd1234&y=z'", "curl 'https://x/?token=ab****(8)&y=z'"},
        {"https://u:hunter22@x and PASSWORD=abcdefgh",
         "https://u:hu****(8)@x and PASSWORD=ab****(8)"},
        /* A harmless value is looked into. */
        {"AUTH=\"--user x --password=hunter22\"", "AUTH=\"--user x --password=hu****(8)\""},
        {"GPG_KEY=0A1B2C3D4E5F60718293A4B5C6D7E8F901234567",
         "GPG_KEY=0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"},
        {"apt-get install -y ca-certificates libsecret-1-0", /* no pair at all */
         "apt-get install -y ca-certificates libsecret-1-0"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *redacted = secret_text_redact(cases[i].text);
        AUTO_FREE char *again = secret_text_redact(redacted);
        assert_string_equal(redacted, cases[i].redacted);
        assert_string_equal(again, redacted);
    }
}

static char *repeated(const char *piece, size_t size)
{
    struct text text = {0};
    while (text.length < size)
        text_add(&text, piece);
    return text_take(&text);
}

/* Doubling the text must not quadruple the time. Each piece made some scanner quadratic. */
static void redaction_is_linear(void **state)
{
    static const char *const pieces[] = {
        "a=",
        "token=",
        "token=\"",
        "token=\"token='",
        "eyJ",
        "eyJ-",
        "eyJaaaaaaaaaa.",
        "ghs_.",
        "glpat-",
        "://",
        "a://b:",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "\"auth\":\"",
        "AKIA",
        "sk-",
        "--password ",
        "x",
        "\\\"token\\\":\\\"",
        "Authorization: Bearer ",
        "abcdefghijklmn.atlasv1.",
        ".",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO_FREE char *text = repeated(pieces[i], 1 << 20);
        int64_t start = clock_steady_ms();
        AUTO_FREE char *redacted = secret_text_redact(text);
        int64_t took = clock_steady_ms() - start;
        assert_non_null(redacted);
        /* A quadratic scan of a megabyte takes minutes; a linear one some milliseconds, more with
         * sanitizers on a busy machine. */
        if (took > 20000)
            fail_msg("\"%s\": %lld ms", pieces[i], (long long)took);
    }
}

/* A long run that is measured anew after each look behind its end. */
static void a_long_run_is_measured_once(void **state)
{
    AUTO_FREE char *run = repeated("-eyJ", 1 << 20);
    AUTO_FREE char *text = text_new("%s.eyJaaaaaaaaaa", run);
    int64_t start = clock_steady_ms();
    AUTO_FREE char *redacted = secret_text_redact(text);
    (void)state;
    assert_string_equal(redacted, text);
    assert_true(clock_steady_ms() - start < 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found_anywhere),
        cmocka_unit_test(too_short_too_long_or_inside_a_word_is_none),
        cmocka_unit_test(secrets_in_their_context),
        cmocka_unit_test(private_keys_are_taken_whole),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(a_token_counts_under_any_name),
        cmocka_unit_test(masks_show_at_most_a_quarter),
        cmocka_unit_test(redaction),
        cmocka_unit_test(redaction_is_linear),
        cmocka_unit_test(a_long_run_is_measured_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
