/* Events: made durable, loaded while they are open, finished. An open event is one whose id stands
 * in open_events: to finish one costs the removal of one small row. */
#include "events.h"

#include "operation.h"
#include "regwarden/memory.h"

#define EVENT_COLUMNS                                                                    \
    "e.id, e.received_ms, e.action, e.cause, e.registry, e.repository, e.tag, e.digest," \
    " e.media_type, e.actor, e.source_id"

static void read_event(const struct row *row, struct event *ret)
{
    *ret = (struct event){
        .id = row_integer(row, 0),
        .received_ms = row_integer(row, 1),
        .action = (enum event_action)row_integer(row, 2),
        .cause = (enum event_cause)row_integer(row, 3),
        .registry = row_copy(row, 4),
        .repository = row_copy(row, 5),
        .tag = row_copy(row, 6),
        .media_type = row_copy(row, 8),
        .actor = row_copy(row, 9),
        .source_id = row_copy(row, 10),
    };
    row_digest(row, 7, &ret->digest);
}

/* --- add --- */

struct add_events {
    struct operation base;
    struct done done;
    struct event *events;
    size_t count;
};

int event_insert(struct driver *driver, struct event *event, struct error *err)
{
    static const char insert[] =
        "INSERT INTO events (received_ms, action, cause, registry, repository, tag, digest,"
        " media_type, actor, source_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    static const char open_it[] = "INSERT INTO open_events (id) VALUES ($1)";
    int64_t id = 0;
    int failure = driver_insert(driver, insert,
                                BINDS(bind_integer(event->received_ms), bind_integer(event->action),
                                      bind_integer(event->cause), bind_text(event->registry),
                                      bind_text(event->repository), bind_text(event->tag),
                                      bind_digest(&event->digest), bind_text(event->media_type),
                                      bind_text(event->actor), bind_text(event->source_id)),
                                &id, err);

    if (failure == 0)
        failure = driver_run(driver, open_it, BINDS(bind_integer(id)), err);
    if (failure == 0)
        event->id = id;
    return failure;
}

