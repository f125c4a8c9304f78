/* Lists that show one table each: dead letters, plans, waivers, sweeps. */
#include "list.h"
#include "regwarden/memory.h"

enum { BODY_SHOWN_BYTES = 1024 };

static bool is_wanted(const char *wanted, const char *value)
{
    return !wanted || text_equal(wanted, value);
}

/* --- dead letters --- */

/* What does not read back is left out: the letter is shown all the same. */
static void set_headers(struct json *item, const char *text)
{
    struct json *headers = NULL;

    if (text && json_parse(text, strlen(text), NULL, &headers, NULL) == 0)
        json_set_take(item, "headers", headers);
}

static bool take_letter(void *argument, const struct row *row)
{
    struct listing *listing = argument;
    size_t size;

    if (!is_wanted(listing->filter->kind, row_text(row, 2)))
        return true;
    const char *body = row_bytes(row, 6, &size);
    if (listing->filter->id == 0 && size > BODY_SHOWN_BYTES)
        size = BODY_SHOWN_BYTES;
    AUTO_FREE char *shown = memory_copy_bytes(body ? body : "", body ? size : 0);
    struct json *item = json_new_object();
    json_set_integer(item, "id", row_integer(row, 0));
    json_set_time(item, "at", row_integer(row, 1));
    json_set_string(item, "kind", row_text(row, 2));
    json_set_string(item, "registry", row_text(row, 3));
    json_set_string(item, "dialect", row_text(row, 4));
    json_set_string(item, "reason", row_text(row, 5));
    set_headers(item, row_text(row, 8));
    json_set_string(item, "body", shown);
    json_set_integer(item, "bodyBytes", row_integer(row, 7));
    return list_add_take(listing, item);
}

int list_dead_letters(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        "SELECT id, at_ms, kind, registry, dialect, reason, body, body_bytes, headers"
        " FROM dead_letters"
        " WHERE id < $1 AND ($2 = 0 OR id = $2)"
        " AND (CAST($3 AS TEXT) IS NULL OR registry = $3) AND at_ms >= $4 ORDER BY id DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id),
                                       bind_text(filter->registry), bind_integer(filter->since_ms)),
                        .each.row = take_letter},
        ret, err);
}

/* --- plans --- */

static int set_document(struct json *item, const char *key, const char *text, struct error *err)
{
    struct json *json = NULL;

    if (!text)
        return 0;
    if (json_parse(text, strlen(text), NULL, &json, err) < 0) {
        error_wrap(err, "a stored plan is damaged");
        err->kind = FAILURE_SYSTEM;
        return FAILURE_SYSTEM;
    }
    json_set_take(item, key, json);
    return 0;
}

static struct json *plan_item(const struct row *row)
{
    const char *tag = row_text(row, 7);
    struct json *item = json_new_object();
    struct digest digest;

    json_set_integer(item, "id", row_integer(row, 0));
    json_set_string(item, "kind", action_kind_name((enum action_kind)row_integer(row, 1)));
    json_set_string(item, "state", plan_state_name((enum plan_state)row_integer(row, 2)));
    json_set_time(item, "at", row_integer(row, 3));
    json_set_time(item, "updatedAt", row_integer(row, 4));
    json_set_string(item, "registry", row_text(row, 5));
    json_set_string(item, "repository", row_text(row, 6));
    json_set_string(item, "tag", tag && *tag ? tag : NULL);
    row_digest(row, 8, &digest);
    json_set_digest(item, "digest", &digest);
    json_set_integer(item, "verdictId", row_integer(row, 9));
    json_set_bool(item, "audit", row_integer(row, 10) != 0);
    json_set_string(item, "reason", row_text(row, 13));
    json_set_integer(item, "attempts", row_integer(row, 14));
    return item;
}

