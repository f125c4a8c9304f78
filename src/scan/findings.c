/* Layer facts being filled: bounds, and files of one signal added up. The table of paths is in
 * path_table.c. */
#include "findings.h"

#include <string.h>

#include "path_table.h"
#include "regwarden/map.h"

/* Of memory, for everything but paths; a worker has 24 MiB in all. */
enum { MEMORY_MAX = 3 * 512 * 1024, HIT_MEMORY = 256, ITEM_MEMORY = 160 };

struct findings {
    struct layer_facts *facts;
    size_t memory;    /* that hits, packages, accounts and answers to probes take, more or less */
    struct map *hits; /* "kind what path" -> index + 1, as a pointer */
    struct map *package_paths; /* raw path -> not NULL, of files that told of packages */
    struct map *probes;        /* "id path" -> index + 1, as a pointer */
    size_t probe_capacity;
    size_t hit_capacity;
    size_t package_capacity;
    size_t user_capacity;
    size_t group_capacity;
    struct path_table *paths;
    struct text key;
};

struct findings *findings_new(void)
{
    struct findings *findings = memory_new(sizeof(*findings));

    findings->facts = memory_new(sizeof(*findings->facts));
    findings->hits = map_new();
    findings->package_paths = map_new();
    findings->probes = map_new();
    findings->paths = path_table_new();
    return findings;
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    layer_facts_free(findings->facts);
    map_free(findings->hits);
    map_free(findings->package_paths);
    map_free(findings->probes);
    path_table_free(findings->paths);
    text_release(&findings->key);
    free(findings);
}

struct layer_facts *findings_facts(struct findings *findings)
{
    return findings->facts;
}

void findings_limit(struct findings *findings, const char *what)
{
    struct text_list *limits = &findings->facts->limits;

    if (limits->count < LAYER_LIMITS_MAX && !text_list_has(limits, what))
        text_list_add(limits, what);
}

/* False when there is no memory for one more that takes so much. */
static bool may_take(struct findings *findings, size_t size)
{
    if (findings->memory + size > MEMORY_MAX) {
        findings_limit(findings, "more findings than there is memory for");
        return false;
    }
    findings->memory += size;
    return true;
}

/* At most `max` bytes, printable. Returns new. */
static char *printed(const char *raw, size_t max)
{
    AUTO_FREE char *cut = memory_copy_bytes(raw, strnlen(raw, max));
    struct text text = {0};

    layer_path_print(&text, cut);
    return text_take(&text);
}

static char *short_text(const char *raw)
{
    return printed(raw, FINDINGS_TEXT_MAX);
}

/* The index of such a hit + 1, or 0. Leaves its key. */
static size_t look_up_hit(struct findings *findings, const struct found_hit *hit, const char *root)
{
    text_clear(&findings->key);
    text_format(&findings->key, "%d %s %llu %s %s", hit->kind, hit->what,
                (unsigned long long)hit->line, hit->hash ? hit->hash : "", root);
    return (uintptr_t)map_get(findings->hits, text_data(&findings->key));
}

const struct layer_hit *findings_find_hit(struct findings *findings, enum signal_kind kind,
                                          const char *what, const char *path)
{
    const struct found_hit hit = {.kind = kind, .what = what};
    AUTO_FREE char *root = printed(path, LAYER_PATH_BYTES_MAX);
    size_t index = look_up_hit(findings, &hit, root);

    return index > 0 ? &findings->facts->hits[index - 1] : NULL;
}

/* The hit that this one is added to; NULL when there is no place for another. */
static struct layer_hit *find_hit(struct findings *findings, const struct found_hit *hit)
{
    struct layer_facts *facts = findings->facts;
    AUTO_FREE char *root = printed(hit->path, hit->path_size);
    size_t index = look_up_hit(findings, hit, root);

    if (index > 0)
        return &facts->hits[index - 1];
    if (facts->hit_count == LAYER_HITS_MAX) {
        findings_limit(findings, "more findings than are kept");
        return NULL;
    }
    if (!may_take(findings, HIT_MEMORY + 2 * strlen(root)))
        return NULL;
    facts->hits =
        memory_grow(facts->hits, facts->hit_count, &findings->hit_capacity, sizeof(*facts->hits));
    map_set(findings->hits, text_data(&findings->key),
            (void *)(uintptr_t)(facts->hit_count + 1)); /* a number, never followed */
    struct layer_hit *ret = &facts->hits[facts->hit_count++];
    *ret = (struct layer_hit){
        .kind = hit->kind,
        .runtime = hit->runtime,
        .what = memory_copy_text(hit->what),
        .path = TAKE(root),
        .detail = hit->detail ? short_text(hit->detail) : NULL,
        .hash = memory_copy_text(hit->hash),
        .line = hit->line,
    };
    return ret;
}

void findings_add_hit(struct findings *findings, const struct found_hit *hit)
{
    struct layer_hit *to = find_hit(findings, hit);

    if (!to)
        return;
    to->files++;
    to->bytes += hit->bytes;
}

void findings_add_package(struct findings *findings, enum package_manager manager, const char *name,
                          const char *version, const char *path)
{
    struct layer_facts *facts = findings->facts;

    if (facts->package_count == LAYER_PACKAGES_MAX) {
        findings_limit(findings, "more packages than are kept");
        return;
    }
    AUTO_FREE char *shown = printed(path, LAYER_PATH_BYTES_MAX);
    if (!may_take(findings, ITEM_MEMORY + strlen(name) + strlen(version) + strlen(shown)))
        return;
    facts->packages = memory_grow(facts->packages, facts->package_count,
                                  &findings->package_capacity, sizeof(*facts->packages));
    facts->packages[facts->package_count++] = (struct layer_package){
        .manager = manager,
        .name = short_text(name),
        .version = short_text(version),
        .path = TAKE(shown),
    };
    map_set(findings->package_paths, path, findings);
}

