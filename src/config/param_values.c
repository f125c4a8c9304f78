/* The table of setting types: how each is read, released, written as JSON and described as JSON
 * schema. Single values; lists and maps are in param_lists.c. */
#include "param_values.h"

enum { SHOWN_MAX = 60 };

static int refuse_value(const struct yaml_node *node, struct error *err, const char *wanted)
{
    AUTO_FREE char *shown = text_printable(node->scalar, SHOWN_MAX);
    return error_set(err, FAILURE_INPUT, "'%s' is not %s", shown, wanted);
}

static int want_scalar(const struct yaml_node *node, struct error *err)
{
    if (node->kind == YAML_KIND_SCALAR)
        return 0;
    return error_set(err, FAILURE_INPUT, "expected a single value");
}

static int read_bool(const struct param *param, const struct yaml_node *node, void *field,
                     struct error *err)
{
    (void)param;
    int failure = want_scalar(node, err);
    if (failure)
        return failure;
    bool truth = text_equal(node->scalar, "true");
    if (node->quoted || (!truth && !text_equal(node->scalar, "false")))
        return refuse_value(node, err, "true or false");
    *(bool *)field = truth;
    return 0;
}

static struct json *bool_to_json(const struct param *param, const void *field)
{
    (void)param;
    return json_new_bool(*(const bool *)field);
}

static void bool_schema(const struct param *param, struct json *schema)
{
    (void)param;
    json_set_string(schema, "type", "boolean");
}

/* Bounds as they would be written in the file. */
static const char *show_number(const struct param *param, int64_t value,
                               char buffer[static TEXT_NUMBER_SIZE])
{
    if (param->type == PARAM_BYTES || param->type == PARAM_BYTES_BY_NAME)
        return text_format_bytes((uint64_t)value, buffer);
    if (param->type == PARAM_DURATION)
        return text_format_duration(value, buffer);
    snprintf(buffer, TEXT_NUMBER_SIZE, "%lld", (long long)value);
    return buffer;
}

static bool has_bounds(const struct param *param)
{
    return param->min != 0 || param->max != 0;
}

int param_check_bounds(const struct param *param, int64_t value, struct error *err)
{
    char shown[TEXT_NUMBER_SIZE], bound[TEXT_NUMBER_SIZE];
    if (!has_bounds(param))
        return 0;
    if (value < param->min)
        return error_set(err, FAILURE_INPUT, "%s is less than the least allowed, %s",
                         show_number(param, value, shown), show_number(param, param->min, bound));
    if (value > param->max)
        return error_set(err, FAILURE_INPUT, "%s is more than the most allowed, %s",
                         show_number(param, value, shown), show_number(param, param->max, bound));
    return 0;
}

/* "010" is eight to some and ten to others: it is nothing here. */
static bool is_plain_integer(const char *digits)
{
    return text_equal(digits, "0") || (digits[0] >= '1' && digits[0] <= '9');
}

static int read_integer(const struct param *param, const struct yaml_node *node, void *field,
                        struct error *err)
{
    uint64_t size = 0;
    int failure = want_scalar(node, err);
    if (failure)
        return failure;
    bool negative = node->scalar[0] == '-';
    const char *digits = node->scalar + negative;
    if (node->quoted || !is_plain_integer(digits) ||
        text_parse_uint(digits, INT64_MAX, &size, NULL))
        return refuse_value(node, err, "a whole number");
    int64_t value = negative ? -(int64_t)size : (int64_t)size;
    failure = param_check_bounds(param, value, err);
    if (!failure)
        *(int64_t *)field = value;
    return failure;
}

static struct json *integer_to_json(const struct param *param, const void *field)
{
    (void)param;
    return json_new_integer(*(const int64_t *)field);
}

static void integer_schema(const struct param *param, struct json *schema)
{
    json_set_string(schema, "type", "integer");
    if (!has_bounds(param))
        return;
    json_set_integer(schema, "minimum", param->min);
    json_set_integer(schema, "maximum", param->max);
}

static int read_bytes(const struct param *param, const struct yaml_node *node, void *field,
                      struct error *err)
{
    uint64_t bytes = 0;
    int failure = want_scalar(node, err);
    if (!failure)
        failure = text_parse_bytes(node->scalar, &bytes, err);
    if (!failure)
        failure = param_check_bounds(param, (int64_t)bytes, err);
    if (!failure)
        *(uint64_t *)field = bytes;
    return failure;
}

/* Written in the largest unit that divides it, so that the text read back is the same number. */
struct written_unit {
    const char *name;
    uint64_t size;
};

static struct json *write_exact(uint64_t value, const struct written_unit *units)
{
    while (units->size > 1 && (value < units->size || value % units->size != 0))
        units++;
    AUTO_FREE char *text = text_new("%llu%s", (unsigned long long)(value / units->size),
                                    value == 0 ? "" : units->name);
    return json_new_string(text);
}

static struct json *bytes_to_json(const struct param *param, const void *field)
{
    static const struct written_unit units[] = {
        {"TB", 1000000000000},
        {"TiB", UINT64_C(1) << 40},
        {"GB", 1000000000},
        {"GiB", 1u << 30},
        {"MB", 1000000},
        {"MiB", 1u << 20},
        {"kB", 1000},
        {"KiB", 1u << 10},
        {"B", 1},
    };
    (void)param;
    return write_exact(*(const uint64_t *)field, units);
}

