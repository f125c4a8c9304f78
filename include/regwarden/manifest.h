/* Manifests and indexes, parsed from verified bytes. Follows OCI image-spec 1.1 manifest.md,
 * image-index.md and descriptor.md, and Docker's manifest v2 schema 2 and manifest list.
 *
 * The caller has checked size and digest first. Refused with a reason (FAILURE_INPUT): schema 1, a
 * body that is both an index and a manifest (CVE-2021-41190), a body mediaType that differs from
 * the Content-Type, duplicate keys, the name of a known member in other case (free maps such as
 * annotations may hold what they like), digests of config, layers and children that are illegal or
 * cannot be verified, negative or absurd sizes. Bounded by manifest_limits. Plain data, owned by
 * the caller; any thread. */
#ifndef REGWARDEN_MANIFEST_H
#define REGWARDEN_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/text.h"

#define MEDIA_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define MEDIA_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_OCI_ARTIFACT "application/vnd.oci.artifact.manifest.v1+json"
#define MEDIA_TYPE_SCHEMA1 "application/vnd.docker.distribution.manifest.v1+json"
#define MEDIA_TYPE_SCHEMA1_SIGNED "application/vnd.docker.distribution.manifest.v1+prettyjws"

struct manifest_limits {
    size_t max_bytes;       /* 4 MiB */
    size_t max_layers;      /* 1024 */
    size_t max_children;    /* 1024 */
    size_t max_annotations; /* 1024 per object */
    size_t max_values;      /* 50 000 JSON values: parsed, each takes hundreds of bytes */
};
extern const struct manifest_limits manifest_limits;

/* What a runtime would run is an image, whatever artifactType or annotations say of it: the types
 * of config and layers decide. Runtimes that unpack layers without looking at their type run a
 * "signature" whose layers are archives: where images stand, manifest_take_for_image() holds. What
 * is asked for by its digest only, or under a tag that is made of another digest, is believed to be
 * evidence. */
enum manifest_kind {
    MANIFEST_IMAGE, /* config is an image config, or of a generic type that runtimes take for one,
                       or the manifest is of Docker's own format */
    MANIFEST_INDEX,
    MANIFEST_ATTESTATION, /* all layers are in-toto statements (BuildKit's old and new form), or
                             artifactType says so and there is no image config */
    MANIFEST_ARTIFACT,    /* anything else: signature, SBOM, chart … evidence, never judged as an
                             image */
};
const char *
manifest_kind_name(enum manifest_kind kind); /* "image", "index", "attestation", "artifact" */
int manifest_kind_from_name(const char *name, enum manifest_kind *ret);

struct platform { /* all NULL when absent */
    char *os;
    char *architecture;
    char *variant;
    char *os_version;
};
/* "linux/arm64/v8"; "unknown" parts as they stand; "" when both are absent. Returns new. */
char *platform_format(const struct platform *platform);
void platform_release(struct platform *platform);

struct descriptor {
    char *media_type; /* "" when absent */
    struct digest digest;
    uint64_t size; /* bytes, compressed as stored */
    struct platform platform;
    char *artifact_type; /* NULL when absent */
    struct text_pairs annotations;
};
void descriptor_release(struct descriptor *descriptor);

struct manifest {
    enum manifest_kind kind;
    char *media_type; /* as decided: Content-Type and body agree */
    struct digest digest;
    uint64_t size;             /* of the manifest itself, bytes */
    struct descriptor config;  /* unset digest for an index */
    struct descriptor *layers; /* base first */
    size_t layer_count;
    struct descriptor *children; /* of an index, in order */
    size_t child_count;
    char *artifact_type; /* NULL when absent */
    bool has_subject;
    struct descriptor subject;
    struct text_pairs annotations;
};

/* The manifest stands where images stand: under a tag of its own, or as a child of an index that
 * runtimes may pick. With an image config it is one then, whatever type its layers claim. */
void manifest_take_for_image(struct manifest *manifest);

/* content_type may be NULL (local files): then the body decides. Returns new. */
int manifest_parse(const char *bytes, size_t size, const char *content_type,
                   const struct digest *digest, struct manifest **ret, struct error *err);
void manifest_free(struct manifest *manifest);
void manifest_auto_free(struct manifest **manifest);
#define AUTO_MANIFEST AUTO(manifest_auto_free)

/* Could a runtime pick this index child (false: platform unknown/unknown, as attestations have it)?
 * Annotation and media type alone take nothing out: runtimes do not look at them. */
bool descriptor_is_runnable(const struct descriptor *child);
bool media_type_is_index(const char *media_type);
bool media_type_is_manifest(const char *media_type); /* index, manifest, artifact or schema 1: what
                                                        a push of an image can be */
/* Sum of layer sizes (compressed, as stored); a layer that occurs twice counts twice. */
uint64_t manifest_layer_bytes(const struct manifest *manifest);

#endif
