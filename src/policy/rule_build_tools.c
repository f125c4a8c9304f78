/* Rule build-tools: the final image holds what runs, not what built it. Layers tell where they were
 * read, texts where they were not (build_tools_history.c). */
#include "rules.h"

#include "build_tools.h"
#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { TOOLS_SHOWN = 8 };

struct settings {
    struct hit_settings hits;
    struct text_list allow_runtimes;
    uint64_t headers_from;
    struct glob_list allow_runtime_globs;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow),
     .help = "Patterns of tools and packages that may stay, such as `make` or `lib*-dev`."},
    {.name = "allow-runtimes",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, allow_runtimes),
     .help = "Patterns of runtimes whose build kit may stay, such as `php`."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths where tools may stay, such as `opt/jdk/**`."},
    {.name = "headers-from",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, headers_from),
     .fallback = "1MB",
     .unit = "bytes",
     .help = "A layer with nothing but headers and static libraries counts from this size on."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, hits.include_base),
     .fallback = "false",
     .help = "Whether what layers and steps of the base brought counts too."},
    {.name = NULL},
};

static int prepare(void *block, const char **ret_param, struct error *err)
{
    struct settings *settings = block;

    if (hit_settings_prepare(&settings->hits, ret_param, err) < 0)
        return FAILURE_INPUT;
    *ret_param = "allow-runtimes";
    return glob_list_compile(&settings->allow_runtimes, &settings->allow_runtime_globs, err);
}

static void release(void *block)
{
    struct settings *settings = block;

    hit_settings_release(&settings->hits);
    glob_list_release(&settings->allow_runtime_globs);
}

/* Tools that help to look into a running container, or that packages drag along: reported, never
 * more than a warning. */
static const char *const light_names[] = {"gdb",   "git",        "mercurial", "node-gyp",
                                          "patch", "subversion", "strace"};

static bool is_light(const struct facts_hit *hit)
{
    if (hit->kind != SIGNAL_BUILD_TOOL)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(light_names); i++) {
        if (text_equal(light_names[i], hit->what))
            return true;
    }
    return false;
}

/* A header or two that a library brings along are no build kit. */
static enum hit_weight weigh(const struct settings *settings, const struct hit_group *group)
{
    enum hit_weight weight = HIT_NOTHING;
    uint64_t headers = 0;

    for (size_t i = 0; i < group->count; i++) {
        const struct facts_hit *hit = group->hits[i];

        if (is_light(hit))
            weight = HIT_WARNS;
        else if (hit->kind == SIGNAL_HEADERS)
            headers += hit->bytes;
        else
            return HIT_FAILS;
    }
    return headers > 0 && headers >= settings->headers_from ? HIT_FAILS : weight;
}

/* The runtime whose kit has the most bytes; that of the image when the tools are anybody's. */
static enum runtime runtime_of(const struct hit_group *group, const struct facts *facts)
{
    enum runtime runtime = RUNTIME_UNKNOWN;
    uint64_t bytes = 0;

    for (size_t i = 0; i < group->count; i++) {
        if (group->hits[i]->runtime != RUNTIME_UNKNOWN && group->hits[i]->bytes >= bytes) {
            runtime = group->hits[i]->runtime;
            bytes = group->hits[i]->bytes;
        }
    }
    return runtime == RUNTIME_UNKNOWN ? facts->runtime.runtime : runtime;
}

/* Slim bases of Node and Python hold headers, few own layers do. */
static bool only_headers(const struct hit_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->hits[i]->kind != SIGNAL_HEADERS)
            return false;
    }
    return true;
}

static void report_group(const struct settings *settings, const struct facts *facts,
                         struct rule_report *report, const struct hit_group *group)
{
    struct hit_report as = {.weight = weigh(settings, group),
                            .unknown_if_base = !settings->hits.include_base && only_headers(group),
                            .names_max = TOOLS_SHOWN};
    enum runtime runtime = runtime_of(group, facts);
    struct finding *finding;

    if (as.weight == HIT_NOTHING)
        return;
    as.brings = as.weight == HIT_WARNS ? "debugging tools that stay in the image"
                                       : "build tools that stay in the image";
    finding = hit_group_report(group, facts, report, &as);
    if (finding->origin == ORIGIN_BASE)
        finding_set_remedy(finding, "%s (The final stage starts from %s.)",
                           build_tools_pattern(runtime), build_tools_base(runtime));
    else
        finding_set_remedy(finding, "%s", build_tools_pattern(runtime));
}

static struct hit_choice choice_of(const struct settings *settings)
{
    return (struct hit_choice){
        .kinds = SIGNAL_BIT(SIGNAL_COMPILER) | SIGNAL_BIT(SIGNAL_BUILD_TOOL) |
                 SIGNAL_BIT(SIGNAL_HEADERS) | SIGNAL_BIT(SIGNAL_SDK),
        .settings = &settings->hits,
        .include_base = settings->hits.include_base,
    };
}

static void judge_layers(const struct settings *settings, const struct rule_input *input,
                         struct rule_report *report)
{
    const struct hit_choice choice = choice_of(settings);
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};

    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_LAYER, &groups);
    for (size_t i = 0; i < groups.count; i++)
        report_group(settings, input->facts, report, &groups.items[i]);
}

