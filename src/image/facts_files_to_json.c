/* The member "files" of the facts document, written. facts_files_from_json.c reads it,
 * facts_files_schema.c describes it: a member added here is added there. Of what there are many,
 * what is as it mostly is, is left out. */
#include "regwarden/facts_files.h"

#include "writer.h"

static struct json *layer_to_json(const struct facts_layer *layer)
{
    struct json *json = json_new_object();

    writer_digest(json, "digest", &layer->digest);
    writer_digest(json, "diffId", &layer->diff_id);
    json_set_string(json, "state", fact_state_name(layer->state));
    json_set_string(json, "reason", layer->reason);
    json_set_string(json, "compression", layer->compression);
    writer_count(json, "compressedBytes", layer->compressed_bytes);
    writer_count(json, "uncompressedBytes", layer->uncompressed_bytes);
    writer_count(json, "entries", layer->entry_count);
    writer_count(json, "fileCount", layer->file_count);
    writer_count(json, "fileBytes", layer->file_bytes);
    writer_count(json, "hiddenBytes", layer->hidden_bytes);
    writer_count(json, "duplicateBytes", layer->duplicate_bytes);
    writer_count(json, "afterEndBytes", layer->after_end_bytes);
    writer_count(json, "oddEntries", layer->odd_entries);
    return json;
}

static struct json *hit_to_json(const struct facts_hit *hit)
{
    struct json *json = json_new_object();

    json_set_string(json, "kind", signal_kind_name(hit->kind));
    if (hit->runtime != RUNTIME_UNKNOWN)
        json_set_string(json, "runtime", runtime_name(hit->runtime));
    json_set_string(json, "what", hit->what);
    json_set_string(json, "path", hit->path);
    json_set_string(json, "detail", hit->detail);
    json_set_string(json, "hash", hit->hash);
    if (hit->line > 0)
        writer_count(json, "line", hit->line);
    writer_count(json, "files", hit->files);
    writer_count(json, "bytes", hit->bytes);
    writer_count(json, "visibleFiles", hit->visible_files);
    writer_count(json, "visibleBytes", hit->visible_bytes);
    json_set_integer(json, "layer", hit->layer);
    if (hit->hidden_by >= 0)
        json_set_integer(json, "hiddenBy", hit->hidden_by);
    return json;
}

static struct json *account_file_to_json(const struct facts_account_file *file)
{
    struct json *json = json_new_object();

    json_set_string(json, "there", answer_name(file->there));
    if (file->layer >= 0)
        json_set_integer(json, "layer", file->layer);
    json_set_string(json, "reason", file->reason);
    return json;
}

static struct json *user_to_json(const struct facts_user *user)
{
    struct json *json = json_new_object();

    json_set_string(json, "name", user->name);
    json_set_integer(json, "uid", user->uid);
    json_set_integer(json, "gid", user->gid);
    json_set_string(json, "home", user->home);
    json_set_string(json, "shell", user->shell);
    if (user->no_password)
        json_set_bool(json, "noPassword", true);
    return json;
}

static struct json *group_to_json(const struct facts_group *group)
{
    struct json *json = json_new_object();

    json_set_string(json, "name", group->name);
    json_set_integer(json, "gid", group->gid);
    json_set_string(json, "members", group->members);
    return json;
}

static void add_accounts(struct json *to, const struct facts_files *files)
{
    struct json *users = json_new_array(), *groups = json_new_array();

    json_set_take(to, "passwd", account_file_to_json(&files->passwd));
    json_set_take(to, "group", account_file_to_json(&files->group));
    json_set_take(to, "shadow", account_file_to_json(&files->shadow));
    json_set_take(to, "osReleaseFile", account_file_to_json(&files->os_release_file));
    for (size_t i = 0; i < files->user_count; i++)
        json_append_take(users, user_to_json(&files->users[i]));
    for (size_t i = 0; i < files->group_count; i++)
        json_append_take(groups, group_to_json(&files->groups[i]));
    json_set_take(to, "users", users);
    json_set_take(to, "groups", groups);
    json_set_take(to, "emptyPasswords", json_from_list(&files->empty_passwords));
    json_set_take(to, "osRelease", json_from_pairs(&files->os_release));
}

static struct json *package_to_json(const struct facts_package *package)
{
    struct json *json = json_new_object();

    json_set_string(json, "manager", package_manager_name(package->manager));
    json_set_string(json, "name", package->name);
    json_set_string(json, "version", package->version);
    json_set_string(json, "path", package->path);
    json_set_integer(json, "layer", package->layer);
    return json;
}

static struct json *tops_to_json(const struct facts_top *tops, size_t count)
{
    struct json *array = json_new_array();

    for (size_t i = 0; i < count; i++) {
        struct json *json = json_new_object();
        json_set_string(json, "path", tops[i].path);
        writer_count(json, "bytes", tops[i].bytes);
        json_set_integer(json, "layer", tops[i].layer);
        if (tops[i].hidden_by >= 0)
            json_set_integer(json, "hiddenBy", tops[i].hidden_by);
        json_append_take(array, json);
    }
    return array;
}

static struct json *probe_to_json(const struct facts_probe *probe)
{
    struct json *json = json_new_object();
    AUTO_FREE char *mode = text_new("%04o", (unsigned)probe->mode);

    json_set_string(json, "probe", probe->probe);
    json_set_string(json, "path", probe->path);
    json_set_string(json, "kind", layer_path_kind_name(probe->kind));
    json_set_string(json, "mode", mode);
    json_set_integer(json, "uid", probe->uid);
    json_set_integer(json, "gid", probe->gid);
    writer_count(json, "bytes", probe->bytes);
    writer_digest(json, "sha256", &probe->sha256);
    json_set_string(json, "content", answer_name(probe->content));
    json_set_integer(json, "layer", probe->layer);
    if (probe->hidden_by >= 0)
        json_set_integer(json, "hiddenBy", probe->hidden_by);
    return json;
}

struct json *facts_files_to_json(const struct facts_files *files)
{
    struct json *json = json_new_object();
    struct json *layers = json_new_array(), *hits = json_new_array();
    struct json *packages = json_new_array(), *probes = json_new_array();

    for (size_t i = 0; i < files->layer_count; i++)
        json_append_take(layers, layer_to_json(&files->layers[i]));
    for (size_t i = 0; i < files->hit_count; i++)
        json_append_take(hits, hit_to_json(&files->hits[i]));
    for (size_t i = 0; i < files->package_count; i++)
        json_append_take(packages, package_to_json(&files->packages[i]));
    for (size_t i = 0; i < files->probe_count; i++)
        json_append_take(probes, probe_to_json(&files->probes[i]));
    json_set_integer(json, "layerFactsVersion", LAYER_FACTS_VERSION);
    json_set_bool(json, "complete", files->complete);
    json_set_take(json, "limits", json_from_list(&files->limits));
    json_set_take(json, "layers", layers);
    writer_count(json, "fileCount", files->file_count);
    writer_count(json, "visibleBytes", files->visible_bytes);
    writer_count(json, "wastedBytes", files->wasted_bytes);
    json_set_take(json, "hits", hits);
    add_accounts(json, files);
    json_set_take(json, "packages", packages);
    json_set_take(json, "largest", tops_to_json(files->largest, files->largest_count));
    json_set_take(json, "wasted", tops_to_json(files->wasted, files->wasted_count));
    json_set_take(json, "probesAsked", json_from_list(&files->probes_asked));
    json_set_take(json, "probes", probes);
    return json;
}
