/* Rule distroless: nothing in the image to run commands with or to install more. */
#include "rules.h"

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAMES_SHOWN = 10 };

struct settings {
    struct hit_settings hits;
    bool shell;
    bool package_manager;
};

static const struct param params[] = {
    {.name = "shell",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, shell),
     .fallback = "true",
     .help = "Whether a shell in the image is a fault."},
    {.name = "package-manager",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, package_manager),
     .fallback = "true",
     .help = "Whether a package manager in the image is a fault."},
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow),
     .help = "Patterns of names that may stay, such as `pip` or `busybox`."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths where they may stay."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    *ret_param = NULL;
    if (!settings->shell && !settings->package_manager)
        return error_set(err, FAILURE_INPUT,
                         "distroless that looks for neither shells nor package managers allows "
                         "everything");
    return hit_settings_prepare(&settings->hits, ret_param, err);
}

static void judge_kind(const struct settings *settings, enum signal_kind kind,
                       const struct rule_input *input, struct rule_report *report)
{
    const struct hit_choice choice = {
        .kinds = SIGNAL_BIT(kind), .settings = &settings->hits, .include_base = true};
    const struct hit_report as = {.weight = HIT_FAILS,
                                  .brings = kind == SIGNAL_SHELL ? "a shell" : "a package manager",
                                  .names_max = NAMES_SHOWN};
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};

    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_LAYER, &groups);
    for (size_t i = 0; i < groups.count; i++)
        hit_group_report(&groups.items[i], input->facts, report, &as);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;

    if (settings->shell)
        judge_kind(settings, SIGNAL_SHELL, input, report);
    if (settings->package_manager)
        judge_kind(settings, SIGNAL_PACKAGE_MANAGER, input, report);
    return rule_judgement(report);
}

const struct rule_type rule_distroless = {
    .name = "distroless",
    .summary = "the image holds no shell and no package manager",
    .description =
        "Looks for shells (sh, bash, dash, ash, busybox and others) and package managers (apt, "
        "dpkg, apk, dnf, rpm, zypper, pacman, npm, yarn, pip, gem, bundler, composer, conda and "
        "others) that a container of the image could run, in layers of the base too. Whoever gets "
        "into such a container finds nothing to work with.\n\n"
        "It goes by the usual paths: a shell under another name, or a program that holds one, "
        "stays unseen.",
    .remedy = "Start the final stage from scratch or from a distroless base "
              "(gcr.io/distroless/…, cgr.dev/chainguard/…), and copy the result of a build stage "
              "into it.",
    .example = "rule: distroless\nwith:\n  package-manager: false\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = hit_settings_release,
    .judge = judge,
};
