/* The groups of the table, and a quick look at each place of a short text. */
#include "secret_formats.h"

#include <limits.h>
#include <string.h>

static const struct {
    const struct secret_format *rows;
    const size_t *count;
} groups[] = {
    {secret_formats_cloud, &secret_formats_cloud_count},
    {secret_formats_code, &secret_formats_code_count},
    {secret_formats_services, &secret_formats_services_count},
    {secret_formats_marked, &secret_formats_marked_count},
    {secret_formats_context, &secret_formats_context_count},
};
enum { GROUPS_WITH_PREFIX = 3 };

/* The first letters of the prefixes, and what may follow each: most words are left at the second. A
 * new prefix needs its two letters here; the test of every format says so. */
static const char *const second_letters[UCHAR_MAX + 1] = {
    ['1'] = "/",           ['A'] = "ABCGIKPQSTVcu",
    ['C'] = "CFL",         ['D'] = "O",
    ['E'] = "AZ",          ['F'] = "L",
    ['G'] = "OR",          ['H'] = "R",
    ['I'] = "G",           ['K'] = "1",
    ['L'] = "T",           ['N'] = "R",
    ['P'] = "Mr",          ['S'] = "GKSWh",
    ['W'] = "P",           ['Y'] = "C",
    ['a'] = "cmp",         ['b'] = "ek",
    ['c'] = "ims",         ['d'] = "Gacioptu",
    ['e'] = "2sy",         ['f'] = "cimo",
    ['g'] = "hils",        ['h'] = "cfov",
    ['i'] = "c",           ['j'] = "i",
    ['k'] = "e",           ['l'] = "is",
    ['m'] = "d",           ['n'] = "afptvy",
    ['o'] = "apy",         ['p'] = "achnpsuy",
    ['q'] = "y",           ['r'] = "8deknpu",
    ['s'] = "abdeghklmnq", ['t'] = "1fgksv",
    ['v'] = "1e",          ['w'] = "aeh",
    ['x'] = "akos",        ['y'] = "a",
};

size_t secret_formats_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_COUNT(groups); i++)
        count += *groups[i].count;
    return count;
}

const struct secret_format *secret_formats_row(size_t index)
{
    size_t group = 0;

    while (index >= *groups[group].count)
        index -= *groups[group++].count;
    return &groups[group].rows[index];
}

void secret_text_init(struct secret_text *scan, const char *text)
{
    *scan = (struct secret_text){.text = text, .size = strlen(text)};
}

static bool may_begin_format(const char *text)
{
    const char *second = second_letters[(unsigned char)text[0]];

    return second && text[1] && strchr(second, text[1]);
}

static bool any_prefix_matches(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    const char *text = scan->text + at;

    if (!may_begin_format(text))
        return false;
    for (size_t i = 0; i < GROUPS_WITH_PREFIX; i++)
        for (size_t k = 0; k < *groups[i].count; k++) {
            const struct secret_format *format = &groups[i].rows[k];

            if (format->prefix[0] == *text && secret_format_matches(scan, at, format, ret))
                return true;
        }
    return false;
}

static bool any_mark_matches(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    const char *text = scan->text + at;
    size_t left = scan->size - at;

    for (size_t i = 0; i < secret_formats_marked_count; i++) {
        const struct secret_format *format = &secret_formats_marked[i];

        if (left > format->before && text[format->before] == format->prefix[0] &&
            secret_format_matches(scan, at, format, ret))
            return true;
    }
    return false;
}

bool secret_format_at(struct secret_text *scan, size_t at, struct secret_match *ret)
{
    char c = scan->text[at];

    if (c == ':')
        return secret_url_at(scan, at, ret);
    if (c == '-')
        return secret_pem_at(scan, at, ret);
    /* A token does not begin in the middle of a word. */
    if (!secret_set_has(SET_ALNUM, c) || (at > 0 && secret_set_has(SET_ALNUM, scan->text[at - 1])))
        return false;
    return any_prefix_matches(scan, at, ret) || any_mark_matches(scan, at, ret) ||
           (c == 'e' && secret_jwt_at(scan, at, ret)) ||
           (c == 'a' && secret_docker_auth_at(scan, at, ret));
}
