/* Words and variables of Dockerfile lines, as BuildKit's shell lexer reads them. */
#include "dockerfile_words.h"

#include <string.h>

/* Values grow by what they hold of each other: 2^n bytes from n lines, were it not for a bound. */
enum { DEPTH_MAX = 8, NAME_BYTES = 256, VALUE_BYTES_MAX = 4096 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool dockerfile_next_word(struct dockerfile_words *words, const char **ret, size_t *ret_size)
{
    const char *at = words->at;
    char quote = '\0';

    while (is_blank(*at))
        at++;
    *ret = at;
    for (; *at && (quote || !is_blank(*at)); at++) {
        if (*at == words->escape && at[1] && quote != '\'')
            at++;
        else if (quote ? *at == quote : *at == '"' || *at == '\'')
            quote = quote ? '\0' : *at;
    }
    *ret_size = (size_t)(at - *ret);
    words->at = at;
    return *ret_size > 0;
}

struct expansion {
    const struct text_pairs *values;
    char escape;
    struct text *to;
    bool known;
};

static void expand(struct expansion *expansion, const char *at, const char *end, unsigned depth);

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static size_t name_size(const char *at, const char *end)
{
    size_t size = 0;

    while (at + size < end && is_name_char(at[size], size == 0))
        size++;
    return size;
}

/* Set by the builder itself, differently on each machine. */
static bool is_builders_own(const char *name)
{
    return text_starts_with(name, "TARGET") || text_starts_with(name, "BUILDPLATFORM") ||
           text_starts_with(name, "BUILDOS") || text_starts_with(name, "BUILDARCH") ||
           text_starts_with(name, "BUILDVARIANT");
}

static const char *value_of(struct expansion *expansion, const char *name_at, size_t size)
{
    char name[NAME_BYTES];
    const char *value;

    if (size >= sizeof(name)) {
        expansion->known = false;
        return NULL;
    }
    memcpy(name, name_at, size);
    name[size] = '\0';
    value = expansion->values ? text_pairs_get(expansion->values, name) : NULL;
    if (!value && is_builders_own(name))
        expansion->known = false;
    return value;
}

/* The brace that closes the one before `at`, or `end`. */
static const char *closing(const char *at, const char *end)
{
    unsigned open = 1;

    for (; at < end; at++) {
        if (*at == '{' && at[-1] == '$')
            open++;
        else if (*at == '}' && --open == 0)
            break;
    }
    return at;
}

/* "NAME:-word" and its kind, between braces. */
static void expand_braced(struct expansion *expansion, const char *at, const char *end,
                          unsigned depth)
{
    size_t size = name_size(at, end);
    const char *value = value_of(expansion, at, size);
    const char *rest = at + size;
    bool colon = rest < end && *rest == ':';
    bool set = value && (!colon || *value);

    if (colon)
        rest++;
    if (size == 0 || (rest < end && *rest != '-' && *rest != '+') || (rest == end && colon)) {
        expansion->known = false; /* a pattern, an error message, or no variable */
        return;
    }
    if (rest < end && *rest == '+') {
        if (set)
            expand(expansion, rest + 1, end, depth + 1);
    } else if (set || rest == end) {
        text_add(expansion->to, value ? value : "");
    } else {
        expand(expansion, rest + 1, end, depth + 1);
    }
}

static const char *expand_variable(struct expansion *expansion, const char *at, const char *end,
                                   unsigned depth)
{
    size_t size = name_size(at, end);
    const char *close;
    const char *value;

    if (size > 0) {
        value = value_of(expansion, at, size);
        text_add(expansion->to, value ? value : "");
        return at + size;
    }
    if (at == end || *at != '{') {
        text_add_char(expansion->to, '$');
        return at;
    }
    close = closing(at + 1, end);
    if (close == end || depth >= DEPTH_MAX) {
        expansion->known = false;
        return end;
    }
    expand_braced(expansion, at + 1, close, depth);
    return close + 1;
}

static void expand(struct expansion *expansion, const char *at, const char *end, unsigned depth)
{
    char quote = '\0';

    while (at < end) {
        char c = *at++;

        if (expansion->to->length > VALUE_BYTES_MAX) {
            expansion->known = false;
            return;
        }
        if (c == expansion->escape && at < end && quote != '\'')
            text_add_char(expansion->to, *at++);
        else if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? '\0' : c;
        else if (c == '$' && quote != '\'')
            at = expand_variable(expansion, at, end, depth);
        else
            text_add_char(expansion->to, c);
    }
}

bool dockerfile_expand(const char *word, size_t size, char escape, const struct text_pairs *values,
                       struct text *to)
{
    struct expansion expansion = {.values = values, .escape = escape, .to = to, .known = true};

    expand(&expansion, word, word + size, 0);
    return expansion.known;
}
