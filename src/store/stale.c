/* Placements that are to be judged again: their verdict was made under other policies than those of
 * today, or something came that speaks of their image. */
#include "operation.h"
#include "regwarden/memory.h"

struct load_stale {
    struct operation base;
    store_events_f *done;
    void *argument;
    enum event_cause cause;
    char *registry, *repository; /* of those that an image has; else NULL */
    struct digest digest;
    char *revision;
    int64_t after;
    size_t limit;
    struct event *events;
    size_t count, capacity;
};

static void forget_events(struct load_stale *load)
{
    for (size_t i = 0; i < load->count; i++)
        event_release(&load->events[i]);
    load->count = 0;
}

/* No such event is stored: a negative id can be gone on from, but never finishes somebody else's.
 */
static bool take_placement(void *argument, const struct row *row)
{
    struct load_stale *load = argument;
    const char *tag = row_text(row, 3);

    load->events = memory_grow(load->events, load->count, &load->capacity, sizeof(*load->events));
    struct event *event = &load->events[load->count++];
    *event = (struct event){
        .id = -row_integer(row, 0),
        .received_ms = row_integer(row, 5),
        .action = EVENT_PUSH,
        .cause = load->cause,
        .registry = row_copy(row, 1),
        .repository = row_copy(row, 2),
        .tag = tag && *tag ? memory_copy_text(tag) : NULL,
        .media_type = row_copy(row, 6),
        .actor = row_copy(row, 7),
    };
    row_digest(row, 4, &event->digest);
    return true;
}

static int load_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "SELECT id, registry, repository, tag, digest, first_seen_ms, media_type, pusher"
        " FROM placements WHERE id > $1 AND verdict_id > 0 AND policy_revision <> $2"
        " ORDER BY id LIMIT $3";
    struct load_stale *load = (struct load_stale *)operation;

    forget_events(load);
    return driver_each(session->driver, sql,
                       BINDS(bind_integer(load->after), bind_text(load->revision),
                             bind_integer((int64_t)load->limit)),
                       (struct each){take_placement, load}, err);
}

static int judged_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "SELECT id, registry, repository, tag, digest, first_seen_ms, media_type, pusher"
        " FROM placements WHERE (digest = $1"
        " OR digest IN (SELECT parent FROM index_children WHERE child = $1))"
        " AND registry = $2 AND repository = $3 AND verdict_id > 0 AND id > $4"
        " ORDER BY id LIMIT $5";
    struct load_stale *load = (struct load_stale *)operation;

    forget_events(load);
    return driver_each(session->driver, sql,
                       BINDS(bind_digest(&load->digest), bind_text(load->registry),
                             bind_text(load->repository), bind_integer(load->after),
                             bind_integer((int64_t)load->limit)),
                       (struct each){take_placement, load}, err);
}

static void load_finish(struct operation *operation)
{
    struct load_stale *load = (struct load_stale *)operation;

    load->done(load->argument, operation->error, load->events, operation->error ? 0 : load->count);
    forget_events(load);
    free(load->events);
    free(load->revision);
    free(load->registry);
    free(load->repository);
    operation_free(operation);
}

static const struct operation_type load_type = {
    .doing = "find verdicts of older policies",
    .lane = LANE_LIST,
    .run = load_run,
    .finish = load_finish,
};

static const struct operation_type judged_type = {
    .doing = "find verdicts about an image",
    .lane = LANE_LIST,
    .run = judged_run,
    .finish = load_finish,
};

void store_load_judged(struct store *store, const struct event *place, size_t limit,
                       store_events_f *done, void *argument)
{
    struct load_stale *load = memory_new(sizeof(*load));

    load->base.type = &judged_type;
    load->cause = EVENT_CAUSE_EVIDENCE;
    load->done = done;
    load->argument = argument;
    load->registry = memory_copy_text(place->registry);
    load->repository = memory_copy_text(place->repository);
    load->digest = place->digest;
    load->after = place->id < 0 ? -place->id : 0;
    load->limit = limit;
    store_submit(store, &load->base);
}

void store_load_stale(struct store *store, const char *policy_revision, int64_t after, size_t limit,
                      store_events_f *done, void *argument)
{
    struct load_stale *load = memory_new(sizeof(*load));

    load->base.type = &load_type;
    load->cause = EVENT_CAUSE_POLICY;
    load->done = done;
    load->argument = argument;
    load->revision = memory_copy_text(policy_revision);
    load->after = after < 0 ? -after : after;
    load->limit = limit;
    store_submit(store, &load->base);
}
