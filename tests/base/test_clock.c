/* Clocks that tests can set, and RFC 3339 in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"

static void tests_set_both_clocks(void **state)
{
    (void)state;
    clock_set_for_test(1000, 5);
    assert_int_equal(clock_wall_ms(), 1000);
    assert_int_equal(clock_steady_ms(), 5);
    clock_set_for_test(-1, -1);
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
    int64_t before = clock_steady_ms();
    assert_true(clock_steady_ms() >= before);
}

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-01-02T03:04:05Z", 1767323045000},
        {"2026-01-02t03:04:05z", 1767323045000},
        {"2026-01-02T03:04:05.678Z", 1767323045678},
        {"2026-01-02T03:04:05.6789999999999Z", 1767323045678},
        {"2026-01-02T03:04:05.6Z", 1767323045600},
        {"2026-01-02T05:34:05+02:30", 1767323045000},
        {"2026-01-01T22:04:05-05:00", 1767323045000},
        {"2026-01-02T03:04:05-00:00", 1767323045000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = 42;
        struct error err;
        assert_int_equal(clock_parse_rfc3339(cases[i].text, &ms, &err), 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-1-02T03:04:05Z",
        "2026-01-02T03:04Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2023-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+02:60",
        "2026-01-02T03:04:05Z ",
        "2026-01-02T03:04:05ZZ",
        "-026-01-02T03:04:05Z",
        "12026-01-02T03:04:05Z",
        "2026-01-02T03:04:05\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = 42;
        struct error err;
        if (clock_parse_rfc3339(cases[i], &ms, &err) != FAILURE_INPUT || ms != 42)
            fail_msg("%s was taken", cases[i]);
    }
    assert_int_equal(clock_parse_rfc3339(NULL, &(int64_t){0}, NULL), FAILURE_INPUT);
}

static void times_are_written(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1767323045678, "2026-01-02T03:04:05.678Z"},
        {1709164800000, "2024-02-29T00:00:00Z"},
        {INT64_C(-62135596800000), "0001-01-01T00:00:00Z"},
        {INT64_MAX, "292278994-08-17T07:12:55.807Z"},
    };
    char buffer[CLOCK_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(clock_format_rfc3339(cases[i].ms, buffer), cases[i].text);
    assert_true(strlen(clock_format_rfc3339(INT64_MIN, buffer)) < CLOCK_TEXT_SIZE);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    for (int64_t ms = INT64_C(-62135596800000); ms < INT64_C(253402300799000);
         ms += INT64_C(86399123457)) {
        char buffer[CLOCK_TEXT_SIZE];
        int64_t back = 0;
        assert_int_equal(clock_parse_rfc3339(clock_format_rfc3339(ms, buffer), &back, NULL), 0);
        assert_int_equal(back, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_set_both_clocks),         cmocka_unit_test(times_are_read),
        cmocka_unit_test(other_texts_are_refused),       cmocka_unit_test(times_are_written),
        cmocka_unit_test(what_was_written_is_read_back),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
