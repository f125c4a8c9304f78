/* A catalogue of bases from a file that anybody may have written: what is accepted is written back
 * the same, and can be compared with any image. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/bases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* An image of the first base's layers and one more, with a claim. */
static struct facts *make_image(const struct base_image *base)
{
    char digest[DIGEST_TEXT_SIZE];
    AUTO_TEXT struct text text = {0};
    struct manifest *manifest = NULL;
    struct image_config *config = NULL;
    struct digest own;

    text_add(&text, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                    "\",\"annotations\":{\"org.opencontainers.image.base.name\":\"alpine:3.22\"},"
                    "\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
                    "\",\"size\":2,\"digest\":\"sha256:"
                    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"},"
                    "\"layers\":[");
    for (size_t i = 0; i < base->layer_count && i < 1000; i++)
        text_format(&text, "{\"mediaType\":\"x\",\"size\":1,\"digest\":\"%s\"},",
                    digest_format(&base->layers[i], digest));
    text_add(&text, "{\"mediaType\":\"x\",\"size\":1,\"digest\":\"sha256:"
                    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}]}");
    digest_compute(NULL, text_data(&text), text.length, &own);
    must(manifest_parse(text_data(&text), text.length, NULL, &own, &manifest, NULL) == 0);
    must(image_config_parse("{}", 2, &config, NULL) == 0);
    return facts_build_take(manifest, config, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON struct json *json = NULL;
    AUTO_BASE_CATALOGUE struct base_catalogue *catalogue = NULL;
    AUTO_BASE_CATALOGUE struct base_catalogue *again = NULL;

    if (json_parse((const char *)data, size, NULL, &json, NULL) < 0 ||
        base_catalogue_from_json(json, &catalogue, NULL) < 0)
        return 0;
    AUTO_JSON struct json *written = base_catalogue_to_json(catalogue);
    must(base_catalogue_from_json(written, &again, NULL) == 0);
    must(strcmp(base_catalogue_revision(catalogue), base_catalogue_revision(again)) == 0);
    if (base_catalogue_count(catalogue) == 0)
        return 0;
    AUTO_FACTS struct facts *facts = make_image(base_catalogue_at(catalogue, 0));
    bases_apply(catalogue, facts);
    AUTO_JSON struct json *document = facts_to_json(facts);
    AUTO_FACTS struct facts *copy = NULL;
    must(facts_from_json(document, &copy, NULL) == 0);
    return 0;
}
