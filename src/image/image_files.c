/* The view of a whole image from its layers' facts: what of each finding is visible, what is served
 * for nothing, and which copy of a file counts. Which file of which layer is visible is told by
 * layer_merge.c. */
#include "regwarden/image_files.h"

#include <string.h>

#include "layer_merge.h"
#include "regwarden/map.h"

/* Hits and packages that hang on a path, in one list. */
struct interest {
    struct interest *next;
    size_t hit;     /* index, or NONE */
    size_t package; /* index into the layer's, or NONE */
    size_t probe;   /* index, or NONE */
    size_t layer;
};
#define NONE SIZE_MAX

struct view {
    struct image_files *files;
    const struct layer_facts *const *layers;
    struct map *interests; /* path -> struct interest * */
    size_t package_capacity;
    bool found[LAYER_FILE_COUNT];
    bool linked[LAYER_FILE_COUNT]; /* something is written through a link that may be this file */
    struct text prefix;
};

static void add_interest(struct view *view, const char *path, struct interest interest)
{
    struct interest *new = memory_new(sizeof(*new));

    *new = interest;
    new->next = map_get(view->interests, path);
    map_set(view->interests, path, new);
}

static void collect_probes(struct view *view)
{
    struct image_files *files = view->files;
    size_t capacity = 0;

    for (size_t layer = 0; layer < files->layer_count; layer++)
        for (size_t i = 0; i < view->layers[layer]->probe_count; i++) {
            const struct layer_probe *probe = &view->layers[layer]->probes[i];
            files->probes =
                memory_grow(files->probes, files->probe_count, &capacity, sizeof(*files->probes));
            files->probes[files->probe_count] =
                (struct image_probe){.probe = probe, .layer = layer, .hidden_by = -1};
            add_interest(
                view, probe->path,
                (struct interest){
                    .hit = NONE, .package = NONE, .probe = files->probe_count++, .layer = layer});
        }
}

static void collect_interests(struct view *view)
{
    struct image_files *files = view->files;
    size_t capacity = 0;

    for (size_t layer = 0; layer < files->layer_count; layer++) {
        const struct layer_facts *facts = view->layers[layer];
        for (size_t i = 0; i < facts->hit_count; i++) {
            files->hits =
                memory_grow(files->hits, files->hit_count, &capacity, sizeof(*files->hits));
            files->hits[files->hit_count] =
                (struct image_hit){.hit = &facts->hits[i], .layer = layer, .hidden_by = -1};
            add_interest(
                view, facts->hits[i].path,
                (struct interest){
                    .hit = files->hit_count++, .package = NONE, .probe = NONE, .layer = layer});
        }
        for (size_t i = 0; i < facts->package_count; i++)
            add_interest(
                view, facts->packages[i].path,
                (struct interest){.hit = NONE, .package = i, .probe = NONE, .layer = layer});
    }
    collect_probes(view);
}

static void free_interests(struct view *view)
{
    size_t position = 0;
    void *value;

    while (map_each(view->interests, &position, NULL, &value))
        for (struct interest *next, *interest = value; interest; interest = next) {
            next = interest->next;
            free(interest);
        }
    map_free(view->interests);
}

static void add_top(struct image_top *top, size_t *count, const struct merge_record *record)
{
    size_t at = *count;

    if (record->size == 0 || (at == IMAGE_TOP_MAX && top[at - 1].bytes >= record->size))
        return;
    if (at == IMAGE_TOP_MAX)
        free(top[--at].path);
    else
        (*count)++;
    for (; at > 0 && top[at - 1].bytes < record->size; at--)
        top[at] = top[at - 1];
    top[at] = (struct image_top){.path = memory_copy_text(record->path),
                                 .bytes = record->size,
                                 .layer = record->layer,
                                 .hidden_by = record->hidden_by};
}

static void add_package(struct view *view, const struct interest *interest)
{
    struct image_files *files = view->files;

    files->packages = memory_grow(files->packages, files->package_count, &view->package_capacity,
                                  sizeof(*files->packages));
    files->packages[files->package_count++] = (struct image_package){
        .package = &view->layers[interest->layer]->packages[interest->package],
        .layer = interest->layer,
    };
}

static void touch_hit(struct image_hit *hit, const struct merge_record *record)
{
    if (record->hidden_by < 0) {
        hit->visible_files++;
        hit->visible_bytes += record->size;
    } else if (hit->hidden_by < 0) {
        hit->hidden_by = record->hidden_by;
    }
}

static void touch(struct view *view, const char *path, bool whole,
                  const struct merge_record *record)
{
    for (const struct interest *interest = map_get(view->interests, path); interest;
         interest = interest->next) {
        if (interest->layer != record->layer)
            continue;
        if (interest->hit != NONE && record->kind != LAYER_PATH_DIRECTORY)
            touch_hit(&view->files->hits[interest->hit], record);
        if (interest->probe != NONE && whole)
            view->files->probes[interest->probe].hidden_by = record->hidden_by;
        if (interest->package != NONE && whole && record->hidden_by < 0)
            add_package(view, interest);
    }
}

