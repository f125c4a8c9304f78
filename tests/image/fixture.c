/* Builds manifests, configs and facts from short texts. No network, no files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"

char *fixture_json(const char *text)
{
    char *json = memory_copy_text(text);
    for (char *c = json; *c; c++)
        if (*c == '`')
            *c = '"';
    return json;
}

struct image_config *fixture_config(const char *text)
{
    AUTO_FREE char *json = fixture_json(text);
    struct image_config *config = NULL;
    struct error err = {0};
    if (image_config_parse(json, strlen(json), &config, &err))
        fail_msg("%s\n%s", err.text, json);
    return config;
}

struct manifest *fixture_manifest(const char *text)
{
    AUTO_FREE char *json = fixture_json(text);
    struct manifest *manifest = NULL;
    struct digest digest;
    struct error err = {0};
    digest_compute(NULL, json, strlen(json), &digest);
    if (manifest_parse(json, strlen(json), NULL, &digest, &manifest, &err))
        fail_msg("%s\n%s", err.text, json);
    return manifest;
}

struct manifest *fixture_image(size_t layers, const char *annotations)
{
    struct text text = {0};
    text_format(&text,
                "{`schemaVersion`:2,`mediaType`:`" MEDIA_TYPE_OCI_MANIFEST
                "`,`annotations`:%s,`config`:{`mediaType`:`" MEDIA_TYPE_OCI_CONFIG
                "`,`size`:7,`digest`:`sha256:%064d`},`layers`:[",
                annotations, 0);
    for (size_t i = 0; i < layers; i++)
        text_format(&text,
                    "%s{`mediaType`:`application/vnd.oci.image.layer.v1.tar+gzip`,`size`:%zu,"
                    "`digest`:`sha256:%064zu`}",
                    i > 0 ? "," : "", 100 + i, i + 1);
    text_add(&text, "]}");
    struct manifest *manifest = fixture_manifest(text_data(&text));
    text_release(&text);
    return manifest;
}

struct facts *fixture_facts(const char *config, size_t layers, const char *annotations)
{
    return facts_build_take(fixture_image(layers, annotations), fixture_config(config), NULL, NULL);
}

char *fixture_document(const struct facts *facts)
{
    AUTO_JSON struct json *json = facts_to_json(facts);
    struct text text = {0};
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}
