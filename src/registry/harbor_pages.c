/* Walking through Harbor's repositories and artifacts.
 *
 * Harbor's pages are counted from the start of the list. It is walked from the last page to the
 * first, in the order in which things were made: what is deleted meanwhile then moves the rest to
 * pages that are still to be read, so that something may be seen twice but nothing is missed; what
 * is new comes behind where the walk began, and is told of by its own event. (The catalogue of the
 * distribution API goes on from a name, and fails when that repository is deleted.)
 *
 * Harbor repeats the config of each image in its lists: whoever may push decides how large a page
 * is. One that is too large is asked for in smaller ones, and the rest of the list, too. */
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "harbor_api.h"

enum { PAGES_MAX = 1000000, SHRINK = 10 };

struct walk {
    struct page_operation page; /* first */
    char *address;              /* without the size and number of the page */
    unsigned size;              /* of pages: HARBOR_PAGE_SIZE, or a part of it */
    bool counting;              /* the first page is asked for the length of the list */
    uint64_t number;            /* of the page that is asked for */
    bool images;
    struct harbor_rows rows;
    struct text_list names; /* repositories */
};

static void release(struct operation *operation)
{
    struct walk *walk = (struct walk *)operation;

    harbor_rows_release(&walk->rows);
    text_list_release(&walk->names);
    free(walk->address);
}

static int read_repositories(struct walk *walk, const struct http_response *response,
                             struct error *err)
{
    AUTO_JSON struct json *document = NULL;
    int rc = harbor_read(response, JSON_KIND_ARRAY, &document, err);

    for (size_t i = 0; rc == 0 && i < json_count(document); i++) {
        const char *name = json_get_string(json_at(document, i), "name");

        if (name && repository_is_valid(name))
            text_list_add(&walk->names, name);
    }
    return rc;
}

static int read_page(struct walk *walk, const struct http_response *response, struct error *err)
{
    if (walk->images)
        return harbor_rows_read(response, &walk->rows, err);
    return read_repositories(walk, response, err);
}

static void tell(struct walk *walk)
{
    AUTO_FREE char *cursor = NULL;
    struct registry_page page = {0};

    if (walk->number > 1 && walk->size < HARBOR_PAGE_SIZE)
        cursor = text_new("%llu:%u", (unsigned long long)(walk->number - 1), walk->size);
    else if (walk->number > 1)
        cursor = text_new("%llu", (unsigned long long)(walk->number - 1));
    page.rows = walk->rows.items;
    page.row_count = walk->rows.count;
    page.repositories = walk->images ? NULL : &walk->names;
    page.cursor = cursor;
    page_finish(&walk->page, &page);
}

static void send_page(struct walk *walk, uint64_t number);

/* Where does the walk begin? */
static int find_last(struct walk *walk, const struct http_response *response, uint64_t *ret,
                     struct error *err)
{
    uint64_t total = 0;
    int rc = harbor_read_total(response, &total, err);

    if (rc < 0)
        return rc;
    *ret = total > walk->size ? (total - 1) / walk->size + 1 : 1;
    if (*ret > PAGES_MAX)
        return error_set(err, FAILURE_LIMIT, "there are more than %d pages", PAGES_MAX);
    walk->counting = false;
    return 0;
}

/* The same part of the list, from its end. True when it is asked for. */
static bool shrinks(struct walk *walk, const struct error *error)
{
    if (error->kind != FAILURE_LIMIT || walk->size < SHRINK)
        return false;
    walk->size /= SHRINK;
    send_page(walk, walk->counting ? 1 : walk->number * SHRINK);
    return true;
}

static void on_page(void *argument, const struct exchange_answer *answer)
{
    struct walk *walk = argument;
    struct operation *operation = &walk->page.operation;
    uint64_t last = walk->number;
    struct error error = {0};

    operation->exchange = NULL;
    if (answer->error) {
        if (!shrinks(walk, answer->error))
            operation_fail(operation, answer->error);
        return;
    }
    if ((walk->counting && find_last(walk, answer->response, &last, &error) < 0) ||
        (last == walk->number && read_page(walk, answer->response, &error) < 0)) {
        if (!shrinks(walk, &error))
            operation_fail(operation, &error);
        return;
    }
    if (last == walk->number)
        tell(walk);
    else
        send_page(walk, last);
}

static void send_page(struct walk *walk, uint64_t number)
{
    AUTO_FREE char *path =
        text_new("%spage_size=%u&page=%llu", walk->address, walk->size, (unsigned long long)number);
    struct harbor_request request = {.method = "GET", .path = path};

    walk->number = number;
    harbor_send(&walk->page.operation, &request, on_page);
}

static int read_cursor(struct walk *walk, const char *cursor, struct error *err)
{
    AUTO_FREE char *number = cursor ? memory_copy_bytes(cursor, strcspn(cursor, ":")) : NULL;
    uint64_t size = HARBOR_PAGE_SIZE;

    walk->number = 1;
    walk->size = HARBOR_PAGE_SIZE;
    walk->counting = !cursor || !*cursor;
    if (walk->counting)
        return 0;
    if (text_parse_uint(number, (uint64_t)PAGES_MAX * HARBOR_PAGE_SIZE, &walk->number, NULL) < 0 ||
        walk->number == 0 ||
        (cursor[strlen(number)] == ':' &&
         (text_parse_uint(cursor + strlen(number) + 1, HARBOR_PAGE_SIZE, &size, NULL) < 0 ||
          size == 0)))
        return error_set(err, FAILURE_ABSENT, "the list cannot be gone on with: start over");
    walk->size = (unsigned)size;
    return 0;
}

static uint64_t start(struct walk *walk, const char *cursor)
{
    struct operation *operation = &walk->page.operation;

    if (harbor_check_account(operation->registry, &operation->error) < 0 ||
        read_cursor(walk, cursor, &operation->error) < 0)
        return operation_refuse(operation);
    send_page(walk, walk->number);
    return operation->id;
}

uint64_t harbor_page_of_repositories(struct registry *registry, const char *cursor,
                                     registry_page_f *done, void *argument)
{
    struct walk *walk = page_operation_new(registry, sizeof(*walk), done, argument,
                                           memory_copy_text("list of repositories"));

    walk->page.operation.release = release;
    walk->address = memory_copy_text("/api/v2.0/repositories?sort=repository_id&");
    return start(walk, cursor);
}

uint64_t harbor_page_of_images(struct registry *registry, const char *repository,
                               const char *cursor, registry_page_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    struct walk *walk =
        page_operation_new(registry, sizeof(*walk), done, argument, text_new("images of %s", name));

    walk->page.operation.release = release;
    walk->images = true;
    if (harbor_path(repository, "?sort=id&with_tag=true&with_label=true&", &walk->address,
                    &walk->page.operation.error) < 0)
        return operation_refuse(&walk->page.operation);
    return start(walk, cursor);
}
