/* Lists and pairs from JSON and to JSON, over the door alone. */
#include "regwarden/json.h"

static int expected(struct error *err, const char *what, const char *wanted)
{
    return error_set(err, FAILURE_INPUT, "%s is not %s", what, wanted);
}

static bool is_nothing(const struct json *json)
{
    return !json || json_is(json, JSON_KIND_NULL);
}

int json_to_list(const struct json *array, const char *what, struct text_list *ret,
                 struct error *err)
{
    if (is_nothing(array))
        return 0;
    if (!json_is(array, JSON_KIND_ARRAY))
        return expected(err, what, "a list of strings");
    for (size_t i = 0; i < json_count(array); i++) {
        if (!json_is(json_at(array, i), JSON_KIND_STRING))
            return expected(err, what, "a list of strings");
    }
    for (size_t i = 0; i < json_count(array); i++)
        text_list_add(ret, json_string(json_at(array, i)));
    return 0;
}

int json_to_pairs(const struct json *object, const char *what, struct text_pairs *ret,
                  struct error *err)
{
    if (is_nothing(object))
        return 0;
    if (!json_is(object, JSON_KIND_OBJECT))
        return expected(err, what, "an object of strings");
    for (void *i = json_iterate(object); i; i = json_next(object, i)) {
        if (!json_is(json_iterator_value(i), JSON_KIND_STRING))
            return expected(err, what, "an object of strings");
    }
    for (void *i = json_iterate(object); i; i = json_next(object, i))
        text_pairs_add(ret, json_iterator_key(i), json_string(json_iterator_value(i)));
    return 0;
}

struct json *json_from_list(const struct text_list *list)
{
    struct json *array = json_new_array();
    for (size_t i = 0; i < list->count; i++)
        json_append_take(array, json_new_string(list->items[i]));
    return array;
}

struct json *json_from_pairs(const struct text_pairs *pairs)
{
    struct json *object = json_new_object();
    for (size_t i = 0; i < pairs->count; i++)
        json_set_string(object, pairs->items[i].key, pairs->items[i].value);
    return object;
}
