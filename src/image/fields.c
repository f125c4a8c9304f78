/* Typed reading of JSON members, and the guard against spellings that two readers take differently.
 * Knows no image format. */
#include "fields.h"

#include <string.h>

#include "regwarden/clock.h"

static const char *const kind_names[] = {
    [JSON_KIND_NONE] = "nothing",       [JSON_KIND_NULL] = "null",
    [JSON_KIND_BOOL] = "true or false", [JSON_KIND_INTEGER] = "an integer",
    [JSON_KIND_REAL] = "a number",      [JSON_KIND_STRING] = "a string",
    [JSON_KIND_ARRAY] = "an array",     [JSON_KIND_OBJECT] = "an object",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Two letters outside ASCII fold to ASCII ones: U+017F (long s) and U+212A (Kelvin sign). Returns
 * the bytes that the letter at `key` has. */
static size_t folded(const char *key, char *ret)
{
    if (memcmp(key, "\xc5", 1) == 0 && key[1] == '\xbf') {
        *ret = 's';
        return 2;
    }
    if (memcmp(key, "\xe2", 1) == 0 && key[1] == '\x84' && key[2] == '\xaa') {
        *ret = 'k';
        return 3;
    }
    *ret = lower(*key);
    return 1;
}

static bool folds_to(const char *key, const char *name)
{
    while (*key && *name) {
        char c;
        key += folded(key, &c);
        if (c != lower(*name++))
            return false;
    }
    return *key == *name;
}

static int wrong_kind(const char *what, const char *name, enum json_kind wanted, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "%s: \"%s\" is not %s", what, name, kind_names[wanted]);
}

int fields_refuse_variants(const struct json *object, const char *const *names, const char *what,
                           struct error *err)
{
    for (void *i = json_iterate(object); i; i = json_next(object, i)) {
        const char *key = json_iterator_key(i);
        for (const char *const *name = names; *name; name++) {
            if (strcmp(key, *name) == 0 || !folds_to(key, *name))
                continue;
            AUTO_FREE char *shown = text_printable(key, 60);
            return error_set(err, FAILURE_INPUT,
                             "%s: member \"%s\" is a misspelt \"%s\", which readers would take "
                             "differently",
                             what, shown, *name);
        }
    }
    return 0;
}

int fields_member(const struct json *object, const char *name, const char *what,
                  enum json_kind kind, const struct json **ret, struct error *err)
{
    const struct json *value = json_get(object, name);
    if (!value || json_is(value, JSON_KIND_NULL)) {
        *ret = NULL;
        return 0;
    }
    if (!json_is(value, kind))
        return wrong_kind(what, name, kind, err);
    *ret = value;
    return 0;
}

int fields_string(const struct json *object, const char *name, const char *what, char **ret,
                  struct error *err)
{
    const struct json *value = NULL;
    int failure = fields_member(object, name, what, JSON_KIND_STRING, &value, err);
    if (failure || !value)
        return failure;
    free(*ret);
    *ret = memory_copy_text(json_string(value));
    return 0;
}

int fields_bool(const struct json *object, const char *name, const char *what, bool *ret,
                struct error *err)
{
    const struct json *value = NULL;
    int failure = fields_member(object, name, what, JSON_KIND_BOOL, &value, err);
    if (!failure && value)
        *ret = json_bool(value, false);
    return failure;
}

int fields_list(const struct json *object, const char *name, const char *what,
                struct text_list *ret, struct error *err)
{
    const struct json *value = json_get(object, name);
    if (json_is(value, JSON_KIND_STRING)) {
        text_list_add(ret, json_string(value));
        return 0;
    }
    int failure = fields_member(object, name, what, JSON_KIND_ARRAY, &value, err);
    for (size_t i = 0; !failure && i < json_count(value); i++) {
        const struct json *item = json_at(value, i);
        if (json_is(item, JSON_KIND_NULL))
            text_list_add(ret, "");
        else if (json_is(item, JSON_KIND_STRING))
            text_list_add(ret, json_string(item));
        else
            failure = error_set(err, FAILURE_INPUT, "%s: \"%s\" holds something that is no string",
                                what, name);
    }
    return failure;
}

int fields_pairs(const struct json *object, const char *name, const char *what, size_t max,
                 struct text_pairs *ret, struct error *err)
{
    const struct json *value = NULL;
    int failure = fields_member(object, name, what, JSON_KIND_OBJECT, &value, err);
    if (failure)
        return failure;
    if (json_count(value) > max)
        return error_set(err, FAILURE_LIMIT, "%s: more than %zu entries in \"%s\"", what, max,
                         name);
    for (void *i = json_iterate(value); i; i = json_next(value, i)) {
        const struct json *item = json_iterator_value(i);
        if (!json_is(item, JSON_KIND_NULL) && !json_is(item, JSON_KIND_STRING))
            return error_set(err, FAILURE_INPUT, "%s: \"%s\" holds something that is no string",
                             what, name);
        const char *string = json_string(item);
        text_pairs_add(ret, json_iterator_key(i), string ? string : "");
    }
    return 0;
}

int fields_digest(const struct json *object, const char *name, const char *what, struct digest *ret,
                  struct error *err)
{
    const struct json *value = NULL;
    int failure = fields_member(object, name, what, JSON_KIND_STRING, &value, err);
    if (failure || !value)
        return failure;
    return digest_parse(json_string(value), ret, err);
}

int fields_time(const struct json *object, const char *name, const char *what, int64_t *ret_ms,
                struct error *err)
{
    const struct json *value = NULL;
    int failure = fields_member(object, name, what, JSON_KIND_STRING, &value, err);
    if (failure || !value)
        return failure;
    return clock_parse_rfc3339(json_string(value), ret_ms, err);
}
