/* Policy sets as JSON, for status pages, diffs and the API. */
#include "compiled.h"

#include "regwarden/json.h"
#include "regwarden/memory.h"

static struct json *actions_json(unsigned actions)
{
    struct json *json = json_new_array();

    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        if (actions & ACTION_BIT(kind))
            json_append_take(json, json_new_string(action_kind_names[kind]));
    }
    return json;
}

static struct json *rule_json(const struct rule_entry *entry)
{
    struct json *json = json_new_object();

    json_set_string(json, "id", entry->id);
    json_set_string(json, "rule", entry->type->name);
    json_set_string(json, "summary", entry->type->summary);
    json_set_string(json, "severity", severity_name(entry->severity));
    json_set_take(json, "onFail", actions_json(entry->on_fail));
    json_set_string(json, "onUnknown", on_unknown_names[entry->on_unknown]);
    json_set_take(json, "with", params_to_json(entry->type->params, entry->settings));
    return json;
}

static struct json *policy_json(const struct policy *policy)
{
    struct json *json = json_new_object();
    struct json *rules = json_new_array();

    for (size_t i = 0; i < policy->rule_count; i++)
        json_append_take(rules, rule_json(&policy->rules[i]));
    json_set_string(json, "name", policy->name);
    json_set_string(json, "description", policy->description);
    json_set_string(json, "mode", policy_mode_names[policy->mode]);
    json_set_string(json, "existing", policy_existing_names[policy->existing]);
    json_set_take(json, "scope", params_to_json(scope_params, &policy->scope));
    json_set_take(json, "onPass", actions_json(policy->on_pass));
    json_set_bool(json, "layers", policy->layers);
    json_set_take(json, "rules", rules);
    return json;
}

struct json *policy_set_to_json(const struct policy_set *set)
{
    struct json *json = json_new_object();
    struct json *policies = json_new_array();
    struct json *waivers = json_new_array();

    for (size_t i = 0; i < set->book->count; i++)
        json_append_take(policies, policy_json(&set->book->policies[i]));
    for (size_t i = 0; i < set->waivers.count; i++)
        json_append_take(waivers, waiver_to_json(&set->waivers.items[i].waiver));
    json_set_string(json, "revision", set->revision);
    json_set_take(json, "policies", policies);
    json_set_take(json, "waivers", waivers);
    return json;
}
