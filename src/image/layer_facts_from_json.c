/* Layer facts read back. A worker that a layer took over may answer anything: kinds, sizes, order
 * and counts are checked here, and what is wrong makes the whole document refused. */
#include "regwarden/layer_facts.h"

enum { TEXT_MAX = 4 * LAYER_PATH_BYTES_MAX };

const struct json_limits layer_facts_limits = {
    .max_bytes = (size_t)LAYER_TABLE_BYTES_MAX * 3,
    .max_depth = 4,
    .max_values = 200000,
};

/* Reads members one after another; the first fault is kept. */
struct reader {
    struct error *err;
    int failure;
};

static void fault(struct reader *reader, const char *what)
{
    if (reader->failure == 0)
        reader->failure = error_set(reader->err, FAILURE_INPUT,
                                    "the layer facts' %s is not as it ought to be", what);
}

/* A printable text. `empty` (NULL or "") stands for one that is not there, and is allowed when
 * `may_miss`. */
static char *text_of(struct reader *reader, const struct json *json, const char *what,
                     bool may_miss)
{
    const char *string = json_string(json);
    size_t size = string ? strlen(string) : 0;

    if (json_is(json, JSON_KIND_NONE) && may_miss)
        return NULL;
    if (!string || size > TEXT_MAX) {
        fault(reader, what);
        return NULL;
    }
    for (size_t i = 0; i < size; i++)
        if (string[i] < 0x20 || string[i] > 0x7e)
            fault(reader, what);
    return memory_copy_text(string);
}

static char *member_text(struct reader *reader, const struct json *json, const char *key)
{
    return text_of(reader, json_get(json, key), key, /* may_miss= */ false);
}

static char *member_text_if(struct reader *reader, const struct json *json, const char *key)
{
    return text_of(reader, json_get(json, key), key, /* may_miss= */ true);
}

static uint64_t number_of(struct reader *reader, const struct json *json, uint64_t max,
                          const char *what)
{
    int64_t value = json_integer(json, -1);

    if (value >= 0 && (uint64_t)value <= max)
        return (uint64_t)value;
    fault(reader, what);
    return 0;
}

static uint64_t member_number(struct reader *reader, const struct json *json, const char *key)
{
    return number_of(reader, json_get(json, key), INT64_MAX, key);
}

static void member_digest(struct reader *reader, const struct json *json, const char *key,
                          bool may_miss, struct digest *ret)
{
    const struct json *member = json_get(json, key);

    if (may_miss && json_is(member, JSON_KIND_NONE))
        return;
    if (!json_string(member) || digest_parse_verifiable(json_string(member), ret, NULL) < 0)
        fault(reader, key);
}

/* The members of a list that has at most `max`. */
static const struct json *member_list(struct reader *reader, const struct json *json,
                                      const char *key, size_t max, size_t *ret_count)
{
    const struct json *list = json_get(json, key);

    *ret_count = json_count(list);
    if (!json_is(list, JSON_KIND_ARRAY) || *ret_count > max) {
        fault(reader, key);
        *ret_count = 0;
    }
    return list;
}

static void member_texts(struct reader *reader, const struct json *json, const char *key,
                         size_t max, struct text_list *ret)
{
    size_t count;
    const struct json *list = member_list(reader, json, key, max, &count);

    for (size_t i = 0; i < count; i++) {
        char *text = text_of(reader, json_at(list, i), key, false);
        text_list_add_take(ret, text ? text : memory_copy_text(""));
    }
}

static void read_hit(struct reader *reader, const struct json *json, struct layer_hit *ret)
{
    const char *runtime = json_get_string(json, "runtime");

    if (signal_kind_from_name(json_get_string(json, "kind"), &ret->kind) < 0)
        fault(reader, "kind");
    if (runtime && runtime_from_name(runtime, &ret->runtime) < 0)
        fault(reader, "runtime");
    ret->what = member_text(reader, json, "what");
    ret->path = member_text(reader, json, "path");
    ret->bytes = member_number(reader, json, "bytes");
    ret->files = member_number(reader, json, "files");
    ret->detail = member_text_if(reader, json, "detail");
    ret->hash = member_text_if(reader, json, "hash");
    if (json_get(json, "line"))
        ret->line = member_number(reader, json, "line");
}

static void read_hits(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list = member_list(reader, json, "hits", LAYER_HITS_MAX, &ret->hit_count);

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
        fault(reader, "files");
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++) {
        const struct json *file = json_get(files, layer_file_path((enum layer_file)i));
        if (!file)
            continue;
        if (!state_from_name(json_get_string(file, "state"), &ret->files[i].state))
            fault(reader, "files");
        ret->files[i].detail = member_text_if(reader, file, "detail");
    }
}

