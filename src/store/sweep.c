/* Sweeps: what a walk over a registry saw, what of it is news, and what it did not see any more.
 * Begin and end are here, what comes between in sweep_batch.c. */
#include "operation.h"
#include "placements.h"
#include "regwarden/memory.h"

enum { GONE_AT_ONCE = 500 };

/* --- begin --- */

struct begin_sweep {
    struct operation base;
    store_sweep_f *done;
    void *argument;
    struct sweep_start start; /* its texts are ours */
    int64_t id;
    char *position;
};

static bool take_resumed(void *argument, const struct row *row)
{
    struct begin_sweep *begin = argument;

    begin->id = row_integer(row, 0);
    free(begin->position);
    begin->position = row_copy(row, 1);
    return false;
}

static int resume(struct driver *driver, struct begin_sweep *begin, struct error *err)
{
    static const char last[] = "SELECT id, position FROM sweeps WHERE registry = $1"
                               " AND id = (SELECT max(id) FROM sweeps WHERE registry = $1)"
                               " AND complete = 0 AND position IS NOT NULL AND saved_ms >= $2";
    static const char go_on[] = "UPDATE sweeps SET finished_ms = 0, reason = NULL WHERE id = $1";
    int failure = driver_each(
        driver, last,
        BINDS(bind_text(begin->start.registry), bind_integer(begin->start.resume_after_ms)),
        (struct each){take_resumed, begin}, err);

    if (failure < 0 || begin->id == 0)
        return failure;
    return driver_run(driver, go_on, BINDS(bind_integer(begin->id)), err);
}

/* Nobody goes on with earlier ones any more. */
static int forget_earlier(struct driver *driver, const struct begin_sweep *begin, struct error *err)
{
    static const char interrupt[] = "UPDATE sweeps SET finished_ms = $2, reason = 'interrupted'"
                                    " WHERE registry = $1 AND finished_ms = 0";
    static const char positions[] =
        "UPDATE sweeps SET position = NULL WHERE registry = $1 AND position IS NOT NULL";
    static const char exceptions[] = "DELETE FROM sweep_exceptions WHERE sweep_id IN"
                                     " (SELECT id FROM sweeps WHERE registry = $1)";
    struct bind registry = bind_text(begin->start.registry);
    int failure =
        driver_run(driver, interrupt, BINDS(registry, bind_integer(begin->start.at_ms)), err);

    if (failure == 0)
        failure = driver_run(driver, positions, BINDS(registry), err);
    if (failure == 0)
        failure = driver_run(driver, exceptions, BINDS(registry), err);
    return failure;
}

static int begin_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char insert[] =
        "INSERT INTO sweeps (registry, cause, started_ms, finished_ms, complete, seen, wanted)"
        " VALUES ($1, $2, $3, 0, 0, 0, 0)";
    struct begin_sweep *begin = (struct begin_sweep *)operation;
    const struct sweep_start *start = &begin->start;

    begin->id = 0;
    free(TAKE(begin->position));
    int failure = resume(session->driver, begin, err);
    if (failure < 0 || begin->id != 0)
        return failure;
    failure = forget_earlier(session->driver, begin, err);
    if (failure < 0)
        return failure;
    return driver_insert(
        session->driver, insert,
        BINDS(bind_text(start->registry), bind_text(start->cause), bind_integer(start->at_ms)),
        &begin->id, err);
}

static void begin_finish(struct operation *operation)
{
    struct begin_sweep *begin = (struct begin_sweep *)operation;

    begin->done(begin->argument, operation->error, operation->error ? 0 : begin->id,
                begin->position);
    free((char *)(uintptr_t)begin->start.registry);
    free((char *)(uintptr_t)begin->start.cause);
    free(begin->position);
    operation_free(operation);
}

static const struct operation_type begin_type = {
    .doing = "begin a sweep",
    .lane = LANE_WRITE,
    .run = begin_run,
    .finish = begin_finish,
};

void store_sweep_begin(struct store *store, const struct sweep_start *start, store_sweep_f *done,
                       void *argument)
{
    struct begin_sweep *begin = memory_new(sizeof(*begin));

    begin->base.type = &begin_type;
    begin->done = done;
    begin->argument = argument;
    begin->start = *start;
    begin->start.registry = memory_copy_text(start->registry);
    begin->start.cause = memory_copy_text(start->cause ? start->cause : "");
    store_submit(store, &begin->base);
}

/* --- end --- */

struct end_sweep {
    struct operation base;
    struct done done;
    int64_t id;
    int64_t at_ms;
    bool complete, may_resume;
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
        " AND NOT EXISTS (SELECT 1 FROM sweep_exceptions x WHERE x.sweep_id = w.id"
        " AND x.repository = p.repository) LIMIT $2";
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
        "UPDATE sweeps SET finished_ms = $2, complete = $3, reason = $4,"
        " position = CASE WHEN $5 = 0 THEN NULL ELSE position END WHERE id = $1";
    static const char exceptions[] = "DELETE FROM sweep_exceptions WHERE sweep_id = $1 AND $2 = 0";
    struct end_sweep *end = (struct end_sweep *)operation;
    int failure = end->complete ? end_unseen(session->driver, end, err) : 0;

    if (failure < 0 || operation->again)
        return failure;
    failure = driver_run(session->driver, sql,
                         BINDS(bind_integer(end->id), bind_integer(end->at_ms),
                               bind_integer(end->complete), bind_text(end->reason),
                               bind_integer(end->may_resume)),
                         err);
    if (failure < 0)
        return failure;
    return driver_run(session->driver, exceptions,
                      BINDS(bind_integer(end->id), bind_integer(end->may_resume)), err);
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
    end->may_resume = wanted->may_resume;
    if (wanted->scope)
        text_list_copy(&end->scope, wanted->scope);
    end->reason = memory_copy_text(wanted->reason);
    store_submit(store, &end->base);
}
