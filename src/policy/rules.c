/* THE table of rules, in alphabetical order, and what others may ask of it. A rule is added by its
 * file and one line here; it is not for judging (engine.c) nor for reading policies (compile.c). */
#include "rules.h"

#include "regwarden/memory.h"

/* One a line, so that rules that are added at the same time do not meet. */
/* clang-format off */
static const struct rule_type *const rules[] = {
    &rule_accounts,
    &rule_attested,
    &rule_base_allowed,
    &rule_base_fresh,
    &rule_base_known,
    &rule_base_pinned,
    &rule_build_tools,
    &rule_cache_order,
    &rule_context_leak,
    &rule_dev_dependencies,
    &rule_distroless,
    &rule_entrypoint,
    &rule_env,
    &rule_exposed_ports,
    &rule_files,
    &rule_forbidden_history,
    &rule_healthcheck,
    &rule_image_age,
    &rule_image_size,
    &rule_layer_size,
    &rule_non_root,
    &rule_package_cache,
    &rule_packages,
    &rule_platforms,
    &rule_provenance,
    &rule_required_labels,
    &rule_secrets,
    &rule_setuid_files,
    &rule_size_growth,
    &rule_tag_immutable,
    &rule_tag_name,
    &rule_volumes,
    &rule_vulnerabilities,
    &rule_wasted_space,
    &rule_workdir,
};
/* clang-format on */

size_t rule_count(void)
{
    return ARRAY_COUNT(rules);
}

const struct rule_type *rule_at(size_t index)
{
    return rules[index];
}

const struct rule_type *rule_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        if (text_equal(rules[i]->name, name))
            return rules[i];
    }
    return NULL;
}

const char *rule_suggest(const char *word)
{
    const char *names[ARRAY_COUNT(rules) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_COUNT(rules); i++)
        names[i] = rules[i]->name;
    return text_suggest(word, names);
}

const char *rule_name(const struct rule_type *rule)
{
    return rule->name;
}

const char *rule_summary(const struct rule_type *rule)
{
    return rule->summary;
}

const char *rule_description(const struct rule_type *rule)
{
    return rule->description;
}

unsigned rule_needs(const struct rule_type *rule)
{
    return rule->needs;
}

unsigned rule_wants(const struct rule_type *rule)
{
    return rule->wants;
}

enum severity rule_severity(const struct rule_type *rule)
{
    return rule->severity;
}

const struct param *rule_params(const struct rule_type *rule)
{
    return rule->params;
}

const char *rule_example(const struct rule_type *rule)
{
    return rule->example;
}
