/* Rows of placements: find, move, save, end. The meaning of "previous" and "last passing" is here
 * and nowhere else. */
#include "placements.h"

#include <assert.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

static const struct digest no_digest;

static const struct digest *key_digest(const struct place *place)
{
    return place->tag ? &no_digest : place->digest;
}

static const char *key_tag(const struct place *place)
{
    return place->tag ? place->tag : "";
}

struct place place_of_event(const struct event *event)
{
    return (struct place){.registry = event->registry,
                          .repository = event->repository,
                          .tag = event->tag,
                          .digest = &event->digest};
}

static bool take_row(void *argument, const struct row *row)
{
    struct placement_row *ret = argument;
    const char *revision = row_text(row, 15);

    ret->id = row_integer(row, 0);
    row_digest(row, 1, &ret->digest);
    ret->size_bytes = (uint64_t)row_integer(row, 2);
    row_digest(row, 3, &ret->previous);
    ret->previous_size_bytes = (uint64_t)row_integer(row, 4);
    row_digest(row, 5, &ret->passing);
    row_digest(row, 6, &ret->passing_before);
    ret->first_seen_ms = row_integer(row, 7);
    ret->last_seen_ms = row_integer(row, 8);
    ret->gone_ms = row_integer(row, 9);
    ret->newest_event = row_integer(row, 10);
    ret->sweep = row_integer(row, 11);
    ret->artifact = row_integer(row, 12) != 0;
    ret->verdict_id = row_integer(row, 13);
    ret->verdict = (enum verdict_status)row_integer(row, 14);
    snprintf(ret->policy_revision, sizeof(ret->policy_revision), "%s", revision ? revision : "");
    return false;
}

int placement_find(struct driver *driver, const struct place *place, struct placement_row *ret,
                   struct error *err)
{
    static const char sql[] =
        "SELECT p.id, p.digest, p.size_bytes, p.previous, p.previous_size_bytes, p.passing,"
        " p.passing_before, p.first_seen_ms, s.last_seen_ms, p.gone_ms, s.newest_event, s.sweep,"
        " p.artifact, p.verdict_id, p.verdict, p.policy_revision"
        " FROM placements p JOIN sightings s ON s.placement_id = p.id"
        " WHERE p.registry = $1 AND p.repository = $2 AND p.tag = $3 AND p.untagged = $4";
    struct placement_row row = {0};
    int failure = driver_each(driver, sql,
                              BINDS(bind_text(place->registry), bind_text(place->repository),
                                    bind_text(key_tag(place)), bind_digest(key_digest(place))),
                              (struct each){take_row, &row}, err);

    if (failure < 0)
        return failure;
    *ret = row;
    return 0;
}

int placement_end_verdict(struct driver *driver, struct placement_row *row, int64_t at_ms,
                          struct error *err)
{
    static const char end[] = "UPDATE verdicts SET superseded_ms = $2 WHERE id = $1";
    static const char forget[] = "DELETE FROM findings WHERE placement_id = $1";

    if (row->verdict_id == 0)
        return 0;
    int failure =
        driver_run(driver, end, BINDS(bind_integer(row->verdict_id), bind_integer(at_ms)), err);
    if (failure == 0)
        failure = driver_run(driver, forget, BINDS(bind_integer(row->id)), err);
    if (failure == 0)
        row->verdict_id = 0;
    return failure;
}

int placement_move(struct driver *driver, struct placement_row *row, const struct digest *digest,
                   int64_t at_ms, struct error *err)
{
    bool same = row->id != 0 && digest_equal(&row->digest, digest);

    if (row->last_seen_ms < at_ms)
        row->last_seen_ms = at_ms;
    row->gone_ms = 0;
    if (same)
        return 0;
    if (digest_is_set(&row->digest)) {
        row->previous = row->digest;
        row->previous_size_bytes = row->size_bytes;
    }
    row->digest = *digest;
    row->size_bytes = 0;
    row->first_seen_ms = at_ms;
    row->artifact = false;
    return placement_end_verdict(driver, row, at_ms, err);
}

static int insert(struct driver *driver, const struct place *place, struct placement_row *row,
                  struct error *err)
{
    static const char sql[] =
        "INSERT INTO placements (registry, repository, tag, untagged, digest, size_bytes,"
        " previous, previous_size_bytes, passing, passing_before, first_seen_ms, gone_ms,"
        " artifact, media_type, pusher, verdict_id, verdict, policy_revision)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7, $7, $8, 0, $9, $10, $11, 0, 0, '')";

    return driver_insert(driver, sql,
                         BINDS(bind_text(place->registry), bind_text(place->repository),
                               bind_text(key_tag(place)), bind_digest(key_digest(place)),
                               bind_digest(&row->digest), bind_integer((int64_t)row->size_bytes),
                               bind_digest(&no_digest), bind_integer(row->first_seen_ms),
                               bind_integer(row->artifact), bind_text(row->media_type),
                               bind_text(row->pusher)),
                         &row->id, err);
}

