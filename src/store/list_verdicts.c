/* Verdicts for people: those in force, and all that a placement ever had. A list shows of each
 * finding what fits on a line; one verdict asked for by its id shows everything. */
#include "document.h"
#include "list.h"
#include "regwarden/memory.h"

#define VERDICT_COLUMNS                                                                     \
    "SELECT v.id, p.registry, p.repository, p.tag, v.digest, v.judged_ms, v.superseded_ms," \
    " v.document, p.pusher, p.media_type, p.size_bytes, p.first_seen_ms, s.last_seen_ms,"   \
    " p.previous, v.status"

static struct json *short_finding(const struct json *finding)
{
    static const char *const keys[] = {"rule",    "id",   "policy", "severity", "status",
                                       "message", "path", "origin", "platform", "fingerprint"};
    struct json *item = json_new_object();

    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        json_set_string(item, keys[i], json_get_string(finding, keys[i]));
    return item;
}

static struct json *findings_of(const struct listing *listing, const struct json *document)
{
    struct json *findings = json_get(document, "findings");

    if (listing->filter->id != 0)
        return json_retain(findings);
    struct json *list = json_new_array();
    for (size_t i = 0; i < json_count(findings); i++)
        json_append_take(list, short_finding(json_at(findings, i)));
    return list;
}

static void set_shared(struct json *item, const struct json *document, const char *key)
{
    struct json *value = json_get(document, key);

    if (value)
        json_set_take(item, key, json_retain(value));
}

static void set_place(struct json *item, const struct row *row)
{
    const char *tag = row_text(row, 3);
    struct digest digest;

    json_set_integer(item, "id", row_integer(row, 0));
    json_set_string(item, "registry", row_text(row, 1));
    json_set_string(item, "repository", row_text(row, 2));
    json_set_string(item, "tag", tag && *tag ? tag : NULL);
    row_digest(row, 4, &digest);
    json_set_digest(item, "digest", &digest);
}

static void set_judgement(struct listing *listing, struct json *item, const struct json *document,
                          const struct row *row)
{
    json_set_string(item, "verdict",
                    verdict_status_name((enum verdict_status)row_integer(row, 14)));
    set_shared(item, document, "enforced");
    json_set_time(item, "judgedAt", row_integer(row, 5));
    json_set_time(item, "supersededAt", row_integer(row, 6));
    json_set_take(item, "findings", findings_of(listing, document));
    set_shared(item, document, "actions");
    set_shared(item, document, "auditActions");
    set_shared(item, document, "policies");
    set_shared(item, document, "policyRevision");
}

static void set_placement(struct json *item, const struct row *row)
{
    struct digest previous;

    json_set_string(item, "pusher", row_text(row, 8));
    json_set_string(item, "mediaType", row_text(row, 9));
    json_set_integer(item, "sizeBytes", row_integer(row, 10));
    json_set_time(item, "firstSeenAt", row_integer(row, 11));
    json_set_time(item, "lastSeenAt", row_integer(row, 12));
    row_digest(row, 13, &previous);
    json_set_digest(item, "previous", &previous);
}

/* Of superseded verdicts no findings are counted: only the document knows. */
static bool names_rule(const struct listing *listing, const struct json *document)
{
    const struct json *findings = json_get(document, "findings");

    if (!listing->filter->rule)
        return true;
    for (size_t i = 0; i < json_count(findings); i++) {
        if (text_equal(json_get_string(json_at(findings, i), "rule"), listing->filter->rule))
            return true;
    }
    return false;
}

static bool add_verdict(struct listing *listing, const struct row *row, bool in_force)
{
    const char *wanted = listing->filter->verdict;
    AUTO_JSON struct json *document = NULL;
    struct error error = {0};
    size_t size;

    if (!list_takes_repository(listing, row_text(row, 1), row_text(row, 2)))
        return true;
    if (wanted &&
        !text_equal(wanted, verdict_status_name((enum verdict_status)row_integer(row, 14))))
        return true;
    const void *bytes = row_bytes(row, 7, &size);
    if (document_unpack(listing->session->codec, bytes, size, &document, &error) < 0)
        return list_fail(listing, &error);
    if (!names_rule(listing, document))
        return true;
    struct json *item = json_new_object();
    set_place(item, row);
    set_judgement(listing, item, document, row);
    if (in_force)
        set_placement(item, row);
    return list_add_take(listing, item);
}

static bool take_in_force(void *argument, const struct row *row)
{
    return add_verdict(argument, row, /* in_force= */ true);
}

static bool take_history(void *argument, const struct row *row)
{
    return add_verdict(argument, row, /* in_force= */ false);
}

#define ANY_OF_PLACE                                                               \
    " AND ($2 = 0 OR v.id = $2) AND (CAST($3 AS TEXT) IS NULL OR p.registry = $3)" \
    " AND (CAST($4 AS TEXT) IS NULL OR p.tag = $4) AND v.judged_ms >= $5"

int list_verdicts(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        VERDICT_COLUMNS " FROM placements p JOIN verdicts v ON v.id = p.verdict_id"
                        " JOIN sightings s ON s.placement_id = p.id"
                        " WHERE p.verdict_id > 0 AND p.verdict_id < $1" ANY_OF_PLACE
                        " AND (CAST($6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM findings f"
                        " WHERE f.placement_id = p.id AND f.rule = $6))"
                        " ORDER BY p.verdict_id DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id),
                                       bind_text(filter->registry), bind_text(filter->tag),
                                       bind_integer(filter->since_ms), bind_text(filter->rule)),
                        .each.row = take_in_force},
        ret, err);
}

int list_history(struct listing *listing, struct json **ret, struct error *err)
{
    static const char sql[] =
        VERDICT_COLUMNS " FROM verdicts v JOIN placements p ON p.id = v.placement_id"
                        " JOIN sightings s ON s.placement_id = p.id"
                        " WHERE v.id < $1" ANY_OF_PLACE " ORDER BY v.id DESC";
    const struct store_filter *filter = listing->filter;

    return list_rows(
        listing,
        &(struct query){.sql = sql,
                        .binds = BINDS(bind_integer(listing->before), bind_integer(filter->id),
                                       bind_text(filter->registry), bind_text(filter->tag),
                                       bind_integer(filter->since_ms)),
                        .each.row = take_history},
        ret, err);
}
