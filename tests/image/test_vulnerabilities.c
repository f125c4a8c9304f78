/* Reports of scanners: every form read, what is refused, what is bounded, and the facts document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"
#include "schema_check.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COSIGN "https://cosign.sigstore.dev/attestation/vuln/v1"
#define IN_TOTO "https://in-toto.io/attestation/vulns/v0.2"

/* One line for the report, one for each vulnerability. */
static char *describe(const struct vulnerability_report *report)
{
    static const char *const fixable[] = {"?", "no", "yes"};
    AUTO_TEXT struct text text = {0};
    char digest[DIGEST_TEXT_SIZE];
    char time[CLOCK_TEXT_SIZE];

    text_format(&text, "%s|%s|%s|%.9s\n", report->source, report->scanner ? report->scanner : "",
                report->generated_ms ? clock_format_rfc3339(report->generated_ms, time) : "",
                digest_is_set(&report->subject) ? digest_format(&report->subject, digest) + 7 : "");
    for (size_t i = 0; i < report->count; i++) {
        const struct vulnerability *item = &report->items[i];

        text_format(&text, "%s %s %s %s %s %s %.10s\n", vulnerability_severity_name(item->severity),
                    item->id, item->package ? item->package : "-",
                    item->version ? item->version : "-", item->fixed ? item->fixed : "-",
                    fixable[item->fixable],
                    item->published_ms ? clock_format_rfc3339(item->published_ms, time) : "-");
    }
    return text_take(&text);
}

struct form {
    const char *type;
    const char *bytes;
    const char *wanted; /* NULL: refused */
    enum failure failure;
    const char *why;
};

#define HARBOR "application/vnd.security.vulnerability.report; version=1.1"
#define TRIVY(results)                                                            \
    "{`SchemaVersion`:2,`CreatedAt`:`2030-01-01T00:00:00Z`,`ArtifactName`:`app`," \
    "`Metadata`:{`RepoDigests`:[`x/app@sha256:" A64 "`]},`Results`:" results "}"
#define SARIF(name, rules, results)                               \
    "{`version`:`2.1.0`,`runs`:[{`tool`:{`driver`:{`name`:`" name \
    "`,`version`:`1`,`rules`:[" rules "]}},`results`:[" results "]}]}"

