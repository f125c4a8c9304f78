/* The schema and the way to it. 0 stands where SQL would have NULL in times and ids ("not yet",
 * "none"), an empty digest for "none": one kind of absence less to think about in queries. */
#include "migrations.h"

#include <inttypes.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

static const char record_sql[] =
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value {bytes} NOT NULL);"

    /* What is not done yet is in open_events, which stays small; events itself is only added to. */
    "CREATE TABLE events (id {key}, received_ms BIGINT NOT NULL,"
    " action BIGINT NOT NULL, cause BIGINT NOT NULL, registry TEXT NOT NULL,"
    " repository TEXT NOT NULL, tag TEXT, digest {bytes} NOT NULL, media_type TEXT, actor TEXT,"
    " source_id TEXT);"
    "CREATE TABLE open_events (id {key});"

    "CREATE TABLE facts (digest {bytes} NOT NULL PRIMARY KEY, version BIGINT NOT NULL,"
    " document {bytes} NOT NULL);"

    /* A tag, with what it points at and what stood there before; or, with an empty tag, one
     * untagged digest. */
    "CREATE TABLE placements (id {id}, registry TEXT NOT NULL, repository TEXT NOT NULL,"
    " tag TEXT NOT NULL, untagged {bytes} NOT NULL, digest {bytes} NOT NULL,"
    " size_bytes BIGINT NOT NULL, previous {bytes} NOT NULL, previous_size_bytes BIGINT NOT NULL,"
    " passing {bytes} NOT NULL, passing_before {bytes} NOT NULL, media_type TEXT, pusher TEXT,"
    " first_seen_ms BIGINT NOT NULL, gone_ms BIGINT NOT NULL, artifact BIGINT NOT NULL,"
    " verdict_id BIGINT NOT NULL, verdict BIGINT NOT NULL, policy_revision TEXT NOT NULL,"
    " UNIQUE (registry, repository, tag, untagged));"
    /* One for each placement: what changes with every push and every sweep, in rows so small that
     * many of them change in one page. */
    "CREATE TABLE sightings (placement_id {key}, last_seen_ms BIGINT NOT NULL,"
    " newest_event BIGINT NOT NULL, sweep BIGINT NOT NULL);"
    "CREATE INDEX placements_digest ON placements (digest);"
    "CREATE INDEX placements_verdict ON placements (verdict_id);"

    "CREATE TABLE verdicts (id {id}, placement_id BIGINT NOT NULL, digest {bytes} NOT NULL,"
    " tagged BIGINT NOT NULL, status BIGINT NOT NULL, policy_revision TEXT NOT NULL,"
    " judged_ms BIGINT NOT NULL, superseded_ms BIGINT NOT NULL, document {bytes} NOT NULL);"
    "CREATE INDEX verdicts_placement ON verdicts (placement_id);"
    "CREATE INDEX verdicts_judged ON verdicts (judged_ms, tagged, status);"
    "CREATE INDEX verdicts_superseded ON verdicts (superseded_ms, tagged, status);"

    /* Of the verdicts in force, counted per rule: for sums and for the filter. */
    "CREATE TABLE findings (placement_id BIGINT NOT NULL, rule TEXT NOT NULL,"
    " severity BIGINT NOT NULL, status BIGINT NOT NULL, findings BIGINT NOT NULL,"
    " PRIMARY KEY (placement_id, rule, severity, status));"
    "CREATE INDEX findings_rule ON findings (rule, severity, status, placement_id, findings);";

static const char actions_sql[] =
    "CREATE TABLE plans (id {id}, placement_id BIGINT NOT NULL, digest {bytes} NOT NULL,"
    " verdict_id BIGINT NOT NULL, kind BIGINT NOT NULL, state BIGINT NOT NULL,"
    " audit BIGINT NOT NULL, at_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,"
    " detail TEXT, undo TEXT, reason TEXT, attempts BIGINT NOT NULL);"
    "CREATE INDEX plans_placement ON plans (placement_id, digest);"
    "CREATE INDEX plans_state ON plans (state, id);"
    "CREATE INDEX plans_verdict ON plans (verdict_id);"

    /* What we announced to push, so that its events are known as ours. */
    "CREATE TABLE pushes (registry TEXT NOT NULL, repository TEXT NOT NULL,"
    " digest {bytes} NOT NULL, reference TEXT NOT NULL, plan_id BIGINT NOT NULL,"
    " PRIMARY KEY (registry, repository, digest, reference));"
    "CREATE INDEX pushes_plan ON pushes (plan_id);"

    "CREATE TABLE dead_letters (id {id}, at_ms BIGINT NOT NULL, kind TEXT NOT NULL, registry TEXT,"
    " dialect TEXT, reason TEXT NOT NULL, body {bytes} NOT NULL, body_bytes BIGINT NOT NULL);";

