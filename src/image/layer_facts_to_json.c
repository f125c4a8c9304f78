/* Layer facts as a JSON document. The reader is in layer_facts_from_json.c. */
#include "regwarden/layer_facts.h"

static const char *const states[] = {
    [LAYER_FILE_ABSENT] = "absent",
    [LAYER_FILE_READ] = "read",
    [LAYER_FILE_LINK] = "link",
    [LAYER_FILE_UNREAD] = "unread",
};

static void set_number(struct json *to, const char *key, uint64_t value)
{
    json_set_integer(to, key, (int64_t)(value < INT64_MAX ? value : INT64_MAX));
}

static void set_digest(struct json *to, const char *key, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    if (digest_is_set(digest))
        json_set_string(to, key, digest_format(digest, text));
}

static struct json *hit_to_json(const struct layer_hit *hit)
{
    struct json *json = json_new_object();

    json_set_string(json, "kind", signal_kind_name(hit->kind));
    json_set_string(json, "what", hit->what);
    json_set_string(json, "path", hit->path);
    if (hit->runtime != RUNTIME_UNKNOWN)
        json_set_string(json, "runtime", runtime_name(hit->runtime));
    set_number(json, "bytes", hit->bytes);
    set_number(json, "files", hit->files);
    json_set_string(json, "detail", hit->detail);
    json_set_string(json, "hash", hit->hash);
    if (hit->line > 0)
        set_number(json, "line", hit->line);
    return json;
}

static void add_hits(struct json *to, const struct layer_facts *facts)
{
    struct json *hits = json_new_array();

    for (size_t i = 0; i < facts->hit_count; i++)
        json_append_take(hits, hit_to_json(&facts->hits[i]));
    json_set_take(to, "hits", hits);
}

static void add_files(struct json *to, const struct layer_facts *facts)
{
    struct json *files = json_new_object();

    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++) {
        const struct layer_file_status *status = &facts->files[i];
        if (status->state == LAYER_FILE_ABSENT)
            continue;
        struct json *file = json_new_object();
        json_set_string(file, "state", states[status->state]);
        json_set_string(file, "detail", status->detail);
        json_set_take(files, layer_file_path((enum layer_file)i), file);
    }
    json_set_take(to, "files", files);
}

/* A user, group or package is a short list: there may be thousands. */
static void append_text(struct json *to, const char *value)
{
    json_append_take(to, json_new_string(value));
}

static void add_users(struct json *to, const struct layer_facts *facts)
{
    struct json *users = json_new_array();

    for (size_t i = 0; i < facts->user_count; i++) {
        const struct layer_user *user = &facts->users[i];
        struct json *item = json_new_array();
        append_text(item, user->name);
        json_append_take(item, json_new_integer(user->uid));
        json_append_take(item, json_new_integer(user->gid));
        append_text(item, user->home);
        append_text(item, user->shell);
        if (user->no_password)
            json_append_take(item, json_new_bool(true));
        json_append_take(users, item);
    }
    json_set_take(to, "users", users);
}

static void add_groups(struct json *to, const struct layer_facts *facts)
{
    struct json *groups = json_new_array();

    for (size_t i = 0; i < facts->group_count; i++) {
        const struct layer_group *group = &facts->groups[i];
        struct json *item = json_new_array();
        append_text(item, group->name);
        json_append_take(item, json_new_integer(group->gid));
        append_text(item, group->members);
        json_append_take(groups, item);
    }
    json_set_take(to, "groups", groups);
}

static void add_packages(struct json *to, const struct layer_facts *facts)
{
    struct json *packages = json_new_array();

    for (size_t i = 0; i < facts->package_count; i++) {
        const struct layer_package *package = &facts->packages[i];
        struct json *item = json_new_array();
        append_text(item, package_manager_name(package->manager));
        append_text(item, package->name);
        append_text(item, package->version);
        append_text(item, package->path);
        json_append_take(packages, item);
    }
    json_set_take(to, "packages", packages);
}

static struct json *probe_to_json(const struct layer_probe *probe)
{
    struct json *json = json_new_object();

    json_set_string(json, "probe", probe->probe);
    json_set_string(json, "path", probe->path);
    json_set_string(json, "kind", layer_path_kind_name(probe->kind));
    json_set_integer(json, "mode", probe->mode);
    json_set_integer(json, "uid", probe->uid);
    json_set_integer(json, "gid", probe->gid);
    set_number(json, "bytes", probe->bytes);
    set_digest(json, "sha256", &probe->sha256);
    json_set_string(json, "content", answer_name(probe->content));
    return json;
}

static void add_probes(struct json *to, const struct layer_facts *facts)
{
    struct json *probes = json_new_array();

    for (size_t i = 0; i < facts->probe_count; i++)
        json_append_take(probes, probe_to_json(&facts->probes[i]));
    json_set_take(to, "probesAsked", json_from_list(&facts->probes_asked));
    json_set_take(to, "probes", probes);
}

struct json *layer_facts_to_json(const struct layer_facts *facts)
{
    struct json *json = json_new_object();

    json_set_integer(json, "version", LAYER_FACTS_VERSION);
    set_digest(json, "digest", &facts->digest);
    set_digest(json, "diffId", &facts->diff_id);
    json_set_string(json, "compression", facts->compression);
    set_number(json, "compressedBytes", facts->compressed_bytes);
    set_number(json, "uncompressedBytes", facts->uncompressed_bytes);
    set_number(json, "entries", facts->entry_count);
    set_number(json, "fileCount", facts->file_count);
    set_number(json, "fileBytes", facts->file_bytes);
    set_number(json, "duplicateBytes", facts->duplicate_bytes);
    set_number(json, "afterEndBytes", facts->after_end_bytes);
    set_number(json, "oddEntries", facts->odd_entries);
    json_set_take(json, "limits", json_from_list(&facts->limits));
    add_hits(json, facts);
    add_files(json, facts);
    add_users(json, facts);
    add_groups(json, facts);
    json_set_take(json, "emptyPasswords", json_from_list(&facts->empty_passwords));
    json_set_take(json, "osRelease", json_from_pairs(&facts->os_release));
    add_packages(json, facts);
    add_probes(json, facts);
    json_set_bool(json, "pathsComplete", facts->paths_complete);
    json_set_string(json, "paths", text_data(&facts->paths));
    return json;
}
