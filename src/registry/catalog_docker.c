/* The catalog of a docker-archive: manifest.json says which config and which layers make an image;
 * the manifest is found in the OCI layout that newer archives hold as well, or written here. */
#include "catalog.h"

#include <string.h>

#include "regwarden/json.h"

enum {
    IMAGES_MAX = 256,
    NAMES_MAX = 256, /* of one image */
    LAYERS_MAX = 1024,
    MANIFESTS_MAX = 128, /* that are read to find the right one */
    HEX_SIZE = 64
};
#define LAYER_PLAIN "application/vnd.docker.image.rootfs.diff.tar"
#define LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"

static int refuse(const struct catalog *catalog, const char *why, struct error *err)
{
    return error_set(err, FAILURE_INPUT, "%s: manifest.json: %s", local_files_path(catalog->files),
                     why);
}

static int read_image(struct catalog *catalog, const struct json *json, struct error *err)
{
    const struct json *layers = json_get(json, "Layers");
    const struct json *names = json_get(json, "RepoTags");
    struct catalog_image *image = catalog_add(catalog);

    if (json_count(layers) > LAYERS_MAX || json_count(names) > NAMES_MAX)
        return error_set(err, FAILURE_LIMIT, "%s: an image has too many layers or names",
                         local_files_path(catalog->files));
    image->config_name = memory_copy_text(json_get_string(json, "Config"));
    if (!image->config_name)
        return refuse(catalog, "an image has no Config", err);
    if (json_to_list(layers, "Layers", &image->layer_names, err) < 0 ||
        json_to_list(names, "RepoTags", &image->names, err) < 0)
        return error_wrap(err, "%s: manifest.json", local_files_path(catalog->files));
    return 0;
}

int catalog_read_docker(struct catalog *catalog, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_JSON struct json *json = NULL;
    int rc = local_files_read(catalog->files, "manifest.json", CATALOG_DOCUMENT_MAX, &bytes, err);

    if (rc == FAILURE_ABSENT)
        return error_hint(err, "A docker-archive is what `docker save` writes; the tar of an OCI "
                               "layout is named oci-archive:FILE, and `docker export` writes no "
                               "image.");
    if (rc == 0 && json_parse(text_data(&bytes), bytes.length, NULL, &json, err) < 0)
        return error_wrap(err, "%s: manifest.json", local_files_path(catalog->files));
    if (rc == 0 && !json_is(json, JSON_KIND_ARRAY))
        return refuse(catalog, "it is no list", err);
    if (rc == 0 && json_count(json) > IMAGES_MAX)
        return error_set(err, FAILURE_LIMIT, "%s holds more than %d images",
                         local_files_path(catalog->files), IMAGES_MAX);
    for (size_t i = 0; rc == 0 && i < json_count(json); i++)
        rc = read_image(catalog, json_at(json, i), err);
    return rc;
}

/* --- the config --- */

/* What the archive calls a file by, when that is a digest: "blobs/sha256/<hex>", "<hex>.json",
 * "<hex>.tar.gz", "sha256:<hex>". */
static bool digest_in_name(const char *name, struct digest *ret)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    AUTO_FREE char *text = NULL;

    if (text_starts_with(base, "sha256:"))
        base += strlen("sha256:");
    if (strcspn(base, ".") != HEX_SIZE)
        return false;
    text = text_new("sha256:%.*s", HEX_SIZE, base);
    return digest_parse(text, ret, NULL) == 0;
}

static void remember(struct catalog *catalog, const struct digest *digest, const char *name)
{
    char text[DIGEST_TEXT_SIZE];

    free(map_set(catalog->members, digest_format(digest, text), memory_copy_text(name)));
}

static int read_config(struct catalog *catalog, struct catalog_image *image, struct text *ret,
                       struct error *err)
{
    struct digest said;
    int rc = local_files_read(catalog->files, image->config_name, CATALOG_DOCUMENT_MAX, ret, err);

