/* A table of settings read from YAML and written as JSON and JSON schema. Dots in names make
 * groups; what a single type can do is in param_values.c. */
#include "params.h"

#include "yaml_place.h"

/* Where the reading stands: fixed for one call of params_read. */
struct reading {
    const struct param *params;
    const struct yaml_document *document;
    const char *const *others; /* names that the caller reads; NULL-terminated, may be NULL */
};

/* The part of `name` behind "<prefix>." up to the next dot; NULL when the name is not below. */
static char *segment_below(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (!text_starts_with(name, prefix))
        return NULL;
    const char *start = name + length;
    const char *dot = strchrnul(start, '.');
    return memory_copy_bytes(start, (size_t)(dot - start));
}

/* The names that may stand in the group, ended by NULL. A prefix is "" or "group.". */
static void names_below(const struct reading *reading, const char *prefix, struct text_list *ret)
{
    for (const struct param *param = reading->params; param->name; param++) {
        AUTO_FREE char *segment = segment_below(param->name, prefix);
        if (segment && !text_list_has(ret, segment))
            text_list_add_take(ret, TAKE(segment));
    }
    for (const char *const *other = reading->others; other && *other && !*prefix; other++)
        text_list_add(ret, *other);
    text_list_add_take(ret, NULL);
}

static bool is_group(const struct param *params, const char *prefix)
{
    for (; params->name; params++) {
        if (text_starts_with(params->name, prefix))
            return true;
    }
    return false;
}

/* As deep as the table's dots, whatever the document holds. */
static int check_group(const struct reading *reading, const struct yaml_node *map,
                       const char *prefix, struct error *err)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    names_below(reading, prefix, &names);
    int failure = yaml_check_keys(reading->document, map, (const char *const *)names.items, err);
    if (failure || !map || map->kind != YAML_KIND_MAP)
        return failure;
    for (size_t i = 0; i < map->count && !failure; i++) {
        AUTO_FREE char *below = text_new("%s%s.", prefix, map->members[i].key);
        if (is_group(reading->params, below))
            failure = check_group(reading, map->members[i].value, below, err);
    }
    return failure;
}

const struct yaml_node *params_find_node(const struct yaml_node *map, const char *name)
{
    const struct yaml_node *node = map;
    while (node && *name) {
        const char *dot = strchrnul(name, '.');
        AUTO_FREE char *segment = memory_copy_bytes(name, (size_t)(dot - name));
        node = yaml_get(node, segment);
        name = *dot ? dot + 1 : dot;
    }
    return node;
}

static void *field_of(const struct param *param, void *settings)
{
    return (char *)settings + param->offset;
}

static const void *const_field_of(const struct param *param, const void *settings)
{
    return (const char *)settings + param->offset;
}

/* A default that cannot be read is a bug in the table, which every test would meet. */
static void read_fallback(const struct param *param, void *field)
{
    const struct param_kind *kind = param_kind(param->type);
    AUTO_YAML struct yaml_document *document = NULL;
    AUTO_FREE char *word = memory_copy_text(param->fallback);
    struct yaml_node plain = {.kind = YAML_KIND_SCALAR, .scalar = word};
    const struct yaml_node *node = &plain;
    if (kind->structured && yaml_parse(param->name, word, strlen(word), &document, NULL) == 0)
        node = document->root;
    if (kind->read(param, node, field, NULL))
        abort();
}

static int value_failure(const struct reading *reading, const struct param *param,
                         const struct yaml_node *node, const struct error *why, struct error *err)
{
    yaml_error(reading->document, node, err, "%s: %s", param->name, why->text);
    error_hint(err, "%s", param->help ? param->help : "");
    return FAILURE_INPUT;
}

static int read_setting(const struct reading *reading, const struct param *param,
                        const struct yaml_node *map, void *settings, struct error *err)
{
    const struct yaml_node *node = params_find_node(map, param->name);
    struct error why = {0};
    void *field = field_of(param, settings);
    if (!node && param->required)
        return yaml_error(reading->document, map, err, "'%s' is missing", param->name);
    if (!node && param->fallback)
        read_fallback(param, field);
    if (!node)
        return 0;
    if (node->kind == YAML_KIND_NULL)
        error_set(&why, FAILURE_INPUT, "has no value; leave the line out to take the default");
    else if (param_kind(param->type)->read(param, node, field, &why) == 0)
        return 0;
    return value_failure(reading, param, node, &why, err);
}

