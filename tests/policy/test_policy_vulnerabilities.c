/* Rule vulnerabilities: which reports count, what of them counts, and what stays open. The
 * examples' now is 2030-01-15. */
#include "cmocka_all.h"
#include "policy_rows.h"

#define REPORTS(reports) "{ vulnerabilities: { reports: [" reports "] } }"
#define REGISTRY(items) "{ source: harbor, ofRegistry: true, items: [" items "] }"
#define ATTACHED(items) "{ source: sarif, scanner: Grype, items: [" items "] }"
#define ITEMS(items) REPORTS(REGISTRY(items))
#define CVE(id, more) "{ id: CVE-" id ", package: libfoo, version: '1', " more " }"
#define ABSENT(reason)                                                                             \
    "{ vulnerabilities: null, groups: { vulnerabilities: { state: absent, reason: " reason " } } " \
    "}"

static void the_threshold_counts(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.with = "{ severity: low }", .judgement = RULE_FAIL, .message = "CVE-2029-0001 (low)"},
        {.facts = ITEMS(""), .judgement = RULE_PASS},
        {.facts = ITEMS(CVE("1", "severity: medium")), .judgement = RULE_PASS},
        {.facts = ITEMS(CVE("1", "severity: high, fixed: '1.1'")),
         .judgement = RULE_FAIL,
         .message = "CVE-1 (high) in libfoo 1, mended in 1.1, by harbor"},
        {.facts = ITEMS(CVE("1", "severity: critical, fixable: no")),
         .judgement = RULE_FAIL,
         .message = "(critical) in libfoo 1, not mended by any version"},
        {.facts = ITEMS("{ id: GHSA-1, severity: critical }"),
         .judgement = RULE_FAIL,
         .message = "GHSA-1 (critical), by harbor"},
        {.with = "{ severity: critical }",
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_PASS},
        {.with = "{ severity: low }",
         .facts = ITEMS(CVE("1", "severity: negligible")),
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void what_has_no_severity_stays_open(void **state)
{
    static const struct row rows[] = {
        {.facts = ITEMS(CVE("1", "severity: unknown")),
         .judgement = RULE_UNKNOWN,
         .message = "1 vulnerabilities have no severity"},
        {.with = "{ unrated: medium }",
         .facts = ITEMS(CVE("1", "severity: unknown")),
         .judgement = RULE_PASS},
        {.with = "{ unrated: high }",
         .facts = ITEMS(CVE("1", "severity: unknown")),
         .judgement = RULE_FAIL,
         .message = "CVE-1 (of no severity)"},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void only_what_can_be_mended(void **state)
{
    static const struct row rows[] = {
        {.with = "{ fixable-only: true }",
         .facts = ITEMS(CVE("1", "severity: high, fixable: no")),
         .judgement = RULE_PASS},
        {.with = "{ fixable-only: true }",
         .facts = ITEMS(CVE("1", "severity: high, fixable: yes")),
         .judgement = RULE_FAIL},
        {.with = "{ fixable-only: true }",
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_UNKNOWN,
         .message = "does not say whether there are versions that mend 1 "},
        {.with = "{ fixable-only: true }",
         .facts = ITEMS(CVE("1", "severity: low")),
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void there_is_time_to_mend(void **state)
{
#define SINCE(day) CVE("1", "severity: high, published: '" day "T00:00:00Z'")
    static const struct row rows[] = {
        {.with = "{ grace: 14d }", .facts = ITEMS(SINCE("2030-01-05")), .judgement = RULE_PASS},
        {.with = "{ grace: 14d }", .facts = ITEMS(SINCE("2029-12-01")), .judgement = RULE_FAIL},
        {.facts = ITEMS(SINCE("2030-01-05")), .judgement = RULE_FAIL},
        /* no day, or none that can be */
        {.with = "{ grace: 14d }",
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_FAIL},
        {.with = "{ grace: 14d }", .facts = ITEMS(SINCE("2031-01-01")), .judgement = RULE_FAIL},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void some_may_be_accepted(void **state)
{
#define TWO CVE("1", "severity: high") ", " CVE("2", "severity: high")
    static const struct row rows[] = {
        {.with = "{ max-count: { high: 2 } }", .facts = ITEMS(TWO), .judgement = RULE_PASS},
        {.with = "{ max-count: { high: 1 } }", .facts = ITEMS(TWO), .judgement = RULE_FAIL},
        {.with = "{ max-count: { critical: 2 } }", .facts = ITEMS(TWO), .judgement = RULE_FAIL},
        {.with = "{ max-count: { high: 2 } }",
         .facts = ITEMS(TWO ", " CVE("3", "severity: critical")),
         .judgement = RULE_FAIL,
         .message = "CVE-3"},
        /* the same, named by two */
        {.with = "{ max-count: { high: 2 }, trust: any }",
         .facts = REPORTS(REGISTRY(TWO) ", " ATTACHED(TWO)),
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

#define EXCEPT(more) "{ exceptions: [{ id: CVE-1, reason: x, " more " }] }"

static void exceptions_end(void **state)
{
    static const struct row rows[] = {
        {.with = EXCEPT("until: 2030-06-30"),
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_PASS},
        {.with = EXCEPT("until: 2030-06-30"),
         .facts = ITEMS(CVE("2", "severity: high")),
         .judgement = RULE_FAIL},
        {.with = EXCEPT("until: 2029-12-31"),
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_FAIL,
         .message = "its exception ended on 2029-12-31"},
        {.with = EXCEPT("until: '2030-06-30T12:00:00Z', package: libfoo"),
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_PASS},
        {.with = EXCEPT("until: 2030-06-30, package: libbar"),
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_FAIL},
        {.with = "{ exceptions: [{ id: '*', package: libfoo, until: 2030-06-30, reason: x }] }",
         .facts = ITEMS(CVE("1", "severity: high") ", " CVE("2", "severity: critical")),
         .judgement = RULE_PASS},
        /* one that ended does not hide one that holds */
        {.with = "{ exceptions: [{ id: CVE-1, until: 2030-06-30, reason: x }, { id: cve-1, until: "
                 "2029-01-01, reason: y }] }",
         .facts = ITEMS(CVE("1", "severity: high")),
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void without_a_report_nothing_is_known(void **state)
{
    static const struct row rows[] = {
        {.facts = ABSENT("the image was not scanned"),
         .judgement = RULE_UNKNOWN,
         .message = "there is no scanner's report: the image was not scanned"},
        {.facts = "{ vulnerabilities: { reports: [] } }", .judgement = RULE_UNKNOWN},
        {.with = "{ trust: any }", .facts = ABSENT("x"), .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

/* Whoever may push can attach a report that finds nothing. */
static void attached_reports_are_believed_when_a_policy_says_so(void **state)
{
    static const struct row rows[] = {
        {.facts = REPORTS(ATTACHED("")),
         .judgement = RULE_UNKNOWN,
         .message = "of 1 attached ones no signature was verified"},
        {.facts = REPORTS("{ source: sarif, signed: true, items: [] }"), .judgement = RULE_UNKNOWN},
        {.facts = REPORTS("{ source: sarif, verified: yes, items: [] }"), .judgement = RULE_PASS},
        {.with = "{ trust: any }", .facts = REPORTS(ATTACHED("")), .judgement = RULE_PASS},
        /* all count, the worst wins */
        {.with = "{ trust: any }",
         .facts = REPORTS(REGISTRY(CVE("1", "severity: high")) ", " ATTACHED("")),
         .judgement = RULE_FAIL},
        {.with = "{ trust: any }",
         .facts = REPORTS(REGISTRY("") ", " ATTACHED(CVE("1", "severity: high"))),
         .judgement = RULE_FAIL,
         .message = "by Grype"},
        {.facts = REPORTS(REGISTRY("") ", " ATTACHED(CVE("1", "severity: high"))),
         .judgement = RULE_PASS},
        {.with = "{ trust: any }",
         .facts = REPORTS(
             REGISTRY(CVE("1", "severity: low")) ", " ATTACHED(CVE("1", "severity: critical"))),
         .judgement = RULE_FAIL},
        {.with = "{ trust: any, fixable-only: true }",
         .facts = REPORTS(REGISTRY(CVE("1", "severity: high")) ", " ATTACHED(
             CVE("1", "severity: high, fixed: '2'"))),
         .judgement = RULE_FAIL,
         .message = "mended in 2"},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void reports_grow_old(void **state)
{
#define MADE(day) REPORTS("{ ofRegistry: true, generated: '" day "T00:00:00Z', items: [] }")
    static const struct row rows[] = {
        {.with = "{ max-report-age: 15d }", .judgement = RULE_PASS},
        {.with = "{ max-report-age: 7d }",
         .facts = MADE("2029-12-01"),
         .judgement = RULE_UNKNOWN,
         .message = "the newest report is"},
        {.with = "{ max-report-age: 7d, when-stale: fail }",
         .facts = MADE("2029-12-01"),
         .judgement = RULE_FAIL},
        {.facts = MADE("2020-01-01"), .judgement = RULE_PASS},
        {.with = "{ max-report-age: 7d }",
         .facts = ITEMS(""),
         .judgement = RULE_UNKNOWN,
         .message = "no report says when it was made"},
        /* a date of the future makes nothing fresh */
        {.with = "{ max-report-age: 7d }", .facts = MADE("2040-01-01"), .judgement = RULE_UNKNOWN},
        {.with = "{ max-report-age: 7d, trust: any }",
         .facts = REPORTS("{ ofRegistry: true, generated: '2029-01-01T00:00:00Z' }, "
                          "{ generated: '2030-01-12T00:00:00Z' }"),
         .judgement = RULE_PASS},
        {.with = "{ max-report-age: 7d }",
         .facts = REPORTS("{ ofRegistry: true, generated: '2029-01-01T00:00:00Z' }, "
                          "{ generated: '2030-01-12T00:00:00Z' }"),
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void what_could_not_be_read_stays_open(void **state)
{
#define GAP(which, items) \
    "{ vulnerabilities: { reports: [" items "], " which ": the scan goes on } }"
    static const struct row rows[] = {
        {.facts = GAP("registryGap", REGISTRY("")),
         .judgement = RULE_UNKNOWN,
         .message = "not all reports could be read: the scan goes on"},
        /* what the older report found is found */
        {.facts = GAP("registryGap", REGISTRY(CVE("1", "severity: high"))), .judgement = RULE_FAIL},
        {.facts = GAP("attachedGap", REGISTRY("")), .judgement = RULE_PASS},
        {.with = "{ trust: any }",
         .facts = GAP("attachedGap", REGISTRY("")),
         .judgement = RULE_UNKNOWN},
        {.with = "{ trust: any }",
         .facts = GAP("registryGap", ATTACHED("")),
         .judgement = RULE_PASS},
        /* what is attached does not stand in for what the registry's scanner has to say */
        {.with = "{ trust: any }",
         .facts = GAP("registryUnread: true, registryGap", ATTACHED("")),
         .judgement = RULE_UNKNOWN,
         .message = "not all reports could be read: the scan goes on"},
        {.facts = REPORTS("{ ofRegistry: true, truncated: true, totals: { high: 3 } }"),
         .judgement = RULE_UNKNOWN,
         .message = "count 3 more from severity high on"},
        {.facts = REPORTS("{ ofRegistry: true, truncated: true, totals: { low: 3 } }"),
         .judgement = RULE_PASS},
    };

    (void)state;
    RUN_ROWS("vulnerabilities", rows);
}

static void each_is_a_finding_with_its_remedy(void **state)
{
    const struct row row = {
        .facts = ITEMS(CVE("1", "severity: high, fixed: '1.1'") ", " CVE("2", "severity: high"))};
    const struct row rebuilt = {
        .facts = ITEMS("{ id: CVE-1, package: libfoo, version: '1.0.1', severity: critical }")};
    struct verdict verdict = {0}, again = {0};

    (void)state;
    row_judge("vulnerabilities", &row, &verdict);
    row_judge("vulnerabilities", &rebuilt, &again);
    assert_int_equal(verdict.findings.count, 2);
    assert_non_null(strstr(verdict.findings.items[0].remedy, "Update libfoo to 1.1"));
    assert_non_null(strstr(verdict.findings.items[1].remedy, "No version"));
    assert_int_equal(verdict.findings.items[0].origin, ORIGIN_UNKNOWN);
    assert_int_equal(verdict.findings.items[0].severity, SEVERITY_HIGH);
    assert_string_equal(verdict.findings.items[0].fingerprint, again.findings.items[0].fingerprint);
    assert_string_not_equal(verdict.findings.items[0].fingerprint,
                            verdict.findings.items[1].fingerprint);
    verdict_release(&verdict);
    verdict_release(&again);
}

static void many_findings_are_bounded(void **state)
{
    AUTO_TEXT struct text facts = {0};
    struct verdict verdict = {0};

    (void)state;
    text_add(&facts, "{ vulnerabilities: { reports: [{ ofRegistry: true, items: [");
    for (int i = 0; i < 500; i++)
        text_format(&facts, "%s{ id: CVE-%d, severity: high }", i ? ", " : "", i);
    text_add(&facts, "] }] } }");
    const struct row row = {.facts = text_data(&facts)};
    row_judge("vulnerabilities", &row, &verdict);
    assert_in_range(verdict.findings.count, 10, RULE_FINDINGS_MAX);
    assert_non_null(
        strstr(verdict.findings.items[verdict.findings.count - 1].message, "more findings"));
    verdict_release(&verdict);
}

static void wrong_settings_are_refused(void **state)
{
    static const struct {
        const char *with;
        const char *why;
    } wrong[] = {
        {"{ max-count: { bad: 1 } }", "'bad' is no severity"},
        {"{ max-count: { low: 1 } }", "others do not count"},
        {"{ max-count: { high: many } }", "high"},
        {"{ exceptions: [{ id: CVE-1, until: 2030-01-01 }] }", "'reason' is missing"},
        {"{ exceptions: [{ id: CVE-1, reason: x }] }", "'until' is missing"},
        {"{ exceptions: [{ until: 2030-01-01, reason: x }] }", "'id' is missing"},
        {"{ exceptions: [{ id: CVE-1, until: soon, reason: x }] }", "'soon' is not a day"},
        {"{ exceptions: [{ id: '*', until: 2030-01-01, reason: x }] }", "allows everything"},
        {"{ exceptions: [{ id: CVE-1, untli: 2030-01-01, reason: x }] }", "did you mean 'until'"},
        {"{ trust: me }", "trust"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        AUTO_FREE char *yaml =
            text_new("policy: p\nrules:\n  - rule: vulnerabilities\n    with: %s\n", wrong[i].with);
        const struct policy_source source = {"p.yaml", yaml, strlen(yaml)};
        struct policy_set *set = NULL;
        struct error err = {0};

        assert_int_equal(policy_set_compile(&source, 1, NULL, NULL, &set, &err), FAILURE_INPUT);
        if (!strstr(err.text, wrong[i].why))
            fail_msg("%s: %s", wrong[i].with, err.text);
    }
}

/* Nobody asks a scanner where no policy wants to know. */
static void the_group_is_fetched_for_the_rule_only(void **state)
{
    struct policy_set *with = support_compile("policy: p\nrules:\n  - rule: vulnerabilities\n");
    struct policy_set *without = support_compile("policy: p\nrules:\n  - rule: non-root\n");
    const struct placement placement = {.repository = "team/app"};

    (void)state;
    assert_true(policy_set_needs(with, &placement) & FACT_BIT(FACT_VULNERABILITIES));
    assert_false(policy_set_needs(without, &placement) & FACT_BIT(FACT_VULNERABILITIES));
    policy_set_free(with);
    policy_set_free(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_threshold_counts),
        cmocka_unit_test(what_has_no_severity_stays_open),
        cmocka_unit_test(only_what_can_be_mended),
        cmocka_unit_test(there_is_time_to_mend),
        cmocka_unit_test(some_may_be_accepted),
        cmocka_unit_test(exceptions_end),
        cmocka_unit_test(without_a_report_nothing_is_known),
        cmocka_unit_test(attached_reports_are_believed_when_a_policy_says_so),
        cmocka_unit_test(reports_grow_old),
        cmocka_unit_test(what_could_not_be_read_stays_open),
        cmocka_unit_test(each_is_a_finding_with_its_remedy),
        cmocka_unit_test(many_findings_are_bounded),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(the_group_is_fetched_for_the_rule_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
