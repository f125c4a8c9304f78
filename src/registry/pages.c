/* Lists of the distribution API, a page per call. What is needed for the next page is in the
 * cursor, so that nothing is kept between two calls. A registry that sends all names at once is
 * asked anew for each page of ours: the names are sorted, and told in slices. */
#include <stdlib.h>

#include "regwarden/memory.h"

#include "cursor.h"
#include "names.h"
#include "profile.h"

enum { SLICE_NAMES = 5000 };

struct list_page {
    struct page_operation page; /* first */
    const struct names_kind *kind;
    char *first; /* address of the first page, without a page size */
    char *scope;
    char *text; /* of the cursor, which borrows from it */
    struct cursor cursor;
    bool sized; /* a page size was asked for */
};

static void release(struct operation *operation)
{
    struct list_page *list = (struct list_page *)operation;

    free(list->first);
    free(list->scope);
    free(list->text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of all names in order, those behind the cursor, as many as are told at once. */
static struct text_list slice(const struct list_page *list, struct text_list *names,
                              char **ret_next)
{
    struct text_list part = {0};
    size_t first = 0;

    if (names->count == 0)
        return part;
    qsort(names->items, names->count, sizeof(*names->items), compare);
    while (list->cursor.after && first < names->count &&
           strcmp(names->items[first], list->cursor.after) <= 0)
        first++;
    part.items = names->items + first;
    part.count = names->count - first;
    if (part.count > SLICE_NAMES) {
        part.count = SLICE_NAMES;
        *ret_next = cursor_behind(part.items[part.count - 1]);
    }
    return part;
}

static void tell(struct list_page *list, const struct text_list *names, const char *cursor)
{
    struct registry_page page = {.cursor = cursor};
    AUTO_FREE struct registry_row *rows = NULL;

    if (list->kind == &names_of_repositories) {
        page.repositories = names;
        page_finish(&list->page, &page);
        return;
    }
    rows = memory_new_array(names->count + 1, sizeof(*rows));
    for (size_t i = 0; i < names->count; i++)
        rows[i].tag = names->items[i];
    page.rows = rows;
    page.row_count = names->count;
    page_finish(&list->page, &page);
}

static int read_page(const struct list_page *list, const struct exchange_answer *answer,
                     struct text_list *names, char **ret_next, struct error *err)
{
    const struct registry *registry = list->page.operation.registry;
    AUTO_FREE char *target = NULL;
    int rc = names_read(list->kind, answer->response, names, err);

    if (rc == 0)
        rc = names_find_next(registry, answer, &target, err);
    if (rc == 0 && target)
        rc = cursor_to_target(&list->cursor, target, registry->tuning.max_pages, ret_next, err);
    return rc;
}

static void tell_answer(struct list_page *list, const struct exchange_answer *answer)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *next = NULL;
    struct error error = {0};
    struct text_list part;

    if (read_page(list, answer, &names, &next, &error) < 0) {
        operation_fail(&list->page.operation, &error);
        return;
    }
    part = names;
    if (!next && !list->cursor.target)
        part = slice(list, &names, &next);
    tell(list, &part, next);
}

static void fail(struct list_page *list, const struct exchange_answer *answer)
{
    int status = exchange_status(answer);
    struct error error = *answer->error;

    /* What the cursor names was deleted meanwhile, say some registries so. */
    if (list->cursor.target && (status == 400 || status == 404))
        (void)error_set(&error, FAILURE_ABSENT,
                        "the registry does not know this place of the list any more");
    operation_fail(&list->page.operation, &error);
}

static void send(struct list_page *list);

static void on_page(void *argument, const struct exchange_answer *answer)
{
    struct list_page *list = argument;

    list->page.operation.exchange = NULL;
    /* Some registries refuse a page size that is above their own bound. */
    if (list->sized && exchange_status(answer) == 400) {
        list->sized = false;
        send(list);
        return;
    }
    if (list->kind == &names_of_repositories)
        names_note_catalog(list->page.operation.registry, answer);
    if (answer->error)
        fail(list, answer);
    else
        tell_answer(list, answer);
}

static void send(struct list_page *list)
{
    unsigned size = list->page.operation.registry->profile->page_size;
    AUTO_FREE char *first =
        list->sized ? text_new("%s?n=%u", list->first, size) : memory_copy_text(list->first);
    struct exchange_request request = {.method = "GET",
                                       .target = list->cursor.target ? list->cursor.target : first,
                                       .scope = list->scope,
                                       .accept = "application/json",
                                       .max_body_bytes = NAMES_BYTES_MAX};

    operation_send(&list->page.operation, &request, on_page);
}

static uint64_t begin(struct list_page *list, const char *cursor)
{
    struct operation *operation = &list->page.operation;

    list->text = memory_copy_text(cursor);
    if (cursor_read(list->text, &list->cursor, &operation->error) < 0)
        return operation_refuse(operation);
    list->sized = !list->cursor.target && operation->registry->profile->page_size > 0;
    send(list);
    return operation->id;
}

uint64_t oci_page_of_repositories(struct registry *registry, const char *cursor,
                                  registry_page_f *done, void *argument)
{
    struct list_page *list = page_operation_new(registry, sizeof(*list), done, argument,
                                                memory_copy_text("list of repositories"));

    list->page.operation.release = release;
    list->kind = &names_of_repositories;
    list->first = memory_copy_text("/v2/_catalog");
    list->scope = memory_copy_text(SCOPE_CATALOG);
    return begin(list, cursor);
}

uint64_t oci_page_of_images(struct registry *registry, const char *repository, const char *cursor,
                            registry_page_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    struct list_page *list =
        page_operation_new(registry, sizeof(*list), done, argument, text_new("tags of %s", name));

    list->page.operation.release = release;
    list->kind = &names_of_tags;
    if (path_of_repository(repository, "tags/list", &list->first, &list->page.operation.error) < 0)
        return operation_refuse(&list->page.operation);
    list->scope = scope_of_repository(repository, "pull");
    return begin(list, cursor);
}