static const struct form forms[] = {
    {HARBOR,
     "{`" HARBOR "`:{`generated_at`:`2030-01-02T03:04:05.678Z`,`scanner`:{`name`:`Trivy`,"
     "`version`:`v0.50`},`severity`:`High`,`vulnerabilities`:["
     "{`id`:`CVE-2`,`package`:`bar`,`version`:`2`,`fix_version`:``,`severity`:`Low`},"
     "{`id`:`CVE-1`,`package`:`foo`,`version`:`1`,`fix_version`:`1.1`,`severity`:`High`},"
     "{`id`:`CVE-3`,`severity`:`Unknown`}]}}",
     "harbor|Trivy v0.50|2030-01-02T03:04:05.678Z|\nhigh CVE-1 foo 1 1.1 yes -\n"
     "low CVE-2 bar 2 - no -\nunknown CVE-3 - - - no -\n",
     0, NULL},
    {HARBOR, "{`vulnerabilities`:[]}", "harbor|||\n", 0, NULL},
    {HARBOR, "{`" HARBOR "`:{`vulnerabilities`:null}}", "harbor|||\n", 0, NULL},
    {HARBOR, "{}", NULL, FAILURE_ABSENT, "not scanned"},
    {HARBOR, "{`other`:{`vulnerabilities`:[]}}", NULL, FAILURE_INPUT, "no list"},
    {HARBOR, "[]", NULL, FAILURE_INPUT, "no list"},
    {HARBOR, "{`vulnerabilities`:[]", NULL, FAILURE_INPUT, NULL},

    {MEDIA_TYPE_ECR_REPORT,
     "{`imageScanStatus`:{`status`:`COMPLETE`},`imageId`:{`imageDigest`:`sha256:" A64 "`},"
     "`imageScanFindings`:{`imageScanCompletedAt`:1893553445.5,`findings`:["
     "{`name`:`CVE-1`,`severity`:`HIGH`,`attributes`:[{`key`:`package_version`,`value`:`1`},"
     "{`key`:`package_name`,`value`:`foo`}]},{`name`:`CVE-3`,`severity`:`UNDEFINED`}]}}",
     "ecr|Amazon ECR|2030-01-02T03:04:05.500Z|aaaaaaaaa\nhigh CVE-1 foo 1 - ? -\n"
     "unknown CVE-3 - - - ? -\n",
     0, NULL},
    {MEDIA_TYPE_ECR_REPORT,
     "{`imageDigest`:`sha256:" B64 "`,`imageScanStatus`:`ACTIVE`,"
     "`imageScanCompletedAt`:`2030-01-01T00:00:00Z`,`findings`:[],"
     "`enhancedFindings`:[{`severity`:`CRITICAL`,`status`:`ACTIVE`,`title`:`CVE-4 - bar`,"
     "`firstObservedAt`:1893456000,`fixAvailable`:`YES`,`packageVulnerabilityDetails`:{"
     "`vulnerabilityId`:`CVE-4`,`vulnerablePackages`:[{`name`:`bar`,`version`:`2`,"
     "`fixedInVersion`:`3`},{`name`:`bar-doc`,`version`:`2`,`fixedInVersion`:`NotAvailable`}]}},"
     "{`severity`:`LOW`,`status`:`CLOSED`,`title`:`CVE-5`},{`severity`:`LOW`,`title`:`CVE-6`,"
     "`fixAvailable`:`NO`,`packageVulnerabilityDetails`:{`vendorCreatedAt`:`2029-12-24T00:00:00Z`"
     "}}]}",
     "ecr|Amazon Inspector|2030-01-01T00:00:00Z|bbbbbbbbb\ncritical CVE-4 bar 2 3 yes 2030-01-01\n"
     "critical CVE-4 bar-doc 2 - yes 2030-01-01\nlow CVE-6 - - - no 2029-12-24\n",
     0, NULL},
    {MEDIA_TYPE_ECR_REPORT, "{`imageScanStatus`:`COMPLETE`,`findings`:[],`enhancedFindings`:[]}",
     "ecr|Amazon ECR||\n", 0, NULL},
    {MEDIA_TYPE_ECR_REPORT, "{`imageScanStatus`:{`status`:`IN_PROGRESS`},`findings`:[]}", NULL,
     FAILURE_LATER, "goes on"},
    {MEDIA_TYPE_ECR_REPORT, "{`imageScanStatus`:{`status`:`UNSUPPORTED_IMAGE`},`findings`:[]}",
     NULL, FAILURE_ABSENT, "UNSUPPORTED_IMAGE"},
    {MEDIA_TYPE_ECR_REPORT, "{`imageScanStatus`:`COMPLETE`}", NULL, FAILURE_INPUT, "no list"},
    {MEDIA_TYPE_ECR_REPORT, "{}", NULL, FAILURE_ABSENT, "does not say why"},

    {COSIGN,
     "{`scanner`:{`uri`:`pkg:trivy`,`version`:`0.5`,`result`:" TRIVY(
         "[{`Target`:`app`,`Vulnerabilities`:["
         "{`VulnerabilityID`:`CVE-1`,`PkgName`:`foo`,`InstalledVersion`:`1`,`FixedVersion`:`2`,"
         "`Severity`:`HIGH`,`PublishedDate`:`2029-11-01T00:00:00Z`}]},{`Target`:`b`},"
         "{`Vulnerabilities`:[{`VulnerabilityID`:`CVE-1`,`PkgName`:`foo`,`InstalledVersion`:`1`,"
         "`FixedVersion`:`2`,`Severity`:`HIGH`},{`VulnerabilityID`:`CVE-2`,`PkgName`:`bar`,"
         "`InstalledVersion`:`2`,`Severity`:`UNKNOWN`}]}]") "},"
                                                            "`metadata`:{`scanFinishedOn`:`2030-01-"
                                                            "02T00:01:00Z`}}",
     "attestation|Trivy|2030-01-02T00:01:00Z|aaaaaaaaa\nhigh CVE-1 foo 1 2 yes 2029-11-01\n"
     "unknown CVE-2 bar 2 - no -\n",
     0, NULL},
    {COSIGN, "{`scanner`:{`result`:" TRIVY("null") "}}",
     "attestation|Trivy|2030-01-01T00:00:00Z|aaaaaaaaa\n", 0, NULL},
    {COSIGN, TRIVY("[]"), "attestation|Trivy|2030-01-01T00:00:00Z|aaaaaaaaa\n", 0, NULL},
    {COSIGN, "{`scanner`:{`result`:" TRIVY("{}") "}}", NULL, FAILURE_INPUT, "no list"},
    {COSIGN,
     "{`scanners`:[{`result`:{`matches`:["
     "{`vulnerability`:{`id`:`GHSA-1`,`severity`:`Medium`,`fix`:{`versions`:[`1.2`],"
     "`state`:`fixed`}},`artifact`:{`name`:`pad`,`version`:`1.1`}},"
     "{`vulnerability`:{`id`:`CVE-5`,`severity`:`Negligible`,`fix`:{`versions`:[],"
     "`state`:`wont-fix`}},`artifact`:{`name`:`libc6`,`version`:`2`}},"
     "{`vulnerability`:{`id`:`CVE-6`,`severity`:`Low`,`fix`:{`state`:`unknown`}}}],"
     "`descriptor`:{`name`:`grype`,`version`:`0.8`,`timestamp`:`2030-01-02T01:00:00+01:00`}}}]}",
     "attestation|grype 0.8|2030-01-02T00:00:00Z|\nmedium GHSA-1 pad 1.1 1.2 yes -\n"
     "low CVE-6 - - - ? -\nnegligible CVE-5 libc6 2 - no -\n",
     0, NULL},
    {COSIGN, "{`scanner`:{`result`:{`matches`:[]}}}", NULL, FAILURE_INPUT, "Grype"},
    /* an empty result is no report that nothing was found */
    {COSIGN, "{`scanner`:{`result`:{}}}", NULL, FAILURE_INPUT, "no form"},
    {COSIGN, "{}", NULL, FAILURE_INPUT, "no form"},
    {COSIGN, "{`scanner`:{}}", NULL, FAILURE_INPUT, "no form"},

    {IN_TOTO,
     "{`scanner`:{`uri`:`pkg:x`,`version`:`1`,`result`:["
     "{`id`:`CVE-1`,`severity`:[{`method`:`nvd`,`score`:`medium`},{`method`:`cvss`,"
     "`score`:`9.2`}]},{`vulnerability`:{`id`:`CVE-2`,`severity`:{`method`:`nvd`,`score`:`low`}}},"
     "{`id`:`CVE-3`}]},`metadata`:{`scanFinishedOn`:`2030-01-01T00:00:01Z`}}",
     "attestation|pkg:x 1|2030-01-01T00:00:01Z|\ncritical CVE-1 - - - ? -\nlow CVE-2 - - - ? -\n"
     "unknown CVE-3 - - - ? -\n",
     0, NULL},
    {IN_TOTO, "{`scanner`:{`result`:[]}}", "attestation|||\n", 0, NULL},
    {IN_TOTO, "{`scanner`:{}}", NULL, FAILURE_INPUT, "no list"},

    /* Trivy: the rule's help speaks of the first package only, the message of this one */
    {MEDIA_TYPE_SARIF,
     SARIF("Trivy",
           "{`id`:`CVE-2029-1`,`help`:{`text`:`Vulnerability CVE-2029-1\\nSeverity: HIGH\\n"
           "Package: foo\\nFixed Version: 9\\nLink: x`},`properties`:{`security-severity`:`9.5`,"
           "`tags`:[`vulnerability`,`security`,`HIGH`]}},"
           "{`id`:`DS002`,`properties`:{`tags`:[`misconfiguration`]}},"
           "{`id`:`key`,`properties`:{`tags`:[`secret`]}}",
           "{`ruleId`:`CVE-2029-1`,`ruleIndex`:0,`level`:`error`,`message`:{`text`:`Package: bar\\n"
           "Installed Version: 2\\nVulnerability CVE-2029-1\\nSeverity: HIGH\\nFixed Version: \\n"
           "Link: x`}},{`ruleId`:`DS002`,`message`:{`text`:`Vulnerability DS002`}},"
           "{`ruleId`:`key`,`message`:{`text`:`x`}}"),
     "sarif|Trivy 1||\nhigh CVE-2029-1 bar 2 - no -\n", 0, NULL},
    /* Grype: a rule for each package */
    {MEDIA_TYPE_SARIF,
     SARIF("grype",
           "{`id`:`CVE-2029-1-foo`,`help`:{`text`:`Vulnerability CVE-2029-1\\nSeverity: critical\\n"
           "Package: foo\\nVersion: 1\\nFix Version: 2\\nType: deb`}}",
           "{`ruleId`:`CVE-2029-1-foo`,`message`:{`text`:`A critical vulnerability in deb package: "
           "foo, version 1 was found at: /x`}}"),
     "sarif|grype 1||\ncritical CVE-2029-1 foo 1 2 yes -\n", 0, NULL},
    /* others: by number, score and level */
    {MEDIA_TYPE_SARIF,
     SARIF("some scanner",
           "{`id`:`ANCHOREVULN_CVE-2029-7_deb`,`properties`:{`security-severity`:7.1}},"
           "{`id`:`GHSA-aaaa-bbbb-cccc-pad`,`defaultConfiguration`:{`level`:`note`}}",
           "{`ruleId`:`ANCHOREVULN_CVE-2029-7_deb`,`level`:`note`},"
           "{`ruleIndex`:1,`message`:{`text`:`x`}},"
           "{`ruleId`:`CVE-2029-8`,`level`:`error`,`properties`:{`fixed_version`:`not fixed`}},"
           "{`ruleId`:`CVE-2029-9`},{`ruleId`:`CVE-2029-10`,`kind`:`pass`}"),
     "sarif|some scanner 1||\nhigh CVE-2029-7 - - - ? -\nhigh CVE-2029-8 - - - no -\n"
     "medium CVE-2029-9 - - - ? -\nlow GHSA-aaaa-bbbb-cccc - - - ? -\n",
     0, NULL},
    {MEDIA_TYPE_SARIF, SARIF("Trivy", "", ""), "sarif|Trivy 1||\n", 0, NULL},
    /* what a linter did not find says nothing */
    {MEDIA_TYPE_SARIF, SARIF("CodeQL", "", ""), NULL, FAILURE_INPUT, "not one of a scanner"},
    {MEDIA_TYPE_SARIF, SARIF("CodeQL", "", "{`ruleId`:`cpp/x`,`level`:`error`}"), NULL,
     FAILURE_INPUT, "not one of a scanner"},
    {MEDIA_TYPE_SARIF, "{`runs`:[{`tool`:{`driver`:{`name`:`Trivy`}}}]}", NULL, FAILURE_INPUT,
     NULL},
    {MEDIA_TYPE_SARIF, "{}", NULL, FAILURE_INPUT, NULL},
    {"application/json", "{}", NULL, FAILURE_INPUT, "no form"},
};

