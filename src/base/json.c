/* Reading JSON: parsing with limits, and getters that take anything. With json_build.c the home of
 * jansson. */
#include "jansson_home.h"
#include "json_scan.h"

enum { SHOWN_KEY_MAX = 60 };

const struct json_limits json_limits_default = {
    .max_bytes = 4u << 20,
    .max_depth = 64,
    .max_values = 200000,
};

/* jansson's message, without the piece of the document at its end: that may be a secret. */
static int parse_failure(const json_error_t *what, struct error *err)
{
    char text[JSON_ERROR_TEXT_LENGTH];
    snprintf(text, sizeof(text), "%s", what->text);
    char *near = strstr(text, " near '");
    if (near)
        *near = '\0';
    return error_set(err, FAILURE_INPUT, "JSON, line %d, column %d: %s", what->line, what->column,
                     text);
}

int json_parse(const char *bytes, size_t size, const struct json_limits *limits, struct json **ret,
               struct error *err)
{
    json_error_t what;
    if (!limits)
        limits = &json_limits_default;
    if (size > limits->max_bytes)
        return error_set(err, FAILURE_LIMIT, "JSON is larger than %zu bytes", limits->max_bytes);
    /* jansson takes a NUL byte for the end of the text: whatever came behind would go unseen. */
    if (size > 0 && memchr(bytes, '\0', size))
        return error_set(err, FAILURE_INPUT, "JSON holds a NUL byte");
    int failure = json_scan(bytes, size, limits, err);
    if (failure)
        return failure;
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &what);
    if (!json)
        return parse_failure(&what, err);
    *ret = foreign(json);
    return 0;
}

static char *lower_copy(const char *key)
{
    char *copy = memory_copy_text(key);
    for (char *at = copy; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    return copy;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted lower-case keys show two that are the same side by side. */
static int refuse_variants_here(const struct json *object, struct error *err)
{
    AUTO_TEXT_LIST struct text_list keys = {0};
    for (void *i = json_iterate(object); i; i = json_next(object, i))
        text_list_add_take(&keys, lower_copy(json_iterator_key(i)));
    if (keys.count > 1)
        qsort(keys.items, keys.count, sizeof(*keys.items), compare_keys);
    for (size_t i = 1; i < keys.count; i++) {
        if (text_equal(keys.items[i - 1], keys.items[i])) {
            AUTO_FREE char *shown = text_printable(keys.items[i], SHOWN_KEY_MAX);
            return error_set(err, FAILURE_INPUT, "JSON has keys that differ only in case: '%s'",
                             shown);
        }
    }
    return 0;
}

/* Recursion is bounded by the depth that json_parse allowed. */
int json_refuse_case_variants(const struct json *json, struct error *err)
{
    int failure = refuse_variants_here(json, err);
    for (void *i = json_iterate(json); i && !failure; i = json_next(json, i))
        failure = json_refuse_case_variants(json_iterator_value(i), err);
    if (json_is(json, JSON_KIND_ARRAY)) {
        for (size_t i = 0; i < json_count(json) && !failure; i++)
            failure = json_refuse_case_variants(json_at(json, i), err);
    }
    return failure;
}

/* jansson counts atomically but looks at the count without that first; this does both. Its
 * constants (null, true, false) have the count -1 for ever. */
static bool is_counted(json_t *json)
{
    return json && __atomic_load_n(&json->refcount, __ATOMIC_RELAXED) != SIZE_MAX;
}

struct json *json_retain(struct json *json)
{
    if (is_counted(native(json)))
        __atomic_add_fetch(&native(json)->refcount, 1, __ATOMIC_RELAXED);
    return json;
}

void json_release(struct json *json)
{
    if (is_counted(native(json)) &&
        __atomic_sub_fetch(&native(json)->refcount, 1, __ATOMIC_ACQ_REL) == 0)
        json_delete(native(json));
}

void json_auto_release(struct json **json)
{
    json_release(*json);
}

enum json_kind json_kind(const struct json *json)
{
    static const enum json_kind kinds[] = {
        [JSON_OBJECT] = JSON_KIND_OBJECT, [JSON_ARRAY] = JSON_KIND_ARRAY,
        [JSON_STRING] = JSON_KIND_STRING, [JSON_INTEGER] = JSON_KIND_INTEGER,
        [JSON_REAL] = JSON_KIND_REAL,     [JSON_TRUE] = JSON_KIND_BOOL,
        [JSON_FALSE] = JSON_KIND_BOOL,    [JSON_NULL] = JSON_KIND_NULL,
    };
    return json ? kinds[json_typeof(native(json))] : JSON_KIND_NONE;
}

bool json_is(const struct json *json, enum json_kind kind)
{
    return json_kind(json) == kind;
}

struct json *json_get(const struct json *object, const char *key)
{
    return foreign(json_object_get(native(object), key));
}

struct json *json_at(const struct json *array, size_t index)
{
    return foreign(json_array_get(native(array), index));
}

size_t json_count(const struct json *json)
{
    return json_is(json, JSON_KIND_OBJECT) ? json_object_size(native(json))
                                           : json_array_size(native(json));
}

const char *json_string(const struct json *json)
{
    return json_string_value(native(json));
}

int64_t json_integer(const struct json *json, int64_t fallback)
{
    return json_is(json, JSON_KIND_INTEGER) ? json_integer_value(native(json)) : fallback;
}

double json_real(const struct json *json, double fallback)
{
    return json_is_number(native(json)) ? json_number_value(native(json)) : fallback;
}

bool json_bool(const struct json *json, bool fallback)
{
    return json_is(json, JSON_KIND_BOOL) ? json_is_true(native(json)) : fallback;
}

const char *json_get_string(const struct json *object, const char *key)
{
    return json_string(json_get(object, key));
}

int64_t json_get_integer(const struct json *object, const char *key, int64_t fallback)
{
    return json_integer(json_get(object, key), fallback);
}

void *json_iterate(const struct json *object)
{
    return json_object_iter(native(object));
}

void *json_next(const struct json *object, void *iterator)
{
    return json_object_iter_next(native(object), iterator);
}

const char *json_iterator_key(void *iterator)
{
    return json_object_iter_key(iterator);
}

struct json *json_iterator_value(void *iterator)
{
    return foreign(json_object_iter_value(iterator));
}
