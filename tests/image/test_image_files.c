/* Layers on top of each other: a table of small images, each layer written as its table of paths;
 * and a comparison with the plainest possible merge over random layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "layer_merge.h"
#include "regwarden/image_files.h"

enum { LAYERS_MAX = 6 };

/* "f a/b 7;w c;l d ../e": kind, path, size or link; in any order. */
static struct layer_facts *layer_of(const char *text)
{
    struct layer_facts *facts = memory_new(sizeof(*facts));
    struct layer_path paths[64];
    size_t count = 0;
    char *copy = memory_copy_text(text), *rest = copy, *item;

    facts->paths_complete = true;
    while ((item = strsep(&rest, ";"))) {
        char *kind = strsep(&item, " "), *path = strsep(&item, " ");
        if (!path)
            continue;
        struct layer_path new = {path, (enum layer_path_kind) * kind, 0, ""};
        if (new.kind == LAYER_PATH_FILE)
            new.size = item ? (uint64_t)strtoull(item, NULL, 10) : 1;
        else if (item)
            new.link = item;
        size_t at = count++;
        for (; at > 0 && layer_path_compare(paths[at - 1].path, path) > 0; at--)
            paths[at] = paths[at - 1];
        paths[at] = new;
    }
    for (size_t i = 0; i < count; i++)
        layer_paths_add(&facts->paths, i > 0 ? paths[i - 1].path : "", &paths[i]);
    free(copy);
    return facts;
}

static size_t layers_of(const char *const *texts, const struct layer_facts **ret)
{
    size_t count = 0;

    for (; count < LAYERS_MAX && texts[count]; count++)
        ret[count] = layer_of(texts[count]);
    return count;
}

static void free_layers(const struct layer_facts **layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        layer_facts_free((struct layer_facts *)(uintptr_t)layers[i]);
}

static void note(void *argument, const struct merge_record *record)
{
    if (record->kind == LAYER_PATH_DIRECTORY)
        return;
    text_format(argument, "%s%zu:%s", ((struct text *)argument)->length > 0 ? " " : "",
                record->layer, record->path);
    if (record->hidden_by >= 0)
        text_format(argument, "-%d", record->hidden_by);
    if (record->through_link)
        text_add(argument, "@");
}

/* Layers from the base up; then layer:path, -layer that hides it, @ behind a link. */
static const struct {
    const char *layers[LAYERS_MAX];
    const char *wanted;
} merges[] = {
    {{"f a;f b"}, "0:a 0:b"},
    {{"f a", "f b"}, "0:a 1:b"},
    {{"f a", "f a"}, "0:a-1 1:a"},
    {{"f a", "f a", "f a"}, "0:a-1 1:a-2 2:a"},
    {{"f a;f b", "w a"}, "0:a-1 0:b"},
    {{"f a", "w a", "f a"}, "0:a-1 2:a"},
    {{"f a", "w a;f a"}, "0:a-1 1:a"},
    {{"f d/a;f d/e/b;f db", "w d"}, "0:d/a-1 0:d/e/b-1 0:db"},
    {{"f d/a", "w d;d d;f d/b"}, "0:d/a-1 1:d/b"},
    {{"f d/a;f c", "o d;f d/b"}, "0:c 0:d/a-1 1:d/b"},
    {{"f d/e/a;f x", "o "}, "0:d/e/a-1 0:x-1"},
    {{"f d/a", "f d/b", "o d;f d/c"}, "0:d/a-2 1:d/b-2 2:d/c"},
    {{"f d/a", "o d", "f d/a"}, "0:d/a-1 2:d/a"},
    {{"f d", "d d;f d/a"}, "0:d-1 1:d/a"},
    {{"f d", "f d/a"}, "0:d-1 1:d/a"},
    {{"f d", "w d/a"}, "0:d"},
    {{"f d/a;f d/b", "f d"}, "0:d/a-1 0:d/b-1 1:d"},
    {{"f d/a", "l d x"}, "0:d/a-1 1:d"},
    {{"f d/a", "f d", "f d/b"}, "0:d/a-1 1:d-2 2:d/b"},
    {{"l bin usr/bin;f usr/bin/a", "f bin/b"}, "1:bin/b@ 0:bin 0:usr/bin/a"},
    {{"l bin usr/bin;f bin/a"}, "0:bin/a@ 0:bin"},
    {{"l d x", "d d;f d/a"}, "0:d-1 1:d/a"},
    {{"f a", "o a"}, "0:a"},
    {{"h a b;s c;d e"}, "0:a 0:c"},
    {{"f a/b;f a-b;f a.b;f a/b/c", ""}, "0:a/b/c 0:a/b 0:a-b 0:a.b"},
    {{"", "f a"}, "1:a"},
    {{"w a;w b/c;o d"}, ""},
    /* who takes a link away leaves what was written through it */
    {{"l d x;f d/a", "w d"}, "0:d-1 0:d/a@"},
    {{"l d x;f d/a", "d d"}, "0:d-1 0:d/a@"},
    {{"l d x;f d/a", "l d y"}, "0:d-1 0:d/a@ 1:d"},
    {{"l e/d x", "f e/d/a", "w e"}, "0:e/d-2 1:e/d/a@"},
    {{"l d x;f d/a", "f d/a"}, "0:d/a-1 1:d/a@ 0:d"},
    {{"l d x;f d/a", "w d/a"}, "0:d/a-1 0:d"},
    {{"l d x", "w d;f d/a", "w d"}, "0:d-1 1:d/a-2"},
};

