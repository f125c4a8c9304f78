/* Both clocks and RFC 3339. No time zones, no local time, no libc calendar: what a timestamp means
 * must not depend on the machine. */
#include "regwarden/clock.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "regwarden/text.h"

enum { SHOWN_MAX = 40, DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400, EPOCH_DAYS = 719468 };
static const int64_t ms_per_day = 86400000;

static _Atomic int64_t test_wall_ms = -1;
static _Atomic int64_t test_steady_ms = -1;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    int64_t set = atomic_load(&test_wall_ms);
    return set >= 0 ? set : read_clock(CLOCK_REALTIME);
}

int64_t clock_steady_ms(void)
{
    int64_t set = atomic_load(&test_steady_ms);
    return set >= 0 ? set : read_clock(CLOCK_MONOTONIC);
}

void clock_set_for_test(int64_t wall_ms, int64_t steady_ms)
{
    atomic_store(&test_wall_ms, wall_ms);
    atomic_store(&test_steady_ms, steady_ms);
}

struct civil {
    int64_t year;
    int month, day, hour, minute, second, ms;
};

static bool is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Years are counted from March here, so that the leap day is the last day of a year and month
 * lengths follow one formula. */
static int64_t days_from_civil(const struct civil *at)
{
    int64_t year = at->year - (at->month <= 2);
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    int64_t year_of_era = year - era * YEARS_PER_ERA;
    int64_t month = (at->month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + at->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - EPOCH_DAYS;
}

static void civil_from_days(int64_t days, struct civil *ret)
{
    days += EPOCH_DAYS;
    int64_t era = floor_divide(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    ret->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = year_of_era + era * YEARS_PER_ERA + (ret->month <= 2);
}

/* Exactly `count` digits; -1 when they are not there. */
static int take_number(const char **at, int count)
{
    int value = 0;
    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool take_char(const char **at, char a, char b)
{
    if (**at != a && **at != b)
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, struct civil *ret)
{
    ret->year = take_number(at, 4);
    if (ret->year < 0 || !take_char(at, '-', '-'))
        return false;
    ret->month = take_number(at, 2);
    if (ret->month < 1 || ret->month > 12 || !take_char(at, '-', '-'))
        return false;
    ret->day = take_number(at, 2);
    return ret->day >= 1 && ret->day <= days_in_month(ret->year, ret->month);
}

/* The first three fraction digits count, the others are only checked. */
static bool take_fraction(const char **at, struct civil *ret)
{
    int weight = 100;
    if (!take_char(at, '.', '.'))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        ret->ms += (**at - '0') * weight;
        weight /= 10;
    }
    return true;
}

static bool take_time(const char **at, struct civil *ret)
{
    ret->hour = take_number(at, 2);
    if (ret->hour < 0 || ret->hour > 23 || !take_char(at, ':', ':'))
        return false;
    ret->minute = take_number(at, 2);
    if (ret->minute < 0 || ret->minute > 59 || !take_char(at, ':', ':'))
        return false;
    ret->second = take_number(at, 2); /* 60: a leap second, which becomes the next one */
    return ret->second >= 0 && ret->second <= 60 && take_fraction(at, ret);
}

static bool take_offset(const char **at, int *ret_minutes)
{
    if (take_char(at, 'Z', 'z')) {
        *ret_minutes = 0;
        return true;
    }
    bool west = **at == '-';
    if (!take_char(at, '+', '-'))
        return false;
    int hours = take_number(at, 2);
    if (hours < 0 || hours > 23 || !take_char(at, ':', ':'))
        return false;
    int minutes = take_number(at, 2);
    if (minutes < 0 || minutes > 59)
        return false;
    minutes += hours * 60;
    *ret_minutes = west ? -minutes : minutes;
    return true;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_ms, struct error *err)
{
    struct civil civil = {0};
    int offset_minutes = 0;
    const char *at = text ? text : "";
    bool good = take_date(&at, &civil) && take_char(&at, 'T', 't') && take_time(&at, &civil) &&
                take_offset(&at, &offset_minutes) && !*at;
    if (!good) {
        AUTO_FREE char *shown = text_printable(text, SHOWN_MAX);
        return error_set(err, FAILURE_INPUT, "'%s' is not a time such as 2026-01-02T03:04:05Z",
                         shown);
    }
    int64_t seconds = civil.second;
    int64_t minutes = civil.hour * 60 + civil.minute - offset_minutes;
    *ret_ms = days_from_civil(&civil) * ms_per_day + minutes * 60000 + seconds * 1000 + civil.ms;
    return 0;
}

const char *clock_format_rfc3339(int64_t ms, char buffer[static CLOCK_TEXT_SIZE])
{
    struct civil civil;
    int64_t days = floor_divide(ms, ms_per_day);
    int rest = (int)((ms % ms_per_day + ms_per_day) % ms_per_day);
    civil_from_days(days, &civil);
    size_t length = (size_t)snprintf(buffer, CLOCK_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d",
                                     (long long)civil.year, civil.month, civil.day, rest / 3600000,
                                     rest / 60000 % 60, rest / 1000 % 60);
    if (rest % 1000)
        snprintf(buffer + length, CLOCK_TEXT_SIZE - length, ".%03dZ", rest % 1000);
    else
        snprintf(buffer + length, CLOCK_TEXT_SIZE - length, "Z");
    return buffer;
}