/* What of the kit is in layers that were not blamed yet: the base's. */
static uint64_t kit_bytes(const struct settings *settings, const struct rule_input *input)
{
    struct hit_choice choice = choice_of(settings);
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};
    uint64_t bytes = 0;

    choice.include_base = true;
    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_LAYER, &groups);
    for (size_t i = 0; i < groups.count; i++) {
        if (facts_layer_origin(input->facts, groups.items[i].layer) == ORIGIN_BASE)
            bytes += groups.items[i].visible_bytes;
    }
    return bytes;
}

static void report_sdk(const struct settings *settings, const struct rule_input *input,
                       struct rule_report *report)
{
    const struct facts *facts = input->facts;
    enum runtime runtime = facts->runtime.runtime;
    uint64_t bytes = settings->hits.include_base ? 0 : kit_bytes(settings, input);
    char shown[TEXT_NUMBER_SIZE];
    struct finding *finding;

    /* The layers that brought it are blamed already, and the base has nothing of it. */
    if (input->files && bytes == 0 && report->judgement != RULE_PASS)
        return;
    finding = rule_fail(report, "sdk", "the final image holds the build kit of %s%s%s",
                        runtime_name(runtime), bytes ? ": " : "",
                        bytes ? text_format_bytes(bytes, shown) : "");
    finding->origin = ORIGIN_BASE;
    finding->bytes = bytes;
    finding_set_evidence(finding, facts->runtime.evidence);
    finding_set_remedy(finding, "%s (The final stage starts from %s.)",
                       build_tools_pattern(runtime), build_tools_base(runtime));
}

/* The build kit of the language itself, mostly because the final stage is built on the SDK's image.
 */
static void judge_sdk(const struct settings *settings, const struct rule_input *input,
                      struct rule_report *report)
{
    const struct facts_runtime *runtime = &input->facts->runtime;
    struct finding *finding;

    if (glob_list_match(&settings->allow_runtime_globs, runtime_name(runtime->runtime)))
        return;
    switch (runtime->sdk) {
    case ANSWER_NO:
        return;
    case ANSWER_YES:
        report_sdk(settings, input, report);
        return;
    case ANSWER_UNKNOWN:
        /* What was found is an answer already, and so are layers that hold nothing; nothing found
         * in texts is none. */
        if (report->judgement == RULE_FAIL || (input->files && input->files->complete))
            return;
        finding = rule_unknown(report, "sdk",
                               "nothing in config and history says whether build "
                               "tools are in the image");
        finding_set_evidence(finding, runtime->evidence);
        return;
    }
}

/* No history, no steps: that none was found then means nothing. */
static void judge_silence(const struct rule_input *input, struct rule_report *report)
{
    rule_doubt_layers(report, input);
    if (report->judgement == RULE_PASS && !input->files &&
        input->facts->status[FACT_HISTORY].state == FACT_ABSENT)
        rule_unknown(report, "history",
                     "the image has no history: whether a step installed build "
                     "tools cannot be told");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;

    judge_layers(settings, input, report);
    build_tools_judge_history(&settings->hits.allow_globs, settings->hits.include_base, input,
                              report);
    judge_sdk(settings, input, report);
    judge_silence(input, report);
    return rule_judgement(report);
}

const struct rule_type rule_build_tools = {
    .name = "build-tools",
    .summary = "the final image holds no compilers, headers and build kits",
    .description =
        "With layers read: compilers, build systems, headers and SDKs that a container sees are "
        "named, put together by the layer that brought them, with the bytes and the history step. "
        "What a step installs and removes again is not in its layer and not blamed. What a later "
        "layer takes away is no tool of the image any more; the bytes that it still costs are for "
        "wasted-space.\n\n"
        "Layers of the base are passed over unless include-base says otherwise, but an SDK as base "
        "image always fails. Where it is not known whether a layer is the base's, it counts as "
        "own and the finding says so; headers alone are unknown then. Package managers (apt, pip, "
        "npm) are no build tools: distroless is for those. "
        "Git, patch, gdb, strace and their like, and node-gyp, only warn: they are there to look "
        "into containers, or because a package drags them along.\n\n"
        "Without layers it sees texts: the environment that SDK images set (Go, Rust, .NET, Maven "
        "and Gradle do; Node, Python, Ruby and PHP images do not tell), and own RUN steps that "
        "install build tools and do not remove packages again in the same step. What COPY or a "
        "download brought stays hidden then, and an image that says nothing is unknown, never "
        "passed.\n\n"
        "It cannot see tools under names or paths that nobody installs them to.",
    .remedy = "Build in a stage of its own and copy the result: `FROM golang AS build` … `FROM "
              "gcr.io/distroless/static` `COPY --from=build /app /app`.",
    .example = "rule: build-tools\nwith:\n  allow: [make]\non-unknown: warn\n",
    .needs = FACT_BIT(FACT_RUNTIME) | FACT_BIT(FACT_MANIFEST),
    .wants = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = prepare,
    .release = release,
    .judge = judge,
};
