/* A batch of what a sweep saw: what of it is news becomes events, and the sweep's position moves
 * on, in one transaction. So a sweep that breaks off goes on where it was, finds nothing twice, and
 * leaves nothing out. */
#include <inttypes.h>

#include "events.h"
#include "operation.h"
#include "placements.h"
#include "regwarden/memory.h"
#include "sweep_redo.h"

struct save_batch {
    struct operation base;
    struct done done;
    struct sweep_batch *batch;
};

static bool take_integer(void *argument, const struct row *row)
{
    *(int64_t *)argument = row_integer(row, 0);
    return false;
}

/* To be seen by us is not to be pushed by somebody: of a known tag the last push stays what it was.
 */
static int make_known(struct driver *driver, const struct place *place, struct placement_row *row,
                      int64_t read_ms, struct error *err)
{
    int64_t pushed_ms = row->last_seen_ms;
    int failure = placement_move(driver, row, place->digest, read_ms, err);

    if (failure < 0)
        return failure;
    if (row->id != 0)
        row->last_seen_ms = pushed_ms;
    return placement_save(driver, place, row, err);
}

/* A tag that we put beside an image: it is still there. */
static int note_own(struct driver *driver, const struct place *place, int64_t sweep,
                    struct error *err)
{
    static const char sql[] = "UPDATE pushes SET sweep = $5 WHERE registry = $1 AND repository = $2"
                              " AND digest = $3 AND reference = $4";

    if (!place->tag)
        return 0;
    return driver_run(driver, sql,
                      BINDS(bind_text(place->registry), bind_text(place->repository),
                            bind_digest(place->digest), bind_text(place->tag), bind_integer(sweep)),
                      err);
}

/* What was recorded since the registry was asked is newer than what it answered. What this sweep
 * found before has its event already. */
static int see_recorded(const struct session *session, const struct sweep_batch *batch,
                        struct sweep_item *item, struct placement_row *row, struct error *err)
{
    struct event *event = &item->event;
    struct place place = place_of_event(event);
    bool as_recorded =
        row->id != 0 && row->gone_ms == 0 && digest_equal(&row->digest, &event->digest);
    bool overtaken = !as_recorded && row->id != 0 && row->last_seen_ms >= event->received_ms;
    bool found_before = as_recorded && row->sweep == batch->id;
    int failure = 0;

    row->sweep = batch->id;
    item->wanted =
        !overtaken && !found_before && !(as_recorded && (row->artifact || row->verdict_id != 0));
    if (item->wanted)
        failure = event_insert(session->driver, event, err);
    if (failure == 0 && as_recorded && row->verdict_id != 0 && item->has_label == ANSWER_NO)
        failure = redo_label(session, row, event->received_ms, &item->redo, err);
    if (failure < 0)
        return failure;
    if (as_recorded || overtaken)
        return placement_sight(session->driver, row, err);
    return make_known(session->driver, &place, row, event->received_ms, err);
}

static int see_one(const struct session *session, const struct sweep_batch *batch,
                   struct sweep_item *item, struct error *err)
{
    struct place place = place_of_event(&item->event);
    struct placement_row row;
    bool is_own = false;

    item->wanted = false;
    item->redo = 0;
    int failure = placement_find(session->driver, &place, &row, err);
    if (failure == 0)
        failure = push_is_own(session->driver, &place, &row, &is_own, err);
    if (failure == 0)
        failure = note_own(session->driver, &place, batch->id, err);
    if (failure < 0 || is_own)
        return failure;
    return see_recorded(session, batch, item, &row, err);
}

static int note_exceptions(struct driver *driver, const struct sweep_batch *batch,
                           struct error *err)
{
    static const char sql[] = "INSERT INTO sweep_exceptions (sweep_id, repository) VALUES ($1, $2)"
                              " ON CONFLICT (sweep_id, repository) DO NOTHING";
    const struct text_list *exceptions = batch->exceptions;
    int failure = 0;

    for (size_t i = 0; exceptions && i < exceptions->count && failure == 0; i++)
        failure = driver_run(driver, sql,
                             BINDS(bind_integer(batch->id), bind_text(exceptions->items[i])), err);
    return failure;
}

static int move_on(struct driver *driver, const struct sweep_batch *batch, int64_t wanted,
                   struct error *err)
{
    static const char sql[] = "UPDATE sweeps SET seen = seen + $2, wanted = wanted + $3,"
                              " position = $4, saved_ms = $5 WHERE id = $1";

    return driver_run(driver, sql,
                      BINDS(bind_integer(batch->id), bind_integer((int64_t)batch->count),
                            bind_integer(wanted), bind_text(batch->position),
                            bind_integer(batch->at_ms)),
                      err);
}

static int save_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char there[] = "SELECT id FROM sweeps WHERE id = $1";
    struct sweep_batch *batch = ((struct save_batch *)operation)->batch;
    int64_t id = 0;
    int64_t wanted = 0;
    int failure = driver_each(session->driver, there, BINDS(bind_integer(batch->id)),
                              (struct each){take_integer, &id}, err);

    if (failure == 0 && id == 0)
        return error_set(err, FAILURE_ABSENT, "there is no sweep %" PRId64, batch->id);
    for (size_t i = 0; i < batch->count && failure == 0; i++) {
        failure = see_one(session, batch, &batch->items[i], err);
        wanted += failure == 0 && batch->items[i].wanted;
    }
    if (failure == 0)
        failure = note_exceptions(session->driver, batch, err);
    return failure < 0 ? failure : move_on(session->driver, batch, wanted, err);
}

static void save_finish(struct operation *operation)
{
    done_call(((struct save_batch *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type save_type = {
    .doing = "record what a sweep saw",
    .lane = LANE_WRITE,
    .run = save_run,
    .finish = save_finish,
};

void store_sweep_batch(struct store *store, struct sweep_batch *batch, store_done_f *done,
                       void *argument)
{
    struct save_batch *save = memory_new(sizeof(*save));

    *save = (struct save_batch){.base.type = &save_type, .done = {done, argument}, .batch = batch};
    store_submit(store, &save->base);
}
