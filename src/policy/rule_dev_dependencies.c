/* Rule dev-dependencies: packages that are for developing and testing stay out of the image. */
#include "rules.h"

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAMES_SHOWN = 10 };

struct settings {
    struct hit_settings hits;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow),
     .help = "Patterns of packages that may stay, such as `typescript` or `@babel/**`."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths where they may stay, such as `opt/tools/**`."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, hits.include_base),
     .fallback = "false",
     .help = "Whether packages in layers of the base count too."},
    {.name = NULL},
};

/* Packages that others need at run time often enough: type declarations, bundlers behind a web
 * framework, browsers that a service drives. Alone they are no proof. */
static const char *const ambiguous[] = {
    "@babel/core", "@types",     "concurrently",    "coverage", "esbuild",   "hypothesis",
    "ipykernel",   "jupyterlab", "playwright-core", "pry",      "puppeteer", "rollup",
    "sphinx",      "vite",       "webpack"};

static enum hit_weight weigh(const struct hit_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        bool clear = true;

        for (size_t j = 0; j < ARRAY_COUNT(ambiguous); j++)
            clear = clear && !text_equal(group->hits[i]->what, ambiguous[j]);
        if (clear)
            return HIT_FAILS;
    }
    return HIT_WARNS;
}

static enum runtime runtime_of(const struct hit_group *group, const struct facts *facts)
{
    return group->largest->runtime == RUNTIME_UNKNOWN ? facts->runtime.runtime
                                                      : group->largest->runtime;
}

static const char *const remedies[RUNTIME_STATIC + 1] = {
    [RUNTIME_NODE] =
        "Install with `npm ci --omit=dev` (`yarn install --production`, `pnpm install "
        "--prod`), or build in a stage of its own and run `npm prune --omit=dev` before "
        "node_modules is copied.",
    [RUNTIME_PYTHON] =
        "Keep test and lint packages in a requirements file (or extra) of their own, "
        "and install only the other one: `pip install --no-cache-dir -r "
        "requirements.txt`, `poetry install --only main`, `uv sync --no-dev`.",
    [RUNTIME_RUBY] = "`bundle config set without 'development test'` before `bundle install`.",
    [RUNTIME_PHP] = "`composer install --no-dev --optimize-autoloader`.",
    [RUNTIME_JAVA] =
        "Give test libraries the scope `test` (Gradle: `testImplementation`), and copy "
        "the packed application only.",
    [RUNTIME_DOTNET] = "Publish the application's project only (`dotnet publish src/App`), not the "
                       "solution with its tests.",
};

static void report_group(const struct facts *facts, struct rule_report *report,
                         const struct hit_group *group)
{
    const struct hit_report as = {
        .weight = weigh(group),
        .brings = weigh(group) == HIT_WARNS ? "packages that are mostly for development"
                                            : "packages for development and tests",
        .names_max = NAMES_SHOWN,
    };
    const char *remedy = remedies[runtime_of(group, facts)];
    struct finding *finding = hit_group_report(group, facts, report, &as);

    if (remedy)
        finding_set_remedy(finding, "%s", remedy);
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct hit_choice choice = {.kinds = SIGNAL_BIT(SIGNAL_DEV_DEPENDENCY),
                                      .settings = &settings->hits,
                                      .include_base = settings->hits.include_base};
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};

    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_LAYER, &groups);
    for (size_t i = 0; i < groups.count; i++)
        report_group(input->facts, report, &groups.items[i]);
    return rule_judgement(report);
}

const struct rule_type rule_dev_dependencies = {
    .name = "dev-dependencies",
    .summary = "packages for development and tests are not in the final image",
    .description =
        "Looks in own layers for packages that are there to build, check or test: typescript, "
        "jest, eslint, nodemon and others in node_modules; pytest, mypy, black and others among "
        "Python's packages; rspec, rubocop; phpunit; junit, mockito; xunit. They are put together "
        "by the layer that brought them, with the bytes and the history step.\n\n"
        "Some of them are needed at run time by other packages often enough (@types, esbuild, "
        "webpack, puppeteer and others): where nothing else is found they only warn. It goes by "
        "names and does not read package.json or lock files, so that a development dependency "
        "with a name that is not in its table stays unseen, and one that the application needs "
        "must be allowed. Layers of which it is not known whose they are count as own. What a "
        "later layer takes away is for wasted-space.",
    .remedy = "Install what runs only, or build in a stage of its own and copy the result.",
    .example = "rule: dev-dependencies\nwith:\n  allow: [\"@types\", typescript]\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_MEDIUM,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = hit_settings_prepare,
    .release = hit_settings_release,
    .judge = judge,
};
