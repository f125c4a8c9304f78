/* A registry of many tags that costs next to nothing, to measure sweeps: the tags of each
 * repository point at a few images of its own, made when they are asked for. usage: sweep_registry
 * PORT oci|harbor REPOSITORIES TAGS IMAGES (of each repository); prints "ready". As "oci" it serves
 * catalogue and lists of tags in pages, as "harbor" also Harbor's lists, whose rows name digests.
 * GET /counts tells how many requests there were, by kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/http_server.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"
#include "regwarden/text.h"

#include "bench_image.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

static long repository_count, tag_count, image_count;
static bool is_harbor;
static unsigned long pages, heads, others;

struct known {
    long number;
    bool is_config;
};
static struct map *contents;              /* k: digest text -> v: struct known */
static char (*digests)[DIGEST_TEXT_SIZE]; /* of manifests, by number */

static void note(const struct digest *digest, long number, bool is_config)
{
    struct known *known = memory_new(sizeof *known);
    char key[DIGEST_TEXT_SIZE];

    *known = (struct known){.number = number, .is_config = is_config};
    map_set(contents, digest_format(digest, key), known);
}

static void make_images(void)
{
    long count = repository_count * image_count;

    contents = map_new();
    digests = memory_new_array((size_t)count, sizeof *digests);
    for (long number = 0; number < count; number++) {
        struct bench_image image;

        bench_image_init(&image, number);
        digest_format(&image.manifest_digest, digests[number]);
        note(&image.manifest_digest, number, false);
        note(&image.config_digest, number, true);
        bench_image_release(&image);
    }
}

static long number_in(struct http_exchange *exchange, const char *name, long fallback)
{
    AUTO_FREE char *text = http_exchange_parameter(exchange, name);
    uint64_t number;

    return text && text_parse_uint(text, 1000000000, &number, NULL) == 0 ? (long)number : fallback;
}

