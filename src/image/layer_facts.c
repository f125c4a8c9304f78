/* Layer facts: names of their values, and release. JSON is in layer_facts_to_json.c and
 * layer_facts_from_json.c, the table of paths in layer_paths.c. */
#include "regwarden/layer_facts.h"

#include "names.h"

static const char *const kinds[] = {
    [SIGNAL_COMPILER] = "compiler",
    [SIGNAL_BUILD_TOOL] = "build-tool",
    [SIGNAL_HEADERS] = "headers",
    [SIGNAL_SDK] = "sdk",
    [SIGNAL_PACKAGE_MANAGER] = "package-manager",
    [SIGNAL_PACKAGE_CACHE] = "package-cache",
    [SIGNAL_DEV_DEPENDENCY] = "dev-dependency",
    [SIGNAL_DOCUMENTATION] = "documentation",
    [SIGNAL_CONTEXT_LEAK] = "context-leak",
    [SIGNAL_SECRET_FILE] = "secret-file",
    [SIGNAL_KEY_FILE] = "key-file",
    [SIGNAL_SECRET] = "secret",
    [SIGNAL_SETUID] = "setuid",
    [SIGNAL_SETGID] = "setgid",
    [SIGNAL_CAPABILITY] = "capability",
    [SIGNAL_RUNTIME] = "runtime",
    [SIGNAL_BINARY] = "binary",
    [SIGNAL_SHELL] = "shell",
};

static const char *const managers[] = {
    [PACKAGE_DPKG] = "dpkg",   [PACKAGE_APK] = "apk",
    [PACKAGE_NPM] = "npm",     [PACKAGE_PIP] = "pip",
    [PACKAGE_GO] = "go",       [PACKAGE_RPM] = "rpm",
    [PACKAGE_GEM] = "gem",     [PACKAGE_COMPOSER] = "composer",
    [PACKAGE_NUGET] = "nuget", [PACKAGE_JAVA] = "java",
};

static const struct {
    enum layer_path_kind kind;
    const char *name;
} path_kinds[] = {
    {.kind = LAYER_PATH_WHITEOUT, .name = "whiteout"},
    {.kind = LAYER_PATH_OPAQUE, .name = "opaque"},
    {.kind = LAYER_PATH_FILE, .name = "file"},
    {.kind = LAYER_PATH_DIRECTORY, .name = "directory"},
    {.kind = LAYER_PATH_SYMLINK, .name = "symlink"},
    {.kind = LAYER_PATH_HARD_LINK, .name = "hard-link"},
    {.kind = LAYER_PATH_SPECIAL, .name = "special"},
};

static const char *const files[] = {
    [LAYER_FILE_PASSWD] = "etc/passwd",
    [LAYER_FILE_GROUP] = "etc/group",
    [LAYER_FILE_SHADOW] = "etc/shadow",
    [LAYER_FILE_OS_RELEASE] = "etc/os-release",
    [LAYER_FILE_USR_OS_RELEASE] = "usr/lib/os-release",
};

/* The place of `name`, or -1. */
const char *signal_kind_name(enum signal_kind kind)
{
    return kinds[kind];
}

int signal_kind_from_name(const char *name, enum signal_kind *ret)
{
    NAMES_FIND(kinds, enum signal_kind, name, ret);
}

const char *package_manager_name(enum package_manager manager)
{
    return managers[manager];
}

int package_manager_from_name(const char *name, enum package_manager *ret)
{
    NAMES_FIND(managers, enum package_manager, name, ret);
}

const char *layer_path_kind_name(enum layer_path_kind kind)
{
    size_t i = 0;

    while (path_kinds[i].kind != kind)
        i++;
    return path_kinds[i].name;
}

int layer_path_kind_from_name(const char *name, enum layer_path_kind *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(path_kinds); i++) {
        if (!text_equal(name, path_kinds[i].name))
            continue;
        *ret = path_kinds[i].kind;
        return 0;
    }
    return FAILURE_INPUT;
}

const char *layer_file_path(enum layer_file file)
{
    return files[file];
}

static void release_hits(struct layer_facts *facts)
{
    for (size_t i = 0; i < facts->hit_count; i++) {
        struct layer_hit *hit = &facts->hits[i];
        free(hit->what);
        free(hit->path);
        free(hit->detail);
        free(hit->hash);
    }
    free(facts->hits);
}

static void release_accounts(struct layer_facts *facts)
{
    for (size_t i = 0; i < facts->user_count; i++) {
        free(facts->users[i].name);
        free(facts->users[i].home);
        free(facts->users[i].shell);
    }
    for (size_t i = 0; i < facts->group_count; i++) {
        free(facts->groups[i].name);
        free(facts->groups[i].members);
    }
    free(facts->users);
    free(facts->groups);
    text_list_release(&facts->empty_passwords);
}

static void release_packages(struct layer_facts *facts)
{
    for (size_t i = 0; i < facts->package_count; i++) {
        free(facts->packages[i].name);
        free(facts->packages[i].version);
        free(facts->packages[i].path);
    }
    free(facts->packages);
}

static void release_probes(struct layer_facts *facts)
{
    for (size_t i = 0; i < facts->probe_count; i++) {
        free(facts->probes[i].probe);
        free(facts->probes[i].path);
    }
    free(facts->probes);
    text_list_release(&facts->probes_asked);
}

void layer_facts_free(struct layer_facts *facts)
{
    if (!facts)
        return;
    release_hits(facts);
    release_accounts(facts);
    release_packages(facts);
    release_probes(facts);
    for (size_t i = 0; i < LAYER_FILE_COUNT; i++)
        free(facts->files[i].detail);
    text_pairs_release(&facts->os_release);
    text_list_release(&facts->limits);
    text_release(&facts->paths);
    free(facts->compression);
    free(facts);
}

void layer_facts_auto_free(struct layer_facts **facts)
{
    layer_facts_free(*facts);
}
