/* The formats for programs: JSON with its schema, SARIF, JUnit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"

static struct json *written(const char *format, const struct check_result *results, size_t count)
{
    AUTO_TEXT struct text text = {0};
    struct json *json = NULL;
    struct error err = {0};
    samples_write(format, results, count, true, &text);
    if (json_parse(text.data, text.length, NULL, &json, &err) != 0)
        fail_msg("%s: %s\n%s", format, err.text, text.data);
    return json;
}

/* --- JSON --- */

static void the_json(void **state)
{
    (void)state;
    AUTO_JSON struct json *document = written("json", samples, SAMPLE_COUNT);
    assert_int_equal(json_get_integer(document, "schemaVersion", 0), 1);
    const struct json *results = json_get(document, "results");
    assert_int_equal(json_count(results), SAMPLE_COUNT);
    const struct json *first = json_at(results, 0);
    assert_string_equal(json_get_string(first, "reference"), "registry.example/team/app:v1");
    assert_string_equal(json_get_string(first, "digest"), SAMPLE_DIGEST);
    assert_string_equal(json_get_string(first, "platform"), "linux/amd64");
    assert_string_equal(json_get_string(first, "verdict"), "fail");
    assert_int_equal(json_count(json_get(first, "findings")), 5);
    const struct json *facts = json_get(first, "facts");
    assert_string_equal(json_get_string(facts, "runtime"), "node");
    assert_int_equal(json_get_integer(facts, "compressedBytes", 0), 118300000);
    assert_string_equal(json_get_string(json_get(facts, "base"), "pinned"), "no");
    assert_string_equal(json_get_string(json_get(facts, "base"), "evidence"), "annotation");
    const struct json *last = json_at(results, 2);
    assert_true(json_is(json_get(last, "facts"), JSON_KIND_NULL));
    assert_null(json_get(last, "digest"));
    assert_null(json_get(last, "platform"));
    assert_string_equal(json_get_string(last, "verdict"), "unknown");
}

/* The members of `value` and all below it are in the schema, and what the schema requires is there.
 * Just enough of JSON schema for our own: $ref, oneOf null or object, properties, items, enum. */
static void check_against(const struct json *root, const struct json *schema,
                          const struct json *value);

static const struct json *resolve(const struct json *root, const struct json *schema)
{
    const char *ref = json_get_string(schema, "$ref");
    if (ref == NULL)
        return schema;
    assert_true(text_starts_with(ref, "#/$defs/"));
    const struct json *target = json_get(json_get(root, "$defs"), ref + strlen("#/$defs/"));
    assert_non_null(target);
    return target;
}

static void check_required(const struct json *schema, const struct json *value)
{
    const struct json *required = json_get(schema, "required");
    for (size_t i = 0; i < json_count(required); i++) {
        const char *name = json_string(json_at(required, i));
        if (json_get(value, name) == NULL)
            fail_msg("%s is required and not there", name);
    }
}

static void check_members(const struct json *root, const struct json *schema,
                          const struct json *value)
{
    const struct json *properties = json_get(schema, "properties");
    check_required(schema, value);
    for (void *i = json_iterate(value); i != NULL; i = json_next(value, i)) {
        const struct json *member = json_get(properties, json_iterator_key(i));
        if (member == NULL)
            fail_msg("%s is not in the schema", json_iterator_key(i));
        check_against(root, member, json_iterator_value(i));
    }
}

static void check_enum(const struct json *names, const struct json *value)
{
    for (size_t i = 0; i < json_count(names); i++) {
        if (text_equal(json_string(json_at(names, i)), json_string(value)))
            return;
    }
    fail_msg("%s is none of the schema's values", json_string(value));
}

static void check_against(const struct json *root, const struct json *schema,
                          const struct json *value)
{
    const struct json *choices = json_get(schema, "oneOf");
    if (choices != NULL) {
        if (!json_is(value, JSON_KIND_NULL))
            check_against(root, json_at(choices, 1), value);
        return;
    }
    schema = resolve(root, schema);
    if (json_get(schema, "enum") != NULL)
        check_enum(json_get(schema, "enum"), value);
    if (json_is(value, JSON_KIND_OBJECT))
        check_members(root, schema, value);
    for (size_t i = 0; json_is(value, JSON_KIND_ARRAY) && i < json_count(value); i++)
        check_against(root, json_get(schema, "items"), json_at(value, i));
}

static void the_json_keeps_its_schema(void **state)
{
    (void)state;
    AUTO_JSON struct json *schema = check_schema();
    AUTO_JSON struct json *document = written("json", samples, SAMPLE_COUNT);
    check_against(schema, schema, document);
}

