/* What a local source holds: its images by name and digest, and where their blobs lie. Private to
 * the room.
 *
 * An OCI layout says it in index.json. A docker-archive says it in manifest.json; where it holds an
 * OCI layout too (Docker 25 and later, BuildKit), the manifest that stands there for the image is
 * taken. Older archives hold no manifest: one is written from the config and the layers, in the
 * format that Docker pushes. Its digest names the image here and nowhere else. Layers are plain
 * there, so their digests are the diff_ids of the config; compressed ones are named by their
 * digest. Both are claims until the layers are read, as in a registry. */
#ifndef REGISTRY_CATALOG_H
#define REGISTRY_CATALOG_H

#include "regwarden/manifest.h"
#include "regwarden/map.h"
#include "regwarden/text.h"

#include "local_files.h"

enum { CATALOG_DOCUMENT_MAX = 4 * 1024 * 1024 }; /* bytes of an index, manifest or config */

struct catalog_image {
    struct text_list names; /* as the source spells them; none: it has no name */
    struct digest digest;   /* of the manifest; of a docker-archive once it is prepared */
    uint64_t size;
    char *media_type;
    struct digest config; /* also names an image of a docker-archive; else not set */
    /* The rest is of a docker-archive. */
    char *config_name;
    struct text_list layer_names; /* members */
    bool prepared;
};

struct catalog {
    const struct local_files *files; /* borrowed */
    const char *prefix;              /* "oci", … */
    struct catalog_image *images;
    size_t count;
    size_t capacity;
    struct map *members;   /* k: digest -> v: char *, the name of a blob that is not under blobs/ */
    struct map *documents; /* k: digest -> v: struct text, a manifest that we wrote */
};

int catalog_read_layout(struct catalog *catalog, struct error *err);
int catalog_read_docker(struct catalog *catalog, struct error *err);
/* Settles what the manifest of the image is. */
int catalog_prepare_docker(struct catalog *catalog, struct catalog_image *image, struct error *err);
void catalog_release(struct catalog *catalog);
struct catalog_image *catalog_add(struct catalog *catalog);

/* By tag or name. FAILURE_ABSENT with a hint of what there is; FAILURE_INPUT when two have it. */
int catalog_find_name(const struct catalog *catalog, const char *name, struct catalog_image **ret,
                      struct error *err);
/* The only image. FAILURE_INPUT when there are more, with a hint. */
int catalog_find_only(const struct catalog *catalog, struct catalog_image **ret, struct error *err);
/* Name of the file that holds the blob. Returns new. */
char *catalog_blob_name(const struct catalog *catalog, const struct digest *digest);

#endif
