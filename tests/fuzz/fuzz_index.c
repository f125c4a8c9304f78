/* Indexes from hostile bytes: the facts of what is taken must be written and read back the same. */
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
    AUTO_MANIFEST struct manifest *manifest = NULL;
    struct digest digest;
    struct error err;
    digest_compute(NULL, bytes, size, &digest);
    if (manifest_parse(bytes, size, MEDIA_TYPE_OCI_INDEX, &digest, &manifest, &err))
        return 0;
    must(manifest->kind == MANIFEST_INDEX && manifest->layer_count == 0);
    AUTO_FACTS struct facts *facts = facts_build_take(TAKE(manifest), NULL, NULL, NULL);
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_FACTS struct facts *copy = NULL;
    int failure = facts_from_json(json, &copy, &err);
    must(!failure);
    AUTO_FREE char *before = document(facts);
    AUTO_FREE char *after = document(copy);
    must(strcmp(before, after) == 0);
    return 0;
}
