/* What a review has to know, in one read. */
#include <assert.h>

#include "facts_store.h"
#include "placements.h"
#include "plan_state.h"
#include "regwarden/memory.h"

struct read_context {
    struct operation base;
    store_context_f *done;
    void *argument;
    struct event event;
    struct store_context context;
};

static void fill_placement(const struct placement_row *row, const struct digest *digest,
                           struct store_context *ret)
{
    bool is_there = row->id != 0 && row->gone_ms == 0;
    bool same = row->id != 0 && digest_equal(&row->digest, digest);

    if (row->id == 0)
        return;
    if (is_there)
        ret->current = row->digest;
    ret->placement_known = is_there && same;
    ret->first_seen_ms = same ? row->first_seen_ms : 0;
    ret->previous = same ? row->previous : row->digest;
    ret->previous_size_bytes = same ? row->previous_size_bytes : row->size_bytes;
    ret->last_passing = *placement_last_passing(row, digest);
    ret->has_verdict = is_there && same && row->verdict_id != 0;
    if (ret->has_verdict) {
        ret->verdict = row->verdict;
        memcpy(ret->policy_revision, row->policy_revision, sizeof(ret->policy_revision));
    }
}

static bool take_plan(void *argument, const struct row *row)
{
    struct store_context *ret = argument;
    enum action_kind kind = (enum action_kind)row_integer(row, 0);
    enum plan_state state = (enum plan_state)row_integer(row, 1);

    if (plan_state_counts(state))
        ret->acted |= ACTION_BIT(kind);
    if (state == PLAN_DONE)
        ret->done |= ACTION_BIT(kind);
    else if (state == PLAN_UNDONE)
        ret->done &= ~ACTION_BIT(kind);
    if (kind == ACTION_QUARANTINE && state == PLAN_UNDONE)
        ret->released = true;
    return true;
}

static int fill_plans(struct driver *driver, const struct placement_row *row,
                      const struct digest *digest, struct store_context *ret, struct error *err)
{
    static const char sql[] =
        "SELECT kind, state FROM plans WHERE placement_id = $1 AND digest = $2 ORDER BY id";

    if (row->id == 0)
        return 0;
    return driver_each(driver, sql, BINDS(bind_integer(row->id), bind_digest(digest)),
                       (struct each){take_plan, ret}, err);
}

static int read_run(struct operation *operation, const struct session *session, struct error *err)
{
    struct read_context *read_it = (struct read_context *)operation;
    const struct digest *digest = &read_it->event.digest;
    struct place place = place_of_event(&read_it->event);
    struct store_context *ret = &read_it->context;
    struct placement_row row;

    facts_free(TAKE(ret->facts));
    *ret = (struct store_context){0};
    int failure = placement_find(session->driver, &place, &row, err);
    if (failure < 0)
        return failure;
    fill_placement(&row, digest, ret);
    failure = fill_plans(session->driver, &row, digest, ret, err);
    if (failure == 0)
        failure = push_is_own(session->driver, &place, &row, &ret->is_own_push, err);
    if (failure == 0 && digest_is_set(digest))
        failure = facts_find(session, digest, &ret->facts, &ret->facts_are_large, err);
    return failure;
}

static void read_finish(struct operation *operation)
{
    struct read_context *read_it = (struct read_context *)operation;

    read_it->done(read_it->argument, operation->error, operation->error ? NULL : &read_it->context);
    facts_free(read_it->context.facts);
    event_release(&read_it->event);
    operation_free(operation);
}

static const struct operation_type read_type = {
    .doing = "read what is known of a placement",
    .lane = LANE_READ,
    .run = read_run,
    .finish = read_finish,
};

void store_read_context(struct store *store, const struct event *event, store_context_f *done,
                        void *argument)
{
    struct read_context *read_it = memory_new(sizeof(*read_it));

    read_it->base.type = &read_type;
    read_it->done = done;
    read_it->argument = argument;
    event_copy(&read_it->event, event);
    store_submit(store, &read_it->base);
}
