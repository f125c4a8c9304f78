/* Scope of a policy: matching placements against four lists of patterns. */
#include "scope.h"

#include <stdio.h>
#include <string.h>

#include "regwarden/memory.h"

const struct param scope_params[] = {
    {.name = "registries",
     .type = PARAM_LIST,
     .offset = offsetof(struct scope, registries),
     .help = "Names of registries as configured. Patterns with `*`; `!` excludes."},
    {.name = "repositories",
     .type = PARAM_LIST,
     .offset = offsetof(struct scope, repositories),
     .help = "Repositories: `*` and `?` stop at a slash, `**` does not; `*` alone matches all; `!` "
             "excludes."},
    {.name = "tags",
     .type = PARAM_LIST,
     .offset = offsetof(struct scope, tags),
     .help = "Tags. An untagged image is matched by `*` alone only."},
    {.name = "platforms",
     .type = PARAM_LIST,
     .offset = offsetof(struct scope, platforms),
     .help = "Platforms such as `linux/arm64`. A pattern without the variant matches every "
             "variant."},
    {.name = NULL},
};

int scope_prepare(struct scope *scope, const char **ret_param, struct error *err)
{
    const struct {
        const char *param;
        const struct text_list *patterns;
        struct glob_list *globs;
    } lists[] = {
        {"registries", &scope->registries, &scope->registry_globs},
        {"repositories", &scope->repositories, &scope->repository_globs},
        {"tags", &scope->tags, &scope->tag_globs},
        {"platforms", &scope->platforms, &scope->platform_globs},
    };

    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        int rc = glob_list_compile(lists[i].patterns, lists[i].globs, err);

        if (rc < 0) {
            *ret_param = lists[i].param;
            return rc;
        }
    }
    return 0;
}

void scope_release(struct scope *scope)
{
    glob_list_release(&scope->registry_globs);
    glob_list_release(&scope->repository_globs);
    glob_list_release(&scope->tag_globs);
    glob_list_release(&scope->platform_globs);
    params_release(scope_params, scope);
}

/* `name` NULL or empty: there is none, which only "all" matches. */
static bool matches_name(const struct glob_list *globs, const char *name)
{
    if (globs->count == 0)
        return true;
    if (!name || name[0] == '\0')
        return globs->has_all || globs->only_excludes;
    return glob_list_match(globs, name);
}

bool scope_matches_place(const struct scope *scope, const struct placement *placement)
{
    return matches_name(&scope->registry_globs, placement->registry) &&
           matches_name(&scope->repository_globs, placement->repository) &&
           matches_name(&scope->tag_globs, placement->tag);
}

bool platform_globs_match(const struct glob_list *globs, const char *platform)
{
    char base[PLATFORM_TEXT_SIZE];
    const char *slash = strchr(platform, '/');
    const char *variant = slash ? strchr(slash + 1, '/') : NULL;
    bool matched = globs->only_excludes;

    snprintf(base, sizeof(base), "%.*s",
             (int)(variant ? (size_t)(variant - platform) : strlen(platform)), platform);
    for (size_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->items[i];
        bool hit = glob_match(glob, platform) || glob_match(glob, base);

        if (hit && glob->excludes)
            return false;
        matched = matched || hit;
    }
    return matched;
}

bool scope_matches_platform(const struct scope *scope, const char *platform)
{
    if (scope->platform_globs.count == 0 || platform[0] == '\0')
        return true;
    return platform_globs_match(&scope->platform_globs, platform);
}

const char *platform_text(const struct platform *platform, char buffer[static PLATFORM_TEXT_SIZE])
{
    const char *variant = platform->variant ? platform->variant : "";

    buffer[0] = '\0';
    if (platform->os && platform->architecture)
        snprintf(buffer, PLATFORM_TEXT_SIZE, "%s/%s%s%s", platform->os, platform->architecture,
                 variant[0] ? "/" : "", variant);
    return buffer;
}
