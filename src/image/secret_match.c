/* What checks a row of the table against a place in a text. */
#include <string.h>

#include "secret_formats.h"

/* Words of those who write examples. */
static const char *const example_words[] = {"example",  "placeholder", "xxxxx",
                                            "your-",    "your_",       "changeme",
                                            "redacted", "dummy",       "00000000000"};

static bool is_counted_up(const char *text, size_t size)
{
    size_t steps = 0;

    for (size_t i = 1; i < size; i++)
        steps += text[i] == text[i - 1] + 1;
    return size > 8 && steps * 100 > size * 85;
}

struct looks {
    unsigned distinct;
    bool upper, lower, digit;
};

static struct looks looks_of(const char *text, size_t size)
{
    struct looks looks = {0};
    bool seen[256] = {false};

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        looks.distinct += !seen[c];
        seen[c] = true;
        looks.upper = looks.upper || (c >= 'A' && c <= 'Z');
        looks.lower = looks.lower || (c >= 'a' && c <= 'z');
        looks.digit = looks.digit || (c >= '0' && c <= '9');
    }
    return looks;
}

/* A placeholder in a README, not a token. */
static bool is_example(const char *text, size_t size)
{
    enum { LOOKED_AT = 512 };
    char lower[LOOKED_AT];
    size_t count = size < LOOKED_AT ? size : LOOKED_AT;

    for (size_t i = 0; i < count; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    for (size_t i = 0; i < ARRAY_COUNT(example_words); i++)
        if (memmem(lower, count, example_words[i], strlen(example_words[i])))
            return true;
    return is_counted_up(text, size) || (size >= 16 && looks_of(text, count).distinct < 6);
}

/* With more than one kind of character where the set has them, and not a few of them again and
 * again. */
static bool is_random(const struct secret_format *format, const char *text, size_t size)
{
    enum { LONG = 32 };
    enum secret_set set = format->set;
    struct looks looks = looks_of(text, size);
    bool hex = set == SET_HEX || set == SET_ANY_HEX || set == SET_HEX_DASH;
    bool one_case = hex || set == SET_UPPER_ALNUM || set == SET_LOWER_ALNUM || set == SET_BASE32;

    if (!looks.digit || (!looks.upper && !looks.lower))
        return false;
    one_case = one_case || (format->name && size >= LONG);
    return looks.distinct >= (hex ? 8 : 10) && (one_case || (looks.upper && looks.lower));
}

static bool dots_fit(const char *text, size_t size, unsigned dots)
{
    for (size_t i = 0; i < size; i++)
        dots -= text[i] == '.';
    return dots == 0;
}

static bool run_fits(const struct secret_format *format, const char *run, size_t size)
{
    if (size < format->min || size > format->max)
        return false;
    if (format->inside && !memmem(run, size, format->inside, strlen(format->inside)))
        return false;
    if (format->dots > 0 && !dots_fit(run, size, format->dots))
        return false;
    return (!format->weak && !format->name) || is_random(format, run, size);
}

/* Exactly so many characters, and no more before them. */
static bool before_fits(const struct secret_text *scan, size_t at,
                        const struct secret_format *format)
{
    const char *text = scan->text + at;

    if (scan->size - at <= format->before || text[format->before] != format->prefix[0] ||
        (at > 0 && secret_set_has(format->before_set, text[-1])))
        return false;
    for (unsigned i = 0; i < format->before; i++)
        if (!secret_set_has(format->before_set, text[i]))
            return false;
    return true;
}

bool secret_format_matches(struct secret_text *scan, size_t at, const struct secret_format *format,
                           struct secret_match *ret)
{
    size_t prefix = strlen(format->prefix) + format->before;
    if ((format->before > 0 && !before_fits(scan, at, format)) ||
        strncmp(scan->text + at + format->before, format->prefix, strlen(format->prefix)) != 0)
        return false;
    const char *body = scan->text + at + prefix;
    size_t run = format->max > 0 ? secret_run_at(scan, format->set, at + prefix) : 0;
    if (run > format->min && body[run - 1] == '.')
        run--; /* the full stop of a sentence */
    const char *looked_at = format->before > 0 ? scan->text + at : body;
    size_t size = format->before > 0 ? prefix + run : run;
    if (!run_fits(format, body, run) || (format->max == 0 && secret_set_has(format->set, *body)) ||
        is_example(looked_at, size))
        return false;
    size_t start = format->prefix_stays ? at + prefix : at;
    *ret = (struct secret_match){
        .kind = format->kind,
        .start = start,
        .size = at + prefix + run - start,
        .weak = format->weak || format->prefix_stays,
    };
    return true;
}

/* --- values of names --- */

static bool is_name(char c)
{
    return secret_set_has(SET_TOKEN, c);
}

/* Behind a name: quotes, blanks, one of = : => :=, and again. Returns where the value begins, or
 * NULL. */
static const char *value_after(const char *text)
{
    enum { BLANKS_MAX = 8 };

    text += *text == '\\';
    text += *text == '"' || *text == '\'';
    for (int i = 0; i < BLANKS_MAX && (*text == ' ' || *text == '\t'); i++)
        text++;
    if (*text != '=' && *text != ':')
        return NULL;
    text += 1 + (text[0] == ':' && text[1] == '=') + (text[0] == '=' && text[1] == '>');
    for (int i = 0; i < BLANKS_MAX && (*text == ' ' || *text == '\t'); i++)
        text++;
    text += *text == '\\';
    text += *text == '"' || *text == '\'' || *text == '`';
    return text;
}

/* The part of a name that comes before and behind what the row names, bounded. */
static struct secret_word whole_name(const struct secret_text *scan, size_t at, size_t size)
{
    enum { PART_MAX = 32 };
    size_t start = at, end = at + size;

    while (start > 0 && at - start < PART_MAX && is_name(scan->text[start - 1]))
        start--;
    while (end < at + size + PART_MAX && is_name(scan->text[end]))
        end++;
    return (struct secret_word){.start = start, .size = end - start};
}

static bool value_fits(const struct secret_format *format, const char *value, size_t size)
{
    return run_fits(format, value, size) && !is_example(value, size);
}

bool secret_named_matches(struct secret_text *scan, size_t at, const struct secret_format *format,
                          struct secret_match *ret)
{
    size_t size = strlen(format->name);
    struct secret_word name = whole_name(scan, at, size);
    const char *value = scan->text + at + size;
    bool whole = format->name[size - 1] == ':'; /* the value follows at once */

    if (!whole && (secret_name_judge(scan->text + name.start, name.size) == SECRET_NAME_NO ||
                   !(value = value_after(scan->text + name.start + name.size))))
        return false;
    size_t start = (size_t)(value - scan->text);
    size_t run = secret_run_at(scan, format->set, start);
    if (!value_fits(format, value, run) || is_name(value[run]) ||
        (value[run] && strchr("+/%$({", value[run])))
        return false;
    *ret = (struct secret_match){.kind = format->kind, .start = start, .size = run, .weak = true};
    return true;
}

static bool name_holds(const char *name, size_t size, const char *part)
{
    size_t length = strlen(part);

    for (size_t at = 0; at + length <= size; at++)
        if (strncasecmp(name + at, part, length) == 0)
            return true;
    return false;
}

const char *secret_named_kind(const char *name, size_t name_size, const char *value, size_t size)
{
    for (size_t i = 0; i < secret_formats_context_count; i++) {
        const struct secret_format *format = &secret_formats_context[i];
        size_t run = 0;
        if (!name_holds(name, name_size, format->name))
            continue;
        while (run < size && secret_set_has(format->set, value[run]))
            run++;
        if (run == size && value_fits(format, value, size))
            return format->kind;
    }
    return NULL;
}
