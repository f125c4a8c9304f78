/* A registry that costs next to nothing, to measure the daemon and not docker-registry: COUNT
 * images of one layer, made at start, served from memory over our own HTTP server. usage:
 * bench_registry PORT COUNT; prints "<manifest digest> <size>" per image, then "ready". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/digest.h"
#include "regwarden/http_server.h"
#include "regwarden/log.h"
#include "regwarden/loop.h"
#include "regwarden/manifest.h"
#include "regwarden/map.h"
#include "regwarden/text.h"

struct content {
    char *bytes;
    size_t size;
    const char *media_type;
};

static struct map *contents; /* k: digest text -> v: struct content */

static void add(const char *bytes, const char *media_type,
                char digest_text[static DIGEST_TEXT_SIZE])
{
    struct content *content = memory_new(sizeof *content);
    struct digest digest;

    content->bytes = memory_copy_text(bytes);
    content->size = strlen(bytes);
    content->media_type = media_type;
    digest_compute(NULL, bytes, content->size, &digest);
    map_set(contents, digest_format(&digest, digest_text), content);
}

/* About the size of a real config: 3.7 KB. */
static char *make_config(long number)
{
    AUTO_TEXT struct text text = {0};

    text_format(
        &text,
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\","
        "\"config\":{\"User\":\"1000\",\"Env\":"
        "[\"PATH=/usr/local/bin:/usr/bin:/"
        "bin\",\"NODE_VERSION=20.11.1\",\"NUMBER=%ld\"],\"Entrypoint\":[\"node\",\"server.js\"],"
        "\"WorkingDir\":\"/app\",\"Labels\":{\"org.opencontainers.image.source\":\"https://"
        "example.com/app\"}},\"rootfs\":{"
        "\"type\":\"layers\",\"diff_ids\":[\"sha256:%064ld\"]},\"history\":[",
        number, number);
    for (int i = 0; i < 18; i++)
        text_format(
            &text,
            "%s{\"created\":\"2026-01-01T00:00:00Z\",\"created_by\":\"ENV "
            "SETTING_%d=value-of-a-setting-that-has-some-length-%ld "
            "# a step of the base\",\"comment\":\"buildkit.dockerfile.v0\",\"empty_layer\":%s}",
            i ? "," : "", i, number, i ? "true" : "false");
    text_add(&text, "]}");
    return text_take(&text);
}

static void make_image(long number)
{
    AUTO_FREE char *config = make_config(number);
    char config_digest[DIGEST_TEXT_SIZE], manifest_digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *manifest = NULL;

    add(config, "application/octet-stream", config_digest);
    manifest = text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                        "\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
                        "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
                        "\"application/vnd.oci.image.layer.v1.tar+gzip\","
                        "\"digest\":\"sha256:%064ld\",\"size\":1000}]}",
                        config_digest, strlen(config), number);
    add(manifest, MEDIA_TYPE_OCI_MANIFEST, manifest_digest);
    printf("%s %zu\n", manifest_digest, strlen(manifest));
}

static void serve(void *argument, struct http_exchange *exchange)
{
    const char *path = http_exchange_path(exchange);
    const char *slash = strrchr(path, '/');
    const struct content *content = slash ? map_get(contents, slash + 1) : NULL;
    const struct http_reply_header headers[] = {{"Docker-Content-Digest", slash ? slash + 1 : ""},
                                                {NULL, NULL}};

    (void)argument;
    if (text_equal(path, "/v2/"))
        http_exchange_reply_text(exchange, 200, "{}");
    else if (content)
        http_exchange_reply(exchange, 200, headers, content->media_type, content->bytes,
                            content->size);
    else
        http_exchange_reply_text(exchange, 404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
}

int main(int argc, char **argv)
{
    struct http_server_options options = {.max_connections = 1024};
    struct http_server *server;
    struct loop *loop;
    struct error error = {0};
    AUTO_FREE char *address = text_new("127.0.0.1:%s", argc > 1 ? argv[1] : "0");

    contents = map_new();
    for (long i = 0; i < (argc > 2 ? strtol(argv[2], NULL, 10) : 1); i++)
        make_image(i);
    if (loop_new(&loop, &error) < 0 ||
        http_server_new(loop, &options, serve, NULL, &server, &error) < 0 ||
        http_server_listen(server, address, &error) < 0) {
        fprintf(stderr, "bench_registry: %s\n", error.text);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    loop_run(loop);
    return 0;
}
