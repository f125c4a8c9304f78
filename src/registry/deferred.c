/* Finding out what kind of registry it is: the questions of the table, one after the other, and
 * then the call that had to wait for the answer. Several that wait ask each on its own; whoever
 * finds out first spares the others the rest. */
#include "regwarden/memory.h"

#include "profile.h"

enum { QUESTION_BYTES_MAX = 64 * 1024, UNDECIDED_MAX = 3 };

struct deferred {
    struct page_operation page; /* first; of calls without pages only its operation is used */
    struct deferred_call call;
    char *repository, *text, *description;
    deferred_start_f *start;
    deferred_page_f *start_page;
    size_t asked;   /* place in the table */
    bool denied;    /* by one of the answers: it might have told more to somebody else */
    uint64_t inner; /* the call itself, once it was made */
};

static void release(struct operation *operation)
{
    struct deferred *deferred = (struct deferred *)operation;

    if (deferred->inner)
        registry_cancel(operation->registry, deferred->inner);
    free(deferred->repository);
    free(deferred->text);
    free(deferred->description);
}

static void relay(void *argument, const struct registry_answer *answer)
{
    struct deferred *deferred = argument;

    deferred->inner = 0;
    operation_finish(&deferred->page.operation, answer);
}

static void relay_page(void *argument, const struct registry_page *page)
{
    struct deferred *deferred = argument;

    deferred->inner = 0;
    page_finish(&deferred->page, page);
}

static void start_call(struct deferred *deferred)
{
    struct registry *registry = deferred->page.operation.registry;

    if (deferred->start_page)
        deferred->inner = deferred->start_page(registry, &deferred->call, relay_page, deferred);
    else
        deferred->inner = deferred->start(registry, &deferred->call, relay, deferred);
}

static void fail(struct deferred *deferred, const struct error *error, bool answered)
{
    struct error told = *error;

    /* A registry that is not reached answers no other question either. */
    if (answered)
        (void)error_hint(&told, "the setting \"type\" of the registry spares the question");
    operation_fail(&deferred->page.operation, &told);
}

static void ask_next(struct deferred *deferred);

static void on_answer(void *argument, const struct exchange_answer *answer)
{
    struct deferred *deferred = argument;
    struct registry *registry = deferred->page.operation.registry;
    const struct registry_profile *profile = profiles[deferred->asked];

    deferred->page.operation.exchange = NULL;
    if (answer->response && !registry->profile && profile->confirms(answer->response))
        profiles_settle(registry, profile);
    if (!answer->response || exchange_status(answer) >= 500 || exchange_status(answer) == 429) {
        fail(deferred, answer->error, answer->response != NULL);
        return;
    }
    deferred->denied |= exchange_status(answer) == 401 || exchange_status(answer) == 403;
    deferred->asked++;
    ask_next(deferred);
}

/* Nobody said yes. What was refused may be told another time, but is not asked for ever: until then
 * it is any registry, for this call alone. */
static void start_undecided(struct deferred *deferred)
{
    struct registry *registry = deferred->page.operation.registry;

    if (!deferred->denied || ++registry->undecided >= UNDECIDED_MAX) {
        profiles_settle(registry, &profile_oci);
        start_call(deferred);
        return;
    }
    registry->profile = &profile_oci;
    start_call(deferred);
    registry->profile = NULL;
}

static void ask_next(struct deferred *deferred)
{
    struct operation *operation = &deferred->page.operation;
    struct exchange_request request = {.method = "GET", .max_body_bytes = QUESTION_BYTES_MAX};

    while (profiles[deferred->asked] && !profiles[deferred->asked]->question)
        deferred->asked++;
    if (operation->registry->profile) {
        start_call(deferred);
    } else if (!profiles[deferred->asked]) {
        start_undecided(deferred);
    } else {
        request.target = profiles[deferred->asked]->question;
        operation_send(operation, &request, on_answer);
    }
}

static uint64_t begin(struct deferred *deferred, const struct deferred_call *call)
{
    deferred->page.operation.release = release;
    deferred->call = *call;
    deferred->call.repository = deferred->repository = memory_copy_text(call->repository);
    deferred->call.text = deferred->text = memory_copy_text(call->text);
    deferred->call.description = deferred->description = memory_copy_text(call->description);
    ask_next(deferred);
    return deferred->page.operation.id;
}

#define WHAT "finding out what kind of registry it is"

uint64_t deferred_start(struct registry *registry, const struct deferred_call *call,
                        deferred_start_f *start, registry_done_f *done, void *argument)
{
    struct deferred *deferred =
        operation_new(registry, sizeof(*deferred), done, argument, memory_copy_text(WHAT));

    deferred->start = start;
    return begin(deferred, call);
}

uint64_t deferred_start_page(struct registry *registry, const struct deferred_call *call,
                             deferred_page_f *start, registry_page_f *done, void *argument)
{
    struct deferred *deferred =
        page_operation_new(registry, sizeof(*deferred), done, argument, memory_copy_text(WHAT));

    deferred->start_page = start;
    return begin(deferred, call);
}
