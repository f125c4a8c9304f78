/* The steps of a review that ask others: the record, the registry. Each asks one thing and goes on
 * in its callback. */
#include "review.h"

#include "regwarden/clock.h"
#include "regwarden/facts_files.h"
#include "regwarden/log.h"

/* The verdict was in force when it was looked at, and is not any more: the tag was deleted, or a
 * sweep did not find it. */
static void look_again(struct review *review)
{
    placement_cache_forget(review->daemon->placement_cache, &review->event);
    review->is_fresh = true;
    review_resume(review, REVIEW_RECALL);
}

static void repeated(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error && error->kind == FAILURE_ABSENT && !review->is_fresh) {
        look_again(review);
    } else if (error) {
        review_not_stored(review, error);
    } else {
        review->daemon->counters.reviews_repeated++;
        review_resume(review, REVIEW_DONE);
    }
}

/* The verdict in force was made for this digest under these policies: it stays. Unknown does not:
 * what could not be had then may be there now. */
static enum progress record_repeat(struct review *review)
{
    const struct event *event = &review->event;

    review->step = REVIEW_RECORD; /* equal events that come from now on are reviews of their own */
    store_record_repeat(review->daemon->store, event->registry, event->repository, event->tag,
                        clock_wall_ms(), review->event_ids, review->event_count, repeated, review);
    return PROGRESS_WAITING;
}

/* It was taken away and is back: that is no repetition. Unless an operator has put it back. */
static bool came_back(const struct review *review)
{
    return review_is_of_a_push(review) && (review->context.done & ACTIONS_MOVING) &&
           !review->context.released;
}

static bool is_repeat(const struct review *review)
{
    const struct store_context *context = &review->context;

    return context->has_verdict && context->verdict != VERDICT_UNKNOWN && !review_is_anew(review) &&
           !came_back(review) && digest_equal(&context->current, &review->event.digest) &&
           text_equal(context->policy_revision, policy_set_revision(review->daemon->policies));
}

static void recalled(void *argument, const struct error *error, struct store_context *context)
{
    struct review *review = argument;

    if (error) {
        review_not_stored(review, error);
        return;
    }
    facts_free(review->context.facts);
    review->context = *context;
    review->context.released = context->released || review->is_released;
    context->facts = NULL; /* ours now */
    if (context->is_own_push) {
        review->daemon->counters.own_pushes++;
        review->step = REVIEW_RECORD;
        store_finish_events(review->daemon->store, review->event_ids, review->event_count,
                            review_settled, review);
        return;
    }
    if (is_repeat(review)) {
        placement_cache_put(review->daemon->placement_cache, &review->event,
                            policy_set_revision(review->daemon->policies));
        record_repeat(review);
        return;
    }
    review_resume(review, REVIEW_UNPACK);
}

static bool still_stands(const struct event *event, const struct registry_answer *answer)
{
    return !answer->error && (!event->tag || !digest_is_set(&event->digest) ||
                              digest_equal(&answer->digest, &event->digest));
}

static void looked_whether_gone(void *argument, const struct registry_answer *answer)
{
    struct review *review = argument;

    review->resolve_id = 0;
    if (answer->error && answer->error->kind != FAILURE_ABSENT) {
        review_failed(review, answer->error);
    } else if (still_stands(&review->event, answer)) {
        review->step = REVIEW_RECORD;
        store_finish_events(review->daemon->store, review->event_ids, review->event_count,
                            review_settled, review);
    } else {
        review_record_gone(review);
    }
}

/* A deletion is not taken for granted: whoever may push can upload a manifest as a blob and delete
 * that, which looks the same, and then nothing would be known any more of what still stands. */
static enum progress ask_whether_gone(struct review *review)
{
    const struct event *event = &review->event;
    struct daemon_registry *registry = daemon_find_registry(review->daemon, event->registry);
    char digest[DIGEST_TEXT_SIZE];

    if (!registry) {
        review_record_gone(review);
        return PROGRESS_WAITING;
    }
    review->resolve_id =
        registry_resolve(registry->client, event->repository,
                         event->tag ? event->tag : digest_format(&event->digest, digest),
                         looked_whether_gone, review);
    return PROGRESS_WAITING;
}

enum progress review_recall(struct review *review)
{
    struct daemon *daemon = review->daemon;

    if (review->event.action == EVENT_DELETE)
        return ask_whether_gone(review);
    if (review->event.action == EVENT_SCANNED)
        return review_spread_scan(review);
    if (!review->is_fresh && !review_is_anew(review) &&
        placement_cache_has(daemon->placement_cache, &review->event,
                            policy_set_revision(daemon->policies)))
        return record_repeat(review);
    /* asked now: an undo that ends later is not in what the store reads */
    review->is_released = daemon_is_releasing(daemon, &review->event);
    store_read_context(daemon->store, &review->event, recalled, review);
    return PROGRESS_WAITING;
}

