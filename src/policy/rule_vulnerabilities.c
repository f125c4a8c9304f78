/* Rule vulnerabilities: what scanners found in an image is within bounds. regwarden does not scan:
 * it judges the report of the registry's scanner, and those that are attached when a policy trusts
 * them. Without a report nothing is known. */
#include "rules.h"

#include <inttypes.h>

#include "vulnerability_counts.h"

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"
#include "regwarden/vulnerabilities.h"

enum { SUBJECT_SIZE = 320 };

static const char *const trust_choices[] = {"registry", "any", NULL};
enum { STALE_UNKNOWN, STALE_FAIL };
static const char *const stale_choices[] = {"unknown", "fail", NULL};
/* Indices from VULNERABILITY_LOW on. */
static const char *const severity_choices[] = {"low", "medium", "high", "critical", NULL};
static const char *const unrated_choices[] = {"unknown", "low", "medium", "high", "critical", NULL};

static const struct param params[] = {
    {.name = "severity",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct vulnerability_settings, severity),
     .choices = severity_choices,
     .fallback = "high",
     .help = "Vulnerabilities of this severity and worse count."},
    {.name = "fixable-only",
     .type = PARAM_BOOL,
     .offset = offsetof(struct vulnerability_settings, fixable_only),
     .fallback = "false",
     .help = "Whether only vulnerabilities count for which there is a version that mends them."},
    {.name = "unrated",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct vulnerability_settings, unrated),
     .choices = unrated_choices,
     .fallback = "unknown",
     .help = "What a vulnerability is that the scanner gives no severity: one of this severity, or "
             "unknown, which leaves the answer open."},
    {.name = "grace",
     .type = PARAM_DURATION,
     .offset = offsetof(struct vulnerability_settings, grace_ms),
     .fallback = "0",
     .help = "Time from the day on which a vulnerability became known until it counts, such as "
             "14d. One without a day counts at once."},
    {.name = "max-count",
     .type = PARAM_PAIRS,
     .offset = offsetof(struct vulnerability_settings, max_count),
     .help = "How many that count are accepted, by severity, such as {high: 5}. When left out, "
             "none."},
    {.name = "max-report-age",
     .type = PARAM_DURATION,
     .offset = offsetof(struct vulnerability_settings, max_report_age_ms),
     .help = "Age from which on a report is stale, such as 7d. When left out, every report will "
             "do."},
    {.name = "when-stale",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct vulnerability_settings, when_stale),
     .choices = stale_choices,
     .fallback = "unknown",
     .help = "What an image comes to whose newest report is stale, beside what is found in it."},
    {.name = "trust",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct vulnerability_settings, trust),
     .choices = trust_choices,
     .fallback = "registry",
     .help = "Whose reports count: registry is the registry's own scanner and attached reports "
             "whose signature was verified; any is every attached report, too. Whoever may push "
             "can attach one that finds nothing."},
    {.name = "exceptions",
     .type = PARAM_RECORDS,
     .offset = offsetof(struct vulnerability_settings, exceptions),
     .choices = exception_keys,
     .help = "Vulnerabilities that are accepted for a while: a list of {id, package, until, "
             "reason}. All but package are required; with id \"*\" all of a package are."},
    {.name = NULL},
};