/* --- SARIF --- */

static const struct json *sarif_results(const struct json *document)
{
    return json_get(json_at(json_get(document, "runs"), 0), "results");
}

static void the_sarif(void **state)
{
    (void)state;
    AUTO_JSON struct json *document = written("sarif", samples, SAMPLE_COUNT);
    assert_string_equal(json_get_string(document, "version"), "2.1.0");
    const struct json *run = json_at(json_get(document, "runs"), 0);
    const struct json *driver = json_get(json_get(run, "tool"), "driver");
    assert_string_equal(json_get_string(driver, "name"), "regwarden");
    assert_int_equal(json_count(json_get(driver, "rules")), 5);
    const struct json *results = sarif_results(document);
    assert_int_equal(json_count(results), 5);
    const struct json *first = json_at(results, 0);
    assert_string_equal(json_get_string(first, "ruleId"), "secrets");
    assert_string_equal(json_get_string(first, "level"), "error");
    const struct json *location = json_at(json_get(first, "locations"), 0);
    assert_string_equal(
        json_get_string(json_get(json_get(location, "physicalLocation"), "artifactLocation"),
                        "uri"),
        "registry.example/team/app%3Av1");
    assert_string_equal(json_get_string(json_get(first, "partialFingerprints"), "regwarden/v1"),
                        SAMPLE_FINGERPRINT);
}

static void sarif_tells_unknown_and_waived(void **state)
{
    (void)state;
    AUTO_JSON struct json *document = written("sarif", samples, SAMPLE_COUNT);
    const struct json *unknown = json_at(sarif_results(document), 2);
    assert_string_equal(json_get_string(unknown, "level"), "warning");
    assert_true(text_starts_with(json_get_string(json_get(unknown, "message"), "text"),
                                 "Could not be judged: "));
    const struct json *waived = json_at(sarif_results(document), 4);
    const struct json *suppression = json_at(json_get(waived, "suppressions"), 0);
    assert_string_equal(json_get_string(suppression, "justification"), "W-7");
}

/* --- JUnit --- */

static void the_junit(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("junit", samples, SAMPLE_COUNT, true, &got);
    assert_true(text_starts_with(
        got.data, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<testsuites tests=\"7\" failures=\"2\" errors=\"2\" skipped=\"1\">\n"
                  "  <testsuite name=\"registry.example/team/app:v1\" tests=\"5\" failures=\"2\" "
                  "errors=\"1\" skipped=\"1\">\n"
                  "    <testcase classname=\"baseline\" name=\"secrets: /app/key.pem\">\n"
                  "      <failure type=\"critical\" message=\"A private key is in the image.\">"));
    assert_non_null(strstr(got.data, "<error type=\"high\""));
    assert_non_null(strstr(got.data, "<skipped message=\"There is no health check.\">"));
    assert_non_null(strstr(got.data, "<system-out>118.3 MB, of 120 MB."));
    assert_non_null(strstr(got.data, "name=\"policies\"/>"));
    assert_non_null(strstr(got.data, "<error message=\"unknown\"/></testcase>"));
}

static void hostile_text_for_programs(void **state)
{
    (void)state;
    AUTO_JSON struct json *json = written("json", &sample_hostile, 1);
    assert_int_equal(json_count(json_get(json, "results")), 1);
    AUTO_JSON struct json *sarif = written("sarif", &sample_hostile, 1);
    assert_int_equal(json_count(sarif_results(sarif)), 1);
    AUTO_TEXT struct text junit = {0};
    samples_write("junit", &sample_hostile, 1, false, &junit);
    assert_null(strstr(junit.data, "<script"));
    assert_null(strchr(junit.data, '\033'));
    assert_null(strstr(junit.data, "]]>"));
}

static void the_tables_of_formats(void **state)
{
    (void)state;
    static const char *const names[] = {"table", "json", "sarif", "junit", "markdown"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        assert_non_null(check_format_find(names[i]));
    assert_null(check_format_find("pdf"));
    assert_null(check_format_find(NULL));
    assert_non_null(report_format_find("json"));
    assert_non_null(report_format_find("csv"));
    assert_null(report_format_find("table"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_json),
        cmocka_unit_test(the_json_keeps_its_schema),
        cmocka_unit_test(the_sarif),
        cmocka_unit_test(sarif_tells_unknown_and_waived),
        cmocka_unit_test(the_junit),
        cmocka_unit_test(hostile_text_for_programs),
        cmocka_unit_test(the_tables_of_formats),
    };
    return cmocka_run_group_tests_name("formats for programs", tests, NULL, NULL);
}
