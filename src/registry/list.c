/* Lists of tags and repositories, page by page. Links are followed on the registry's own origin
 * only, never twice to the same place, and not for ever. */
#include "regwarden/map.h"
#include "regwarden/memory.h"

#include "names.h"

#define PAGE_SIZE "n=1000"

struct list_operation {
    struct operation operation; /* first */
    const struct names_kind *kind;
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

/* The next page's address on the registry, NULL at the end. */
static int find_next(struct list_operation *list, const struct exchange_answer *answer, char **ret,
                     struct error *err)
{
    const struct registry *registry = list->operation.registry;
    AUTO_FREE char *next = NULL;
    int rc = names_find_next(registry, answer, &next, err);

    *ret = NULL;
    if (rc < 0 || !next)
        return rc;
    if (map_get(list->seen, next))
        return error_set(err, FAILURE_INPUT, "the pages lead in a circle");
    if (++list->pages >= registry->tuning.max_pages)
        return error_set(err, FAILURE_LIMIT, "there are more than %u pages",
                         registry->tuning.max_pages);
    *ret = TAKE(next);
    return 0;
}

static void on_page(void *argument, const struct exchange_answer *answer);

static void send_page(struct list_operation *list, const char *target)
{
    struct exchange_request request = {.method = "GET",
                                       .target = target,
                                       .scope = list->scope,
                                       .accept = "application/json",
                                       .max_body_bytes = NAMES_BYTES_MAX};

    (void)map_set(list->seen, target, list);
    operation_send(&list->operation, &request, on_page);
}

static void tell_page(struct list_operation *list, const struct exchange_answer *answer)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *next = NULL;
    struct registry_answer told = {.media_type = "", .names = &names};
    struct error error = {0};

    if (names_read(list->kind, answer->response, &names, &error) < 0 ||
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
    list->operation.exchange = NULL;
    if (refuses_size(list, answer)) {
        list->sized = false;
        send_page(list, list->first);
        return;
    }
    if (is_catalog(list))
        names_note_catalog(list->operation.registry, answer);
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
    list->kind = &names_of_tags;
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
    list->kind = &names_of_repositories;
    list->first = memory_copy_text("/v2/_catalog");
    list->scope = memory_copy_text(SCOPE_CATALOG);
    return start(list);
}