static void small_images(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(merges); i++) {
        const struct layer_facts *layers[LAYERS_MAX];
        AUTO_TEXT struct text got = {0};
        size_t count = layers_of(merges[i].layers, layers);
        assert_int_equal(layers_merge(layers, count, note, &got, NULL), 0);
        assert_string_equal(text_data(&got), merges[i].wanted);
        free_layers(layers, count);
    }
}

/* --- the plainest merge: a list of visible files, layer by layer --- */

struct plain {
    struct {
        char path[16];
        size_t layer;
        bool directory;
    } files[512];
    size_t count;
};

static bool is_below(const char *path, const char *directory)
{
    size_t size = strlen(directory);

    return size == 0 ? *path != '\0' : strncmp(path, directory, size) == 0 && path[size] == '/';
}

static void plain_remove(struct plain *plain, const char *path, size_t layer, bool itself)
{
    size_t kept = 0;

    for (size_t i = 0; i < plain->count; i++) {
        bool hit = is_below(plain->files[i].path, path) ||
                   (itself && strcmp(plain->files[i].path, path) == 0);
        if (!hit || plain->files[i].layer == layer)
            plain->files[kept++] = plain->files[i];
    }
    plain->count = kept;
}

/* A file or directory comes: directories around it replace files. */
static void plain_add(struct plain *plain, const char *path, size_t layer, bool directory)
{
    char around[16];

    snprintf(around, sizeof(around), "%s", path);
    for (char *slash; (slash = strrchr(around, '/'));) {
        *slash = '\0';
        for (size_t i = 0; i < plain->count; i++)
            if (strcmp(plain->files[i].path, around) == 0 && plain->files[i].layer < layer &&
                !plain->files[i].directory)
                plain->files[i--] = plain->files[--plain->count];
    }
    for (size_t i = 0; i < plain->count; i++)
        if (strcmp(plain->files[i].path, path) == 0 && !(directory && plain->files[i].directory))
            plain->files[i--] = plain->files[--plain->count];
    if (!directory)
        plain_remove(plain, path, layer, false);
    snprintf(plain->files[plain->count].path, 16, "%s", path);
    plain->files[plain->count].directory = directory;
    plain->files[plain->count++].layer = layer;
}

static void plain_apply(struct plain *plain, const struct layer_facts *facts, size_t layer)
{
    for (int marks = 1; marks >= 0; marks--) {
        struct layer_paths_cursor cursor;
        layer_paths_begin(&cursor, &facts->paths);
        while (layer_paths_next(&cursor, NULL) > 0) {
            const struct layer_path *path = &cursor.current;
            bool mark = path->kind == LAYER_PATH_WHITEOUT || path->kind == LAYER_PATH_OPAQUE;
            if (mark && marks)
                plain_remove(plain, path->path, layer, path->kind == LAYER_PATH_WHITEOUT);
            else if (!mark && !marks)
                plain_add(plain, path->path, layer, path->kind == LAYER_PATH_DIRECTORY);
        }
        layer_paths_end(&cursor);
    }
}

