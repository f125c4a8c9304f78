/* The files of an image as a container sees them: its layers' facts put on top of each other, and
 * what is served all the same although a later layer took it away.
 *
 * Everything here borrows from the layer facts, which must stay as long. Pure; any thread. */
#ifndef REGWARDEN_IMAGE_FILES_H
#define REGWARDEN_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/layer_facts.h"

enum { IMAGE_TOP_MAX = 20, IMAGE_LAYERS_MAX = 512 };

struct image_hit {
    const struct layer_hit *hit; /* as the layer has it */
    size_t layer;
    uint64_t
        visible_files; /* 0: a later layer took all of it away, but the layer still serves it */
    uint64_t visible_bytes;
    int hidden_by; /* the layer that took (the first of) it away; -1 when nothing did */
};

/* One of the largest files, or of the largest that are served for nothing. */
struct image_top {
    char *path; /* owned */
    uint64_t bytes;
    size_t layer;
    int hidden_by; /* -1 for a visible file */
};

/* Which layer's copy of a file counts. */
struct image_file {
    enum layer_file_state
        state;          /* ABSENT: the image has none; UNREAD: it cannot be told, see reason */
    size_t layer;       /* of READ and LINK */
    const char *reason; /* static or borrowed; NULL when there is none */
};

struct image_package {
    const struct layer_package *package;
    size_t layer;
};

struct image_probe {
    const struct layer_probe *probe;
    size_t layer;
    int hidden_by; /* the layer that replaces it or takes it away; -1 for a visible one */
};

struct image_layer {
    uint64_t hidden_bytes; /* of files that a later layer replaces or takes away */
};

struct image_files {
    size_t layer_count;
    struct image_layer *layers;
    bool complete; /* the paths of all layers are known; otherwise what is hidden is partly unknown
                    */
    uint64_t file_count;
    uint64_t visible_bytes;
    uint64_t wasted_bytes; /* served, and not visible: hidden files, duplicates */
    struct image_hit *hits;
    size_t hit_count;
    struct image_file files[LAYER_FILE_COUNT];
    struct image_package *packages; /* of files that are visible */
    size_t package_count;
    struct image_probe *probes; /* of all layers */
    size_t probe_count;
    struct image_top largest[IMAGE_TOP_MAX]; /* largest first */
    size_t largest_count;
    struct image_top wasted[IMAGE_TOP_MAX];
    size_t wasted_count;
};

/* `layers` from the base up. FAILURE_LIMIT over IMAGE_LAYERS_MAX, FAILURE_INPUT when a table of
 * paths is damaged. Returns new. */
int image_files_build(const struct layer_facts *const *layers, size_t count,
                      struct image_files **ret, struct error *err);
void image_files_free(struct image_files *files);
void image_files_auto_free(struct image_files **files);
#define AUTO_IMAGE_FILES AUTO(image_files_auto_free)

/* The layer's facts in which a file is read, or NULL: users, groups and empty passwords of the
 * image are those of image_files_of(…, LAYER_FILE_PASSWD) and so on. Borrowed. */
const struct layer_facts *image_files_of(const struct image_files *files,
                                         const struct layer_facts *const *layers,
                                         enum layer_file file);

#endif