static const char upkeep_sql[] =
    "CREATE TABLE sweeps (id {id}, registry TEXT NOT NULL, cause TEXT NOT NULL,"
    " started_ms BIGINT NOT NULL, finished_ms BIGINT NOT NULL, complete BIGINT NOT NULL,"
    " reason TEXT, seen BIGINT NOT NULL, wanted BIGINT NOT NULL);"
    "CREATE INDEX sweeps_registry ON sweeps (registry, id);"

    "CREATE TABLE waivers (number {id}, id TEXT NOT NULL UNIQUE, created_ms BIGINT NOT NULL,"
    " expires_ms BIGINT NOT NULL, revoked_ms BIGINT NOT NULL, revoked_by TEXT,"
    " document TEXT NOT NULL);";

/* What was found in layers; `probes` are the ids that were asked, each with a blank behind it. */
static const char layers_sql[] =
    "CREATE TABLE layers (digest {bytes} NOT NULL PRIMARY KEY, version BIGINT NOT NULL,"
    " probes TEXT NOT NULL, used_ms BIGINT NOT NULL, document {bytes} NOT NULL);"
    "CREATE INDEX layers_used ON layers (used_ms);";

static const char bases_sql[] =
    "CREATE TABLE bases (digest {bytes} NOT NULL PRIMARY KEY, document TEXT NOT NULL);"
    "CREATE TABLE base_sources (reference TEXT NOT NULL PRIMARY KEY, added_ms BIGINT NOT NULL,"
    " added_by TEXT);";

/* As a JSON object; NULL where there are none. */
static const char letter_headers_sql[] = "ALTER TABLE dead_letters ADD COLUMN headers TEXT;";

/* How far a sweep has come, and of which repositories it could not see all; which of the tags that
 * we put it has seen. */
static const char positions_sql[] =
    "ALTER TABLE sweeps ADD COLUMN position TEXT;"
    "ALTER TABLE sweeps ADD COLUMN saved_ms BIGINT NOT NULL DEFAULT 0;"
    "CREATE TABLE sweep_exceptions (sweep_id BIGINT NOT NULL, repository TEXT NOT NULL,"
    " PRIMARY KEY (sweep_id, repository));"
    "ALTER TABLE pushes ADD COLUMN sweep BIGINT NOT NULL DEFAULT 0;";

/* What is said of an image concerns the indexes that it is part of. */
static const char index_children_sql[] =
    "CREATE TABLE index_children (child {bytes} NOT NULL, parent {bytes} NOT NULL,"
    " PRIMARY KEY (child, parent));";

const struct migration migrations[] = {
    {.number = 1, .name = "events, facts, placements and verdicts", .sql = record_sql},
    {.number = 2, .name = "plans, pushes and dead letters", .sql = actions_sql},
    {.number = 3, .name = "sweeps and waivers", .sql = upkeep_sql},
    {.number = 4, .name = "layers", .sql = layers_sql},
    {.number = 5, .name = "known bases", .sql = bases_sql},
    {.number = 6, .name = "headers of dead letters", .sql = letter_headers_sql},
    {.number = 7, .name = "positions of sweeps", .sql = positions_sql},
    {.number = 8, .name = "children of indexes", .sql = index_children_sql},
};
const size_t migration_count = ARRAY_COUNT(migrations);

static bool take_number(void *argument, const struct row *row)
{
    *(int64_t *)argument = row_integer(row, 0);
    return false;
}

static int apply(struct driver *driver, const struct migration *step, int64_t now_ms,
                 struct error *err)
{
    static const char note[] =
        "INSERT INTO migrations (number, name, applied_ms) VALUES ($1, $2, $3)";
    int failure = driver->type->begin(driver, err);

    if (failure < 0)
        return failure;
    failure = driver->type->define(driver, step->sql, err);
    if (failure == 0)
        failure = driver_run(
            driver, note,
            BINDS(bind_integer(step->number), bind_text(step->name), bind_integer(now_ms)), err);
    if (failure == 0)
        failure = driver->type->commit(driver, err);
    if (failure == 0)
        return 0;
    driver->type->rollback(driver);
    return error_wrap(err, "schema step %" PRId64 " (%s)", step->number, step->name);
}

int migrate(struct driver *driver, const struct migration *steps, size_t count, int64_t now_ms,
            struct error *err)
{
    static const char table[] =
        "CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY,"
        " name TEXT NOT NULL, applied_ms BIGINT NOT NULL)";
    static const char last[] = "SELECT coalesce(max(number), 0) FROM migrations";
    int64_t known = count > 0 ? steps[count - 1].number : 0;
    int64_t number = 0;
    int failure = driver->type->define(driver, table, err);

    if (failure == 0)
        failure = driver_each(driver, last, NO_BINDS, (struct each){take_number, &number}, err);
    if (failure < 0)
        return failure;
    if (number > known) {
        error_set(err, FAILURE_INPUT,
                  "the store has schema %" PRId64 ", this program knows up to %" PRId64, number,
                  known);
        return error_hint(err, "start the newer regwarden that wrote it, or use another store");
    }
    for (size_t i = 0; i < count && failure == 0; i++) {
        if (steps[i].number > number)
            failure = apply(driver, &steps[i], now_ms, err);
    }
    return failure;
}
