/* Layers on top of each other: which file of which layer is visible. All tables are sorted, so they
 * are walked side by side, with memory for one path only; what hides what below a directory is kept
 * on a stack of the directories around the current path. What is counted then is in image_files.c.
 */
#include "layer_merge.h"

#include <assert.h>
#include <string.h>

/* The file at a path that wins over those of lower layers. It may still turn out to be replaced by
 * a directory, when something of a higher layer stands below it. */
struct pending {
    bool there;
    size_t layer;
    enum layer_path_kind kind;
    uint64_t size;
};

/* What the layers have at the current path. */
struct found {
    size_t layer;
    enum layer_path_kind kind;
    uint64_t size;
};

struct frame {
    size_t length;       /* of the path */
    size_t hidden_below; /* what lower layers than this have below the path is hidden by it */
    struct pending pending;
    struct found *links; /* all that layers have at the path, when one of them is a link */
    size_t link_count;
};

struct merge {
    struct layer_paths_cursor *cursors;
    size_t *heap; /* cursors that are not at their end, the first path on top */
    size_t heap_count;
    struct text path;
    struct frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    size_t pending_count; /* of all frames */
    size_t linked_count;  /* frames that have links */
    struct found *found;
    size_t found_count;
    size_t found_capacity;
    merge_visit_f *visit;
    void *argument;
};

/* --- the order of all tables --- */

static int compare(const struct merge *merge, size_t a, size_t b)
{
    int order = layer_path_compare(merge->cursors[a].current.path, merge->cursors[b].current.path);

    return order != 0 ? order : a < b ? -1 : a > b;
}

static void sift(struct merge *merge, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->heap_count; child++)
            if (compare(merge, merge->heap[child], merge->heap[least]) < 0)
                least = child;
        if (least == at)
            return;
        size_t swapped = merge->heap[at];
        merge->heap[at] = merge->heap[least];
        merge->heap[least] = swapped;
        at = least;
    }
}

static int start(struct merge *merge, const struct layer_facts *const *layers, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        layer_paths_begin(&merge->cursors[i], &layers[i]->paths);
        int more = layer_paths_next(&merge->cursors[i], err);
        if (more < 0)
            return more;
        if (more > 0)
            merge->heap[merge->heap_count++] = i;
    }
    for (size_t i = merge->heap_count; i-- > 0;)
        sift(merge, i);
    return 0;
}

/* Moves the first cursor on. */
static int advance(struct merge *merge, struct error *err)
{
    int more = layer_paths_next(&merge->cursors[merge->heap[0]], err);

    if (more < 0)
        return more;
    if (more == 0)
        merge->heap[0] = merge->heap[--merge->heap_count];
    sift(merge, 0);
    return 0;
}

