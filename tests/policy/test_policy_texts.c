/* Typed texts and paths. */
#include "cmocka_all.h"

#include "paths.h"
#include "typed_text.h"

#include "regwarden/memory.h"

static void test_typed_texts(void **state)
{
    static const struct {
        enum text_type type;
        const char *text;
        bool valid;
    } rows[] = {
        {TEXT_TYPE_TEXT, "x", true},
        {TEXT_TYPE_TEXT, "", false},
        {TEXT_TYPE_TEXT, " \t\n", false},
        {TEXT_TYPE_URL, "https://code.example/a?b#c", true},
        {TEXT_TYPE_URL, "git+ssh://code.example/a", true},
        {TEXT_TYPE_URL, "code.example/a", false},
        {TEXT_TYPE_URL, "https://", false},
        {TEXT_TYPE_URL, "https:///a", false},
        {TEXT_TYPE_URL, "https://a b", false},
        {TEXT_TYPE_URL, "javascript://x", false},
        {TEXT_TYPE_URL, "https://a/\x01", false},
        {TEXT_TYPE_RFC3339, "2030-01-31T12:00:00Z", true},
        {TEXT_TYPE_RFC3339, "2030-01-31", false},
        {TEXT_TYPE_RFC3339, "yesterday", false},
        {TEXT_TYPE_SPDX, "MIT", true},
        {TEXT_TYPE_SPDX, "GPL-2.0-or-later WITH Classpath-exception-2.0", true},
        {TEXT_TYPE_SPDX, "(MIT OR Apache-2.0) AND LicenseRef-x", true},
        {TEXT_TYPE_SPDX, "((MIT))", true},
        {TEXT_TYPE_SPDX, "Apache License 2.0", false},
        {TEXT_TYPE_SPDX, "MIT OR", false},
        {TEXT_TYPE_SPDX, "OR MIT", false},
        {TEXT_TYPE_SPDX, "(MIT", false},
        {TEXT_TYPE_SPDX, "MIT)", false},
        {TEXT_TYPE_SPDX, "()", false},
        {TEXT_TYPE_SPDX, "MIT, BSD", false},
        {TEXT_TYPE_SPDX, "", false},
        {TEXT_TYPE_GIT_HASH, "0123456", true},
        {TEXT_TYPE_GIT_HASH, "0123456789abcdef0123456789abcdef01234567", true},
        {TEXT_TYPE_GIT_HASH, "012345", false},
        {TEXT_TYPE_GIT_HASH, "0123456g", false},
        {TEXT_TYPE_GIT_HASH, "0123456789abcdef0123456789abcdef012345678", false},
        {TEXT_TYPE_GIT_HASH, "HEAD", false},
        {TEXT_TYPE_SEMVER, "1.2.3", true},
        {TEXT_TYPE_SEMVER, "v1.2.3", true},
        {TEXT_TYPE_SEMVER, "1.2.3-rc.1+build.7", true},
        {TEXT_TYPE_SEMVER, "1.2.3+build", true},
        {TEXT_TYPE_SEMVER, "1.2.3-0a.x-y", true},
        {TEXT_TYPE_SEMVER, "1.2", false},
        {TEXT_TYPE_SEMVER, "1.2.3.4", false},
        {TEXT_TYPE_SEMVER, "01.2.3", false},
        {TEXT_TYPE_SEMVER, "1.2.3-", false},
        {TEXT_TYPE_SEMVER, "1.2.3-01", false},
        {TEXT_TYPE_SEMVER, "1.2.3-a..b", false},
        {TEXT_TYPE_SEMVER, "1.2.3-a.", false},
        {TEXT_TYPE_SEMVER, "1.2.3+", false},
        {TEXT_TYPE_SEMVER, "1.2.3 ", false},
        {TEXT_TYPE_SEMVER, "latest", false},
        {TEXT_TYPE_EMAIL, "a.b+c@code.example", true},
        {TEXT_TYPE_EMAIL, "a@localhost", false},
        {TEXT_TYPE_EMAIL, "@code.example", false},
        {TEXT_TYPE_EMAIL, "a@", false},
        {TEXT_TYPE_EMAIL, "a@.example", false},
        {TEXT_TYPE_EMAIL, "a b@code.example", false},
        {TEXT_TYPE_EMAIL, "nobody", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_type_check(rows[i].type, rows[i].text) != rows[i].valid)
            fail_msg("%s: \"%s\"", text_type_names[rows[i].type], rows[i].text);
    }
}

static void test_paths(void **state)
{
    static const struct {
        const char *path, *root;
        bool below;
    } rows[] = {
        {"/proc", "/proc", true},
        {"/proc/", "/proc", true},
        {"/proc/sys", "/proc", true},
        {"//proc", "/proc", true},
        {"/./proc", "/proc", true},
        {"/var/../proc/self", "/proc", true},
        {"/../../proc", "/proc", true},
        {"/processes", "/proc", false},
        {"proc", "/proc", false},
        {"/data", "/", true},
        {"/", "/proc", false},
        {"", "/proc", false},
        {"/proc/../data", "/proc", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (path_is_below(rows[i].path, rows[i].root) != rows[i].below)
            fail_msg("%s below %s", rows[i].path, rows[i].root);
    }
    assert_true(path_is_root("/"));
    assert_true(path_is_root("//./a/.."));
    assert_false(path_is_root("/a"));
    assert_false(path_is_root(""));
}

static void test_long_paths_end(void **state)
{
    char path[5000];

    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_false(path_is_below(path, "/proc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_texts),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_long_paths_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
