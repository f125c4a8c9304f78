/* Rule base-pinned: FROM names its image by digest, so that the same Dockerfile gives the same
 * base. Judged by the best evidence there is; without any it is unknown. */
#include <assert.h>

#include "rules.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    int min_evidence;
};

static const struct param params[] = {
    {.name = "min-evidence",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, min_evidence),
     .choices = rule_evidence_choices,
     .fallback = "none",
     .help = "A pin that is known by less than this is unknown. Labels are inherited by child "
             "images and may speak of a grandparent."},
    {.name = NULL},
};

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_base *base = &input->facts->base;
    AUTO_FREE char *name = NULL;
    struct finding *finding = NULL;

    bool enough = base->pinned_evidence >= rule_evidence_of_choice(settings->min_evidence);

    if (enough && (base->pinned == ANSWER_YES || text_equal(base->name, "scratch")))
        return RULE_PASS;
    name = text_printable(base->name ? base->name : "of unknown name", 200);
    switch (text_equal(base->name, "scratch") ? ANSWER_YES : base->pinned) {
    case ANSWER_YES:
        finding = rule_unknown(report, "base", "the base %s is said to be pinned, but by %s only",
                               name, evidence_name(base->pinned_evidence));
        break;
    case ANSWER_NO:
        finding = rule_fail(report, "base", "the base %s is not pinned by digest", name);
        break;
    case ANSWER_UNKNOWN:
        finding = rule_unknown(report, "base",
                               "nothing says whether the base %s was pinned by digest", name);
        finding_set_remedy(finding,
                           "Build with provenance attestations (mode=max), or annotate the "
                           "image with its base's name and digest.");
        break;
    }
    assert(finding);
    finding_set_evidence(finding, base->pinned_evidence);
    finding->origin = ORIGIN_BASE;
    return rule_judgement(report);
}

const struct rule_type rule_base_pinned = {
    .name = "base-pinned",
    .summary = "the base image is pinned by digest",
    .description =
        "Asks whether FROM was written with a digest. Build history does not record it, so the "
        "answer comes from provenance, annotations or labels, and the finding names which. "
        "An image from scratch has nothing to pin.\n\n"
        "Where nothing speaks of the base the rule is unknown, never passed.",
    .remedy = "Write `FROM name:tag@sha256:…` and let a bot raise the digest.",
    .example = "rule: base-pinned\nid: pinned\non-unknown: warn\n",
    .needs = FACT_BIT(FACT_BASE),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
