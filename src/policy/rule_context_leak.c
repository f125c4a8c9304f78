/* Rule context-leak: what only the build context is for stays out of the image. */
#include "rules.h"

#include <string.h>

#include "hits.h"
#include "run_step.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct settings {
    struct hit_settings hits;
    bool node_modules;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow),
     .help = "Patterns of leaks that are accepted, as findings name them, such as `dockerfile`."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths where they may be, such as `srv/templates/**`."},
    {.name = "node-modules",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, node_modules),
     .fallback = "true",
     .help = "Whether node_modules that were copied in beside an install count as a leak."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, hits.include_base),
     .fallback = "false",
     .help = "Whether leaks in layers of the base count too."},
    {.name = NULL},
};

static void report_group(const struct facts *facts, struct rule_report *report,
                         const struct hit_group *group)
{
    /* The first path: which copy is the largest may change from build to build. */
    AUTO_FREE char *subject = text_new("%s\n%s", group->hits[0]->what, group->hits[0]->path);
    AUTO_FREE char *path = text_printable(group->largest->path, 120);
    AUTO_FREE char *more = group->count > 1 ? text_new(" and %zu more", group->count - 1) : NULL;
    AUTO_FREE char *brings = text_new("/%s%s, which %s to the build context", path,
                                      more ? more : "", more ? "belong" : "belongs");
    const struct hit_report as = {
        .weight = HIT_FAILS, .brings = brings, .subject = subject, .names_max = 1};
    struct finding *finding = hit_group_report(group, facts, report, &as);

    if (group->visible_files == 0)
        finding_set_remedy(finding,
                           "Put it into .dockerignore: to remove it in a later step leaves it in "
                           "the layer that brought it, for all who can pull.");
}

static void judge_hits(const struct settings *settings, const struct rule_input *input,
                       struct rule_report *report)
{
    const struct hit_choice choice = {.kinds = SIGNAL_BIT(SIGNAL_CONTEXT_LEAK),
                                      .settings = &settings->hits,
                                      .include_base = settings->hits.include_base,
                                      .hidden_too = true};
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};

    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_NAME, &groups);
    for (size_t i = 0; i < groups.count; i++)
        report_group(input->facts, report, &groups.items[i]);
}

/* --- node_modules that were copied although a step installs them --- */

static void watch(void *argument, const struct run_command *command)
{
    static const char *const programs[] = {"npm", "yarn", "pnpm"};
    const struct shell_command *shell = command->shell;
    bool *installs = argument;

    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        const struct shell_word *verb = &shell->words[command->program + 1];

        if (!run_command_is(command, programs[i]))
            continue;
        if (command->program + 1 >= shell->count)
            *installs = *installs || text_equal(programs[i], "yarn");
        else if (shell_word_is(verb, "ci") || shell_word_is(verb, "i") ||
                 shell_word_is(verb, "install"))
            *installs = true;
    }
}

static bool installs_modules(const struct step *step)
{
    bool installs = false;

    if (step->kind == STEP_RUN && step->text && step->origin != ORIGIN_BASE)
        run_script_each(step->text, watch, &installs);
    return installs;
}

static bool has_install(const struct facts *facts)
{
    for (size_t i = 0; i < facts->history.count; i++) {
        if (installs_modules(&facts->history.steps[i]))
            return true;
    }
    return false;
}

static bool was_copied(const struct facts *facts, int layer)
{
    int step = facts_layer_step(facts, layer);
    enum step_kind kind = step < 0 ? STEP_OTHER : facts->history.steps[step].kind;

    return (kind == STEP_COPY || kind == STEP_ADD) &&
           facts_layer_origin(facts, layer) != ORIGIN_BASE;
}

static bool is_module(const char *path)
{
    return strstr(path, "/node_modules/") || text_starts_with(path, "node_modules/");
}

/* The layer of a COPY that holds modules, visible or not; -1 when there is none. */
static int copied_modules(const struct settings *settings, const struct facts *facts,
                          const char **ret_path)
{
    const struct facts_files *files = facts->files;

    for (size_t i = 0; i < files->package_count; i++) {
        const struct facts_package *package = &files->packages[i];

        if (package->manager == PACKAGE_NPM && is_module(package->path) &&
            was_copied(facts, package->layer) &&
            !path_list_match(&settings->hits.allow_path_globs, package->path)) {
            *ret_path = package->path;
            return package->layer;
        }
    }
    for (size_t i = 0; i < files->wasted_count; i++) {
        const struct facts_top *top = &files->wasted[i];

        if (is_module(top->path) && was_copied(facts, top->layer) &&
            !path_list_match(&settings->hits.allow_path_globs, top->path)) {
            *ret_path = top->path;
            return top->layer;
        }
    }
    return -1;
}

static void judge_modules(const struct settings *settings, const struct facts *facts,
                          struct rule_report *report)
{
    const char *path = NULL;
    AUTO_TEXT struct text place = {0};
    struct finding *finding;
    int layer;

    if (!settings->node_modules || !has_install(facts))
        return;
    layer = copied_modules(settings, facts, &path);
    if (layer < 0)
        return;
    layer_describe(facts, layer, &place);
    finding = rule_fail(report, "node_modules",
                        "%s copies node_modules of the build machine, beside a step that installs "
                        "them",
                        text_data(&place));
    finding_set_layer(finding, facts, layer);
    finding_set_path(finding, path);
    finding_set_evidence(finding, EVIDENCE_LAYERS);
    finding_set_remedy(finding, "Put node_modules into .dockerignore.");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    judge_hits(block, input, report);
    judge_modules(block, input->facts, report);
    return rule_judgement(report);
}

const struct rule_type rule_context_leak = {
    .name = "context-leak",
    .summary = "what only the build context is for is not in any layer",
    .description =
        "Looks in own layers for what a COPY of the whole directory drags along: .git and other "
        "version control, editors' directories, CI files, Dockerfile, compose files, "
        ".dockerignore, .DS_Store, .terraform, results of tests. A .git directory holds every file "
        "that the project ever had, deleted secrets too.\n\n"
        "What a later step deletes is found all the same: its layer is still served, and the "
        "finding says which one it is. Files inside of libraries (node_modules, site-packages, "
        "vendor, usr/lib) do not count, since packages bring such files along for their own "
        "reasons. node_modules that a COPY brought are a leak where an own RUN installs them "
        "too. Layers of which it is not known whose they are count as own.\n\n"
        "It goes by names: sources and tests of the application itself look like any other file. "
        ".env files, keys and credentials are for the rule secrets.",
    .remedy = "Put it into .dockerignore, or copy only what is needed: `COPY package.json src ./`.",
    .example = "rule: context-leak\nwith:\n  allow: [dockerfile]\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = hit_settings_prepare,
    .release = hit_settings_release,
    .judge = judge,
};