static void confirmed(void *argument, const struct registry_answer *answer)
{
    struct review *review = argument;

    review->resolve_id = 0;
    if (answer->error && answer->error->kind != FAILURE_ABSENT)
        review_failed(review, answer->error);
    else if (!answer->error && digest_equal(&answer->digest, &review->event.digest))
        review_resume(review, REVIEW_RESOLVE);
    else
        review_is_not_there(review);
}

/* A notification that comes a second time must not have done twice what was done about the first.
 * And what is judged again because of evidence may have lost its tag since: that is older than what
 * was pushed there in the meantime. */
enum progress review_confirm(struct review *review)
{
    struct daemon_registry *registry = daemon_find_registry(review->daemon, review->event.registry);

    if (!registry || !review->event.tag ||
        (!came_back(review) && review->event.cause != EVENT_CAUSE_EVIDENCE))
        return PROGRESS_NEXT;
    review->resolve_id = registry_resolve(registry->client, review->event.repository,
                                          review->event.tag, confirmed, review);
    return PROGRESS_WAITING;
}

static void resolved(void *argument, const struct registry_answer *answer)
{
    struct review *review = argument;

    review->resolve_id = 0;
    if (answer->error) {
        review_failed(review, answer->error);
        return;
    }
    review->event.digest = answer->digest;
    review_resume(review, REVIEW_RECALL); /* now with the digest */
}

enum progress review_resolve(struct review *review)
{
    struct daemon_registry *registry = daemon_find_registry(review->daemon, review->event.registry);

    if (!registry)
        return review_has_no_registry(review);
    if (digest_is_set(&review->event.digest))
        return PROGRESS_NEXT;
    review->resolve_id = registry_resolve(registry->client, review->event.repository,
                                          review->event.tag, resolved, review);
    return PROGRESS_WAITING;
}

static void child_read(void *argument, const struct error *error, struct facts *facts)
{
    struct review *review = argument;
    const struct manifest *index = review->context.facts->manifest;

    if (!error && facts)
        review_take_known_take(review, &index->children[review->prepare_index], facts);
    review->prepare_index++; /* an error costs a fetch, no more */
    review_resume(review, REVIEW_PREPARE);
}

/* Judging again must not fetch what is recorded: an index brings its children's facts from the
 * store. */
enum progress review_prepare(struct review *review)
{
    const struct facts *facts = review->context.facts;

    if (!facts || facts->manifest->kind != MANIFEST_INDEX)
        return PROGRESS_NEXT;
    while (review->prepare_index < facts->manifest->child_count &&
           !descriptor_is_runnable(&facts->manifest->children[review->prepare_index]))
        review->prepare_index++;
    if (review->prepare_index >= facts->manifest->child_count ||
        review->prepare_index >= GATHER_CHILDREN_MAX)
        return PROGRESS_NEXT;
    store_read_facts(review->daemon->store,
                     &facts->manifest->children[review->prepare_index].digest, child_read, review);
    return PROGRESS_WAITING;
}

static struct facts *lookup(void *argument, const struct digest *digest)
{
    struct review *review = argument;
    char key[DIGEST_TEXT_SIZE];
    struct facts *facts;

    if (review->context.facts && digest_equal(digest, &review->event.digest))
        return TAKE(review->context.facts);
    facts = map_remove(review->known, digest_format(digest, key));
    return facts ? facts : facts_cache_get(review->daemon->facts_cache, digest);
}

static bool is_temporary(const struct error *error)
{
    return error->kind == FAILURE_LATER || error->kind == FAILURE_DENIED ||
           error->kind == FAILURE_ABSENT || error->kind == FAILURE_SYSTEM ||
           error->kind == FAILURE_UNCERTAIN;
}

/* The first failure that may pass; a child that can never be had is judged as it is. */
static const struct error *temporary_failure(const struct gathered *gathered)
{
    if (gathered->error.kind != FAILURE_NONE)
        return is_temporary(&gathered->error) ? &gathered->error : NULL;
    for (size_t i = 0; i < gathered->image_count; i++)
        if (gathered->images[i].error.kind != FAILURE_NONE &&
            is_temporary(&gathered->images[i].error))
            return &gathered->images[i].error;
    return NULL;
}

/* What was gathered in two parts is to be recorded, but for what is kept already. */
static void forget_who_was_known(struct review *review)
{
    for (size_t i = 0; review->has_gathered && i < review->gathered.image_count; i++)
        if (!review_has_judged(review, &review->gathered.images[i].digest))
            review->gathered.images[i].known = false;
}

