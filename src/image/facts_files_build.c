/* The facts of an image's layers, from what is known of each: copied out of the layers' facts and
 * of the view of the whole image (image_files.c), and bounded. What is left out is said, and then
 * the group is not complete. */
#include "regwarden/facts_files.h"

#include <string.h>

#include "regwarden/image_files.h"

enum { REASON_MAX = 300, ITEM_COST = 64 };

struct build {
    struct facts_files *files;
    const struct image_files *view;
    const struct layer_facts *const *layers;
    size_t left; /* bytes of text that may still be copied */
};

static void add_limit(struct facts_files *files, const char *limit)
{
    if (files->limits.count < FACTS_LIMITS_MAX && !text_list_has(&files->limits, limit))
        text_list_add(&files->limits, limit);
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

/* May an item with so much text be added? Once no: never again, so that what is there is a
 * beginning and not a choice. */
static bool spend(struct build *build, size_t bytes)
{
    if (bytes + ITEM_COST > build->left) {
        build->left = 0;
        add_limit(build->files, "the layers' facts are too large to be kept whole");
        return false;
    }
    build->left -= bytes + ITEM_COST;
    return true;
}

/* --- layers --- */

static void copy_layer(const struct layer_facts *from, uint64_t hidden_bytes,
                       struct facts_layer *ret)
{
    ret->diff_id = from->diff_id;
    ret->compression = memory_copy_text(from->compression);
    ret->compressed_bytes = from->compressed_bytes;
    ret->uncompressed_bytes = from->uncompressed_bytes;
    ret->entry_count = from->entry_count;
    ret->file_count = from->file_count;
    ret->file_bytes = from->file_bytes;
    ret->hidden_bytes = hidden_bytes;
    ret->duplicate_bytes = from->duplicate_bytes;
    ret->after_end_bytes = from->after_end_bytes;
    ret->odd_entries = from->odd_entries;
    ret->state = FACT_PRESENT;
    if (from->limits.count == 0 && from->paths_complete)
        return;
    ret->state = FACT_PARTIAL;
    ret->reason = memory_copy_text(from->limits.count > 0 ? from->limits.items[0]
                                                          : "not all of its paths are known");
}

static void add_layers(struct build *build, const struct manifest *manifest,
                       const struct layer_result *results)
{
    struct facts_files *files = build->files;

    files->layer_count = manifest->layer_count;
    files->layers = memory_new_array(manifest->layer_count, sizeof(*files->layers));
    for (size_t i = 0; i < manifest->layer_count; i++) {
        struct facts_layer *layer = &files->layers[i];
        layer->digest = manifest->layers[i].digest;
        if (results[i].facts) {
            copy_layer(results[i].facts, build->view->layers[i].hidden_bytes, layer);
            for (size_t j = 0; j < results[i].facts->limits.count; j++) {
                AUTO_FREE char *limit =
                    text_new("layer %zu: %s", i, results[i].facts->limits.items[j]);
                add_limit(files, limit);
            }
            continue;
        }
        layer->state = FACT_ABSENT;
        layer->reason =
            text_printable(results[i].error && results[i].error->text[0] ? results[i].error->text
                                                                         : "it was not read",
                           REASON_MAX);
    }
}

/* --- hits, packages, probes --- */

static void add_hits(struct build *build)
{
    const struct image_files *view = build->view;
    size_t max = view->hit_count < FACTS_HITS_MAX ? view->hit_count : FACTS_HITS_MAX;

    build->files->hits = memory_new_array(max, sizeof(*build->files->hits));
    for (size_t i = 0; i < view->hit_count; i++) {
        const struct layer_hit *hit = view->hits[i].hit;
        if (i == max)
            add_limit(build->files, "more hits than are kept");
        if (i == max || !spend(build, length(hit->what) + length(hit->path) + length(hit->detail) +
                                          length(hit->hash)))
            return;
        build->files->hits[build->files->hit_count++] = (struct facts_hit){
            .kind = hit->kind,
            .runtime = hit->runtime,
            .what = memory_copy_text(hit->what),
            .path = memory_copy_text(hit->path),
            .detail = memory_copy_text(hit->detail),
            .hash = memory_copy_text(hit->hash),
            .line = hit->line,
            .files = hit->files,
            .bytes = hit->bytes,
            .visible_files = view->hits[i].visible_files,
            .visible_bytes = view->hits[i].visible_bytes,
            .layer = (int)view->hits[i].layer,
            .hidden_by = view->hits[i].hidden_by,
        };
    }
}

static void add_packages(struct build *build)
{
    const struct image_files *view = build->view;
    size_t max =
        view->package_count < FACTS_PACKAGES_MAX ? view->package_count : FACTS_PACKAGES_MAX;

    build->files->packages = memory_new_array(max, sizeof(*build->files->packages));
    for (size_t i = 0; i < view->package_count; i++) {
        const struct layer_package *package = view->packages[i].package;
        if (i == max)
            add_limit(build->files, "more packages than are kept");
        if (i == max ||
            !spend(build, length(package->name) + length(package->version) + length(package->path)))
            return;
        build->files->packages[build->files->package_count++] = (struct facts_package){
            .manager = package->manager,
            .name = memory_copy_text(package->name),
            .version = memory_copy_text(package->version),
            .path = memory_copy_text(package->path),
            .layer = (int)view->packages[i].layer,
        };
    }
}

/* What was asked of every layer that could be read; the others are said to be missing. */
static void add_asked(struct build *build, const struct layer_result *results, size_t count)
{
    const struct layer_facts *first = NULL;

    for (size_t i = 0; i < count && !first; i++)
        first = results[i].facts;
    for (size_t i = 0; first && i < first->probes_asked.count; i++) {
        const char *id = first->probes_asked.items[i];
        bool everywhere = true;
        for (size_t j = 0; j < count && everywhere; j++)
            everywhere = !results[j].facts || text_list_has(&results[j].facts->probes_asked, id);
        if (everywhere)
            text_list_add(&build->files->probes_asked, id);
    }
}

static void add_probes(struct build *build)
{
    const struct image_files *view = build->view;
    size_t max = view->probe_count < FACTS_PROBES_MAX ? view->probe_count : FACTS_PROBES_MAX;

    build->files->probes = memory_new_array(max, sizeof(*build->files->probes));
    for (size_t i = 0; i < view->probe_count; i++) {
        const struct layer_probe *probe = view->probes[i].probe;
        if (i == max)
            add_limit(build->files, "more files that a policy asked for than are kept");
        if (i == max || !spend(build, length(probe->probe) + length(probe->path)))
            return;
        build->files->probes[build->files->probe_count++] = (struct facts_probe){
            .probe = memory_copy_text(probe->probe),
            .path = memory_copy_text(probe->path),
            .kind = probe->kind,
            .mode = probe->mode,
            .uid = probe->uid,
            .gid = probe->gid,
            .bytes = probe->bytes,
            .sha256 = probe->sha256,
            .content = probe->content,
            .layer = (int)view->probes[i].layer,
            .hidden_by = view->probes[i].hidden_by,
        };
    }
}

/* --- accounts --- */

/* The layer whose facts are missing, so that it may hold or take away the file. */
static int missing_above(const struct build *build, size_t layer)
{
    for (size_t i = layer; i < build->files->layer_count; i++)
        if (build->files->layers[i].state == FACT_ABSENT)
            return (int)i;
    return -1;
}

static void add_file(struct build *build, enum layer_file which, struct facts_account_file *ret)
{
    const struct image_file *file = &build->view->files[which];
    int missing = missing_above(build, file->state == LAYER_FILE_READ ? file->layer : 0);

    *ret = (struct facts_account_file){.there = ANSWER_UNKNOWN, .layer = -1};
    switch (file->state) {
    case LAYER_FILE_ABSENT:
        ret->there = ANSWER_NO;
        return;
    case LAYER_FILE_READ:
        ret->there = ANSWER_YES;
        ret->layer = (int)file->layer;
        return;
    case LAYER_FILE_LINK:
        ret->reason = text_new("/%s is a link to %.*s", layer_file_path(which), REASON_MAX,
                               file->reason ? file->reason : "another file");
        return;
    case LAYER_FILE_UNREAD:
        break;
    }
    if (missing >= 0)
        ret->reason =
            text_new("layer %d, which may hold or take away /%s, could not be read: %s", missing,
                     layer_file_path(which), build->files->layers[missing].reason);
    else
        ret->reason = text_new("/%s could not be read: %.*s", layer_file_path(which), REASON_MAX,
                               file->reason ? file->reason : "no reason given");
}

static const struct layer_facts *layer_of(const struct build *build,
                                          const struct facts_account_file *file)
{
    return file->there == ANSWER_YES ? build->layers[file->layer] : NULL;
}

/* Part of a file of accounts is worth nothing: the rest may say otherwise. */
static void give_up(struct facts_account_file *file)
{
    file->there = ANSWER_UNKNOWN;
    file->layer = -1;
    file->reason = memory_copy_text("it is too large to be kept whole");
}

static void add_users(struct build *build)
{
    struct facts_files *files = build->files;
    const struct layer_facts *from = layer_of(build, &files->passwd);
    size_t count = from ? from->user_count : 0;

    files->users = memory_new_array(count, sizeof(*files->users));
    for (size_t i = 0; i < count; i++) {
        const struct layer_user *user = &from->users[i];
        if (!spend(build, length(user->name) + length(user->home) + length(user->shell))) {
            give_up(&files->passwd);
            return;
        }
        files->users[files->user_count++] =
            (struct facts_user){.name = memory_copy_text(user->name),
                                .uid = user->uid,
                                .gid = user->gid,
                                .no_password = user->no_password,
                                .home = memory_copy_text(user->home),
                                .shell = memory_copy_text(user->shell)};
    }
}

static void add_groups(struct build *build)
{
    struct facts_files *files = build->files;
    const struct layer_facts *from = layer_of(build, &files->group);
    size_t count = from ? from->group_count : 0;

    files->groups = memory_new_array(count, sizeof(*files->groups));
    for (size_t i = 0; i < count; i++) {
        const struct layer_group *group = &from->groups[i];
        if (!spend(build, length(group->name) + length(group->members))) {
            give_up(&files->group);
            return;
        }
        files->groups[files->group_count++] =
            (struct facts_group){.name = memory_copy_text(group->name),
                                 .gid = group->gid,
                                 .members = memory_copy_text(group->members)};
    }
}

/* etc/os-release is mostly a link to the other one; where it stands itself, it counts. */
static void add_os_release(struct build *build)
{
    struct facts_files *files = build->files;
    enum layer_file_state etc = build->view->files[LAYER_FILE_OS_RELEASE].state;
    bool usr = etc == LAYER_FILE_ABSENT || etc == LAYER_FILE_LINK;
    const struct layer_facts *from;

    add_file(build, usr ? LAYER_FILE_USR_OS_RELEASE : LAYER_FILE_OS_RELEASE,
             &files->os_release_file);
    from = layer_of(build, &files->os_release_file);
    if (from)
        text_pairs_copy(&files->os_release, &from->os_release);
}

static void add_accounts(struct build *build)
{
    struct facts_files *files = build->files;
    const struct layer_facts *from;

    add_file(build, LAYER_FILE_PASSWD, &files->passwd);
    add_file(build, LAYER_FILE_GROUP, &files->group);
    add_file(build, LAYER_FILE_SHADOW, &files->shadow);
    add_users(build);
    add_groups(build);
    from = layer_of(build, &files->shadow);
    for (size_t i = 0; from && i < from->empty_passwords.count; i++) {
        if (!spend(build, length(from->empty_passwords.items[i])))
            break;
        text_list_add(&files->empty_passwords, from->empty_passwords.items[i]);
    }
    add_os_release(build);
}

/* --- the whole --- */

static size_t copy_top(const struct image_top *from, size_t count, struct facts_top *ret)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct facts_top){.path = memory_copy_text(from[i].path),
                                    .bytes = from[i].bytes,
                                    .layer = (int)from[i].layer,
                                    .hidden_by = from[i].hidden_by};
    return count;
}

