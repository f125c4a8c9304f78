/* The configuration: read, filled up with defaults, checked, compared and described. What the
 * settings are is in config_params.c. */
#include "config_private.h"
#include "params.h"

#include "regwarden/file.h"

#include "yaml_place.h"

enum { FILE_MAX_BYTES = 1024 * 1024, SHOWN_MAX = 60, MEMBERS_MAX = 1000 };

const struct config_section config_sections[] = {
    {
        .name = "registries",
        .help =
            "The registries that are watched, by the name that their hook has in /hooks/<name>.",
        .params = config_registry_params,
        .item_size = sizeof(struct config_registry),
        .items_offset = offsetof(struct config, registries),
        .count_offset = offsetof(struct config, registry_count),
    },
    {
        .name = "notifiers",
        .help = "Receivers of the action `notify`, by name.",
        .params = config_notifier_params,
        .item_size = sizeof(struct config_notifier),
        .items_offset = offsetof(struct config, notifiers),
        .count_offset = offsetof(struct config, notifier_count),
        .members_reloadable = true,
    },
    {.name = NULL},
};

_Static_assert(offsetof(struct config_registry, name) == 0, "sections find the name at the front");
_Static_assert(offsetof(struct config_notifier, name) == 0, "sections find the name at the front");

static const char *const section_names[] = {"registries", "notifiers", NULL};

/* Copied, not dereferenced: what stands there is a pointer to another type. */
static void *items_of(const struct config_section *section, const struct config *config)
{
    void *items;
    memcpy(&items, (const char *)config + section->items_offset, sizeof(items));
    return items;
}

static void set_items(const struct config_section *section, struct config *config, void *items)
{
    memcpy((char *)config + section->items_offset, &items, sizeof(items));
}

static void set_count(const struct config_section *section, struct config *config, size_t count)
{
    memcpy((char *)config + section->count_offset, &count, sizeof(count));
}

size_t config_section_count(const struct config_section *section, const struct config *config)
{
    size_t count;
    memcpy(&count, (const char *)config + section->count_offset, sizeof(count));
    return count;
}

void *config_section_item(const struct config_section *section, const struct config *config,
                          size_t index)
{
    return (char *)items_of(section, config) + index * section->item_size;
}

const char *config_item_name(const void *item)
{
    return *(char *const *)item;
}

static void release_section(const struct config_section *section, struct config *config)
{
    for (size_t i = 0; i < config_section_count(section, config); i++) {
        void *item = config_section_item(section, config, i);
        params_release(section->params, item);
        free(*(char **)item);
    }
    free(items_of(section, config));
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (const struct config_section *section = config_sections; section->name; section++)
        release_section(section, config);
    params_release(config_params, config);
    free(config->path);
    free(config);
}

static void config_auto_free(struct config **config)
{
    config_free(*config);
}

static int check_member_name(const struct yaml_document *document, const struct yaml_member *member,
                             struct error *err)
{
    if (config_name_is_valid(member->key))
        return 0;
    AUTO_FREE char *shown = text_printable(member->key, SHOWN_MAX);
    yaml_fault(document->name, (struct yaml_place){member->key_line, member->key_column},
               FAILURE_INPUT, err, "'%s' cannot be a name here", shown);
    error_hint(err, "Names are lower-case letters, digits and dashes, at most 64.");
    return FAILURE_INPUT;
}

/* Counted up only when the member was read in full: what is counted is released. */
static int read_member(const struct config_section *section, const struct yaml_document *document,
                       const struct yaml_member *member, struct config *config, struct error *err)
{
    size_t count = config_section_count(section, config);
    void *item = config_section_item(section, config, count);
    int failure = check_member_name(document, member, err);
    if (!failure)
        failure = params_read(section->params, document, member->value, item, err);
    if (failure)
        return failure;
    *(char **)item = memory_copy_text(member->key);
    set_count(section, config, count + 1);
    return 0;
}

static int read_section(const struct config_section *section, const struct yaml_document *document,
                        struct config *config, struct error *err)
{
    const struct yaml_node *map = yaml_get(document->root, section->name);
    if (!map || map->kind == YAML_KIND_NULL)
        return 0;
    if (map->kind != YAML_KIND_MAP)
        return yaml_error(document, map, err, "%s: expected a map from names to settings",
                          section->name);
    if (map->count > MEMBERS_MAX)
        return yaml_error(document, map, err, "%s: more than %d are not supported", section->name,
                          MEMBERS_MAX);
    set_items(section, config, memory_new_array(map->count, section->item_size));
    for (size_t i = 0; i < map->count; i++) {
        int failure = read_member(section, document, &map->members[i], config, err);
        if (failure)
            return failure;
    }
    return 0;
}

static int read_sections(const struct yaml_document *document, struct config *config,
                         struct error *err)
{
    for (const struct config_section *section = config_sections; section->name; section++) {
        int failure = read_section(section, document, config, err);
        if (failure)
            return failure;
    }
    return 0;
}

/* One spelling of an origin, so that hosts can be compared: lower case, no slash at the end. */
static void normalise_urls(struct config *config)
{
    for (size_t i = 0; i < config->registry_count; i++) {
        char *url = config->registries[i].url;
        size_t length = strlen(url);
        if (length > 0 && url[length - 1] == '/')
            url[length - 1] = '\0';
        for (char *at = url; *at; at++) {
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at - 'A' + 'a');
        }
    }
}

static int config_read(const struct yaml_document *document, struct config *config,
                       struct error *err)
{
    int failure =
        params_read_beside(config_params, section_names, document, document->root, config, err);
    if (!failure)
        failure = read_sections(document, config, err);
    if (failure)
        return failure;
    config->path = memory_copy_text(document->name);
    config_apply_environment(document->root, config);
    config_resolve_paths(config);
    failure = config_check(document, config, err);
    if (!failure)
        normalise_urls(config);
    return failure;
}

int config_parse(const char *name, const char *bytes, size_t size, struct config **ret,
                 struct error *err)
{
    AUTO_YAML struct yaml_document *document = NULL;
    AUTO(config_auto_free) struct config *config = memory_new(sizeof(*config));
    int failure = yaml_parse(name, bytes, size, &document, err);
    if (!failure)
        failure = config_read(document, config, err);
    if (!failure)
        *ret = TAKE(config);
    return failure;
}

int config_load(const char *path, struct config **ret, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    int failure = file_read(path, FILE_MAX_BYTES, &bytes, err);
    return failure ? failure : config_parse(path, text_data(&bytes), bytes.length, ret, err);
}

/* Through the same reader as a file, so that the same defaults and checks apply. */
int config_for_registry(const char *url, struct config **ret, struct error *err)
{
    if (!config_is_origin(url)) {
        error_set(err, FAILURE_INPUT, "the registry's URL is not https://host[:port]");
        error_hint(err, "A registry without TLS is http://host[:port].");
        return FAILURE_INPUT;
    }
    AUTO_FREE char *yaml = text_new("registries:\n  registry:\n    url: \"%s\"\n", url);
    int failure = config_parse("command line", yaml, strlen(yaml), ret, err);
    if (!failure) {
        free((*ret)->path);
        (*ret)->path = NULL;
    }
    return failure;
}

const struct config_registry *config_find_registry(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->registry_count; i++) {
        if (text_equal(config->registries[i].name, name))
            return &config->registries[i];
    }
    return NULL;
}