static void tick_off(void *argument, const struct merge_record *record)
{
    struct plain *plain = argument;
    bool found = false;

    if (record->kind == LAYER_PATH_DIRECTORY)
        return;
    for (size_t i = 0; i < plain->count && !found; i++) {
        if (strcmp(plain->files[i].path, record->path) != 0 ||
            plain->files[i].layer != record->layer || plain->files[i].directory)
            continue;
        found = true;
        if (record->hidden_by < 0)
            plain->files[i--] = plain->files[--plain->count];
    }
    if (found != (record->hidden_by < 0))
        fail_msg("%zu:%s hidden by %d", record->layer, record->path, record->hidden_by);
    if (record->hidden_by >= 0)
        assert_true((size_t)record->hidden_by > record->layer);
}

/* Paths of one to three letters out of two, so that files, directories and marks meet often. */
static void random_layer(struct text *text, uint32_t *seed)
{
    static const char kinds[] = "ffffdwo";
    char seen[64][8];
    size_t count = 0;

    for (int i = 0; i < 6; i++) {
        char path[8] = "";
        *seed = *seed * 1664525 + 1013904223;
        unsigned bits = *seed >> 8, depth = bits % 3 + 1, at = 0;
        for (unsigned k = 0; k < depth; k++, bits >>= 2) {
            if (k > 0)
                path[at++] = '/';
            path[at++] = "ab"[bits >> 4 & 1];
        }
        path[at] = '\0';
        bool taken = false;
        for (size_t k = 0; k < count;
             k++) /* a file and something below it in one layer: not here */
            taken = taken || is_below(seen[k], path) || is_below(path, seen[k]) ||
                    strcmp(seen[k], path) == 0;
        if (taken)
            continue;
        memcpy(seen[count++], path, sizeof(path));
        text_format(text, "%c %s;", kinds[(*seed >> 20) % 7], path);
    }
}

static void random_images_as_the_plainest_merge(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        const struct layer_facts *layers[4];
        struct plain plain = {0};
        for (size_t i = 0; i < 4; i++) {
            AUTO_TEXT struct text text = {0};
            random_layer(&text, &seed);
            layers[i] = layer_of(text_data(&text));
            plain_apply(&plain, layers[i], i);
        }
        assert_int_equal(layers_merge(layers, 4, tick_off, &plain, NULL), 0);
        for (size_t i = 0; i < plain.count; i++)
            if (!plain.files[i].directory)
                fail_msg("round %d: %s of layer %zu is not given", round, plain.files[i].path,
                         plain.files[i].layer);
        free_layers(layers, 4);
    }
}

/* --- the view --- */

static void add_hit(const struct layer_facts *layer, const char *what, const char *path)
{
    struct layer_facts *facts = (struct layer_facts *)(uintptr_t)layer;
    size_t capacity = facts->hit_count;

    facts->hits = memory_grow(facts->hits, facts->hit_count, &capacity, sizeof(*facts->hits));
    facts->hits[facts->hit_count++] = (struct layer_hit){
        .kind = SIGNAL_SDK, .what = memory_copy_text(what), .path = memory_copy_text(path)};
}

static void add_package(const struct layer_facts *layer, const char *name, const char *path)
{
    struct layer_facts *facts = (struct layer_facts *)(uintptr_t)layer;
    size_t capacity = facts->package_count;

    facts->packages =
        memory_grow(facts->packages, facts->package_count, &capacity, sizeof(*facts->packages));
    facts->packages[facts->package_count++] =
        (struct layer_package){.manager = PACKAGE_NPM,
                               .name = memory_copy_text(name),
                               .version = memory_copy_text("1"),
                               .path = memory_copy_text(path)};
}

static void hits_say_what_of_them_is_visible(void **state)
{
    static const char *const texts[] = {
        "f sdk/a 10;f sdk/b 20;f cache/c 40;f keep 1;f p/package.json;f q/package.json",
        "w sdk/a;f other 5;w p", "w cache", NULL};
    const struct layer_facts *layers[LAYERS_MAX];
    size_t count = layers_of(texts, layers);
    AUTO_IMAGE_FILES struct image_files *files = NULL;

    (void)state;
    add_hit(layers[0], "sdk", "sdk");
    add_hit(layers[0], "cache", "cache");
    add_hit(layers[1], "other", "other");
    add_package(layers[0], "p", "p/package.json");
    add_package(layers[0], "q", "q/package.json");
    assert_int_equal(image_files_build(layers, count, &files, NULL), 0);
    assert_int_equal(files->hit_count, 3);
    assert_int_equal(files->hits[0].visible_bytes, 20);
    assert_int_equal(files->hits[0].visible_files, 1);
    assert_int_equal(files->hits[0].hidden_by, 1);
    assert_int_equal(files->hits[1].visible_files, 0);
    assert_int_equal(files->hits[1].hidden_by, 2);
    assert_int_equal(files->hits[2].layer, 1);
    assert_int_equal(files->hits[2].hidden_by, -1);
    assert_int_equal(files->visible_bytes, 27);
    assert_int_equal(files->wasted_bytes, 51);
    assert_int_equal(files->layers[0].hidden_bytes, 51);
    assert_int_equal(files->package_count, 1);
    assert_string_equal(files->packages[0].package->name, "q");
    assert_string_equal(files->largest[0].path, "sdk/b");
    assert_string_equal(files->wasted[0].path, "cache/c");
    assert_int_equal(files->wasted[0].hidden_by, 2);
    assert_true(files->complete);
    image_files_free(TAKE(files));
    free_layers(layers, count);
}

