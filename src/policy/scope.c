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
             "variant; an image that does not say its platform is matched by all. It is the image "
             "itself that says it, and some runtimes do not look: leave this out of policies that "
             "nobody may get around."},
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

/* --- platforms as runtimes read them --- */

enum { PLATFORM_PART_SIZE = 32 };

struct platform_parts { /* lower case; "" when not said */
    char os[PLATFORM_PART_SIZE], architecture[PLATFORM_PART_SIZE], variant[PLATFORM_PART_SIZE];
};

/* Copies up to a slash. False when it is longer than any real name. */
static bool take_part(const char **at, char ret[static PLATFORM_PART_SIZE])
{
    size_t length = strcspn(*at, "/");

    if (length >= PLATFORM_PART_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = (*at)[i];
        ret[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    ret[length] = '\0';
    *at += length + ((*at)[length] == '/');
    return true;
}

/* Other words that runtimes take for the same. */
static const struct {
    const char *said, *meant, *variant;
} architecture_aliases[] = {
    {"x86_64", "amd64", NULL},  {"x86-64", "amd64", NULL}, {"i386", "386", NULL},
    {"aarch64", "arm64", NULL}, {"armhf", "arm", "v7"},    {"armel", "arm", "v6"},
};

static void normalise(struct platform_parts *parts)
{
    for (size_t i = 0; i < ARRAY_COUNT(architecture_aliases); i++) {
        if (!text_equal(parts->architecture, architecture_aliases[i].said))
            continue;
        snprintf(parts->architecture, sizeof(parts->architecture), "%s",
                 architecture_aliases[i].meant);
        if (architecture_aliases[i].variant)
            snprintf(parts->variant, sizeof(parts->variant), "%s", architecture_aliases[i].variant);
        break;
    }
    if (text_equal(parts->os, "macos"))
        snprintf(parts->os, sizeof(parts->os), "darwin");
    if (text_starts_with(parts->architecture, "arm") && parts->variant[0] >= '0' &&
        parts->variant[0] <= '9' && parts->variant[1] == '\0')
        snprintf(parts->variant, sizeof(parts->variant), "v%c", parts->variant[0]);
}

static bool is_said(const char *part)
{
    return part[0] != '\0' && !text_equal(part, "unknown");
}

/* The pattern asks for a variant, the platform says none: runtimes then take what they have. */
static bool matches_without_variant(const struct glob *glob, const char *base)
{
    const char *slash = strchr(glob->pattern, '/');
    const char *variant = slash ? strchr(slash + 1, '/') : NULL;
    struct glob shortened;

    if (!variant)
        return false;
    AUTO_FREE char *pattern = memory_copy_bytes(glob->pattern, (size_t)(variant - glob->pattern));
    glob_compile(pattern, &shortened);
    return glob_match(&shortened, base);
}

/* Patterns may use the other words too. */
static bool matches_alias(const struct glob *glob, const struct platform_parts *parts)
{
    char base[PLATFORM_TEXT_SIZE];

    for (size_t i = 0; i < ARRAY_COUNT(architecture_aliases); i++) {
        if (!text_equal(parts->architecture, architecture_aliases[i].meant) ||
            (architecture_aliases[i].variant &&
             !text_equal(parts->variant, architecture_aliases[i].variant)))
            continue;
        snprintf(base, sizeof(base), "%s/%s", parts->os, architecture_aliases[i].said);
        if (glob_match(glob, base))
            return true;
    }
    return false;
}

static bool matches_parts(const struct glob_list *globs, const struct platform_parts *parts)
{
    char base[2 * PLATFORM_PART_SIZE];
    char whole[3 * PLATFORM_PART_SIZE];
    bool matched = globs->only_excludes;

    snprintf(base, sizeof(base), "%s/%s", parts->os, parts->architecture);
    snprintf(whole, sizeof(whole), "%s%s%s", base, parts->variant[0] ? "/" : "", parts->variant);
    for (size_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->items[i];
        bool hit = glob_match(glob, whole) || glob_match(glob, base) || matches_alias(glob, parts);

        if (hit && glob->excludes)
            return false;
        if (!glob->excludes)
            matched = matched || hit || (!parts->variant[0] && matches_without_variant(glob, base));
    }
    return matched;
}

/* An image says itself what it is for, so the policy is left out only for what is plainly something
 * else to every runtime. */
bool scope_matches_platform(const struct scope *scope, const char *platform)
{
    struct platform_parts parts = {.os = ""};

    if (scope->platform_globs.count == 0)
        return true;
    if (!take_part(&platform, parts.os) || !take_part(&platform, parts.architecture) ||
        !take_part(&platform, parts.variant))
        return true;
    if (!is_said(parts.os) || !is_said(parts.architecture))
        return true;
    normalise(&parts);
    return matches_parts(&scope->platform_globs, &parts);
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
