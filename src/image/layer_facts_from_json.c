/* Layer facts read back. A worker that a layer took over may answer anything: kinds, sizes, order
 * and counts are checked here, and what is wrong makes the whole document refused. */
#include "reader.h"
#include "regwarden/layer_facts.h"

#include <string.h>

const struct json_limits layer_facts_limits = {
    .max_bytes = (size_t)LAYER_TABLE_BYTES_MAX * 3,
    .max_depth = 4,
    .max_values = 200000,
};

static void read_hit(struct reader *reader, const struct json *json, struct layer_hit *ret)
{
    const char *runtime = json_get_string(json, "runtime");

    if (signal_kind_from_name(json_get_string(json, "kind"), &ret->kind) < 0)
        reader_fault(reader, "kind");
    if (runtime && runtime_from_name(runtime, &ret->runtime) < 0)
        reader_fault(reader, "runtime");
    ret->what = reader_member(reader, json, "what");
    ret->path = reader_member(reader, json, "path");
    ret->bytes = reader_count(reader, json, "bytes");
    ret->files = reader_count(reader, json, "files");
    ret->detail = reader_member_if(reader, json, "detail");
    ret->hash = reader_member_if(reader, json, "hash");
    if (json_get(json, "line"))
        ret->line = reader_count(reader, json, "line");
}

static void read_hits(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list = reader_list(reader, json, "hits", LAYER_HITS_MAX, &ret->hit_count);

    ret->hits = memory_new_array(ret->hit_count, sizeof(*ret->hits));
    for (size_t i = 0; i < ret->hit_count; i++)
        read_hit(reader, json_at(list, i), &ret->hits[i]);
}

static bool state_from_name(const char *name, enum layer_file_state *ret)
{
    static const char *const names[] = {
        [LAYER_FILE_READ] = "read", [LAYER_FILE_LINK] = "link", [LAYER_FILE_UNREAD] = "unread"};

    for (unsigned i = LAYER_FILE_READ; i < ARRAY_COUNT(names); i++) {
        if (!text_equal(name, names[i]))
            continue;
        *ret = (enum layer_file_state)i;
        return true;
    }
    return false;
}

static void read_files(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *files = json_get(json, "files");

    if (!json_is(files, JSON_KIND_OBJECT))
        reader_fault(reader, "files");
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++) {
        const struct json *file = json_get(files, layer_file_path((enum layer_file)i));
        if (!file)
            continue;
        if (!state_from_name(json_get_string(file, "state"), &ret->files[i].state))
            reader_fault(reader, "files");
        ret->files[i].detail = reader_member_if(reader, file, "detail");
    }
}

static void read_users(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        reader_list(reader, json, "users", LAYER_ACCOUNTS_MAX, &ret->user_count);

    ret->users = memory_new_array(ret->user_count, sizeof(*ret->users));
    for (size_t i = 0; i < ret->user_count; i++) {
        const struct json *item = json_at(list, i);
        ret->users[i] = (struct layer_user){
            .name = reader_text(reader, json_at(item, 0), "users", false),
            .uid = (uint32_t)reader_number(reader, json_at(item, 1), UINT32_MAX, "users"),
            .gid = (uint32_t)reader_number(reader, json_at(item, 2), UINT32_MAX, "users"),
            .home = reader_text(reader, json_at(item, 3), "users", false),
            .shell = reader_text(reader, json_at(item, 4), "users", false),
            .no_password = json_bool(json_at(item, 5), false),
        };
    }
}

static void read_groups(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        reader_list(reader, json, "groups", LAYER_ACCOUNTS_MAX, &ret->group_count);

    ret->groups = memory_new_array(ret->group_count, sizeof(*ret->groups));
    for (size_t i = 0; i < ret->group_count; i++) {
        const struct json *item = json_at(list, i);
        ret->groups[i] = (struct layer_group){
            .name = reader_text(reader, json_at(item, 0), "groups", false),
            .gid = (uint32_t)reader_number(reader, json_at(item, 1), UINT32_MAX, "groups"),
            .members = reader_text(reader, json_at(item, 2), "groups", false),
        };
    }
}

static void read_packages(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        reader_list(reader, json, "packages", LAYER_PACKAGES_MAX, &ret->package_count);

    ret->packages = memory_new_array(ret->package_count, sizeof(*ret->packages));
    for (size_t i = 0; i < ret->package_count; i++) {
        const struct json *item = json_at(list, i);
        struct layer_package *package = &ret->packages[i];
        if (package_manager_from_name(json_string(json_at(item, 0)), &package->manager) < 0)
            reader_fault(reader, "packages");
        package->name = reader_text(reader, json_at(item, 1), "packages", false);
        package->version = reader_text(reader, json_at(item, 2), "packages", false);
        package->path = reader_text(reader, json_at(item, 3), "packages", false);
    }
}