static void every_form_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        AUTO_FREE char *bytes = fixture_json(forms[i].bytes);
        struct vulnerability_report report = {0};
        struct error err = {0};
        int rc = vulnerability_report_read(forms[i].type, bytes, strlen(bytes), &report, &err);
        AUTO_FREE char *found = rc == 0 ? describe(&report) : NULL;

        if (rc != (int)forms[i].failure)
            fail_msg("form %zu: %d %s", i, rc, err.text);
        if (forms[i].wanted && !text_equal(found, forms[i].wanted))
            fail_msg("form %zu:\n%s", i, found);
        if (forms[i].why && !strstr(err.text, forms[i].why))
            fail_msg("form %zu: %s", i, err.text);
        assert_true(rc == 0 || (report.count == 0 && !report.items && !report.source));
        vulnerability_report_release(&report);
    }
}

static void forms_are_known_by_their_types(void **state)
{
    (void)state;
    assert_true(vulnerability_report_is_known("application/sarif+json"));
    assert_true(vulnerability_report_is_known("Application/SARIF+json; charset=utf-8"));
    assert_true(vulnerability_report_is_known("https://in-toto.io/attestation/vulns/v0.1"));
    assert_false(vulnerability_report_is_known("application/sarif+jsonx"));
    assert_false(vulnerability_report_is_known("application/json"));
    assert_false(vulnerability_report_is_known("https://openvex.dev/ns"));
    assert_false(vulnerability_report_is_known(""));
    assert_false(vulnerability_report_is_known(NULL));
}

