/* Walking through Amazon ECR, a page per call. The cursor is AWS's own where it fits through the
 * door; a longer one stays here and goes out as a short name of it, which is forgotten when the
 * program ends. */
#include "regwarden/crypto.h"

#include "ecr.h"
#include "ecr_read.h"

enum {
    CURSOR_DOOR_MAX = 1024,
    RESULTS = 500,
    RESULTS_SMALL = 20, /* when so many do not fit, for images with hundreds of tags */
    NAME_BYTES = 12,
};
#define PAGE_BYTES_MAX (UINT64_C(4) * 1024 * 1024)
#define NAME_MARK '@'

struct ecr_page {
    struct ecr_operation base; /* first */
    registry_page_f *done;
    void *argument;
    char *cursor;              /* as AWS knows it, or NULL */
    struct registry_page page; /* to be told */
    bool small;
};

/* --- cursors --- */

/* Returns new. */
static char *name_of(const char *cursor)
{
    uint8_t hash[HASH_SIZE_MAX];
    char hex[2 * NAME_BYTES + 1];

    crypto_hash(HASH_SHA256, cursor, strlen(cursor), hash);
    crypto_hex(hash, NAME_BYTES, hex);
    return text_new("%c%s", NAME_MARK, hex);
}

/* As it goes through the door. Takes `cursor`. Returns new. */
static char *pass_out(struct ecr *ecr, char *cursor)
{
    char **place;

    if (strlen(cursor) <= CURSOR_DOOR_MAX && *cursor != NAME_MARK)
        return cursor;
    ecr->last_cursor = (ecr->last_cursor + 1) % ECR_LONG_CURSORS;
    place = &ecr->long_cursors[ecr->last_cursor];
    free(*place);
    *place = cursor;
    return name_of(cursor);
}

static int pass_in(const struct ecr *ecr, const char *told, char **ret, struct error *err)
{
    *ret = NULL;
    if (!told || *told == '\0')
        return 0;
    if (*told != NAME_MARK) {
        *ret = memory_copy_text(told);
        return 0;
    }
    for (size_t i = 0; i < ECR_LONG_CURSORS; i++) {
        AUTO_FREE char *name = ecr->long_cursors[i] ? name_of(ecr->long_cursors[i]) : NULL;

        if (text_equal(name, told)) {
            *ret = memory_copy_text(ecr->long_cursors[i]);
            return 0;
        }
    }
    return error_set(err, FAILURE_ABSENT, "the place to go on from is not known any more");
}

/* --- pages --- */

static void release(struct ecr_operation *operation)
{
    free(((struct ecr_page *)operation)->cursor);
}

/* The operation's own callback hands over the page. */
static void tell(void *argument, const struct registry_answer *answer)
{
    struct ecr_page *operation = argument;
    struct registry_page page = {.error = answer->error};

    if (!answer->error)
        page = operation->page;
    operation->done(operation->argument, &page);
}

static void ask(struct ecr_page *operation);

/* Is it the cursor that is not taken? Nothing else in the question can be wrong. */
static bool is_stale(const struct ecr_page *operation, const struct ecr_answer *answer)
{
    return operation->cursor && (text_equal(answer->error_type, "InvalidParameterException") ||
                                 text_equal(answer->error_type, "ValidationException"));
}

/* True when it is asked for again, in part. */
static bool shrinks(struct ecr_page *operation, const struct error *error)
{
    if (error->kind != FAILURE_LIMIT || operation->small)
        return false;
    operation->small = true;
    ask(operation);
    return true;
}

static void on_failure(struct ecr_page *operation, const struct ecr_answer *answer)
{
    struct error error = *answer->error;

    if (shrinks(operation, &error))
        return;
    if (is_stale(operation, answer))
        error.kind = FAILURE_ABSENT;
    ecr_operation_fail_read(&operation->base, &error);
}

static int read_page(struct ecr_page *operation, const struct json *body, struct ecr_rows *rows,
                     struct text_list *names, struct error *err)
{
    if (!operation->base.repository)
        return ecr_read_repositories(body, names, err);
    return ecr_read_rows(body, rows, err);
}

static void on_page(void *argument, const struct ecr_answer *answer)
{
    struct ecr_page *operation = argument;
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *cursor = NULL;
    struct ecr_rows rows = {0};
    struct registry_answer told = {.media_type = ""};
    struct error error = {0};

    operation->base.call = NULL;
    if (answer->error) {
        on_failure(operation, answer);
        return;
    }
    if (read_page(operation, answer->body, &rows, &names, &error) < 0 ||
        ecr_read_cursor(answer->body, &cursor, &error) < 0) {
        ecr_rows_release(&rows);
        if (!shrinks(operation, &error))
            ecr_operation_fail_read(&operation->base, &error);
        return;
    }
    if (cursor)
        cursor = pass_out(operation->base.ecr, TAKE(cursor));
    operation->page =
        (struct registry_page){.rows = rows.items,
                               .row_count = rows.count,
                               .repositories = operation->base.repository ? NULL : &names,
                               .cursor = cursor};
    operation_finish(&operation->base.operation, &told);
    ecr_rows_release(&rows);
}

static void ask(struct ecr_page *operation)
{
    bool of_images = operation->base.repository != NULL;
    struct ecr_step step = {.operation = of_images ? "DescribeImages" : "DescribeRepositories",
                            .input = ecr_input(&operation->base),
                            .max_body_bytes = PAGE_BYTES_MAX};

    json_set_integer(step.input, "maxResults", operation->small ? RESULTS_SMALL : RESULTS);
    json_set_string(step.input, "nextToken", operation->cursor);
    if (of_images) {
        struct json *filter = json_new_object();

        json_set_string(filter, "imageStatus", "ACTIVE");
        json_set_take(step.input, "filter", filter);
    }
    ecr_operation_send(&operation->base, &step, on_page);
}

struct page_order {
    const char *cursor;
    registry_page_f *done;
    void *argument;
};

static uint64_t start(struct registry *registry, struct ecr_order *names,
                      const struct page_order *order)
{
    struct ecr_page *operation;
    struct operation *common;

    names->done = tell;
    operation = ecr_operation_new(registry, sizeof(*operation), names);
    common = &operation->base.operation;
    common->argument = operation;
    operation->base.release = release;
    operation->done = order->done;
    operation->argument = order->argument;
    if (common->error.kind != FAILURE_NONE ||
        pass_in(registry->ecr, order->cursor, &operation->cursor, &common->error) < 0)
        return operation_refuse(common);
    ask(operation);
    return common->id;
}

uint64_t ecr_page_of_repositories(struct registry *registry, const char *cursor,
                                  registry_page_f *done, void *argument)
{
    struct page_order order = {.cursor = cursor, .done = done, .argument = argument};
    struct ecr_order names = {.what = memory_copy_text("page of repositories")};

    return start(registry, &names, &order);
}

uint64_t ecr_page_of_images(struct registry *registry, const char *repository, const char *cursor,
                            registry_page_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    struct page_order order = {.cursor = cursor, .done = done, .argument = argument};
    struct ecr_order names = {.repository = repository ? repository : "",
                              .what = text_new("page of images of %s", name)};

    return start(registry, &names, &order);
}
