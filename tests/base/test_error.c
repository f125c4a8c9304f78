/* The error object, and the scrubbing of what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/error.h"
#include "regwarden/memory.h"

#include "utf8.h"

static void names_every_kind(void **state)
{
    static const struct {
        enum failure kind;
        const char *name;
    } cases[] = {
        {FAILURE_NONE, "none"},           {FAILURE_INPUT, "input"},   {FAILURE_ABSENT, "absent"},
        {FAILURE_DENIED, "denied"},       {FAILURE_LATER, "later"},   {FAILURE_LIMIT, "limit"},
        {FAILURE_UNCERTAIN, "uncertain"}, {FAILURE_SYSTEM, "system"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(failure_name(cases[i].kind), cases[i].name);
    assert_string_equal(failure_name((enum failure) - 99), "unknown");
}

static void set_fills_and_clears(void **state)
{
    struct error err = {.retry_after_ms = 5, .hint = "old"};
    (void)state;
    assert_int_equal(error_set(&err, FAILURE_DENIED, "no %s", "way"), FAILURE_DENIED);
    assert_int_equal(err.kind, FAILURE_DENIED);
    assert_string_equal(err.text, "no way");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.retry_after_ms, 0);
}

static void null_errors_are_allowed(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, FAILURE_LIMIT, "x"), FAILURE_LIMIT);
    assert_int_equal(error_set_errno(NULL, FAILURE_ABSENT, 2, "x"), FAILURE_ABSENT);
    assert_int_equal(error_wrap(NULL, "x"), FAILURE_SYSTEM);
    assert_int_equal(error_hint(NULL, "x"), FAILURE_SYSTEM);
}

static void errno_is_spelled_out(void **state)
{
    struct error err;
    char long_path[2 * ERROR_TEXT_SIZE];
    (void)state;
    error_set_errno(&err, FAILURE_ABSENT, 2, "cannot open %s", "/x");
    assert_string_equal(err.text, "cannot open /x: No such file or directory");
    memset(long_path, 'p', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    error_set_errno(&err, FAILURE_ABSENT, 2, "%s", long_path);
    assert_non_null(strstr(err.text, ": No such file or directory"));
}

static void wrap_puts_context_in_front(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, FAILURE_LATER, "time out");
    err.retry_after_ms = 7;
    error_hint(&err, "wait");
    assert_int_equal(error_wrap(&err, "fetch %s", "a:b"), FAILURE_LATER);
    assert_string_equal(err.text, "fetch a:b: time out");
    assert_string_equal(err.hint, "wait");
    assert_int_equal(err.retry_after_ms, 7);
}

static void one_line_tells_text_and_hint(void **state)
{
    AUTO_FREE char *bare = NULL;
    AUTO_FREE char *hinted = NULL;
    struct error err;
    (void)state;
    error_set(&err, FAILURE_DENIED, "refused");
    bare = error_with_hint(&err);
    assert_string_equal(bare, "refused");
    error_hint(&err, "ask again");
    hinted = error_with_hint(&err);
    assert_string_equal(hinted, "refused; ask again");
    assert_null(error_with_hint(NULL));
}

static void wrapping_for_ever_stays_in_bounds(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, FAILURE_INPUT, "core");
    for (int i = 0; i < 1000; i++)
        error_wrap(&err, "level %d", i);
    assert_true(strlen(err.text) < ERROR_TEXT_SIZE);
    assert_memory_equal(err.text, "level 999: level 998: ", 22);
}

static void an_error_may_quote_itself(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, FAILURE_INPUT, "first");
    error_set(&err, FAILURE_LATER, "second after %s", err.text);
    assert_string_equal(err.text, "second after first");
    error_hint(&err, "see: %s", err.text);
    assert_string_equal(err.hint, "see: second after first");
}

static void what_steers_a_terminal_is_replaced(void **state)
{
    static const struct {
        const char *raw, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"a\nb\tc\rd", "a?b?c?d"},
        {"\x1b[31mred", "?[31mred"},
        {"\x7f", "?"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"c1 \xc2\x9b"
         "31m",
         "c1 ??31m"},
        {"rtl \xe2\x80\xae"
         "exe",
         "rtl ???exe"},
        {"isolate \xe2\x81\xa6", "isolate ???"},
        {"line \xe2\x80\xa8", "line ???"},
        {"broken \xff\xc3", "broken ??"},
        {"overlong \xc0\xaf", "overlong ??"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"too large \xf4\x90\x80\x80", "too large ????"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err;
        error_set(&err, FAILURE_INPUT, "%s", cases[i].raw);
        assert_string_equal(err.text, cases[i].shown);
        error_hint(&err, "%s", cases[i].raw);
        assert_string_equal(err.hint, cases[i].shown);
        error_set(&err, FAILURE_INPUT, "x");
        error_wrap(&err, "%s", cases[i].raw);
        assert_memory_equal(err.text, cases[i].shown, strlen(cases[i].shown));
    }
}

static void a_sequence_cut_by_the_bound_is_scrubbed(void **state)
{
    struct error err;
    char wide[ERROR_TEXT_SIZE + 10];
    (void)state;
    for (size_t i = 0; i + 2 < sizeof(wide); i += 2)
        memcpy(wide + i, "\xc3\xbc", 2);
    wide[sizeof(wide) - 2] = '\0';
    error_set(&err, FAILURE_INPUT, "%s", wide);
    assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
    assert_int_equal(err.text[ERROR_TEXT_SIZE - 2], '?');
}

static void sequences_have_their_length(void **state)
{
    static const struct {
        const char *bytes;
        size_t left, length;
    } cases[] = {
        {"", 0, 0},
        {"a", 1, 1},
        {"\xc2\x80", 2, 2},
        {"\xc2\x80", 1, 0},
        {"\xc1\xbf", 2, 0},
        {"\xe0\xa0\x80", 3, 3},
        {"\xe0\x9f\xbf", 3, 0},
        {"\xed\x9f\xbf", 3, 3},
        {"\xed\xa0\x80", 3, 0},
        {"\xee\x80\x80", 3, 3},
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf0\x8f\xbf\xbf", 4, 0},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf5\x80\x80\x80", 4, 0},
        {"\x80", 1, 0},
        {"\xe2\x28\xa1", 3, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(utf8_length(cases[i].bytes, cases[i].left), cases[i].length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_kind),
        cmocka_unit_test(set_fills_and_clears),
        cmocka_unit_test(null_errors_are_allowed),
        cmocka_unit_test(errno_is_spelled_out),
        cmocka_unit_test(wrap_puts_context_in_front),
        cmocka_unit_test(one_line_tells_text_and_hint),
        cmocka_unit_test(wrapping_for_ever_stays_in_bounds),
        cmocka_unit_test(an_error_may_quote_itself),
        cmocka_unit_test(what_steers_a_terminal_is_replaced),
        cmocka_unit_test(a_sequence_cut_by_the_bound_is_scrubbed),
        cmocka_unit_test(sequences_have_their_length),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
