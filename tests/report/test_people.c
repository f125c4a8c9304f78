/* The formats for people: table and Markdown, as whole documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

static const char table[] =
    "FAIL  registry.example/team/app:v1  3f2a9c81d0ab  linux/amd64  node 20.11  118.3 MB\n"
    "  critical  secrets      A private key is in the image.\n"
    "            linux/arm64, own layer 123456789abc, step 7, /app/key.pem, 1.7 kB\n"
    "  high      non-root     The container runs as root.\n"
    "            known by config\n"
    "            fix: Add a user and name it:\n"
    "            USER 10001\n"
    "  high      base-pinned  not known: Nothing tells which base was used.\n"
    "  medium    image-size   warning: 118.3 MB, of 120 MB.\n"
    "            118.3 MB\n"
    "  critical  healthcheck  waived: There is no health check.\n"
    "            waiver W-7\n"
    "\n"
    "PASS  oci:layout  3f2a9c81d0ab  node 20.11  118.3 MB\n"
    "\n"
    "UNKNOWN  registry.example/gone  (no policy applies)\n"
    "\n"
    "IMAGE                         VERDICT      SIZE       OWN  RUNTIME     BASE\n"
    "registry.example/team/app:v1  fail     118.3 MB  118.3 MB  node 20.11  "
    "docker.io/library/node:20\n"
    "oci:layout                    pass     118.3 MB  118.3 MB  node 20.11  "
    "docker.io/library/node:20\n"
    "registry.example/gone         unknown\n"
    "\n"
    "3 images: 1 failed, 1 could not be judged, 1 passed; findings: 2 failing, 1 not known, "
    "1 warning, 1 waived\n";

static void the_table(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("table", samples, SAMPLE_COUNT, false, &got);
    assert_string_equal(got.data, table);
}

/* Colours change nothing but colours. */
static void the_table_in_colors(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    AUTO_TEXT struct text bare = {0};
    samples_write("table", samples, SAMPLE_COUNT, true, &got);
    assert_true(text_starts_with(got.data, "\033[1;31mFAIL\033[0m  "));
    for (const char *c = got.data; *c != '\0'; c++) {
        if (*c == '\033')
            c = strchr(c, 'm');
        else
            text_add_char(&bare, *c);
    }
    assert_string_equal(bare.data, table);
}

/* What several policies find stands there once, as the strictest of them has it. */
static void the_table_of_several_policies(void **state)
{
    static char rule[] = "non-root", other[] = "user", message[] = "It runs as root.";
    static char one[] = "baseline", two[] = "cis", three[] = "strict", waiver[] = "W-1";
    static char path[] = "/app";
    static struct finding findings[] = {
        {.rule = rule,
         .id = rule,
         .policy = one,
         .severity = SEVERITY_LOW,
         .status = FINDING_WARN,
         .message = message,
         .step = -1},
        {.rule = rule,
         .id = other,
         .policy = two,
         .severity = SEVERITY_HIGH,
         .status = FINDING_FAIL,
         .message = message,
         .step = -1},
        {.rule = rule,
         .id = rule,
         .policy = two,
         .severity = SEVERITY_LOW,
         .status = FINDING_WARN,
         .message = message,
         .step = -1},
        {.rule = rule,
         .id = rule,
         .policy = three,
         .severity = SEVERITY_HIGH,
         .status = FINDING_WAIVED,
         .message = message,
         .step = -1,
         .waiver = waiver},
        {.rule = rule,
         .id = rule,
         .policy = one,
         .severity = SEVERITY_LOW,
         .status = FINDING_WARN,
         .message = message,
         .step = -1,
         .path = path},
    };
    const struct verdict verdict = {
        .status = VERDICT_FAIL, .findings = {.items = findings, .count = 5}, .policy_count = 3};
    const struct check_result result = {.reference = "app", .verdict = &verdict};
    AUTO_TEXT struct text got = {0};
    AUTO_TEXT struct text json = {0};

    (void)state;
    samples_write("table", &result, 1, false, &got);
    assert_string_equal(got.data, "FAIL  app\n"
                                  "  high      user      It runs as root.\n"
                                  "            policies cis, baseline\n"
                                  "  low       non-root  warning: It runs as root.\n"
                                  "            /app\n"
                                  "  high      non-root  waived: It runs as root.\n"
                                  "            waiver W-1\n"
                                  "\n"
                                  "1 image: 1 failed; findings: 1 failing, 1 warning, 1 waived\n");
    samples_write("json", &result, 1, false, &json);
    const char *next = json.data;
    for (int i = 0; i < 5; i++) { /* machines get all of them */
        next = strstr(next, "It runs as root.");
        assert_non_null(next++);
    }
}