/* --- bounds and hostile bytes --- */

static void the_worst_are_kept_and_all_are_counted(void **state)
{
    enum { LOW = 3 * VULNERABILITIES_MAX, HIGH = 10 };
    AUTO_TEXT struct text bytes = {0};
    struct vulnerability_report report = {0};

    (void)state;
    text_add(&bytes, "{\"vulnerabilities\":[");
    for (int i = 0; i < LOW; i++)
        text_format(&bytes, "{\"id\":\"CVE-%d\",\"severity\":\"Low\"},", i);
    for (int i = 0; i < HIGH; i++)
        text_format(&bytes, "%s{\"id\":\"CVE-%d\",\"severity\":\"High\"}", i ? "," : "", i);
    text_add(&bytes, "]}");
    assert_int_equal(vulnerability_report_read(MEDIA_TYPE_HARBOR_REPORT, text_data(&bytes),
                                               bytes.length, &report, NULL),
                     0);
    assert_int_equal(report.count, VULNERABILITIES_MAX);
    assert_true(report.truncated);
    assert_int_equal(report.totals[VULNERABILITY_HIGH], HIGH);
    assert_int_equal(report.totals[VULNERABILITY_LOW], LOW);
    assert_int_equal(report.items[HIGH - 1].severity, VULNERABILITY_HIGH);
    assert_int_equal(report.items[HIGH].severity, VULNERABILITY_LOW);
    vulnerability_report_release(&report);
}