static bool take_plan(void *argument, const struct row *row)
{
    struct listing *listing = argument;
    struct error error = {0};

    if (!is_wanted(listing->filter->kind,
                   action_kind_name((enum action_kind)row_integer(row, 1))) ||
        !is_wanted(listing->filter->state, plan_state_name((enum plan_state)row_integer(row, 2))) ||
        !list_takes_repository(listing, row_text(row, 5), row_text(row, 6)))
        return true;
    AUTO_JSON struct json *item = plan_item(row);
    if (set_document(item, "detail", row_text(row, 11), &error) < 0 ||
        set_document(item, "undo", row_text(row, 12), &error) < 0)
        return list_fail(listing, &error);
    return list_add_take(listing, TAKE(item));
}

int list_plans(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        "SELECT plans.id, plans.kind, plans.state, plans.at_ms, plans.updated_ms, p.registry,"
        " p.repository, p.tag, plans.digest, plans.verdict_id, plans.audit, plans.detail,"
        " plans.undo, plans.reason, plans.attempts"
        " FROM plans JOIN placements p ON p.id = plans.placement_id"
        " WHERE plans.id < $1 AND ($2 = 0 OR plans.id = $2)"
        " AND (CAST($3 AS TEXT) IS NULL OR p.registry = $3)"
        " AND (CAST($4 AS TEXT) IS NULL OR p.tag = $4)"
        " AND plans.updated_ms >= $5 ORDER BY plans.id DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id),
                                       bind_text(filter->registry), bind_text(filter->tag),
                                       bind_integer(filter->since_ms)),
                        .each.row = take_plan},
        ret, err);
}

/* --- waivers --- */

static const char *waiver_state(const struct row *row, int64_t now_ms)
{
    if (row_integer(row, 3) != 0)
        return "revoked";
    return row_integer(row, 2) <= now_ms ? "expired" : "active";
}

static bool take_waiver(void *argument, const struct row *row)
{
    struct listing *listing = argument;
    const char *document = row_text(row, 5);
    const char *state = waiver_state(row, listing->now_ms);
    struct error error = {0};
    struct json *item = NULL;

    if (!is_wanted(listing->filter->state, state))
        return true;
    if (json_parse(document, strlen(document), NULL, &item, &error) < 0) {
        error_wrap(&error, "a stored waiver is damaged");
        return list_fail(listing, &error);
    }
    json_set_integer(item, "number", row_integer(row, 0));
    json_set_string(item, "state", state);
    json_set_time(item, "createdAt", row_integer(row, 1));
    json_set_time(item, "revokedAt", row_integer(row, 3));
    json_set_string(item, "revokedBy", row_text(row, 4));
    return list_add_take(listing, item);
}

int list_waivers(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        "SELECT number, created_ms, expires_ms, revoked_ms, revoked_by, document FROM waivers"
        " WHERE number < $1 AND ($2 = 0 OR number = $2) ORDER BY number DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id)),
                        .each.row = take_waiver},
        ret, err);
}

/* --- sweeps --- */

static const char *sweep_state(const struct row *row)
{
    if (row_integer(row, 4) == 0)
        return "running";
    return row_integer(row, 5) != 0 ? "complete" : "incomplete";
}

static bool take_sweep(void *argument, const struct row *row)
{
    struct listing *listing = argument;

    if (!is_wanted(listing->filter->state, sweep_state(row)))
        return true;
    struct json *item = json_new_object();
    json_set_integer(item, "id", row_integer(row, 0));
    json_set_string(item, "registry", row_text(row, 1));
    json_set_string(item, "cause", row_text(row, 2));
    json_set_string(item, "state", sweep_state(row));
    json_set_time(item, "startedAt", row_integer(row, 3));
    json_set_time(item, "finishedAt", row_integer(row, 4));
    json_set_string(item, "reason", row_text(row, 6));
    json_set_integer(item, "seen", row_integer(row, 7));
    json_set_integer(item, "wanted", row_integer(row, 8));
    return list_add_take(listing, item);
}

int list_sweeps(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        "SELECT id, registry, cause, started_ms, finished_ms, complete, reason, seen, wanted"
        " FROM sweeps WHERE id < $1 AND ($2 = 0 OR id = $2)"
        " AND (CAST($3 AS TEXT) IS NULL OR registry = $3) AND started_ms >= $4 ORDER BY id DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id),
                                       bind_text(filter->registry), bind_integer(filter->since_ms)),
                        .each.row = take_sweep},
        ret, err);
}
