/* The YAML subset: trees with places, and every refusal at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/yaml.h"

static struct yaml_document *parse(const char *text)
{
    struct yaml_document *document = NULL;
    struct error err = {0};
    if (yaml_parse("f", text, strlen(text), &document, &err))
        fail_msg("%s: %s", text, err.text);
    return document;
}

static void trees_know_their_places(void **state)
{
    AUTO_YAML struct yaml_document *document = parse("# comment\n"
                                                     "name: prod\n"
                                                     "rules:\n"
                                                     "  - rule: size\n"
                                                     "    with: {max: 5}\n"
                                                     "  - second\n");
    (void)state;
    const struct yaml_node *root = document->root;
    assert_int_equal(root->kind, YAML_KIND_MAP);
    assert_int_equal(root->count, 2);
    assert_string_equal(root->members[1].key, "rules");
    assert_int_equal(root->members[1].key_line, 3);
    assert_int_equal(root->members[1].key_column, 1);
    const struct yaml_node *rules = yaml_get(root, "rules");
    assert_int_equal(rules->kind, YAML_KIND_LIST);
    assert_int_equal(rules->count, 2);
    const struct yaml_node *max = yaml_get(yaml_get(rules->items[0], "with"), "max");
    assert_string_equal(max->scalar, "5");
    assert_int_equal(max->line, 5);
    assert_int_equal(max->column, 17);
    assert_int_equal(rules->items[1]->line, 6);
    assert_int_equal(rules->items[1]->column, 5);
    assert_null(yaml_get(root, "nothing"));
    assert_null(yaml_get(rules, "rule"));
    assert_null(yaml_get(NULL, "rule"));
}

static void scalars_keep_their_text(void **state)
{
    static const struct {
        const char *text;
        enum yaml_kind kind;
        bool quoted;
        const char *scalar;
    } cases[] = {
        {"012", YAML_KIND_SCALAR, false, "012"},
        {"no", YAML_KIND_SCALAR, false, "no"},
        {"1.20", YAML_KIND_SCALAR, false, "1.20"},
        {"2026-01-02", YAML_KIND_SCALAR, false, "2026-01-02"},
        {"\"5\"", YAML_KIND_SCALAR, true, "5"},
        {"'it''s'", YAML_KIND_SCALAR, true, "it's"},
        {"|\n  two\n  lines\n", YAML_KIND_SCALAR, true, "two\nlines\n"},
        {">\n  one\n  line\n", YAML_KIND_SCALAR, true, "one line\n"},
        {"\"\"", YAML_KIND_SCALAR, true, ""},
        {"\"null\"", YAML_KIND_SCALAR, true, "null"},
        {"null", YAML_KIND_NULL, false, NULL},
        {"~", YAML_KIND_NULL, false, NULL},
        {"", YAML_KIND_NULL, false, NULL},
        {"# only a comment\n", YAML_KIND_NULL, false, NULL},
        {"---\n...\n", YAML_KIND_NULL, false, NULL},
        {"!!str 5", YAML_KIND_SCALAR, true, "5"},
        {"! 5", YAML_KIND_SCALAR, true, "5"},
        {"!!str null", YAML_KIND_SCALAR, true, "null"},
        {"!!int 5", YAML_KIND_SCALAR, false, "5"},
        {"\xef\xbb\xbfwith mark", YAML_KIND_SCALAR, false, "with mark"},
        {"%YAML 1.1\n--- a\n", YAML_KIND_SCALAR, false, "a"},
        {"gr\xc3\xbc\xc3\x9f", YAML_KIND_SCALAR, false, "gr\xc3\xbc\xc3\x9f"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_YAML struct yaml_document *document = parse(cases[i].text);
        if (document->root->kind != cases[i].kind || document->root->quoted != cases[i].quoted ||
            !text_equal(document->root->scalar, cases[i].scalar))
            fail_msg("%s", cases[i].text);
    }
}

static void an_empty_document_is_a_null_node(void **state)
{
    AUTO_YAML struct yaml_document *document = NULL;
    (void)state;
    assert_int_equal(yaml_parse("f", NULL, 0, &document, NULL), 0);
    assert_int_equal(document->root->kind, YAML_KIND_NULL);
    yaml_document_free(NULL);
}

static void refusals_name_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "f:3:1: 'a' stands here a second time, the first is in line 1"},
        {"x:\n  - {k: 1, 'k': 2}\n", "f:2:12: 'k' stands here a second time"},
        {"a: &x 1\n", "f:1:4: anchors are not supported"},
        {"a: &x [1]\n", "f:1:4: anchors are not supported"},
        {"a: &x {b: 1}\n", "f:1:4: anchors are not supported"},
        {"a: 1\nb: *x\n", "f:2:4: aliases are not supported"},
        {"*x : 1\n", "f:1:1: aliases are not supported"},
        {"<<: {a: 1}\n", "f:1:1: merge keys are not supported"},
        {"a: !!binary aGk=\n", "f:1:4: tags are not supported"},
        {"a: !own 5\n", "f:1:4: tags are not supported"},
        {"a: !!set {b: }\n", "f:1:4: tags are not supported"},
        {"a: !!map [1]\n", "f:1:4: tags are not supported"},
        {"a: !!str [1]\n", "f:1:4: tags are not supported"},
        {"a: 1\n---\nb: 2\n", "f:2:1: only one document is allowed"},
        {"[a, b]: 1\n", "f:1:1: a key must be a single word or text"},
        {"? {a: 1}\n: 2\n", "f:1:3: a key must be a single word or text"},
        {"\"\": 1\n", "f:1:1: a key is empty"},
        {": 1\n", "f:1:1: did not find expected key"},
        {"a: \"x\\0y\"\n", "f:1:4: a NUL character is not allowed"},
        {"\"x\\0\": 1\n", "f:1:1: a NUL character is not allowed"},
        {"a: [1, 2\n", "f:2:1: did not find expected ',' or ']' while parsing a flow sequence"},
        {"a: b: c\n", "f:1:5: mapping values are not allowed in this context"},
        {"a:\n\t- b\n", "f:2:1: found character that cannot start any token"},
        {"a: \"open\n", "f:2:1: found unexpected end of stream"},
        {"a: 1\nb: \x01\n", "f:2:4: control characters are not allowed"},
        {"a: 1\n  \xff: x\n", "f:2:3: invalid leading UTF-8 octet"},
        {"%TAG ! tag:x,2000:\n--- !a b\n", "f:2:5: tags are not supported"},
        {"%YAML 3.0\n--- a\n", "f:1:1: found incompatible YAML document"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct yaml_document *document = NULL;
        struct error err = {0};
        int result = yaml_parse("f", cases[i].text, strlen(cases[i].text), &document, &err);
        if (result != FAILURE_INPUT || document || !text_starts_with(err.text, cases[i].message))
            fail_msg("%s: %d %s", cases[i].text, result, err.text);
    }
}

static void raw_nul_bytes_and_other_encodings_are_refused(void **state)
{
    struct yaml_document *document = NULL;
    (void)state;
    assert_int_equal(yaml_parse("f", "a\0b", 3, &document, NULL), FAILURE_INPUT);
    assert_int_equal(yaml_parse("f",
                                "\xff\xfe"
                                "a\0",
                                4, &document, NULL),
                     FAILURE_INPUT);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    for (int depth = 32; depth <= 33; depth++) {
        AUTO_TEXT struct text text = {0};
        AUTO_YAML struct yaml_document *document = NULL;
        struct error err;
        for (int i = 0; i < depth; i++)
            text_add_char(&text, '[');
        for (int i = 0; i < depth; i++)
            text_add_char(&text, ']');
        int result = yaml_parse("f", text.data, text.length, &document, &err);
        assert_int_equal(result, depth > 32 ? FAILURE_LIMIT : 0);
        if (result)
            assert_string_equal(err.text, "f:1:33: nested deeper than 32 levels");
    }
}

static void node_count_and_size_are_bounded(void **state)
{
    AUTO_TEXT struct text text = {0};
    AUTO_YAML struct yaml_document *document = NULL;
    struct error err;
    (void)state;
    for (int i = 0; i < 100001; i++)
        text_add(&text, "- a\n");
    assert_int_equal(yaml_parse("f", text.data, text.length, &document, &err), FAILURE_LIMIT);
    assert_non_null(strstr(err.text, "more than 100000 values"));
    text_clear(&text);
    while (text.length <= 1024 * 1024)
        text_add(&text, "# comment\n");
    assert_int_equal(yaml_parse("f", text.data, text.length, &document, &err), FAILURE_LIMIT);
    assert_string_equal(err.text, "f: larger than 1048576 bytes");
}

static void many_keys_are_no_burden(void **state)
{
    AUTO_TEXT struct text text = {0};
    AUTO_YAML struct yaml_document *document = NULL;
    (void)state;
    for (int i = 0; i < 40000; i++)
        text_format(&text, "k%d: 1\n", i);
    assert_int_equal(yaml_parse("f", text.data, text.length, &document, NULL), 0);
    assert_int_equal(document->root->count, 40000);
}

static void keys_are_checked_with_a_suggestion(void **state)
{
    static const char *const names[] = {"listen", "policies", NULL};
    AUTO_YAML struct yaml_document *document = parse("listen: a\n\npolicys: b\n");
    AUTO_YAML struct yaml_document *far = parse("\"x\\e\": 1\n");
    struct error err = {0};
    (void)state;
    assert_int_equal(yaml_check_keys(far, far->root, names, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "f:1:1: unknown key 'x\\x1b'");
    assert_int_equal(yaml_check_keys(document, document->root, names, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "f:3:1: unknown key 'policys', did you mean 'policies'?");
    assert_string_equal(err.hint, "Known here: listen, policies.");
    assert_int_equal(yaml_check_keys(document, NULL, names, &err), 0);
    assert_int_equal(yaml_check_keys(document, yaml_get(document->root, "listen"), names, &err),
                     FAILURE_INPUT);
    assert_string_equal(err.text, "f:1:9: expected a map of names and values");
}

static void errors_may_stand_without_place(void **state)
{
    AUTO_YAML struct yaml_document *document = parse("a: 1");
    struct error err;
    (void)state;
    assert_int_equal(yaml_error(document, document->root, &err, "bad %d", 1), FAILURE_INPUT);
    assert_string_equal(err.text, "f:1:1: bad 1");
    yaml_error(document, NULL, &err, "bad");
    assert_string_equal(err.text, "f: bad");
    yaml_error(NULL, NULL, &err, "bad");
    assert_string_equal(err.text, "bad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_know_their_places),
        cmocka_unit_test(scalars_keep_their_text),
        cmocka_unit_test(an_empty_document_is_a_null_node),
        cmocka_unit_test(refusals_name_their_place),
        cmocka_unit_test(raw_nul_bytes_and_other_encodings_are_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(node_count_and_size_are_bounded),
        cmocka_unit_test(many_keys_are_no_burden),
        cmocka_unit_test(keys_are_checked_with_a_suggestion),
        cmocka_unit_test(errors_may_stand_without_place),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