static void what_is_too_much_is_refused(void **state)
{
    AUTO_TEXT struct text bytes = {0};
    struct vulnerability_report report = {0};
    struct error err = {0};

    (void)state;
    text_add(&bytes, "{\"vulnerabilities\":[]");
    while (bytes.length <= VULNERABILITY_REPORT_BYTES_MAX)
        text_add(&bytes, "                                                                ");
    text_add(&bytes, "}");
    assert_int_equal(vulnerability_report_read(MEDIA_TYPE_HARBOR_REPORT, text_data(&bytes),
                                               bytes.length, &report, &err),
                     FAILURE_LIMIT);
    text_clear(&bytes); /* what is small in bytes may be large in memory */
    text_add(&bytes, "{\"vulnerabilities\":[{}");
    for (int i = 0; i < 300000; i++)
        text_add(&bytes, ",{}");
    text_add(&bytes, "]}");
    assert_int_equal(vulnerability_report_read(MEDIA_TYPE_HARBOR_REPORT, text_data(&bytes),
                                               bytes.length, &report, &err),
                     FAILURE_LIMIT);
    text_clear(&bytes);
    for (int i = 0; i < 100; i++)
        text_add(&bytes, "[");
    assert_true(vulnerability_report_read(COSIGN, text_data(&bytes), bytes.length, &report, &err) <
                0);
}

static void add_many(struct text *to, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(to, bytes);
}

/* Results are short, and each looks into its rule: a rule is large once and must not be as large as
 * often as there are results. */
static void large_rules_cost_no_time(void **state)
{
    AUTO_TEXT struct text bytes = {0};
    struct vulnerability_report report = {0};
    struct error err = {0};
    int64_t begun_ms = clock_steady_ms();

    (void)state;
    text_add(&bytes, "{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\",\"rules\":[{\"id\":\"");
    add_many(&bytes, "y", 1500000);
    text_add(&bytes, "\",\"help\":{\"text\":\"");
    add_many(&bytes, "z", 1500000);
    text_add(&bytes, "\"},\"properties\":{\"fixed_version\":\"");
    add_many(&bytes, " ", 1500000);
    text_add(&bytes, "\",\"security-severity\":\"");
    add_many(&bytes, "0", 1500000);
    text_add(&bytes, "\",\"tags\":[0");
    add_many(&bytes, ",\"v\"", 60000);
    text_add(&bytes, ",\"vulnerability\"]}}]}},\"results\":[{}");
    add_many(&bytes, ",{\"ruleIndex\":0}", 60000);
    text_add(&bytes, "]}]}");
    assert_true(bytes.length < VULNERABILITY_REPORT_BYTES_MAX);
    (void)vulnerability_report_read(MEDIA_TYPE_SARIF, text_data(&bytes), bytes.length, &report,
                                    &err);
    assert_true(clock_steady_ms() - begun_ms < 15000);
    vulnerability_report_release(&report);
}

static void hostile_text_is_printable_and_short(void **state)
{
    AUTO_TEXT struct text bytes = {0};
    struct vulnerability_report report = {0};

    (void)state;
    text_add(&bytes, "{\"vulnerabilities\":[{\"id\":\"\\u001b[31mCVE\\n\",\"package\":\"");
    for (int i = 0; i < 5000; i++)
        text_add(&bytes, "x");
    text_add(&bytes, "\",\"severity\":7},7,null,{}],\"scanner\":{\"name\":\"\\u0007\"},"
                     "\"generated_at\":\"never\"}");
    assert_int_equal(vulnerability_report_read(MEDIA_TYPE_HARBOR_REPORT, text_data(&bytes),
                                               bytes.length, &report, NULL),
                     0);
    assert_int_equal(report.count, 2); /* what says nothing counts, once */
    assert_string_equal(report.items[0].id, "(no id)");
    assert_string_equal(report.items[1].id, "\\x1b[31mCVE\\x0a");
    assert_in_range(strlen(report.items[1].package), 100, 140);
    assert_string_equal(report.scanner, "\\x07");
    assert_int_equal(report.generated_ms, 0);
    vulnerability_report_release(&report);
}

/* --- what is attached --- */

