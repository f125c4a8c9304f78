/* What refers to a manifest: the referrers API, page by page, or the index under the fallback tag.
 * The answer is always one index; what is in it is judged elsewhere. */
#include "regwarden/json.h"
#include "regwarden/manifest.h"
#include "regwarden/memory.h"

#include "errors.h"
#include "internal.h"
#include "link.h"
#include "location.h"

enum { REFERRERS_MAX = 4096 };

struct referrers_operation {
    struct operation operation; /* first */
    char *repository;
    char *scope;
    char *fallback;     /* the tag */
    struct json *pages; /* an index that holds the descriptors of all pages; NULL so far */
    struct text_list seen;
};

static const char empty_index[] =
    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX "\",\"manifests\":[]}";

static void release(struct operation *operation)
{
    struct referrers_operation *search = (struct referrers_operation *)operation;

    free(search->repository);
    free(search->scope);
    free(search->fallback);
    json_release(search->pages);
    text_list_release(&search->seen);
}

static void finish(struct referrers_operation *search, const char *bytes, size_t size)
{
    struct registry_answer told = {
        .bytes = bytes, .size = size, .media_type = MEDIA_TYPE_OCI_INDEX};

    digest_compute(NULL, bytes, size, &told.digest);
    operation_finish(&search->operation, &told);
}

static void on_fallback(void *argument, const struct exchange_answer *answer)
{
    struct referrers_operation *search = argument;
    struct registry_answer told;
    AUTO_FREE char *media_type = NULL;
    struct error error = {0};

    search->operation.exchange = NULL;
    if (answer->error && answer->error->kind == FAILURE_ABSENT) {
        finish(search, empty_index, sizeof(empty_index) - 1);
        return;
    }
    if (answer->error) {
        operation_fail(&search->operation, answer->error);
        return;
    }
    if (manifest_read(answer->response, search->fallback, &told, &media_type, &error) == 0 &&
        !media_type_is_index(media_type))
        (void)error_set(&error, FAILURE_INPUT, "the tag %s is no index", search->fallback);
    if (error.kind != FAILURE_NONE)
        operation_fail(&search->operation, &error);
    else
        operation_finish(&search->operation, &told);
}

static void send_fallback(struct referrers_operation *search)
{
    AUTO_FREE char *path = NULL;
    struct exchange_request request = {.method = "GET",
                                       .scope = search->scope,
                                       .accept = manifest_accept,
                                       .max_body_bytes = manifest_limits.max_bytes};

    if (path_of_manifest(search->repository, search->fallback, &path, &search->operation.error) <
        0) {
        operation_fail(&search->operation, &search->operation.error);
        return;
    }
    request.target = path;
    operation_send(&search->operation, &request, on_fallback);
}

/* Adds a page's descriptors to those of the pages before. */
static int add_page(struct referrers_operation *search, const struct http_response *response,
                    struct error *err)
{
    AUTO_JSON struct json *page = NULL;
    struct json *all;
    const struct json *descriptors;
    int rc = json_parse(response->body, response->body_size, NULL, &page, err);

