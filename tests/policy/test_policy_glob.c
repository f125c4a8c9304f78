/* Patterns, scopes and platforms. */
#include "cmocka_all.h"

#include "scope.h"

#include "regwarden/memory.h"

static void split(const char *words, struct text_list *ret)
{
    AUTO_FREE char *copy = memory_copy_text(words);
    char *rest = copy;
    char *word;

    while ((word = strsep(&rest, " "))) {
        if (*word)
            text_list_add(ret, word);
    }
}

static void test_lists(void **state)
{
    static const struct {
        const char *patterns;
        const char *string;
        bool matches;
    } rows[] = {
        {"", "anything", false},
        {"*", "team/app", true}, /* alone it means all, slash or not */
        {"**", "team/app", true},
        {"prod/**", "prod/a/b", true},
        {"prod/**", "prod", false},
        {"prod/**", "production/a", false},
        {"prod/*", "prod/a", true},
        {"prod/*", "prod/a/b", false},
        {"prod/?", "prod/a", true},
        {"prod/? prod/??", "prod/ab", true},
        {"v*", "v1.2", true},
        {"v*", "1.2", false},
        {"*-dev", "1.2-dev", true},
        {"**:latest", "registry.example/a/b:latest", true},
        {"**:latest", "registry.example/a/b:latest2", false},
        {"**/app", "app", true},
        {"**/app", "team/app", true},
        {"**x*", "a/bxc", true},
        {"prod/** !prod/sandbox/**", "prod/sandbox/a", false},
        {"!prod/sandbox/** prod/**", "prod/sandbox/a", false}, /* wherever the exclusion stands */
        {"prod/** !prod/sandbox/**", "prod/a", true},
        {"!latest", "v1", true}, /* nothing but exclusions: all else */
        {"!latest", "latest", false},
        {"a b c", "b", true},
        {"exact", "exactly", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT_LIST struct text_list patterns = {0};
        struct glob_list globs;
        bool matches;

        split(rows[i].patterns, &patterns);
        assert_int_equal(glob_list_compile(&patterns, &globs, NULL), 0);
        matches = glob_list_match(&globs, rows[i].string);
        glob_list_release(&globs);
        if (matches != rows[i].matches)
            fail_msg("\"%s\" on \"%s\"", rows[i].patterns, rows[i].string);
    }
}

static void test_empty_pattern_is_refused(void **state)
{
    AUTO_TEXT_LIST struct text_list patterns = {0};
    struct glob_list globs;
    struct error err = {0};

    (void)state;
    text_list_add(&patterns, "!");
    assert_int_equal(glob_list_compile(&patterns, &globs, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "an empty pattern matches nothing");
}

static void test_scopes(void **state)
{
    static const struct {
        const char *registries, *repositories, *tags, *platforms;
        const char *registry, *repository, *tag, *platform;
        bool matches;
    } rows[] = {
        {"", "", "", "", "harbor", "team/app", "v1", "linux/amd64", true},
        {"*", "*", "*", "*", "harbor", "team/app", "v1", "linux/arm64/v8", true},
        {"harbor", "", "", "", "other", "team/app", "v1", "linux/amd64", false},
        {"", "prod/**", "", "", "harbor", "team/app", "v1", "linux/amd64", false},
        {"", "", "v*", "", "harbor", "team/app", "v1", "linux/amd64", true},
        {"", "", "v*", "", "harbor", "team/app", NULL, "linux/amd64", false},
        {"", "", "*", "", "harbor", "team/app", NULL, "linux/amd64", true},
        {"", "", "* !dev", "", "harbor", "team/app", NULL, "linux/amd64", true},
        {"harbor", "", "", "", NULL, "", "v1", "linux/amd64", false}, /* a local file */
        {"*", "**", "", "", NULL, "", NULL, "linux/amd64", true},
        {"", "prod/**", "", "", NULL, "", NULL, "linux/amd64", false},
        {"", "", "", "linux/*", "harbor", "a", "v1", "linux/arm64/v8", true},
        {"", "", "", "linux/arm", "harbor", "a", "v1", "linux/arm/v7", true},
        {"", "", "", "linux/arm64", "harbor", "a", "v1", "linux/arm/v7", false},
        {"", "", "", "linux/arm/v7", "harbor", "a", "v1", "linux/arm/v6", false},
        {"", "", "", "linux/* !linux/arm", "harbor", "a", "v1", "linux/arm/v7", false},
        {"", "", "", "windows/*", "harbor", "a", "v1", "linux/amd64", false},
        {"", "", "", "windows/*", "harbor", "a", "v1", "", true}, /* unknown is in scope */
        {"", "", "", "linux/*", "harbor", "a", "v1", "/amd64", true},
        {"", "", "", "linux/amd64", "harbor", "a", "v1", "linux/", true},
        {"", "", "", "linux/*", "harbor", "a", "v1", "unknown/amd64", true},
        {"", "", "", "linux/amd64", "harbor", "a", "v1", "linux/unknown", true},
        {"", "", "", "!linux/*", "harbor", "a", "v1", "unknown/unknown", true},
        {"", "", "", "linux/*", "harbor", "a", "v1", "Linux/AMD64", true},
        {"", "", "", "linux/amd64", "harbor", "a", "v1", "linux/x86_64", true},
        {"", "", "", "linux/amd64", "harbor", "a", "v1", "LINUX/x86-64", true},
        {"", "", "", "linux/aarch64", "harbor", "a", "v1", "linux/arm64/v8", true},
        {"", "", "", "linux/arm64", "harbor", "a", "v1", "linux/aarch64", true},
        {"", "", "", "linux/arm64/v8", "harbor", "a", "v1", "linux/arm64", true},
        {"", "", "", "linux/arm64/v8", "harbor", "a", "v1", "linux/arm64/8", true},
        {"", "", "", "linux/arm/v7", "harbor", "a", "v1", "linux/arm", true},
        {"", "", "", "linux/arm/v7", "harbor", "a", "v1", "linux/armhf", true},
        {"", "", "", "linux/* !linux/arm/v7", "harbor", "a", "v1", "linux/arm", true},
        {"", "", "", "linux/amd64", "harbor", "a", "v1", "windows/x86_64", false},
        {"", "", "", "linux/* !linux/arm64", "harbor", "a", "v1", "linux/aarch64", false},
        {"", "", "", "windows/*", "harbor", "a", "v1",
         "windows-that-is-longer-than-any-name-of-one/amd64", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct scope scope = {0};
        const struct placement placement = {
            .registry = rows[i].registry, .repository = rows[i].repository, .tag = rows[i].tag};
        const char *param = NULL;
        bool matches;

        split(rows[i].registries, &scope.registries);
        split(rows[i].repositories, &scope.repositories);
        split(rows[i].tags, &scope.tags);
        split(rows[i].platforms, &scope.platforms);
        assert_int_equal(scope_prepare(&scope, &param, NULL), 0);
        matches = scope_matches_place(&scope, &placement) &&
                  scope_matches_platform(&scope, rows[i].platform);
        scope_release(&scope);
        if (matches != rows[i].matches)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_empty_pattern_is_refused),
        cmocka_unit_test(test_scopes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