static int read_max_count(struct vulnerability_settings *settings, struct error *err)
{
    for (size_t i = 0; i < settings->max_count.count; i++) {
        const struct text_pair *pair = &settings->max_count.items[i];
        enum vulnerability_severity severity = VULNERABILITY_UNKNOWN;
        AUTO_FREE char *shown = text_printable(pair->key, 40);
        int failure;

        if (vulnerability_severity_from_name(pair->key, &severity) < 0 ||
            severity < vulnerability_threshold(settings))
            return error_set(err, FAILURE_INPUT,
                             "'%s' is no severity from %s on, and others do not count", shown,
                             severity_choices[settings->severity]);
        failure = text_parse_uint(pair->value, UINT32_MAX, &settings->max[severity], err);
        if (failure)
            return error_wrap(err, "%s", shown);
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct vulnerability_settings *settings = block;
    int failure;

    *ret_param = "max-count";
    failure = read_max_count(settings, err);
    if (failure)
        return failure;
    *ret_param = "exceptions";
    return exception_list_compile(&settings->exceptions, &settings->excepted, err);
}

static void release(void *block)
{
    struct vulnerability_settings *settings = block;

    exception_list_release(&settings->excepted);
}

static size_t count_believed(const struct vulnerability_judging *judging)
{
    size_t count = 0;

    for (size_t i = 0; judging->facts && i < judging->facts->count; i++)
        count += vulnerability_is_believed(judging, &judging->facts->reports[i]);
    return count;
}

/* --- telling --- */

static void add_exception(const struct vulnerability_judging *judging,
                          const struct vulnerability *item, struct text *message)
{
    const struct exception *exception = exception_find(&judging->settings->excepted, item);
    char time[CLOCK_TEXT_SIZE];

    if (exception)
        text_format(message, "; its exception ended on %.10s",
                    clock_format_rfc3339(exception->until_ms, time));
}

static void set_remedy(struct finding *finding, const struct vulnerability *item)
{
    const char *package = item->package ? item->package : "what has it";

    if (item->fixed)
        finding_set_remedy(finding,
                           "Update %s to %s, or build on a base that has it, then scan again.",
                           package, item->fixed);
    else
        finding_set_remedy(finding,
                           "No version that mends it is known: take %s out, or let the policy "
                           "accept it until a day, with a reason.",
                           package);
}

static void tell(struct vulnerability_judging *judging, const struct vulnerability_report *report,
                 const struct vulnerability *item)
{
    AUTO_TEXT struct text message = {0};
    char subject[SUBJECT_SIZE];
    struct finding *finding;

    text_format(&message, "%s (%s)", item->id,
                item->severity == VULNERABILITY_UNKNOWN
                    ? "of no severity"
                    : vulnerability_severity_name(item->severity));
    if (item->package)
        text_format(&message, " in %s%s%s", item->package, item->version ? " " : "",
                    item->version ? item->version : "");
    if (item->fixed)
        text_format(&message, ", mended in %s", item->fixed);
    else if (item->fixable == ANSWER_NO)
        text_add(&message, ", not mended by any version");
    text_format(&message, ", by %s", report->scanner ? report->scanner : report->source);
    add_exception(judging, item, &message);
    snprintf(subject, sizeof(subject), "%s %s", item->id, item->package ? item->package : "");
    finding = rule_fail(judging->report, subject, "%s", text_data(&message));
    set_remedy(finding, item);
}

static void tell_all(struct vulnerability_judging *judging)
{
    for (size_t i = 0; i < judging->facts->count; i++) {
        const struct vulnerability_report *report = &judging->facts->reports[i];

        for (size_t k = 0; vulnerability_is_believed(judging, report) && k < report->count; k++)
            if (vulnerability_is_told(judging, i, &report->items[k]))
                tell(judging, report, &report->items[k]);
    }
}

/* --- what stays open --- */

static void tell_open(struct vulnerability_judging *judging)
{
    const struct vulnerability_settings *settings = judging->settings;
    struct rule_report *report = judging->report;
    const char *least = severity_choices[settings->severity];

    if (judging->left_out > 0)
        rule_unknown(report, "left-out",
                     "the reports count %" PRIu64 " more from severity %s on than could be kept",
                     judging->left_out, least);
    if (judging->unrated > 0)
        rule_unknown(report, "unrated",
                     "%" PRIu64 " vulnerabilities have no severity: the setting unrated says what "
                     "they count as",
                     judging->unrated);
    if (judging->unclear > 0)
        rule_unknown(report, "fixable",
                     "the report does not say whether there are versions that mend %" PRIu64
                     " vulnerabilities from severity %s on",
                     judging->unclear, least);
}

/* Of the newest report that is believed; 0 when none says when it was made, or says that it will be
 * made. */
static int64_t newest_ms(const struct vulnerability_judging *judging)
{
    int64_t newest = 0;

    for (size_t i = 0; i < judging->facts->count; i++) {
        const struct vulnerability_report *report = &judging->facts->reports[i];

        if (vulnerability_is_believed(judging, report) && report->generated_ms > newest &&
            report->generated_ms <= judging->input->now_ms + VULNERABILITY_DAY_MS)
            newest = report->generated_ms;
    }
    return newest;
}

static void judge_age(struct vulnerability_judging *judging)
{
    const struct vulnerability_settings *settings = judging->settings;
    int64_t made_ms = newest_ms(judging);
    int64_t age_ms = judging->input->now_ms - made_ms;
    char age[TEXT_NUMBER_SIZE], most[TEXT_NUMBER_SIZE];

    if (settings->max_report_age_ms == 0 || (made_ms != 0 && age_ms <= settings->max_report_age_ms))
        return;
    AUTO_FREE char *message =
        made_ms == 0 ? memory_copy_text("no report says when it was made")
                     : text_new("the newest report is %s old, more than %s",
                                text_format_duration(age_ms, age),
                                text_format_duration(settings->max_report_age_ms, most));
    struct finding *finding = settings->when_stale == STALE_FAIL
                                  ? rule_fail(judging->report, "report-age", "%s", message)
                                  : rule_unknown(judging->report, "report-age", "%s", message);
    finding_set_remedy(finding, "Let the image be scanned again.");
    judging->report->later = true;
}

/* Something may be in what could not be read. */
static void judge_gaps(struct vulnerability_judging *judging)
{
    const struct facts_vulnerabilities *facts = judging->facts;
    const char *gap = NULL;

    if (vulnerabilities_of_registry(facts) || facts->registry_unread)
        gap = facts->registry_gap;
    if (!gap && judging->settings->trust == TRUST_ANY)
        gap = facts->attached_gap;
    if (!gap)
        return;
    AUTO_FREE char *shown = text_printable(gap, 200);
    rule_unknown(judging->report, "gap", "not all reports could be read: %s", shown);
    judging->report->later = true;
}

static void tell_no_report(struct vulnerability_judging *judging)
{
    const struct fact_status *status = &judging->input->facts->status[FACT_VULNERABILITIES];
    const char *why = judging->facts ? judging->facts->registry_gap : status->reason;
    size_t others = judging->facts ? judging->facts->count : 0;
    AUTO_FREE char *shown = text_printable(why ? why : "there is none", 200);
    struct finding *finding;

    if (others > 0)
        finding = rule_unknown(judging->report, "report",
                               "there is no report of the registry's scanner: %s; of %zu attached "
                               "ones no signature was verified, and the policy trusts no others",
                               shown, others);
    else
        finding =
            rule_unknown(judging->report, "report", "there is no scanner's report: %s", shown);
    finding_set_remedy(finding, others > 0
                                    ? "Let the registry scan the image, or say `trust: any` where "
                                      "only those may push whose reports you believe."
                                    : "Let the registry scan the image, or attach a report.");
    judging->report->later = true;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    struct vulnerability_judging judging = {.settings = block,
                                            .input = input,
                                            .report = report,
                                            .facts = input->facts->vulnerabilities};

    if (count_believed(&judging) == 0) {
        tell_no_report(&judging);
        return rule_judgement(report);
    }
    vulnerability_count(&judging);
    tell_all(&judging);
    tell_open(&judging);
    judge_age(&judging);
    judge_gaps(&judging);
    return rule_judgement(report);
}

const struct rule_type rule_vulnerabilities = {
    .name = "vulnerabilities",
    .summary = "what scanners found in the image is within bounds",
    .description =
        "Judges the report of the registry's own scanner (Harbor, Amazon ECR) and, when the policy "
        "trusts them, reports that are attached to the image: in-toto statements "
        "(`https://cosign.sigstore.dev/attestation/vuln/v1`, "
        "`https://in-toto.io/attestation/vulns`) and SARIF, of Trivy, Grype and others. regwarden "
        "does not scan. Of an index each image is judged by its own report, or else by that of "
        "the index.\n\n"
        "Of several reports all count: the worst that any of them says. An image without a report "
        "is unknown, never passed, and so is one whose report could not be read, whose scan goes "
        "on, or whose report leaves open what the settings ask for. What the registry's scanner "
        "found before stays in force while no newer report can be had.\n\n"
        "Reports are read whenever an image is judged, and again when the registry says that a "
        "scan has ended. A report that becomes stale does not bring its image back by itself: a "
        "new scan does, a push, or an operator.\n\n"
        "An exception that has ended is not honoured; the finding says when it ended. Who may "
        "push can attach a report, so one that was not verified is not believed unless the policy "
        "says `trust: any`, and then it can only add to what the registry's scanner found.",
    .remedy = "Update the packages that have vulnerabilities, then scan the image again.",
    .example =
        "rule: vulnerabilities\nwith:\n  severity: high\n  fixable-only: true\n  grace: 14d\n"
        "  max-report-age: 30d\n  exceptions:\n    - id: CVE-2030-1234\n      package: "
        "libfoo\n      until: 2030-06-30\n      reason: not reachable, see ticket 7\n"
        "on-fail: [tag, notify]\non-unknown: warn\n",
    .needs = FACT_BIT(FACT_MANIFEST),
    .wants = FACT_BIT(FACT_VULNERABILITIES),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct vulnerability_settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
