/* The table of media types that mean something to us. Whatever is not listed is MEDIA_OTHER and
 * decided by what stands around it. */
#include "media_types.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *type;
    enum media_role role;
} types[] = {
    {.type = MEDIA_TYPE_OCI_INDEX, .role = MEDIA_INDEX},
    {.type = MEDIA_TYPE_DOCKER_LIST, .role = MEDIA_INDEX},
    {.type = MEDIA_TYPE_OCI_MANIFEST, .role = MEDIA_MANIFEST},
    {.type = MEDIA_TYPE_DOCKER_MANIFEST, .role = MEDIA_MANIFEST},
    {.type = MEDIA_TYPE_OCI_ARTIFACT, .role = MEDIA_ARTIFACT_MANIFEST},
    {.type = MEDIA_TYPE_SCHEMA1, .role = MEDIA_SCHEMA1},
    {.type = MEDIA_TYPE_SCHEMA1_SIGNED, .role = MEDIA_SCHEMA1},
    {.type = MEDIA_TYPE_OCI_CONFIG, .role = MEDIA_IMAGE_CONFIG},
    {.type = MEDIA_TYPE_DOCKER_CONFIG, .role = MEDIA_IMAGE_CONFIG},
    /* dockerd runs images whose config has one of these, written by old registries and tools */
    {.type = "", .role = MEDIA_DEFAULT_CONFIG},
    {.type = "application/octet-stream", .role = MEDIA_DEFAULT_CONFIG},
    {.type = "application/json", .role = MEDIA_DEFAULT_CONFIG},
    {.type = "text/html", .role = MEDIA_DEFAULT_CONFIG},
    {.type = "application/vnd.in-toto+json", .role = MEDIA_ATTESTATION},
    {.type = "application/vnd.dsse.envelope.v1+json", .role = MEDIA_EVIDENCE},
    {.type = "application/vnd.dev.cosign.simplesigning.v1+json", .role = MEDIA_EVIDENCE},
    {.type = "application/vnd.dev.sigstore.bundle.v0.3+json", .role = MEDIA_EVIDENCE},
    {.type = "application/vnd.cncf.notary.payload.v1+json", .role = MEDIA_EVIDENCE},
    {.type = "application/spdx+json", .role = MEDIA_EVIDENCE},
    {.type = "application/vnd.cyclonedx+json", .role = MEDIA_EVIDENCE},
    {.type = "text/spdx", .role = MEDIA_EVIDENCE},
    {.type = "text/spdx+json", .role = MEDIA_EVIDENCE},
};

/* Without parameters and the blanks around. */
static size_t essence_size(const char *media_type)
{
    size_t size = strcspn(media_type, ";");
    while (size > 0 && (media_type[size - 1] == ' ' || media_type[size - 1] == '\t'))
        size--;
    return size;
}

bool media_type_equal(const char *a, const char *b)
{
    size_t size = essence_size(a);
    return size == essence_size(b) && strncasecmp(a, b, size) == 0;
}

/* Signed statements are named application/vnd.in-toto.<predicate>+dsse. */
static bool is_signed_statement(const char *media_type)
{
    static const char prefix[] = "application/vnd.in-toto.";
    size_t size = essence_size(media_type);
    return size > strlen(prefix) + strlen("+dsse") &&
           strncasecmp(media_type, prefix, strlen(prefix)) == 0 &&
           strncasecmp(media_type + size - strlen("+dsse"), "+dsse", strlen("+dsse")) == 0;
}

enum media_role media_role(const char *media_type)
{
    if (!media_type)
        return MEDIA_OTHER;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (media_type_equal(types[i].type, media_type))
            return types[i].role;
    return is_signed_statement(media_type) ? MEDIA_ATTESTATION : MEDIA_OTHER;
}

bool media_type_is_index(const char *media_type)
{
    return media_role(media_type) == MEDIA_INDEX;
}

bool media_type_is_manifest(const char *media_type)
{
    enum media_role role = media_role(media_type);
    return role == MEDIA_INDEX || role == MEDIA_MANIFEST || role == MEDIA_ARTIFACT_MANIFEST ||
           role == MEDIA_SCHEMA1;
}
