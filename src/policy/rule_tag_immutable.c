/* Rule tag-immutable: a tag, once pushed, stays with its digest. */
#include "rules.h"

#include "glob.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct text_list except;
    struct glob_list except_globs;
};

static const struct param params[] = {
    {.name = "except",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, except),
     .help = "Patterns of tags that may move, such as `latest` or `*-dev`."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "except";
    return glob_list_compile(&settings->except, &settings->except_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->except_globs);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct placement *placement = input->placement;
    struct finding *finding;
    char before[DIGEST_SHORT_SIZE];
    char now[DIGEST_SHORT_SIZE];

    if (!placement->tag || placement->has_no_record ||
        glob_list_match(&settings->except_globs, placement->tag))
        return RULE_PASS;
    if (placement->previous_is_known && (!digest_is_set(&placement->previous) ||
                                         digest_equal(&placement->previous, &placement->digest)))
        return RULE_PASS;
    AUTO_FREE char *tag = text_printable(placement->tag, 128);
    if (!placement->previous_is_known) {
        rule_unknown(report, placement->tag, "nothing tells what the tag \"%s\" pointed at before",
                     tag);
        report->later = true;
        return rule_judgement(report);
    }
    finding = rule_fail(report, placement->tag, "the tag \"%s\" was moved from %s to %s", tag,
                        digest_format_short(&placement->previous, before),
                        digest_format_short(&placement->digest, now));
    finding_set_path(finding, placement->tag);
    return rule_judgement(report);
}

const struct rule_type rule_tag_immutable = {
    .name = "tag-immutable",
    .summary = "a tag stays with the image it was pushed for",
    .description =
        "Compares the digest under the tag with the one that it pointed at before, as regwarden "
        "has seen it. The first image of a tag passes. Where nothing was recorded about the tag "
        "the rule is unknown: regwarden cannot know what happened before it came. "
        "`regwarden check` keeps no record of tags, so there the rule has nothing to say.",
    .remedy = "Push every build under a tag of its own, and deploy by digest.",
    .example = "rule: tag-immutable\nwith:\n  except: [latest, \"*-dev\"]\n",
    .needs = FACT_BIT(FACT_PLACEMENT),
    .severity = SEVERITY_HIGH,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