static int update(struct driver *driver, const struct placement_row *row, struct error *err)
{
    static const char sql[] =
        "UPDATE placements SET digest = $2, size_bytes = $3, previous = $4,"
        " previous_size_bytes = $5, passing = $6, passing_before = $7, first_seen_ms = $8,"
        " gone_ms = $9, artifact = $10, verdict_id = $11, verdict = $12, policy_revision = $13,"
        " media_type = coalesce($14, media_type), pusher = coalesce($15, pusher) WHERE id = $1";

    return driver_run(driver, sql,
                      BINDS(bind_integer(row->id), bind_digest(&row->digest),
                            bind_integer((int64_t)row->size_bytes), bind_digest(&row->previous),
                            bind_integer((int64_t)row->previous_size_bytes),
                            bind_digest(&row->passing), bind_digest(&row->passing_before),
                            bind_integer(row->first_seen_ms), bind_integer(row->gone_ms),
                            bind_integer(row->artifact), bind_integer(row->verdict_id),
                            bind_integer(row->verdict), bind_text(row->policy_revision),
                            bind_text(row->media_type), bind_text(row->pusher)),
                      err);
}

int placement_sight(struct driver *driver, const struct placement_row *row, struct error *err)
{
    static const char sql[] =
        "INSERT INTO sightings (placement_id, last_seen_ms, newest_event, sweep)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (placement_id) DO UPDATE SET"
        " last_seen_ms = excluded.last_seen_ms, newest_event = excluded.newest_event,"
        " sweep = excluded.sweep";

    return driver_run(driver, sql,
                      BINDS(bind_integer(row->id), bind_integer(row->last_seen_ms),
                            bind_integer(row->newest_event), bind_integer(row->sweep)),
                      err);
}

int placement_save(struct driver *driver, const struct place *place, struct placement_row *row,
                   struct error *err)
{
    int failure = row->id == 0 ? insert(driver, place, row, err) : update(driver, row, err);

    return failure < 0 ? failure : placement_sight(driver, row, err);
}

int placement_make_known(struct driver *driver, const struct event *event, struct error *err)
{
    struct place place = place_of_event(event);
    struct placement_row row;

    if (!event->tag && !digest_is_set(&event->digest))
        return 0; /* names nothing */
    int failure = placement_find(driver, &place, &row, err);
    if (failure < 0)
        return failure;
    if (row.id != 0 && (!digest_is_set(&event->digest) || row.newest_event > event->id))
        return 0; /* nothing is said that is newer than what is known */
    row.newest_event = event->id;
    failure = placement_move(driver, &row, &event->digest, event->received_ms, err);
    return failure < 0 ? failure : placement_save(driver, &place, &row, err);
}

int placement_end(struct driver *driver, int64_t id, int64_t at_ms, struct error *err)
{
    static const char end_verdict[] =
        "UPDATE verdicts SET superseded_ms = $2"
        " WHERE id = (SELECT verdict_id FROM placements WHERE id = $1)";
    static const char forget[] = "DELETE FROM findings WHERE placement_id = $1";
    static const char mark[] = "UPDATE placements SET gone_ms = $2, verdict_id = 0 WHERE id = $1";
    int failure =
        driver_run(driver, end_verdict, BINDS(bind_integer(id), bind_integer(at_ms)), err);

    if (failure == 0)
        failure = driver_run(driver, forget, BINDS(bind_integer(id)), err);
    if (failure == 0)
        failure = driver_run(driver, mark, BINDS(bind_integer(id), bind_integer(at_ms)), err);
    return failure;
}

const struct digest *placement_last_passing(const struct placement_row *row,
                                            const struct digest *digest)
{
    return digest_equal(&row->passing, digest) ? &row->passing_before : &row->passing;
}

static bool take_push(void *argument, const struct row *row)
{
    (void)row;
    *(bool *)argument = true;
    return false;
}

/* A tag that others use too, as after a rollback, is judged like any other push: the answer is
 * cheap, and what they push there later must not pass for ours. */
int push_is_own(struct driver *driver, const struct place *place, const struct placement_row *row,
                bool *ret, struct error *err)
{
    static const char sql[] =
        "SELECT plan_id FROM pushes WHERE registry = $1 AND repository = $2 AND digest = $3"
        " AND ($4 = '' OR reference = $4)";
    bool found = false;

    if (row->id != 0 || !digest_is_set(place->digest)) {
        *ret = false;
        return 0;
    }
    int failure = driver_each(driver, sql,
                              BINDS(bind_text(place->registry), bind_text(place->repository),
                                    bind_digest(place->digest), bind_text(key_tag(place))),
                              (struct each){take_push, &found}, err);
    if (failure == 0)
        *ret = found;
    return failure;
}
