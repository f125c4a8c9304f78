/* The JSON schema of policy files, for editors: made from the same tables that read them. */
#include "compiled.h"
#include "policy_file.h"
#include "rules.h"

#include "regwarden/json.h"
#include "regwarden/memory.h"

static struct json *names_schema(const char *const *names, unsigned allowed)
{
    struct json *schema = json_new_object();
    struct json *list = json_new_array();

    for (unsigned i = 0; names[i]; i++) {
        if (allowed & (1u << i))
            json_append_take(list, json_new_string(names[i]));
    }
    json_set_take(schema, "enum", list);
    return schema;
}

/* One action, or a list of them. */
static struct json *actions_schema(const struct json *described, unsigned allowed)
{
    struct json *schema = json_new_object();
    struct json *list = json_new_object();
    struct json *either = json_new_array();

    json_set_string(list, "type", "array");
    json_set_take(list, "items", names_schema(action_kind_names, allowed));
    json_append_take(either, TAKE(list));
    json_append_take(either, names_schema(action_kind_names, allowed));
    json_set_string(schema, "description", json_get_string(described, "description"));
    json_set_take(schema, "anyOf", either);
    return schema;
}

/* {"if": {"properties": {"rule": {"const": name}}}, "then": {"properties": {"with": …}}} */
static struct json *rule_settings_schema(const struct rule_type *type)
{
    struct json *schema = json_new_object();
    struct json *condition = json_new_object();
    struct json *condition_properties = json_new_object();
    struct json *name = json_new_object();
    struct json *then = json_new_object();
    struct json *then_properties = json_new_object();

    json_set_string(name, "const", type->name);
    json_set_take(condition_properties, "rule", name);
    json_set_take(condition, "properties", condition_properties);
    json_set_take(then_properties, "with", params_schema(type->params));
    json_set_take(then, "properties", then_properties);
    json_set_take(schema, "if", condition);
    json_set_take(schema, "then", then);
    return schema;
}

static struct json *rule_names_schema(void)
{
    struct json *schema = json_new_object();
    struct json *choices = json_new_array();

    for (size_t i = 0; i < rule_count(); i++) {
        struct json *choice = json_new_object();

        json_set_string(choice, "const", rule_at(i)->name);
        json_set_string(choice, "description", rule_at(i)->summary);
        json_append_take(choices, choice);
    }
    json_set_take(schema, "oneOf", choices);
    return schema;
}

static struct json *entry_schema(void)
{
    struct json *schema = params_schema(rule_entry_params);
    struct json *properties = json_get(schema, "properties");
    struct json *with = json_new_object();
    struct json *settings = json_new_array();

    for (size_t i = 0; i < rule_count(); i++)
        json_append_take(settings, rule_settings_schema(rule_at(i)));
    json_set_string(with, "description", "Settings of the rule.");
    json_set_take(properties, "with", with);
    json_set_take(properties, "rule", rule_names_schema());
    json_set_take(properties, "on-fail",
                  actions_schema(json_get(properties, "on-fail"), policy_on_fail_actions));
    json_set_take(schema, "allOf", settings);
    return schema;
}

static struct json *list_schema(struct json *items_take, const char *description, bool not_empty)
{
    struct json *schema = json_new_object();

    json_set_string(schema, "type", "array");
    json_set_string(schema, "description", description);
    if (not_empty)
        json_set_integer(schema, "minItems", 1);
    json_set_take(schema, "items", items_take);
    return schema;
}

static struct json *policy_file_schema(void)
{
    struct json *schema = params_schema(policy_head_params);
    struct json *properties = json_get(schema, "properties");
    struct json *required = json_new_array();

    json_set_take(properties, "on-pass",
                  actions_schema(json_get(properties, "on-pass"), policy_on_pass_actions));
    json_set_take(properties, "scope", params_schema(scope_params));
    json_set_take(properties, "rules",
                  list_schema(entry_schema(), "What must hold for images in scope.", true));
    json_append_take(required, json_new_string("policy"));
    json_append_take(required, json_new_string("rules"));
    json_set_take(schema, "required", required);
    return schema;
}

static struct json *waiver_file_schema(void)
{
    struct json *schema = json_new_object();
    struct json *properties = json_new_object();
    struct json *required = json_new_array();

    json_append_take(required, json_new_string("waivers"));
    json_set_take(properties, "waivers",
                  list_schema(params_schema(waiver_params), "Findings that are excused.", false));
    json_set_string(schema, "type", "object");
    json_set_take(schema, "properties", properties);
    json_set_take(schema, "required", required);
    json_set_bool(schema, "additionalProperties", false);
    return schema;
}

struct json *policy_schema(void)
{
    struct json *schema = json_new_object();
    struct json *kinds = json_new_array();

    json_append_take(kinds, policy_file_schema());
    json_append_take(kinds, waiver_file_schema());
    json_set_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_set_string(schema, "title", "regwarden policy or waivers");
    json_set_take(schema, "oneOf", kinds);
    return schema;
}
