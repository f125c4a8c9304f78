/* Finding one's way in a YAML tree, and saying where something is wrong. Knows no libyaml. */
#include <stdarg.h>

#include "yaml_place.h"

enum { SHOWN_KEY_MAX = 60 };

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_KIND_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (text_equal(map->members[i].key, key))
            return map->members[i].value;
    }
    return NULL;
}

static int fault_with(const char *name, struct yaml_place place, enum failure kind,
                      struct error *err, const char *message)
{
    if (!name)
        return error_set(err, kind, "%s", message);
    if (place.line == 0)
        return error_set(err, kind, "%s: %s", name, message);
    return error_set(err, kind, "%s:%u:%u: %s", name, place.line, place.column, message);
}

int yaml_fault(const char *name, struct yaml_place place, enum failure kind, struct error *err,
               const char *format, ...)
{
    char message[ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return fault_with(name, place, kind, err, message);
}

int yaml_error(const struct yaml_document *document, const struct yaml_node *node,
               struct error *err, const char *format, ...)
{
    char message[ERROR_TEXT_SIZE];
    struct yaml_place place = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (node)
        place = (struct yaml_place){node->line, node->column};
    return fault_with(document ? document->name : NULL, place, FAILURE_INPUT, err, message);
}

static bool is_in(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (text_equal(*names, name))
            return true;
    }
    return false;
}

static void hint_known(const char *const *names, struct error *err)
{
    AUTO_TEXT struct text known = {0};
    for (; *names; names++)
        text_format(&known, "%s%s", known.length > 0 ? ", " : "", *names);
    error_hint(err, "Known here: %s.", text_data(&known));
}

int yaml_check_keys(const struct yaml_document *document, const struct yaml_node *map,
                    const char *const *names, struct error *err)
{
    if (!map || map->kind == YAML_KIND_NULL)
        return 0;
    if (map->kind != YAML_KIND_MAP)
        return yaml_error(document, map, err, "expected a map of names and values");
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_member *member = &map->members[i];
        if (is_in(member->key, names))
            continue;
        AUTO_FREE char *shown = text_printable(member->key, SHOWN_KEY_MAX);
        const char *near = text_suggest(member->key, names);
        yaml_fault(document ? document->name : NULL,
                   (struct yaml_place){member->key_line, member->key_column}, FAILURE_INPUT, err,
                   near ? "unknown key '%s', did you mean '%s'?" : "unknown key '%s'", shown, near);
        hint_known(names, err);
        return FAILURE_INPUT;
    }
    return 0;
}
