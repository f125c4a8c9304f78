/* Addresses of Harbor's API, its requests and the reading of its answers. What is asked is in the
 * other files. */
#include "harbor_api.h"

#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "auth.h"

const struct json_limits harbor_limits = {
    .max_bytes = HARBOR_PAGE_BYTES_MAX, .max_depth = 32, .max_values = 500000};

/* Without the first, a project whose name is a number would be taken for the one with that id. */
static const struct http_header headers[] = {
    {"X-Is-Resource-Name", "true"},
    {"X-Accept-Vulnerabilities", HARBOR_REPORT_TYPES},
    {NULL, NULL},
};

static void add_encoded_twice(struct text *to, const char *name)
{
    AUTO_TEXT struct text once = {0};

    url_encode(&once, name);
    url_encode(to, text_data(&once));
}

int harbor_path(const char *repository, const char *tail, char **ret, struct error *err)
{
    AUTO_FREE char *shown = text_printable(repository ? repository : "", 80);
    AUTO_TEXT struct text path = {0};
    const char *slash;

    if (!repository || !repository_is_valid(repository))
        return error_set(err, FAILURE_INPUT, "\"%s\" is not a repository name", shown);
    slash = strchr(repository, '/');
    if (!slash)
        return error_set(err, FAILURE_INPUT, "\"%s\" names no project, as all of Harbor's do",
                         shown);
    text_add(&path, "/api/v2.0/projects/");
    text_add_bytes(&path, repository, (size_t)(slash - repository));
    text_add(&path, "/repositories/");
    add_encoded_twice(&path, slash + 1);
    text_format(&path, "/artifacts%s", tail);
    *ret = text_take(&path);
    return 0;
}

int harbor_path_of_artifact(const char *repository, const struct digest *digest, const char *tail,
                            char **ret, struct error *err)
{
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *whole = NULL;

    if (digest->algorithm != DIGEST_SHA256 && digest->algorithm != DIGEST_SHA512)
        return error_set(err, FAILURE_INPUT, "a digest that cannot be verified is not asked for");
    whole = text_new("/%s%s", digest_format(digest, text), tail);
    return harbor_path(repository, whole, ret, err);
}

int harbor_path_of_tag(const char *repository, const char *tag, char **ret, struct error *err)
{
    AUTO_FREE char *shown = text_printable(tag ? tag : "", 160);
    AUTO_FREE char *tail = NULL;

    if (!tag || !tag_is_valid(tag))
        return error_set(err, FAILURE_INPUT, "\"%s\" is not a tag", shown);
    tail = text_new("/%s?with_tag=true", tag);
    return harbor_path(repository, tail, ret, err);
}

void harbor_send(struct operation *operation, const struct harbor_request *request,
                 exchange_done_f *done)
{
    AUTO_TEXT struct text body = {0};
    struct exchange_request exchange = {.method = request->method,
                                        .target = request->path,
                                        .accept = "application/json",
                                        .headers = headers,
                                        .max_body_bytes = HARBOR_PAGE_BYTES_MAX,
                                        .effect = request->effect,
                                        .basic = true};

    if (request->body) {
        json_write(request->body, JSON_COMPACT, &body);
        exchange.content_type = "application/json";
        exchange.body = text_data(&body);
        exchange.body_size = body.length;
    }
    operation_send(operation, &exchange, done);
}

int harbor_check_account(const struct registry *registry, struct error *err)
{
    if (registry->settings->username)
        return 0;
    (void)error_set(err, FAILURE_DENIED, "Harbor's API needs a name and a password");
    return error_hint(err, "set username and password-file of this registry; `regwarden harbor "
                           "connect` makes an account");
}

int harbor_read(const struct http_response *response, enum json_kind kind, struct json **ret,
                struct error *err)
{
    AUTO_JSON struct json *document = NULL;
    int rc = json_parse(response->body, response->body_size, &harbor_limits, &document, err);

    if (rc < 0)
        return error_wrap(err, "Harbor's answer cannot be read");
    /* Harbor writes null where it means an empty list. */
    if (kind == JSON_KIND_ARRAY && json_is(document, JSON_KIND_NULL)) {
        *ret = json_new_array();
        return 0;
    }
    if (!json_is(document, kind))
        return error_set(err, FAILURE_INPUT, "Harbor's answer is not what it should be");
    *ret = TAKE(document);
    return 0;
}

int harbor_read_total(const struct http_response *response, uint64_t *ret, struct error *err)
{
    const char *told = http_response_header(response, "x-total-count");

    if (!told)
        return error_set(err, FAILURE_INPUT, "Harbor does not say how long the list is");
    return text_parse_uint(told, INT64_MAX, ret, err);
}
