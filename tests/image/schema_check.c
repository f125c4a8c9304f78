/* type, const, enum, properties, required, items, additionalProperties, oneOf and local $ref. */
#include "schema_check.h"

#include <string.h>

struct checker {
    const struct json *root;
    char *why;
};

static bool check(const struct checker *checker, const struct json *schema,
                  const struct json *value, const char *name);

static bool complain(const struct checker *checker, const char *what, const char *name)
{
    snprintf(checker->why, 200, "%s: %s", name, what);
    return false;
}

static bool type_fits(const char *type, const struct json *value)
{
    static const struct {
        const char *name;
        enum json_kind kind;
    } types[] = {
        {"object", JSON_KIND_OBJECT},   {"array", JSON_KIND_ARRAY},  {"string", JSON_KIND_STRING},
        {"integer", JSON_KIND_INTEGER}, {"boolean", JSON_KIND_BOOL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (strcmp(types[i].name, type) == 0)
            return json_is(value, types[i].kind);
    return false;
}

static bool check_members(const struct checker *checker, const struct json *schema,
                          const struct json *value)
{
    const struct json *properties = json_get(schema, "properties");
    const struct json *others = json_get(schema, "additionalProperties");
    for (void *i = json_iterate(value); i; i = json_next(value, i)) {
        const char *key = json_iterator_key(i);
        const struct json *member = json_get(properties, key);
        if (!member && !others)
            return complain(checker, "not in the schema", key);
        if (!check(checker, member ? member : others, json_iterator_value(i), key))
            return false;
    }
    const struct json *required = json_get(schema, "required");
    for (size_t i = 0; i < json_count(required); i++)
        if (!json_get(value, json_string(json_at(required, i))))
            return complain(checker, "required and absent", json_string(json_at(required, i)));
    return true;
}

static bool check_value(const struct checker *checker, const struct json *schema,
                        const struct json *value, const char *name)
{
    const struct json *choices = json_get(schema, "enum");
    bool found = choices == NULL;
    for (size_t i = 0; i < json_count(choices); i++)
        found = found || text_equal(json_string(json_at(choices, i)), json_string(value));
    if (!found)
        return complain(checker, "none of the values allowed", name);
    const struct json *constant = json_get(schema, "const");
    if (constant && json_integer(constant, 0) != json_integer(value, -1))
        return complain(checker, "not the constant", name);
    return true;
}

static bool check_one_of(const struct checker *checker, const struct json *schemas,
                         const struct json *value, const char *name)
{
    size_t fitting = 0;
    for (size_t i = 0; i < json_count(schemas); i++)
        fitting += check(checker, json_at(schemas, i), value, name);
    return fitting == 1 || complain(checker, "fits none or several", name);
}

static bool check(const struct checker *checker, const struct json *schema,
                  const struct json *value, const char *name)
{
    const char *reference = json_get_string(schema, "$ref");
    if (reference) {
        schema = json_get(json_get(checker->root, "$defs"), strrchr(reference, '/') + 1);
        if (!schema)
            return complain(checker, "dangling $ref", reference);
    }
    const char *type = json_get_string(schema, "type");
    if (type && !type_fits(type, value))
        return complain(checker, "wrong type", name);
    if (json_get(schema, "oneOf"))
        return check_one_of(checker, json_get(schema, "oneOf"), value, name);
    if (!check_value(checker, schema, value, name))
        return false;
    for (size_t i = 0; json_is(value, JSON_KIND_ARRAY) && i < json_count(value); i++)
        if (!check(checker, json_get(schema, "items"), json_at(value, i), name))
            return false;
    return !json_is(value, JSON_KIND_OBJECT) || check_members(checker, schema, value);
}

bool schema_check(const struct json *schema, const struct json *document, char *why)
{
    const struct checker checker = {.root = schema, .why = why};
    return check(&checker, schema, document, "document");
}
