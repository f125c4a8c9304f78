/* The two short records: the same digest again, and a tag that is gone. */
#include "events.h"
#include "operation.h"
#include "placements.h"
#include "regwarden/memory.h"

/* --- the same digest again --- */

struct repeat {
    struct operation base;
    struct done done;
    char *registry, *repository, *tag;
    int64_t at_ms;
    size_t count;
    int64_t ids[];
};

static int64_t newest_of(const int64_t *ids, size_t count)
{
    int64_t newest = 0;

    for (size_t i = 0; i < count; i++) {
        if (ids[i] > newest)
            newest = ids[i];
    }
    return newest;
}

static int repeat_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char touch[] =
        "UPDATE sightings SET"
        " last_seen_ms = CASE WHEN last_seen_ms < $4 THEN $4 ELSE last_seen_ms END,"
        " newest_event = CASE WHEN newest_event < $5 THEN $5 ELSE newest_event END"
        " WHERE placement_id = (SELECT id FROM placements WHERE registry = $1"
        " AND repository = $2 AND tag = $3 AND untagged = $6 AND gone_ms = 0 AND verdict_id > 0)";
    static const struct digest none;
    struct repeat *repeat = (struct repeat *)operation;
    int64_t touched = 1;
    int failure = 0;

    if (repeat->tag) /* an untagged digest has no key here, and nothing that moves */
        failure = driver_change(session->driver, touch,
                                BINDS(bind_text(repeat->registry), bind_text(repeat->repository),
                                      bind_text(repeat->tag), bind_integer(repeat->at_ms),
                                      bind_integer(newest_of(repeat->ids, repeat->count)),
                                      bind_digest(&none)),
                                &touched, err);
    if (failure == 0 && touched == 0)
        return error_set(err, FAILURE_ABSENT, "the tag has no verdict in force");
    if (failure == 0)
        failure = events_finish(session->driver, repeat->ids, repeat->count, err);
    return failure;
}

static void repeat_finish(struct operation *operation)
{
    struct repeat *repeat = (struct repeat *)operation;

    done_call(repeat->done, operation);
    free(repeat->registry);
    free(repeat->repository);
    free(repeat->tag);
    operation_free(operation);
}

static const struct operation_type repeat_type = {
    .doing = "record a repeated push",
    .lane = LANE_WRITE,
    .run = repeat_run,
    .finish = repeat_finish,
};

void store_record_repeat(struct store *store, const char *registry, const char *repository,
                         const char *tag, int64_t at_ms, const int64_t *event_ids,
                         size_t event_count, store_done_f *done, void *argument)
{
    struct repeat *repeat = memory_new(sizeof(*repeat) + event_count * sizeof(*event_ids));

    repeat->base.type = &repeat_type;
    repeat->done = (struct done){done, argument};
    repeat->registry = memory_copy_text(registry);
    repeat->repository = memory_copy_text(repository);
    repeat->tag = memory_copy_text(tag);
    repeat->at_ms = at_ms;
    repeat->count = event_count;
    if (event_count > 0)
        memcpy(repeat->ids, event_ids, event_count * sizeof(*event_ids));
    store_submit(store, &repeat->base);
}

/* --- gone --- */

struct gone {
    struct operation base;
    struct done done;
    struct event event;
};

struct ids {
    int64_t *items;
    size_t count, capacity;
};

static bool take_id(void *argument, const struct row *row)
{
    struct ids *ids = argument;

    ids->items = memory_grow(ids->items, ids->count, &ids->capacity, sizeof(*ids->items));
    ids->items[ids->count++] = row_integer(row, 0);
    return true;
}

/* A push whose event came after the deletion's, or of another digest than the deleted one, stands.
 */
static int find_gone(struct driver *driver, const struct event *event, struct ids *ids,
                     struct error *err)
{
    static const char by_tag[] =
        "SELECT p.id FROM placements p JOIN sightings s ON s.placement_id = p.id"
        " WHERE p.registry = $1 AND p.repository = $2 AND p.tag = $3 AND p.untagged = $4"
        " AND ($5 = $4 OR p.digest = $5) AND p.gone_ms = 0 AND (s.newest_event <= $6 OR $6 <= 0)";
    static const char by_digest[] =
        "SELECT p.id FROM placements p JOIN sightings s ON s.placement_id = p.id"
        " WHERE p.digest = $3 AND p.registry = $1 AND p.repository = $2 AND p.gone_ms = 0"
        " AND (s.newest_event <= $4 OR $4 <= 0)";
    static const struct digest none;
    struct each each = {take_id, ids};

    if (event->tag)
        return driver_each(driver, by_tag,
                           BINDS(bind_text(event->registry), bind_text(event->repository),
                                 bind_text(event->tag), bind_digest(&none),
                                 bind_digest(&event->digest), bind_integer(event->id)),
                           each, err);
    if (!digest_is_set(&event->digest))
        return 0;
    return driver_each(driver, by_digest,
                       BINDS(bind_text(event->registry), bind_text(event->repository),
                             bind_digest(&event->digest), bind_integer(event->id)),
                       each, err);
}

static int gone_run(struct operation *operation, const struct session *session, struct error *err)
{
    const struct event *event = &((struct gone *)operation)->event;
    struct ids ids = {0};
    int failure = find_gone(session->driver, event, &ids, err);

    for (size_t i = 0; i < ids.count && failure == 0; i++)
        failure = placement_end(session->driver, ids.items[i], event->received_ms, err);
    free(ids.items);
    return failure < 0 ? failure : events_finish(session->driver, &event->id, 1, err);
}

static void gone_finish(struct operation *operation)
{
    struct gone *gone = (struct gone *)operation;

    done_call(gone->done, operation);
    event_release(&gone->event);
    operation_free(operation);
}

static const struct operation_type gone_type = {
    .doing = "record that a tag is gone",
    .lane = LANE_WRITE,
    .run = gone_run,
    .finish = gone_finish,
};

void store_record_gone(struct store *store, const struct event *event, store_done_f *done,
                       void *argument)
{
    struct gone *gone = memory_new(sizeof(*gone));

    gone->base.type = &gone_type;
    gone->done = (struct done){done, argument};
    event_copy(&gone->event, event);
    store_submit(store, &gone->base);
}
