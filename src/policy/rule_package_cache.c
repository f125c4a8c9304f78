/* Rule package-cache: what package managers keep for the next install is not served with the image.
 */
#include "rules.h"

#include <string.h>

#include "hits.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NAMES_SHOWN = 10 };

struct settings {
    struct hit_settings hits;
    uint64_t min_bytes;
};

static const struct param params[] = {
    {.name = "allow",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow),
     .help = "Patterns of caches that may stay, as findings name them, such as `nuget-packages`."},
    {.name = "allow-paths",
     .type = PARAM_LIST,
     .offset = offsetof(struct settings, hits.allow_paths),
     .help = "Patterns of paths where caches may stay, such as `app/.yarn/cache/**`."},
    {.name = "min-bytes",
     .type = PARAM_BYTES,
     .offset = offsetof(struct settings, min_bytes),
     .fallback = "100kB",
     .unit = "bytes",
     .help = "A layer with less of it passes: locks and empty lists are no cache."},
    {.name = "include-base",
     .type = PARAM_BOOL,
     .offset = offsetof(struct settings, hits.include_base),
     .fallback = "false",
     .help = "Whether caches in layers of the base count too."},
    {.name = NULL},
};

static const struct {
    const char *what;
    const char *remedy;
} remedies[] = {
    {"apt-lists", "End the RUN with `rm -rf /var/lib/apt/lists/*`, or mount the lists: `RUN "
                  "--mount=type=cache,target=/var/lib/apt/lists …`."},
    {"apt-cache", "End the RUN with `apt-get clean`, or mount the cache: `RUN "
                  "--mount=type=cache,target=/var/cache/apt …`."},
    {"apk-cache", "`apk add --no-cache …`."},
    {"dnf-cache", "End the RUN with `dnf clean all`."},
    {"zypper-cache", "End the RUN with `zypper clean --all`."},
    {"pacman-cache", "End the RUN with `pacman -Scc --noconfirm`."},
    {"pip-cache", "`pip install --no-cache-dir …`, or `RUN --mount=type=cache,target=/root/.cache "
                  "…`."},
    {"conda-packages", "End the RUN with `conda clean --all --yes`."},
    {"npm-cache", "`RUN --mount=type=cache,target=/root/.npm npm ci`, or end the RUN with `npm "
                  "cache clean --force`."},
    {"yarn-cache", "End the RUN with `yarn cache clean`, or mount the cache: `RUN "
                   "--mount=type=cache,target=/usr/local/share/.cache …`."},
    {"pnpm-store", "`RUN --mount=type=cache,target=/pnpm/store pnpm install --store-dir "
                   "/pnpm/store`."},
    {"go-modules", "Build in a stage of its own; there: `RUN "
                   "--mount=type=cache,target=/go/pkg/mod go build …`."},
    {"go-build-cache", "Build in a stage of its own; there: `RUN "
                       "--mount=type=cache,target=/root/.cache/go-build go build …`."},
    {"cargo-registry", "Build in a stage of its own; there: `RUN "
                       "--mount=type=cache,target=/usr/local/cargo/registry cargo build …`."},
    {"maven-repository", "Build in a stage of its own; there: `RUN "
                         "--mount=type=cache,target=/root/.m2 mvn package`."},
    {"gradle-caches", "Build in a stage of its own; there: `RUN "
                      "--mount=type=cache,target=/root/.gradle gradle build`."},
    {"nuget-packages", "Publish in a stage of its own; there: `RUN "
                       "--mount=type=cache,target=/root/.nuget/packages dotnet publish …`."},
    {"composer-cache", "`RUN --mount=type=cache,target=/root/.composer/cache composer install "
                       "--no-dev`."},
    {"gem-cache", "End the RUN with `rm -rf /usr/local/bundle/cache`, or `bundle config set "
                  "no-cache true`."},
};

static const char *remedy_of(const char *what)
{
    for (size_t i = 0; i < ARRAY_COUNT(remedies); i++) {
        if (strcmp(remedies[i].what, what) == 0)
            return remedies[i].remedy;
    }
    return NULL;
}

static void report_group(const struct settings *settings, const struct facts *facts,
                         struct rule_report *report, const struct hit_group *group)
{
    const struct hit_report as = {
        .weight = HIT_FAILS, .brings = "caches of package managers", .names_max = NAMES_SHOWN};
    const char *remedy = remedy_of(group->largest->what);
    struct finding *finding;

    if (group->bytes < settings->min_bytes)
        return;
    finding = hit_group_report(group, facts, report, &as);
    if (remedy)
        finding_set_remedy(finding, "%s%s", remedy,
                           group->visible_files == 0
                               ? " To remove it in a later step does not make the image smaller."
                               : "");
}

static enum judgement judge(const void *block, const struct rule_input *input,
                            struct rule_report *report)
{
    const struct settings *settings = block;
    const struct hit_choice choice = {.kinds = SIGNAL_BIT(SIGNAL_PACKAGE_CACHE),
                                      .settings = &settings->hits,
                                      .include_base = settings->hits.include_base,
                                      .hidden_too = true};
    AUTO_HITS struct hit_list list = {0};
    AUTO_HIT_GROUPS struct hit_groups groups = {0};

    hit_list_choose(&choice, input, &list);
    hit_groups_make(&list, HITS_BY_LAYER, &groups);
    for (size_t i = 0; i < groups.count; i++)
        report_group(settings, input->facts, report, &groups.items[i]);
    return rule_judgement(report);
}

const struct rule_type rule_package_cache = {
    .name = "package-cache",
    .summary = "layers hold no caches of package managers",
    .description =
        "Looks in own layers for what apt, apk, dnf, zypper, pip, conda, npm, yarn, pnpm, go, "
        "cargo, maven, gradle, nuget, composer and gem keep for the next install: package lists, "
        "downloads, build caches. They are put together by the layer that holds them, with the "
        "bytes and the history step. Layers of which it is not known whose they are count as "
        "own.\n\n"
        "It counts the bytes in the layers, whatever the Dockerfile says: a cache mount leaves "
        "nothing and passes, and a cache that a later step removes still costs its bytes and "
        "fails. Caches at paths that were moved by settings stay unseen. Some programs run out of "
        "such a cache (Yarn's Plug'n'Play, .NET's runtime store): allow those by path.",
    .remedy = "Remove the cache in the RUN that fills it, or keep it in a cache mount.",
    .example = "rule: package-cache\nwith:\n  min-bytes: 1MB\n",
    .needs = FACT_BIT(FACT_FILES),
    .severity = SEVERITY_LOW,
    .params = params,
    .settings_size = sizeof(struct settings),
    .prepare = hit_settings_prepare,
    .release = hit_settings_release,
    .judge = judge,
};
