/* Rule attested: an image has its bill of materials, its provenance and what else a policy asks
 * for. Looks at what is there and whom it speaks of; no signature is verified. */
#include "rules.h"

#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/provenance.h"
#include "regwarden/text.h"

struct settings {
    bool sbom;
    bool provenance;
    bool mode_max;
    bool signature;
    struct text_list types;
};

static const struct param params[] = {
    {.name = "sbom",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, sbom),
     .fallback = "true",
     .help = "A bill of materials (SPDX, CycloneDX, Syft) must stand beside the image."},
    {.name = "provenance",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, provenance),
     .fallback = "true",
     .help = "A SLSA provenance must speak of the image or of its index."},
    {.name = "mode-max",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, mode_max),
     .fallback = "false",
     .help = "BuildKit's provenance must be of mode max: with the build graph and the Dockerfile, "
             "from which the base and its pin are read."},
    {.name = "signature",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, signature),
     .fallback = "false",
     .help = "A signature, or a signed statement, must be there. It is not verified."},
    {.name = "types",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, types),
     .help = "Predicate or artifact types that must be there, such as "
             "`https://slsa.dev/verification_summary/v1`. One that ends with `/` stands for all "
             "that begin so."},
    {.name = NULL},
};

/* What is missing is known to be missing only when all was read. */
static void miss(struct rule_report *report, const struct rule_input *input, enum fact_group group,
                 const char *subject, const char *what)
{
    const struct fact_status *status = &input->facts->status[group];
    struct finding *finding;

    if (status->state == FACT_PRESENT) {
        finding = rule_fail(report, subject, "%s", what);
    } else {
        AUTO_FREE char *reason = text_printable(status->reason ? status->reason : "", 200);

        finding = rule_unknown(report, subject, "%s, but not all could be read: %s", what, reason);
        report->later = true;
    }
    finding_set_evidence(finding, EVIDENCE_PROVENANCE);
}

static bool has_kind(const struct facts_referrers *referrers, enum referrer_kind kind)
{
    for (size_t i = 0; referrers && i < referrers->count; i++)
        if (referrers->items[i].kind == kind)
            return true;
    return false;
}

static bool has_signature(const struct facts_referrers *referrers)
{
    for (size_t i = 0; referrers && i < referrers->count; i++)
        if (referrers->items[i].enveloped)
            return true;
    return false;
}

static bool has_type(const struct facts_referrers *referrers, const char *wanted)
{
    bool below = text_ends_with(wanted, "/");

    for (size_t i = 0; referrers && i < referrers->count; i++) {
        const char *type = referrers->items[i].type;

        if (type && (below ? text_starts_with(type, wanted) : text_equal(type, wanted)))
            return true;
    }
    return false;
}

static bool speaks_of_others(const struct facts_provenance *provenance)
{
    for (size_t i = 0; provenance && i < provenance->count; i++)
        if (provenance->statements[i].is_provenance)
            return true;
    return false;
}

static bool has_mode(const struct facts_provenance *provenance, enum provenance_mode mode)
{
    for (size_t i = 0; provenance && i < provenance->count; i++) {
        const struct provenance *statement = &provenance->statements[i];

        if (statement->is_provenance && statement->subject >= SUBJECT_INDEX &&
            statement->mode == mode)
            return true;
    }
    return false;
}

static void judge_mode(struct rule_report *report, const struct rule_input *input)
{
    const struct facts_provenance *provenance = input->facts->provenance;
    struct finding *finding;

    if (has_mode(provenance, PROVENANCE_MODE_MAX))
        return;
    if (has_mode(provenance, PROVENANCE_MODE_MIN)) {
        miss(report, input, FACT_PROVENANCE, "mode", "the provenance is of mode min");
        return;
    }
    finding = rule_unknown(report, "mode",
                           "the provenance is of a builder whose statements have no modes");
    finding_set_evidence(finding, EVIDENCE_PROVENANCE);
}

static void judge_provenance(const struct settings *settings, const struct rule_input *input,
                             struct rule_report *report)
{
    const struct facts_provenance *provenance = input->facts->provenance;

    if (provenance_best(provenance)) {
        if (settings->mode_max)
            judge_mode(report, input);
        return;
    }
    miss(report, input, FACT_PROVENANCE, "provenance",
         speaks_of_others(provenance) ? "the provenance that is there speaks of another image"
                                      : "the image has no provenance");
}

static void judge_types(const struct settings *settings, const struct rule_input *input,
                        struct rule_report *report)
{
    for (size_t i = 0; i < settings->types.count; i++) {
        const char *type = settings->types.items[i];

        if (!has_type(input->facts->referrers, type)) {
            AUTO_FREE char *what = text_new("nothing of type %s stands beside the image", type);

            miss(report, input, FACT_REFERRERS, type, what);
        }
    }
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_referrers *referrers = input->facts->referrers;

    if (settings->sbom && !has_kind(referrers, REFERRER_SBOM))
        miss(report, input, FACT_REFERRERS, "sbom", "the image has no bill of materials (SBOM)");
    if (settings->provenance || settings->mode_max)
        judge_provenance(settings, input, report);
    if (settings->signature && !has_signature(referrers))
        miss(report, input, FACT_REFERRERS, "signature", "nothing that is signed names the image");
    judge_types(settings, input, report);
    return rule_judgement(report);
}

static unsigned wants_of(const void *block, const struct facts *facts)
{
    const struct settings *settings = block;
    bool statements = settings->provenance || settings->mode_max;
    bool others = settings->sbom || settings->signature || settings->types.count > 0;

    (void)facts;
    return (statements ? FACT_BIT(FACT_PROVENANCE) : 0) | (others ? FACT_BIT(FACT_REFERRERS) : 0);
}

const struct rule_type rule_attested = {
    .name = "attested",
    .summary = "an SBOM, provenance and other attestations stand beside the image",
    .description =
        "Looks for what others say of the image: the attestations that its index lists (BuildKit), "
        "referrers of the image and of its index, and the tags that cosign makes. A provenance "
        "counts when its subject is the image or its index.\n\n"
        "It is seen that a signature is there; whether it is good is not verified, and what is not "
        "signed can be written by everybody who may push. When something could not be read, what "
        "is missing is unknown and not failed.",
    .remedy = "Build with `docker buildx build --attest type=sbom --attest "
              "type=provenance,mode=max`, and sign with cosign or notation.",
    .example = "rule: attested\nwith:\n  sbom: true\n  mode-max: true\non-unknown: retry\n",
    .needs = FACT_BIT(FACT_MANIFEST),
    .wants = FACT_BIT(FACT_REFERRERS) | FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .wants_of = wants_of,
    .judge = judge,
};
