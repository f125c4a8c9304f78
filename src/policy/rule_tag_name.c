/* Rule tag-name: tags follow the house's rules, and do not say "latest". */
#include "rules.h"

#include "glob.h"
#include "typed_text.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum tag_format { FORMAT_ANY, FORMAT_SEMVER, FORMAT_GIT_HASH };
static const char *const format_names[] = {
    [FORMAT_ANY] = "any", [FORMAT_SEMVER] = "semver", [FORMAT_GIT_HASH] = "git-hash", NULL};

struct settings {
    struct text_list allow;
    struct text_list deny;
    int format;
    struct glob_list allow_globs;
    struct glob_list deny_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow),
     .help = "Patterns of which a tag must match one, such as `v*` or `release-????`."},
    {.name = "deny",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, deny),
     .fallback = "[latest]",
     .help = "Patterns that no tag may match. `[]` denies nothing."},
    {.name = "format",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct settings, format),
     .choices = format_names,
     .fallback = "any",
     .help = "What a tag must look like: a semantic version (with or without `v`), or a git commit "
             "hash."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = "allow";
    if (glob_list_compile(&settings->allow, &settings->allow_globs, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "deny";
    return glob_list_compile(&settings->deny, &settings->deny_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    glob_list_release(&settings->allow_globs);
    glob_list_release(&settings->deny_globs);
}

/* What is wrong with the tag; NULL when nothing is. */
static const char *find_fault(const struct settings *settings, const char *tag)
{
    if (glob_list_match(&settings->deny_globs, tag))
        return "is denied by the policy";
    if (settings->allow.count > 0 && !glob_list_match(&settings->allow_globs, tag))
        return "matches none of the allowed patterns";
    if (settings->format == FORMAT_SEMVER && !text_type_check(TEXT_TYPE_SEMVER, tag))
        return "is not a semantic version";
    if (settings->format == FORMAT_GIT_HASH && !text_type_check(TEXT_TYPE_GIT_HASH, tag))
        return "is not a git commit hash";
    return NULL;
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const char *tag = input->placement->tag;
    const char *fault = tag ? find_fault(block, tag) : NULL;

    if (!fault)
        return RULE_PASS;
    AUTO_FREE char *shown = text_printable(tag, 128);
    struct finding *finding = rule_fail(report, tag, "the tag \"%s\" %s", shown, fault);
    finding_set_path(finding, tag);
    return rule_judgement(report);
}

const struct rule_type rule_tag_name = {
    .name = "tag-name",
    .summary = "tags have names that say what they are",
    .description = "Judges the tag under which the image stands, not the image. An untagged image "
                   "passes. By default only `latest` is refused: it says nothing about what it "
                   "points at, and never stands still.",
    .remedy = "Push under a tag that names one version and stays with it.",
    .example = "rule: tag-name\nwith:\n  allow: [\"v*\"]\n  deny: [latest, \"*-dirty\"]\n",
    .needs = FACT_BIT(FACT_PLACEMENT),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
