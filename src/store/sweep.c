/* Sweeps: what a walk over a registry saw, what of it is news, and what it did not see any more. */
#include <inttypes.h>

#include "operation.h"
#include "placements.h"
#include "regwarden/memory.h"

enum { GONE_AT_ONCE = 500 };

/* --- begin --- */

struct begin_sweep {
    struct operation base;
    store_id_f *done;
    void *argument;
    char *registry, *cause;
    int64_t at_ms;
    int64_t id;
};

static int begin_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char interrupt[] = "UPDATE sweeps SET finished_ms = $2, reason = 'interrupted'"
                                    " WHERE registry = $1 AND finished_ms = 0";
    static const char insert[] =
        "INSERT INTO sweeps (registry, cause, started_ms, finished_ms, complete, seen, wanted)"
        " VALUES ($1, $2, $3, 0, 0, 0, 0)";
    struct begin_sweep *begin = (struct begin_sweep *)operation;
    int failure = driver_run(session->driver, interrupt,
                             BINDS(bind_text(begin->registry), bind_integer(begin->at_ms)), err);

    if (failure < 0)
        return failure;
    return driver_insert(
        session->driver, insert,
        BINDS(bind_text(begin->registry), bind_text(begin->cause), bind_integer(begin->at_ms)),
        &begin->id, err);
}

static void begin_finish(struct operation *operation)
{
    struct begin_sweep *begin = (struct begin_sweep *)operation;

    begin->done(begin->argument, operation->error, operation->error ? 0 : begin->id);
    free(begin->registry);
    free(begin->cause);
    operation_free(operation);
}

static const struct operation_type begin_type = {
    .doing = "begin a sweep",
    .lane = LANE_WRITE,
    .run = begin_run,
    .finish = begin_finish,
};

void store_sweep_begin(struct store *store, const char *registry, int64_t at_ms, const char *cause,
                       store_id_f *done, void *argument)
{
    struct begin_sweep *begin = memory_new(sizeof(*begin));

    begin->base.type = &begin_type;
    begin->done = done;
    begin->argument = argument;
    begin->registry = memory_copy_text(registry);
    begin->cause = memory_copy_text(cause ? cause : "");
    begin->at_ms = at_ms;
    store_submit(store, &begin->base);
}

/* --- a batch of what it saw --- */

struct sweep_batch {
    struct operation base;
    struct done done;
    char *registry;
    int64_t sweep_id;
    const struct sweep_item *items;
    size_t count;
    bool *wanted;
    int64_t started_ms;
};

static bool take_integer(void *argument, const struct row *row)
{
    *(int64_t *)argument = row_integer(row, 0);
    return false;
}

/* What was recorded since the sweep began is newer than what the sweep read. */
static bool is_newer(const struct sweep_batch *batch, const struct placement_row *row)
{
    return row->id != 0 && row->last_seen_ms >= batch->started_ms;
}

/* To be seen by us is not to be pushed by somebody: of a known tag the last push stays what it was.
 */
static int make_known(struct driver *driver, const struct sweep_batch *batch,
                      const struct place *place, struct placement_row *row, struct error *err)
{
    int64_t pushed_ms = row->last_seen_ms;
    int failure = placement_move(driver, row, place->digest, batch->started_ms, err);

    if (failure < 0)
        return failure;
    if (row->id != 0)
        row->last_seen_ms = pushed_ms;
    return placement_save(driver, place, row, err);
}

static int see_one(struct driver *driver, const struct sweep_batch *batch,
                   const struct sweep_item *item, bool *ret_wanted, struct error *err)
{
    struct place place = {.registry = batch->registry,
                          .repository = item->repository,
                          .tag = item->tag,
                          .digest = &item->digest};
    struct placement_row row;
    bool is_own = false;
    int failure = placement_find(driver, &place, &row, err);

    if (failure == 0)
        failure = push_is_own(driver, &place, &row, &is_own, err);
    if (failure < 0 || is_own) {
        *ret_wanted = false;
        return failure;
    }
    bool as_recorded = row.id != 0 && row.gone_ms == 0 && digest_equal(&row.digest, &item->digest);
    bool overtaken = !as_recorded && is_newer(batch, &row);
    row.sweep = batch->sweep_id;
    *ret_wanted = !overtaken && !(as_recorded && (row.artifact || row.verdict_id != 0));
    if (as_recorded || overtaken)
        return placement_sight(driver, &row, err);
    return make_known(driver, batch, &place, &row, err);
}

static int count_seen(struct driver *driver, const struct sweep_batch *batch, int64_t wanted,
                      struct error *err)
{
    static const char sql[] =
        "UPDATE sweeps SET seen = seen + $2, wanted = wanted + $3 WHERE id = $1";

    return driver_run(driver, sql,
                      BINDS(bind_integer(batch->sweep_id), bind_integer((int64_t)batch->count),
                            bind_integer(wanted)),
                      err);
}

static int batch_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char started[] = "SELECT started_ms FROM sweeps WHERE id = $1";
    struct sweep_batch *batch = (struct sweep_batch *)operation;
    int64_t wanted = 0;

    batch->started_ms = INT64_MAX;
    int failure = driver_each(session->driver, started, BINDS(bind_integer(batch->sweep_id)),
                              (struct each){take_integer, &batch->started_ms}, err);
    if (failure == 0 && batch->started_ms == INT64_MAX)
        return error_set(err, FAILURE_ABSENT, "there is no sweep %" PRId64, batch->sweep_id);
    for (size_t i = 0; i < batch->count && failure == 0; i++) {
        failure = see_one(session->driver, batch, &batch->items[i], &batch->wanted[i], err);
        wanted += failure == 0 && batch->wanted[i];
    }
    return failure < 0 ? failure : count_seen(session->driver, batch, wanted, err);
}