/* The path and every directory around it. */
static void touch_all(struct view *view, const struct merge_record *record)
{
    if (map_count(view->interests) == 0)
        return;
    touch(view, record->path, true, record);
    if (record->kind == LAYER_PATH_DIRECTORY)
        return;
    text_clear(&view->prefix);
    text_add(&view->prefix, record->path);
    for (char *slash; view->prefix.data && (slash = strrchr(view->prefix.data, '/'));) {
        *slash = '\0';
        touch(view, view->prefix.data, false, record);
    }
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void note_file(struct view *view, const struct merge_record *record)
{
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++) {
        const char *path = layer_file_path((enum layer_file)i);
        if (record->through_link && strcmp(base_of(record->path), base_of(path)) == 0)
            view->linked[i] = true;
        if (record->through_link || strcmp(record->path, path) != 0)
            continue;
        view->found[i] = true;
        view->files->files[i].layer = record->layer;
    }
}

/* `etc` itself may be a link: then its files stand elsewhere. */
static void note_directory_link(struct view *view, const struct merge_record *record)
{
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++) {
        const char *path = layer_file_path((enum layer_file)i);
        size_t size = strlen(record->path);
        if (strncmp(path, record->path, size) == 0 && path[size] == '/')
            view->linked[i] = true;
    }
}

static void visit(void *argument, const struct merge_record *record)
{
    struct view *view = argument;
    struct image_files *files = view->files;

    touch_all(view, record);
    if (record->kind == LAYER_PATH_DIRECTORY)
        return;
    if (record->hidden_by >= 0) {
        files->wasted_bytes += record->size;
        files->layers[record->layer].hidden_bytes += record->size;
        add_top(files->wasted, &files->wasted_count, record);
        return;
    }
    files->file_count++;
    files->visible_bytes += record->size;
    add_top(files->largest, &files->largest_count, record);
    if (record->kind == LAYER_PATH_SYMLINK)
        note_directory_link(view, record);
    note_file(view, record);
}

/* Are the paths known from the top down to this layer? What an unknown part takes away cannot be
 * told. */
static bool known_down_to(const struct view *view, size_t layer)
{
    for (size_t i = layer; i < view->files->layer_count; i++)
        if (!view->layers[i]->paths_complete)
            return false;
    return true;
}

static void settle_file(struct view *view, enum layer_file which)
{
    struct image_file *file = &view->files->files[which];
    const struct layer_file_status *status;

    file->state = LAYER_FILE_UNREAD;
    if (view->linked[which]) {
        file->reason = "a file may be written there through a symbolic link";
        return;
    }
    if (!known_down_to(view, view->found[which] ? file->layer : 0)) {
        file->reason = "not all paths of a layer are known";
        return;
    }
    if (!view->found[which]) {
        file->state = LAYER_FILE_ABSENT;
        return;
    }
    status = &view->layers[file->layer]->files[which];
    if (status->state != LAYER_FILE_ABSENT)
        file->state = status->state;
    file->reason = status->state == LAYER_FILE_ABSENT ? "it was not read" : status->detail;
}

/* A hit whose path is not in its layer's table, for that is not complete, counts as visible. */
static void doubt_hits(struct view *view)
{
    for (size_t i = 0; i < view->files->hit_count; i++) {
        struct image_hit *hit = &view->files->hits[i];
        if (view->layers[hit->layer]->paths_complete || hit->hidden_by >= 0)
            continue;
        hit->visible_files = hit->hit->files;
        hit->visible_bytes = hit->hit->bytes;
    }
}

static void settle(struct view *view)
{
    struct image_files *files = view->files;

    files->complete = known_down_to(view, 0);
    doubt_hits(view);
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++)
        settle_file(view, (enum layer_file)i);
    for (size_t i = 0; i < files->layer_count; i++)
        files->wasted_bytes += view->layers[i]->duplicate_bytes;
}

int image_files_build(const struct layer_facts *const *layers, size_t count,
                      struct image_files **ret, struct error *err)
{
    AUTO_IMAGE_FILES struct image_files *files = memory_new(sizeof(*files));
    struct view view = {.files = files, .layers = layers};

    if (count > IMAGE_LAYERS_MAX)
        return error_set(err, FAILURE_LIMIT, "an image of more than %d layers", IMAGE_LAYERS_MAX);
    files->layer_count = count;
    files->layers = memory_new_array(count, sizeof(*files->layers));
    view.interests = map_new();
    collect_interests(&view);
    int failure = layers_merge(layers, count, visit, &view, err);
    if (failure == 0)
        settle(&view);
    free_interests(&view);
    text_release(&view.prefix);
    if (failure < 0)
        return failure;
    *ret = TAKE(files);
    return 0;
}

void image_files_free(struct image_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->largest_count; i++)
        free(files->largest[i].path);
    for (size_t i = 0; i < files->wasted_count; i++)
        free(files->wasted[i].path);
    free(files->layers);
    free(files->hits);
    free(files->packages);
    free(files->probes);
    free(files);
}

void image_files_auto_free(struct image_files **files)
{
    image_files_free(*files);
}

const struct layer_facts *image_files_of(const struct image_files *files,
                                         const struct layer_facts *const *layers,
                                         enum layer_file file)
{
    return files->files[file].state == LAYER_FILE_READ ? layers[files->files[file].layer] : NULL;
}
