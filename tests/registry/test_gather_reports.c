/* Reports of vulnerability scanners, gathered: the registry's own, of an image or of its index, and
 * what is attached; what is refused, what cannot be had, and what is known already. */
#include "evidence.h"

#define IN_TOTO_VULN "https://in-toto.io/attestation/vulns/v0.2"

/* Harbor's, of one vulnerability. */
static char *harbor(const char *id)
{
    return text_new("{\"generated_at\":\"2030-01-01T00:00:00Z\",\"vulnerabilities\":[{\"id\":"
                    "\"%s\",\"severity\":\"High\"}]}",
                    id);
}

static struct object *statement_of(struct fixture *fixture, const struct object *about,
                                   const char *id)
{
    char digest[DIGEST_TEXT_SIZE];

    return add(fixture,
               text_new("{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":"
                        "\"" IN_TOTO_VULN "\",\"subject\":[{\"name\":\"_\",\"digest\":"
                        "{\"sha256\":\"%s\"}}],\"predicate\":{\"scanner\":{\"result\":[{\"id\":"
                        "\"%s\"}]}}}",
                        digest_format(&about->digest, digest) + 7, id),
               STATEMENT_TYPE);
}

static struct object *sarif(struct fixture *fixture, const char *media_type, const char *id)
{
    return add(fixture,
               text_new("{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"Trivy\"}},\"results\":[{"
                        "\"ruleId\":\"%s\",\"level\":\"error\"}]}]}",
                        id),
               media_type);
}

/* Reports and what is in them, then why the group is not whole. */
static void must_tell(const struct facts *facts, const char *wanted)
{
    const struct facts_vulnerabilities *found = facts->vulnerabilities;
    AUTO_TEXT struct text told = {0};

    for (size_t i = 0; found && i < found->count; i++) {
        const struct vulnerability_report *report = &found->reports[i];

        text_format(&told, "%s %s", report->of_registry ? "registry" : "attached", report->source);
        for (size_t k = 0; k < report->count; k++)
            text_format(&told, " %s", report->items[k].id);
        text_add(&told, ";");
    }
    if (facts->status[FACT_VULNERABILITIES].reason)
        text_format(&told, " but %s", facts->status[FACT_VULNERABILITIES].reason);
    if (!text_equal(text_data(&told), wanted))
        fail_msg("told:   %s\nwanted: %s", text_data(&told), wanted);
}

static struct facts *gather_reports(struct fixture *fixture, const struct object *object)
{
    fixture->options.needs = FACT_BIT(FACT_VULNERABILITIES);
    return gather(fixture, object);
}

static void the_registrys_report_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    add_report(fixture, image, harbor("CVE-1"));
    must_tell(gather_reports(fixture, image), "registry harbor CVE-1;");
    assert_int_equal(fixture->gathered.images[0].facts->status[FACT_VULNERABILITIES].state,
                     FACT_PRESENT);
}

static void nobody_is_asked_when_no_policy_wants_it(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    add_report(fixture, image, harbor("CVE-1"));
    fixture->broken = "report";
    fixture->error.kind = FAILURE_LATER;
    must_tell(gather(fixture, image), " but not gathered");
}

static void a_missing_report_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    must_tell(gather_reports(fixture, image), " but report is not there");
    fixture->broken = "report";
    (void)error_set(&fixture->error, FAILURE_LATER, "the scan goes on");
    must_tell(gather_reports(fixture, image), " but the scan goes on");
    assert_int_equal(fixture->gathered.images[0].error.kind, FAILURE_NONE);
    fixture->source.fetch_scan_report = NULL;
    must_tell(gather_reports(fixture, image), " but there is no scanner to ask here");
}

/* Whoever may push attaches a report that finds nothing, and an image of whose own report nothing
 * can be read, or not yet. */
static void an_attached_report_does_not_stand_in_for_the_registrys(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct artifact artifact = {.layers = {sarif(fixture, "application/sarif+json", "CVE-2029-1")},
                                .subject = image};
    static const struct {
        enum failure kind;
        bool unread;
    } rows[] = {
        {FAILURE_LATER, true},   {FAILURE_INPUT, true},   {FAILURE_LIMIT, true},
        {FAILURE_ABSENT, false}, {FAILURE_DENIED, false},
    };

    (void)add_artifact(fixture, &artifact);
    fixture->broken = "report";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct facts *facts;

        fixture->error = (struct error){0};
        (void)error_set(&fixture->error, rows[i].kind, "x");
        facts = gather_reports(fixture, image);
        assert_int_equal(facts->vulnerabilities->registry_unread, rows[i].unread);
        assert_int_equal(facts->status[FACT_VULNERABILITIES].state,
                         rows[i].unread ? FACT_PARTIAL : FACT_PRESENT);
    }
}

static void unreadable_reports_are_gaps(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    add_report(fixture, image, memory_copy_text("{\"x\":[]}"));
    must_tell(gather_reports(fixture, image),
              " but there is no list of vulnerabilities in the report");
}

/* A registry that was asked for one image tells of another. */
static void the_registry_has_to_speak_of_the_image(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    char digest[DIGEST_TEXT_SIZE];

    add_report(fixture, image,
               text_new("{\"imageScanStatus\":\"COMPLETE\",\"findings\":[],\"imageId\":{"
                        "\"imageDigest\":\"%s\"}}",
                        digest_format(&other->digest, digest)));
    free(fixture->reports[0].media_type);
    fixture->reports[0].media_type = memory_copy_text(MEDIA_TYPE_ECR_REPORT);
    must_tell(gather_reports(fixture, image), " but the registry's report speaks of another image");
}