void findings_drop_packages(struct findings *findings, const char *path)
{
    struct layer_facts *facts = findings->facts;
    AUTO_FREE char *wanted = printed(path, LAYER_PATH_BYTES_MAX);
    size_t kept = 0;

    if (!map_remove(findings->package_paths, path))
        return;
    for (size_t i = 0; i < facts->package_count; i++) {
        struct layer_package *package = &facts->packages[i];
        if (strcmp(package->path, wanted) != 0) {
            facts->packages[kept++] = *package;
            continue;
        }
        free(package->name);
        free(package->version);
        free(package->path);
    }
    facts->package_count = kept;
}

bool findings_add_user(struct findings *findings, const struct layer_user *user)
{
    struct layer_facts *facts = findings->facts;

    if (facts->user_count == LAYER_ACCOUNTS_MAX) {
        findings_limit(findings, "more users than are kept");
        return false;
    }
    if (!may_take(findings, ITEM_MEMORY + strlen(user->name) + strlen(user->home)))
        return false;
    facts->users = memory_grow(facts->users, facts->user_count, &findings->user_capacity,
                               sizeof(*facts->users));
    facts->users[facts->user_count++] = (struct layer_user){
        .name = short_text(user->name),
        .uid = user->uid,
        .gid = user->gid,
        .no_password = user->no_password,
        .home = short_text(user->home),
        .shell = short_text(user->shell),
    };
    return true;
}

bool findings_add_group(struct findings *findings, const struct layer_group *group)
{
    struct layer_facts *facts = findings->facts;

    if (facts->group_count == LAYER_ACCOUNTS_MAX) {
        findings_limit(findings, "more groups than are kept");
        return false;
    }
    if (!may_take(findings, ITEM_MEMORY + strlen(group->name) + strlen(group->members)))
        return false;
    facts->groups = memory_grow(facts->groups, facts->group_count, &findings->group_capacity,
                                sizeof(*facts->groups));
    facts->groups[facts->group_count++] = (struct layer_group){
        .name = short_text(group->name),
        .gid = group->gid,
        .members = short_text(group->members),
    };
    return true;
}

void findings_add_empty_password(struct findings *findings, const char *name)
{
    if (findings->facts->empty_passwords.count == LAYER_ACCOUNTS_MAX)
        findings_limit(findings, "more empty passwords than are kept");
    else if (may_take(findings, ITEM_MEMORY))
        text_list_add_take(&findings->facts->empty_passwords, short_text(name));
}

void findings_clear_users(struct findings *findings)
{
    struct layer_facts *facts = findings->facts;

    for (size_t i = 0; i < facts->user_count; i++) {
        free(facts->users[i].name);
        free(facts->users[i].home);
        free(facts->users[i].shell);
    }
    facts->user_count = 0;
}

void findings_clear_groups(struct findings *findings)
{
    struct layer_facts *facts = findings->facts;

    for (size_t i = 0; i < facts->group_count; i++) {
        free(facts->groups[i].name);
        free(facts->groups[i].members);
    }
    facts->group_count = 0;
}

/* Where the probe's answer for this path is kept: the last entry of a path counts. */
static struct layer_probe *find_probe(struct findings *findings, const struct layer_probe *probe)
{
    struct layer_facts *facts = findings->facts;

    text_clear(&findings->key);
    text_format(&findings->key, "%s %s", probe->probe, probe->path);
    size_t index = (uintptr_t)map_get(findings->probes, text_data(&findings->key));
    if (index > 0)
        return &facts->probes[index - 1];
    if (facts->probe_count == LAYER_PROBES_MAX) {
        findings_limit(findings, "more files that policies ask for than are kept");
        return NULL;
    }
    AUTO_FREE char *path = printed(probe->path, LAYER_PATH_BYTES_MAX);
    if (!may_take(findings, HIT_MEMORY + strlen(path) + strlen(probe->path)))
        return NULL;
    facts->probes = memory_grow(facts->probes, facts->probe_count, &findings->probe_capacity,
                                sizeof(*facts->probes));
    map_set(findings->probes, text_data(&findings->key),
            (void *)(uintptr_t)(facts->probe_count + 1)); /* a number, never followed */
    struct layer_probe *ret = &facts->probes[facts->probe_count++];
    *ret = (struct layer_probe){.probe = memory_copy_text(probe->probe), .path = TAKE(path)};
    return ret;
}

void findings_add_probe(struct findings *findings, const struct layer_probe *probe)
{
    struct layer_probe *to = find_probe(findings, probe);

    if (!to)
        return;
    char *id = to->probe, *path = to->path;
    *to = *probe;
    to->probe = id;
    to->path = path;
}

void findings_set_file(struct findings *findings, enum layer_file file, enum layer_file_state state,
                       const char *detail)
{
    struct layer_file_status *status = &findings->facts->files[file];

    free(status->detail);
    status->state = state;
    status->detail = detail ? printed(detail, LAYER_PATH_BYTES_MAX) : NULL;
}

void findings_add_path(struct findings *findings, enum layer_path_kind kind, const char *path,
                       uint64_t size, const char *link)
{
    if (!path_table_add(findings->paths, kind, path, size, link))
        findings_limit(findings, "more paths than are kept");
}

struct layer_facts *findings_take(struct findings *findings)
{
    struct layer_facts *facts = findings->facts;

    map_free(TAKE(findings->hits));
    map_free(TAKE(findings->probes));
    facts->paths_complete =
        path_table_write(findings->paths, &facts->paths, &facts->duplicate_bytes);
    if (!facts->paths_complete)
        findings_limit(findings, "more paths than are kept");
    return TAKE(findings->facts);
}