    if (rc < 0)
        return rc;
    digest_compute(NULL, text_data(ret), ret->length, &image->config);
    if (digest_in_name(image->config_name, &said) && !digest_equal(&said, &image->config)) {
        AUTO_FREE char *shown = local_files_describe(catalog->files, image->config_name);

        return error_set(err, FAILURE_INPUT, "%s is not what its name says", shown);
    }
    remember(catalog, &image->config, image->config_name);
    return 0;
}

/* --- a manifest that is there --- */

struct search {
    const struct catalog *catalog;
    struct catalog_image *image;
    unsigned left; /* manifests that may still be read */
    bool found;
};

/* Several platforms may be named that are not in the archive. Returns new, or NULL. */
static struct manifest *read_manifest(const struct catalog *catalog,
                                      const struct descriptor *descriptor)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_FREE char *name = catalog_blob_name(catalog, &descriptor->digest);
    struct manifest *manifest = NULL;

    if (local_files_read(catalog->files, name, CATALOG_DOCUMENT_MAX, &bytes, NULL) < 0 ||
        digest_verify(&descriptor->digest, text_data(&bytes), bytes.length, NULL) < 0)
        return NULL;
    (void)manifest_parse(text_data(&bytes), bytes.length,
                         *descriptor->media_type ? descriptor->media_type : NULL,
                         &descriptor->digest, &manifest, NULL);
    return manifest;
}

/* The layout's index, and the indexes in it. */
static void search_index(struct search *search, const struct manifest *index, bool nested)
{
    for (size_t i = 0; !search->found && i < index->child_count && search->left > 0; i++) {
        const struct descriptor *child = &index->children[i];
        AUTO_MANIFEST struct manifest *manifest = read_manifest(search->catalog, child);

        search->left--;
        if (!manifest)
            continue;
        if (manifest->kind == MANIFEST_INDEX && !nested)
            search_index(search, manifest, true);
        if (manifest->kind != MANIFEST_IMAGE ||
            !digest_equal(&manifest->config.digest, &search->image->config))
            continue;
        search->found = true;
        search->image->digest = child->digest;
        search->image->size = child->size;
        search->image->media_type = memory_copy_text(manifest->media_type);
    }
}

static int find_manifest(struct search *search, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_MANIFEST struct manifest *index = NULL;
    struct digest digest;
    const struct local_files *files = search->catalog->files;
    struct error error = {0};
    int rc = local_files_read(files, "index.json", CATALOG_DOCUMENT_MAX, &bytes, &error);

    if (rc == FAILURE_ABSENT)
        return 0;
    if (rc < 0) {
        *err = error;
        return rc;
    }
    digest_compute(NULL, text_data(&bytes), bytes.length, &digest);
    if (manifest_parse(text_data(&bytes), bytes.length, MEDIA_TYPE_OCI_INDEX, &digest, &index,
                       err) < 0)
        return error_wrap(err, "%s: index.json", local_files_path(files));
    search_index(search, index, false);
    return 0;
}

/* --- a manifest of our own --- */

static int layer_type(const struct local_file *file, const char **ret, struct error *err)
{
    uint8_t magic[4] = {0};
    size_t size = file->size < sizeof(magic) ? (size_t)file->size : sizeof(magic);
    int rc = local_file_read(file, 0, magic, size, err);

    if (rc < 0)
        return rc;
    *ret = LAYER_PLAIN;
    if (memcmp(magic, "\x1f\x8b", 2) == 0)
        *ret = LAYER_GZIP;
    else if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        *ret = LAYER_ZSTD;
    return 0;
}

static void add_descriptor(struct json *to, const char *media_type, uint64_t size,
                           const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    json_set_string(to, "mediaType", media_type);
    json_set_integer(to, "size", (int64_t)size);
    json_set_string(to, "digest", digest_format(digest, text));
}