/* A hit that is shown where most of a deep tree's files stand beside it: what surrounds them is
 * looked for once. */
static void deep_trees_are_walked_once(void **state)
{
    enum { DEPTH = 2000, FILES = 20000, SECONDS_MAX = 20 };
    struct layer_facts *layer = layer_of("f .env 1");
    const struct layer_facts *const layers[] = {layer};
    AUTO_IMAGE_FILES struct image_files *files = NULL;
    AUTO_TEXT struct text path = {0}, before = {0};
    clock_t start;

    (void)state;
    add_hit(layer, "env-file", ".env");
    text_add(&before, ".env");
    for (int i = 0; i < FILES; i++) {
        text_clear(&path);
        for (int k = 0; k < DEPTH; k++)
            text_add(&path, "a/");
        text_format(&path, "%05d", i);
        layer_paths_add(&layer->paths, text_data(&before),
                        &(struct layer_path){text_data(&path), LAYER_PATH_FILE, 1, ""});
        text_clear(&before);
        text_add(&before, text_data(&path));
    }
    start = clock();
    assert_int_equal(image_files_build(layers, 1, &files, NULL), 0);
    assert_true((clock() - start) / CLOCKS_PER_SEC < SECONDS_MAX);
    assert_int_equal(files->file_count, FILES + 1);
    assert_int_equal(files->hits[0].visible_files, 1);
    layer_facts_free(layer);
}

static void add_probe(const struct layer_facts *layer, const char *path)
{
    struct layer_facts *facts = (struct layer_facts *)(uintptr_t)layer;
    size_t capacity = facts->probe_count;

    facts->probes =
        memory_grow(facts->probes, facts->probe_count, &capacity, sizeof(*facts->probes));
    facts->probes[facts->probe_count++] =
        (struct layer_probe){.probe = memory_copy_text("p"), .path = memory_copy_text(path)};
}

/* Directories too: the last that has an entry sets its mode. */
static void probes_say_what_hides_them(void **state)
{
    static const char *const texts[] = {"f a;f b;d d;f d/f;d e;l l a", "w a;d d;f b", "w e;o d",
                                        NULL};
    static const struct {
        size_t layer;
        const char *path;
        int hidden_by;
    } probes[] = {{0, "a", 1},  {0, "b", 1},   {1, "b", -1}, {0, "d", 1},
                  {1, "d", -1}, {0, "d/f", 2}, {0, "e", 2},  {0, "l", -1}};
    const struct layer_facts *layers[LAYERS_MAX];
    size_t count = layers_of(texts, layers), at = 0;
    AUTO_IMAGE_FILES struct image_files *files = NULL;

    (void)state;
    for (size_t layer = 0; layer < count; layer++)
        for (size_t i = 0; i < ARRAY_COUNT(probes); i++)
            if (probes[i].layer == layer)
                add_probe(layers[layer], probes[i].path);
    assert_int_equal(image_files_build(layers, count, &files, NULL), 0);
    assert_int_equal(files->probe_count, ARRAY_COUNT(probes));
    for (size_t layer = 0; layer < count; layer++)
        for (size_t i = 0; i < ARRAY_COUNT(probes); i++) {
            if (probes[i].layer != layer)
                continue;
            if (files->probes[at].hidden_by != probes[i].hidden_by)
                fail_msg("%zu:%s is hidden by %d", layer, probes[i].path,
                         files->probes[at].hidden_by);
            at++;
        }
    free_layers(layers, count);
}