#define STATEMENT(subject, type, predicate)                                                     \
    "{`_type`:`https://in-toto.io/Statement/v1`,`subject`:[" subject "],`predicateType`:`" type \
    "`,`predicate`:" predicate "}"
#define ABOUT(hex) "{`name`:`app`,`digest`:{`sha256`:`" hex "`}}"
#define EMPTY "{`scanner`:{`result`:[]}}"

static int attach(const char *type, const char *text, struct vulnerability_report *ret,
                  struct error *err)
{
    struct provenance_image of = {0};
    AUTO_FREE char *bytes = fixture_json(text);
    struct vulnerability_attachment attachment = {
        .type = type, .bytes = bytes, .size = strlen(bytes), .of = &of};

    digest_parse("sha256:" A64, &of.image, NULL);
    return vulnerability_attachment_read(&attachment, ret, err);
}

static void statements_have_to_name_the_image(void **state)
{
    struct vulnerability_report report = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(attach(NULL, STATEMENT(ABOUT(A64), IN_TOTO, EMPTY), &report, &err), 0);
    assert_true(digest_is_set(&report.digest));
    assert_false(report.of_registry);
    assert_false(report.enveloped);
    vulnerability_report_release(&report);
    assert_int_equal(attach(NULL, STATEMENT(ABOUT(B64), IN_TOTO, EMPTY), &report, &err),
                     FAILURE_DENIED);
    assert_non_null(strstr(err.text, "another image"));
    assert_int_equal(attach(NULL, STATEMENT("", IN_TOTO, EMPTY), &report, &err), FAILURE_DENIED);
    assert_int_equal(
        attach(NULL, STATEMENT(ABOUT(A64), "https://slsa.dev/provenance/v1", EMPTY), &report, &err),
        FAILURE_ABSENT);
    assert_int_equal(attach(NULL, "{}", &report, &err), FAILURE_INPUT);
    assert_int_equal(attach(NULL, STATEMENT(ABOUT(A64), IN_TOTO, "7"), &report, &err),
                     FAILURE_INPUT);
}

static void envelopes_are_opened(void **state)
{
    AUTO_FREE char *statement = fixture_json(STATEMENT(ABOUT(A64), IN_TOTO, EMPTY));
    AUTO_TEXT struct text payload = {0};
    struct vulnerability_report report = {0};
    struct error err = {0};

    (void)state;
    crypto_base64(statement, strlen(statement), &payload);
    AUTO_FREE char *envelope =
        text_new("{`payloadType`:`application/vnd.in-toto+json`,`payload`:`%s`,"
                 "`signatures`:[{`sig`:`AAAA`}]}",
                 text_data(&payload));
    assert_int_equal(attach(NULL, envelope, &report, &err), 0);
    assert_true(report.enveloped);
    assert_int_equal(report.verified, ANSWER_UNKNOWN);
    vulnerability_report_release(&report);
}

/* A file without a statement says by itself of what it speaks, or not at all. */
static void reports_of_other_images_are_refused(void **state)
{
    static const char *const type = "application/sarif+json";
    struct vulnerability_report report = {0};
    struct error err = {0};

    (void)state;
#define WITH_DIGEST(hex)                                                                      \
    "{`runs`:[{`tool`:{`driver`:{`name`:`Trivy`}},`results`:[],`properties`:{`repoDigests`:[" \
    "`app@sha256:" hex "`]}}]}"
    assert_int_equal(attach(type, WITH_DIGEST(A64), &report, &err), 0);
    vulnerability_report_release(&report);
    assert_int_equal(attach(type, SARIF("Trivy", "", ""), &report, &err), 0);
    vulnerability_report_release(&report);
    assert_int_equal(attach(type, WITH_DIGEST(B64), &report, &err), FAILURE_DENIED);
}

/* --- the group --- */

static const char full[] =
    "{`factsVersion`:2,`vulnerabilities`:{`reports`:[{`source`:`harbor`,`scanner`:`Trivy 1`,"
    "`ofRegistry`:true,`generated`:`2030-01-02T03:04:05Z`,`subject`:`sha256:" A64 "`,"
    "`signed`:false,`verified`:`unknown`,`totals`:{`negligible`:7,`high`:2},`truncated`:true,"
    "`items`:[{`id`:`CVE-1`,`package`:`p`,`version`:`1`,`fixed`:`2`,`severity`:`high`,"
    "`published`:`2029-01-01T00:00:00Z`},{`id`:`CVE-2`,`severity`:`high`,`fixable`:`no`}]},"
    "{`source`:`sarif`,`ofRegistry`:false,`digest`:`sha256:" B64 "`,`signed`:true,"
    "`verified`:`yes`,`totals`:{},`items`:[]}],`registryGap`:`a`,`registryUnread`:true,`"
    "attachedGap`:`b`}}";