static void gathered_all(void *argument, struct gathered *gathered)
{
    struct review *review = argument;
    const struct error *failure;

    review->gather_id = 0;
    gathered_release(&review->gathered);
    review->gathered = *gathered;
    *gathered = (struct gathered){0};
    review_hold(review);
    failure = temporary_failure(&review->gathered);
    if (failure) {
        review_failed(review, failure);
    } else if (review->without_layers && review_keeps_for_layers(review)) {
        review_resume(review, REVIEW_GATHER);
    } else {
        forget_who_was_known(review);
        review_resume(review, REVIEW_JUDGE);
    }
}

static struct placement place_of(const struct review *review)
{
    return (struct placement){.registry = review->event.registry,
                              .repository = review->event.repository,
                              .tag = review->event.tag};
}

unsigned review_needs(const struct review *review)
{
    const struct placement placement = place_of(review);

    return policy_set_needs(review->daemon->policies, &placement) | FACT_BIT(FACT_MANIFEST) |
           FACT_BIT(FACT_CONFIG);
}

/* Often less than policies want of an image that nothing is known of: then no layer is read. */
static unsigned needs_of(void *argument, const struct facts *facts)
{
    const struct review *review = argument;
    const struct placement placement = place_of(review);

    if (review_has_judged(review, &facts->manifest->digest))
        return 0;
    return policy_set_needs_of(review->daemon->policies, &placement, facts);
}

bool review_has_files(struct review *review, const struct facts *facts)
{
    const struct layer_reader *reader = &review->daemon->layer_reader;

    if (!facts)
        return false;
    return !(needs_of(review, facts) & FACT_BIT(FACT_FILES)) ||
           (facts->files && reader->covers(reader->self, facts->files));
}

/* Will layers have to be read, as far as is known? */
static bool lacks_files(struct review *review)
{
    const struct facts *facts = review->context.facts;
    const struct manifest *index = facts ? facts->manifest : NULL;
    char key[DIGEST_TEXT_SIZE];

    if (!index || index->kind != MANIFEST_INDEX)
        return !review_has_files(review, facts);
    for (size_t i = 0; i < index->child_count; i++)
        if (descriptor_is_runnable(&index->children[i]) &&
            !review_has_files(
                review, map_get(review->known, digest_format(&index->children[i].digest, key))))
            return true;
    return false;
}

enum progress review_gather(struct review *review)
{
    struct daemon *daemon = review->daemon;
    const struct event *event = &review->event;
    struct daemon_registry *registry = daemon_find_registry(daemon, event->registry);
    struct image_source source = registry_image_source(registry->client);
    struct gather_options options = {
        .needs = review_needs(review),
        .needs_of = needs_of,
        .needs_of_argument = review,
        .salt = store_salt(daemon->store),
        .lookup = lookup,
        .lookup_argument = review,
        .child_done = review_child_done,
        .child_done_argument = review,
        .layers = &daemon->layer_reader,
        .tag = event->tag,
        .evidence_anew = event->cause != EVENT_CAUSE_POLICY && !review->has_gathered,
    };
    if (review->has_gathered)
        options.needs &= ~FACT_BIT(FACT_VULNERABILITIES); /* read a moment ago */
    bool reads_layers = (options.needs & FACT_BIT(FACT_FILES)) && lacks_files(review);
    char digest[DIGEST_TEXT_SIZE];

    /* Of most images the config tells whether their layers are worth a place. */
    review->without_layers = reads_layers && !review->context.facts && review->scan == SCAN_NONE;
    if (review->without_layers) {
        options.needs &= ~FACT_BIT(FACT_FILES);
        reads_layers = false;
    }
    if (reads_layers && !scan_places_enter(daemon->scan_places, review)) {
        review_wait_parked(review);
        return PROGRESS_WAITING;
    }

    /* Nobody waits for the network with large facts in hand: they are put together anew. */
    if (reads_layers && review->context.facts) {
        facts_drop_files(review->context.facts);
        large_leave(daemon->large, review);
    }
    digest_format(&event->digest, digest);
    /* what is known costs no request: nobody has to wait for it */
    if (!review->inflight_key && (reads_layers || !review->context.facts)) {
        AUTO_FREE char *key = text_new("%s %s", event->registry, digest);

        if (!inflight_enter(daemon->inflight, key, review))
            return PROGRESS_WAITING; /* review_wake goes on */
        review->inflight_key = TAKE(key);
    }
    review->gather_id =
        gather_start(&source, event->repository, digest, &options, gathered_all, review);
    return PROGRESS_WAITING;
}
