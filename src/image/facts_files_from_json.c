/* The member "files" of the facts document, read back: from the store, or from an example written
 * by hand, where all that is natural may be left out. What is there must be as it ought to be, and
 * layers must be layers of the image: rules use them as indices. */
#include "regwarden/facts_files.h"

#include <string.h>

#include "reader.h"
#include "regwarden/image_files.h"

enum { OS_RELEASE_MAX = 64 };

struct reading {
    struct reader reader;
    struct facts_files *files;
    bool stated; /* are there layers in the document? else as many as are named */
};

static void fault(struct reading *reading, const char *part)
{
    reader_fault(&reading->reader, part);
}

/* Reasons and limits may hold more than ASCII. */
static char *sentence(struct reading *reading, const struct json *json, const char *part)
{
    const char *text = json_string(json);

    if (json_is(json, JSON_KIND_NONE))
        return NULL;
    if (!text || strlen(text) > READER_TEXT_MAX)
        fault(reading, part);
    for (const char *c = text; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            fault(reading, part);
    return memory_copy_text(text);
}

static char *text_or(struct reading *reading, const struct json *json, const char *key,
                     const char *fallback)
{
    char *text = reader_member_if(&reading->reader, json, key);

    return text ? text : memory_copy_text(fallback);
}

static uint64_t number_or(struct reading *reading, const struct json *json, const char *key,
                          uint64_t fallback)
{
    return json_get(json, key) ? reader_count(&reading->reader, json, key) : fallback;
}

static uint32_t id_or(struct reading *reading, const struct json *json, const char *key,
                      uint32_t fallback)
{
    const struct json *id = json_get(json, key);

    return id ? (uint32_t)reader_number(&reading->reader, id, UINT32_MAX, key) : fallback;
}

static void digest_if(struct reading *reading, const struct json *json, const char *key,
                      struct digest *ret)
{
    const struct json *member = json_get(json, key);

    if (member && (!json_string(member) || digest_parse(json_string(member), ret, NULL) < 0))
        fault(reading, key);
}

static void answer_if(struct reading *reading, const struct json *json, const char *key,
                      enum answer *ret)
{
    const struct json *member = json_get(json, key);

    if (member && answer_from_name(json_string(member), ret) < 0)
        fault(reading, key);
}

/* A list that may be missing. */
static const struct json *list_if(struct reading *reading, const struct json *json, const char *key,
                                  size_t max, size_t *ret_count)
{
    *ret_count = 0;
    return json_get(json, key) ? reader_list(&reading->reader, json, key, max, ret_count) : NULL;
}

/* --- layers --- */

static void grow_layers(struct facts_files *files, size_t count)
{
    struct facts_layer *layers;

    if (count <= files->layer_count)
        return;
    layers = memory_new_array(count, sizeof(*layers));
    for (size_t i = 0; i < count; i++)
        layers[i] =
            i < files->layer_count ? files->layers[i] : (struct facts_layer){.state = FACT_PRESENT};
    free(files->layers);
    files->layers = layers;
    files->layer_count = count;
}

/* The index of a layer of the image. */
static int layer_or(struct reading *reading, const struct json *json, const char *key, int fallback)
{
    const struct json *member = json_get(json, key);
    uint64_t max = reading->stated ? reading->files->layer_count : IMAGE_LAYERS_MAX;
    int layer = fallback;

    if (member)
        layer = (int)reader_number(&reading->reader, member, IMAGE_LAYERS_MAX - 1, key);
    if (layer < 0)
        return -1;
    if ((uint64_t)layer >= max) {
        fault(reading, key);
        return -1;
    }
    grow_layers(reading->files, (size_t)layer + 1);
    return layer;
}

static void read_state(struct reading *reading, const struct json *json, struct facts_layer *ret)
{
    const struct json *state = json_get(json, "state");

    ret->reason = sentence(reading, json_get(json, "reason"), "reason");
    ret->state = FACT_PRESENT;
    if (state && fact_state_from_name(json_string(state), &ret->state) < 0)
        fault(reading, "state");
}

static void read_layer(struct reading *reading, const struct json *json, struct facts_layer *ret)
{
    if (!json_is(json, JSON_KIND_OBJECT))
        fault(reading, "layers");
    digest_if(reading, json, "digest", &ret->digest);
    digest_if(reading, json, "diffId", &ret->diff_id);
    read_state(reading, json, ret);
    ret->compression = reader_member_if(&reading->reader, json, "compression");
    ret->compressed_bytes = number_or(reading, json, "compressedBytes", 0);
    ret->uncompressed_bytes = number_or(reading, json, "uncompressedBytes", 0);
    ret->entry_count = number_or(reading, json, "entries", 0);
    ret->file_count = number_or(reading, json, "fileCount", 0);
    ret->file_bytes = number_or(reading, json, "fileBytes", 0);
    ret->hidden_bytes = number_or(reading, json, "hiddenBytes", 0);
    ret->duplicate_bytes = number_or(reading, json, "duplicateBytes", 0);
    ret->after_end_bytes = number_or(reading, json, "afterEndBytes", 0);
    ret->odd_entries = number_or(reading, json, "oddEntries", 0);
}

static void read_layers(struct reading *reading, const struct json *json)
{
    size_t count;
    const struct json *list = list_if(reading, json, "layers", IMAGE_LAYERS_MAX, &count);

    reading->stated = list != NULL;
    grow_layers(reading->files, count);
    for (size_t i = 0; i < count; i++)
        read_layer(reading, json_at(list, i), &reading->files->layers[i]);
}

/* --- hits, packages, the largest --- */

static void read_hit(struct reading *reading, const struct json *json, struct facts_hit *ret)
{
    const char *runtime = json_get_string(json, "runtime");
    bool hidden = json_get(json, "hiddenBy") != NULL;

    if (signal_kind_from_name(json_get_string(json, "kind"), &ret->kind) < 0)
        fault(reading, "kind");
    if (json_get(json, "runtime") && (!runtime || runtime_from_name(runtime, &ret->runtime) < 0))
        fault(reading, "runtime");
    ret->what = text_or(reading, json, "what", signal_kind_name(ret->kind));
    ret->path = reader_member(&reading->reader, json, "path");
    ret->detail = reader_member_if(&reading->reader, json, "detail");
    ret->hash = reader_member_if(&reading->reader, json, "hash");
    ret->line = number_or(reading, json, "line", 0);
    ret->files = number_or(reading, json, "files", 1);
    ret->bytes = number_or(reading, json, "bytes", 0);
    ret->visible_files = number_or(reading, json, "visibleFiles", hidden ? 0 : ret->files);
    ret->visible_bytes = number_or(reading, json, "visibleBytes", hidden ? 0 : ret->bytes);
    ret->layer = layer_or(reading, json, "layer", 0);
    ret->hidden_by = layer_or(reading, json, "hiddenBy", -1);
}

static void read_hits(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *list = list_if(reading, json, "hits", FACTS_HITS_MAX, &files->hit_count);

    files->hits = memory_new_array(files->hit_count, sizeof(*files->hits));
    for (size_t i = 0; i < files->hit_count; i++)
        read_hit(reading, json_at(list, i), &files->hits[i]);
}

static void read_packages(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *list =
        list_if(reading, json, "packages", FACTS_PACKAGES_MAX, &files->package_count);

    files->packages = memory_new_array(files->package_count, sizeof(*files->packages));
    for (size_t i = 0; i < files->package_count; i++) {
        const struct json *item = json_at(list, i);
        struct facts_package *package = &files->packages[i];
        if (package_manager_from_name(json_get_string(item, "manager"), &package->manager) < 0)
            fault(reading, "manager");
        package->name = reader_member(&reading->reader, item, "name");
        package->version = text_or(reading, item, "version", "");
        package->path = text_or(reading, item, "path", "");
        package->layer = layer_or(reading, item, "layer", 0);
    }
}

static void read_tops(struct reading *reading, const struct json *json, const char *key,
                      struct facts_top *ret, size_t *ret_count)
{
    const struct json *list = list_if(reading, json, key, FACTS_TOP_MAX, ret_count);

    for (size_t i = 0; i < *ret_count; i++) {
        const struct json *item = json_at(list, i);
        ret[i].path = reader_member(&reading->reader, item, "path");
        ret[i].bytes = number_or(reading, item, "bytes", 0);
        ret[i].layer = layer_or(reading, item, "layer", 0);
        ret[i].hidden_by = layer_or(reading, item, "hiddenBy", -1);
    }
}

/* --- accounts --- */

/* Without the member, the file is there when its content is in the document. */
static void read_account_file(struct reading *reading, const struct json *json, const char *key,
                              const char *content, struct facts_account_file *ret)
{
    const struct json *file = json_get(json, key);
    bool there = json_get(json, content) != NULL;

    *ret = (struct facts_account_file){.layer = -1};
    if (file && !json_is(file, JSON_KIND_OBJECT))
        fault(reading, key);
    ret->there = there || json_get(file, "layer") ? ANSWER_YES
                 : reading->files->complete       ? ANSWER_NO
                                                  : ANSWER_UNKNOWN;
    answer_if(reading, file, "there", &ret->there);
    ret->reason = sentence(reading, json_get(file, "reason"), "reason");
    if (ret->there == ANSWER_YES)
        ret->layer = layer_or(reading, file, "layer", 0);
}

static void read_users(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *list =
        list_if(reading, json, "users", FACTS_ACCOUNTS_MAX, &files->user_count);

    files->users = memory_new_array(files->user_count, sizeof(*files->users));
    for (size_t i = 0; i < files->user_count; i++) {
        const struct json *item = json_at(list, i);
        struct facts_user *user = &files->users[i];
        user->name = reader_member(&reading->reader, item, "name");
        user->uid =
            (uint32_t)reader_number(&reading->reader, json_get(item, "uid"), UINT32_MAX, "uid");
        user->gid = id_or(reading, item, "gid", user->uid);
        user->home = text_or(reading, item, "home", "/");
        user->shell = text_or(reading, item, "shell", "");
        if (json_get(item, "noPassword") && !json_is(json_get(item, "noPassword"), JSON_KIND_BOOL))
            fault(reading, "noPassword");
        user->no_password = json_bool(json_get(item, "noPassword"), false);
    }
}

static void read_groups(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *list =
        list_if(reading, json, "groups", FACTS_ACCOUNTS_MAX, &files->group_count);

    files->groups = memory_new_array(files->group_count, sizeof(*files->groups));
    for (size_t i = 0; i < files->group_count; i++) {
        const struct json *item = json_at(list, i);
        struct facts_group *group = &files->groups[i];
        group->name = reader_member(&reading->reader, item, "name");
        group->gid =
            (uint32_t)reader_number(&reading->reader, json_get(item, "gid"), UINT32_MAX, "gid");
        group->members = text_or(reading, item, "members", "");
    }
}

static void read_os_release(struct reading *reading, const struct json *json)
{
    struct json *pairs = json_get(json, "osRelease");

    if (pairs && (!json_is(pairs, JSON_KIND_OBJECT) || json_count(pairs) > OS_RELEASE_MAX)) {
        fault(reading, "osRelease");
        return;
    }
    for (void *i = json_iterate(pairs); i; i = json_next(pairs, i)) {
        AUTO_FREE char *value =
            reader_text(&reading->reader, json_iterator_value(i), "osRelease", false);
        text_pairs_add(&reading->files->os_release, json_iterator_key(i), value ? value : "");
    }
}

static void read_accounts(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;

    read_account_file(reading, json, "passwd", "users", &files->passwd);
    read_account_file(reading, json, "group", "groups", &files->group);
    read_account_file(reading, json, "shadow", "emptyPasswords", &files->shadow);
    read_account_file(reading, json, "osReleaseFile", "osRelease", &files->os_release_file);
    read_users(reading, json);
    read_groups(reading, json);
    if (json_get(json, "emptyPasswords"))
        reader_texts(&reading->reader, json, "emptyPasswords", FACTS_ACCOUNTS_MAX,
                     &files->empty_passwords);
    read_os_release(reading, json);
}

/* --- probes --- */

static uint32_t read_mode(struct reading *reading, const struct json *json)
{
    const char *text = json_get_string(json, "mode");
    uint32_t mode = 0;

    if (!json_get(json, "mode"))
        return 0644;
    if (!text || !*text || strlen(text) > 4 || text[strspn(text, "01234567")]) {
        fault(reading, "mode");
        return 0;
    }
    for (size_t i = 0; text[i]; i++)
        mode = mode * 8 + (uint32_t)(text[i] - '0');
    return mode;
}

static void read_probe(struct reading *reading, const struct json *json, struct facts_probe *ret)
{
    const struct json *kind = json_get(json, "kind");

    ret->kind = LAYER_PATH_FILE;
    if (kind && layer_path_kind_from_name(json_string(kind), &ret->kind) < 0)
        fault(reading, "kind");
    ret->probe = reader_member(&reading->reader, json, "probe");
    ret->path = reader_member(&reading->reader, json, "path");
    ret->mode = read_mode(reading, json);
    ret->uid = id_or(reading, json, "uid", 0);
    ret->gid = id_or(reading, json, "gid", 0);
    ret->bytes = number_or(reading, json, "bytes", 0);
    digest_if(reading, json, "sha256", &ret->sha256);
    answer_if(reading, json, "content", &ret->content);
    ret->layer = layer_or(reading, json, "layer", 0);
    ret->hidden_by = layer_or(reading, json, "hiddenBy", -1);
}

static void read_probes(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *list =
        list_if(reading, json, "probes", FACTS_PROBES_MAX, &files->probe_count);

    files->probes = memory_new_array(files->probe_count, sizeof(*files->probes));
    for (size_t i = 0; i < files->probe_count; i++)
        read_probe(reading, json_at(list, i), &files->probes[i]);
    if (json_get(json, "probesAsked"))
        reader_texts(&reading->reader, json, "probesAsked", LAYER_PROBES_ASKED_MAX,
                     &files->probes_asked);
    for (size_t i = 0; i < files->probe_count && !json_get(json, "probesAsked"); i++)
        if (files->probes[i].probe && !text_list_has(&files->probes_asked, files->probes[i].probe))
            text_list_add(&files->probes_asked, files->probes[i].probe);
}

/* --- the whole --- */

static void read_limits(struct reading *reading, const struct json *json)
{
    size_t count;
    const struct json *list = list_if(reading, json, "limits", FACTS_LIMITS_MAX, &count);

    for (size_t i = 0; i < count; i++) {
        char *limit = sentence(reading, json_at(list, i), "limits");
        text_list_add_take(&reading->files->limits, limit ? limit : memory_copy_text(""));
    }
}

static void read_complete(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    const struct json *complete = json_get(json, "complete");

    files->complete = files->limits.count == 0;
    for (size_t i = 0; i < files->layer_count; i++)
        files->complete = files->complete && files->layers[i].state == FACT_PRESENT;
    if (complete && !json_is(complete, JSON_KIND_BOOL))
        fault(reading, "complete");
    files->complete = json_bool(complete, files->complete);
}

static void read_sizes(struct reading *reading, const struct json *json)
{
    struct facts_files *files = reading->files;
    uint64_t wasted = 0;

    for (size_t i = 0; i < files->layer_count; i++) {
        wasted += files->layers[i].hidden_bytes;
        wasted += files->layers[i].duplicate_bytes;
    }
    files->file_count = number_or(reading, json, "fileCount", 0);
    files->visible_bytes = number_or(reading, json, "visibleBytes", 0);
    files->wasted_bytes = number_or(reading, json, "wastedBytes", wasted);
    read_tops(reading, json, "largest", files->largest, &files->largest_count);
    read_tops(reading, json, "wasted", files->wasted, &files->wasted_count);
}

int facts_files_from_json(const struct json *json, size_t layer_count, struct facts_files **ret,
                          struct error *err)
{
    AUTO_FACTS_FILES struct facts_files *files = memory_new(sizeof(*files));
    struct reading reading = {.reader = {.err = err, .what = "layers"}, .files = files};

    if (!json_is(json, JSON_KIND_OBJECT) || layer_count > IMAGE_LAYERS_MAX)
        fault(&reading, "form");
    read_limits(&reading, json);
    read_layers(&reading, json);
    if (reading.reader.failure == 0 && reading.stated && layer_count > 0 &&
        files->layer_count != layer_count)
        reading.reader.failure =
            error_set(err, FAILURE_INPUT, "\"files\" has %zu layers, and the manifest %zu",
                      files->layer_count, layer_count);
    if (reading.reader.failure == 0)
        grow_layers(files, layer_count);
    read_complete(&reading, json);
    read_sizes(&reading, json);
    read_hits(&reading, json);
    read_accounts(&reading, json);
    read_packages(&reading, json);
    read_probes(&reading, json);
    if (reading.reader.failure < 0)
        return reading.reader.failure;
    *ret = TAKE(files);
    return 0;
}