static void not_found(struct http_exchange *exchange)
{
    http_exchange_reply_text(exchange, 404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
}

static void reply_json(struct http_exchange *exchange, const struct http_reply_header *headers,
                       const struct text *text)
{
    http_exchange_reply(exchange, 200, headers, "application/json", text->data, text->length);
}

/* --- lists of the distribution API: names are a letter and six digits --- */

struct list {
    const char *key, *format; /* of a name */
    const char *path;
    long count;
};

static void serve_list(struct http_exchange *exchange, const struct list *list)
{
    AUTO_FREE char *last = http_exchange_parameter(exchange, "last");
    const char *digits = last ? strrchr(last, list->format[0] == 't' ? 't' : 'r') : NULL;
    long first = digits ? strtol(digits + 1, NULL, 10) + 1 : 0;
    long size = number_in(exchange, "n", PAGE_DEFAULT);
    long end = first + (size < PAGE_MAX ? size : PAGE_MAX);
    AUTO_TEXT struct text body = {0};
    AUTO_TEXT struct text link = {0};
    struct http_reply_header headers[] = {{NULL, NULL}, {NULL, NULL}};

    if (end > list->count)
        end = list->count;
    text_format(&body, "{\"name\":\"x\",\"%s\":[", list->key);
    for (long i = first; i < end; i++) {
        text_add(&body, i > first ? ",\"" : "\"");
        text_format(&body, list->format[0] == 't' ? "t%06ld" : "bench/r%06ld", i);
        text_add(&body, "\"");
    }
    text_add(&body, "]}");
    if (end < list->count) {
        text_format(&link, "<%s?n=%ld&last=", list->path, size);
        text_format(&link, list->format[0] == 't' ? "t%06ld" : "bench%%2Fr%06ld", end - 1);
        text_add(&link, ">; rel=\"next\"");
        headers[0] = (struct http_reply_header){"Link", text_data(&link)};
    }
    pages++;
    reply_json(exchange, headers, &body);
}

/* --- Harbor's lists --- */

static void reply_page(struct http_exchange *exchange, const struct text *body, long total)
{
    AUTO_FREE char *text = text_new("%ld", total);
    const struct http_reply_header headers[] = {{"X-Total-Count", text}, {NULL, NULL}};

    pages++;
    reply_json(exchange, headers, body);
}

static void serve_projects(struct http_exchange *exchange)
{
    long first = (number_in(exchange, "page", 1) - 1) * PAGE_DEFAULT;
    AUTO_TEXT struct text body = {0};

    text_add(&body, "[");
    for (long i = first; i < first + PAGE_DEFAULT && i < repository_count; i++)
        text_format(&body, "%s{\"name\":\"bench/r%06ld\"}", i > first ? "," : "", i);
    text_add(&body, "]");
    reply_page(exchange, &body, repository_count);
}

static void serve_artifacts(struct http_exchange *exchange, long repository)
{
    long first = (number_in(exchange, "page", 1) - 1) * PAGE_DEFAULT;
    AUTO_TEXT struct text body = {0};

    text_add(&body, "[");
    for (long i = first; i < first + PAGE_DEFAULT && i < image_count; i++) {
        text_format(&body, "%s{\"digest\":\"%s\",\"labels\":[],\"tags\":[", i > first ? "," : "",
                    digests[repository * image_count + i]);
        for (long tag = i; tag < tag_count; tag += image_count)
            text_format(&body, "%s{\"name\":\"t%06ld\"}", tag > i ? "," : "", tag);
        text_add(&body, "]}");
    }
    text_add(&body, "]");
    reply_page(exchange, &body, image_count);
}

/* --- images --- */

static void serve_content(struct http_exchange *exchange, const char *digest)
{
    const struct known *known = map_get(contents, digest);
    const struct http_reply_header headers[] = {{"Docker-Content-Digest", digest}, {NULL, NULL}};
    struct bench_image image;
    const char *bytes;

    if (!known) {
        not_found(exchange);
        return;
    }
    bench_image_init(&image, known->number);
    bytes = known->is_config ? image.config : image.manifest;
    http_exchange_reply(exchange, 200, headers,
                        known->is_config ? "application/octet-stream" : MEDIA_TYPE_OCI_MANIFEST,
                        bytes, strlen(bytes));
    bench_image_release(&image);
}

static void serve_manifest(struct http_exchange *exchange, long repository, const char *reference)
{
    long tag = reference[0] == 't' ? strtol(reference + 1, NULL, 10) : -1;

    if (text_equal(http_exchange_method(exchange), "HEAD"))
        heads++;
    else
        others++;
    if (tag < 0)
        serve_content(exchange, reference);
    else if (tag < tag_count)
        serve_content(exchange, digests[repository * image_count + tag % image_count]);
    else
        not_found(exchange);
}

static void serve_repository(struct http_exchange *exchange, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = strstr(path, "/bench/r");
    long repository = name ? strtol(name + strlen("/bench/r"), NULL, 10) : -1;

    if (repository < 0 || repository >= repository_count) {
        not_found(exchange);
    } else if (text_ends_with(path, "/tags/list")) {
        serve_list(exchange,
                   &(struct list){.key = "tags", .format = "t", .path = path, .count = tag_count});
    } else if (strstr(path, "/manifests/")) {
        serve_manifest(exchange, repository, slash + 1);
    } else {
        others++;
        serve_content(exchange, slash + 1);
    }
}

static void serve_counts(struct http_exchange *exchange)
{
    AUTO_FREE char *text =
        text_new("{\"pages\":%lu,\"heads\":%lu,\"others\":%lu}", pages, heads, others);

    http_exchange_reply_text(exchange, 200, text);
}

static void serve_root(struct http_exchange *exchange)
{
    static const struct http_reply_header challenge[] = {
        {"WWW-Authenticate", "Basic realm=\"harbor\""}, {NULL, NULL}};

    if (is_harbor && !http_exchange_header(exchange, "authorization"))
        http_exchange_reply(exchange, 401, challenge, "application/json", "{}", 2);
    else
        http_exchange_reply_text(exchange, 200, "{}");
}

static void serve(void *argument, struct http_exchange *exchange)
{
    static const char artifacts[] = "/api/v2.0/projects/bench/repositories/r";
    const char *path = http_exchange_path(exchange);

    (void)argument;
    if (text_equal(path, "/v2/"))
        serve_root(exchange);
    else if (text_equal(path, "/counts"))
        serve_counts(exchange);
    else if (text_equal(path, "/v2/_catalog"))
        serve_list(exchange, &(struct list){.key = "repositories",
                                            .format = "r",
                                            .path = path,
                                            .count = repository_count});
    else if (is_harbor && text_equal(path, "/api/v2.0/repositories"))
        serve_projects(exchange);
    else if (is_harbor && text_starts_with(path, artifacts))
        serve_artifacts(exchange, strtol(path + strlen(artifacts), NULL, 10));
    else
        serve_repository(exchange, path);
}

int main(int argc, char **argv)
{
    struct http_server_options options = {.max_connections = 1024};
    struct http_server *server;
    struct loop *loop;
    struct error error = {0};
    AUTO_FREE char *address = NULL;

    if (argc < 6)
        return 2;
    address = text_new("127.0.0.1:%s", argv[1]);
    is_harbor = text_equal(argv[2], "harbor");
    repository_count = strtol(argv[3], NULL, 10);
    tag_count = strtol(argv[4], NULL, 10);
    image_count = strtol(argv[5], NULL, 10);
    make_images();
    if (loop_new(&loop, &error) < 0 ||
        http_server_new(loop, &options, serve, NULL, &server, &error) < 0 ||
        http_server_listen(server, address, &error) < 0) {
        fprintf(stderr, "sweep_registry: %s\n", error.text);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    loop_run(loop);
    return 0;
}
