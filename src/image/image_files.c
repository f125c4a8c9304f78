/* The view of a whole image from its layers' facts: what of each finding is visible, what is served
 * for nothing, and which copy of a file counts. Which file of which layer is visible is told by
 * layer_merge.c. */
#include "regwarden/image_files.h"

#include <string.h>

#include "layer_merge.h"
#include "regwarden/map.h"

/* A hit, package or probe that hangs on a path. */
struct interest {
    struct interest *next;
    size_t hit;     /* index, or NONE */
    size_t package; /* index into the layer's, or NONE */
    size_t probe;   /* index, or NONE */
};

/* All that hangs on one path in one layer. What is below it is counted here once, however many hits
 * there are. */
struct place {
    struct place *next; /* the same path in another layer */
    size_t layer;
    struct interest *interests;
    uint64_t visible_files;
    uint64_t visible_bytes;
    int hidden_by;
};

/* A directory around the current path on which something hangs. */
struct around {
    size_t length; /* of its path */
    struct place *places;
};
#define NONE SIZE_MAX

struct view {
    struct image_files *files;
    const struct layer_facts *const *layers;
    struct map *places; /* path -> struct place * */
    struct text path;   /* of the last record: the next one's is much the same */
    struct around *arounds;
    size_t around_count;
    size_t around_capacity;
    size_t package_capacity;
    bool found[LAYER_FILE_COUNT];
    bool linked[LAYER_FILE_COUNT]; /* something is written through a link that may be this file */
};

static struct place *find_place(struct place *places, size_t layer)
{
    while (places && places->layer != layer)
        places = places->next;
    return places;
}

static void add_interest(struct view *view, const char *path, size_t layer,
                         struct interest interest)
{
    struct interest *new = memory_new(sizeof(*new));
    struct place *places = map_get(view->places, path), *place = find_place(places, layer);

    if (!place) {
        place = memory_new(sizeof(*place));
        *place = (struct place){.next = places, .layer = layer, .hidden_by = -1};
        map_set(view->places, path, place);
    }
    *new = interest;
    new->next = place->interests;
    place->interests = new;
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
                view, probe->path, layer,
                (struct interest){.hit = NONE, .package = NONE, .probe = files->probe_count++});
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
                view, facts->hits[i].path, layer,
                (struct interest){.hit = files->hit_count++, .package = NONE, .probe = NONE});
        }
        for (size_t i = 0; i < facts->package_count; i++)
            add_interest(view, facts->packages[i].path, layer,
                         (struct interest){.hit = NONE, .package = i, .probe = NONE});
    }
    collect_probes(view);
}

static void free_place(struct place *place)
{
    for (struct interest *next, *interest = place->interests; interest; interest = next) {
        next = interest->next;
        free(interest);
    }
    free(place);
}

static void free_places(struct view *view)
{
    size_t position = 0;
    void *value;

    while (map_each(view->places, &position, NULL, &value))
        for (struct place *next, *place = value; place; place = next) {
            next = place->next;
            free_place(place);
        }
    map_free(view->places);
    free(view->arounds);
    text_release(&view->path);
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

static void add_package(struct view *view, size_t layer, size_t package)
{
    struct image_files *files = view->files;

    files->packages = memory_grow(files->packages, files->package_count, &view->package_capacity,
                                  sizeof(*files->packages));
    files->packages[files->package_count++] = (struct image_package){
        .package = &view->layers[layer]->packages[package],
        .layer = layer,
    };
}

/* A file at the place, or below it. */
static void touch(struct place *places, const struct merge_record *record)
{
    struct place *place = find_place(places, record->layer);

    if (!place || record->kind == LAYER_PATH_DIRECTORY)
        return;
    if (record->hidden_by < 0) {
        place->visible_files++;
        place->visible_bytes += record->size;
    } else if (place->hidden_by < 0) {
        place->hidden_by = record->hidden_by;
    }
}

/* What the record is itself. */
static void touch_itself(struct view *view, struct place *places, const struct merge_record *record)
{
    struct place *place = find_place(places, record->layer);

    for (const struct interest *interest = place ? place->interests : NULL; interest;
         interest = interest->next) {
        if (interest->probe != NONE)
            view->files->probes[interest->probe].hidden_by = record->hidden_by;
        if (interest->package != NONE && record->hidden_by < 0)
            add_package(view, record->layer, interest->package);
    }
}

/* Makes `arounds` those of this path. Records come in about the order of their paths, so that most
 * directories around are those of the record before. */
static void move_to(struct view *view, const char *path)
{
    const char *before = text_data(&view->path);
    size_t same = 0;

    while (before[same] && before[same] == path[same])
        same++;
    while (view->around_count > 0) {
        size_t length = view->arounds[view->around_count - 1].length;
        if (length < same || (length == same && path[length] == '/'))
            break;
        view->around_count--;
    }
    text_clear(&view->path);
    text_add(&view->path, path);
    for (char *slash = view->path.data ? strchr(view->path.data + same, '/') : NULL; slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct place *places = map_get(view->places, view->path.data);
        *slash = '/';
        if (!places)
            continue;
        view->arounds = memory_grow(view->arounds, view->around_count, &view->around_capacity,
                                    sizeof(*view->arounds));
        view->arounds[view->around_count++] =
            (struct around){.length = (size_t)(slash - view->path.data), .places = places};
    }
}

/* The path and every directory around it. */
static void touch_all(struct view *view, const struct merge_record *record)
{
    struct place *places;

    if (map_count(view->places) == 0)
        return;
    places = map_get(view->places, record->path);
    touch(places, record);
    touch_itself(view, places, record);
    if (record->kind == LAYER_PATH_DIRECTORY)
        return;
    move_to(view, record->path);
    for (size_t i = 0; i < view->around_count; i++)
        touch(view->arounds[i].places, record);
}

static void settle_hits(struct view *view)
{
    size_t position = 0;
    void *value;

    while (map_each(view->places, &position, NULL, &value))
        for (const struct place *place = value; place; place = place->next)
            for (const struct interest *at = place->interests; at; at = at->next) {
                if (at->hit == NONE)
                    continue;
                struct image_hit *hit = &view->files->hits[at->hit];
                hit->visible_files = place->visible_files;
                hit->visible_bytes = place->visible_bytes;
                hit->hidden_by = place->hidden_by;
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
    settle_hits(view);
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
    view.places = map_new();
    collect_interests(&view);
    int failure = layers_merge(layers, count, visit, &view, err);
    if (failure == 0)
        settle(&view);
    free_places(&view);
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