static struct facts *document(const char *text)
{
    AUTO_FREE char *bytes = fixture_json(text);
    AUTO_JSON struct json *json = NULL;
    struct facts *facts = NULL;
    struct error err = {0};

    if (json_parse(bytes, strlen(bytes), NULL, &json, &err) < 0 ||
        facts_from_json(json, &facts, &err) < 0)
        fail_msg("%s", err.text);
    return facts;
}

static void documents_round_trip(void **state)
{
    AUTO_FACTS struct facts *facts = document(full);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_JSON struct json *schema = facts_schema();
    AUTO_TEXT struct text written = {0};
    AUTO_FREE char *wanted = fixture_json(full);
    char why[200] = "";

    (void)state;
    json_write(json_get(json, "vulnerabilities"), JSON_COMPACT, &written);
    if (!strstr(wanted, text_data(&written)))
        fail_msg("%s", text_data(&written));
    if (!schema_check(schema, json, why))
        fail_msg("%s", why);
    assert_int_equal(facts->status[FACT_VULNERABILITIES].state, FACT_PRESENT);
    assert_true(vulnerabilities_of_registry(facts->vulnerabilities) ==
                &facts->vulnerabilities->reports[0]);
}

static void documents_by_hand_may_be_short(void **state)
{
    AUTO_FACTS struct facts *facts = document(
        "{`factsVersion`:2,`vulnerabilities`:{`reports`:[{`items`:[{`id`:`CVE-1`},{`id`:`CVE-2`,"
        "`severity`:`critical`}]}]}}");
    const struct vulnerability_report *report = &facts->vulnerabilities->reports[0];

    (void)state;
    assert_string_equal(report->items[0].id, "CVE-2");
    assert_int_equal(report->totals[VULNERABILITY_CRITICAL], 1);
    assert_int_equal(report->totals[VULNERABILITY_UNKNOWN], 1);
}

static void wrong_documents_are_refused(void **state)
{
    static const char *const wrong[] = {
        "7",
        "{`reports`:7}",
        "{`reports`:[7]}",
        "{`reports`:[{`items`:[{}]}]}",
        "{`reports`:[{`items`:[{`id`:`x`,`severity`:`bad`}]}]}",
        "{`reports`:[{`items`:[{`id`:`x`,`fixable`:1}]}]}",
        "{`reports`:[{`items`:[{`id`:`x`,`published`:`then`}]}]}",
        "{`reports`:[{`items`:[{`id`:`x`}],`totals`:{`unknown`:0}}]}",
        "{`reports`:[{`verified`:`maybe`}]}",
        "{`registryGap`:7}",
        "{`registryUnread`:7}",
        "{`reports`:[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        AUTO_FREE char *bytes = fixture_json(wrong[i]);
        AUTO_JSON struct json *json = NULL;
        AUTO_FREE char *wrapped = text_new("[%s]", bytes);
        struct facts_vulnerabilities *facts = NULL;

        assert_int_equal(json_parse(wrapped, strlen(wrapped), NULL, &json, NULL), 0);
        if (vulnerabilities_from_json(json_at(json, 0), &facts, NULL) != FAILURE_INPUT)
            fail_msg("%s", wrong[i]);
    }
}

static struct vulnerability_report made(bool of_registry, int64_t at_ms, size_t items)
{
    AUTO_TEXT struct text bytes = {0};
    struct vulnerability_report report = {0};

    text_add(&bytes, "{\"vulnerabilities\":[");
    for (size_t i = 0; i < items; i++)
        text_format(&bytes, "%s{\"id\":\"CVE-%zu\",\"severity\":\"Low\"}", i ? "," : "", i);
    text_add(&bytes, "]}");
    assert_int_equal(vulnerability_report_read(MEDIA_TYPE_HARBOR_REPORT, text_data(&bytes),
                                               bytes.length, &report, NULL),
                     0);
    report.of_registry = of_registry;
    report.generated_ms = at_ms;
    return report;
}