static void batch_finish(struct operation *operation)
{
    struct sweep_batch *batch = (struct sweep_batch *)operation;

    done_call(batch->done, operation);
    free(batch->registry);
    operation_free(operation);
}

static const struct operation_type batch_type = {
    .doing = "record what a sweep saw",
    .lane = LANE_WRITE,
    .run = batch_run,
    .finish = batch_finish,
};

void store_sweep_batch(struct store *store, const char *registry, int64_t sweep_id,
                       const struct sweep_item *items, size_t count, bool *ret_wanted,
                       store_done_f *done, void *argument)
{
    struct sweep_batch *batch = memory_new(sizeof(*batch));

    batch->base.type = &batch_type;
    batch->done = (struct done){done, argument};
    batch->registry = memory_copy_text(registry);
    batch->sweep_id = sweep_id;
    batch->items = items;
    batch->count = count;
    batch->wanted = ret_wanted;
    store_submit(store, &batch->base);
}

/* --- end --- */

struct end_sweep {
    struct operation base;
    struct done done;
    int64_t id;
    int64_t at_ms;
    bool complete;
    struct text_list scope;
    char *reason;
};

struct unseen {
    const struct text_list *scope;
    int64_t ids[GONE_AT_ONCE];
    bool walked[GONE_AT_ONCE];
    size_t count;
};

static bool is_in_scope(const struct text_list *scope, const char *repository)
{
    bool all = true;
    bool named = false;

    for (size_t i = 0; i < scope->count; i++) {
        const char *glob = scope->items[i];
        bool except = glob[0] == '!';

        if (except && text_glob_match(glob + 1, repository))
            return false;
        all = all && except;
        named = named || (!except && text_glob_match(glob, repository));
    }
    return all || named;
}

static bool take_unseen(void *argument, const struct row *row)
{
    struct unseen *unseen = argument;

    unseen->ids[unseen->count] = row_integer(row, 0);
    unseen->walked[unseen->count] = is_in_scope(unseen->scope, row_text(row, 1));
    unseen->count++;
    return unseen->count < GONE_AT_ONCE;
}

/* Where the sweep did not go it has nothing to say. */
static int pass_over(struct driver *driver, const struct end_sweep *end, int64_t placement,
                     struct error *err)
{
    static const char sql[] = "UPDATE sightings SET sweep = $2 WHERE placement_id = $1";

    return driver_run(driver, sql, BINDS(bind_integer(placement), bind_integer(end->id)), err);
}

/* Untagged placements are left alone: no list of tags could show them. */
static int end_unseen(struct driver *driver, struct end_sweep *end, struct error *err)
{
    static const char sql[] =
        "SELECT p.id, p.repository FROM sweeps w JOIN placements p ON p.registry = w.registry"
        " JOIN sightings s ON s.placement_id = p.id WHERE w.id = $1"
        " AND p.gone_ms = 0 AND p.tag <> '' AND s.sweep <> $1 AND s.last_seen_ms < w.started_ms"
        " LIMIT $2";
    struct unseen unseen = {.scope = &end->scope};
    int failure = driver_each(driver, sql, BINDS(bind_integer(end->id), bind_integer(GONE_AT_ONCE)),
                              (struct each){take_unseen, &unseen}, err);

    for (size_t i = 0; i < unseen.count && failure == 0; i++)
        failure = unseen.walked[i] ? placement_end(driver, unseen.ids[i], end->at_ms, err)
                                   : pass_over(driver, end, unseen.ids[i], err);
    end->base.again = failure == 0 && unseen.count == GONE_AT_ONCE;
    return failure;
}

static int end_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char sql[] =
        "UPDATE sweeps SET finished_ms = $2, complete = $3, reason = $4 WHERE id = $1";
    struct end_sweep *end = (struct end_sweep *)operation;
    int failure = end->complete ? end_unseen(session->driver, end, err) : 0;

    if (failure < 0 || operation->again)
        return failure;
    return driver_run(session->driver, sql,
                      BINDS(bind_integer(end->id), bind_integer(end->at_ms),
                            bind_integer(end->complete), bind_text(end->reason)),
                      err);
}

static void end_finish(struct operation *operation)
{
    struct end_sweep *end = (struct end_sweep *)operation;

    done_call(end->done, operation);
    text_list_release(&end->scope);
    free(end->reason);
    operation_free(operation);
}

static const struct operation_type end_type = {
    .doing = "end a sweep",
    .lane = LANE_WRITE,
    .run = end_run,
    .finish = end_finish,
};

void store_sweep_end(struct store *store, const struct sweep_end *wanted, store_done_f *done,
                     void *argument)
{
    struct end_sweep *end = memory_new(sizeof(*end));

    end->base.type = &end_type;
    end->done = (struct done){done, argument};
    end->id = wanted->id;
    end->at_ms = wanted->at_ms;
    end->complete = wanted->complete;
    if (wanted->scope)
        text_list_copy(&end->scope, wanted->scope);
    end->reason = memory_copy_text(wanted->reason);
    store_submit(store, &end->base);
}
