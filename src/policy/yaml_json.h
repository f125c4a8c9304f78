/* YAML nodes as JSON, and laying one JSON document over another. */
#ifndef REGWARDEN_POLICY_YAML_JSON_H
#define REGWARDEN_POLICY_YAML_JSON_H

#include "regwarden/json.h"
#include "regwarden/yaml.h"

/* true, false and whole numbers that stand without quotes get their types; all else is text.
 * Returns new. */
struct json *yaml_to_json(const struct yaml_node *node);

/* `over` laid over `base`: objects are merged, everything else is replaced, and null takes away. An
 * object laid over an array changes its items: by number ({"0": …}; the number behind the last adds
 * one), or by name where the items are {"name", "value"}. Returns new. */
struct json *json_overlay(const struct json *base, const struct json *over);

#endif
