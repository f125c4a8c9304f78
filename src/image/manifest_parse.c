/* From the bytes of a manifest or index to plain data, refusing whatever two readers could take for
 * different things. Fetching and checking size and digest is the caller's. */
#include <assert.h>
#include <string.h>

#include "descriptor.h"
#include "fields.h"
#include "media_types.h"
#include "regwarden/manifest.h"

static const char *const root_fields[] = {
    "schemaVersion", "mediaType", "artifactType", "config",  "layers",     "manifests", "subject",
    "annotations",   "blobs",     "fsLayers",     "history", "signatures", NULL};

/* What a body of this role may not hold: with it, other readers could take the same bytes for
 * something else (CVE-2021-41190). */
static const struct {
    enum media_role role;
    const char *what;
    const char *forbidden[4];
} forbidden_members[] = {
    {MEDIA_INDEX, "an index", {"config", "layers", "blobs", NULL}},
    {MEDIA_MANIFEST, "a manifest", {"manifests", "blobs", NULL}},
    {MEDIA_ARTIFACT_MANIFEST, "an artifact manifest", {"manifests", "config", "layers", NULL}},
};

static bool has(const struct json *root, const char *name)
{
    const struct json *value = json_get(root, name);
    return value && !json_is(value, JSON_KIND_NULL);
}

static int refuse_schema1(const struct json *root, enum media_role role, struct error *err)
{
    if (role == MEDIA_SCHEMA1 || json_get_integer(root, "schemaVersion", 2) == 1 ||
        has(root, "fsLayers")) {
        int failure = error_set(err, FAILURE_INPUT,
                                "manifest schema 1 is not supported: it hides layers' sizes "
                                "and its config");
        error_hint(err, "push the image again with any client of the last years");
        return failure;
    }
    const struct json *version = json_get(root, "schemaVersion");
    if (version && json_integer(version, 0) != 2)
        return error_set(err, FAILURE_INPUT, "schemaVersion is not 2");
    return 0;
}

static int refuse_confusion(const struct json *root, enum media_role role, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(forbidden_members); i++) {
        const char *const *name = forbidden_members[i].forbidden;
        for (; forbidden_members[i].role == role && *name; name++)
            if (has(root, *name))
                return error_set(err, FAILURE_INPUT,
                                 "%s holds \"%s\": readers would take it for different things",
                                 forbidden_members[i].what, *name);
    }
    return 0;
}

/* Without any media type, only a body of one clear shape is accepted. */
static const char *type_by_shape(const struct json *root)
{
    if (json_get(root, "manifests"))
        return MEDIA_TYPE_OCI_INDEX;
    return has(root, "config") && json_get(root, "layers") ? MEDIA_TYPE_OCI_MANIFEST : NULL;
}

static int decide_type(const struct json *root, const char *content_type, struct manifest *manifest,
                       struct error *err)
{
    int failure = fields_string(root, "mediaType", "manifest", &manifest->media_type, err);
    if (failure)
        return failure;
    if (manifest->media_type && content_type &&
        !media_type_equal(manifest->media_type, content_type)) {
        AUTO_FREE char *body = text_printable(manifest->media_type, 100);
        AUTO_FREE char *header = text_printable(content_type, 100);
        return error_set(err, FAILURE_INPUT, "the body says it is %s, but was served as %s", body,
                         header);
    }
    const char *decided = content_type ? content_type : type_by_shape(root);
    if (!manifest->media_type && decided)
        manifest->media_type = memory_copy_bytes(decided, strcspn(decided, "; \t"));
    if (media_type_is_manifest(manifest->media_type))
        return 0;
    AUTO_FREE char *shown =
        text_printable(manifest->media_type ? manifest->media_type : "(none)", 100);
    return error_set(err, FAILURE_INPUT, "%s is not the media type of a manifest", shown);
}

static int read_array(const struct json *root, const char *name, size_t max,
                      struct descriptor **ret, size_t *ret_count, struct error *err)
{
    const struct json *array;
    if (!json_get(root, name))
        return error_set(err, FAILURE_INPUT, "the manifest has no \"%s\"", name);
    int failure = fields_member(root, name, "manifest", JSON_KIND_ARRAY, &array, err);
    if (failure)
        return failure;
    size_t count = json_count(array);
    if (count > max)
        return error_set(err, FAILURE_LIMIT, "%zu entries in \"%s\", at most %zu are read", count,
                         name, max);
    *ret = memory_new_array(count, sizeof(**ret));
    *ret_count = count;
    for (size_t i = 0; !failure && i < count; i++) {
        char what[40];
        snprintf(what, sizeof(what), "%s[%zu]", name, i);
        failure = descriptor_read(json_at(array, i), what, /* verifiable= */ true, &(*ret)[i], err);
    }
    return failure;
}

static int read_subject(const struct json *root, struct manifest *manifest, struct error *err)
{
    const struct json *subject;
    int failure = fields_member(root, "subject", "manifest", JSON_KIND_OBJECT, &subject, err);
    if (failure || !subject)
        return failure;
    manifest->has_subject = true;
    return descriptor_read(subject, "subject", /* verifiable= */ false, &manifest->subject, err);
}

