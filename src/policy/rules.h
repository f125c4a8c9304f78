/* The rules, one per file. Only rules.c names them all. */
#ifndef REGWARDEN_POLICY_RULES_H
#define REGWARDEN_POLICY_RULES_H

#include "rule.h"

extern const struct rule_type rule_accounts;
extern const struct rule_type rule_attested;
extern const struct rule_type rule_base_allowed;
extern const struct rule_type rule_base_fresh;
extern const struct rule_type rule_base_known;
extern const struct rule_type rule_base_pinned;
extern const struct rule_type rule_build_tools;
extern const struct rule_type rule_cache_order;
extern const struct rule_type rule_context_leak;
extern const struct rule_type rule_dev_dependencies;
extern const struct rule_type rule_distroless;
extern const struct rule_type rule_entrypoint;
extern const struct rule_type rule_env;
extern const struct rule_type rule_exposed_ports;
extern const struct rule_type rule_files;
extern const struct rule_type rule_forbidden_history;
extern const struct rule_type rule_healthcheck;
extern const struct rule_type rule_image_age;
extern const struct rule_type rule_image_size;
extern const struct rule_type rule_layer_size;
extern const struct rule_type rule_non_root;
extern const struct rule_type rule_package_cache;
extern const struct rule_type rule_packages;
extern const struct rule_type rule_platforms;
extern const struct rule_type rule_provenance;
extern const struct rule_type rule_required_labels;
extern const struct rule_type rule_secrets;
extern const struct rule_type rule_setuid_files;
extern const struct rule_type rule_size_growth;
extern const struct rule_type rule_tag_immutable;
extern const struct rule_type rule_tag_name;
extern const struct rule_type rule_volumes;
extern const struct rule_type rule_vulnerabilities;
extern const struct rule_type rule_wasted_space;
extern const struct rule_type rule_workdir;

/* The rule's name nearest to `word`, for a did-you-mean; NULL when none is near. */
const char *rule_suggest(const char *word);

#endif
