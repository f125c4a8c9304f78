/* Which placements a policy speaks of. An absent list means everything. */
#ifndef REGWARDEN_POLICY_SCOPE_H
#define REGWARDEN_POLICY_SCOPE_H

#include "glob.h"

#include "regwarden/policy.h"
#include "regwarden/yaml.h"

struct scope {
    struct text_list registries, repositories, tags, platforms;
    struct glob_list registry_globs, repository_globs, tag_globs, platform_globs;
};

extern const struct param scope_params[];

/* After the lists were read: compiles them. Names the list at fault in *ret_param. */
int scope_prepare(struct scope *scope, const char **ret_param, struct error *err);
void scope_release(struct scope *scope);

/* Registry, repository and tag. An untagged image is matched by `*` only (or by no list at all), a
 * local file without a name likewise. */
bool scope_matches_place(const struct scope *scope, const struct placement *placement);
/* "os/architecture[/variant]" as somebody said it: compared as runtimes do, which take "Linux" and
 * "x86_64" for "linux" and "amd64". A pattern without the variant matches every variant. What is
 * not said, or "unknown", is in scope: it does not slip through. */
bool scope_matches_platform(const struct scope *scope, const char *platform);

/* The same patterns for the rule `platforms`, which takes words as they stand. */
bool platform_globs_match(const struct glob_list *globs, const char *platform);
/* Writes "os/architecture[/variant]" ("" when the platform says neither). */
enum { PLATFORM_TEXT_SIZE = 128 };
const char *platform_text(const struct platform *platform, char buffer[static PLATFORM_TEXT_SIZE]);

#endif
