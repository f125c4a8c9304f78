/* The status: how much of what is known has been judged, what is waiting, what failed. A tag counts
 * as judged when the verdict in force is about the digest that the newest event names. */
#include "list.h"
#include "regwarden/clock.h"
#include "regwarden/memory.h"

struct status {
    struct listing *listing;
    struct json *registries; /* array */
    struct json *object;     /* that the current query fills */
    int64_t tags, judged, artifacts, untagged;
    int64_t oldest_ms; /* unjudged since; 0 none */
};

static struct json *registry_entry(struct status *status, const char *registry)
{
    for (size_t i = 0; i < json_count(status->registries); i++) {
        struct json *entry = json_at(status->registries, i);

        if (text_equal(json_get_string(entry, "registry"), registry))
            return entry;
    }
    struct json *entry = json_new_object();
    json_set_string(entry, "registry", registry);
    json_set_integer(entry, "tags", 0);
    json_set_integer(entry, "judged", 0);
    json_set_integer(entry, "unjudged", 0);
    json_append_take(status->registries, entry);
    return entry;
}

static void add_to(struct json *entry, const char *key, int64_t count)
{
    json_set_integer(entry, key, json_get_integer(entry, key, 0) + count);
}

static void note_oldest(struct status *status, struct json *entry, int64_t ms)
{
    if (ms == 0)
        return;
    if (status->oldest_ms == 0 || ms < status->oldest_ms)
        status->oldest_ms = ms;
    int64_t known_ms = 0;
    const char *known = json_get_string(entry, "oldestUnjudgedAt");
    if (!known || (clock_parse_rfc3339(known, &known_ms, NULL) == 0 && ms < known_ms))
        json_set_time(entry, "oldestUnjudgedAt", ms);
}

static bool take_placements(void *argument, const struct row *row)
{
    struct status *status = argument;
    struct json *entry = registry_entry(status, row_text(row, 0));
    int64_t tags = row_integer(row, 1);
    int64_t judged = row_integer(row, 2);

    status->tags += tags;
    status->judged += judged;
    status->artifacts += row_integer(row, 3);
    status->untagged += row_integer(row, 4);
    add_to(entry, "tags", tags);
    add_to(entry, "judged", judged);
    add_to(entry, "unjudged", tags - judged);
    note_oldest(status, entry, row_integer(row, 5));
    return true;
}

/* An open push of a tag that is not recorded with its digest: the tag is known, and what is judged
 * of it is not what it points at. Several open pushes of one tag count once. */
static bool take_open(void *argument, const struct row *row)
{
    struct status *status = argument;
    struct json *entry = registry_entry(status, row_text(row, 0));
    int64_t new_tags = row_integer(row, 1);
    int64_t moved_tags = row_integer(row, 2);

    status->tags += new_tags;
    status->judged -= moved_tags;
    add_to(entry, "tags", new_tags);
    add_to(entry, "judged", -moved_tags);
    add_to(entry, "unjudged", new_tags + moved_tags);
    note_oldest(status, entry, row_integer(row, 3));
    return true;
}

static int read_placements(struct status *status, struct error *err)
{
    static const char placements[] =
        "SELECT registry, SUM(CASE WHEN tag <> '' AND artifact = 0 THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN tag <> '' AND artifact = 0 AND verdict_id > 0 THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN artifact <> 0 THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN tag = '' AND artifact = 0 THEN 1 ELSE 0 END),"
        " MIN(CASE WHEN tag <> '' AND artifact = 0 AND verdict_id = 0 THEN first_seen_ms END)"
        " FROM placements WHERE gone_ms = 0 GROUP BY registry ORDER BY registry";
    static const char open_ones[] =
        "SELECT registry, SUM(is_new), SUM(1 - is_new), MIN(received_ms) FROM ("
        " SELECT e.registry, e.repository, e.tag, MIN(e.received_ms) AS received_ms,"
        " CASE WHEN MAX(p.id) IS NULL THEN 1 ELSE 0 END AS is_new"
        " FROM open_events o JOIN events e ON e.id = o.id"
        " LEFT JOIN placements p ON p.registry = e.registry AND p.repository = e.repository"
        " AND p.tag = e.tag AND p.gone_ms = 0"
        " WHERE e.action = $1 AND e.tag IS NOT NULL AND (p.id IS NULL OR (p.verdict_id > 0"
        " AND p.digest <> e.digest AND e.digest <> $2))"
        " GROUP BY e.registry, e.repository, e.tag) AS named GROUP BY registry ORDER BY registry";
    static const struct digest none;
    struct driver *driver = status->listing->session->driver;
    int failure =
        driver_each(driver, placements, NO_BINDS, (struct each){take_placements, status}, err);

    if (failure < 0)
        return failure;
    return driver_each(driver, open_ones, BINDS(bind_integer(EVENT_PUSH), bind_digest(&none)),
                       (struct each){take_open, status}, err);
}

static void set_age(struct json *object, const char *at_key, const char *age_key, int64_t now_ms,
                    int64_t ms)
{
    json_set_time(object, at_key, ms);
    if (ms != 0)
        json_set_integer(object, age_key, now_ms > ms ? now_ms - ms : 0);
}

static struct json *tags_of(const struct status *status)
{
    struct json *tags = json_new_object();

