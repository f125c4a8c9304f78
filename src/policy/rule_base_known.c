/* Rule base-known: the image is built on a base of the catalogue, and says nothing else. */
#include "rules.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAME_SHOWN = 200 };

enum contradictions { CONTRADICTIONS_NONE, CONTRADICTIONS_NAMES, CONTRADICTIONS_ALL };
static const char *const contradiction_choices[] = {"none", "names", "all", NULL};

struct settings {
    bool allow_scratch;
    int contradictions;
};

static const struct param params[] = {
    {.name = "allow-scratch",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, allow_scratch),
     .fallback = "true",
     .help = "Whether an image may have no base at all. That is only ever a claim."},
    {.name = "contradictions",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, contradictions),
     .choices = contradiction_choices,
     .fallback = "names",
     .help = "Which claims fail when the layers say otherwise: `names` for those of another base, "
             "`all` for wrong digests of the right base as well, as buildah writes them with "
             "`--layers`."},
    {.name = NULL},
};

static void blame(struct finding *finding, enum evidence evidence)
{
    finding_set_evidence(finding, evidence);
    finding->origin = ORIGIN_BASE;
}

static void report_contradiction(const struct facts_base *base,
                                 const struct base_contradiction *item, struct rule_report *report)
{
    char digest[DIGEST_SHORT_SIZE];
    AUTO_FREE char *claimed =
        item->name ? text_printable(item->name, NAME_SHOWN)
                   : text_new("sha256:%s…", digest_format_short(&item->digest, digest));
    AUTO_FREE char *shown = base->name ? text_printable(base->name, NAME_SHOWN) : NULL;
    const char *source = evidence_name(item->source);
    struct finding *finding;

    if (item->conflict == BASE_CONFLICT_DIGEST)
        finding = rule_fail(report, "digest",
                            "by its %s the base is %s@sha256:%s…, but its layers are those of "
                            "another digest of it",
                            source, claimed, digest_format_short(&item->digest, digest));
    else
        finding = rule_fail(
            report, "claim", "by its %s the image is built on %s, but its layers %s%s", source,
            claimed, shown ? "begin with those of " : "do not begin with that image's",
            shown ? shown : "");
    finding_set_remedy(finding, "Take the wrong %s out of the build, or build on what it names.",
                       source);
    blame(finding, EVIDENCE_LAYERS);
}

static void report_contradictions(const struct settings *settings, const struct facts_base *base,
                                  struct rule_report *report)
{
    for (size_t i = 0; i < base->contradiction_count; i++) {
        const struct base_contradiction *item = &base->contradictions[i];

        if (settings->contradictions == CONTRADICTIONS_ALL ||
            (settings->contradictions == CONTRADICTIONS_NAMES &&
             item->conflict != BASE_CONFLICT_DIGEST))
            report_contradiction(base, item, report);
    }
}

static void report_unknown_base(const struct facts_base *base, struct rule_report *report)
{
    AUTO_FREE char *shown = text_printable(base->name ? base->name : "", NAME_SHOWN);

    if (!base->name)
        blame(rule_fail(report, "base", "the image begins with the layers of no known base"),
              EVIDENCE_LAYERS);
    else
        blame(
            rule_fail(
                report, "base", "the image is said to be built on %s, which is not known%s", shown,
                base->current.algorithm == DIGEST_NONE ? "" : " in the version that the image has"),
            base->evidence);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_base *base = &input->facts->base;

    report_contradictions(settings, base, report);
    if (text_equal(base->name, "scratch")) {
        if (!settings->allow_scratch)
            blame(rule_fail(report, "scratch", "the image is built from scratch"), base->evidence);
        return rule_judgement(report);
    }
    if (base->is_base)
        return rule_judgement(report); /* somebody has named it */
    if (base->known == ANSWER_NO)
        report_unknown_base(base, report);
    else if (base->known == ANSWER_UNKNOWN)
        blame(rule_unknown(report, "catalogue", "no bases are known to compare the image with"),
              EVIDENCE_NONE);
    return rule_judgement(report);
}

const struct rule_type rule_base_known = {
    .name = "base-known",
    .summary = "the image is built on a base of the catalogue",
    .description =
        "Compares the image's layers with those of all known bases (setting `bases`, `regwarden "
        "base`). That an image begins with the layers of a base cannot be made up, other than "
        "labels, annotations and unsigned provenance. What these claim is compared with the "
        "layers: a claim that the layers contradict is a finding. Labels that a base has set, and "
        "that speak of its own base, are no contradiction.\n\n"
        "Layers that were compressed anew are recognised by what is in them. Squashed images have "
        "no base that could be recognised, and fail. A base of the catalogue is known itself. "
        "Without a "
        "catalogue the rule is unknown.",
    .remedy = "Build FROM a base of the catalogue, without squashing, or add the base to it: "
              "`regwarden base add REF`.",
    .example = "rule: base-known\nwith:\n  contradictions: all\n",
    .needs = FACT_BIT(FACT_BASE),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