void param_bytes_schema(struct json *schema)
{
    struct json *types = json_new_array();
    json_append_take(types, json_new_string("string"));
    json_append_take(types, json_new_string("integer"));
    json_set_take(schema, "type", types);
    json_set_string(schema, "pattern", "^[0-9]+(\\.[0-9]{1,9})? ?([Bb]|[KkMmGgTt][Ii]?[Bb])?$");
    json_set_integer(schema, "minimum", 0);
}

static void bytes_schema(const struct param *param, struct json *schema)
{
    (void)param;
    param_bytes_schema(schema);
}

static int read_duration(const struct param *param, const struct yaml_node *node, void *field,
                         struct error *err)
{
    int64_t ms = 0;
    int failure = want_scalar(node, err);
    if (!failure)
        failure = text_parse_duration(node->scalar, &ms, err);
    if (!failure)
        failure = param_check_bounds(param, ms, err);
    if (!failure)
        *(int64_t *)field = ms;
    return failure;
}

static struct json *duration_to_json(const struct param *param, const void *field)
{
    static const struct written_unit units[] = {
        {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
    };
    (void)param;
    return write_exact((uint64_t) * (const int64_t *)field, units);
}

static void duration_schema(const struct param *param, struct json *schema)
{
    struct json *types = json_new_array();
    (void)param;
    json_append_take(types, json_new_string("string"));
    json_append_take(types, json_new_string("integer"));
    json_set_take(schema, "type", types);
    json_set_string(schema, "pattern", "^(0|[0-9]+ ?(ms|s|m|h|d|w))$");
    json_set_integer(schema, "minimum", 0);
    json_set_integer(schema, "maximum", 0); /* a bare number can only be 0 */
}

static int read_text(const struct param *param, const struct yaml_node *node, void *field,
                     struct error *err)
{
    (void)param;
    int failure = want_scalar(node, err);
    if (!failure)
        *(char **)field = memory_copy_text(node->scalar);
    return failure;
}

static void release_text(void *field)
{
    free(*(char **)field);
    *(char **)field = NULL;
}

static struct json *text_to_json(const struct param *param, const void *field)
{
    (void)param;
    const char *text = *(char *const *)field;
    return text ? json_new_string(text) : NULL;
}

static void text_schema(const struct param *param, struct json *schema)
{
    (void)param;
    json_set_string(schema, "type", "string");
}

static int read_choice(const struct param *param, const struct yaml_node *node, void *field,
                       struct error *err)
{
    int failure = want_scalar(node, err);
    if (failure)
        return failure;
    for (int i = 0; param->choices[i]; i++) {
        if (text_equal(param->choices[i], node->scalar)) {
            *(int *)field = i + (int)param->min;
            return 0;
        }
    }
    AUTO_TEXT struct text wanted = {0};
    for (size_t i = 0; param->choices[i]; i++)
        text_format(&wanted, "%s%s", i > 0 ? ", " : "one of ", param->choices[i]);
    const char *near = text_suggest(node->scalar, param->choices);
    if (near)
        text_format(&wanted, "; did you mean '%s'?", near);
    return refuse_value(node, err, text_data(&wanted));
}

static struct json *choice_to_json(const struct param *param, const void *field)
{
    return json_new_string(param->choices[*(const int *)field - (int)param->min]);
}

static void choice_schema(const struct param *param, struct json *schema)
{
    struct json *choices = json_new_array();
    for (size_t i = 0; param->choices[i]; i++)
        json_append_take(choices, json_new_string(param->choices[i]));
    json_set_take(schema, "enum", choices);
}

static const struct param_kind kinds[] = {
    [PARAM_BOOL] =
        {
            .name = "boolean",
            .read = read_bool,
            .to_json = bool_to_json,
            .schema = bool_schema,
        },
    [PARAM_INTEGER] =
        {
            .name = "integer",
            .read = read_integer,
            .to_json = integer_to_json,
            .schema = integer_schema,
        },
    [PARAM_BYTES] =
        {
            .name = "size",
            .read = read_bytes,
            .to_json = bytes_to_json,
            .schema = bytes_schema,
        },
    [PARAM_DURATION] =
        {
            .name = "duration",
            .read = read_duration,
            .to_json = duration_to_json,
            .schema = duration_schema,
        },
    [PARAM_TEXT] =
        {
            .name = "text",
            .read = read_text,
            .release = release_text,
            .to_json = text_to_json,
            .schema = text_schema,
        },
    [PARAM_CHOICE] =
        {
            .name = "choice",
            .read = read_choice,
            .to_json = choice_to_json,
            .schema = choice_schema,
        },
    [PARAM_LIST] =
        {
            .name = "list",
            .read = param_read_list,
            .release = param_release_list,
            .to_json = param_list_to_json,
            .schema = param_list_schema,
            .structured = true,
        },
    [PARAM_PAIRS] =
        {
            .name = "map",
            .read = param_read_pairs,
            .release = param_release_pairs,
            .to_json = param_pairs_to_json,
            .schema = param_pairs_schema,
            .structured = true,
        },
    [PARAM_BYTES_BY_NAME] =
        {
            .name = "sizes by name",
            .read = param_read_bytes_by_name,
            .release = param_release_pairs,
            .to_json = param_pairs_to_json,
            .schema = param_bytes_by_name_schema,
            .structured = true,
        },
    [PARAM_RECORDS] =
        {
            .name = "list of maps",
            .read = param_read_records,
            .release = param_release_records,
            .to_json = param_records_to_json,
            .schema = param_records_schema,
            .structured = true,
        },
};

const struct param_kind *param_kind(enum param_type type)
{
    return &kinds[type];
}

const char *param_type_name(enum param_type type)
{
    return kinds[type].name;
}
