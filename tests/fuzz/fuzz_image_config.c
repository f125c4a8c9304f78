/* Image configs from hostile bytes, all the way to the facts document and back. */
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

static const char manifest_text[] =
    "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
    "\",\"size\":2,\"digest\":"
    "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"},\"layers\":[]}";

static struct manifest *make_manifest(void)
{
    struct manifest *manifest = NULL;
    struct digest digest;
    digest_compute(NULL, manifest_text, strlen(manifest_text), &digest);
    int failure =
        manifest_parse(manifest_text, strlen(manifest_text), NULL, &digest, &manifest, NULL);
    must(!failure);
    return manifest;
}

static char *document(const struct facts *facts)
{
    AUTO_JSON struct json *json = facts_to_json(facts);
    struct text text = {0};
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *bytes = memory_copy_bytes(data, size);
    struct image_config *config = NULL;
    struct error err;
    if (image_config_parse(bytes, size, &config, &err))
        return 0;
    AUTO_FACTS struct facts *facts = facts_build_take(make_manifest(), config, NULL, NULL);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_FACTS struct facts *copy = NULL;
    int failure = facts_from_json(json, &copy, &err);
    must(!failure);
    AUTO_FREE char *before = document(facts);
    AUTO_FREE char *after = document(copy);
    must(strcmp(before, after) == 0);
    return 0;
}
