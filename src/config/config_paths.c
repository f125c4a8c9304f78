/* Defaults that depend on where we run, and file names made absolute. Opens nothing. */
#include "config_private.h"
#include "params.h"

#include "regwarden/systemd.h"

/* The service manager may name several directories, with colons between them: the first is ours. */
static char *first_directory(const char *variable)
{
    const char *value = getenv(variable);
    if (!value || value[0] != '/')
        return NULL;
    return memory_copy_bytes(value, (size_t)(strchrnul(value, ':') - value));
}

static void default_listen(struct config *config)
{
    struct systemd_socket socket;
    AUTO_FREE char *runtime = first_directory("RUNTIME_DIRECTORY");
    if (systemd_sockets(&socket, 1) > 0) {
        text_list_release(&config->listen);
        text_list_add(&config->listen, "systemd");
    }
    if (runtime)
        text_list_add_take(&config->listen, text_new("unix:%s/regwarden.sock", runtime));
}

void config_apply_environment(const struct yaml_node *root, struct config *config)
{
    AUTO_FREE char *state = first_directory("STATE_DIRECTORY");
    if (!params_find_node(root, "listen"))
        default_listen(config);
    if (state && !params_find_node(root, "state-directory")) {
        free(config->state_directory);
        config->state_directory = TAKE(state);
    }
}

static char *directory_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? memory_copy_bytes(path, (size_t)(slash - path) + 1) : memory_copy_text("");
}

static void resolve(char **name, const char *directory)
{
    if (!*name || (*name)[0] == '/' || !directory[0])
        return;
    const char *between = text_ends_with(directory, "/") ? "" : "/";
    char *resolved = text_new("%s%s%s", directory, between, *name);
    free(*name);
    *name = resolved;
}

/* A setting names a file when its name says so. */
static void resolve_files(const struct param *params, void *settings, const char *directory)
{
    for (; params->name; params++) {
        if (params->type == PARAM_TEXT && text_ends_with(params->name, "-file"))
            resolve((char **)((char *)settings + params->offset), directory);
    }
}

static void resolve_list(struct text_list *list, const char *directory)
{
    for (size_t i = 0; i < list->count; i++)
        resolve(&list->items[i], directory);
}

void config_resolve_paths(struct config *config)
{
    AUTO_FREE char *beside = directory_of(config->path);
    AUTO_FREE char *credentials = first_directory("CREDENTIALS_DIRECTORY");
    const char *files = credentials ? credentials : beside;
    resolve_files(config_params, config, files);
    for (const struct config_section *section = config_sections; section->name; section++) {
        for (size_t i = 0; i < config_section_count(section, config); i++)
            resolve_files(section->params, config_section_item(section, config, i), files);
    }
    resolve_list(&config->policies, beside);
    resolve_list(&config->waivers, beside);
}
