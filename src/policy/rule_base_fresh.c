/* Rule base-fresh: the image is built on what the base's name names today, or did a short while
 * ago. */
#include "rules.h"

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* Reproducible builds write a fixed date: the year 1, 1970 or 1980. */
#define FIRST_BELIEVABLE_MS ((int64_t)347155200 * 1000)

enum { NAME_SHOWN = 200 };

struct settings {
    int64_t grace_ms;
    int64_t max_age_ms;
    bool any_name;
};

static const struct param params[] = {
    {.name = "grace",
     .type = PARAM_DURATION,
     .offset = offsetof(struct settings, grace_ms),
     .fallback = "14d",
     .max = 3650 * DAY_MS,
     .help = "How long images may stay on a base that was superseded."},
    {.name = "max-age",
     .type = PARAM_DURATION,
     .offset = offsetof(struct settings, max_age_ms),
     .fallback = "0",
     .max = 3650 * DAY_MS,
     .help = "How old the base itself may be, from when it was built or, where it does not say so "
             "believably, from when it was first seen. 0: any age."},
    {.name = "any-name",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, any_name),
     .fallback = "false",
     .help = "When the image does not say under which of its names the base was used: whether it "
             "is superseded as soon as one of them names another image. Otherwise it is when all "
             "of them do: `latest` moves on to another line."},
    {.name = NULL},
};

static enum judgement finish(struct rule_report *report, struct finding *finding,
                             const struct facts_base *base)
{
    finding_set_evidence(finding, base->evidence);
    finding->origin = ORIGIN_BASE;
    return rule_judgement(report);
}

/* The name that moved first, when any counts. */
static int64_t superseded_ms(const struct settings *settings, const struct facts_base *base,
                             const char **ret_name, const struct digest **ret_current)
{
    int64_t first_ms = base->superseded_ms;

    *ret_name = base->name;
    *ret_current = &base->current;
    for (size_t i = 0; settings->any_name && i < base->alias_count; i++) {
        const struct base_alias *alias = &base->aliases[i];

        if (!alias->superseded_ms || (first_ms && alias->superseded_ms >= first_ms))
            continue;
        first_ms = alias->superseded_ms;
        *ret_name = alias->name;
        *ret_current = &alias->current;
    }
    return first_ms;
}

static void judge_name(const struct settings *settings, const struct rule_input *input,
                       struct rule_report *report)
{
    const struct facts_base *base = &input->facts->base;
    char since[CLOCK_TEXT_SIZE];
    char digest[DIGEST_SHORT_SIZE];
    char grace[TEXT_NUMBER_SIZE];
    const struct digest *current;
    const char *name;
    int64_t at_ms = superseded_ms(settings, base, &name, &current);
    AUTO_FREE char *shown = NULL;
    struct finding *finding;

    if (!at_ms || input->now_ms - at_ms <= settings->grace_ms)
        return;
    shown = text_printable(name ? name : "the base", NAME_SHOWN);
    finding = rule_fail(
        report, "base", "%s names another image (sha256:%s…) since %s; the grace of %s is over",
        shown, digest_format_short(current, digest), clock_format_rfc3339(at_ms, since),
        text_format_duration(settings->grace_ms, grace));
    finding_set_remedy(finding, "Rebuild the image on %s as it is today.", shown);
    finish(report, finding, base);
}

static void judge_age(const struct settings *settings, const struct rule_input *input,
                      struct rule_report *report)
{
    const struct facts_base *base = &input->facts->base;
    bool believable = base->has_created && base->created_ms >= FIRST_BELIEVABLE_MS &&
                      base->created_ms <= input->now_ms + DAY_MS;
    int64_t from_ms = believable ? base->created_ms : base->since_ms;
    char age[TEXT_NUMBER_SIZE];
    char limit[TEXT_NUMBER_SIZE];

    if (settings->max_age_ms == 0)
        return;
    if (from_ms == 0) {
        finish(report,
               rule_unknown(report, "age", "how old the base is cannot be told: it is not known"),
               base);
        return;
    }
    if (input->now_ms - from_ms <= settings->max_age_ms)
        return;
    AUTO_FREE char *shown = text_printable(base->name ? base->name : "of no name", NAME_SHOWN);
    finish(report,
           rule_fail(report, "age", "the base %s was %s %s ago; %s are allowed", shown,
                     believable ? "built" : "first seen",
                     text_format_duration(input->now_ms - from_ms, age),
                     text_format_duration(settings->max_age_ms, limit)),
           base);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct facts_base *base = &input->facts->base;

    if (text_equal(base->name, "scratch"))
        return RULE_PASS;
    if (base->known == ANSWER_UNKNOWN)
        return finish(report,
                      rule_unknown(report, "catalogue",
                                   "no bases are known that could tell whether this one is fresh"),
                      base);
    if (base->known == ANSWER_NO && !digest_is_set(&base->current)) {
        AUTO_FREE char *shown = text_printable(base->name ? base->name : "of no name", NAME_SHOWN);

        return finish(report,
                      rule_unknown(report, "base",
                                   "the base %s is not known: whether it is fresh cannot be told",
                                   shown),
                      base);
    }
    judge_name(settings, input, report);
    judge_age(settings, input, report);
    return rule_judgement(report);
}

const struct rule_type rule_base_fresh = {
    .name = "base-fresh",
    .summary = "the image is built on what its base's name names today",
    .description =
        "Asks the catalogue of bases, which follows the tags of the base repositories (setting "
        "`bases`): once the base's name names another image for longer than the grace, the image "
        "is out of date, for it lacks what the base has got since, security fixes first. The base "
        "is known by its layers where possible, else by the name that the image claims, and the "
        "finding says which. An image from scratch has nothing to follow.\n\n"
        "A base that the catalogue does not hold is unknown, never passed. A base that was pinned "
        "by digest gets old like any other.",
    .remedy = "Rebuild the image on the base of today, and do so by a robot.",
    .example = "rule: base-fresh\nwith:\n  grace: 14d\n  max-age: 90d\n",
    .needs = FACT_BIT(FACT_BASE),
    .wants = FACT_BIT(FACT_PROVENANCE),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .judge = judge,
};
