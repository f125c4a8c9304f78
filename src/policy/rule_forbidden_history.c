/* Rule forbidden-history: steps that an image must not have been built with. What each check looks
 * for is history_checks.c; here it is chosen which of them count, and who is blamed. */
#include "rules.h"

#include <string.h>

#include "history_checks.h"
#include "names.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { STEP_TEXT_SHOWN = 160 };

struct settings {
    struct text_list checks;
    struct text_list except;
    bool include_base;
    unsigned mask; /* CHECK_BITs */
};

static const struct param params[] = {
    {.name = "checks",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, checks),
     .fallback = "[apk-cache, dist-upgrade, package-lists, pipe-shell, rpm-cache, sudo, "
                 "update-alone, zypper-cache]",
     .help = "What is forbidden: add-local, apk-cache, apt-recommends, apt-yes, dist-upgrade, "
             "maintainer, package-lists, pip-cache, pipe-shell, rpm-cache, sudo, update-alone, "
             "zypper-cache; `all` for all of them."},
    {.name = "except",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, except),
     .help = "Checks that are left out after all."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, include_base),
     .fallback = "false",
     .help = "Whether steps of the base image are judged too."},
    {.name = NULL},
};

static int read_checks(const struct text_list *names, unsigned *ret, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        int check = name_find(history_check_names, names->items[i]);
        const char *near = text_suggest(names->items[i], history_check_names);

        if (text_equal(names->items[i], "all")) {
            *ret |= CHECK_BIT(HISTORY_CHECK_COUNT) - 1;
        } else if (check >= 0) {
            *ret |= CHECK_BIT(check);
        } else {
            AUTO_FREE char *shown = text_printable(names->items[i], 40);
            if (near)
                return error_set(err, FAILURE_INPUT, "there is no check '%s', did you mean '%s'?",
                                 shown, near);
            error_set(err, FAILURE_INPUT, "there is no check '%s'", shown);
            return error_hint(err, "`regwarden rules forbidden-history` lists them");
        }
    }
    return 0;
}

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;
    unsigned except = 0;

    *ret_param = "checks";
    if (read_checks(&settings->checks, &settings->mask, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "except";
    if (read_checks(&settings->except, &except, err) < 0)
        return FAILURE_INPUT;
    settings->mask &= ~except;
    *ret_param = NULL;
    if (settings->mask == 0)
        return error_set(err, FAILURE_INPUT, "forbidden-history without checks forbids nothing");
    return 0;
}

/* Builders that run no shell: that their steps hold none is an answer. */
static bool runs_no_shell(enum image_builder builder)
{
    switch (builder) {
    case BUILDER_JIB:
    case BUILDER_KO:
    case BUILDER_APKO:
    case BUILDER_BAZEL:
    case BUILDER_NIX:
    case BUILDER_BUILDPACKS:
        return true;
    case BUILDER_UNKNOWN:
    case BUILDER_CLASSIC:
    case BUILDER_BUILDKIT:
    case BUILDER_BUILDAH:
    case BUILDER_KANIKO:
        return false;
    }
    return false;
}

/* Does history say anything at all? */
static bool is_silent(const struct facts_history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        if (history->steps[i].text && history->steps[i].text[0] != '\0')
            return false;
    }
    return !runs_no_shell(history->builder);
}

static void report_check(struct rule_report *report, const struct facts *facts, int step,
                         enum history_check check, const char *doubt)
{
    const char *text = facts->history.steps[step].text ? facts->history.steps[step].text : "";
    AUTO_FREE char *shown = finding_step_text(text, STEP_TEXT_SHOWN);
    AUTO_FREE char *subject = text_new("%s\n%s", history_check_names[check], text);
    struct finding *finding;

    if (doubt)
        finding =
            rule_unknown(report, subject, "%s: perhaps %s, but %s: %s", history_check_names[check],
                         history_check_message(check), doubt, shown);
    else
        finding = rule_fail(report, subject, "%s: %s: %s", history_check_names[check],
                            history_check_message(check), shown);
    finding_set_step(finding, facts, step);
    finding_set_path(finding, history_check_names[check]);
    finding_set_evidence(finding, EVIDENCE_HISTORY);
    finding_set_remedy(finding, "%s", history_check_remedy(check));
}

static void judge_step(const struct settings *settings, const struct facts *facts, int index,
                       struct rule_report *report)
{
    const struct step *step = &facts->history.steps[index];
    struct history_hits hits;
    bool open = !settings->include_base && step->origin == ORIGIN_UNKNOWN;

    if (!settings->include_base && step->origin == ORIGIN_BASE)
        return;
    hits = history_check_step(facts, step);
    hits.fails &= settings->mask;
    hits.unknown &= settings->mask;
    if ((hits.fails | hits.unknown) == 0)
        return;
    for (int check = 0; check < HISTORY_CHECK_COUNT; check++) {
        if (hits.fails & CHECK_BIT(check))
            report_check(report, facts, index, (enum history_check)check,
                         open ? "the step may be the base's" : NULL);
        if (hits.unknown & CHECK_BIT(check))
            report_check(report, facts, index, (enum history_check)check,
                         "history does not say enough");
    }
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct facts *facts = input->facts;

    if (is_silent(&facts->history)) {
        rule_unknown(report, "silent", "the image's history does not say how it was built");
        return rule_judgement(report);
    }
    for (size_t i = 0; i < facts->history.count; i++)
        judge_step(block, facts, (int)i, report);
    return rule_judgement(report);
}

const struct rule_type rule_forbidden_history = {
    .name = "forbidden-history",
    .summary = "the image was not built with steps that are known to go wrong",
    .description =
        "Reads the build steps in the image's history. RUN steps are taken apart into commands, so "
        "that what the same step cleans up again does not count, and a word that is only an "
        "argument is not taken for a command.\n\n"
        "History proves presence, never absence: it is text that the builder wrote. Cache mounts "
        "are not recorded; an image whose steps switch off Docker's clean-up of apt, as those do "
        "that use them, is unknown for package-lists. The classic builder writes hashes for what "
        "it added, so a file cannot be told from an archive or download there, and add-local is "
        "unknown; a directory can.\n\n"
        "Own steps are judged. A step of which it is not known whether it is the base's is "
        "unknown. "
        "With include-base all steps are judged.",
    .remedy = "Change the step that the finding names.",
    .example = "rule: forbidden-history\nwith:\n  checks: [sudo, package-lists, pipe-shell]\n",
    .needs = FACT_BIT(FACT_HISTORY),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .judge = judge,
};