static void read_probe(struct reader *reader, const struct json *json, struct layer_probe *ret)
{
    ret->probe = reader_member(reader, json, "probe");
    ret->path = reader_member(reader, json, "path");
    if (layer_path_kind_from_name(json_get_string(json, "kind"), &ret->kind) < 0 ||
        answer_from_name(json_get_string(json, "content"), &ret->content) < 0)
        reader_fault(reader, "probes");
    ret->mode = (uint32_t)reader_number(reader, json_get(json, "mode"), LAYER_MODE_MAX, "probes");
    ret->uid = (uint32_t)reader_number(reader, json_get(json, "uid"), UINT32_MAX, "probes");
    ret->gid = (uint32_t)reader_number(reader, json_get(json, "gid"), UINT32_MAX, "probes");
    ret->bytes = reader_count(reader, json, "bytes");
    reader_digest(reader, json, "sha256", true, &ret->sha256);
}

static void read_probes(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        reader_list(reader, json, "probes", LAYER_PROBES_MAX, &ret->probe_count);

    reader_texts(reader, json, "probesAsked", LAYER_PROBES_ASKED_MAX, &ret->probes_asked);
    ret->probes = memory_new_array(ret->probe_count, sizeof(*ret->probes));
    for (size_t i = 0; i < ret->probe_count; i++)
        read_probe(reader, json_at(list, i), &ret->probes[i]);
}

static void read_os_release(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    struct json *pairs = json_get(json, "osRelease");

    if (!json_is(pairs, JSON_KIND_OBJECT))
        reader_fault(reader, "osRelease");
    for (void *i = json_iterate(pairs); i; i = json_next(pairs, i)) {
        AUTO_FREE char *value = reader_text(reader, json_iterator_value(i), "osRelease", false);
        text_pairs_add(&ret->os_release, json_iterator_key(i), value ? value : "");
    }
}

/* The table is walked once, so that whoever reads it later meets no fault. */
static void read_paths(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const char *table = json_get_string(json, "paths");

    ret->paths_complete = json_bool(json_get(json, "pathsComplete"), false);
    if (!table || strlen(table) > LAYER_TABLE_BYTES_MAX) {
        reader_fault(reader, "paths");
        return;
    }
    text_add(&ret->paths, table);
    if (layer_paths_check(&ret->paths, NULL) < 0)
        reader_fault(reader, "paths");
}

static void read_counts(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    ret->compressed_bytes = reader_count(reader, json, "compressedBytes");
    ret->uncompressed_bytes = reader_count(reader, json, "uncompressedBytes");
    ret->entry_count = reader_count(reader, json, "entries");
    ret->file_count = reader_count(reader, json, "fileCount");
    ret->file_bytes = reader_count(reader, json, "fileBytes");
    ret->duplicate_bytes = reader_count(reader, json, "duplicateBytes");
    ret->after_end_bytes = reader_count(reader, json, "afterEndBytes");
    ret->odd_entries = reader_count(reader, json, "oddEntries");
}

int layer_facts_from_json(const struct json *json, struct layer_facts **ret, struct error *err)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = memory_new(sizeof(*facts));
    struct reader reader = {.err = err, .what = "layer facts"};

    if (json_get_integer(json, "version", 0) != LAYER_FACTS_VERSION)
        return error_set(err, FAILURE_INPUT, "layer facts of another version");
    reader_digest(&reader, json, "digest", false, &facts->digest);
    reader_digest(&reader, json, "diffId", true, &facts->diff_id);
    facts->compression = reader_member(&reader, json, "compression");
    read_counts(&reader, json, facts);
    reader_texts(&reader, json, "limits", LAYER_LIMITS_MAX, &facts->limits);
    read_hits(&reader, json, facts);
    read_files(&reader, json, facts);
    read_users(&reader, json, facts);
    read_groups(&reader, json, facts);
    reader_texts(&reader, json, "emptyPasswords", LAYER_ACCOUNTS_MAX, &facts->empty_passwords);
    read_os_release(&reader, json, facts);
    read_packages(&reader, json, facts);
    read_probes(&reader, json, facts);
    read_paths(&reader, json, facts);
    if (reader.failure < 0)
        return reader.failure;
    *ret = TAKE(facts);
    return 0;
}
