/* Sets of characters, and runs of them in a text. */
#include <string.h>

#include "secret_formats.h"

static const char *const classes[SECRET_SET_COUNT] = {
    [SET_ALNUM] = "A-Za-z0-9",    [SET_UPPER_ALNUM] = "A-Z0-9",  [SET_LOWER_ALNUM] = "a-z0-9",
    [SET_BASE32] = "A-Z2-7",      [SET_HEX] = "0-9a-f",          [SET_ANY_HEX] = "0-9A-Fa-f",
    [SET_HEX_DASH] = "0-9a-f-",   [SET_DIGIT] = "0-9",           [SET_WORD] = "A-Za-z0-9_-",
    [SET_TOKEN] = "A-Za-z0-9_.-", [SET_BASE64] = "A-Za-z0-9+/=", [SET_BEARER] = "A-Za-z0-9_.~+/=-",
    [SET_URL] = "A-Za-z0-9%_.-",  [SET_PATH] = "A-Za-z0-9_.@/-", [SET_DOLLAR] = "a-z0-9$",
};

const char *secret_set_class(enum secret_set set)
{
    return classes[set];
}

/* The same again as bits, since this is asked for every character. */
enum {
    DIGIT_LOW = 1 << 0, /* 2 to 7 */
    DIGIT_REST = 1 << 1,
    LOWER_HEX = 1 << 2,
    LOWER_REST = 1 << 3,
    UPPER_HEX = 1 << 4,
    UPPER_REST = 1 << 5,
    DASH = 1 << 6,
    UNDERLINE = 1 << 7,
    DOT = 1 << 8,
    PLUS = 1 << 9, /* and = */
    SLASH = 1 << 10,
    TILDE = 1 << 11,
    PERCENT = 1 << 12,
    AT = 1 << 13,
    DOLLAR = 1 << 14,
    DIGITS = DIGIT_LOW | DIGIT_REST,
    LOWER = LOWER_HEX | LOWER_REST,
    UPPER = UPPER_HEX | UPPER_REST,
    ALNUM = DIGITS | LOWER | UPPER,
};

static const uint16_t bits[256] = {
    ['0' ... '1'] = DIGIT_REST,
    ['2' ... '7'] = DIGIT_LOW,
    ['8' ... '9'] = DIGIT_REST,
    ['a' ... 'f'] = LOWER_HEX,
    ['g' ... 'z'] = LOWER_REST,
    ['A' ... 'F'] = UPPER_HEX,
    ['G' ... 'Z'] = UPPER_REST,
    ['-'] = DASH,
    ['_'] = UNDERLINE,
    ['.'] = DOT,
    ['+'] = PLUS,
    ['='] = PLUS,
    ['/'] = SLASH,
    ['~'] = TILDE,
    ['%'] = PERCENT,
    ['@'] = AT,
    ['$'] = DOLLAR,
};

static const uint16_t sets[SECRET_SET_COUNT] = {
    [SET_ALNUM] = ALNUM,
    [SET_UPPER_ALNUM] = UPPER | DIGITS,
    [SET_LOWER_ALNUM] = LOWER | DIGITS,
    [SET_BASE32] = UPPER | DIGIT_LOW,
    [SET_HEX] = DIGITS | LOWER_HEX,
    [SET_ANY_HEX] = DIGITS | LOWER_HEX | UPPER_HEX,
    [SET_HEX_DASH] = DIGITS | LOWER_HEX | DASH,
    [SET_DIGIT] = DIGITS,
    [SET_WORD] = ALNUM | DASH | UNDERLINE,
    [SET_TOKEN] = ALNUM | DASH | UNDERLINE | DOT,
    [SET_BASE64] = ALNUM | PLUS | SLASH,
    [SET_BEARER] = ALNUM | DASH | UNDERLINE | DOT | TILDE | PLUS | SLASH,
    [SET_URL] = ALNUM | PERCENT | UNDERLINE | DOT | DASH,
    [SET_PATH] = ALNUM | UNDERLINE | DOT | AT | SLASH | DASH,
    [SET_DOLLAR] = LOWER | DIGITS | DOLLAR,
};

bool secret_set_has(enum secret_set set, char c)
{
    return bits[(unsigned char)c] & sets[set];
}

/* A run that ends where the one that was measured last begins ends where that one ends: what is
 * asked for out of order is not measured twice. */
size_t secret_run_at(struct secret_text *scan, enum secret_set set, size_t at)
{
    size_t start = scan->runs[set].start, end = scan->runs[set].end, to = at;

    if (at >= start && at < end)
        return end - at;
    while (to != start && secret_set_has(set, scan->text[to]))
        to++;
    if (to == start && to != at && end > start)
        to = end;
    else if (to == start)
        while (secret_set_has(set, scan->text[to]))
            to++;
    scan->runs[set].start = at;
    scan->runs[set].end = to;
    return to - at;
}

bool secret_is_repeated(const char *text, size_t size)
{
    size_t same = 1;

    while (same < size && text[same] == text[0])
        same++;
    return same >= size;
}
