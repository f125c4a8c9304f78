/* What a reload would change that needs a restart, and the schema of the whole file. */
#include "config_private.h"
#include "params.h"

static bool is_same(const struct param *param, const void *a, const void *b)
{
    AUTO_TEXT struct text a_text = {0}, b_text = {0};
    AUTO_JSON struct json *a_json = param_to_json(param, a);
    AUTO_JSON struct json *b_json = param_to_json(param, b);
    if (!a_json || !b_json)
        return a_json == b_json;
    json_write(a_json, JSON_COMPACT, &a_text);
    json_write(b_json, JSON_COMPACT, &b_text);
    return text_equal(text_data(&a_text), text_data(&b_text));
}

static void compare_settings(const struct param *params, const char *prefix, const void *running,
                             const void *fresh, struct text_list *ret)
{
    for (; params->name; params++) {
        if (!params->reloadable && !is_same(params, running, fresh))
            text_list_add_take(ret, text_new("%s%s", prefix, params->name));
    }
}

static const void *find_item(const struct config_section *section, const struct config *config,
                             const char *name)
{
    for (size_t i = 0; i < config_section_count(section, config); i++) {
        const void *item = config_section_item(section, config, i);
        if (text_equal(config_item_name(item), name))
            return item;
    }
    return NULL;
}

static void compare_section(const struct config_section *section, const struct config *running,
                            const struct config *fresh, struct text_list *ret)
{
    for (size_t i = 0; i < config_section_count(section, running); i++) {
        const void *item = config_section_item(section, running, i);
        const void *other = find_item(section, fresh, config_item_name(item));
        AUTO_FREE char *prefix = text_new("%s.%s.", section->name, config_item_name(item));
        if (other)
            compare_settings(section->params, prefix, item, other, ret);
    }
}

/* Members of `left` that `right` does not have. */
static void list_missing(const struct config_section *section, const struct config *left,
                         const struct config *right, struct text_list *ret)
{
    for (size_t i = 0; i < config_section_count(section, left); i++) {
        const char *name = config_item_name(config_section_item(section, left, i));
        if (!find_item(section, right, name))
            text_list_add_take(ret, text_new("%s.%s", section->name, name));
    }
}

void config_restart_needed(const struct config *running, const struct config *fresh,
                           struct text_list *ret)
{
    compare_settings(config_params, "", running, fresh, ret);
    for (const struct config_section *section = config_sections; section->name; section++) {
        compare_section(section, running, fresh, ret);
        if (section->members_reloadable)
            continue;
        list_missing(section, running, fresh, ret);
        list_missing(section, fresh, running, ret);
    }
}

static struct json *section_schema(const struct config_section *section)
{
    struct json *schema = json_new_object();
    struct json *names = json_new_object();
    json_set_string(schema, "type", "object");
    json_set_string(schema, "description", section->help);
    json_set_string(names, "pattern", config_name_pattern);
    json_set_take(schema, "propertyNames", names);
    json_set_take(schema, "additionalProperties", params_schema(section->params));
    return schema;
}

struct json *config_schema(void)
{
    struct json *schema = params_schema(config_params);
    json_set_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_set_string(schema, "title", "regwarden configuration");
    for (const struct config_section *section = config_sections; section->name; section++)
        json_set_take(json_get(schema, "properties"), section->name, section_schema(section));
    return schema;
}