static int add_layer(struct catalog *catalog, const char *name, const char *diff_id,
                     struct json *layers, struct error *err)
{
    struct local_file file = {.fd = -1};
    struct json *layer;
    const char *type = NULL;
    struct digest digest;
    int rc = local_file_open(catalog->files, name, &file, err);

    if (rc < 0)
        return rc;
    rc = layer_type(&file, &type, err);
    local_file_close(&file);
    if (rc < 0)
        return rc;
    if (digest_parse_verifiable(diff_id, &digest, err) < 0)
        return error_wrap(err, "a diff_id of the config");
    if (!text_equal(type, LAYER_PLAIN) && !digest_in_name(name, &digest)) {
        AUTO_FREE char *shown = local_files_describe(catalog->files, name);

        (void)error_set(err, FAILURE_INPUT, "%s is compressed, and its name is not its digest",
                        shown);
        return error_hint(err, "Make an oci-archive of it with `skopeo copy docker-archive:FILE "
                               "oci-archive:OTHER`.");
    }
    remember(catalog, &digest, name);
    layer = json_new_object();
    add_descriptor(layer, type, file.size, &digest);
    json_append_take(layers, layer);
    return 0;
}

static int add_layers(struct catalog *catalog, const struct catalog_image *image,
                      const struct text *config, struct json *layers, struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    const struct json *diff_ids;
    int rc = json_parse(text_data(config), config->length, NULL, &json, err);

    if (rc < 0)
        return error_wrap(err, "the config");
    diff_ids = json_get(json_get(json, "rootfs"), "diff_ids");
    if (json_count(diff_ids) != image->layer_names.count)
        return error_set(err, FAILURE_INPUT,
                         "manifest.json names %zu layers, the config has %zu diff_ids",
                         image->layer_names.count, json_count(diff_ids));
    for (size_t i = 0; rc == 0 && i < image->layer_names.count; i++) {
        const char *diff_id = json_string(json_at(diff_ids, i));

        rc = add_layer(catalog, image->layer_names.items[i], diff_id ? diff_id : "", layers, err);
    }
    return rc;
}

static int write_manifest(struct catalog *catalog, struct catalog_image *image,
                          const struct text *config, struct error *err)
{
    AUTO_JSON struct json *manifest = json_new_object();
    struct json *config_json = json_new_object();
    struct json *layers = json_new_array();
    struct text *document;
    struct text *before;
    char text[DIGEST_TEXT_SIZE];

    json_set_integer(manifest, "schemaVersion", 2);
    json_set_string(manifest, "mediaType", MEDIA_TYPE_DOCKER_MANIFEST);
    add_descriptor(config_json, MEDIA_TYPE_DOCKER_CONFIG, config->length, &image->config);
    json_set_take(manifest, "config", config_json);
    json_set_take(manifest, "layers", layers);
    if (add_layers(catalog, image, config, layers, err) < 0)
        return error_wrap(err, "%s", local_files_path(catalog->files));
    document = memory_new(sizeof(*document));
    json_write(manifest, JSON_COMPACT, document);
    digest_compute(NULL, text_data(document), document->length, &image->digest);
    image->size = document->length;
    image->media_type = memory_copy_text(MEDIA_TYPE_DOCKER_MANIFEST);
    before = map_set(catalog->documents, digest_format(&image->digest, text), document);
    if (before)
        text_release(before);
    free(before);
    return 0;
}

int catalog_prepare_docker(struct catalog *catalog, struct catalog_image *image, struct error *err)
{
    AUTO_TEXT struct text config = {0};
    struct search search = {.catalog = catalog, .image = image, .left = MANIFESTS_MAX};
    int rc = 0;

    if (image->prepared)
        return 0;
    rc = read_config(catalog, image, &config, err);
    if (rc == 0)
        rc = find_manifest(&search, err);
    if (rc == 0 && !search.found)
        rc = write_manifest(catalog, image, &config, err);
    image->prepared = rc == 0;
    return rc;
}
