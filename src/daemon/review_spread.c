/* Evidence came: a signature or an attestation was pushed, or the registry's scanner has reported.
 * What it speaks of was judged without it, and is judged again, as if it were pushed. The events
 * for that are durable before the one of the evidence is finished, so that none is lost. Evidence
 * that came before its image is found when the image is judged.
 *
 * The event of a scan says nothing of where the image stands: it moves no tag and makes no
 * placement. */
#include "review.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/manifest.h"

enum { SPREAD_MAX = 256, SPREAD_PAGES_MAX = 100 };

static void release_under_way(struct review *review)
{
    for (size_t i = 0; i < review->under_way_count; i++)
        event_release(&review->under_way[i]);
    free(TAKE(review->under_way));
    review->under_way_count = review->under_way_capacity = 0;
}

static void release_spread(struct review *review)
{
    for (size_t i = 0; i < review->spread_count; i++)
        event_release(&review->spread[i]);
    free(TAKE(review->spread));
    review->spread_count = 0;
}

void review_forget_spread(struct review *review)
{
    release_spread(review);
    release_under_way(review);
}

static bool find_subject(const struct review *review, struct digest *ret)
{
    if (review->gathered.error.kind != FAILURE_NONE)
        return false;
    if (digest_parse_tag(review->event.tag, ret) == 0)
        return true;
    *ret = review->gathered.subject;
    return !review->has_verdict && digest_is_set(ret);
}

static unsigned groups_of(const struct review *review)
{
    unsigned groups = FACT_BIT(FACT_VULNERABILITIES);

    if (review->event.action != EVENT_SCANNED)
        groups |= FACT_BIT(FACT_PROVENANCE) | FACT_BIT(FACT_REFERRERS);
    return groups;
}

/* Nobody is bothered where no policy asks for evidence. */
static bool wants_evidence(const struct review *review, const struct event *event)
{
    const struct placement placement = {
        .registry = event->registry, .repository = event->repository, .tag = event->tag};

    return (policy_set_needs(review->daemon->policies, &placement) & groups_of(review)) != 0;
}

static void load(struct review *review);

/* What the event asked for is done, or is in the store. */
static void go_on(struct review *review)
{
    if (review->spread_after != 0) {
        load(review);
        return;
    }
    if (review->event.action != EVENT_SCANNED) {
        review_resume(review, REVIEW_RECORD);
        return;
    }
    review->step = REVIEW_RECORD; /* nobody joins any more */
    store_finish_events(review->daemon->store, review->event_ids, review->event_count,
                        review_settled, review);
}

static void events_added(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error) {
        release_spread(review);
        review_not_stored(review, error);
        return;
    }
    dispatcher_add(review->daemon->dispatcher, review->spread, review->spread_count);
    release_spread(review);
    go_on(review);
}

static void take_placement(struct review *review, const struct event *event)
{
    struct event *added;

    if (!wants_evidence(review, event))
        return;
    added = &review->spread[review->spread_count++];
    event_copy(added, event);
    added->id = 0;
    added->cause = EVENT_CAUSE_EVIDENCE;
    added->received_ms = clock_wall_ms();
}

/* Of an image whose manifest is not known yet it cannot be told whether it is an index. */
static bool may_hold(const struct review *other, const struct digest *digest)
{
    const struct facts *index = other->gathered.index;
    const char *type = other->event.media_type;

    if (digest_equal(&other->event.digest, digest))
        return true;
    if (!index)
        return other->step == REVIEW_GATHER &&
               (!type || !media_type_is_manifest(type) || media_type_is_index(type));
    for (size_t i = 0; i < index->manifest->child_count; i++)
        if (digest_equal(&index->manifest->children[i].digest, digest))
            return true;
    return false;
}

/* A review that has looked for evidence already, and has no verdict yet by which its placement
 * would be found: reading layers takes its time, and scanners end meanwhile. */
static void take_under_way(void *argument, const struct review *other)
{
    struct review *review = argument;
    bool has_looked =
        other->has_gathered || (other->step >= REVIEW_GATHER && other->step <= REVIEW_RECORD);

    if (!has_looked || other == review || other->event.action != EVENT_PUSH ||
        !digest_is_set(&other->event.digest) ||
        !text_equal(other->event.registry, review->event.registry) ||
        !text_equal(other->event.repository, review->event.repository) ||
        !may_hold(other, &review->spread_of))
        return;
    review->under_way = memory_grow(review->under_way, review->under_way_count,
                                    &review->under_way_capacity, sizeof(*review->under_way));
    event_copy(&review->under_way[review->under_way_count++], &other->event);
}

/* Whoever may push may give an image as many tags as they like: the last one counts as the first.
 */
static void note_place(struct review *review, int64_t last_id, size_t count)
{
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    review->spread_after = count == SPREAD_MAX ? last_id : 0;
    if (review->spread_after == 0 || ++review->spread_pages < SPREAD_PAGES_MAX)
        return;
    review->spread_after = 0;
    log_warning(event_log_fields(&review->event, &buffer, fields),
                "evidence for %d placements or more: no more than these are judged again",
                SPREAD_MAX * SPREAD_PAGES_MAX);
}

static void loaded(void *argument, const struct error *error, const struct event *events,
                   size_t count)
{
    struct review *review = argument;
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    if (error) {
        review_not_stored(review, error);
        return;
    }
    note_place(review, count > 0 ? events[count - 1].id : 0, count);
    review->spread = memory_new_array(count + review->under_way_count, sizeof(*review->spread));
    for (size_t i = 0; i < count; i++)
        take_placement(review, &events[i]);
    for (size_t i = 0; i < review->under_way_count; i++)
        take_placement(review, &review->under_way[i]);
    release_under_way(review);
    if (review->spread_count == 0) {
        release_spread(review);
        go_on(review);
        return;
    }
    log_info(event_log_fields(&review->event, &buffer, fields),
             "%s for %zu placements, judging them again",
             review->event.action == EVENT_SCANNED ? "a scanner's report" : "evidence",
             review->spread_count);
    store_add_events(review->daemon->store, review->spread, review->spread_count, events_added,
                     review);
}

static void load(struct review *review)
{
    struct event place = review->event; /* borrows */

    place.digest = review->spread_of;
    place.id = review->spread_after;
    store_load_judged(review->daemon->store, &place, SPREAD_MAX, loaded, review);
}

static void load_first(struct review *review)
{
    review->spread_after = 0;
    review->spread_pages = 0;
    release_under_way(review);
    dispatcher_each(review->daemon->dispatcher, take_under_way, review);
    load(review);
}

enum progress review_spread(struct review *review)
{
    /* What is judged again because of evidence is nobody's evidence: two images may be pushed under
     * tags that name each other, or one under its own. */
    if (review->event.action != EVENT_PUSH || review->event.cause == EVENT_CAUSE_POLICY ||
        review->event.cause == EVENT_CAUSE_EVIDENCE || !find_subject(review, &review->spread_of))
        return PROGRESS_NEXT;
    load_first(review);
    return PROGRESS_WAITING;
}

enum progress review_spread_scan(struct review *review)
{
    if (!digest_is_set(&review->event.digest)) {
        go_on(review);
        return PROGRESS_WAITING;
    }
    review->spread_of = review->event.digest;
    load_first(review);
    return PROGRESS_WAITING;
}
