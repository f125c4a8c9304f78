/* Settings that are lists or maps: reading, releasing, JSON and JSON schema. */
#include "param_values.h"

enum { SHOWN_MAX = 60 };

static int add_item(const struct yaml_node *node, struct text_list *list, struct error *err)
{
    if (node->kind != YAML_KIND_SCALAR)
        return error_set(err, FAILURE_INPUT, "expected a list of single values");
    text_list_add(list, node->scalar);
    return 0;
}

int param_read_list(const struct param *param, const struct yaml_node *node, void *field,
                    struct error *err)
{
    AUTO_TEXT_LIST struct text_list list = {0};
    int failure = 0;
    (void)param;
    if (node->kind != YAML_KIND_LIST)
        failure = add_item(node, &list, err);
    else
        for (size_t i = 0; i < node->count && !failure; i++)
            failure = add_item(node->items[i], &list, err);
    if (failure)
        return failure;
    *(struct text_list *)field = list;
    list = (struct text_list){0};
    return 0;
}

void param_release_list(void *field)
{
    text_list_release(field);
}

struct json *param_list_to_json(const struct param *param, const void *field)
{
    (void)param;
    return json_from_list(field);
}

/* Anything that YAML takes for a single value is one here: it is kept as it was written. */
static struct json *scalar_schema(void)
{
    static const char *const names[] = {"string", "number", "boolean"};
    struct json *schema = json_new_object();
    struct json *types = json_new_array();
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        json_append_take(types, json_new_string(names[i]));
    json_set_take(schema, "type", types);
    return schema;
}

void param_list_schema(const struct param *param, struct json *schema)
{
    struct json *either = json_new_array();
    struct json *many = json_new_object();
    (void)param;
    json_set_string(many, "type", "array");
    json_set_take(many, "items", scalar_schema());
    json_append_take(either, scalar_schema());
    json_append_take(either, many);
    json_set_take(schema, "anyOf", either);
}

/* What is asked of each pair beside having a single value; NULL: nothing. */
typedef int pair_check_f(const struct param *param, const struct text_pair *pair,
                         struct error *err);

static int check_member(const struct param *param, const struct yaml_member *member,
                        pair_check_f *check, struct error *err)
{
    struct text_pair pair = {member->key, member->value->scalar};
    if (member->value->kind == YAML_KIND_SCALAR)
        return check ? check(param, &pair, err) : 0;
    AUTO_FREE char *shown = text_printable(member->key, SHOWN_MAX);
    return error_set(err, FAILURE_INPUT, "'%s' needs a single value", shown);
}

static int read_checked(const struct param *param, const struct yaml_node *node,
                        pair_check_f *check, struct text_pairs *ret, struct error *err)
{
    if (node->kind != YAML_KIND_MAP)
        return error_set(err, FAILURE_INPUT, "expected a map of names and values");
    for (size_t i = 0; i < node->count; i++) {
        int failure = check_member(param, &node->members[i], check, err);
        if (failure)
            return failure;
    }
    for (size_t i = 0; i < node->count; i++)
        text_pairs_add(ret, node->members[i].key, node->members[i].value->scalar);
    return 0;
}

int param_read_pairs(const struct param *param, const struct yaml_node *node, void *field,
                     struct error *err)
{
    return read_checked(param, node, NULL, field, err);
}

static int check_name(const struct param *param, const char *name, struct error *err)
{
    if (!param->choices)
        return 0;
    for (size_t i = 0; param->choices[i]; i++) {
        if (text_equal(param->choices[i], name))
            return 0;
    }
    AUTO_FREE char *shown = text_printable(name, SHOWN_MAX);
    const char *near = text_suggest(name, param->choices);
    return error_set(err, FAILURE_INPUT,
                     near ? "unknown name '%s', did you mean '%s'?" : "unknown name '%s'", shown,
                     near);
}

static int check_named_bytes(const struct param *param, const struct text_pair *pair,
                             struct error *err)
{
    uint64_t bytes = 0;
    int failure = check_name(param, pair->key, err);
    if (failure)
        return failure;
    failure = text_parse_bytes(pair->value, &bytes, err);
    if (!failure)
        failure = param_check_bounds(param, (int64_t)bytes, err);
    return failure ? error_wrap(err, "%s", pair->key) : 0;
}

int param_read_bytes_by_name(const struct param *param, const struct yaml_node *node, void *field,
                             struct error *err)
{
    return read_checked(param, node, check_named_bytes, field, err);
}

void param_release_pairs(void *field)
{
    text_pairs_release(field);
}

struct json *param_pairs_to_json(const struct param *param, const void *field)
{
    (void)param;
    return json_from_pairs(field);
}

void param_pairs_schema(const struct param *param, struct json *schema)
{
    (void)param;
    json_set_string(schema, "type", "object");
    json_set_take(schema, "additionalProperties", scalar_schema());
}

void param_bytes_by_name_schema(const struct param *param, struct json *schema)
{
    struct json *value = json_new_object();
    param_bytes_schema(value);
    json_set_string(schema, "type", "object");
    if (param->choices) {
        struct json *names = json_new_object();
        struct json *choices = json_new_array();
        for (size_t i = 0; param->choices[i]; i++)
            json_append_take(choices, json_new_string(param->choices[i]));
        json_set_take(names, "enum", choices);
        json_set_take(schema, "propertyNames", names);
    }
    json_set_take(schema, "additionalProperties", value);
}

static int check_key(const struct param *param, const struct text_pair *pair, struct error *err)
{
    return check_name(param, pair->key, err);
}

int param_read_records(const struct param *param, const struct yaml_node *node, void *field,
                       struct error *err)
{
    struct param_records *records = field;

    if (node->kind != YAML_KIND_LIST)
        return error_set(err, FAILURE_INPUT, "expected a list of maps");
    if (node->count > PARAM_RECORDS_MAX)
        return error_set(err, FAILURE_INPUT, "the list has more than %d entries",
                         PARAM_RECORDS_MAX);
    records->items = memory_new_array(node->count, sizeof(*records->items));
    for (size_t i = 0; i < node->count; i++) {
        int failure =
            read_checked(param, node->items[i], check_key, &records->items[records->count++], err);

        if (failure) {
            (void)error_wrap(err, "entry %zu", i + 1);
            param_release_records(field);
            return failure;
        }
    }
    return 0;
}

void param_release_records(void *field)
{
    struct param_records *records = field;

    for (size_t i = 0; i < records->count; i++)
        text_pairs_release(&records->items[i]);
    free(records->items);
    *records = (struct param_records){0};
}

struct json *param_records_to_json(const struct param *param, const void *field)
{
    const struct param_records *records = field;
    struct json *list = json_new_array();

    (void)param;
    for (size_t i = 0; i < records->count; i++)
        json_append_take(list, json_from_pairs(&records->items[i]));
    return list;
}

void param_records_schema(const struct param *param, struct json *schema)
{
    struct json *record = json_new_object();
    struct json *members = json_new_object();

    for (size_t i = 0; param->choices[i]; i++)
        json_set_take(members, param->choices[i], scalar_schema());
    json_set_string(record, "type", "object");
    json_set_take(record, "properties", members);
    json_set_bool(record, "additionalProperties", false);
    json_set_string(schema, "type", "array");
    json_set_take(schema, "items", record);
}
