/* What the files of the configuration share. Private to the config room. */
#ifndef REGWARDEN_CONFIG_CONFIG_PRIVATE_H
#define REGWARDEN_CONFIG_CONFIG_PRIVATE_H

#include "regwarden/config.h"

/* A part of the file that maps names to settings of one table. Items begin with `char *name`. */
struct config_section {
    const char *name; /* "registries" */
    const char *help;
    const struct param *params;
    size_t item_size;
    size_t items_offset; /* into struct config */
    size_t count_offset;
    bool members_reloadable; /* coming and going takes no restart */
};
extern const struct config_section config_sections[]; /* ends with a NULL name */

size_t config_section_count(const struct config_section *section, const struct config *config);
/* Borrowed; its first member is the name. */
void *config_section_item(const struct config_section *section, const struct config *config,
                          size_t index);
const char *config_item_name(const void *item);

/* Names of sections' members: [a-z0-9][a-z0-9-]*, at most 64 long. */
bool config_name_is_valid(const char *name);
extern const char config_name_pattern[]; /* the same for the schema */

/* Takes defaults from the service manager's environment for what the file leaves out. */
void config_apply_environment(const struct yaml_node *root, struct config *config);
/* Makes file names absolute. */
void config_resolve_paths(struct config *config);

/* What no single row of a table can say: forms of values, and settings that need each other. */
int config_check(const struct yaml_document *document, const struct config *config,
                 struct error *err);
/* http or https, a host and perhaps a port, and nothing else but a slash. */
bool config_is_origin(const char *url);

#endif
