/* What refers to a manifest, in a layout: the manifests of its index whose subject it is. */
#include "regwarden/json.h"
#include "regwarden/memory.h"

#include "local_source.h"

enum { READ_MAX = 256, BYTES_MAX = 16 * 1024 * 1024 };

static struct json *describe(const struct catalog_image *image, const struct manifest *manifest)
{
    struct json *json = json_new_object();
    char digest[DIGEST_TEXT_SIZE];

    json_set_string(json, "mediaType", manifest->media_type);
    json_set_string(json, "digest", digest_format(&image->digest, digest));
    json_set_integer(json, "size", (int64_t)image->size);
    json_set_string(json, "artifactType",
                    manifest->artifact_type ? manifest->artifact_type
                                            : manifest->config.media_type);
    if (manifest->annotations.count > 0)
        json_set_take(json, "annotations", json_from_pairs(&manifest->annotations));
    return json;
}

/* NULL when it does not, or cannot be read. Returns new. */
static struct json *refers_to(const struct local_source *local, const struct catalog_image *image,
                              const struct digest *subject)
{
    AUTO_TEXT struct text bytes = {0};
    AUTO_MANIFEST struct manifest *manifest = NULL;

    if (local_read_blob(local, &image->digest, image->size, &bytes, NULL) < 0 ||
        manifest_parse(text_data(&bytes), bytes.length,
                       *image->media_type ? image->media_type : NULL, &image->digest, &manifest,
                       NULL) < 0 ||
        !manifest->has_subject || !digest_equal(&manifest->subject.digest, subject))
        return NULL;
    return describe(image, manifest);
}

/* An index that holds the descriptors of all that refer to it. */
static int list_referrers(const struct local_source *local, const struct digest *subject,
                          struct text *to, struct error *err)
{
    AUTO_JSON struct json *index = json_new_object();
    struct json *manifests = json_new_array();
    uint64_t bytes = 0;

    json_set_integer(index, "schemaVersion", 2);
    json_set_string(index, "mediaType", MEDIA_TYPE_OCI_INDEX);
    json_set_take(index, "manifests", manifests);
    for (size_t i = 0; i < local->catalog.count; i++) {
        const struct catalog_image *image = &local->catalog.images[i];
        struct json *descriptor;

        bytes += image->size;
        if (i == READ_MAX || bytes > BYTES_MAX)
            return error_set(err, FAILURE_LIMIT, "%s holds too much to look for referrers in it",
                             local_files_path(local->files));
        descriptor = refers_to(local, image, subject);
        if (descriptor)
            json_append_take(manifests, descriptor);
    }
    json_write(index, JSON_COMPACT, to);
    return 0;
}

uint64_t local_fetch_referrers(void *self, const char *repository, const struct digest *digest,
                               registry_done_f *done, void *argument)
{
    struct local_source *local = self;
    struct local_request *request = local_request_new(local, done, argument);
    AUTO_TEXT struct text bytes = {0};

    (void)repository;
    if (list_referrers(local, digest, &bytes, &request->error) < 0)
        return request->id;
    digest_compute(NULL, text_data(&bytes), bytes.length, &request->digest);
    free(request->media_type);
    request->media_type = memory_copy_text(MEDIA_TYPE_OCI_INDEX);
    request->document = text_take(&bytes);
    return request->id;
}
