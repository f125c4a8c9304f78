/* YAML nodes as JSON, for facts that stand in example files. */
#include "yaml_json.h"

#include <string.h>

#include "regwarden/text.h"

static bool read_integer(const char *text, int64_t *ret)
{
    bool negative = text[0] == '-';
    uint64_t value;

    if (text_parse_uint(text + (negative ? 1 : 0), INT64_MAX, &value, NULL) < 0)
        return false;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static struct json *scalar_to_json(const struct yaml_node *node)
{
    int64_t number;

    if (node->quoted)
        return json_new_string(node->scalar);
    if (text_equal(node->scalar, "true") || text_equal(node->scalar, "false"))
        return json_new_bool(node->scalar[0] == 't');
    if (read_integer(node->scalar, &number))
        return json_new_integer(number);
    return json_new_string(node->scalar);
}

struct json *yaml_to_json(const struct yaml_node *node)
{
    struct json *json;

    switch (node->kind) {
    case YAML_KIND_SCALAR:
        return scalar_to_json(node);
    case YAML_KIND_LIST:
        json = json_new_array();
        for (size_t i = 0; i < node->count; i++)
            json_append_take(json, yaml_to_json(node->items[i]));
        return json;
    case YAML_KIND_MAP:
        json = json_new_object();
        for (size_t i = 0; i < node->count; i++)
            json_set_take(json, node->members[i].key, yaml_to_json(node->members[i].value));
        return json;
    case YAML_KIND_NULL:
        break;
    }
    return json_new_null();
}

/* A reference to a document that only the const getters have given. */
static struct json *retain(const struct json *json)
{
    struct json *mutable;

    memcpy(&mutable, &json, sizeof(mutable));
    return json_retain(mutable);
}

/* The item that `key` means: its number, or that of the item of this name; the count for a new one.
 */
static size_t find_item(const struct json *array, const char *key)
{
    size_t count = json_count(array);
    uint64_t index;

    if (text_parse_uint(key, count, &index, NULL) == 0)
        return (size_t)index;
    for (size_t i = 0; i < count; i++) {
        if (text_equal(json_get_string(json_at(array, i), "name"), key))
            return i;
    }
    return count;
}

/* A text is the value of a named item; anything else is laid over the item itself. */
static struct json *overlay_item(const struct json *item, const char *key, const struct json *over)
{
    struct json *named;

    if (!json_string(over))
        return json_overlay(item, over);
    named = json_new_object();
    json_set_string(named, "name", key);
    json_set_string(named, "value", json_string(over));
    return named;
}

static const struct json *change_of(const struct json *array, const struct json *over, size_t index,
                                    const char **ret_key)
{
    for (void *i = json_iterate(over); i; i = json_next(over, i)) {
        if (find_item(array, json_iterator_key(i)) != index)
            continue;
        *ret_key = json_iterator_key(i);
        return json_iterator_value(i);
    }
    return NULL;
}

static struct json *overlay_items(const struct json *array, const struct json *over)
{
    struct json *merged = json_new_array();
    size_t count = json_count(array);

    for (size_t index = 0; index < count; index++) {
        const char *key = NULL;
        const struct json *change = change_of(array, over, index, &key);

        if (!change)
            json_append_take(merged, json_retain(json_at(array, index)));
        else if (!json_is(change, JSON_KIND_NULL))
            json_append_take(merged, overlay_item(json_at(array, index), key, change));
    }
    for (void *i = json_iterate(over); i; i = json_next(over, i)) {
        if (find_item(array, json_iterator_key(i)) == count &&
            !json_is(json_iterator_value(i), JSON_KIND_NULL))
            json_append_take(merged,
                             overlay_item(NULL, json_iterator_key(i), json_iterator_value(i)));
    }
    return merged;
}

struct json *json_overlay(const struct json *base, const struct json *over)
{
    struct json *merged;

    if (json_is(base, JSON_KIND_ARRAY) && json_is(over, JSON_KIND_OBJECT))
        return overlay_items(base, over);
    if (!json_is(base, JSON_KIND_OBJECT) || !json_is(over, JSON_KIND_OBJECT))
        return retain(over);
    merged = json_new_object();
    for (void *i = json_iterate(base); i; i = json_next(base, i)) {
        const char *key = json_iterator_key(i);
        const struct json *changed = json_get(over, key);

        if (!changed)
            json_set_take(merged, key, json_retain(json_iterator_value(i)));
        else if (!json_is(changed, JSON_KIND_NULL))
            json_set_take(merged, key, json_overlay(json_iterator_value(i), changed));
    }
    for (void *i = json_iterate(over); i; i = json_next(over, i)) {
        if (!json_get(base, json_iterator_key(i)) &&
            !json_is(json_iterator_value(i), JSON_KIND_NULL))
            json_set_take(merged, json_iterator_key(i), json_retain(json_iterator_value(i)));
    }
    return merged;
}
