/* Finding, masking and blanking out secrets in short texts. What a token looks like is in
 * secret_formats.c, what a name tells in secret_names.c. */
#include "regwarden/secret_text.h"

#include <string.h>

#include "secret_formats.h"

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* The name that ends in front of `end`: "--token", "TOKEN", "\"token\"". */
static struct secret_word name_before(const struct secret_text *scan, size_t end)
{
    size_t start = end;
    while (start > 0 && is_name(scan->text[start - 1]))
        start--;
    while (start < end && scan->text[start] == '-')
        start++;
    return (struct secret_word){.start = start, .size = end - start};
}

/* From `start` to the closing quote, or to what ends a word of a shell command. Quotes may be
 * escaped, as in a JSON text inside a command. */
static struct secret_word value_at(const struct secret_text *scan, size_t start)
{
    bool escaped = scan->text[start] == '\\' && scan->text[start + 1] == '"';
    start += escaped;
    char quote = scan->text[start];
    if (quote != '"' && quote != '\'')
        return (struct secret_word){.start = start,
                                    .size = strcspn(scan->text + start, " \t\r\n;&|\"'`)<>,")};
    size_t end = start + 1;
    while (scan->text[end] && scan->text[end] != quote) {
        if (scan->text[end] == '\\' && escaped)
            break;
        end += scan->text[end] == '\\' && scan->text[end + 1] ? 2 : 1;
    }
    return (struct secret_word){.start = start + 1, .size = end - start - 1};
}

/* NAME=value, where `at` is the '='. */
static bool assignment_at(const struct secret_text *scan, size_t at, struct secret_word *ret_name,
                          size_t *ret_value)
{
    *ret_name = name_before(scan, at);
    *ret_value = at + 1;
    return ret_name->size > 0;
}

/* "NAME": "value", where `at` is the ':'. */
static bool member_at(const struct secret_text *scan, size_t at, struct secret_word *ret_name,
                      size_t *ret_value)
{
    const char *text = scan->text;
    if (at < 2 || (text[at - 1] != '"' && text[at - 1] != '\''))
        return false;
    *ret_name = name_before(scan, at - (text[at - 2] == '\\' ? 2 : 1));
    *ret_value = at + 1 + strspn(text + at + 1, " ");
    const char *value = text + *ret_value + (text[*ret_value] == '\\');
    return ret_name->size > 0 && (*value == '"' || *value == '\'');
}

/* --name value, where `at` is the blank. */
static bool option_at(const struct secret_text *scan, size_t at, struct secret_word *ret_name,
                      size_t *ret_value)
{
    if (at == 0 || !is_name(scan->text[at - 1]))
        return false;
    *ret_name = name_before(scan, at);
    *ret_value = at + 1;
    return ret_name->size > 0 && ret_name->start >= 2 && scan->text[ret_name->start - 1] == '-' &&
           scan->text[ret_name->start - 2] == '-' && scan->text[at + 1] != '-';
}

static bool pair_at(const struct secret_text *scan, size_t at, struct secret_word *ret_name,
                    size_t *ret_value)
{
    switch (scan->text[at]) {
    case '=':
        return assignment_at(scan, at, ret_name, ret_value);
    case ':':
        return member_at(scan, at, ret_name, ret_value);
    case ' ':
        return option_at(scan, at, ret_name, ret_value);
    }
    return false;
}

/* What the value of such a name is. */
static const char *named_kind(const char *name, size_t name_size, const char *value, size_t size)
{
    const char *kind = secret_named_kind(name, name_size, value, size);

    return kind ? kind : "named-value";
}

/* A value is looked at under a telling name only, and a long one only once: linear. */
static bool named_value_at(struct secret_text *scan, size_t at, struct secret_match *ret,
                           struct secret_word *ret_name)
{
    enum { NESTED_MAX = 256 };
    struct secret_word name;
    size_t start;
    if (at < scan->names_from || !pair_at(scan, at, &name, &start))
        return false;
    enum secret_name judgement = secret_name_judge(scan->text + name.start, name.size);
    if (judgement == SECRET_NAME_NO)
        return false;
    struct secret_word value = value_at(scan, start);
    if (!secret_value_is_plausible(judgement, scan->text + value.start, value.size)) {
        /* Quoted values do not overlap and may be searched inside. */
        if (value.size > NESTED_MAX && value.start == start)
            scan->names_from = value.start + value.size;
        return false;
    }
    struct secret_match format;
    bool known = secret_format_at(scan, value.start, &format) && format.start == value.start &&
                 format.size == value.size;
    const char *kind = known ? format.kind
                             : named_kind(scan->text + name.start, name.size,
                                          scan->text + value.start, value.size);
    *ret = (struct secret_match){.kind = kind, .start = value.start, .size = value.size};
    *ret_name = name;
    return true;
}

bool secret_scan_next(struct secret_text *scan, size_t *position, struct secret_match *ret,
                      struct secret_word *ret_name)
{
    struct secret_word name = {0};
    for (size_t at = *position; at < scan->size; at++) {
        bool named = named_value_at(scan, at, ret, &name);
        if (!named && !secret_format_at(scan, at, ret))
            continue;
        if (!named)
            name = (struct secret_word){0};
        *position = ret->start + ret->size;
        if (ret_name)
            *ret_name = name;
        return true;
    }
    *position = scan->size;
    return false;
}

size_t secret_text_find(const char *text, struct secret_match *ret, size_t max)
{
    struct secret_text scan;
    size_t count = 0;
    secret_text_init(&scan, text);
    for (size_t at = 0; at < scan.size && count < max; at++) {
        if (!secret_format_at(&scan, at, &ret[count]))
            continue;
        at = ret[count].start + ret[count].size - 1;
        count++;
    }
    return count;
}

bool secret_text_pair(const char *key, const char *value, struct secret_match *ret)
{
    struct secret_match format;
    size_t size = strlen(value);
    bool found = secret_text_find(value, &format, 1) > 0;
    enum secret_name judgement = secret_name_judge(key, strlen(key));
    if (secret_value_is_plausible(judgement, value, size)) {
        bool whole = found && format.start == 0 && format.size == size;
        *ret = (struct secret_match){
            .kind = whole ? format.kind : named_kind(key, strlen(key), value, size), .size = size};
        return true;
    }
    if (found)
        *ret = format;
    return found;
}

/* Only plain characters are shown: a byte of a longer one would not be text any more. */
static bool may_show(char c)
{
    return is_name(c);
}

char *secret_text_mask(const char *secret, size_t size)
{
    enum { SHOWN_MAX = 4 };
    size_t limit = size / 4 < SHOWN_MAX ? size / 4 : SHOWN_MAX, shown = 0;
    while (shown < limit && may_show(secret[shown]))
        shown++;
    return text_new("%.*s****(%zu)", (int)shown, secret, size);
}

char *secret_text_redact(const char *text)
{
    struct secret_text scan;
    struct secret_match match;
    struct text result = {0};
    size_t position = 0, copied = 0;
    secret_text_init(&scan, text);
    while (secret_scan_next(&scan, &position, &match, NULL)) {
        AUTO_FREE char *masked = secret_text_mask(text + match.start, match.size);
        text_add_bytes(&result, text + copied, match.start - copied);
        text_add(&result, masked);
        copied = match.start + match.size;
    }
    text_add_bytes(&result, text + copied, scan.size - copied);
    return text_take(&result);
}
