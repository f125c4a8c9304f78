/* One layer, eighteen steps of history, a config of about 3.7 KB. */
#include "bench_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/text.h"

static char *make_config(long number)
{
    AUTO_TEXT struct text text = {0};

    text_format(&text,
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\","
                "\"config\":{\"User\":\"1000\",\"Env\":"
                "[\"PATH=/usr/local/bin:/usr/bin:/bin\",\"NODE_VERSION=20.11.1\",\"NUMBER=%ld\"],"
                "\"Entrypoint\":[\"node\",\"server.js\"],\"WorkingDir\":\"/app\","
                "\"Labels\":{\"org.opencontainers.image.source\":\"https://example.com/app\"}},"
                "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%064ld\"]},\"history\":[",
                number, number);
    for (int i = 0; i < 18; i++)
        text_format(&text,
                    "%s{\"created\":\"2026-01-01T00:00:00Z\",\"created_by\":\"ENV "
                    "SETTING_%d=value-of-a-setting-that-has-some-length-%ld # a step of the base\","
                    "\"comment\":\"buildkit.dockerfile.v0\",\"empty_layer\":%s}",
                    i ? "," : "", i, number, i ? "true" : "false");
    text_add(&text, "]}");
    return text_take(&text);
}

void bench_image_init(struct bench_image *image, long number)
{
    char config_digest[DIGEST_TEXT_SIZE];

    *image = (struct bench_image){.config = make_config(number)};
    digest_compute(NULL, image->config, strlen(image->config), &image->config_digest);
    image->manifest = text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                               "\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
                               "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
                               "\"application/vnd.oci.image.layer.v1.tar+gzip\","
                               "\"digest\":\"sha256:%064ld\",\"size\":1000}]}",
                               digest_format(&image->config_digest, config_digest),
                               strlen(image->config), number);
    digest_compute(NULL, image->manifest, strlen(image->manifest), &image->manifest_digest);
}

void bench_image_release(struct bench_image *image)
{
    free(image->manifest);
    free(image->config);
}

struct facts *bench_image_facts(const struct bench_image *image)
{
    struct manifest *manifest = NULL;
    struct image_config *config = NULL;
    struct error error = {0};

    if (manifest_parse(image->manifest, strlen(image->manifest), NULL, &image->manifest_digest,
                       &manifest, &error) < 0 ||
        image_config_parse(image->config, strlen(image->config), &config, &error) < 0) {
        fprintf(stderr, "bench: %s\n", error.text);
        exit(1);
    }
    return facts_build_take(manifest, config, NULL, NULL);
}
