/* Plans read back: what is still to be done after a start, and one plan to undo. */
#include "document.h"
#include "operation.h"
#include "placements.h"
#include "regwarden/memory.h"

struct load_plans {
    struct operation base;
    store_plans_f *done;
    void *argument;
    int64_t after; /* of open ones */
    size_t limit;
    int64_t id;                    /* of the only one */
    const struct session *session; /* while it runs */
    struct error error;
    struct plan *plans;
    size_t count, capacity;
};

static void plan_release(struct plan *plan)
{
    free(plan->registry);
    free(plan->repository);
    free(plan->tag);
    free(plan->reason);
    json_release(plan->detail);
    json_release(plan->undo);
    if (plan->verdict)
        verdict_release(plan->verdict);
    free(plan->verdict);
}

static void forget_plans(struct load_plans *load)
{
    for (size_t i = 0; i < load->count; i++)
        plan_release(&load->plans[i]);
    load->count = 0;
}

static int read_json(const struct row *row, int column, struct json **ret, struct error *err)
{
    const char *text = row_text(row, column);

    if (!text)
        return 0;
    if (json_parse(text, strlen(text), NULL, ret, err) == 0)
        return 0;
    error_wrap(err, "a stored plan is damaged");
    err->kind = FAILURE_SYSTEM;
    return FAILURE_SYSTEM;
}

static int read_verdict(const struct session *session, const struct row *row, int column,
                        struct verdict **ret, struct error *err)
{
    size_t size;
    const void *bytes = row_bytes(row, column, &size);
    AUTO_JSON struct json *json = NULL;

    if (!bytes)
        return 0;
    if (document_unpack(session->codec, bytes, size, &json, err) < 0)
        return FAILURE_SYSTEM;
    struct verdict *verdict = memory_new(sizeof(*verdict));
    if (verdict_from_json(json, verdict, err) == 0) {
        *ret = verdict;
        return 0;
    }
    free(verdict);
    err->kind = FAILURE_SYSTEM;
    return FAILURE_SYSTEM;
}

static void read_last_passing(const struct row *row, struct plan *plan)
{
    struct placement_row placement = {0};

    row_digest(row, 13, &placement.passing);
    row_digest(row, 14, &placement.passing_before);
    plan->last_passing = *placement_last_passing(&placement, &plan->digest);
}

static bool take_plan(void *argument, const struct row *row)
{
    struct load_plans *load = argument;
    const char *tag = row_text(row, 6);

    load->plans = memory_grow(load->plans, load->count, &load->capacity, sizeof(*load->plans));
    struct plan *plan = &load->plans[load->count++];
    *plan = (struct plan){
        .id = row_integer(row, 0),
        .kind = (enum action_kind)row_integer(row, 1),
        .state = (enum plan_state)row_integer(row, 2),
        .at_ms = row_integer(row, 3),
        .registry = row_copy(row, 4),
        .repository = row_copy(row, 5),
        .tag = tag && *tag ? memory_copy_text(tag) : NULL,
        .reason = row_copy(row, 10),
        .attempts = row_integer(row, 11),
        .audit = row_integer(row, 15) != 0,
    };
    row_digest(row, 7, &plan->digest);
    read_last_passing(row, plan);
    return read_json(row, 8, &plan->detail, &load->error) == 0 &&
           read_json(row, 9, &plan->undo, &load->error) == 0 &&
           read_verdict(load->session, row, 12, &plan->verdict, &load->error) == 0;
}

#define PLAN_COLUMNS                                                                          \
    "SELECT plans.id, plans.kind, plans.state, plans.at_ms, p.registry, p.repository, p.tag," \
    " plans.digest, plans.detail, plans.undo, plans.reason, plans.attempts, v.document,"      \
    " p.passing, p.passing_before, plans.audit FROM plans"                                    \
    " JOIN placements p ON p.id = plans.placement_id"                                         \
    " LEFT JOIN verdicts v ON v.id = plans.verdict_id "

static int load_run(struct operation *operation, const struct session *session, struct error *err)
{
    static const char open_ones[] =
        PLAN_COLUMNS "WHERE plans.state = $1 AND plans.id > $2 ORDER BY plans.id LIMIT $3";
    static const char only_one[] = PLAN_COLUMNS "WHERE plans.id = $1";
    struct load_plans *load = (struct load_plans *)operation;
    struct each each = {take_plan, load};
    int failure;

    forget_plans(load);
    load->session = session;
    load->error = (struct error){0};
    if (load->id != 0)
        failure = driver_each(session->driver, only_one, BINDS(bind_integer(load->id)), each, err);
    else
        failure = driver_each(session->driver, open_ones,
                              BINDS(bind_integer(PLAN_PLANNED), bind_integer(load->after),
                                    bind_integer((int64_t)load->limit)),
                              each, err);
    if (failure == 0 && load->error.kind != FAILURE_NONE) {
        *err = load->error;
        failure = (int)load->error.kind;
    }
    return failure;
}

static void load_finish(struct operation *operation)
{
    struct load_plans *load = (struct load_plans *)operation;

    load->done(load->argument, operation->error, load->plans, operation->error ? 0 : load->count);
    forget_plans(load);
    free(load->plans);
    operation_free(operation);
}

static const struct operation_type load_type = {
    .doing = "read plans",
    .lane = LANE_READ,
    .run = load_run,
    .finish = load_finish,
};

static void load(struct store *store, const struct load_plans *wanted)
{
    struct load_plans *own = memory_new(sizeof(*own));

    *own = *wanted;
    own->base.type = &load_type;
    store_submit(store, &own->base);
}

void store_load_open_plans(struct store *store, int64_t after, size_t limit, store_plans_f *done,
                           void *argument)
{
    load(store,
         &(struct load_plans){.done = done, .argument = argument, .after = after, .limit = limit});
}

void store_load_plan(struct store *store, int64_t id, store_plans_f *done, void *argument)
{
    load(store, &(struct load_plans){.done = done, .argument = argument, .id = id ? id : -1});
}
