/* Numbers, sizes and durations: from text and to text. Strict: no signs, no blanks but one before
 * the unit, no overflow, no other locale's comma. */
#include "regwarden/text.h"

enum { FRACTION_DIGITS_MAX = 9, SHOWN_MAX = 40 };

/* A decimal number as it was written: fraction / 10^fraction_digits stands behind the point. */
struct decimal {
    uint64_t whole;
    uint64_t fraction;
    unsigned fraction_digits;
};

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit byte_units[] = {
    {"B", 1},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"ms", 1},        {"s", 1000},       {"m", 60000}, {"h", 3600000},
    {"d", 86400000u}, {"w", 604800000u}, {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits; false on overflow or when there are none. */
static bool take_digits(const char **at, uint64_t *ret)
{
    uint64_t value = 0;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**at - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool take_decimal(const char **at, struct decimal *ret)
{
    struct decimal number = {0};
    if (!take_digits(at, &number.whole))
        return false;
    if (**at == '.') {
        const char *start = ++*at;
        if (!take_digits(at, &number.fraction) || *at - start > FRACTION_DIGITS_MAX)
            return false;
        number.fraction_digits = (unsigned)(*at - start);
    }
    *ret = number;
    return true;
}

/* number × unit, rounded down; false over INT64_MAX (what JSON and the store can hold). */
static bool scale(const struct decimal *number, uint64_t unit, uint64_t *ret)
{
    unsigned __int128 part = (unsigned __int128)number->fraction * unit;
    for (unsigned i = 0; i < number->fraction_digits; i++)
        part /= 10;
    unsigned __int128 value = (unsigned __int128)number->whole * unit + part;
    if (value > INT64_MAX)
        return false;
    *ret = (uint64_t)value;
    return true;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (text_equal_nocase(units->name, name))
            return units;
    }
    return NULL;
}

static int refuse(struct error *err, const char *string, const char *what)
{
    AUTO_FREE char *shown = text_printable(string, SHOWN_MAX);
    return error_set(err, FAILURE_INPUT, "'%s' is not %s", shown, what);
}

int text_parse_uint(const char *string, uint64_t max, uint64_t *ret, struct error *err)
{
    const char *at = string;
    uint64_t value;
    if (!string || !is_digit(*at))
        return refuse(err, string, "a whole number");
    bool fits = take_digits(&at, &value);
    if (fits && *at)
        return refuse(err, string, "a whole number");
    if (!fits || value > max) {
        AUTO_FREE char *shown = text_printable(string, SHOWN_MAX);
        return error_set(err, FAILURE_INPUT, "%s is more than %llu", shown,
                         (unsigned long long)max);
    }
    *ret = value;
    return 0;
}

int text_parse_bytes(const char *string, uint64_t *ret_bytes, struct error *err)
{
    const char *at = string ? string : "";
    struct decimal number;
    if (!take_decimal(&at, &number))
        return refuse(err, string, "a size such as 250MB or 64MiB");
    bool bare = !*at;
    if (*at == ' ')
        at++;
    const struct unit *unit = bare ? &byte_units[0] : find_unit(byte_units, at);
    bool half_a_byte = unit && unit->size == 1 && number.fraction_digits > 0;
    if (!unit || half_a_byte)
        return refuse(err, string, "a size such as 250MB or 64MiB");
    if (!scale(&number, unit->size, ret_bytes))
        return refuse(err, string, "a size below 8 EiB");
    return 0;
}

int text_parse_duration(const char *string, int64_t *ret_ms, struct error *err)
{
    const char *at = string ? string : "";
    struct decimal number = {0};
    uint64_t ms;
    if (text_equal(string, "0")) {
        *ret_ms = 0;
        return 0;
    }
    if (!take_digits(&at, &number.whole))
        return refuse(err, string, "a duration such as 90d, 12h, 30m, 10s or 250ms");
    if (*at == ' ')
        at++;
    /* Case matters: nobody should wonder whether 5M is minutes or months. */
    const struct unit *unit = find_unit(duration_units, at);
    if (!unit || !text_equal(unit->name, at))
        return refuse(err, string, "a duration such as 90d, 12h, 30m, 10s or 250ms");
    if (!scale(&number, unit->size, &ms))
        return refuse(err, string, "a duration that can be counted in milliseconds");
    *ret_ms = (int64_t)ms;
    return 0;
}

/* "<n>.<tenth> <unit>", without the tenth when it is 0; `unit` divides by 10, or is 1. */
static const char *format_tenths(uint64_t value, const struct unit *unit, const char *sign,
                                 char buffer[static TEXT_NUMBER_SIZE])
{
    uint64_t tenth = unit->size / 10;
    uint64_t tenths = tenth ? value / tenth + (value % tenth >= tenth - tenth / 2) : value * 10;
    if (tenths % 10 == 0)
        snprintf(buffer, TEXT_NUMBER_SIZE, "%s%llu %s", sign, (unsigned long long)(tenths / 10),
                 unit->name);
    else
        snprintf(buffer, TEXT_NUMBER_SIZE, "%s%llu.%u %s", sign, (unsigned long long)(tenths / 10),
                 (unsigned)(tenths % 10), unit->name);
    return buffer;
}

/* The largest unit in which the value is at least 1 once it is rounded to the tenth that is shown:
 * 999.95 kB would otherwise be written as 1000 kB. */
static const struct unit *pick_unit(const struct unit *units, uint64_t value)
{
    const struct unit *unit = units;
    while (unit[1].name && value >= unit[1].size - unit->size / 20)
        unit++;
    return unit;
}

const char *text_format_bytes(uint64_t bytes, char buffer[static TEXT_NUMBER_SIZE])
{
    static const struct unit units[] = {
        {"B", 1},           {"kB", 1000},          {"MB", 1000000},
        {"GB", 1000000000}, {"TB", 1000000000000}, {"PB", 1000000000000000},
        {NULL, 0},
    };
    return format_tenths(bytes, pick_unit(units, bytes), "", buffer);
}

const char *text_format_duration(int64_t ms, char buffer[static TEXT_NUMBER_SIZE])
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000u}, {NULL, 0},
    };
    uint64_t size = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    return format_tenths(size, pick_unit(units, size), ms < 0 ? "-" : "", buffer);
}