    if (rc < 0)
        return error_wrap(err, "the list of referrers cannot be read");
    descriptors = json_get(page, "manifests");
    if (!json_is(descriptors, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "the list of referrers is no index");
    if (!search->pages) {
        search->pages = TAKE(page);
        return 0;
    }
    all = json_get(search->pages, "manifests");
    if (json_count(all) + json_count(descriptors) > REFERRERS_MAX)
        return error_set(err, FAILURE_LIMIT, "there are more than %d referrers", REFERRERS_MAX);
    for (size_t i = 0; i < json_count(descriptors); i++)
        json_append_take(all, json_retain(json_at(descriptors, i)));
    return 0;
}

static int find_next(struct referrers_operation *search, const struct exchange_answer *answer,
                     char **ret, struct error *err)
{
    const struct registry *registry = search->operation.registry;
    const char *header = http_response_header(answer->response, "link");
    AUTO_FREE char *target = NULL;
    struct url url = {0};
    int rc = 0;

    *ret = NULL;
    if (header)
        rc = link_find_next(header, &target, err);
    if (rc < 0 || !target)
        return rc;
    rc = location_resolve(answer->url, target, &url, err);
    if (rc < 0)
        return rc;
    if (!url_same_origin(&registry->url, &url) || text_list_has(&search->seen, url.path))
        rc = error_set(err, FAILURE_INPUT,
                       "the next page of referrers is on another host or was seen already");
    else
        *ret = memory_copy_text(url.path);
    url_release(&url);
    return rc;
}

static void on_page(void *argument, const struct exchange_answer *answer);

static void send_page(struct referrers_operation *search, const char *target)
{
    struct exchange_request request = {.method = "GET",
                                       .target = target,
                                       .scope = search->scope,
                                       .accept = MEDIA_TYPE_OCI_INDEX,
                                       .max_body_bytes = manifest_limits.max_bytes};

    text_list_add(&search->seen, target);
    operation_send(&search->operation, &request, on_page);
}

static void finish_pages(struct referrers_operation *search, const struct http_response *last)
{
    AUTO_TEXT struct text index = {0};

    if (search->seen.count == 1) {
        finish(search, last->body, last->body_size);
        return;
    }
    json_write(search->pages, JSON_COMPACT, &index);
    finish(search, index.data, index.length);
}

/* No such API: a registry without it may answer 404, or refuse the route, or send a web page. */
static bool lacks_api(const struct referrers_operation *search,
                      const struct exchange_answer *answer)
{
    AUTO_FREE char *media_type = NULL;
    int status = exchange_status(answer);

    if (search->seen.count > 1)
        return false;
    if (status == 404 || status == 400 || status == 405 || status == 501)
        return true;
    if (answer->error)
        return false;
    media_type = content_type_of(answer->response);
    return !media_type || !text_equal_nocase(media_type, MEDIA_TYPE_OCI_INDEX);
}

static void on_page(void *argument, const struct exchange_answer *answer)
{
    struct referrers_operation *search = argument;
    enum answer *ability = &search->operation.registry->abilities.referrers_api;
    AUTO_FREE char *next = NULL;
    struct error error = {0};

    search->operation.exchange = NULL;
    if (lacks_api(search, answer)) {
        /* A registry that has the API says so of a repository that it does not know. */
        if (*ability == ANSWER_UNKNOWN && !errors_has_code(answer->response, "NAME_UNKNOWN"))
            *ability = ANSWER_NO;
        send_fallback(search);
        return;
    }
    if (answer->error) {
        operation_fail(&search->operation, answer->error);
        return;
    }
    *ability = ANSWER_YES;
    if (add_page(search, answer->response, &error) < 0 ||
        find_next(search, answer, &next, &error) < 0) {
        operation_fail(&search->operation, &error);
        return;
    }
    if (next)
        send_page(search, next);
    else
        finish_pages(search, answer->response);
}

/* "sha256:abc" becomes "sha256-abc". */
static char *fallback_tag(const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];
    char *tag = memory_copy_text(digest_format(digest, text));
    char *colon = strchr(tag, ':');

    if (colon)
        *colon = '-';
    /* A tag has at most 128 characters: the digits of a sha512 are cut to 64. */
    if (colon && strlen(colon + 1) > 64)
        colon[65] = '\0';
    return tag;
}

uint64_t registry_fetch_referrers(struct registry *registry, const char *repository,
                                  const struct digest *digest, registry_done_f *done,
                                  void *argument)
{
    AUTO_FREE char *path = NULL;
    struct referrers_operation *search =
        operation_new(registry, sizeof(*search), done, argument,
                      operation_name("referrers of", repository, digest));

    search->operation.release = release;
    if (path_of_digest(repository, "referrers", digest, &path, &search->operation.error) < 0)
        return operation_refuse(&search->operation);
    search->repository = memory_copy_text(repository);
    search->scope = scope_of_repository(repository, "pull");
    search->fallback = fallback_tag(digest);
    if (registry->abilities.referrers_api == ANSWER_NO)
        send_fallback(search);
    else
        send_page(search, path);
    return search->operation.id;
}
