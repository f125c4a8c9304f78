/* Plans and their journal: written with a verdict, updated as they are carried out. */
#include <inttypes.h>

#include "plan_rows.h"
#include "regwarden/memory.h"

static const char *const state_names[] = {
    [PLAN_PLANNED] = "planned", [PLAN_DONE] = "done",     [PLAN_FAILED] = "failed",
    [PLAN_SKIPPED] = "skipped", [PLAN_UNDONE] = "undone", [PLAN_WOULD] = "would",
};

const char *plan_state_name(enum plan_state state)
{
    return state_names[state];
}

/* New text of a document, or NULL. */
static char *text_of(const struct json *json)
{
    struct text text = {0};

    if (!json)
        return NULL;
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

/* Entries as in struct store_plan; one that is no push is FAILURE_INPUT. */
static int pushes_insert(struct driver *driver, const char *registry, int64_t plan_id,
                         const struct json *pushes, struct error *err)
{
    static const char sql[] =
        "INSERT INTO pushes (registry, repository, digest, reference, plan_id)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (registry, repository, digest, reference)"
        " DO UPDATE SET plan_id = excluded.plan_id";

    for (size_t i = 0; i < json_count(pushes); i++) {
        const struct json *push = json_at(pushes, i);
        const char *repository = json_get_string(push, "repository");
        const char *reference = json_get_string(push, "reference");
        const char *text = json_get_string(push, "digest");
        struct digest digest;

        if (!repository || !reference || !text || digest_parse(text, &digest, NULL) < 0)
            return error_set(err, FAILURE_INPUT, "a plan announces something that is no push");
        int failure =
            driver_run(driver, sql,
                       BINDS(bind_text(registry), bind_text(repository), bind_digest(&digest),
                             bind_text(reference), bind_integer(plan_id)),
                       err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

int plan_insert(struct driver *driver, const struct plan_owner *owner, struct store_plan *plan,
                struct error *err)
{
    static const char sql[] =
        "INSERT INTO plans (placement_id, digest, verdict_id, kind, state, audit, at_ms,"
        " updated_ms, detail, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 0)";
    AUTO_FREE char *detail = text_of(plan->detail);
    int64_t id = 0;
    int failure = driver_insert(driver, sql,
                                BINDS(bind_integer(owner->placement_id), bind_digest(owner->digest),
                                      bind_integer(owner->verdict_id), bind_integer(plan->kind),
                                      bind_integer(plan->audit ? PLAN_WOULD : PLAN_PLANNED),
                                      bind_integer(plan->audit), bind_integer(owner->at_ms),
                                      bind_text(detail)),
                                &id, err);

    if (failure == 0 && !plan->audit)
        failure = pushes_insert(driver, owner->registry, id, plan->pushes, err);
    if (failure == 0)
        plan->id = id;
    return failure;
}

/* --- update --- */

struct update_plan {
    struct operation base;
    struct done done;
    struct plan_update update; /* its reason, undo and pushes are ours, below */
    char *reason, *undo;
    struct json *pushes;
};

static int update_row(struct driver *driver, const struct update_plan *update, struct error *err)
{
    static const char sql[] =
        "UPDATE plans SET state = $2, reason = $3, undo = coalesce($4, undo), updated_ms = $5,"
        " attempts = attempts + $6 WHERE id = $1";
    const struct plan_update *wanted = &update->update;
    /* An announcement is made before an attempt, and an undo is none. */
    bool is_attempt = !update->pushes && wanted->state != PLAN_UNDONE;
    int64_t changed = 0;
    int failure = driver_change(driver, sql,
                                BINDS(bind_integer(wanted->id), bind_integer(wanted->state),
                                      bind_text(update->reason), bind_text(update->undo),
                                      bind_integer(wanted->at_ms), bind_integer(is_attempt)),
                                &changed, err);

    if (failure == 0 && changed == 0)
        return error_set(err, FAILURE_ABSENT, "there is no plan %" PRId64, wanted->id);
    return failure;
}

static bool take_text(void *argument, const struct row *row)
{
    *(char **)argument = row_copy(row, 0);
    return false;
}

static int announce(struct driver *driver, const struct update_plan *update, struct error *err)
{
    static const char sql[] = "SELECT p.registry FROM plans JOIN placements p"
                              " ON p.id = plans.placement_id WHERE plans.id = $1";
    AUTO_FREE char *registry = NULL;
    int failure = driver_each(driver, sql, BINDS(bind_integer(update->update.id)),
                              (struct each){take_text, &registry}, err);

    if (failure < 0)
        return failure;
    return pushes_insert(driver, registry, update->update.id, update->pushes, err);
}

static int update_run(struct operation *operation, const struct session *session, struct error *err)
{
    const struct update_plan *update = (struct update_plan *)operation;
    int failure = update_row(session->driver, update, err);

    if (failure == 0 && update->pushes)
        failure = announce(session->driver, update, err);
    return failure;
}

static void update_finish(struct operation *operation)
{
    struct update_plan *update = (struct update_plan *)operation;

    done_call(update->done, operation);
    free(update->reason);
    free(update->undo);
    json_release(update->pushes);
    operation_free(operation);
}

static const struct operation_type update_type = {
    .doing = "journal an action",
    .lane = LANE_WRITE,
    .run = update_run,
    .finish = update_finish,
};

/* A copy that shares nothing, since the caller may change or release the original meanwhile. */
static struct json *copy_json(const struct json *json)
{
    AUTO_FREE char *text = text_of(json);
    struct json *copy = NULL;

    if (text && json_parse(text, strlen(text), NULL, &copy, NULL) < 0)
        return json_new_null(); /* beyond the limits: no push that anybody could announce */
    return copy;
}

void store_update_plan(struct store *store, const struct plan_update *update, store_done_f *done,
                       void *argument)
{
    struct update_plan *own = memory_new(sizeof(*own));

    own->base.type = &update_type;
    own->done = (struct done){done, argument};
    own->update = *update;
    own->reason = memory_copy_text(update->reason);
    own->undo = text_of(update->undo);
    own->pushes = copy_json(update->pushes);
    store_submit(store, &own->base);
}