static void the_largest_are_kept_in_order(void **state)
{
    AUTO_TEXT struct text text = {0};
    const struct layer_facts *layers[1];
    AUTO_IMAGE_FILES struct image_files *files = NULL;

    (void)state;
    for (int i = 0; i < 50; i++)
        text_format(&text, "f %d %d;", i, (i * 37) % 50 + 1);
    layers[0] = layer_of(text_data(&text));
    assert_int_equal(image_files_build(layers, 1, &files, NULL), 0);
    assert_int_equal(files->largest_count, IMAGE_TOP_MAX);
    for (size_t i = 0; i < IMAGE_TOP_MAX; i++)
        assert_int_equal(files->largest[i].bytes, 50 - i);
    free_layers(layers, 1);
}

/* What is known of etc/passwd. `read` is the layer whose facts hold it; `cut` one whose paths are
 * not all known. */
static const struct {
    const char *layers[LAYERS_MAX];
    int read, cut;
    enum layer_file_state state;
    int layer;
} passwds[] = {
    {{"f etc/passwd"}, 0, -1, LAYER_FILE_READ, 0},
    {{"f etc/passwd", "f etc/passwd"}, 1, -1, LAYER_FILE_READ, 1},
    {{"f etc/passwd", "w etc/passwd"}, 0, -1, LAYER_FILE_ABSENT, -1},
    {{"f etc/passwd", "o etc"}, 0, -1, LAYER_FILE_ABSENT, -1},
    {{"f x"}, -1, -1, LAYER_FILE_ABSENT, -1},
    {{"f etc/passwd", "f x"}, 0, 1, LAYER_FILE_UNREAD, -1},
    {{"f etc/passwd", "f etc/passwd"}, 1, 0, LAYER_FILE_READ, 1},
    {{"f x"}, -1, 0, LAYER_FILE_UNREAD, -1},
    {{"f etc/passwd"}, -1, -1, LAYER_FILE_UNREAD, -1},
    {{"f etc/passwd;l a etc", "f a/passwd"}, 0, -1, LAYER_FILE_UNREAD, -1},
    {{"f etc/passwd", "l etc usr/etc"}, 0, -1, LAYER_FILE_UNREAD, -1},
};

static void which_passwd_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(passwds); i++) {
        const struct layer_facts *layers[LAYERS_MAX];
        size_t count = layers_of(passwds[i].layers, layers);
        AUTO_IMAGE_FILES struct image_files *files = NULL;
        if (passwds[i].read >= 0)
            ((struct layer_facts *)(uintptr_t)layers[passwds[i].read])->files[0].state =
                LAYER_FILE_READ;
        if (passwds[i].cut >= 0)
            ((struct layer_facts *)(uintptr_t)layers[passwds[i].cut])->paths_complete = false;
        assert_int_equal(image_files_build(layers, count, &files, NULL), 0);
        if (files->files[LAYER_FILE_PASSWD].state != passwds[i].state)
            fail_msg("row %zu: state %d", i, files->files[LAYER_FILE_PASSWD].state);
        const struct layer_facts *facts = image_files_of(files, layers, LAYER_FILE_PASSWD);
        assert_ptr_equal(facts, passwds[i].layer >= 0 ? layers[passwds[i].layer] : NULL);
        free_layers(layers, count);
    }
}

static void damaged_tables_and_too_many_layers_are_refused(void **state)
{
    struct layer_facts *facts = memory_new(sizeof(*facts));
    const struct layer_facts *layers[IMAGE_LAYERS_MAX + 1] = {facts};
    AUTO_IMAGE_FILES struct image_files *files = NULL;

    (void)state;
    text_add(&facts->paths, "0 b\tf1\n0 a\tf1\n");
    assert_int_equal(image_files_build(layers, 1, &files, NULL), FAILURE_INPUT);
    assert_int_equal(image_files_build(layers, IMAGE_LAYERS_MAX + 1, &files, NULL), FAILURE_LIMIT);
    layer_facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_images),
        cmocka_unit_test(random_images_as_the_plainest_merge),
        cmocka_unit_test(hits_say_what_of_them_is_visible),
        cmocka_unit_test(deep_trees_are_walked_once),
        cmocka_unit_test(probes_say_what_hides_them),
        cmocka_unit_test(the_largest_are_kept_in_order),
        cmocka_unit_test(which_passwd_counts),
        cmocka_unit_test(damaged_tables_and_too_many_layers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
