/* Reports of vulnerability scanners: of the registry's own, for the image and else for the index
 * that it is part of, and of those that are attached. Whatever keeps one from being read is a gap
 * and no failure: an image is judged by all that is known of it while its scan goes on, and the
 * rules that need the report say that they do not know. */
#include "regwarden/memory.h"

#include "gather_attestations.h"

enum { REASON_MAX = 200 };

/* What is said of the image itself counts more than what is said of its index. */
static void add_registry_gap(struct attestations *evidence, const char *why)
{
    if (!evidence->vulnerabilities->registry_gap)
        evidence->vulnerabilities->registry_gap = text_printable(why, REASON_MAX);
}

/* The registry says of which image it speaks by being asked for one; some forms say it, too. */
static int check_subject(const struct attestations *evidence,
                         const struct vulnerability_report *report, struct error *err)
{
    const struct provenance_image of = attestations_subject(evidence);

    if (!digest_is_set(&report->subject) || digest_equal(&report->subject, &of.image) ||
        digest_equal(&report->subject, &of.index))
        return 0;
    return error_set(err, FAILURE_INPUT, "the registry's report speaks of another image");
}

static int take_answer(struct attestations *evidence, const struct registry_answer *answer,
                       struct error *err)
{
    struct vulnerability_report report = {0};
    const char *type = answer->media_type ? answer->media_type : "";
    int failure = vulnerability_report_read(type, answer->bytes, answer->size, &report, err);

    if (!failure)
        failure = check_subject(evidence, &report, err);
    if (failure) {
        vulnerability_report_release(&report);
        return failure;
    }
    report.of_registry = true;
    (void)facts_vulnerabilities_add_take(evidence->vulnerabilities, &report);
    return 0;
}

/* Absent: it never scanned the image. Denied: it has no scanner, or none for us. With all else
 * there is something to be known, which no attached report may stand in for. */
static void note_registry(struct attestations *evidence, const struct error *error)
{
    struct facts_vulnerabilities *found = evidence->vulnerabilities;

    if (error->kind == FAILURE_NONE) {
        free(TAKE(found->registry_gap));
        found->registry_unread = false;
        return;
    }
    add_registry_gap(evidence, error->text);
    if (error->kind != FAILURE_ABSENT && error->kind != FAILURE_DENIED)
        found->registry_unread = true;
}

static void on_report(void *argument, const struct registry_answer *answer)
{
    struct attestations *evidence = argument;
    struct error error = {0};

    evidence->request = 0;
    if (answer->error)
        error = *answer->error;
    else
        (void)take_answer(evidence, answer, &error);
    note_registry(evidence, &error);
    evidence->step++;
    attestations_go_on(evidence);
    gather_proceed(evidence->gather);
}

void attestations_ask_report(struct attestations *evidence, const struct digest *digest)
{
    struct gather *gather = evidence->gather;

    if (attestations_want(evidence, FACT_VULNERABILITIES) && !gather->source.fetch_scan_report)
        add_registry_gap(evidence, "there is no scanner to ask here");
    if (!attestations_want(evidence, FACT_VULNERABILITIES) || !gather->source.fetch_scan_report ||
        !digest || vulnerabilities_of_registry(evidence->vulnerabilities)) {
        evidence->step++;
        return;
    }
    evidence->request = gather->source.fetch_scan_report(gather->source.self, gather->repository,
                                                         digest, on_report, evidence);
}

void attestations_take_report(struct attestations *evidence, const struct descriptor *layer,
                              const char *type, const struct registry_answer *answer)
{
    const struct provenance_image of = attestations_subject(evidence);
    const struct vulnerability_attachment attachment = {
        .type = type, .bytes = answer->bytes, .size = answer->size, .of = &of};
    struct vulnerability_report report = {0};
    struct error error = {0};
    char digest[DIGEST_TEXT_SIZE];
    int failure = vulnerability_attachment_read(&attachment, &report, &error);

    if (failure == FAILURE_ABSENT)
        return;
    if (failure == FAILURE_DENIED && !evidence->refused)
        evidence->refused = memory_copy_text(error.text);
    if (!failure && !facts_vulnerabilities_add_take(evidence->vulnerabilities, &report))
        failure = error_set(&error, FAILURE_LIMIT, "there are more reports than are kept");
    if (failure && failure != FAILURE_DENIED && !evidence->report_gap)
        evidence->report_gap =
            text_new("%s: %s", digest_format(&layer->digest, digest), error.text);
}

/* What speaks of another image is no gap, where there is something that speaks of this one. */
void attestations_finish_reports(struct attestations *evidence)
{
    struct facts *facts = evidence->pending->image->facts;
    struct facts_vulnerabilities *found = TAKE(evidence->vulnerabilities);
    const char *gap = evidence->report_gap ? evidence->report_gap : evidence->gap;

    if (!gap && found->count == 0)
        gap = evidence->refused;
    found->attached_gap = memory_copy_text(gap);
    facts_vulnerabilities_keep(found, facts->vulnerabilities);
    facts_set_vulnerabilities_take(facts, found);
}
