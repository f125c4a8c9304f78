/* Escapes, CSV, and OpenMetrics: what goes in against what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "escape.h"

#include "regwarden/report.h"

struct pair {
    const char *in, *out;
};

typedef void escape_f(struct text *to, const char *value);

static void check_pairs(const char *name, escape_f *escape, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_TEXT struct text got = {0};
        escape(&got, pairs[i].in);
        if (!text_equal(text_data(&got), pairs[i].out))
            fail_msg("%s: \"%s\" gives \"%s\"", name, pairs[i].in, text_data(&got));
    }
}

static void csv_fields(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {NULL, ""},
        {"", ""},
        {"team/app", "team/app"},
        {"a,b", "\"a,b\""},
        {"say \"no\"", "\"say \"\"no\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"=1+1", "'=1+1"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\tx", "'?x"},
        {"\r=1", "'?=1"},
        {"\n=1", "\"'\n=1\""},
        {"  =1", "\"'  =1\""},
        {"=cmd|'/c calc'!A1,\"", "\"'=cmd|'/c calc'!A1,\"\"\""},
        {"a=1", "a=1"},
        {"\xff\x1b", "??"},
    };
    check_pairs("csv", report_csv_field, pairs, ARRAY_COUNT(pairs));
}

static void html(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {NULL, ""},
        {"a&b", "a&amp;b"},
        {"<b \"'>", "&lt;b &quot;&#39;&gt;"},
        {"\x01\x7f\xc2\x85", "???"},
        {"größe 漢 😀", "größe 漢 😀"},
    };
    check_pairs("html", report_html_escape, pairs, ARRAY_COUNT(pairs));
}

static void escape_line(struct text *to, const char *value)
{
    escape_plain(to, value, NULL);
}

static void plain(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"a\nb", "a?b"},
        {"\033[31m", "?[31m"},
        {"\xe2\x80\xae", "?"},        /* right-to-left override */
        {"\xe2\x80\x8b", "?"},        /* zero width */
        {"\xef\xbb\xbf", "?"},        /* byte order mark */
        {"\xc0\x80", "??"},           /* overlong */
        {"\xed\xa0\x80", "???"},      /* surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond the last point */
        {"\xe2\x82", "??"},           /* cut off */
        {"\xe2\x82\xac", "\xe2\x82\xac"},
    };
    check_pairs("plain", escape_line, pairs, ARRAY_COUNT(pairs));
}

static void uris(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"host:5000/a/b:v1@sha256:00", "host%3A5000/a/b%3Av1%40sha256%3A00"},
        {"a b%\xc3\xa9", "a%20b%25%C3%A9"},
    };
    check_pairs("uri", escape_uri, pairs, ARRAY_COUNT(pairs));
}

/* --- the compliance report --- */

static void the_csv_report(void **state)
{
    (void)state;
    static const char text[] =
        "{\"tags\":12,\"judged\":11,\"since\":\"2026-01-01\",\"verdicts\":{\"pass\":9,\"fail\":2},"
        "\"repositories\":[{\"registry\":\"main\",\"repository\":\"=evil\",\"fail\":2,\"rate\":0.5}"
        ","
        "{\"registry\":\"main\",\"repository\":\"b\",\"fail\":-1}],\"empty\":[],\"on\":true}";
    AUTO_JSON struct json *report = NULL;
    assert_int_equal(json_parse(text, sizeof(text) - 1, NULL, &report, NULL), 0);
    AUTO_TEXT struct text got = {0};
    report_format_find("csv")->write(report, &got);
    assert_string_equal(got.data, "section,name,field,value\r\n"
                                  "summary,,tags,12\r\n"
                                  "summary,,judged,11\r\n"
                                  "summary,,since,2026-01-01\r\n"
                                  "summary,,on,true\r\n"
                                  "verdicts,,pass,9\r\n"
                                  "verdicts,,fail,2\r\n"
                                  "repositories,\"main =evil\",fail,2\r\n"
                                  "repositories,\"main =evil\",rate,0.5\r\n"
                                  "repositories,\"main b\",fail,-1\r\n");
}

static void the_json_report(void **state)
{
    (void)state;
    AUTO_JSON struct json *report = json_new_object();
    json_set_integer(report, "tags", 1);
    AUTO_TEXT struct text got = {0};
    report_format_find("json")->write(report, &got);
    AUTO_JSON struct json *back = NULL;
    assert_int_equal(json_parse(got.data, got.length, NULL, &back, NULL), 0);
    assert_int_equal(json_get_integer(back, "tags", 0), 1);
}

/* --- OpenMetrics --- */

static void the_metrics(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    AUTO_TEXT struct text labels = {0};
    metric_label(&labels, "registry", "a\"b\\c\nd\033\xff");
    metric_label(&labels, "verdict", NULL);
    metric_family(&got, "regwarden_events", METRIC_COUNTER, NULL, "Taken \"in\"\nall.");
    metric_sample(&got, "regwarden_events", METRIC_COUNTER,
                  &(struct metric_sample){.labels = labels.data, .value = 12345678901.0});
    metric_family(&got, "regwarden_queue_bytes", METRIC_GAUGE, "bytes", "Waiting.");
    metric_sample(&got, "regwarden_queue_bytes", METRIC_GAUGE,
                  &(struct metric_sample){.value = 0.5});
    metric_end(&got);
    assert_string_equal(
        got.data,
        "# TYPE regwarden_events counter\n"
        "# HELP regwarden_events Taken \\\"in\\\"\\nall.\n"
        "regwarden_events_total{registry=\"a\\\"b\\\\c\\nd??\",verdict=\"\"} 12345678901\n"
        "# TYPE regwarden_queue_bytes gauge\n"
        "# UNIT regwarden_queue_bytes bytes\n"
        "# HELP regwarden_queue_bytes Waiting.\n"
        "regwarden_queue_bytes 0.5\n"
        "# EOF\n");
}

static void metric_values(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "m 0\n"},
        {-3, "m -3\n"},
        {1e15, "m 1000000000000000\n"},
        {NAN, "m NaN\n"},
        {INFINITY, "m +Inf\n"},
        {-INFINITY, "m -Inf\n"},
        {1e300, "m 1.0000000000000001e+300\n"},
        {0.1, "m 0.10000000000000001\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_TEXT struct text got = {0};
        metric_sample(&got, "m", METRIC_GAUGE, &(struct metric_sample){.value = table[i].value});
        assert_string_equal(got.data, table[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_fields),     cmocka_unit_test(html),
        cmocka_unit_test(plain),          cmocka_unit_test(uris),
        cmocka_unit_test(the_csv_report), cmocka_unit_test(the_json_report),
        cmocka_unit_test(the_metrics),    cmocka_unit_test(metric_values),
    };
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