int params_read_beside(const struct param *params, const char *const *others,
                       const struct yaml_document *document, const struct yaml_node *map,
                       void *settings, struct error *err)
{
    struct reading reading = {params, document, others};
    int failure = check_group(&reading, map, "", err);
    if (failure)
        return failure;
    for (const struct param *param = params; param->name && !failure; param++)
        failure = read_setting(&reading, param, map, settings, err);
    if (failure)
        params_release(params, settings);
    return failure;
}

int params_read(const struct param *params, const struct yaml_document *document,
                const struct yaml_node *map, void *settings, struct error *err)
{
    return params_read_beside(params, NULL, document, map, settings, err);
}

void params_release(const struct param *params, void *settings)
{
    for (; params->name; params++) {
        const struct param_kind *kind = param_kind(params->type);
        if (kind->release)
            kind->release(field_of(params, settings));
    }
}

struct json *param_to_json(const struct param *param, const void *settings)
{
    return param_kind(param->type)->to_json(param, const_field_of(param, settings));
}

/* The member, made when it is not there. Borrowed. */
static struct json *member_object(struct json *object, const char *key)
{
    if (!json_get(object, key))
        json_set_take(object, key, json_new_object());
    return json_get(object, key);
}

struct json *params_to_json(const struct param *params, const void *settings)
{
    struct json *json = json_new_object();
    for (const struct param *param = params; param->name; param++) {
        struct json *value = param_to_json(param, settings);
        struct json *group = json;
        const char *leaf = param->name;
        for (const char *dot; value && (dot = strchr(leaf, '.')); leaf = dot + 1) {
            AUTO_FREE char *segment = memory_copy_bytes(leaf, (size_t)(dot - leaf));
            group = member_object(group, segment);
        }
        if (value)
            json_set_take(group, leaf, value);
    }
    return json;
}

static struct json *fallback_to_json(const struct param *param)
{
    /* As large as the largest field. */
    union {
        struct text_list list;
        struct text_pairs pairs;
        int64_t number;
        char *text;
    } field = {0};
    read_fallback(param, &field);
    struct json *json = param_kind(param->type)->to_json(param, &field);
    if (param_kind(param->type)->release)
        param_kind(param->type)->release(&field);
    return json;
}

static struct json *setting_schema(const struct param *param)
{
    struct json *schema = json_new_object();
    param_kind(param->type)->schema(param, schema);
    json_set_string(schema, "description", param->help);
    if (param->fallback)
        json_set_take(schema, "default", fallback_to_json(param));
    return schema;
}

static void init_group_schema(struct json *schema)
{
    json_set_string(schema, "type", "object");
    json_set_bool(schema, "additionalProperties", false);
    json_set_take(schema, "properties", json_new_object());
}

static void require(struct json *schema, const char *name)
{
    struct json *required = json_get(schema, "required");
    if (!required) {
        json_set_take(schema, "required", json_new_array());
        required = json_get(schema, "required");
    }
    for (size_t i = 0; i < json_count(required); i++) {
        if (text_equal(json_string(json_at(required, i)), name))
            return;
    }
    json_append_take(required, json_new_string(name));
}

static struct json *group_schema(struct json *schema, const char *name)
{
    struct json *properties = json_get(schema, "properties");
    struct json *group = json_get(properties, name);
    if (group)
        return group;
    group = member_object(properties, name);
    init_group_schema(group);
    return group;
}

struct json *params_schema(const struct param *params)
{
    struct json *schema = json_new_object();
    init_group_schema(schema);
    for (const struct param *param = params; param->name; param++) {
        struct json *group = schema;
        const char *leaf = param->name;
        for (const char *dot; (dot = strchr(leaf, '.')); leaf = dot + 1) {
            AUTO_FREE char *segment = memory_copy_bytes(leaf, (size_t)(dot - leaf));
            if (param->required)
                require(group, segment);
            group = group_schema(group, segment);
        }
        if (param->required)
            require(group, leaf);
        json_set_take(json_get(group, "properties"), leaf, setting_schema(param));
    }
    return schema;
}
