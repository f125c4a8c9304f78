/* Labels and tags that regwarden has put on images, and that somebody took off: as long as the
 * verdict in force asks for them and no operator has undone them, their plans are planned again.
 * What was never put there by a plan is nobody's business here: a label that people have given to
 * an image that passes stays. */
#include "sweep_redo.h"

#include "document.h"
#include "regwarden/memory.h"

enum { REDO_MAX = 1000 /* the next sweep finds the rest */ };

static bool take_actions(struct codec *codec, const struct row *row, unsigned *ret,
                         struct error *err)
{
    size_t size;
    const void *bytes = row_bytes(row, 0, &size);
    AUTO_JSON struct json *json = NULL;
    struct verdict verdict = {0};

    if (!bytes || document_unpack(codec, bytes, size, &json, err) < 0 ||
        verdict_from_json(json, &verdict, err) < 0)
        return false;
    *ret = verdict.actions;
    verdict_release(&verdict);
    return true;
}

struct asking {
    struct codec *codec;
    unsigned actions;
    struct error error;
};

static bool take_verdict(void *argument, const struct row *row)
{
    struct asking *asking = argument;

    (void)take_actions(asking->codec, row, &asking->actions, &asking->error);
    return false;
}

/* A label becomes a tag where images have no labels. */
static int asks_for(const struct session *session, int64_t verdict_id, enum action_kind kind,
                    bool *ret, struct error *err)
{
    static const char sql[] = "SELECT document FROM verdicts WHERE id = $1";
    unsigned wanted = ACTION_BIT(kind) | (kind == ACTION_TAG ? ACTION_BIT(ACTION_LABEL) : 0);
    struct asking asking = {.codec = session->codec};
    int failure = driver_each(session->driver, sql, BINDS(bind_integer(verdict_id)),
                              (struct each){take_verdict, &asking}, err);

    if (failure == 0 && asking.error.kind != FAILURE_NONE) {
        *err = asking.error;
        err->kind = FAILURE_SYSTEM;
        return FAILURE_SYSTEM;
    }
    *ret = failure == 0 && (asking.actions & wanted) != 0;
    return failure;
}

static int plan_again(struct driver *driver, int64_t plan, int64_t at_ms, struct error *err)
{
    static const char sql[] = "UPDATE plans SET state = $2, attempts = 0, updated_ms = $3,"
                              " reason = 'somebody took it off' WHERE id = $1";

    return driver_run(driver, sql,
                      BINDS(bind_integer(plan), bind_integer(PLAN_PLANNED), bind_integer(at_ms)),
                      err);
}

/* --- labels --- */

struct last_plan {
    int64_t id, updated_ms;
    enum plan_state state;
};

static bool take_plan(void *argument, const struct row *row)
{
    struct last_plan *plan = argument;

    plan->id = row_integer(row, 0);
    plan->state = (enum plan_state)row_integer(row, 1);
    plan->updated_ms = row_integer(row, 2);
    return false;
}

int redo_label(const struct session *session, const struct placement_row *row, int64_t read_ms,
               int64_t *ret_plan, struct error *err)
{
    static const char sql[] = "SELECT id, state, updated_ms FROM plans WHERE placement_id = $1"
                              " AND digest = $2 AND kind = $3 ORDER BY id DESC LIMIT 1";
    struct last_plan plan = {0};
    bool asked = false;
    int failure = driver_each(
        session->driver, sql,
        BINDS(bind_integer(row->id), bind_digest(&row->digest), bind_integer(ACTION_LABEL)),
        (struct each){take_plan, &plan}, err);

    *ret_plan = 0;
    if (failure < 0 || plan.id == 0 || plan.state != PLAN_DONE || plan.updated_ms >= read_ms)
        return failure;
    failure = asks_for(session, row->verdict_id, ACTION_LABEL, &asked, err);
    if (failure < 0 || !asked)
        return failure;
    *ret_plan = plan.id;
    return plan_again(session->driver, plan.id, read_ms, err);
}

/* --- tags --- */

struct missing {
    int64_t plan, verdict;
};

struct redo_tags {
    struct operation base;
    store_ids_f *done;
    void *argument;
    int64_t sweep, at_ms;
    struct missing found[REDO_MAX];
    size_t found_count;
    int64_t ids[REDO_MAX];
    size_t count;
};

static bool take_missing(void *argument, const struct row *row)
{
    struct redo_tags *redo = argument;

    redo->found[redo->found_count++] =
        (struct missing){.plan = row_integer(row, 0), .verdict = row_integer(row, 1)};
    return redo->found_count < REDO_MAX;
}

static int find_missing(struct driver *driver, struct redo_tags *redo, struct error *err)
{
    static const char sql[] =
        "SELECT DISTINCT plans.id, p.verdict_id FROM sweeps w"
        " JOIN pushes u ON u.registry = w.registry JOIN plans ON plans.id = u.plan_id"
        " JOIN placements p ON p.id = plans.placement_id"
        " JOIN sightings s ON s.placement_id = p.id"
        " WHERE w.id = $1 AND u.sweep <> w.id AND u.repository = p.repository"
        " AND plans.kind = $2 AND plans.state = $3 AND plans.updated_ms < w.started_ms"
        " AND p.gone_ms = 0 AND p.verdict_id <> 0 AND p.verdict <> $4"
        " AND p.digest = plans.digest AND s.sweep = w.id ORDER BY plans.id LIMIT $5";

    redo->found_count = 0;
    return driver_each(driver, sql,
                       BINDS(bind_integer(redo->sweep), bind_integer(ACTION_TAG),
                             bind_integer(PLAN_DONE), bind_integer(VERDICT_PASS),
                             bind_integer(REDO_MAX)),
                       (struct each){take_missing, redo}, err);
}

static int redo_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct redo_tags *redo = (struct redo_tags *)operation;
    int failure = find_missing(session->driver, redo, err);

    redo->count = 0;
    for (size_t i = 0; i < redo->found_count && failure == 0; i++) {
        bool asked = false;

        failure = asks_for(session, redo->found[i].verdict, ACTION_TAG, &asked, err);
        if (failure == 0 && asked) {
            redo->ids[redo->count++] = redo->found[i].plan;
            failure = plan_again(session->driver, redo->found[i].plan, redo->at_ms, err);
        }
    }
    return failure;
}

static void redo_finish(struct operation *operation)
{
    struct redo_tags *redo = (struct redo_tags *)operation;

    redo->done(redo->argument, operation->error, redo->ids, operation->error ? 0 : redo->count);
    operation_free(operation);
}

static const struct operation_type redo_type = {
    .doing = "look for tags that were taken off",
    .lane = LANE_WRITE,
    .run = redo_run,
    .finish = redo_finish,
};

void store_sweep_redo_tags(struct store *store, int64_t id, int64_t at_ms, store_ids_f *done,
                           void *argument)
{
    struct redo_tags *redo = memory_new(sizeof(*redo));

    redo->base.type = &redo_type;
    redo->done = done;
    redo->argument = argument;
    redo->sweep = id;
    redo->at_ms = at_ms;
    store_submit(store, &redo->base);
}