static void read_users(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        member_list(reader, json, "users", LAYER_ACCOUNTS_MAX, &ret->user_count);

    ret->users = memory_new_array(ret->user_count, sizeof(*ret->users));
    for (size_t i = 0; i < ret->user_count; i++) {
        const struct json *item = json_at(list, i);
        ret->users[i] = (struct layer_user){
            .name = text_of(reader, json_at(item, 0), "users", false),
            .uid = (uint32_t)number_of(reader, json_at(item, 1), UINT32_MAX, "users"),
            .gid = (uint32_t)number_of(reader, json_at(item, 2), UINT32_MAX, "users"),
            .home = text_of(reader, json_at(item, 3), "users", false),
            .shell = text_of(reader, json_at(item, 4), "users", false),
        };
    }
}

static void read_groups(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        member_list(reader, json, "groups", LAYER_ACCOUNTS_MAX, &ret->group_count);

    ret->groups = memory_new_array(ret->group_count, sizeof(*ret->groups));
    for (size_t i = 0; i < ret->group_count; i++) {
        const struct json *item = json_at(list, i);
        ret->groups[i] = (struct layer_group){
            .name = text_of(reader, json_at(item, 0), "groups", false),
            .gid = (uint32_t)number_of(reader, json_at(item, 1), UINT32_MAX, "groups"),
            .members = text_of(reader, json_at(item, 2), "groups", false),
        };
    }
}

static void read_packages(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const struct json *list =
        member_list(reader, json, "packages", LAYER_PACKAGES_MAX, &ret->package_count);

    ret->packages = memory_new_array(ret->package_count, sizeof(*ret->packages));
    for (size_t i = 0; i < ret->package_count; i++) {
        const struct json *item = json_at(list, i);
        struct layer_package *package = &ret->packages[i];
        if (package_manager_from_name(json_string(json_at(item, 0)), &package->manager) < 0)
            fault(reader, "packages");
        package->name = text_of(reader, json_at(item, 1), "packages", false);
        package->version = text_of(reader, json_at(item, 2), "packages", false);
        package->path = text_of(reader, json_at(item, 3), "packages", false);
    }
}

static void read_os_release(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    struct json *pairs = json_get(json, "osRelease");

    if (!json_is(pairs, JSON_KIND_OBJECT))
        fault(reader, "osRelease");
    for (void *i = json_iterate(pairs); i; i = json_next(pairs, i)) {
        AUTO_FREE char *value = text_of(reader, json_iterator_value(i), "osRelease", false);
        text_pairs_add(&ret->os_release, json_iterator_key(i), value ? value : "");
    }
}

/* The table is walked once, so that whoever reads it later meets no fault. */
static void read_paths(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    const char *table = json_get_string(json, "paths");

    ret->paths_complete = json_bool(json_get(json, "pathsComplete"), false);
    if (!table || strlen(table) > LAYER_TABLE_BYTES_MAX) {
        fault(reader, "paths");
        return;
    }
    text_add(&ret->paths, table);
    if (layer_paths_check(&ret->paths, NULL) < 0)
        fault(reader, "paths");
}

static void read_counts(struct reader *reader, const struct json *json, struct layer_facts *ret)
{
    ret->compressed_bytes = member_number(reader, json, "compressedBytes");
    ret->uncompressed_bytes = member_number(reader, json, "uncompressedBytes");
    ret->entry_count = member_number(reader, json, "entries");
    ret->file_count = member_number(reader, json, "fileCount");
    ret->file_bytes = member_number(reader, json, "fileBytes");
    ret->duplicate_bytes = member_number(reader, json, "duplicateBytes");
    ret->after_end_bytes = member_number(reader, json, "afterEndBytes");
    ret->odd_entries = member_number(reader, json, "oddEntries");
}

int layer_facts_from_json(const struct json *json, struct layer_facts **ret, struct error *err)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = memory_new(sizeof(*facts));
    struct reader reader = {.err = err};

    if (json_get_integer(json, "version", 0) != LAYER_FACTS_VERSION)
        return error_set(err, FAILURE_INPUT, "layer facts of another version");
    member_digest(&reader, json, "digest", false, &facts->digest);
    member_digest(&reader, json, "diffId", true, &facts->diff_id);
    facts->compression = member_text(&reader, json, "compression");
    read_counts(&reader, json, facts);
    member_texts(&reader, json, "limits", LAYER_LIMITS_MAX, &facts->limits);
    read_hits(&reader, json, facts);
    read_files(&reader, json, facts);
    read_users(&reader, json, facts);
    read_groups(&reader, json, facts);
    member_texts(&reader, json, "emptyPasswords", LAYER_ACCOUNTS_MAX, &facts->empty_passwords);
    read_os_release(&reader, json, facts);
    read_packages(&reader, json, facts);
    read_paths(&reader, json, facts);
    if (reader.failure < 0)
        return reader.failure;
    *ret = TAKE(facts);
    return 0;
}
