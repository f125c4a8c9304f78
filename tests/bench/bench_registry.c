/* A registry that costs next to nothing, to measure the daemon and not docker-registry: COUNT
 * images of one layer, made at start, served from memory over our own HTTP server. usage:
 * bench_registry PORT COUNT; prints "<manifest digest> <size> <config digest>" per image, then
 * "ready". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/http_server.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"
#include "regwarden/text.h"

#include "bench_image.h"

struct content {
    char *bytes; /* kept until the end, like all that is here */
    size_t size;
    const char *media_type;
};

static struct map *contents; /* k: digest text -> v: struct content */

static void add_take(char *bytes, const char *media_type, const struct digest *digest)
{
    struct content *content = memory_new(sizeof *content);
    char key[DIGEST_TEXT_SIZE];

    *content = (struct content){.bytes = bytes, .size = strlen(bytes), .media_type = media_type};
    map_set(contents, digest_format(digest, key), content);
}

static void make_image(long number)
{
    struct bench_image image;
    char manifest[DIGEST_TEXT_SIZE], config[DIGEST_TEXT_SIZE];

    bench_image_init(&image, number);
    printf("%s %zu %s\n", digest_format(&image.manifest_digest, manifest), strlen(image.manifest),
           digest_format(&image.config_digest, config));
    add_take(TAKE(image.config), "application/octet-stream", &image.config_digest);
    add_take(TAKE(image.manifest), MEDIA_TYPE_OCI_MANIFEST, &image.manifest_digest);
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
