/* Layer facts as a JSON document. The reader is in layer_facts_from_json.c. */
#include "regwarden/layer_facts.h"

#include <string.h>

#include "writer.h"

static const char *const states[] = {
    [LAYER_FILE_ABSENT] = "absent",
    [LAYER_FILE_READ] = "read",
    [LAYER_FILE_LINK] = "link",
    [LAYER_FILE_UNREAD] = "unread",
};

static struct json *hit_to_json(const struct layer_facts *facts, size_t index)
{
    const struct layer_hit *hit = &facts->hits[index];
    struct json *json = json_new_object();

    json_set_string(json, "kind", signal_kind_name(hit->kind));
    json_set_string(json, "what", hit->what);
    json_set_string(json, "path", hit->path);
    if (hit->runtime != RUNTIME_UNKNOWN)
        json_set_string(json, "runtime", runtime_name(hit->runtime));
    writer_count(json, "bytes", hit->bytes);
    writer_count(json, "files", hit->files);
    json_set_string(json, "detail", hit->detail);
    json_set_string(json, "hash", hit->hash);
    if (hit->line > 0)
        writer_count(json, "line", hit->line);
    return json;
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

static struct json *user_to_json(const struct layer_facts *facts, size_t index)
{
    const struct layer_user *user = &facts->users[index];
    struct json *item = json_new_array();

    append_text(item, user->name);
    json_append_take(item, json_new_integer(user->uid));
    json_append_take(item, json_new_integer(user->gid));
    append_text(item, user->home);
    append_text(item, user->shell);
    if (user->no_password)
        json_append_take(item, json_new_bool(true));
    return item;
}

static struct json *group_to_json(const struct layer_facts *facts, size_t index)
{
    const struct layer_group *group = &facts->groups[index];
    struct json *item = json_new_array();

    append_text(item, group->name);
    json_append_take(item, json_new_integer(group->gid));
    append_text(item, group->members);
    return item;
}

static struct json *package_to_json(const struct layer_facts *facts, size_t index)
{
    const struct layer_package *package = &facts->packages[index];
    struct json *item = json_new_array();

    append_text(item, package_manager_name(package->manager));
    append_text(item, package->name);
    append_text(item, package->version);
    append_text(item, package->path);
    return item;
}

static struct json *probe_to_json(const struct layer_facts *facts, size_t index)
{
    const struct layer_probe *probe = &facts->probes[index];
    struct json *json = json_new_object();

    json_set_string(json, "probe", probe->probe);
    json_set_string(json, "path", probe->path);
    json_set_string(json, "kind", layer_path_kind_name(probe->kind));
    json_set_integer(json, "mode", probe->mode);
    json_set_integer(json, "uid", probe->uid);
    json_set_integer(json, "gid", probe->gid);
    writer_count(json, "bytes", probe->bytes);
    writer_digest(json, "sha256", &probe->sha256);
    json_set_string(json, "content", answer_name(probe->content));
    return json;
}

/* What there may be thousands of. */
static const struct {
    const char *key;
    size_t count; /* offset in the facts */
    struct json *(*item)(const struct layer_facts *facts, size_t index);
} lists[] = {
    {"hits", offsetof(struct layer_facts, hit_count), hit_to_json},
    {"users", offsetof(struct layer_facts, user_count), user_to_json},
    {"groups", offsetof(struct layer_facts, group_count), group_to_json},
    {"packages", offsetof(struct layer_facts, package_count), package_to_json},
    {"probes", offsetof(struct layer_facts, probe_count), probe_to_json},
};

static size_t count_of(const struct layer_facts *facts, size_t list)
{
    size_t count;

    memcpy(&count, (const char *)facts + lists[list].count, sizeof(count));
    return count;
}

/* All but the lists. */
static struct json *head_to_json(const struct layer_facts *facts)
{
    struct json *json = json_new_object();

    json_set_integer(json, "version", LAYER_FACTS_VERSION);
    writer_digest(json, "digest", &facts->digest);
    writer_digest(json, "diffId", &facts->diff_id);
    json_set_string(json, "compression", facts->compression);
    writer_count(json, "compressedBytes", facts->compressed_bytes);
    writer_count(json, "uncompressedBytes", facts->uncompressed_bytes);
    writer_count(json, "entries", facts->entry_count);
    writer_count(json, "fileCount", facts->file_count);
    writer_count(json, "fileBytes", facts->file_bytes);
    writer_count(json, "duplicateBytes", facts->duplicate_bytes);
    writer_count(json, "afterEndBytes", facts->after_end_bytes);
    writer_count(json, "oddEntries", facts->odd_entries);
    json_set_take(json, "limits", json_from_list(&facts->limits));
    add_files(json, facts);
    json_set_take(json, "emptyPasswords", json_from_list(&facts->empty_passwords));
    json_set_take(json, "osRelease", json_from_pairs(&facts->os_release));
    json_set_take(json, "probesAsked", json_from_list(&facts->probes_asked));
    json_set_bool(json, "pathsComplete", facts->paths_complete);
    json_set_string(json, "paths", text_data(&facts->paths));
    return json;
}

struct json *layer_facts_to_json(const struct layer_facts *facts)
{
    struct json *json = head_to_json(facts);

    for (size_t list = 0; list < ARRAY_COUNT(lists); list++) {
        struct json *items = json_new_array();
        for (size_t i = 0; i < count_of(facts, list); i++)
            json_append_take(items, lists[list].item(facts, i));
        json_set_take(json, lists[list].key, items);
    }
    return json;
}

static void write_list(const struct layer_facts *facts, size_t list, struct text *to)
{
    text_format(to, ",\"%s\":[", lists[list].key);
    for (size_t i = 0; i < count_of(facts, list); i++) {
        AUTO_JSON struct json *item = lists[list].item(facts, i);
        if (i > 0)
            text_add_char(to, ',');
        json_write(item, JSON_COMPACT, to);
    }
    text_add_char(to, ']');
}

void layer_facts_write(const struct layer_facts *facts, struct text *to)
{
    AUTO_JSON struct json *head = head_to_json(facts);

    json_write(head, JSON_COMPACT, to);
    to->data[--to->length] = '\0'; /* its closing brace comes behind the lists */
    for (size_t list = 0; list < ARRAY_COUNT(lists); list++)
        write_list(facts, list, to);
    text_add_char(to, '}');
}