static void add_sizes(struct build *build)
{
    struct facts_files *files = build->files;
    const struct image_files *view = build->view;

    files->file_count = view->file_count;
    files->visible_bytes = view->visible_bytes;
    files->wasted_bytes = view->wasted_bytes;
    files->largest_count = copy_top(view->largest, view->largest_count, files->largest);
    files->wasted_count = copy_top(view->wasted, view->wasted_count, files->wasted);
    files->complete = view->complete && files->limits.count == 0;
    for (size_t i = 0; i < files->layer_count; i++)
        files->complete = files->complete && files->layers[i].state == FACT_PRESENT;
}

/* A runtime refuses an image whose layers are not those that its config names. */
static int check_diff_ids(const struct image_config *config, const struct layer_result *results,
                          size_t count, struct error *err)
{
    char is[DIGEST_TEXT_SIZE], wanted[DIGEST_TEXT_SIZE];

    if (config->diff_id_count != count)
        return error_set(err, FAILURE_INPUT,
                         "the manifest has %zu layers, but the config's rootfs names %zu", count,
                         config->diff_id_count);
    for (size_t i = 0; i < count; i++) {
        const struct digest *diff_id = results[i].facts ? &results[i].facts->diff_id : NULL;
        if (!diff_id || !digest_is_set(diff_id) ||
            diff_id->algorithm != config->diff_ids[i].algorithm || /* not to be compared */
            digest_equal(diff_id, &config->diff_ids[i]))
            continue;
        return error_set(err, FAILURE_INPUT,
                         "layer %zu unpacks to %s, but the config's rootfs names %s", i,
                         digest_format(diff_id, is), digest_format(&config->diff_ids[i], wanted));
    }
    return 0;
}