static void reports_of_one_image_are_bounded_in_all(void **state)
{
    struct facts_vulnerabilities *facts = memory_new(sizeof(*facts));
    struct vulnerability_report report = made(true, 5, VULNERABILITIES_MAX - 10);

    (void)state;
    assert_true(facts_vulnerabilities_add_take(facts, &report));
    for (int i = 1; i < VULNERABILITY_REPORTS_MAX; i++) {
        report = made(false, i, 8);
        assert_true(facts_vulnerabilities_add_take(facts, &report));
    }
    report = made(false, 99, 1);
    assert_false(facts_vulnerabilities_add_take(facts, &report));
    assert_true(facts->reports[0].of_registry && !facts->reports[0].truncated);
    assert_int_equal(facts->reports[1].generated_ms, VULNERABILITY_REPORTS_MAX - 1);
    assert_int_equal(facts->reports[VULNERABILITY_REPORTS_MAX - 1].count, 8);
    assert_int_equal(facts->reports[VULNERABILITY_REPORTS_MAX - 2].count, 2);
    assert_true(facts->reports[1].truncated && facts->reports[1].count == 0);
    assert_int_equal(facts->reports[1].totals[VULNERABILITY_LOW], 8);
    facts_vulnerabilities_free(facts);
}

/* Whoever may push attaches as many as are kept, and has the registry scan once more: what its
 * scanner found before must not make room for them. */
static void attached_reports_do_not_drive_out_the_registrys(void **state)
{
    struct facts_vulnerabilities *before = memory_new(sizeof(*before));
    struct facts_vulnerabilities *now = memory_new(sizeof(*now));
    struct vulnerability_report report = made(true, 5, 20);
    const struct vulnerability_report *kept;

    (void)state;
    assert_true(facts_vulnerabilities_add_take(before, &report));
    now->registry_gap = memory_copy_text("the scan goes on");
    for (int i = 1; i <= VULNERABILITY_REPORTS_MAX; i++) {
        report = made(false, i, VULNERABILITIES_MAX / VULNERABILITY_REPORTS_MAX);
        assert_true(facts_vulnerabilities_add_take(now, &report));
    }
    facts_vulnerabilities_keep(now, before);
    kept = vulnerabilities_of_registry(now);
    assert_non_null(kept);
    assert_int_equal(kept->count, 20);
    assert_false(kept->truncated);
    assert_int_equal(now->count, VULNERABILITY_REPORTS_MAX);
    assert_int_equal(now->reports[1].generated_ms, VULNERABILITY_REPORTS_MAX);
    assert_non_null(now->attached_gap); /* one had to go */
    facts_vulnerabilities_free(before);
    facts_vulnerabilities_free(now);
}

static void the_group_says_why_it_is_not_there(void **state)
{
    AUTO_FACTS struct facts *facts = memory_new(sizeof(*facts));
    struct fact_status *status = &facts->status[FACT_VULNERABILITIES];
    struct facts_vulnerabilities *group = memory_new(sizeof(*group));
    struct vulnerability_report report = made(true, 5, 1);

    (void)state;
    group->registry_gap = memory_copy_text("the image was not scanned");
    group->attached_gap = memory_copy_text("x");
    facts_set_vulnerabilities_take(facts, group);
    assert_int_equal(status->state, FACT_ABSENT);
    assert_string_equal(status->reason, "the image was not scanned; x");
    assert_null(facts->vulnerabilities);
    group = memory_new(sizeof(*group));
    group->registry_gap = memory_copy_text("the scan goes on");
    assert_true(facts_vulnerabilities_add_take(group, &report));
    facts_set_vulnerabilities_take(facts, group);
    assert_int_equal(status->state, FACT_PARTIAL); /* the one that is there is old */
    assert_string_equal(status->reason, "the scan goes on");
    group = memory_new(sizeof(*group));
    group->registry_gap = memory_copy_text("the registry has no scanner");
    report = made(false, 5, 1);
    assert_true(facts_vulnerabilities_add_take(group, &report));
    facts_set_vulnerabilities_take(facts, group);
    assert_int_equal(status->state, FACT_PRESENT);
    assert_null(status->reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(forms_are_known_by_their_types),
        cmocka_unit_test(the_worst_are_kept_and_all_are_counted),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(large_rules_cost_no_time),
        cmocka_unit_test(hostile_text_is_printable_and_short),
        cmocka_unit_test(statements_have_to_name_the_image),
        cmocka_unit_test(envelopes_are_opened),
        cmocka_unit_test(reports_of_other_images_are_refused),
        cmocka_unit_test(documents_round_trip),
        cmocka_unit_test(documents_by_hand_may_be_short),
        cmocka_unit_test(wrong_documents_are_refused),
        cmocka_unit_test(reports_of_one_image_are_bounded_in_all),
        cmocka_unit_test(attached_reports_do_not_drive_out_the_registrys),
        cmocka_unit_test(the_group_says_why_it_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
