/* Numbers, sizes, durations: what is read, what is refused, how they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/text.h"

enum { REFUSED = -1 };

static void whole_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 10, 0, 0},
        {"10", 10, 0, 10},
        {"11", 10, REFUSED, 0},
        {"007", 10, 0, 7},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, REFUSED, 0},
        {"99999999999999999999999", UINT64_MAX, REFUSED, 0},
        {"", 10, REFUSED, 0},
        {"-1", 10, REFUSED, 0},
        {"+1", 10, REFUSED, 0},
        {" 1", 10, REFUSED, 0},
        {"1 ", 10, REFUSED, 0},
        {"0x1", 10, REFUSED, 0},
        {"1.0", 10, REFUSED, 0},
        {NULL, 10, REFUSED, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t value = 42;
        struct error err;
        int result = text_parse_uint(cases[i].text, cases[i].max, &value, &err);
        assert_int_equal(result, cases[i].result);
        assert_true(value == (result ? 42 : cases[i].value));
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t bytes;
    } cases[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"250MB", 0, 250000000},
        {"250 kB", 0, 250000},
        {"250kb", 0, 250000},
        {"64MiB", 0, 64 << 20},
        {"1KiB", 0, 1024},
        {"2GiB", 0, UINT64_C(2) << 30},
        {"1TiB", 0, UINT64_C(1) << 40},
        {"3TB", 0, 3000000000000},
        {"7B", 0, 7},
        {"1.5GB", 0, 1500000000},
        {"0.5KiB", 0, 512},
        {"1.0009kB", 0, 1000},
        {"1.123456789GB", 0, 1123456789},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", REFUSED, 0},
        {"9223372TB", 0, UINT64_C(9223372000000000000)},
        {"9223373TB", REFUSED, 0},
        {"99999999999TB", REFUSED, 0},
        {"99999999999999999999", REFUSED, 0},
        {"1.1234567891GB", REFUSED, 0},
        {"250M", REFUSED, 0},
        {"250  MB", REFUSED, 0},
        {"250 ", REFUSED, 0},
        {"1.5", REFUSED, 0},
        {"1.5B", REFUSED, 0},
        {"1.MB", REFUSED, 0},
        {".5MB", REFUSED, 0},
        {"1,5MB", REFUSED, 0},
        {"-1MB", REFUSED, 0},
        {"MB", REFUSED, 0},
        {"1MB ", REFUSED, 0},
        {"1e3", REFUSED, 0},
        {"", REFUSED, 0},
        {NULL, REFUSED, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t bytes = 42;
        struct error err;
        int result = text_parse_bytes(cases[i].text, &bytes, &err);
        if (result != cases[i].result || bytes != (result ? 42 : cases[i].bytes))
            fail_msg("%s: %d %llu", cases[i].text, result, (unsigned long long)bytes);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t ms;
    } cases[] = {
        {"0", 0, 0},
        {"250ms", 0, 250},
        {"10s", 0, 10000},
        {"30m", 0, 1800000},
        {"12h", 0, 43200000},
        {"90d", 0, INT64_C(7776000000)},
        {"2w", 0, 1209600000},
        {"5 s", 0, 5000},
        {"0s", 0, 0},
        {"15250284452w", 0, INT64_C(15250284452) * 604800000},
        {"15250284453w", REFUSED, 0},
        {"99999999999999999999s", REFUSED, 0},
        {"1", REFUSED, 0},
        {"00", REFUSED, 0},
        {"5M", REFUSED, 0},
        {"5S", REFUSED, 0},
        {"5y", REFUSED, 0},
        {"5min", REFUSED, 0},
        {"1h30m", REFUSED, 0},
        {"1.5h", REFUSED, 0},
        {"-5s", REFUSED, 0},
        {"s", REFUSED, 0},
        {"5  s", REFUSED, 0},
        {"", REFUSED, 0},
        {NULL, REFUSED, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = 42;
        struct error err;
        int result = text_parse_duration(cases[i].text, &ms, &err);
        if (result != cases[i].result || ms != (result ? 42 : cases[i].ms))
            fail_msg("%s: %d %lld", cases[i].text, result, (long long)ms);
    }
}

static void refusals_show_the_text_safely(void **state)
{
    struct error err;
    uint64_t bytes;
    (void)state;
    text_parse_bytes("12\x1b[2J", &bytes, &err);
    assert_int_equal(err.kind, FAILURE_INPUT);
    assert_string_equal(err.text, "'12\\x1b[2J' is not a size such as 250MB or 64MiB");
    text_parse_uint("11", 10, &bytes, &err);
    assert_string_equal(err.text, "11 is more than 10");
}

static void sizes_are_written_for_people(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1 kB"},
        {1049, "1 kB"},
        {1050, "1.1 kB"},
        {118300000, "118.3 MB"},
        {999949, "999.9 kB"},
        {999950, "1 MB"},
        {250000000, "250 MB"},
        {1500000000, "1.5 GB"},
        {999999999999, "1 TB"},
        {UINT64_MAX, "18446.7 PB"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char buffer[TEXT_NUMBER_SIZE];
        assert_string_equal(text_format_bytes(cases[i].bytes, buffer), cases[i].text);
    }
}

static void durations_are_written_for_people(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0 ms"},
        {250, "250 ms"},
        {999, "999 ms"},
        {1000, "1 s"},
        {12400, "12.4 s"},
        {59949, "59.9 s"},
        {60000, "1 min"},
        {90000, "1.5 min"},
        {3600000, "1 h"},
        {259200000, "3 d"},
        {INT64_C(7776000000), "90 d"},
        {-1500, "-1.5 s"},
        {INT64_MIN, "-106751991167.3 d"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char buffer[TEXT_NUMBER_SIZE];
        assert_string_equal(text_format_duration(cases[i].ms, buffer), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(refusals_show_the_text_safely),
        cmocka_unit_test(sizes_are_written_for_people),
        cmocka_unit_test(durations_are_written_for_people),
    };
    return cmocka_run_group_tests_name("text_parse", tests, NULL, NULL);
}
