/* Manifests as plain data: names, sums and release. Reading them is manifest_parse.c. */
#include "regwarden/manifest.h"

#include <string.h>

#include "names.h"

static const char *const kind_names[] = {
    [MANIFEST_IMAGE] = "image",
    [MANIFEST_INDEX] = "index",
    [MANIFEST_ATTESTATION] = "attestation",
    [MANIFEST_ARTIFACT] = "artifact",
};

const struct manifest_limits manifest_limits = {
    .max_bytes = 4 << 20,
    .max_layers = 1024,
    .max_children = 1024,
    .max_annotations = 1024,
    .max_values = 50000,
};

const char *manifest_kind_name(enum manifest_kind kind)
{
    return kind_names[kind];
}

int manifest_kind_from_name(const char *name, enum manifest_kind *ret)
{
    NAMES_FIND(kind_names, enum manifest_kind, name, ret);
}

uint64_t manifest_layer_bytes(const struct manifest *manifest)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < manifest->layer_count; i++)
        sum += manifest->layers[i].size;
    return sum;
}

static void release_all(struct descriptor *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        descriptor_release(&descriptors[i]);
    free(descriptors);
}

void manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return;
    free(manifest->media_type);
    free(manifest->artifact_type);
    descriptor_release(&manifest->config);
    descriptor_release(&manifest->subject);
    release_all(manifest->layers, manifest->layer_count);
    release_all(manifest->children, manifest->child_count);
    text_pairs_release(&manifest->annotations);
    free(manifest);
}

void manifest_auto_free(struct manifest **manifest)
{
    manifest_free(*manifest);
    *manifest = NULL;
}