int facts_files_build(const struct manifest *manifest, const struct image_config *config,
                      const struct layer_result *layers, struct facts_files **ret,
                      struct error *err)
{
    static const struct layer_facts unknown = {.paths_complete = false};
    AUTO_FACTS_FILES struct facts_files *files = memory_new(sizeof(*files));
    AUTO_IMAGE_FILES struct image_files *view = NULL;
    AUTO_FREE const struct layer_facts **known = NULL;
    struct build build = {.files = files, .left = FACTS_TEXT_BYTES_MAX};
    int failure = config ? check_diff_ids(config, layers, manifest->layer_count, err) : 0;

    if (failure < 0)
        return failure;
    known = memory_new_array(manifest->layer_count, sizeof(*known));
    for (size_t i = 0; i < manifest->layer_count; i++)
        known[i] = layers[i].facts ? layers[i].facts : &unknown;
    failure = image_files_build(known, manifest->layer_count, &view, err);
    if (failure < 0)
        return failure;
    build.view = view;
    build.layers = known;
    add_layers(&build, manifest, layers);
    add_accounts(&build);
    add_hits(&build);
    add_probes(&build);
    add_packages(&build);
    add_asked(&build, layers, manifest->layer_count);
    add_sizes(&build);
    *ret = TAKE(files);
    return 0;
}
