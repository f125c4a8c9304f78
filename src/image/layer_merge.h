/* The tables of paths of all layers, walked side by side. Private to the room. */
#ifndef IMAGE_LAYER_MERGE_H
#define IMAGE_LAYER_MERGE_H

#include "regwarden/layer_facts.h"

/* What one layer has at a path; marks are not given out. A directory is hidden by the next layer
 * that has an entry for it, since that sets its mode and owner. */
struct merge_record {
    const char *path;
    size_t layer;
    enum layer_path_kind kind;
    uint64_t size;
    int hidden_by;     /* the layer that replaces it or takes it away; -1: visible */
    bool through_link; /* below what is a symbolic link in the image: it stands elsewhere */
};
typedef void merge_visit_f(void *argument, const struct merge_record *record);

/* Gives out every file and directory entry of every layer once, in about the order of paths.
 * FAILURE_INPUT when a table is damaged. */
int layers_merge(const struct layer_facts *const *layers, size_t count, merge_visit_f *visit,
                 void *argument, struct error *err);

#endif
