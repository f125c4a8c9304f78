/* The grammar of the Link header. It does not resolve or judge targets. */
#include "link.h"

#include <stdbool.h>

#include "regwarden/text.h"

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads a parameter's value at `at`, quoted or bare, into `to`. NULL when a quote stays open. */
static const char *read_value(const char *at, struct text *to)
{
    if (*at != '"') {
        size_t size = strcspn(at, ",; \t");

        text_add_bytes(to, at, size);
        return at + size;
    }
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
        text_add_char(to, *at);
    }
    return at + 1;
}

/* rel holds relation types separated by blanks. */
static bool relation_has_next(const char *relation)
{
    while (*relation) {
        size_t size = strcspn(relation, " \t");
        AUTO_FREE char *word = memory_copy_bytes(relation, size);

        if (text_equal_nocase(word, "next"))
            return true;
        relation = skip_blanks(relation + size);
    }
    return false;
}

/* "; name=value" or "; name". Only the first rel counts (RFC 8288 section 3.3). */
static const char *read_parameter(const char *at, bool *seen_rel, bool *ret_next)
{
    AUTO_TEXT struct text value = {0};
    size_t size = strcspn(at, "=;, \t\"<>");
    AUTO_FREE char *name = memory_copy_bytes(at, size);

    at = skip_blanks(at + size);
    if (*at == '=') {
        at = read_value(skip_blanks(at + 1), &value);
        if (!at)
            return NULL;
    }
    if (text_equal_nocase(name, "rel") && !*seen_rel) {
        *seen_rel = true;
        *ret_next = relation_has_next(text_data(&value));
    }
    return skip_blanks(at);
}

/* Behind the target. Returns the place behind the link's parameters, NULL for broken ones. */
static const char *read_parameters(const char *at, bool *ret_next)
{
    bool seen_rel = false;

    at = skip_blanks(at);
    while (at && *at == ';') {
        at = skip_blanks(at + 1);
        if (*at && *at != ';' && *at != ',')
            at = read_parameter(at, &seen_rel, ret_next);
    }
    if (at && *at && *at != ',')
        return NULL;
    return at;
}

int link_find_next(const char *header, char **ret, struct error *err)
{
    const char *at = header;

    if (strlen(header) > LINK_HEADER_MAX)
        return error_set(err, FAILURE_INPUT, "the Link header is too long");
    for (;;) {
        const char *target;
        size_t size;
        bool next = false;

        while (*at == ',' || *at == ' ' || *at == '\t')
            at++;
        if (!*at)
            break;
        if (*at != '<')
            return error_set(err, FAILURE_INPUT, "the Link header cannot be read");
        target = at + 1;
        size = strcspn(target, "<>");
        if (target[size] != '>')
            return error_set(err, FAILURE_INPUT, "the Link header cannot be read");
        at = read_parameters(target + size + 1, &next);
        if (!at)
            return error_set(err, FAILURE_INPUT, "the Link header cannot be read");
        if (next) {
            *ret = memory_copy_bytes(target, size);
            return 0;
        }
    }
    *ret = NULL;
    return 0;
}
