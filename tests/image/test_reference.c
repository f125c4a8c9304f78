/* Names of images: grammars, the forms users write, and refusals that say what to write instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/reference.h"
#include "regwarden/text.h"

#define DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static void repositories(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"a", true},           {"library/alpine", true},
        {"a/b/c", true},       {"a.b_c__d-e--f", true},
        {"0", true},           {"", false},
        {"/a", false},         {"a/", false},
        {"a//b", false},       {"A", false},
        {"a..b", false},       {"a___b", false},
        {".a", false},         {"a-", false},
        {"a._b", false},       {"a b", false},
        {"a:b", false},        {"a@b", false},
        {"../a", false},       {"a/../b", false},
        {"a/_catalog", false}, {NULL, false},
    };
    char longest[300];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(repository_is_valid(cases[i].name), cases[i].valid);
    memset(longest, 'a', sizeof(longest));
    longest[255] = '\0';
    assert_true(repository_is_valid(longest));
    longest[255] = 'a';
    longest[256] = '\0';
    assert_false(repository_is_valid(longest));
}

static void tags(void **state)
{
    char longest[200];
    (void)state;
    assert_true(tag_is_valid("latest"));
    assert_true(tag_is_valid("_1.0-Beta"));
    assert_false(tag_is_valid(""));
    assert_false(tag_is_valid(NULL));
    assert_false(tag_is_valid(".a"));
    assert_false(tag_is_valid("-a"));
    assert_false(tag_is_valid("a/b"));
    assert_false(tag_is_valid("a b"));
    memset(longest, 'a', sizeof(longest));
    longest[128] = '\0';
    assert_true(tag_is_valid(longest));
    longest[128] = 'a';
    longest[129] = '\0';
    assert_false(tag_is_valid(longest));
}

static void good_references_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *path, *repository, *tag, *formatted;
        enum reference_transport transport;
        bool has_digest;
    } cases[] = {
        {.text = "quay.io/org/app:v1", .host = "quay.io", .repository = "org/app", .tag = "v1"},
        {.text = "localhost/app", .host = "localhost", .repository = "app"},
        {.text = "registry:5000/app:v1", .host = "registry:5000", .repository = "app", .tag = "v1"},
        {.text = "10.0.0.1:80/app", .host = "10.0.0.1:80", .repository = "app"},
        {.text = "[::1]:5000/a", .host = "[::1]:5000", .repository = "a"},
        {.text = "quay.io/a@" DIGEST, .host = "quay.io", .repository = "a", .has_digest = true},
        {.text = "quay.io/a:b@" DIGEST,
         .host = "quay.io",
         .repository = "a",
         .tag = "b",
         .has_digest = true},
        {.text = "docker://quay.io/a:b",
         .host = "quay.io",
         .repository = "a",
         .tag = "b",
         .formatted = "quay.io/a:b"},
        {.text = "Quay.IO/a", .host = "quay.io", .repository = "a", .formatted = "quay.io/a"},
        {.text = "oci:build/out", .path = "build/out", .transport = REFERENCE_OCI_LAYOUT},
        {.text = "oci:out:v1", .path = "out", .tag = "v1", .transport = REFERENCE_OCI_LAYOUT},
        {.text = "oci:out:quay.io/a:v1",
         .path = "out",
         .tag = "quay.io/a:v1",
         .transport = REFERENCE_OCI_LAYOUT},
        {.text = "oci:out@" DIGEST,
         .path = "out",
         .has_digest = true,
         .transport = REFERENCE_OCI_LAYOUT},
        {.text = "oci:mail@home", .path = "mail@home", .transport = REFERENCE_OCI_LAYOUT},
        {.text = "oci-archive:/tmp/a.tar",
         .path = "/tmp/a.tar",
         .transport = REFERENCE_OCI_ARCHIVE},
        {.text = "docker-archive:a.tar:app:v1",
         .path = "a.tar",
         .tag = "app:v1",
         .transport = REFERENCE_DOCKER_ARCHIVE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct reference reference;
        struct error err = {0};
        if (reference_parse(cases[i].text, &reference, &err))
            fail_msg("%s", err.text);
        AUTO_FREE char *formatted = reference_format(&reference);
        assert_int_equal(reference.transport, cases[i].transport);
        assert_true(text_equal(reference.host, cases[i].host));
        assert_true(text_equal(reference.path, cases[i].path));
        assert_true(text_equal(reference.repository, cases[i].repository));
        assert_true(text_equal(reference.tag, cases[i].tag));
        assert_int_equal(digest_is_set(&reference.digest), cases[i].has_digest);
        assert_string_equal(formatted, cases[i].formatted ? cases[i].formatted : cases[i].text);
        reference_release(&reference);
    }
}

static void bad_references_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "alpine", /* deliberately not docker.io/library/alpine */
        "library/alpine",
        "quay.io",
        "quay.io/",
        "quay.io/A",
        "quay.io/a:",
        "quay.io/a:b:c",
        "quay.io/a@sha256:12",
        "quay.io/a@blake3:44136fa3",
        "quay.io/a@",
        "-quay.io/a",
        "quay-.io/a",
        "quay.io:0/a",
        "quay.io:99999/a",
        "quay.io:x/a",
        "quay..io/a",
        "[::1/a",
        "user@quay.io/a",
        "user:password@quay.io/a",
        "https://quay.io/a",
        "oci:",
        "oci:dir:",
        "oci::tag",
        "oci-archive:a\nb",
        "quay.io/a/../b",
        "quay.io/a?x=y",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct reference reference = {.tag = NULL};
        struct error err = {0};
        if (reference_parse(cases[i], &reference, &err) != FAILURE_INPUT)
            fail_msg("accepted: %s", cases[i]);
        assert_int_equal(reference_parse(cases[i], &reference, NULL), FAILURE_INPUT);
        assert_null(reference.repository);
        assert_string_not_equal(err.text, "");
    }
}

static void refusals_say_what_to_write(void **state)
{
    struct reference reference;
    struct error err = {0};
    (void)state;
    assert_int_equal(reference_parse("alpine", &reference, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.hint, "host/repository"));
    assert_int_equal(reference_parse("https://quay.io/a", &reference, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.hint, "scheme"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repositories),
        cmocka_unit_test(tags),
        cmocka_unit_test(good_references_are_taken_apart),
        cmocka_unit_test(bad_references_are_refused),
        cmocka_unit_test(refusals_say_what_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
