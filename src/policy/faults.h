/* Faults of policy files: all are reported, compiling fails with the first. */
#ifndef REGWARDEN_POLICY_FAULTS_H
#define REGWARDEN_POLICY_FAULTS_H

#include "regwarden/policy.h"

struct faults {
    policy_fault_f *report; /* may be NULL */
    void *argument;
    size_t count;
    struct error first;
};

void faults_add(struct faults *faults, const struct error *err);

/* A table of parameters as it stands in a file. */
struct param_source {
    const struct yaml_document *document;
    const struct yaml_node *map;   /* NULL: defaults only */
    const struct yaml_node *place; /* blamed for what is missing when there is no map */
    const struct param *params;
    size_t settings_size;
};
/* params_read() that reports every fault of the map and not just the first. The settings are
 * released already when this fails. */
int faults_read_params(struct faults *faults, const struct param_source *source, void *settings);

/* Reports every key of the map that is not in `names` (ends with NULL). */
void faults_check_keys(struct faults *faults, const struct yaml_document *document,
                       const struct yaml_node *map, const char *const *names);

/* The members of `map` that `params` knows, as a map of its own: it owns its array of members, the
 * rest is borrowed. */
struct yaml_node faults_known_members(const struct yaml_node *map, const struct param *params);
void faults_known_release(struct yaml_node *known);
#define AUTO_KNOWN AUTO(faults_known_release)

/* The node of `key`, or the map itself when it is not there (or `key` is NULL). */
const struct yaml_node *faults_place(const struct yaml_node *map, const char *key);

#endif
