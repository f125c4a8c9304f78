/* The inside of the settings tables: one table of types, and reading with names that somebody else
 * takes. Private to the config room. */
#ifndef REGWARDEN_CONFIG_PARAMS_H
#define REGWARDEN_CONFIG_PARAMS_H

#include "regwarden/json.h"
#include "regwarden/yaml.h"

/* What a type can do. `field` points to the setting's memory. */
struct param_kind {
    const char *name;
    /* The field is zeroed before. Errors are without place and name: the caller adds them. */
    int (*read)(const struct param *param, const struct yaml_node *node, void *field,
                struct error *err);
    void (*release)(void *field); /* NULL: nothing is owned */
    struct json *(*to_json)(const struct param *param, const void *field); /* NULL: not set */
    void (*schema)(const struct param *param, struct json *schema);
    bool structured; /* its default is YAML, not a plain word */
};
const struct param_kind *param_kind(enum param_type type);

/* params_read for a map that has other members beside the settings: `others` (ends with NULL; may
 * be NULL) are left alone. */
int params_read_beside(const struct param *params, const char *const *others,
                       const struct yaml_document *document, const struct yaml_node *map,
                       void *settings, struct error *err);

/* The node of a setting in the map it was read from, following the dots; NULL when it is not there.
 */
const struct yaml_node *params_find_node(const struct yaml_node *map, const char *name);

/* One setting as JSON. Returns new; NULL when it is not set. */
struct json *param_to_json(const struct param *param, const void *settings);

#endif