/* Collects what all layers have at the first path: from the lowest layer up. */
static int collect(struct merge *merge, struct error *err)
{
    merge->found_count = 0;
    text_clear(&merge->path);
    text_add(&merge->path, merge->cursors[merge->heap[0]].current.path);
    while (merge->heap_count > 0) {
        size_t layer = merge->heap[0];
        const struct layer_path *current = &merge->cursors[layer].current;
        if (strcmp(current->path, text_data(&merge->path)) != 0)
            break;
        merge->found = memory_grow(merge->found, merge->found_count, &merge->found_capacity,
                                   sizeof(*merge->found));
        merge->found[merge->found_count++] =
            (struct found){.layer = layer, .kind = current->kind, .size = current->size};
        int failure = advance(merge, err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

/* --- the directories around a path --- */

static void give(struct merge *merge, const char *path, const struct found *found, int hidden_by,
                 bool through_link)
{
    const struct merge_record record = {.path = path,
                                        .layer = found->layer,
                                        .kind = found->kind,
                                        .size = found->size,
                                        .hidden_by = hidden_by,
                                        .through_link = through_link};

    merge->visit(merge->argument, &record);
}

/* `path` begins with the frame's path. */
static void settle(struct merge *merge, struct frame *frame, const char *path, int hidden_by)
{
    const struct found winner = {
        .layer = frame->pending.layer, .kind = frame->pending.kind, .size = frame->pending.size};
    AUTO_FREE char *own = NULL;

    if (!frame->pending.there)
        return;
    frame->pending.there = false;
    merge->pending_count--;
    own = memory_copy_bytes(path, frame->length);
    give(merge, own, &winner, hidden_by, false);
}

/* Is the frame's path `path`, or a directory around it? */
static bool surrounds(const struct frame *frame, const char *before, const char *path)
{
    if (frame->length == 0)
        return true;
    return strncmp(before, path, frame->length) == 0 &&
           (path[frame->length] == '/' || path[frame->length] == '\0');
}

static void push(struct merge *merge, size_t length)
{
    size_t inherited =
        merge->frame_count > 0 ? merge->frames[merge->frame_count - 1].hidden_below : 0;

    merge->frames = memory_grow(merge->frames, merge->frame_count, &merge->frame_capacity,
                                sizeof(*merge->frames));
    merge->frames[merge->frame_count++] =
        (struct frame){.length = length, .hidden_below = inherited};
}

static void leave(struct merge *merge, const char *before, const char *path)
{
    while (merge->frame_count > 0) {
        struct frame *last = &merge->frames[merge->frame_count - 1];
        if (path && surrounds(last, before, path))
            return;
        settle(merge, last, before, -1);
        merge->linked_count -= last->links != NULL;
        free(last->links);
        merge->frame_count--;
    }
}

/* Makes the stack hold the root, every directory around the path, and the path. */
static void enter(struct merge *merge)
{
    const char *path = text_data(&merge->path);

    if (merge->frame_count == 0)
        push(merge, 0);
    size_t at = merge->frames[merge->frame_count - 1].length;
    while (at < merge->path.length) {
        at += at > 0; /* the slash */
        at += strcspn(path + at, "/");
        push(merge, at);
    }
}

/* --- what is visible at a path --- */

static bool is_mark(enum layer_path_kind kind)
{
    return kind == LAYER_PATH_WHITEOUT || kind == LAYER_PATH_OPAQUE;
}

/* The lowest layer above `layer` that is known to hide what `layer` has at this path. */
static int first_above(const struct merge *merge, size_t layer, size_t hidden_below)
{
    size_t first = layer < hidden_below ? hidden_below : SIZE_MAX;

    for (size_t i = 0; i < merge->found_count; i++) {
        const struct found *found = &merge->found[i];
        if (found->layer > layer && found->layer < first && found->kind != LAYER_PATH_OPAQUE)
            first = found->layer;
    }
    return first == SIZE_MAX ? -1 : (int)first;
}

/* Something of `layer` stands below files of lower layers: then those are directories by now. Below
 * a symbolic link it stands where the link leads to. True when there is such a link. */
static bool cross_files(struct merge *merge, size_t layer)
{
    bool link = false;

    for (size_t i = 0; merge->pending_count > 0 && i + 1 < merge->frame_count; i++) {
        struct frame *frame = &merge->frames[i];
        if (!frame->pending.there || frame->pending.layer > layer)
            continue;
        if (frame->pending.kind == LAYER_PATH_SYMLINK)
            link = true;
        else if (frame->pending.layer < layer)
            settle(merge, frame, text_data(&merge->path), (int)layer);
    }
    return link;
}

/* The link that stands at this frame's path when so many layers are there; NULL: something else. */
static const struct found *link_at(const struct frame *frame, size_t layer)
{
    const struct found *last = NULL;

    for (size_t i = 0; i < frame->link_count; i++)
        if (frame->links[i].layer <= layer && frame->links[i].kind != LAYER_PATH_OPAQUE)
            last = &frame->links[i];
    return last && last->kind == LAYER_PATH_SYMLINK ? last : NULL;
}

/* Does `layer` reach this path through a link that is not there any more? What it has there stands
 * where the link led to. `hider`: the layer that is known to hide the path, -1. */
static bool has_lost_link(const struct merge *merge, size_t layer, int hider)
{
    size_t later = hider < 0 ? SIZE_MAX : (size_t)hider;

    for (size_t i = 1; merge->linked_count > 0 && i + 1 < merge->frame_count; i++) {
        const struct found *link = link_at(&merge->frames[i], layer);
        if (link && (merge->frames[i - 1].hidden_below > link->layer ||
                     link_at(&merge->frames[i], later) != link))
            return true;
    }
    return false;
}

/* Later paths ask what stands at this one. */
static void keep_links(struct merge *merge, struct frame *own)
{
    for (size_t i = 0; i < merge->found_count; i++) {
        if (merge->found[i].kind != LAYER_PATH_SYMLINK)
            continue;
        own->links = memory_new_array(merge->found_count, sizeof(*own->links));
        own->link_count = merge->found_count;
        memcpy(own->links, merge->found, merge->found_count * sizeof(*own->links));
        merge->linked_count++;
        return;
    }
}

static void take(struct merge *merge, const struct found *found, size_t hidden_below)
{
    struct frame *own = &merge->frames[merge->frame_count - 1];
    int hidden_by = first_above(merge, found->layer, hidden_below);
    bool through_link = cross_files(merge, found->layer) && hidden_by < 0;

    if (has_lost_link(merge, found->layer, hidden_by)) {
        through_link = true;
        hidden_by = -1;
    }
    if (found->kind != LAYER_PATH_DIRECTORY && found->layer > own->hidden_below)
        own->hidden_below = found->layer;
    if (hidden_by >= 0 || through_link || found->kind == LAYER_PATH_DIRECTORY)
        give(merge, text_data(&merge->path), found, hidden_by, through_link);
    else {
        merge->pending_count += !own->pending.there;
        own->pending = (struct pending){
            .there = true, .layer = found->layer, .kind = found->kind, .size = found->size};
    }
}

static void judge(struct merge *merge)
{
    struct frame *own = &merge->frames[merge->frame_count - 1];
    size_t hidden_below = own->hidden_below; /* by what stands around it */

    for (size_t i = 0; i < merge->found_count; i++) {
        const struct found *found = &merge->found[i];
        if (is_mark(found->kind) && found->layer > own->hidden_below)
            own->hidden_below = found->layer;
    }
    for (size_t i = 0; i < merge->found_count; i++)
        if (!is_mark(merge->found[i].kind))
            take(merge, &merge->found[i], hidden_below);
    keep_links(merge, own);
}

static int run(struct merge *merge, struct error *err)
{
    AUTO_TEXT struct text before = {0};

    while (merge->heap_count > 0) {
        text_clear(&before);
        text_add(&before, text_data(&merge->path));
        int failure = collect(merge, err);
        if (failure < 0)
            return failure;
        leave(merge, text_data(&before), text_data(&merge->path));
        enter(merge);
        judge(merge);
    }
    leave(merge, text_data(&merge->path), NULL);
    return 0;
}

int layers_merge(const struct layer_facts *const *layers, size_t count, merge_visit_f *visit,
                 void *argument, struct error *err)
{
    struct merge merge = {.visit = visit, .argument = argument};

    merge.cursors = memory_new_array(count, sizeof(*merge.cursors));
    merge.heap = memory_new_array(count, sizeof(*merge.heap));
    int failure = start(&merge, layers, count, err);
    if (failure == 0)
        failure = run(&merge, err);
    for (size_t i = 0; i < count; i++)
        layer_paths_end(&merge.cursors[i]);
    for (size_t i = 0; i < merge.frame_count; i++) /* after a failure */
        free(merge.frames[i].links);
    free(merge.cursors);
    free(merge.heap);
    free(merge.frames);
    free(merge.found);
    text_release(&merge.path);
    return failure;
}
