/* The record of a review: facts, placement, verdict, plans and finished events in one transaction.
 *
 * Reviews of one tag may end in another order than its events came in: a verdict about a digest
 * that the tag has left since is kept as history, and the placement stays where it is. */
#include <assert.h>

#include "document.h"
#include "events.h"
#include "facts_store.h"
#include "finding_rows.h"
#include "placements.h"
#include "plan_rows.h"
#include "regwarden/memory.h"

struct record {
    struct operation base;
    struct done done;
    struct store_record *record;
};

static int64_t newest_event(const struct store_record *record)
{
    int64_t newest = 0;

    for (size_t i = 0; i < record->event_count; i++) {
        if (record->event_ids[i] > newest)
            newest = record->event_ids[i];
    }
    return newest;
}

static bool is_overtaken(const struct store_record *record, const struct placement_row *row)
{
    if (row->id == 0 || digest_equal(&row->digest, &record->digest) || record->event_count == 0)
        return false;
    return newest_event(record) < row->newest_event || newest_event(record) == 0;
}

static int insert_verdict(const struct session *session, const struct store_record *record,
                          const struct placement_row *row, bool overtaken, int64_t *ret_id,
                          struct error *err)
{
    static const char sql[] =
        "INSERT INTO verdicts (placement_id, digest, tagged, status, policy_revision, judged_ms,"
        " superseded_ms, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    const struct verdict *verdict = record->verdict;
    AUTO_JSON struct json *json = verdict_to_json(verdict);
    AUTO_TEXT struct text packed = {0};
    int failure = document_pack(session->codec, json, &packed, err);

    if (failure < 0)
        return failure;
    return driver_insert(session->driver, sql,
                         BINDS(bind_integer(row->id), bind_digest(&record->digest),
                               bind_integer(record->tag != NULL), bind_integer(verdict->status),
                               bind_text(verdict->policy_revision), bind_integer(record->at_ms),
                               bind_integer(overtaken ? record->at_ms : 0),
                               bind_bytes(packed.data, packed.length)),
                         ret_id, err);
}

static void note_passing(struct placement_row *row, const struct store_record *record)
{
    enum verdict_status status = record->verdict->status;
    bool passed = status == VERDICT_PASS || status == VERDICT_WARN;

    if (passed && !digest_equal(&row->passing, &record->digest)) {
        row->passing_before = row->passing;
        row->passing = record->digest;
    } else if (!passed && digest_equal(&row->passing, &record->digest)) {
        row->passing = row->passing_before;
        row->passing_before = (struct digest){0};
    }
}

static int put_in_force(struct driver *driver, const struct store_record *record,
                        struct placement_row *row, int64_t verdict_id, struct error *err)
{
    int failure = placement_end_verdict(driver, row, record->at_ms, err);

    if (failure < 0 || !record->verdict)
        return failure;
    row->verdict_id = verdict_id;
    row->verdict = record->verdict->status;
    snprintf(row->policy_revision, sizeof(row->policy_revision), "%s",
             record->verdict->policy_revision);
    note_passing(row, record);
    return findings_insert(driver, row->id, &record->verdict->findings, err);
}

static int move_placement(struct driver *driver, const struct place *place,
                          const struct store_record *record, struct placement_row *row,
                          struct error *err)
{
    int failure = placement_move(driver, row, &record->digest, record->at_ms, err);

    row->size_bytes = record->size_bytes;
    row->media_type = record->media_type;
    row->pusher = record->pusher;
    row->artifact = record->verdict == NULL;
    if (newest_event(record) > row->newest_event)
        row->newest_event = newest_event(record);
    if (failure == 0 && row->id == 0)
        failure = placement_save(driver, place, row, err); /* the verdict needs its id */
    return failure;
}

static int write_plans(struct driver *driver, const struct store_record *record,
                       const struct placement_row *row, int64_t verdict_id, struct error *err)
{
    struct plan_owner owner = {.registry = record->registry,
                               .placement_id = row->id,
                               .digest = &record->digest,
                               .verdict_id = verdict_id,
                               .at_ms = record->at_ms};

    for (size_t i = 0; i < record->plan_count; i++) {
        int failure = plan_insert(driver, &owner, &record->plans[i], err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

static int write_facts(const struct session *session, const struct store_record *record,
                       struct error *err)
{
    for (size_t i = 0; i < record->image_count; i++) {
        int failure = facts_put(session, &record->images[i], err);
        if (failure < 0)
            return failure;
    }
    return 0;
}

static int write_judgement(const struct session *session, const struct place *place,
                           const struct store_record *record, struct placement_row *row,
                           struct error *err)
{
    struct driver *driver = session->driver;
    bool overtaken = is_overtaken(record, row);
    int64_t verdict_id = 0;
    int failure = overtaken ? 0 : move_placement(driver, place, record, row, err);

    if (failure == 0 && record->verdict)
        failure = insert_verdict(session, record, row, overtaken, &verdict_id, err);
    if (failure == 0 && !overtaken)
        failure = put_in_force(driver, record, row, verdict_id, err);
    if (failure == 0 && !overtaken)
        failure = placement_save(driver, place, row, err);
    return failure < 0 ? failure : write_plans(driver, record, row, verdict_id, err);
}

static int record_run(struct operation *operation, const struct session *session, struct error *err)
{
    const struct store_record *record = ((struct record *)operation)->record;
    struct place place = {.registry = record->registry,
                          .repository = record->repository,
                          .tag = record->tag,
                          .digest = &record->digest};
    struct placement_row row;
    int failure = placement_find(session->driver, &place, &row, err);

    if (failure == 0)
        failure = write_facts(session, record, err);
    if (failure == 0)
        failure = write_judgement(session, &place, record, &row, err);
    if (failure == 0)
        failure = events_finish(session->driver, record->event_ids, record->event_count, err);
    return failure;
}

static void record_finish(struct operation *operation)
{
    done_call(((struct record *)operation)->done, operation);
    operation_free(operation);
}

static const struct operation_type record_type = {
    .doing = "record a verdict",
    .lane = LANE_WRITE,
    .run = record_run,
    .finish = record_finish,
};

void store_record_verdict(struct store *store, struct store_record *record, store_done_f *done,
                          void *argument)
{
    struct record *own = memory_new(sizeof(*own));

    assert(digest_is_set(&record->digest));
    *own = (struct record){.base.type = &record_type, .done = {done, argument}, .record = record};
    store_submit(store, &own->base);
}