static int read_config(const struct json *root, struct manifest *manifest, struct error *err)
{
    if (!has(root, "config"))
        return error_set(err, FAILURE_INPUT, "the manifest has no config");
    return descriptor_read(json_get(root, "config"), "config", /* verifiable= */ true,
                           &manifest->config, err);
}

static int read_members(const struct json *root, enum media_role role, struct manifest *manifest,
                        struct error *err)
{
    int failure = fields_string(root, "artifactType", "manifest", &manifest->artifact_type, err);
    if (!failure)
        failure = fields_pairs(root, "annotations", "manifest", manifest_limits.max_annotations,
                               &manifest->annotations, err);
    if (!failure)
        failure = read_subject(root, manifest, err);
    if (!failure && role == MEDIA_INDEX)
        return read_array(root, "manifests", manifest_limits.max_children, &manifest->children,
                          &manifest->child_count, err);
    if (!failure && role == MEDIA_MANIFEST)
        failure = read_config(root, manifest, err);
    if (!failure)
        failure =
            read_array(root, role == MEDIA_MANIFEST ? "layers" : "blobs",
                       manifest_limits.max_layers, &manifest->layers, &manifest->layer_count, err);
    return failure;
}

static bool all_layers_are(const struct manifest *manifest, enum media_role a, enum media_role b)
{
    for (size_t i = 0; i < manifest->layer_count; i++) {
        enum media_role role = media_role(manifest->layers[i].media_type);
        if (role != a && role != b)
            return false;
    }
    return manifest->layer_count > 0;
}

/* What a runtime would run is an image, whatever it calls itself: artifactType is deliberately not
 * believed when an image config and file system layers stand beside it. Signatures and old
 * attestations carry an image config too, so the layers' types decide there. Docker's own format
 * is for images only, and podman and CRI-O run it whatever type its config claims to have. */
/* Would runtimes that do not look at the types of layers run it? */
static bool has_image_config(const struct manifest *manifest)
{
    enum media_role config = media_role(manifest->config.media_type);

    return config == MEDIA_IMAGE_CONFIG || config == MEDIA_DEFAULT_CONFIG ||
           media_type_equal(manifest->media_type, MEDIA_TYPE_DOCKER_MANIFEST);
}

static enum manifest_kind classify(const struct manifest *manifest, enum media_role role)
{
    if (role == MEDIA_INDEX)
        return MANIFEST_INDEX;
    if (all_layers_are(manifest, MEDIA_ATTESTATION, MEDIA_ATTESTATION))
        return MANIFEST_ATTESTATION;
    if (all_layers_are(manifest, MEDIA_ATTESTATION, MEDIA_EVIDENCE))
        return MANIFEST_ARTIFACT;
    if (role == MEDIA_MANIFEST && has_image_config(manifest))
        return MANIFEST_IMAGE;
    if (text_equal(manifest->artifact_type, MEDIA_TYPE_BUILDKIT_ATTESTATION))
        return MANIFEST_ATTESTATION;
    return MANIFEST_ARTIFACT;
}

static int parse_root(const struct json *root, const char *content_type, struct manifest *manifest,
                      struct error *err)
{
    if (!json_is(root, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the manifest is not a JSON object");
    int failure = fields_refuse_variants(root, root_fields, "manifest", err);
    if (!failure)
        failure = refuse_schema1(root, media_role(content_type), err);
    if (!failure)
        failure = decide_type(root, content_type, manifest, err);
    if (failure)
        return failure;
    enum media_role role = media_role(manifest->media_type);
    failure = refuse_schema1(root, role, err);
    if (!failure)
        failure = refuse_confusion(root, role, err);
    if (!failure)
        failure = read_members(root, role, manifest, err);
    if (!failure)
        manifest->kind = classify(manifest, role);
    return failure;
}

void manifest_take_for_image(struct manifest *manifest)
{
    if ((manifest->kind == MANIFEST_ATTESTATION || manifest->kind == MANIFEST_ARTIFACT) &&
        media_role(manifest->media_type) == MEDIA_MANIFEST && has_image_config(manifest))
        manifest->kind = MANIFEST_IMAGE;
}

int manifest_parse(const char *bytes, size_t size, const char *content_type,
                   const struct digest *digest, struct manifest **ret, struct error *err)
{
    assert(bytes && digest && ret);
    struct json_limits limits = json_limits_default;
    limits.max_bytes = manifest_limits.max_bytes;
    limits.max_values = manifest_limits.max_values;
    AUTO_JSON struct json *root = NULL;
    int failure = json_parse(bytes, size, &limits, &root, err);
    if (failure) {
        error_wrap(err, "manifest");
        return failure;
    }
    AUTO_MANIFEST struct manifest *manifest = memory_new(sizeof(*manifest));
    failure = parse_root(root, content_type, manifest, err);
    if (failure)
        return failure;
    manifest->digest = *digest;
    manifest->size = size;
    *ret = TAKE(manifest);
    return 0;
}
