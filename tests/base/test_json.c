/* JSON: what is refused and where, getters that take anything, building and writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "regwarden/json.h"

static struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), NULL, &json, &err))
        fail_msg("%s: %s", text, err.text);
    return json;
}

static void assert_written(const struct json *json, unsigned style, const char *expected)
{
    AUTO_TEXT struct text text = {0};
    json_write(json, style, &text);
    assert_string_equal(text_data(&text), expected);
}

static void documents_come_back_as_they_were(void **state)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "null",
        "true",
        "1",
        "-5",
        "1.5",
        "\"a\"",
        "{\"b\":1,\"a\":[2,{\"c\":null}]}",
        "\"\\u0001\\n\\\"\"",
        "\"grüß 😀\"",
        "[1e300]",
        "9223372036854775807",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases) - 2; i++) {
        AUTO_JSON struct json *json = parse(cases[i]);
        assert_written(json, JSON_COMPACT, cases[i]);
    }
    AUTO_JSON struct json *large = parse("9223372036854775807");
    assert_true(json_integer(large, 0) == INT64_MAX);
    AUTO_JSON struct json *real = parse("[1e300]");
    assert_true(json_real(json_at(real, 0), 0) > 9e299);
}

static void bad_documents_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "line 1, column 0: "},
        {" ", "line 1, column 1: "},
        {"{\n \"a\": x}", "line 2, column 7: "},
        {"{\"a\":1,\"a\":2}", "line 1, column 10: duplicate object key"},
        {"[1] [2]", "end of file expected"},
        {"[1,]", "unexpected token"},
        {"{\"a\"}", "':' expected"},
        {"\"\\u0000\"", "\\u0000 is not allowed"},
        {"{\"\\u0000\":1}", "NUL byte in object key not supported"},
        {"\"\xff\"", "unable to decode byte 0xff"},
        {"\"\xed\xa0\x80\"", "unable to decode byte 0xed"},
        {"\"\\ud800\"", "invalid Unicode"},
        {"[1e999]", "real number overflow"},
        {"99999999999999999999", "too big integer"},
        {"'a'", "invalid token"},
        {"nul", "invalid token"},
        {"[01]", "invalid token"},
        {"\"a\nb\"", "unexpected newline"},
        {"[NaN]", "invalid token"},
        {"\xef\xbb\xbf{}", "invalid token"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json *json = NULL;
        struct error err = {0};
        int result = json_parse(cases[i].text, strlen(cases[i].text), NULL, &json, &err);
        if (result != FAILURE_INPUT || json || !strstr(err.text, cases[i].message))
            fail_msg("%s: %d %s", cases[i].text, result, err.text);
    }
}

static void nothing_hides_behind_a_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {{"1\0", 2}, {"{}\0{}", 5}, {"\0", 1}, {"[1,\0 2]", 7}, {"\"a\0b\"", 5}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json *json = NULL;
        struct error err;
        assert_int_equal(json_parse(cases[i].bytes, cases[i].size, NULL, &json, &err),
                         FAILURE_INPUT);
        assert_string_equal(err.text, "JSON holds a NUL byte");
    }
}

static void messages_do_not_repeat_the_document(void **state)
{
    static const char text[] = "{\"token\": \"hunter2\" \"x\"}";
    struct json *json = NULL;
    struct error err;
    (void)state;
    assert_int_equal(json_parse(text, strlen(text), NULL, &json, &err), FAILURE_INPUT);
    assert_null(strstr(err.text, "near"));
    assert_int_equal(json_parse("[hunter2]", 9, NULL, &json, &err), FAILURE_INPUT);
    assert_null(strstr(err.text, "hunter2"));
}

static void limits_hold_to_the_last_value(void **state)
{
    static const struct json_limits limits = {.max_bytes = 40, .max_depth = 3, .max_values = 6};
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"[[[1]]]", 0},
        {"[[[[]]]]", FAILURE_LIMIT},
        {"{\"a\":{\"b\":{\"c\":{}}}}", FAILURE_LIMIT},
        {"[1,2,3,4,5]", 0},
        {"[1,2,3,4,5,6]", FAILURE_LIMIT},
        {"[[],[],[],[],[]]", 0},
        {"[[],[],[],[],[],[]]", FAILURE_LIMIT},
        {"{\"a\":1,\"b\":[ ],\"c\":{ },\"d\":2,\"e\":3}", 0},
        {"{\"a\":1,\"b\":[0],\"c\":{ },\"d\":2,\"e\":3}", FAILURE_LIMIT},
        {"[\"[[[[,,,,,,,\"]", 0},
        {"[\"\\\"[[[[,,,,,\"]", 0},
        {"[\"\\\\\",1,2,3,4,5]", FAILURE_LIMIT},
        {"[1,2,3,4,5]                            ", 0},
        {"[1,2,3,4,5]                              ", FAILURE_LIMIT},
        {"]]]]]]][[[[", FAILURE_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *json = NULL;
        struct error err = {0};
        int result = json_parse(cases[i].text, strlen(cases[i].text), &limits, &json, &err);
        if (result != cases[i].result)
            fail_msg("%s: %d %s", cases[i].text, result, err.text);
    }
}

static void a_tower_of_brackets_costs_nothing(void **state)
{
    AUTO_TEXT struct text tower = {0};
    AUTO_JSON struct json *json = NULL;
    (void)state;
    for (int i = 0; i < 1000000; i++)
        text_add_char(&tower, '[');
    assert_int_equal(json_parse(tower.data, tower.length, NULL, &json, NULL), FAILURE_LIMIT);
}

static void keys_that_differ_in_case_are_refused(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"{\"a\":1,\"b\":2}", 0},
        {"{\"a\":1,\"A\":2}", FAILURE_INPUT},
        {"{\"x\":{\"mediaType\":1,\"size\":2,\"MediaType\":2}}", FAILURE_INPUT},
        {"[1,[{\"a\":1},{\"A\":1}]]", 0},
        {"[1,[{\"a\":{\"Ab\":0,\"aB\":0}}]]", FAILURE_INPUT},
        {"\"a\"", 0},
        {"{\"\xc3\x84\":1,\"\xc3\xa4\":2}", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *json = parse(cases[i].text);
        struct error err;
        assert_int_equal(json_refuse_case_variants(json, &err), cases[i].result);
    }
    AUTO_JSON struct json *json = parse("{\"Size\":1,\"size\":2}");
    struct error err;
    json_refuse_case_variants(json, &err);
    assert_string_equal(err.text, "JSON has keys that differ only in case: 'size'");
}

static void getters_take_anything(void **state)
{
    AUTO_JSON struct json *json =
        parse("{\"i\":7,\"r\":1.5,\"s\":\"t\",\"b\":true,\"n\":null,\"l\":[1,2],\"o\":{\"k\":1}}");
    (void)state;
    assert_int_equal(json_get_integer(json, "i", 0), 7);
    assert_int_equal(json_get_integer(json, "r", 9), 9);
    assert_int_equal(json_get_integer(json, "missing", 9), 9);
    assert_true(json_real(json_get(json, "r"), 0) > 1.4);
    assert_true(json_real(json_get(json, "i"), 0) > 6.9);
    assert_true(json_real(json_get(json, "s"), 3) > 2.9);
    assert_string_equal(json_get_string(json, "s"), "t");
    assert_null(json_get_string(json, "i"));
    assert_true(json_bool(json_get(json, "b"), false));
    assert_true(json_bool(json_get(json, "n"), true));
    assert_int_equal(json_count(json), 7);
    assert_int_equal(json_count(json_get(json, "l")), 2);
    assert_int_equal(json_count(json_get(json, "s")), 0);
    assert_int_equal(json_integer(json_at(json_get(json, "l"), 1), 0), 2);
    assert_null(json_at(json_get(json, "l"), 2));
    assert_null(json_at(json, 0));
    assert_null(json_get(json_get(json, "l"), "x"));
    assert_null(json_get(json_get(json_get(NULL, "a"), "b"), "c"));
    assert_null(json_string(NULL));
    assert_null(json_iterate(json_get(json, "l")));
    assert_int_equal(json_count(NULL), 0);
}

static void kinds_are_told_apart(void **state)
{
    static const enum json_kind kinds[] = {
        JSON_KIND_NULL, JSON_KIND_BOOL,   JSON_KIND_BOOL,  JSON_KIND_INTEGER,
        JSON_KIND_REAL, JSON_KIND_STRING, JSON_KIND_ARRAY, JSON_KIND_OBJECT,
    };
    AUTO_JSON struct json *json = parse("[null,true,false,1,1.0,\"\",[],{}]");
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        assert_true(json_is(json_at(json, i), kinds[i]));
    assert_int_equal(json_kind(NULL), JSON_KIND_NONE);
}

static void members_are_walked_in_document_order(void **state)
{
    AUTO_JSON struct json *json = parse("{\"z\":0,\"a\":1,\"m\":2}");
    AUTO_TEXT struct text keys = {0};
    int64_t number = 0;
    (void)state;
    for (void *i = json_iterate(json); i; i = json_next(json, i)) {
        text_add(&keys, json_iterator_key(i));
        assert_int_equal(json_integer(json_iterator_value(i), -1), number++);
    }
    assert_string_equal(text_data(&keys), "zam");
}

static void building(void **state)
{
    AUTO_JSON struct json *json = json_new_object();
    struct json *list = json_new_array();
    (void)state;
    json_append_take(list, json_new_integer(INT64_MIN));
    json_append_take(list, json_new_real(0.5));
    json_append_take(list, json_new_real(INFINITY));
    json_append_take(list, json_new_real(NAN));
    json_append_take(list, json_new_bool(false));
    json_append_take(list, json_new_string(NULL));
    json_set_take(json, "z", list);
    json_set_string(json, "a", "x");
    json_set_string(json, "left out", NULL);
    json_set_integer(json, "i", 3);
    json_set_bool(json, "b", true);
    json_set_integer(json, "i", 4);
    assert_written(json, JSON_COMPACT,
                   "{\"z\":[-9223372036854775808,0.5,null,null,false,null],\"a\":\"x\",\"i\":4,"
                   "\"b\":true}");
    assert_written(json, JSON_SORTED,
                   "{\"a\":\"x\",\"b\":true,\"i\":4,\"z\":[-9223372036854775808,0.5,null,null,"
                   "false,null]}");
    AUTO_JSON struct json *small = parse("{\"b\":1,\"a\":[2]}");
    assert_written(small, JSON_INDENTED, "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}");
    assert_written(small, JSON_INDENTED | JSON_SORTED, "{\n  \"a\": [\n    2\n  ],\n  \"b\": 1\n}");
}

static void broken_utf8_becomes_replacement_characters(void **state)
{
    AUTO_JSON struct json *json = json_new_object();
    (void)state;
    json_set_string(json, "k\xff", "a\xffz\xc3\xbc\xe2\x28");
    assert_written(json, JSON_COMPACT,
                   "{\"k\xef\xbf\xbd\":\"a\xef\xbf\xbdz\xc3\xbc\xef\xbf\xbd(\"}");
}

static void references_are_counted(void **state)
{
    struct json *json = parse("{\"a\":[1]}");
    struct json *inner = json_retain(json_get(json, "a"));
    (void)state;
    json_release(json);
    assert_int_equal(json_integer(json_at(inner, 0), 0), 1);
    json_release(inner);
    json_release(NULL);
    assert_null(json_retain(NULL));
}

static void lists_and_pairs(void **state)
{
    AUTO_JSON struct json *json = parse("{\"l\":[\"a\",\"b\"],\"p\":{\"k\":\"v\",\"e\":\"\"},"
                                        "\"n\":null,\"bad\":[\"a\",1],\"worse\":{\"k\":null}}");
    AUTO_TEXT_LIST struct text_list list = {0};
    AUTO(text_pairs_release) struct text_pairs pairs = {0};
    struct error err;
    (void)state;
    assert_int_equal(json_to_list(json_get(json, "l"), "l", &list, &err), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(json_to_pairs(json_get(json, "p"), "p", &pairs, &err), 0);
    assert_string_equal(text_pairs_get(&pairs, "k"), "v");
    assert_int_equal(json_to_list(json_get(json, "n"), "n", &list, &err), 0);
    assert_int_equal(json_to_list(NULL, "n", &list, &err), 0);
    assert_int_equal(json_to_pairs(NULL, "n", &pairs, &err), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(json_to_list(json_get(json, "bad"), "Cmd", &list, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "Cmd is not a list of strings");
    assert_int_equal(json_to_list(json_get(json, "p"), "Cmd", &list, &err), FAILURE_INPUT);
    assert_int_equal(json_to_pairs(json_get(json, "worse"), "Labels", &pairs, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "Labels is not an object of strings");
    assert_int_equal(json_to_pairs(json_get(json, "l"), "Labels", &pairs, &err), FAILURE_INPUT);
    assert_int_equal(list.count, 2);
    assert_int_equal(pairs.count, 2);
    AUTO_JSON struct json *list_back = json_from_list(&list);
    AUTO_JSON struct json *pairs_back = json_from_pairs(&pairs);
    assert_written(list_back, JSON_COMPACT, "[\"a\",\"b\"]");
    assert_written(pairs_back, JSON_COMPACT, "{\"k\":\"v\",\"e\":\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back_as_they_were),
        cmocka_unit_test(bad_documents_are_refused_with_their_place),
        cmocka_unit_test(nothing_hides_behind_a_nul),
        cmocka_unit_test(messages_do_not_repeat_the_document),
        cmocka_unit_test(limits_hold_to_the_last_value),
        cmocka_unit_test(a_tower_of_brackets_costs_nothing),
        cmocka_unit_test(keys_that_differ_in_case_are_refused),
        cmocka_unit_test(getters_take_anything),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(members_are_walked_in_document_order),
        cmocka_unit_test(building),
        cmocka_unit_test(broken_utf8_becomes_replacement_characters),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(lists_and_pairs),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
