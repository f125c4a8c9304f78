/* Dead letters: what could not be understood, judged or delivered, until somebody looks at it. */
#include "events.h"
#include "operation.h"
#include "placements.h"
#include "regwarden/json.h"
#include "regwarden/memory.h"

enum { BODY_MAX_BYTES = 64 * 1024 };

struct add_letter {
    struct operation base;
    struct done done;
    struct dead_letter letter; /* strings are ours */
    char *kind, *registry, *dialect, *reason, *body, *headers;
    size_t kept_bytes;
};

/* The event is given up, but what it named is there: the placement is known and not judged. */
static int give_up_event(struct driver *driver, const struct dead_letter *letter, struct error *err)
{
    struct event event;
    int failure = events_find(driver, letter->event_id, &event, err);

    if (failure < 0)
        return failure;
    if (event.id != 0 && event.action == EVENT_PUSH)
        failure = placement_make_known(driver, &event, err);
    event_release(&event);
    return failure < 0 ? failure : events_finish(driver, &letter->event_id, 1, err);
}

static int add_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "INSERT INTO dead_letters (at_ms, kind, registry, dialect, reason, body, body_bytes,"
        " headers) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    struct add_letter *add = (struct add_letter *)operation;
    const struct dead_letter *letter = &add->letter;
    int failure =
        driver_run(session->driver, sql,
                   BINDS(bind_integer(letter->at_ms), bind_text(add->kind),
                         bind_text(add->registry), bind_text(add->dialect), bind_text(add->reason),
                         bind_bytes(add->body, add->kept_bytes),
                         bind_integer((int64_t)letter->body_size), bind_text(add->headers)),
                   err);

    if (failure == 0 && letter->event_id > 0)
        failure = give_up_event(session->driver, letter, err);
    return failure;
}

static void add_finish(struct operation *operation)
{
    struct add_letter *add = (struct add_letter *)operation;

    done_call(add->done, operation);
    free(add->kind);
    free(add->registry);
    free(add->dialect);
    free(add->reason);
    free(add->body);
    free(add->headers);
    operation_free(operation);
}

static const struct operation_type add_type = {
    .doing = "keep a dead letter",
    .lane = LANE_WRITE,
    .run = add_run,
    .finish = add_finish,
};

/* Returns new, NULL when there is nothing to keep. */
static char *headers_text(const struct text_pairs *headers)
{
    AUTO_TEXT struct text text = {0};
    AUTO_JSON struct json *object = NULL;

    if (!headers || headers->count == 0)
        return NULL;
    object = json_from_pairs(headers);
    json_write(object, JSON_COMPACT, &text);
    return text_take(&text);
}

void store_add_dead_letter(struct store *store, const struct dead_letter *letter,
                           store_done_f *done, void *argument)
{
    struct add_letter *add = memory_new(sizeof(*add));

    add->base.type = &add_type;
    add->done = (struct done){done, argument};
    add->letter = *letter;
    add->kind = memory_copy_text(letter->kind);
    add->registry = memory_copy_text(letter->registry);
    add->dialect = memory_copy_text(letter->dialect);
    add->reason = memory_copy_text(letter->reason ? letter->reason : "");
    if (letter->body)
        add->kept_bytes = letter->body_size < BODY_MAX_BYTES ? letter->body_size : BODY_MAX_BYTES;
    add->body = memory_copy_bytes(letter->body ? letter->body : "", add->kept_bytes);
    add->headers = headers_text(letter->headers);
    store_submit(store, &add->base);
}

struct remove_letter {
    struct operation base;
    struct done done;
    int64_t id;
};

static int remove_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] = "DELETE FROM dead_letters WHERE id = $1";
    int64_t id = ((struct remove_letter *)operation)->id;
    int64_t removed = 0;
    int failure = driver_change(session->driver, sql, BINDS(bind_integer(id)), &removed, err);

    if (failure < 0 || removed > 0)
        return failure;
    return error_set(err, FAILURE_ABSENT, "there is no dead letter %lld", (long long)id);
}

static void remove_finish(struct operation *operation)
{
    done_call(((struct remove_letter *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type remove_type = {
    .doing = "remove a dead letter",
    .lane = LANE_WRITE,
    .run = remove_run,
    .finish = remove_finish,
};

void store_remove_dead_letter(struct store *store, int64_t id, store_done_f *done, void *argument)
{
    struct remove_letter *remove_it = memory_new(sizeof(*remove_it));

    *remove_it =
        (struct remove_letter){.base.type = &remove_type, .done = {done, argument}, .id = id};
    store_submit(store, &remove_it->base);
}
