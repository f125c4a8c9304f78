/* Lists of tags and repositories, page by page. Links are followed on the registry's own origin
 * only, never twice to the same place, and not for ever. */
#include "regwarden/json.h"
#include "regwarden/map.h"
#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "errors.h"
#include "internal.h"
#include "link.h"
#include "location.h"

enum { PAGE_BYTES_MAX = 8 * 1024 * 1024 };
#define PAGE_SIZE "n=1000"

/* Old registries send all tags at once, whatever is asked. */
static const struct json_limits page_limits = {
    .max_bytes = PAGE_BYTES_MAX, .max_depth = 8, .max_values = 300000};

struct list_operation {
    struct operation operation; /* first */
    const char *key;            /* of the names in the page's JSON */
    bool (*is_name)(const char *name);
    char *first; /* address of the first page, without a page size */
    char *scope;
    struct map *seen;
    unsigned pages;
    bool sized; /* a page size was asked for */
};

static void release(struct operation *operation)
{
    struct list_operation *list = (struct list_operation *)operation;

    free(list->first);
    free(list->scope);
    map_free(list->seen);
}

/* Names that are against the grammar are left out: nothing could be asked about them. */
static int read_names(const struct list_operation *list, const struct http_response *response,
                      struct text_list *ret, struct error *err)
{
    AUTO_JSON struct json *page = NULL;
    const struct json *names;
    int rc = json_parse(response->body, response->body_size, &page_limits, &page, err);

    if (rc < 0)
        return error_wrap(err, "the list cannot be read");
    names = json_get(page, list->key);
    if (!json_is(page, JSON_KIND_OBJECT) ||
        (names && !json_is(names, JSON_KIND_ARRAY) && !json_is(names, JSON_KIND_NULL)))
        return error_set(err, FAILURE_INPUT, "the list is not one: there is no \"%s\" in it",
                         list->key);
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_string(json_at(names, i));

        if (name && list->is_name(name))
            text_list_add(ret, name);
    }
    return 0;
}

static int find_link(const struct http_response *response, char **ret, struct error *err)
{
    *ret = NULL;
    for (size_t i = 0; i < response->headers.count && !*ret; i++) {
        const struct text_pair *header = &response->headers.items[i];

        if (text_equal(header->key, "link") && link_find_next(header->value, ret, err) < 0)
            return err->kind;
    }
    return 0;
}

/* The next page's address on the registry, NULL at the end. */
static int find_next(struct list_operation *list, const struct exchange_answer *answer, char **ret,
                     struct error *err)
{
    const struct registry *registry = list->operation.registry;
    AUTO_FREE char *target = NULL;
    struct url url = {0};
    int rc = find_link(answer->response, &target, err);

    *ret = NULL;
    if (rc < 0 || !target)
        return rc;
    rc = location_resolve(answer->url, target, &url, err);
    if (rc < 0)
        return error_wrap(err, "the link to the next page");
    if (!url_same_origin(&registry->url, &url))
        rc = error_set(err, FAILURE_INPUT, "the next page is said to be on another host, %s",
                       url.host_port);
    else if (map_get(list->seen, url.path))
        rc = error_set(err, FAILURE_INPUT, "the pages lead in a circle");
    else if (++list->pages >= registry->tuning.max_pages)
        rc = error_set(err, FAILURE_LIMIT, "there are more than %u pages",
                       registry->tuning.max_pages);
    else
        *ret = memory_copy_text(url.path);
    url_release(&url);
    return rc;
}

static void on_page(void *argument, const struct exchange_answer *answer);

static void send_page(struct list_operation *list, const char *target)
{
    struct exchange_request request = {.method = "GET",
                                       .target = target,
                                       .scope = list->scope,
                                       .accept = "application/json",
                                       .max_body_bytes = PAGE_BYTES_MAX};

    (void)map_set(list->seen, target, list);
    operation_send(&list->operation, &request, on_page);
}

static void tell_page(struct list_operation *list, const struct exchange_answer *answer)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *next = NULL;
    struct registry_answer told = {.media_type = "", .names = &names};
    struct error error = {0};

    if (read_names(list, answer->response, &names, &error) < 0 ||
        find_next(list, answer, &next, &error) < 0) {
        operation_fail(&list->operation, &error);
        return;
    }
    if (!next) {
        operation_finish(&list->operation, &told);
        return;
    }
    told.more = true;
    if (operation_tell(&list->operation, &told))
        send_page(list, next);
}

/* Some registries refuse a page size that is above their own bound. */
static bool refuses_size(const struct list_operation *list, const struct exchange_answer *answer)
{
    return list->sized && list->pages == 0 && exchange_status(answer) == 400;
}

static bool is_catalog(const struct list_operation *list)
{
    return text_equal(list->scope, SCOPE_CATALOG);
}

static void on_page(void *argument, const struct exchange_answer *answer)
{
    struct list_operation *list = argument;
    struct registry_abilities *abilities = &list->operation.registry->abilities;
    int status = exchange_status(answer);

    list->operation.exchange = NULL;
    if (refuses_size(list, answer)) {
        list->sized = false;
        send_page(list, list->first);
        return;
    }
    if (is_catalog(list) && !answer->error)
        abilities->catalog = ANSWER_YES;
    if (is_catalog(list) && (status == 404 || status == 405 || status == 501))
        abilities->catalog = ANSWER_NO;
    if (answer->error)
        operation_fail(&list->operation, answer->error);
    else
        tell_page(list, answer);
}

static uint64_t start(struct list_operation *list)
{
    AUTO_FREE char *target = text_new("%s?%s", list->first, PAGE_SIZE);

    list->seen = map_new();
    list->sized = true;
    send_page(list, target);
    return list->operation.id;
}

uint64_t registry_list_tags(struct registry *registry, const char *repository,
                            registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    struct list_operation *list =
        operation_new(registry, sizeof(*list), done, argument, text_new("tags of %s", name));

    list->operation.release = release;
    list->key = "tags";
    list->is_name = tag_is_valid;
    if (path_of_repository(repository, "tags/list", &list->first, &list->operation.error) < 0)
        return operation_refuse(&list->operation);
    list->scope = scope_of_repository(repository, "pull");
    return start(list);
}

uint64_t registry_list_repositories(struct registry *registry, registry_done_f *done,
                                    void *argument)
{
    struct list_operation *list = operation_new(registry, sizeof(*list), done, argument,
                                                memory_copy_text("list of repositories"));

    list->operation.release = release;
    list->key = "repositories";
    list->is_name = repository_is_valid;
    list->first = memory_copy_text("/v2/_catalog");
    list->scope = memory_copy_text(SCOPE_CATALOG);
    return start(list);
}
