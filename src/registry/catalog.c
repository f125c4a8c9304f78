/* Finding images and blobs of a local source, and the catalog of an OCI layout. */
#include "catalog.h"

#include <string.h>

#include "regwarden/json.h"

enum { LAYOUT_FILE_MAX = 4096, NAMES_SHOWN = 6 };
#define REF_NAME "org.opencontainers.image.ref.name"

struct catalog_image *catalog_add(struct catalog *catalog)
{
    catalog->images =
        memory_grow(catalog->images, catalog->count, &catalog->capacity, sizeof(*catalog->images));
    catalog->images[catalog->count] = (struct catalog_image){0};
    return &catalog->images[catalog->count++];
}

void catalog_release(struct catalog *catalog)
{
    size_t position = 0;
    void *value;

    for (size_t i = 0; i < catalog->count; i++) {
        struct catalog_image *image = &catalog->images[i];

        text_list_release(&image->names);
        text_list_release(&image->layer_names);
        free(image->media_type);
        free(image->config_name);
    }
    free(catalog->images);
    while (catalog->members && map_each(catalog->members, &position, NULL, &value))
        free(value);
    position = 0;
    while (catalog->documents && map_each(catalog->documents, &position, NULL, &value)) {
        text_release(value);
        free(value);
    }
    map_free(catalog->members);
    map_free(catalog->documents);
    *catalog = (struct catalog){0};
}

char *catalog_blob_name(const struct catalog *catalog, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];
    const char *member = map_get(catalog->members, digest_format(digest, text));
    char *colon = strchr(text, ':');

    if (member)
        return memory_copy_text(member);
    if (colon)
        *colon = '/';
    return text_new("blobs/%s", text);
}

/* --- finding --- */

/* "docker.io/library/app" is what Docker calls app:latest. */
static char *familiar(const char *name)
{
    const char *slash;

    if (text_starts_with(name, "docker.io/"))
        name += strlen("docker.io/");
    if (text_starts_with(name, "library/"))
        name += strlen("library/");
    slash = strrchr(name, '/');
    return text_new("%s%s", name, strchr(slash ? slash : name, ':') ? "" : ":latest");
}

static bool has_name(const struct catalog *catalog, const struct catalog_image *image,
                     const char *name)
{
    AUTO_FREE char *wanted = NULL;

    if (text_list_has(&image->names, name))
        return true;
    if (!text_equal(catalog->prefix, "docker-archive"))
        return false;
    wanted = familiar(name);
    for (size_t i = 0; i < image->names.count; i++) {
        AUTO_FREE char *there = familiar(image->names.items[i]);

        if (text_equal(there, wanted))
            return true;
    }
    return false;
}

/* "oci:DIR:TAG" of a few images, so that one of them can be copied. */
static int hint_names(const struct catalog *catalog, struct error *err)
{
    AUTO_TEXT struct text list = {0};
    size_t shown = 0, count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        for (size_t n = 0; n < catalog->images[i].names.count; n++, count++) {
            AUTO_FREE char *name = text_printable(catalog->images[i].names.items[n], 60);

            if (shown == NAMES_SHOWN)
                continue;
            text_format(&list, "%s%s", shown ? ", " : "", name);
            shown++;
        }
    }
    if (count == 0)
        return error_hint(err, "Its images have no names: name one by digest, as %s:…@sha256:…",
                          catalog->prefix);
    return error_hint(err, "It holds %s%s; name one as %s:…:NAME", text_data(&list),
                      count > shown ? ", …" : "", catalog->prefix);
}

int catalog_find_name(const struct catalog *catalog, const char *name, struct catalog_image **ret,
                      struct error *err)
{
    AUTO_FREE char *shown = text_printable(name, 160);
    struct catalog_image *found = NULL;

    for (size_t i = 0; i < catalog->count; i++) {
        struct catalog_image *image = &catalog->images[i];

        if (!has_name(catalog, image, name))
            continue;
        if (found &&
            (!digest_is_set(&found->digest) || !digest_equal(&found->digest, &image->digest)))
            return error_set(err, FAILURE_INPUT, "%s: two images are tagged \"%s\"",
                             local_files_path(catalog->files), shown);
        found = image;
    }
    if (!found) {
        (void)error_set(err, FAILURE_ABSENT, "%s: no image is tagged \"%s\"",
                        local_files_path(catalog->files), shown);
        return hint_names(catalog, err);
    }
    *ret = found;
    return 0;
}

int catalog_find_only(const struct catalog *catalog, struct catalog_image **ret, struct error *err)
{
    if (catalog->count == 1) {
        *ret = &catalog->images[0];
        return 0;
    }
    if (catalog->count == 0)
        return error_set(err, FAILURE_ABSENT, "%s holds no image",
                         local_files_path(catalog->files));
    (void)error_set(err, FAILURE_INPUT, "%s holds %zu images: say which one",
                    local_files_path(catalog->files), catalog->count);
    return hint_names(catalog, err);
}

/* --- OCI layouts --- */

static int check_version(const struct catalog *catalog, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_JSON struct json *json = NULL;
    AUTO_FREE char *shown = local_files_describe(catalog->files, "oci-layout");
    int rc = local_files_read(catalog->files, "oci-layout", LAYOUT_FILE_MAX, &bytes, err);

    if (rc == FAILURE_ABSENT && text_equal(catalog->prefix, "oci"))
        return error_hint(err, "An OCI layout is a directory with the file oci-layout in it.");
    if (rc == FAILURE_ABSENT)
        return error_hint(err, "An oci-archive is the tar of an OCI layout; what `docker save` "
                               "writes is named docker-archive:FILE.");
    if (rc == 0 && json_parse(text_data(&bytes), bytes.length, NULL, &json, err) < 0)
        return error_wrap(err, "%s", shown);
    if (rc == 0 && !text_equal(json_get_string(json, "imageLayoutVersion"), "1.0.0"))
        return error_set(err, FAILURE_INPUT, "%s: not version 1.0.0 of the image layout", shown);
    return rc;
}

static void add_child(struct catalog *catalog, const struct descriptor *child)
{
    struct catalog_image *image = catalog_add(catalog);
    const char *name = text_pairs_get(&child->annotations, REF_NAME);

    image->digest = child->digest;
    image->size = child->size;
    image->media_type = memory_copy_text(child->media_type);
    image->prepared = true;
    if (name)
        text_list_add(&image->names, name);
}

int catalog_read_layout(struct catalog *catalog, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_MANIFEST struct manifest *index = NULL;
    struct digest digest;
    int rc = check_version(catalog, err);

    if (rc == 0)
        rc = local_files_read(catalog->files, "index.json", CATALOG_DOCUMENT_MAX, &bytes, err);
    if (rc < 0)
        return rc;
    digest_compute(NULL, text_data(&bytes), bytes.length, &digest);
    if (manifest_parse(text_data(&bytes), bytes.length, MEDIA_TYPE_OCI_INDEX, &digest, &index,
                       err) < 0) {
        AUTO_FREE char *shown = local_files_describe(catalog->files, "index.json");

        return error_wrap(err, "%s", shown);
    }
    for (size_t i = 0; i < index->child_count; i++)
        add_child(catalog, &index->children[i]);
    return 0;
}
