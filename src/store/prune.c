/* Removal of what is older than the retention, in small transactions between which events come in.
 * What is in force stays: open events, verdicts of today's placements, plans that are to be done or
 * can still be undone, what a plan refers to, and facts, which are not fetched twice. */
#include "operation.h"
#include "regwarden/memory.h"

enum { AT_ONCE = 1000 };

struct prune {
    struct operation base;
    struct done done;
    int64_t before_ms;
    size_t step;
};

_Static_assert(PLAN_PLANNED == 0 && PLAN_DONE == 1 && PLAN_SKIPPED == 3 && PLAN_UNDONE == 4 &&
                   ACTION_HOLD == 5 && ACTION_QUARANTINE == 7,
               "the statements below name states and kinds by number");

/* Each removes at most $2 rows that are older than $1. */
static const char *const steps[] = {
    /* The newest event stays, since the next id follows it. */
    "DELETE FROM events WHERE id IN (SELECT w.id FROM"
    " (SELECT id, received_ms FROM events ORDER BY id LIMIT $2) AS w WHERE w.received_ms < $1"
    " AND w.id < (SELECT max(id) FROM events)"
    " AND NOT EXISTS (SELECT 1 FROM open_events o WHERE o.id = w.id))",

    "DELETE FROM dead_letters WHERE id IN"
    " (SELECT id FROM dead_letters WHERE at_ms < $1 ORDER BY id LIMIT $2)",

    /* What was pushed and stands must stay known as ours; what was taken back need not. */
    "DELETE FROM pushes WHERE plan_id IN (SELECT q.plan_id FROM pushes q"
    " JOIN plans j ON j.id = q.plan_id WHERE j.state IN (3, 4) AND j.updated_ms < $1 LIMIT $2)",

    /* A hold or a quarantine that was done lasts until it is undone. */
    "DELETE FROM plans WHERE id IN (SELECT j.id FROM plans j"
    " JOIN verdicts v ON v.id = j.verdict_id WHERE j.updated_ms < $1 AND v.superseded_ms > 0"
    " AND j.state <> 0 AND NOT (j.state = 1 AND j.kind IN (5, 7)) ORDER BY j.id LIMIT $2)",

    "DELETE FROM verdicts WHERE id IN (SELECT v.id FROM verdicts v WHERE v.superseded_ms > 0"
    " AND v.superseded_ms < $1"
    " AND NOT EXISTS (SELECT 1 FROM plans j WHERE j.verdict_id = v.id) LIMIT $2)",

    "DELETE FROM placements WHERE id IN (SELECT p.id FROM placements p WHERE p.gone_ms > 0"
    " AND p.gone_ms < $1 AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.placement_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM plans j WHERE j.placement_id = p.id) LIMIT $2)",

    "DELETE FROM sightings WHERE placement_id IN (SELECT s.placement_id FROM sightings s"
    " WHERE s.last_seen_ms < $1"
    " AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.id = s.placement_id) LIMIT $2)",

    /* What no image has asked for since. Facts of images stand for themselves. */
    "DELETE FROM layers WHERE digest IN"
    " (SELECT digest FROM layers WHERE used_ms < $1 ORDER BY used_ms LIMIT $2)",

    /* Of each registry the newest complete sweep stays: that there was one is known by it. */
    "DELETE FROM sweeps WHERE id IN (SELECT s.id FROM sweeps s WHERE s.started_ms < $1"
    " AND s.finished_ms > 0 AND s.id < (SELECT max(n.id) FROM sweeps n"
    " WHERE n.registry = s.registry AND n.complete = s.complete) LIMIT $2)",
};

static int prune_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct prune *prune = (struct prune *)operation;
    int64_t removed = 0;
    int failure =
        driver_change(session->driver, steps[prune->step],
                      BINDS(bind_integer(prune->before_ms), bind_integer(AT_ONCE)), &removed, err);

    if (failure < 0)
        return failure;
    /* A transaction that is run again repeats the step, which is harmless. */
    if (removed < AT_ONCE / 2)
        prune->step++;
    operation->again = prune->step < ARRAY_COUNT(steps);
    return 0;
}

static void prune_finish(struct operation *operation)
{
    done_call(((struct prune *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type prune_type = {
    .doing = "remove what is old",
    .lane = LANE_WRITE,
    .run = prune_run,
    .finish = prune_finish,
};

void store_prune(struct store *store, int64_t before_ms, store_done_f *done, void *argument)
{
    struct prune *prune = memory_new(sizeof(*prune));

    *prune =
        (struct prune){.base.type = &prune_type, .done = {done, argument}, .before_ms = before_ms};
    store_submit(store, &prune->base);
}
