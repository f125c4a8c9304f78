/* What the type table takes from param_lists.c, and that file from it. Private to the two. */
#ifndef REGWARDEN_CONFIG_PARAM_VALUES_H
#define REGWARDEN_CONFIG_PARAM_VALUES_H

#include "params.h"

int param_check_bounds(const struct param *param, int64_t value, struct error *err);
void param_bytes_schema(struct json *schema);

int param_read_list(const struct param *param, const struct yaml_node *node, void *field,
                    struct error *err);
void param_release_list(void *field);
struct json *param_list_to_json(const struct param *param, const void *field);
void param_list_schema(const struct param *param, struct json *schema);

int param_read_pairs(const struct param *param, const struct yaml_node *node, void *field,
                     struct error *err);
int param_read_bytes_by_name(const struct param *param, const struct yaml_node *node, void *field,
                             struct error *err);
void param_release_pairs(void *field);
struct json *param_pairs_to_json(const struct param *param, const void *field);
void param_pairs_schema(const struct param *param, struct json *schema);
void param_bytes_by_name_schema(const struct param *param, struct json *schema);

int param_read_records(const struct param *param, const struct yaml_node *node, void *field,
                       struct error *err);
void param_release_records(void *field);
struct json *param_records_to_json(const struct param *param, const void *field);
void param_records_schema(const struct param *param, struct json *schema);

#endif
