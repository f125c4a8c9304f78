/* Comparisons, globs, suggestions, printable text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/clock.h"
#include "regwarden/text.h"

static void globs(void **state)
{
    static const struct {
        const char *pattern, *string;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a", "a", true},
        {"a", "ab", false},
        {"*", "", true},
        {"*", "abc", true},
        {"*", "a/b", false},
        {"*/*", "a/b", true},
        {"*/*", "a/b/c", false},
        {"?", "a", true},
        {"?", "", false},
        {"?", "/", false},
        {"a?c", "abc", true},
        {"a*c", "ac", true},
        {"a*c", "abbbc", true},
        {"a*c", "abbbd", false},
        {"a*b*c", "axxbyybzzc", true},
        {"v*.*.*", "v1.2.3", true},
        {"v*.*.*", "v1.2", false},
        {"**", "", true},
        {"**", "a/b/c", true},
        {"prod/**", "prod/a", true},
        {"prod/**", "prod/a/b", true},
        {"prod/**", "prod", false},
        {"prod/**", "product/a", false},
        {"**/node", "node", true},
        {"**/node", "a/b/node", true},
        {"**/node", "anode", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "ab", false},
        {"a**b", "a/x/b", true},
        {"a**b", "ab", true},
        {"***", "a/b", true},
        {"a.b", "axb", false},
        {"[a]", "a", false},
        {"[a]", "[a]", true},
        {"\\*", "\\x", true},
        {"*a", "aaaaab", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (text_glob_match(cases[i].pattern, cases[i].string) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].string);
    }
}

/* The rules written down as plainly as possible; far too slow for anything but short words. */
static bool slow_match(const char *start, const char *pattern, const char *string, bool afresh)
{
    bool stars = pattern[0] == '*' && pattern[1] == '*';
    bool segment = pattern == start || pattern[-1] == '/';
    if (!*pattern)
        return !*string;
    if (stars && afresh && segment && pattern[2] == '/' &&
        slow_match(start, pattern + 3, string, true))
        return true;
    if (*pattern == '*') {
        bool eats = *string && (stars || *string != '/');
        return slow_match(start, pattern + 1 + stars, string, true) ||
               (eats && slow_match(start, pattern, string + 1, false));
    }
    bool fits = *string && (*pattern == *string || (*pattern == '?' && *string != '/'));
    return fits && slow_match(start, pattern + 1, string + 1, true);
}

static void spell(unsigned number, unsigned length, const char *letters, char *ret)
{
    size_t count = strlen(letters);
    for (unsigned i = 0; i < length; i++, number /= (unsigned)count)
        ret[i] = letters[number % count];
    ret[length] = '\0';
}

static void globs_agree_with_the_plain_rules(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 4 * 4 * 4 * 4 * 4 * 4; p++) {
        char pattern[8], string[8];
        spell(p, 6, "a/*?", pattern);
        for (unsigned s = 0; s < 63; s++) {
            unsigned length = s < 1 ? 0 : s < 3 ? 1 : s < 7 ? 2 : s < 15 ? 3 : s < 31 ? 4 : 5;
            spell(s + 1 - (1u << length), length, "a/", string);
            if (text_glob_match(pattern, string) != slow_match(pattern, pattern, string, true))
                fail_msg("%s on %s", pattern, string);
        }
    }
}

/* A backtracking matcher would be busy for longer than anyone can wait. */
static void wild_globs_stay_fast(void **state)
{
    AUTO_TEXT struct text pattern = {0}, string = {0};
    (void)state;
    for (int i = 0; i < 400; i++)
        text_add(&pattern, "**a*");
    text_add_char(&pattern, 'b');
    for (int i = 0; i < 4000; i++)
        text_add_char(&string, 'a');
    int64_t start = clock_steady_ms();
    assert_false(text_glob_match(text_data(&pattern), text_data(&string)));
    text_add_char(&string, 'b');
    assert_true(text_glob_match(text_data(&pattern), text_data(&string)));
    assert_true(clock_steady_ms() - start < 5000);
}

static void suggestions(void **state)
{
    static const char *const names[] = {"listen", "max-age", "policies", "url", "tag", NULL};
    static const struct {
        const char *word, *suggestion;
    } cases[] = {
        {"lisen", "listen"},
        {"listne", "listen"},
        {"Listen", "listen"},
        {"max_age", "max-age"},
        {"maxage", "max-age"},
        {"policy", NULL},
        {"policys", "policies"},
        {"ulr", "url"},
        {"tags", "tag"},
        {"x", NULL},
        {"", NULL},
        {"something-else", NULL},
        {"ta", "tag"},
        {"t", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *suggestion = text_suggest(cases[i].word, names);
        if (!text_equal(suggestion, cases[i].suggestion))
            fail_msg("%s: %s", cases[i].word, suggestion ? suggestion : "(none)");
    }
    char huge[1000];
    memset(huge, 'a', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    const char *const only_huge[] = {huge, NULL};
    assert_null(text_suggest(huge, names));
    assert_null(text_suggest("aaa", only_huge));
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(text_equal("a", "a"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal("a", NULL));
    assert_false(text_equal(NULL, "a"));
    assert_true(text_equal_nocase("AbC", "aBc"));
    assert_false(text_equal_nocase("abc", "abcd"));
    assert_false(text_equal_nocase("abcd", "abc"));
    assert_true(text_equal_nocase(NULL, NULL));
    assert_false(text_equal_nocase(NULL, ""));
    assert_false(text_equal_nocase("\xc4", "\xe4"));
    assert_false(text_equal_nocase("@", "`"));
    assert_true(text_starts_with("abc", "ab"));
    assert_true(text_starts_with("abc", ""));
    assert_false(text_starts_with("a", "ab"));
    assert_false(text_starts_with(NULL, "a"));
    assert_true(text_ends_with("abc", "bc"));
    assert_false(text_ends_with("c", "bc"));
    assert_false(text_ends_with(NULL, "c"));
}

static void printable(void **state)
{
    static const struct {
        const char *raw;
        size_t max;
        const char *shown;
    } cases[] = {
        {"plain", 10, "plain"},
        {"plain", 5, "plain"},
        {"plain", 4, "plai…"},
        {"", 4, ""},
        {NULL, 4, ""},
        {"a\nb", 10, "a\\x0ab"},
        {"\\", 10, "\\x5c"},
        {"\xc3\xbc", 10, "\\xc3\\xbc"},
        {"\x1b\x7f", 10, "\\x1b\\x7f"},
        {"abc", 0, "…"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *shown = text_printable(cases[i].raw, cases[i].max);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs),
        cmocka_unit_test(globs_agree_with_the_plain_rules),
        cmocka_unit_test(wild_globs_stay_fast),
        cmocka_unit_test(suggestions),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(printable),
    };
    return cmocka_run_group_tests_name("text_match", tests, NULL, NULL);
}
