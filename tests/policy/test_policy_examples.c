/* Examples of policies: how they are run and what is told of them; and every policy that ships. */
#include "cmocka_all.h"
#include "policy_support.h"

#include "compiled.h"

#include "regwarden/file.h"
#include "regwarden/memory.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

static void note(void *argument, const struct policy_example_result *result)
{
    text_format(argument, "%s: %s\n", result->name, result->passed ? "passed" : result->why);
}

static int run(const char *policy, const char *examples, struct text *told, struct error *err)
{
    const struct policy_source source = {"e.yaml", examples, strlen(examples)};
    struct policy_set *set = support_compile(policy);
    int rc = policy_test(set, &source, note, told, err);

    policy_set_free(set);
    return rc;
}

#define POLICY "policy: p\nscope: { tags: ['*'] }\nrules:\n  - rule: non-root\n  - rule: volumes\n"

static void test_what_is_told(void **state)
{
    static const struct {
        const char *examples;
        const char *told;
    } rows[] = {
        {"examples:\n  - { name: good, expect: { verdict: pass } }\n", "good: passed\n"},
        {"examples:\n  - { name: a, facts: { config: { user: root } }, expect: { verdict: fail, "
         "rules: { non-root: fail, volumes: pass } } }\n",
         "a: passed\n"},
        {"examples:\n  - { name: a, facts: { config: { user: root } }, expect: { verdict: pass } "
         "}\n",
         "a: verdict: expected pass, was fail\n"},
        {"examples:\n  - { name: a, expect: { rules: { non-root: fail, volumes: warn } } }\n",
         "a: rule non-root: expected fail, was pass; rule volumes: expected warn, was pass\n"},
        {"examples:\n  - { name: a, facts: { config: { user: root } }, expect: { rules: { "
         "non-root: "
         "pass } } }\n",
         "a: rule non-root: expected pass, was fail (user \"root\" is root)\n"},
        {"examples:\n  - { name: a, expect: { rules: { nonroot: pass } } }\n",
         "a: rule nonroot: no policy in scope has it\n"},
        {"examples:\n  - { name: a, placement: { untagged: true }, expect: { verdict: pass } }\n",
         "a: passed\n"},
        /* items of lists by number and by name */
        {"examples:\n  - name: a\n    facts: { config: { env: { A: b, PATH: null }, volumes: "
         "[/proc] }, history: { steps: { 8: null } } }\n    expect: { rules: { volumes: warn } }\n",
         "a: passed\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text told = {0};
        struct error err = {0};

        if (run(POLICY, rows[i].examples, &told, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(text_data(&told), rows[i].told);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *examples;
        const char *message;
    } rows[] = {
        {"a: b\n", "e.yaml:1:1: a file of examples has a list of 'examples'"},
        {"examples: []\n", "e.yaml:1:11: a file of examples has a list of 'examples'"},
        {"examples:\n  - { name: a }\n",
         "e.yaml:2:5: an example says what to 'expect': verdict, rules or both"},
        {"examples:\n  - { expect: { verdict: pass } }\n",
         "e.yaml:2:5: 'name' is missing: What the example shows."},
        {"examples:\n  - { name: a, expect: { verdict: passes } }\n",
         "e.yaml:2:35: 'passes' is not an outcome, did you mean 'pass'?"},
        {"examples:\n  - { name: a, expect: { verdict: waived } }\n",
         "e.yaml:2:35: 'waived' is not an outcome"},
        {"examples:\n  - { name: a, expects: { verdict: pass } }\n",
         "e.yaml:2:16: unknown key 'expects', did you mean 'expect'?"},
        {"examples:\n  - { name: a, now: soon, expect: { verdict: pass } }\n", "e.yaml:2:21:"},
        {"examples:\n  - { name: a, facts: { config: { user: 7 } }, expect: { verdict: pass } }\n",
         "e.yaml:2:23:"},
        {"examples:\n  - { name: a, placement: { previous: x }, expect: { verdict: pass } }\n",
         "e.yaml:2:39:"},
        {"examples:\n  - { name: a, placement: { tags: x }, expect: { verdict: pass } }\n",
         "e.yaml:2:29: unknown key 'tags', did you mean 'tag'?"},
        {"examples: [", "e.yaml:"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text told = {0};
        struct error err = {0};

        assert_int_equal(run(POLICY, rows[i].examples, &told, &err), FAILURE_INPUT);
        if (!text_starts_with(err.text, rows[i].message))
            fail_msg("%s\n%s", rows[i].examples, err.text);
    }
}

static void read_file(const char *path, struct text *ret)
{
    struct error err = {0};

    if (file_read(path, FILE_BYTES_MAX, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void count_failed(void *argument, const struct policy_example_result *result)
{
    size_t *failed = argument;

    if (result->passed)
        return;
    print_message("%s: %s\n", result->name, result->why);
    (*failed)++;
}

static bool expects(const struct yaml_node *examples, const char *id, bool pass)
{
    for (size_t i = 0; i < examples->count; i++) {
        const struct yaml_node *rules = yaml_get(yaml_get(examples->items[i], "expect"), "rules");
        const struct yaml_node *outcome = yaml_get(rules, id);
        bool passes = outcome && text_equal(outcome->scalar, "pass");
        bool fails =
            outcome && (text_equal(outcome->scalar, "fail") || text_equal(outcome->scalar, "warn"));

        if (pass ? passes : fails)
            return true;
    }
    return false;
}

/* Each rule of a policy that ships has an image that passes and one that does not. */
static void check_coverage(const struct policy_set *set, const char *path, const struct text *text)
{
    AUTO_YAML struct yaml_document *document = NULL;
    const struct yaml_node *examples;

    assert_int_equal(yaml_parse(path, text_data(text), text->length, &document, NULL), 0);
    examples = yaml_get(document->root, "examples");
    for (size_t i = 0; i < set->book->policies[0].rule_count; i++) {
        const char *id = set->book->policies[0].rules[i].id;

        if (!expects(examples, id, true) || !expects(examples, id, false))
            fail_msg("%s: rule %s needs an example that passes and one that fails", path, id);
    }
}

static void check_policy(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    AUTO_FREE char *examples_path = text_new(TEST_SOURCE_DIR "/policies/examples/%s", name);
    AUTO_TEXT struct text policy = {0};
    AUTO_TEXT struct text examples = {0};
    struct policy_set *set;
    struct error err = {0};
    size_t failed = 0;

    read_file(path, &policy);
    read_file(examples_path, &examples);
    set = support_compile(text_data(&policy));
    const struct policy_source source = {name, text_data(&examples), examples.length};
    if (policy_test(set, &source, count_failed, &failed, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(failed, 0);
    check_coverage(set, examples_path, &examples);
    policy_set_free(set);
}

static void test_policies_that_ship(void **state)
{
    AUTO_TEXT_LIST struct text_list paths = {0};
    struct error err = {0};

    (void)state;
    if (file_list(TEST_SOURCE_DIR "/policies", ".yaml", &paths, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(paths.count >= 5);
    for (size_t i = 0; i < paths.count; i++)
        check_policy(paths.items[i]);
}

/* They can all be used at once. */
static void test_policies_that_ship_get_along(void **state)
{
    AUTO_TEXT_LIST struct text_list paths = {0};
    struct policy_source sources[16];
    struct text texts[16] = {{0}};
    struct policy_set *set = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(file_list(TEST_SOURCE_DIR "/policies", ".yaml", &paths, NULL), 0);
    assert_true(paths.count <= ARRAY_COUNT(texts));
    for (size_t i = 0; i < paths.count; i++) {
        read_file(paths.items[i], &texts[i]);
        sources[i] = (struct policy_source){paths.items[i], text_data(&texts[i]), texts[i].length};
    }
    if (policy_set_compile(sources, paths.count, NULL, NULL, &set, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(policy_set_count(set), paths.count);
    policy_set_free(set);
    for (size_t i = 0; i < paths.count; i++)
        text_release(&texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_policies_that_ship),
        cmocka_unit_test(test_policies_that_ship_get_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