    json_set_integer(tags, "known", status->tags);
    json_set_integer(tags, "judged", status->judged);
    json_set_integer(tags, "unjudged", status->tags - status->judged);
    json_set_integer(tags, "artifacts", status->artifacts);
    json_set_integer(tags, "untagged", status->untagged);
    set_age(tags, "oldestUnjudgedAt", "oldestUnjudgedAgeMs", status->listing->now_ms,
            status->oldest_ms);
    return tags;
}

static bool take_events(void *argument, const struct row *row)
{
    struct status *status = argument;

    json_set_integer(status->object, "open", row_integer(row, 0));
    set_age(status->object, "oldestAt", "oldestAgeMs", status->listing->now_ms,
            row_integer(row, 1));
    return false;
}

static bool take_letters(void *argument, const struct row *row)
{
    struct status *status = argument;

    json_set_integer(status->object, row_text(row, 0), row_integer(row, 1));
    add_to(status->object, "total", row_integer(row, 1));
    return true;
}

static bool take_plans(void *argument, const struct row *row)
{
    struct status *status = argument;

    json_set_integer(status->object, plan_state_name((enum plan_state)row_integer(row, 0)),
                     row_integer(row, 1));
    return true;
}

static bool take_verdicts(void *argument, const struct row *row)
{
    struct status *status = argument;

    json_set_integer(status->object, verdict_status_name((enum verdict_status)row_integer(row, 0)),
                     row_integer(row, 1));
    return true;
}

/* Keys that are there also when nothing is counted. */
static struct json *zeroes(const char *const *names)
{
    struct json *object = json_new_object();

    for (size_t i = 0; names[i]; i++)
        json_set_integer(object, names[i], 0);
    return object;
}

static const struct part {
    const char *key;
    const char *const *names;
    const char *sql;
    row_f *row;
} parts[] = {
    {.key = "events",
     .names = (const char *const[]){"open", NULL},
     .sql = "SELECT (SELECT count(*) FROM open_events),"
            " (SELECT received_ms FROM events WHERE id = (SELECT min(id) FROM open_events))",
     .row = take_events},
    {.key = "deadLetters",
     .names = (const char *const[]){"total", "hook", "event", "notification", NULL},
     .sql = "SELECT kind, count(*) FROM dead_letters GROUP BY kind",
     .row = take_letters},
    {.key = "plans",
     .names =
         (const char *const[]){"planned", "done", "failed", "skipped", "undone", "would", NULL},
     .sql = "SELECT state, count(*) FROM plans GROUP BY state",
     .row = take_plans},
    {.key = "verdicts",
     .names = (const char *const[]){"pass", "warn", "fail", "unknown", NULL},
     .sql = "SELECT verdict, count(*) FROM placements WHERE verdict_id > 0 AND tag <> ''"
            " GROUP BY verdict",
     .row = take_verdicts},
};

static bool take_sweep(void *argument, const struct row *row)
{
    struct status *status = argument;
    struct json *sweep = json_new_object();

    json_set_integer(sweep, "id", row_integer(row, 1));
    json_set_string(sweep, "cause", row_text(row, 2));
    json_set_string(sweep, "state",
                    row_integer(row, 4) == 0   ? "running"
                    : row_integer(row, 5) != 0 ? "complete"
                                               : "incomplete");
    json_set_time(sweep, "startedAt", row_integer(row, 3));
    json_set_time(sweep, "finishedAt", row_integer(row, 4));
    json_set_string(sweep, "reason", row_text(row, 6));
    json_set_integer(sweep, "seen", row_integer(row, 7));
    json_set_integer(sweep, "wanted", row_integer(row, 8));
    json_set_take(registry_entry(status, row_text(row, 0)), "lastSweep", sweep);
    return true;
}

static int read_parts(struct status *status, struct json *document, struct error *err)
{
    struct driver *driver = status->listing->session->driver;

    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        status->object = zeroes(parts[i].names);
        json_set_take(document, parts[i].key, status->object);
        int failure =
            driver_each(driver, parts[i].sql, NO_BINDS, (struct each){parts[i].row, status}, err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

static int read_sweeps(struct status *status, struct error *err)
{
    static const char sql[] =
        "SELECT registry, id, cause, started_ms, finished_ms, complete, reason, seen, wanted"
        " FROM sweeps WHERE id IN (SELECT max(id) FROM sweeps GROUP BY registry)";

    return driver_each(status->listing->session->driver, sql, NO_BINDS,
                       (struct each){take_sweep, status}, err);
}

int list_status(struct listing *listing, struct json **ret, struct error *err)
{
    AUTO_JSON struct json *document = json_new_object();
    AUTO_JSON struct json *registries = json_new_array();
    struct status status = {.listing = listing, .registries = registries};
    int failure = read_placements(&status, err);

    if (failure < 0)
        return failure;
    json_set_time(document, "generatedAt", listing->now_ms);
    json_set_take(document, "tags", tags_of(&status));
    failure = read_parts(&status, document, err);
    if (failure == 0)
        failure = read_sweeps(&status, err);
    if (failure < 0)
        return failure;
    json_set_take(document, "registries", TAKE(registries));
    *ret = TAKE(document);
    return 0;
}
