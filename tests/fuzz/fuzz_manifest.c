/* Manifests from hostile bytes, without and with a Content-Type. What is taken must hold its own
 * promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const char *bytes, size_t size, const char *content_type)
{
    AUTO_MANIFEST struct manifest *manifest = NULL;
    struct digest digest;
    struct error err;
    digest_compute(NULL, bytes, size, &digest);
    if (manifest_parse(bytes, size, content_type, &digest, &manifest, &err)) {
        must(err.text[0] != '\0');
        return;
    }
    must(manifest->layer_count == 0 || manifest->child_count == 0);
    must(manifest->kind != MANIFEST_IMAGE || digest_is_set(&manifest->config.digest));
    must((manifest->kind == MANIFEST_INDEX) == media_type_is_index(manifest->media_type));
    (void)manifest_layer_bytes(manifest);
    for (size_t i = 0; i < manifest->child_count; i++) {
        AUTO_FREE char *platform = platform_format(&manifest->children[i].platform);
        must(strlen(platform) < size + 3);
        (void)descriptor_is_runnable(&manifest->children[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *bytes = memory_copy_bytes(data, size);
    check(bytes, size, NULL);
    check(bytes, size, MEDIA_TYPE_OCI_MANIFEST);
    check(bytes, size, MEDIA_TYPE_DOCKER_MANIFEST);
    return 0;
}
