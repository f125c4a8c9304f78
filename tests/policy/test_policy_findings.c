/* Findings: whom a finding of a layer blames. */
#include "cmocka_all.h"

#include <string.h>

#include "rule.h"

static struct facts *facts_of(const char *text)
{
    struct json *json = NULL;
    struct facts *facts = NULL;
    struct error err = {0};

    if (json_parse(text, strlen(text), NULL, &json, &err) < 0 ||
        facts_from_json(json, &facts, &err) < 0)
        fail_msg("%s", err.text);
    json_release(json);
    return facts;
}

static void layers_are_blamed_with_their_step(void **state)
{
    static const char digest[] =
        "sha256:00000000000000000000000000000000000000000000000000000000000000aa";
    AUTO_FREE char *text =
        text_new("{\"factsVersion\":%d,\"manifest\":{\"layers\":[{},{\"digest\":\"%s\"}]},"
                 "\"base\":{\"layerCount\":1},\"history\":{\"aligned\":true,\"steps\":["
                 "{\"kind\":\"ADD\",\"layer\":0},{\"kind\":\"CMD\",\"empty\":true},"
                 "{\"kind\":\"COPY\",\"layer\":1}]}}",
                 (int)FACTS_VERSION, digest);
    AUTO_FACTS struct facts *facts = facts_of(text);
    char shown[DIGEST_TEXT_SIZE];
    struct finding finding = {.step = -1};

    (void)state;
    finding_set_layer(&finding, facts, -1);
    assert_int_equal(finding.step, -1);
    assert_int_equal(finding.origin, ORIGIN_UNKNOWN);
    finding_set_layer(&finding, facts, 7);
    assert_int_equal(finding.origin, ORIGIN_OWN);
    assert_false(digest_is_set(&finding.layer));
    finding_set_layer(&finding, facts, 0);
    assert_int_equal(finding.origin, ORIGIN_BASE);
    assert_int_equal(finding.step, 0);
    finding_set_layer(&finding, facts, 1);
    assert_int_equal(finding.origin, ORIGIN_OWN);
    assert_int_equal(finding.step, 2);
    assert_string_equal(digest_format(&finding.layer, shown), digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_blamed_with_their_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
