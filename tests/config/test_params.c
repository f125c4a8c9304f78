/* Settings by table: every type read, bounded, refused at its place, released, written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/json.h"
#include "regwarden/yaml.h"

struct settings {
    bool on;
    int64_t count;
    uint64_t size;
    int64_t age_ms;
    char *text;
    char *required;
    int color;
    struct text_list list;
    struct text_pairs pairs;
    struct text_pairs sizes;
    struct param_records records;
    char *deep;
};

static const char *const colors[] = {"red", "green", "blue", NULL};
static const char *const runtimes[] = {"node", "go", NULL};
static const char *const record_keys[] = {"id", "until", NULL};

#define FIELD(member) offsetof(struct settings, member)

static const struct param table[] = {
    {.name = "on", .type = PARAM_BOOL, .offset = FIELD(on), .fallback = "true", .help = "On."},
    {.name = "count",
     .type = PARAM_INTEGER,
     .offset = FIELD(count),
     .fallback = "3",
     .min = -5,
     .max = 10,
     .help = "Count."},
    {.name = "size",
     .type = PARAM_BYTES,
     .offset = FIELD(size),
     .fallback = "1MiB",
     .min = 1000,
     .max = 2000000000,
     .help = "Size."},
    {.name = "age",
     .type = PARAM_DURATION,
     .offset = FIELD(age_ms),
     .fallback = "90m",
     .min = 1000,
     .max = 86400000,
     .help = "Age."},
    {.name = "text", .type = PARAM_TEXT, .offset = FIELD(text), .help = "Text."},
    {.name = "required",
     .type = PARAM_TEXT,
     .offset = FIELD(required),
     .required = true,
     .help = "Needed."},
    {.name = "color",
     .type = PARAM_CHOICE,
     .offset = FIELD(color),
     .fallback = "green",
     .choices = colors,
     .min = 3,
     .help = "Color."},
    {.name = "list",
     .type = PARAM_LIST,
     .offset = FIELD(list),
     .fallback = "[a, \"b, c\"]",
     .help = "List."},
    {.name = "pairs", .type = PARAM_PAIRS, .offset = FIELD(pairs), .help = "Pairs."},
    {.name = "sizes",
     .type = PARAM_BYTES_BY_NAME,
     .offset = FIELD(sizes),
     .choices = runtimes,
     .max = 1000000000,
     .help = "Sizes."},
    {.name = "records",
     .type = PARAM_RECORDS,
     .offset = FIELD(records),
     .choices = record_keys,
     .help = "Records."},
    {.name = "group.deep.er",
     .type = PARAM_TEXT,
     .offset = FIELD(deep),
     .fallback = "[not a list]",
     .help = "Deep."},
    {.name = NULL},
};

static int read_text(const char *text, struct settings *settings, struct error *err)
{
    AUTO_YAML struct yaml_document *document = NULL;
    *settings = (struct settings){0};
    assert_int_equal(yaml_parse("f", text, strlen(text), &document, NULL), 0);
    return params_read(table, document, document->root, settings, err);
}

static void defaults_fill_what_is_left_out(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(read_text("required: x", &settings, NULL), 0);
    assert_true(settings.on);
    assert_int_equal(settings.count, 3);
    assert_int_equal(settings.size, 1048576);
    assert_int_equal(settings.age_ms, 5400000);
    assert_null(settings.text);
    assert_int_equal(settings.color, 4);
    assert_int_equal(settings.list.count, 2);
    assert_string_equal(settings.list.items[1], "b, c");
    assert_int_equal(settings.pairs.count + settings.sizes.count, 0);
    assert_string_equal(settings.deep, "[not a list]");
    params_release(table, &settings);
    assert_null(settings.deep);
    assert_int_equal(settings.list.count, 0);
    params_release(table, &settings);
}

static void every_type_is_read(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(read_text("required: 007\n"
                               "on: false\ncount: -5\nsize: 1.5 kB\nage: 10s\ntext: \"\"\n"
                               "color: blue\nlist: [1, no, 'x']\npairs: {a: 1, b: yes}\n"
                               "sizes: {node: 1MB, go: 15kB}\ngroup:\n  deep: {er: v}\n",
                               &settings, NULL),
                     0);
    assert_false(settings.on);
    assert_int_equal(settings.count, -5);
    assert_int_equal(settings.size, 1500);
    assert_int_equal(settings.age_ms, 10000);
    assert_string_equal(settings.text, "");
    assert_string_equal(settings.required, "007");
    assert_int_equal(settings.color, 5);
    assert_int_equal(settings.list.count, 3);
    assert_string_equal(settings.list.items[1], "no");
    assert_string_equal(text_pairs_get(&settings.pairs, "b"), "yes");
    assert_string_equal(text_pairs_get(&settings.sizes, "go"), "15kB");
    assert_string_equal(settings.deep, "v");
    params_release(table, &settings);
}

static void a_single_value_is_a_list_of_one(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(read_text("{required: x, list: one}", &settings, NULL), 0);
    assert_int_equal(settings.list.count, 1);
    params_release(table, &settings);
    assert_int_equal(read_text("{required: x, list: []}", &settings, NULL), 0);
    assert_int_equal(settings.list.count, 0);
    params_release(table, &settings);
}

static void refusals_name_place_and_setting(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "f:1:1: 'required' is missing"},
        {"", "f:1:1: 'required' is missing"},
        {"- a", "f:1:1: expected a map of names and values"},
        {"required: x\ncuont: 1", "f:2:1: unknown key 'cuont', did you mean 'count'?"},
        {"required: x\ngruop: {}", "f:2:1: unknown key 'gruop', did you mean 'group'?"},
        {"required: x\ngroup: {deeep: {}}", "f:2:9: unknown key 'deeep', did you mean 'deep'?"},
        {"required: x\ngroup: {deep: {err: 1}}", "f:2:16: unknown key 'err', did you mean 'er'?"},
        {"required: x\ngroup: 5", "f:2:8: expected a map of names and values"},
        {"required: x\ngroup: {deep: [1]}", "f:2:15: expected a map of names and values"},
        {"required: x\ngroup.deep.er: 5", "f:2:1: unknown key 'group.deep.er'"},
        {"required: x\non: yes", "f:2:5: on: 'yes' is not true or false"},
        {"required: x\non: 'true'", "f:2:5: on: 'true' is not true or false"},
        {"required: x\non: True", "f:2:5: on: 'True' is not true or false"},
        {"required: x\non: [true]", "f:2:5: on: expected a single value"},
        {"required: x\non:", "f:2:4: on: has no value"},
        {"required:", "f:1:10: required: has no value"},
        {"required: x\ncount: 11", "f:2:8: count: 11 is more than the most allowed, 10"},
        {"required: x\ncount: -6", "f:2:8: count: -6 is less than the least allowed, -5"},
        {"required: x\ncount: 010", "f:2:8: count: '010' is not a whole number"},
        {"required: x\ncount: '5'", "f:2:8: count: '5' is not a whole number"},
        {"required: x\ncount: 5.0", "f:2:8: count: '5.0' is not a whole number"},
        {"required: x\ncount: --5", "f:2:8: count: '--5' is not a whole number"},
        {"required: x\ncount: 0x5", "f:2:8: count: '0x5' is not a whole number"},
        {"required: x\ncount: 99999999999999999999", "f:2:8: count: '99999999999999999999' is "
                                                     "not a whole number"},
        {"required: x\ncount: {}", "f:2:8: count: expected a single value"},
        {"required: x\nsize: 999B", "f:2:7: size: 999 B is less than the least allowed, 1 kB"},
        {"required: x\nsize: 3GB", "f:2:7: size: 3 GB is more than the most allowed, 2 GB"},
        {"required: x\nsize: 5M", "f:2:7: size: '5M' is not a size"},
        {"required: x\nage: 2d", "f:2:6: age: 2 d is more than the most allowed, 1 d"},
        {"required: x\nage: 5", "f:2:6: age: '5' is not a duration"},
        {"required: x\nage: 1ms", "f:2:6: age: 1 ms is less than the least allowed, 1 s"},
        {"required: x\ntext: {a: 1}", "f:2:7: text: expected a single value"},
        {"required: x\ncolor: gren", "f:2:8: color: 'gren' is not one of red, green, blue; did "
                                     "you mean 'green'?"},
        {"required: x\ncolor: 4", "f:2:8: color: '4' is not one of red, green, blue"},
        {"required: x\nlist: [a, [b]]", "f:2:7: list: expected a list of single values"},
        {"required: x\nlist: [a, ~]", "f:2:7: list: expected a list of single values"},
        {"required: x\nlist: {a: 1}", "f:2:7: list: expected a list of single values"},
        {"required: x\npairs: [a]", "f:2:8: pairs: expected a map of names and values"},
        {"required: x\npairs: {a: [1]}", "f:2:8: pairs: 'a' needs a single value"},
        {"required: x\npairs: {a: }", "f:2:8: pairs: 'a' needs a single value"},
        {"required: x\nsizes: {nod: 1MB}", "f:2:8: sizes: unknown name 'nod', did you mean "
                                           "'node'?"},
        {"required: x\nsizes: {rust: 1MB}", "f:2:8: sizes: unknown name 'rust'"},
        {"required: x\nsizes: {go: 1X}", "f:2:8: sizes: go: '1X' is not a size"},
        {"required: x\nsizes: {go: 2GB}", "f:2:8: sizes: go: 2 GB is more than"},
        {"required: x\nrecords: {id: a}", "f:2:10: records: expected a list of maps"},
        {"required: x\nrecords: [{id: a}, b]",
         "f:2:10: records: entry 2: expected a map of names and values"},
        {"required: x\nrecords: [{ids: a}]",
         "f:2:10: records: entry 1: unknown name 'ids', did you mean 'id'?"},
        {"required: x\nrecords: [{id: [a]}]",
         "f:2:10: records: entry 1: 'id' needs a single value"},
        {"required: x\nsizes: 5MB", "f:2:8: sizes: expected a map of names and values"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct settings settings;
        struct error err = {0};
        int result = read_text(cases[i].text, &settings, &err);
        if (result != FAILURE_INPUT || !text_starts_with(err.text, cases[i].message))
            fail_msg("%s: %d %s", cases[i].text, result, err.text);
        assert_null(settings.required);
        assert_int_equal(settings.list.count, 0);
    }
}

static void without_a_document_there_are_defaults(void **state)
{
    struct settings settings = {0};
    struct error err;
    (void)state;
    assert_int_equal(params_read(table, NULL, NULL, &settings, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "'required' is missing");
    static const struct param optional[] = {
        {.name = "count", .type = PARAM_INTEGER, .offset = FIELD(count), .fallback = "7"},
        {.name = NULL},
    };
    assert_int_equal(params_read(optional, NULL, NULL, &settings, NULL), 0);
    assert_int_equal(settings.count, 7);
}

static void settings_written_as_json_read_back_the_same(void **state)
{
    static const char *const cases[] = {
        "required: x",
        "{required: x, size: 1500, age: 90s, on: false, count: -1, text: t, color: red, list: []}",
        "{required: x, pairs: {k: v}, sizes: {go: 1KiB}, group: {deep: {er: x}}}",
        "required: x\nsize: 2GB\nage: 1d\nlist: [a, b]",
        "required: x\nsize: 1001\nage: 1001ms",
        "{required: x, records: [{id: a, until: 2030-01-01}, {id: b}]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct settings first, second;
        AUTO_TEXT struct text text = {0}, again = {0};
        assert_int_equal(read_text(cases[i], &first, NULL), 0);
        AUTO_JSON struct json *json = params_to_json(table, &first);
        json_write(json, JSON_INDENTED, &text);
        assert_int_equal(read_text(text_data(&text), &second, NULL), 0);
        AUTO_JSON struct json *back = params_to_json(table, &second);
        json_write(back, JSON_INDENTED, &again);
        assert_string_equal(text_data(&text), text_data(&again));
        assert_true(first.size == second.size && first.age_ms == second.age_ms);
        params_release(table, &first);
        params_release(table, &second);
    }
}

static const struct json *at(const struct json *schema, const char *name)
{
    return json_get(json_get(schema, "properties"), name);
}

static void the_schema_says_what_the_reader_does(void **state)
{
    AUTO_JSON struct json *schema = params_schema(table);
    (void)state;
    assert_string_equal(json_get_string(schema, "type"), "object");
    assert_false(json_bool(json_get(schema, "additionalProperties"), true));
    assert_string_equal(json_string(json_at(json_get(schema, "required"), 0)), "required");
    assert_int_equal(json_count(json_get(schema, "required")), 1);
    assert_int_equal(json_count(json_get(schema, "properties")), 12);
    assert_string_equal(json_get_string(at(schema, "on"), "type"), "boolean");
    assert_true(json_bool(json_get(at(schema, "on"), "default"), false));
    assert_int_equal(json_get_integer(at(schema, "count"), "minimum", 0), -5);
    assert_int_equal(json_get_integer(at(schema, "count"), "maximum", 0), 10);
    assert_int_equal(json_get_integer(at(schema, "count"), "default", 0), 3);
    assert_string_equal(json_get_string(at(schema, "size"), "default"), "1MiB");
    assert_string_equal(json_get_string(at(schema, "age"), "default"), "90m");
    assert_string_equal(json_get_string(at(schema, "color"), "default"), "green");
    assert_int_equal(json_count(json_get(at(schema, "color"), "enum")), 3);
    assert_int_equal(json_count(json_get(at(schema, "list"), "default")), 2);
    assert_string_equal(json_get_string(at(schema, "pairs"), "description"), "Pairs.");
    assert_int_equal(json_count(json_get(json_get(at(schema, "sizes"), "propertyNames"), "enum")),
                     2);
    assert_int_equal(json_count(at(json_get(at(schema, "records"), "items"), "until")), 1);
    const struct json *deep = at(at(schema, "group"), "deep");
    assert_false(json_bool(json_get(deep, "additionalProperties"), true));
    assert_string_equal(json_get_string(at(deep, "er"), "default"), "[not a list]");
}

static void required_settings_in_groups_make_the_group_required(void **state)
{
    static const struct param grouped[] = {
        {.name = "a.b", .type = PARAM_TEXT, .required = true, .help = "B."},
        {.name = "a.c",
         .type = PARAM_TEXT,
         .offset = sizeof(char *),
         .required = true,
         .help = "C."},
        {.name = NULL},
    };
    AUTO_JSON struct json *schema = params_schema(grouped);
    AUTO_TEXT struct text text = {0};
    (void)state;
    json_write(json_get(schema, "required"), JSON_COMPACT, &text);
    json_write(json_get(at(schema, "a"), "required"), JSON_COMPACT, &text);
    assert_string_equal(text_data(&text), "[\"a\"][\"b\",\"c\"]");
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(param_type_name(PARAM_BOOL), "boolean");
    assert_string_equal(param_type_name(PARAM_BYTES), "size");
    assert_string_equal(param_type_name(PARAM_BYTES_BY_NAME), "sizes by name");
    assert_string_equal(param_type_name(PARAM_RECORDS), "list of maps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_is_left_out),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(a_single_value_is_a_list_of_one),
        cmocka_unit_test(refusals_name_place_and_setting),
        cmocka_unit_test(without_a_document_there_are_defaults),
        cmocka_unit_test(settings_written_as_json_read_back_the_same),
        cmocka_unit_test(the_schema_says_what_the_reader_does),
        cmocka_unit_test(required_settings_in_groups_make_the_group_required),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