static int add_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct add_events *add = (struct add_events *)operation;

    for (size_t i = 0; i < add->count; i++) {
        int failure = event_insert(session->driver, &add->events[i], err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

static void add_finish(struct operation *operation)
{
    done_call(((struct add_events *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type add_type = {
    .doing = "record events",
    .lane = LANE_WRITE,
    .run = add_run,
    .finish = add_finish,
};

void store_add_events(struct store *store, struct event *events, size_t count, store_done_f *done,
                      void *argument)
{
    struct add_events *add = memory_new(sizeof(*add));

    *add = (struct add_events){
        .base.type = &add_type, .done = {done, argument}, .events = events, .count = count};
    store_submit(store, &add->base);
}

/* --- load --- */

struct load_events {
    struct operation base;
    store_events_f *done;
    void *argument;
    int64_t after;
    size_t limit;
    struct event *events;
    size_t count, capacity;
};

static void forget_events(struct load_events *load)
{
    for (size_t i = 0; i < load->count; i++)
        event_release(&load->events[i]);
    load->count = 0;
}

static bool take_event(void *argument, const struct row *row)
{
    struct load_events *load = argument;

    load->events = memory_grow(load->events, load->count, &load->capacity, sizeof(*load->events));
    read_event(row, &load->events[load->count++]);
    return true;
}

static int load_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "SELECT " EVENT_COLUMNS " FROM open_events o JOIN events e ON e.id = o.id"
        " WHERE o.id > $1 ORDER BY o.id LIMIT $2";
    struct load_events *load = (struct load_events *)operation;

    forget_events(load);
    return driver_each(session->driver, sql,
                       BINDS(bind_integer(load->after), bind_integer((int64_t)load->limit)),
                       (struct each){take_event, load}, err);
}

static void load_finish(struct operation *operation)
{
    struct load_events *load = (struct load_events *)operation;

    load->done(load->argument, operation->error, load->events, operation->error ? 0 : load->count);
    forget_events(load);
    free(load->events);
    operation_free(operation);
}

static const struct operation_type load_type = {
    .doing = "read open events",
    .lane = LANE_READ,
    .run = load_run,
    .finish = load_finish,
};

void store_load_events(struct store *store, int64_t after, size_t limit, store_events_f *done,
                       void *argument)
{
    struct load_events *load = memory_new(sizeof(*load));

    load->base.type = &load_type;
    load->done = done;
    load->argument = argument;
    load->after = after;
    load->limit = limit;
    store_submit(store, &load->base);
}

/* --- finish --- */

struct finish_events {
    struct operation base;
    struct done done;
    size_t count;
    int64_t ids[];
};

int events_finish(struct driver *driver, const int64_t *ids, size_t count, struct error *err)
{
    static const char sql[] = "DELETE FROM open_events WHERE id = $1";

    for (size_t i = 0; i < count; i++) {
        int failure = driver_run(driver, sql, BINDS(bind_integer(ids[i])), err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

static int finish_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct finish_events *finish = (struct finish_events *)operation;

    return events_finish(session->driver, finish->ids, finish->count, err);
}

static void finish_finish(struct operation *operation)
{
    done_call(((struct finish_events *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type finish_type = {
    .doing = "finish events",
    .lane = LANE_WRITE,
    .run = finish_run,
    .finish = finish_finish,
};

void store_finish_events(struct store *store, const int64_t *ids, size_t count, store_done_f *done,
                         void *argument)
{
    struct finish_events *finish = memory_new(sizeof(*finish) + count * sizeof(*ids));

    finish->base.type = &finish_type;
    finish->done = (struct done){done, argument};
    finish->count = count;
    if (count > 0)
        memcpy(finish->ids, ids, count * sizeof(*ids));
    store_submit(store, &finish->base);
}

/* --- count --- */

struct count_events {
    struct operation base;
    void (*done)(void *argument, const struct error *error, int64_t count, int64_t oldest_ms);
    void *argument;
    int64_t count, oldest_ms;
};

static bool take_count(void *argument, const struct row *row)
{
    struct count_events *count = argument;

    count->count = row_integer(row, 0);
    count->oldest_ms = row_integer(row, 1);
    return false;
}

static int count_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "SELECT (SELECT count(*) FROM open_events),"
        " (SELECT received_ms FROM events WHERE id = (SELECT min(id) FROM open_events))";

    return driver_each(session->driver, sql, NO_BINDS, (struct each){take_count, operation}, err);
}

static void count_finish(struct operation *operation)
{
    struct count_events *count = (struct count_events *)operation;

    count->done(count->argument, operation->error, count->count, count->oldest_ms);
    operation_free(operation);
}

static const struct operation_type count_type = {
    .doing = "count open events",
    .lane = LANE_READ,
    .run = count_run,
    .finish = count_finish,
};

void store_count_open_events(struct store *store,
                             void (*done)(void *argument, const struct error *error, int64_t count,
                                          int64_t oldest_ms),
                             void *argument)
{
    struct count_events *count = memory_new(sizeof(*count));

    count->base.type = &count_type;
    count->done = done;
    count->argument = argument;
    store_submit(store, &count->base);
}

/* --- for other operations --- */

static bool take_only_event(void *argument, const struct row *row)
{
    read_event(row, argument);
    return false;
}

int events_find(struct driver *driver, int64_t id, struct event *ret, struct error *err)
{
    static const char sql[] = "SELECT " EVENT_COLUMNS " FROM events e WHERE e.id = $1";
    struct event event = {0};
    int failure = driver_each(driver, sql, BINDS(bind_integer(id)),
                              (struct each){take_only_event, &event}, err);

    if (failure == 0)
        *ret = event;
    return failure;
}