static void children_are_asked_for_and_then_the_index(void **state)
{
    struct fixture *fixture = *state;
    struct object *one = add_image(fixture, "amd64");
    struct object *two = add_image(fixture, "arm64");
    struct object *index = add_index(fixture, one, two, NULL, NULL);

    add_report(fixture, one, harbor("CVE-1"));
    add_report(fixture, index, harbor("CVE-2"));
    must_tell(gather_reports(fixture, index), "registry harbor CVE-1;");
    must_tell(fixture->gathered.images[1].facts, "registry harbor CVE-2;");
}

static void attached_reports_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct artifact by_layer = {.layers = {sarif(fixture, "application/sarif+json", "CVE-2029-1")},
                                .subject = image};
    struct artifact by_type = {.layers = {sarif(fixture, "application/json", "CVE-2029-2")},
                               .type = "application/sarif+json",
                               .subject = image};
    struct artifact statement = {.layers = {statement_of(fixture, image, "CVE-3")},
                                 .predicates = {IN_TOTO_VULN},
                                 .subject = image};
    struct artifact cosign = {.layers = {statement_of(fixture, image, "CVE-4")}};

    (void)add_artifact(fixture, &by_layer);
    (void)add_artifact(fixture, &by_type);
    (void)add_artifact(fixture, &statement);
    set_tag(add_artifact(fixture, &cosign), image, ".att");
    must_tell(gather_reports(fixture, image),
              "attached attestation CVE-4;attached sarif CVE-2029-1;attached sarif CVE-2029-2;"
              "attached attestation CVE-3;");
}

/* Whoever may push can attach what looks like the registry's own. */
static void attached_reports_are_not_the_registrys(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *report = add(fixture, harbor("CVE-9"), MEDIA_TYPE_HARBOR_REPORT);
    struct artifact artifact = {
        .layers = {report}, .type = MEDIA_TYPE_HARBOR_REPORT, .subject = image};

    (void)add_artifact(fixture, &artifact);
    must_tell(gather_reports(fixture, image), "attached harbor CVE-9;");
    add_report(fixture, image, harbor("CVE-1"));
    must_tell(gather_reports(fixture, image), "registry harbor CVE-1;attached harbor CVE-9;");
}

static void reports_of_other_images_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *other = add_image(fixture, "arm64");
    struct artifact artifact = {.layers = {statement_of(fixture, other, "CVE-1")},
                                .predicates = {IN_TOTO_VULN},
                                .subject = image};
    struct facts *facts;

    (void)add_artifact(fixture, &artifact);
    facts = gather_reports(fixture, image);
    must_tell(facts, " but report is not there; an attached report speaks of another image");
    add_report(fixture, image, harbor("CVE-1"));
    must_tell(gather_reports(fixture, image), "registry harbor CVE-1;");
}

static void unreadable_attachments_are_gaps(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");
    struct object *broken = add(fixture, memory_copy_text("{"), "application/sarif+json");
    struct artifact artifact = {.layers = {broken}, .subject = image};
    struct facts *facts;

    (void)add_artifact(fixture, &artifact);
    add_report(fixture, image, harbor("CVE-1"));
    facts = gather_reports(fixture, image);
    assert_int_equal(facts->status[FACT_VULNERABILITIES].state, FACT_PARTIAL);
    assert_non_null(strstr(facts->vulnerabilities->attached_gap, "sha256:"));
    assert_int_equal(facts->vulnerabilities->count, 1);
    assert_null(facts->vulnerabilities->registry_gap);
}

/* What was found does not go away because nothing newer can be had. */
static void a_known_report_is_kept_and_renewed(void **state)
{
    struct fixture *fixture = *state;
    struct object *image = add_image(fixture, "amd64");

    add_report(fixture, image, harbor("CVE-1"));
    (void)gather_reports(fixture, image);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    fixture->broken = "report";
    (void)error_set(&fixture->error, FAILURE_LATER, "the scan goes on");
    must_tell(gather_reports(fixture, image), "registry harbor CVE-1; but the scan goes on");
    assert_int_equal(fixture->gathered.images[0].facts->status[FACT_VULNERABILITIES].state,
                     FACT_PARTIAL);
    assert_false(fixture->gathered.images[0].known);
    fixture->known = TAKE(fixture->gathered.images[0].facts);
    fixture->broken = NULL;
    free(fixture->reports[0].bytes);
    fixture->reports[0].bytes = harbor("CVE-2");
    must_tell(gather_reports(fixture, image), "registry harbor CVE-2;");
    assert_int_equal(fixture->gathered.images[0].facts->status[FACT_VULNERABILITIES].state,
                     FACT_PRESENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_registrys_report_is_read),
        TEST(nobody_is_asked_when_no_policy_wants_it),
        TEST(a_missing_report_says_why),
        TEST(an_attached_report_does_not_stand_in_for_the_registrys),
        TEST(unreadable_reports_are_gaps),
        TEST(the_registry_has_to_speak_of_the_image),
        TEST(children_are_asked_for_and_then_the_index),
        TEST(attached_reports_are_read),
        TEST(attached_reports_are_not_the_registrys),
        TEST(reports_of_other_images_are_refused),
        TEST(unreadable_attachments_are_gaps),
        TEST(a_known_report_is_kept_and_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
