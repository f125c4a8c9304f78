/* The book of running operations: ids, cancelling, and the one last callback of each. */
#include <assert.h>

#include "regwarden/memory.h"

#include "internal.h"

static void operation_free(struct operation *operation)
{
    exchange_cancel(operation->exchange);
    if (operation->release)
        operation->release(operation);
    free(operation->what);
    free(operation);
}

static struct operation *detach(struct operation *operation)
{
    TAILQ_REMOVE(&operation->registry->operations, operation, link);
    return operation;
}

void *operation_new(struct registry *registry, size_t size, registry_done_f *done, void *argument,
                    char *what)
{
    struct operation *operation = memory_new(size);

    operation->registry = registry;
    operation->id = ++registry->last_id;
    operation->done = done;
    operation->argument = argument;
    operation->what = what;
    TAILQ_INSERT_TAIL(&registry->operations, operation, link);
    return operation;
}

char *operation_name(const char *what, const char *repository, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);

    return text_new("%s %s@%s", what, name, digest_format(digest, text));
}

struct operation *operation_find(struct registry *registry, uint64_t id)
{
    struct operation *operation = TAILQ_FIRST(&registry->operations);

    while (operation && operation->id != id)
        operation = TAILQ_NEXT(operation, link);
    return operation;
}

uint64_t operation_refuse(struct operation *operation)
{
    assert(operation->error.kind != FAILURE_NONE);
    operation->refused = true;
    timer_arm(operation->registry->soon, 0);
    return operation->id;
}

void operation_send(struct operation *operation, const struct exchange_request *request,
                    exchange_done_f *done)
{
    assert(!operation->exchange);
    operation->exchange = exchange_start(operation->registry, request, done, operation);
}

static void call(struct registry *registry, const struct operation *operation,
                 const struct registry_answer *answer)
{
    registry->calling++;
    operation->done(operation->argument, answer);
    registry->calling--;
}

bool operation_tell(struct operation *operation, const struct registry_answer *answer)
{
    struct registry *registry = operation->registry;
    uint64_t id = operation->id;

    call(registry, operation, answer);
    return operation_find(registry, id) == operation;
}

void operation_finish(struct operation *operation, const struct registry_answer *answer)
{
    struct registry *registry = operation->registry;

    call(registry, detach(operation), answer);
    operation_free(operation);
}

void operation_fail(struct operation *operation, const struct error *error)
{
    struct error told = *error;
    struct registry_answer answer = {.error = &told, .media_type = ""};

    (void)error_wrap(&told, "registry %s: %s", registry_get_name(operation->registry),
                     operation->what);
    operation_finish(operation, &answer);
}

static void tell_page(void *argument, const struct registry_answer *answer)
{
    struct page_operation *operation = argument;
    struct registry_page failed = {.error = answer->error};

    operation->done(operation->argument, operation->page ? operation->page : &failed);
}

void *page_operation_new(struct registry *registry, size_t size, registry_page_f *done,
                         void *argument, char *what)
{
    struct page_operation *operation = operation_new(registry, size, tell_page, NULL, what);

    operation->operation.argument = operation;
    operation->done = done;
    operation->argument = argument;
    return operation;
}

void page_finish(struct page_operation *operation, const struct registry_page *page)
{
    struct registry_answer answer = {.error = page->error, .media_type = ""};

    operation->page = page;
    operation_finish(&operation->operation, &answer);
}

void registry_cancel(struct registry *registry, uint64_t id)
{
    struct operation *operation = operation_find(registry, id);

    if (operation)
        operation_free(detach(operation));
}
