/* Findings: whom a finding of a layer blames. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "policy_support.h"
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

/* A rule that found nothing so far, and would have looked into the layers. */
static void a_pass_is_doubted_when_layers_are_missing(void **state)
{
    static const struct rule_type type = {.name = "r", .remedy = "mend"};
    static const struct {
        const char *members;
        bool layers;
        enum judgement judgement;
        bool later;
        const char *message;
    } rows[] = {
        {"\"files\":{}", true, RULE_PASS, false, NULL},
        {"\"secrets\":[]", false, RULE_PASS, false, NULL},
        {"\"secrets\":[]", true, RULE_UNKNOWN, true,
         "nothing found without looking into the layers, and those are not known: "
         "not in the document"},
        {"\"files\":{\"limits\":[\"more hits\"]}", true, RULE_UNKNOWN, false,
         "nothing found, but not all that the layers hold is known: more hits"},
        {"\"files\":{\"layers\":[{},{\"state\":\"absent\",\"reason\":\"late\"}]}", true,
         RULE_UNKNOWN, true,
         "nothing found, but not all that the layers hold is known: layer 1: late"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *text =
            text_new("{\"factsVersion\":%d,%s}", (int)FACTS_VERSION, rows[i].members);
        AUTO_FACTS struct facts *facts = facts_of(text);
        struct findings findings = {0};
        struct rule_report report = {
            .type = &type, .policy = "p", .id = "r", .findings = &findings};
        const struct rule_input input = {
            .facts = facts, .files = facts->files, .layers = rows[i].layers};

        assert_int_equal(rule_doubt_layers(&report, &input), rows[i].judgement);
        assert_int_equal(report.later, rows[i].later);
        assert_int_equal(findings.count, rows[i].message != NULL);
        if (rows[i].message)
            assert_string_equal(findings.items[0].message, rows[i].message);
        for (size_t k = 0; k < findings.count; k++)
            finding_release(&findings.items[k]);
        free(findings.items);
        findings = (struct findings){0};
        rule_fail(&report, "x", "already");
        assert_int_equal(rule_doubt_layers(&report, &input), RULE_FAIL);
        assert_int_equal(findings.count, 1);
        finding_release(&findings.items[0]);
        free(findings.items);
    }
}

/* Where nobody records what tags pointed at, rules that compare with it have nothing to say. */
static void without_a_record_nothing_is_compared(void **state)
{
    static const char *const policies[] = {
        "policy: p\nrules:\n  - { rule: tag-immutable }\n",
        "policy: p\nrules:\n  - { rule: size-growth, with: { max-percent: 1 } }\n"};
    AUTO_FACTS struct facts *facts = support_facts("{}");

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(policies); i++) {
        struct policy_set *set = support_compile(policies[i]);

        for (int no_record = 0; no_record < 2; no_record++) {
            const struct placement place = {
                .repository = "team/app", .tag = "1", .has_no_record = no_record};
            struct verdict verdict = {0};

            policy_judge(set, facts, &place, support_now_ms(), &verdict);
            assert_int_equal(verdict.status, no_record ? VERDICT_PASS : VERDICT_UNKNOWN);
            verdict_release(&verdict);
        }
        policy_set_free(set);
    }
}

static void steps_are_shown_in_short(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"apt-get update  &&\n\tapt-get install gcc", "apt-get update && apt-get install gcc"},
        {"dir:4d0e5852777e33777db4543d03ecf2c0010a58c1c5c90688605e4939a1b2c3d4 in /app ",
         "dir:4d0e5852777e... in /app"},
        {"git checkout 4d0e5852777e", "git checkout 4d0e5852777e"},
        {"file:4d0e5852777e33777db4543d03ecf2c0010a58c1c5c90688605e4939a1b2c3d4",
         "file:4d0e5852777e..."},
        {"a command that is longer than forty bytes, much longer",
         "a command that is longer than forty byte…"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *shown = finding_step_text(rows[i].text, 40);

        assert_string_equal(shown, rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_blamed_with_their_step),
        cmocka_unit_test(a_pass_is_doubted_when_layers_are_missing),
        cmocka_unit_test(without_a_record_nothing_is_compared),
        cmocka_unit_test(steps_are_shown_in_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