/* Many findings of a rule: the largest, how many more, and what mends them once. */
static void the_table_of_many_findings(void **state)
{
    static char rule[] = "build-tools", policy[] = "multistage", fix[] = "Copy the result.";
    static struct finding findings[60];
    static char messages[60][16];
    const struct verdict verdict = {
        .status = VERDICT_FAIL, .findings = {.items = findings, .count = 60}, .policy_count = 1};
    const struct check_result result = {.reference = "app", .verdict = &verdict};
    AUTO_TEXT struct text got = {0};

    (void)state;
    for (int i = 0; i < 60; i++) {
        snprintf(messages[i], sizeof(messages[i]), "Tool %d.", i);
        findings[i] = (struct finding){.rule = rule,
                                       .id = rule,
                                       .policy = policy,
                                       .severity = SEVERITY_MEDIUM,
                                       .status = FINDING_FAIL,
                                       .message = messages[i],
                                       .origin = i % 2 ? ORIGIN_OWN : ORIGIN_BASE,
                                       .step = i,
                                       .bytes = 1000U * (unsigned)i,
                                       .remedy = fix};
    }
    samples_write("table", &result, 1, false, &got);
    assert_true(text_starts_with(got.data, "FAIL  app\n"
                                           "  medium    build-tools  Tool 59.\n"
                                           "            own, step 59, 59 kB\n"
                                           "                         Tool 58.\n"
                                           "            base, step 58, 58 kB\n"));
    assert_true(text_ends_with(got.data,
                               "Tool 50.\n"
                               "            base, step 50, 50 kB\n"
                               "            … and 50 more of these; -o json has them all\n"
                               "            fix: Copy the result.\n"
                               "\n"
                               "1 image: 1 failed; findings: 60 failing\n"));
    assert_null(strstr(got.data, "Tool 49."));
}

/* Builds in one stage and in two: each is compared with the first of its repository. */
static void the_table_of_pairs(void **state)
{
    static const struct {
        const char *reference;
        uint64_t bytes;
    } rows[] = {
        {"registry.example:5000/node:single", 222000000},
        {"registry.example:5000/node:multi", 157000000},
        {"registry.example:5000/go:single", 317000000},
        {"registry.example:5000/go@sha256:1234", 2000000},
    };
    static struct descriptor layers[4];
    static struct manifest manifests[4];
    static struct facts facts[4];
    static const struct verdict verdict = {.policy_count = 1};
    struct check_result results[4];
    AUTO_TEXT struct text got = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        layers[i].size = rows[i].bytes;
        manifests[i] = (struct manifest){.layers = &layers[i], .layer_count = 1};
        facts[i].manifest = &manifests[i];
        facts[i].base.layer_count = -1;
        results[i] = (struct check_result){
            .reference = rows[i].reference, .facts = &facts[i], .verdict = &verdict};
    }
    samples_write("table", results, 4, false, &got);
    assert_non_null(strstr(
        got.data, "IMAGE                                 VERDICT    SIZE   CHANGE  BASE\n"
                  "registry.example:5000/node:single     pass     222 MB           unknown\n"
                  "registry.example:5000/node:multi      pass     157 MB    -29 %  unknown\n"
                  "registry.example:5000/go:single       pass     317 MB           unknown\n"
                  "registry.example:5000/go@sha256:1234  pass       2 MB  -99.4 %  unknown\n"));
}

static void the_table_of_nothing(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("table", NULL, 0, false, &got);
    assert_string_equal(got.data, "0 images\n");
}

static void check_harmless(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if ((c < 0x20 && c != '\n') || c == 0x7F || c == 0xFF)
            fail_msg("byte %02x at %zu of %s", c, i, text->data);
    }
    assert_null(strstr(text->data, "\xE2\x80\xAE")); /* turns the direction of writing */
}

static void hostile_text_on_the_terminal(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("table", &sample_hostile, 1, false, &got);
    check_harmless(&got);
}

static void hostile_text_in_markdown(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("markdown", &sample_hostile, 1, false, &got);
    check_harmless(&got);
    assert_null(strstr(got.data, "<script"));
    assert_null(strchr(got.data, '@'));
    assert_null(strstr(got.data, ")|"));
    assert_non_null(strstr(got.data, "&#60;script&#62;alert\\(1\\)"));
}

/* A row of the table stays one line with the same number of cells whatever is in it. */
static void markdown_rows_hold(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("markdown", &sample_hostile, 1, false, &got);
    const char *row = strstr(got.data, "| low |");
    assert_non_null(row);
    size_t bars = 0;
    for (const char *c = row; *c != '\n'; c++)
        bars += *c == '|' && c[-1] != '\\' ? 1 : 0;
    assert_int_equal(bars, 7);
}

static void the_markdown(void **state)
{
    (void)state;
    AUTO_TEXT struct text got = {0};
    samples_write("markdown", samples, SAMPLE_COUNT, false, &got);
    assert_true(text_starts_with(got.data, "## Image policy: 1 of 3 passed\n\n### ❌ fail "
                                           "registry\\.example/team/app\\:v1\n\n"));
    assert_non_null(strstr(got.data, "- Runtime: node 20\\.11\n"));
    assert_non_null(strstr(got.data,
                           "| high | fail | non\\-root | The container runs as root\\. |"
                           " known by config | Add a user and name it\\:<br>USER 10001 |\n"));
    assert_true(strstr(got.data, "| critical | fail |") < strstr(got.data, "| high | fail |"));
    assert_non_null(strstr(got.data, "- No policy applies.\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(the_table_in_colors),
        cmocka_unit_test(the_table_of_several_policies),
        cmocka_unit_test(the_table_of_many_findings),
        cmocka_unit_test(the_table_of_pairs),
        cmocka_unit_test(the_table_of_nothing),
        cmocka_unit_test(hostile_text_on_the_terminal),
        cmocka_unit_test(hostile_text_in_markdown),
        cmocka_unit_test(markdown_rows_hold),
        cmocka_unit_test(the_markdown),
    };
    return cmocka_run_group_tests_name("formats for people", tests, NULL, NULL);
}
