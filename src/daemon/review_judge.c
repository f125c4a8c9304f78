/* The end of a review: the engine judges, verdict and plan are recorded in one transaction, then
 * the plans are handed over. */
#include "review.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"

static void fill_placement(const struct review *review, struct placement *ret)
{
    const struct event *event = &review->event;
    const struct store_context *context = &review->context;

    *ret = (struct placement){
        .registry = event->registry,
        .repository = event->repository,
        .tag = event->tag,
        .digest = event->digest,
        .first_seen_is_known = true,
        .first_seen_ms = context->placement_known ? context->first_seen_ms : event->received_ms,
        .previous_is_known = true,
        .previous = context->previous,
        .previous_size_bytes = context->previous_size_bytes,
        .pusher = event->actor,
    };
    if (digest_is_set(&context->current) && !digest_equal(&context->current, &event->digest))
        ret->previous = context->current; /* the tag is moving right now */
}

void review_judge_image(const struct review *review, const struct gathered_image *image,
                        struct verdict *ret)
{
    const struct policy_set *policies = review->daemon->policies;
    struct placement own;

    fill_placement(review, &own);
    own.platform = image->platform;
    if (image->facts)
        bases_apply_to(review->daemon->bases, image->facts);
    if (image->facts)
        policy_judge(policies, image->facts, &own, clock_wall_ms(), ret);
    else
        policy_judge_unavailable(policies, &own, &image->error, clock_wall_ms(), ret);
}

static void judge_child(struct review *review, const struct gathered_image *image)
{
    struct verdict *verdict = &review->verdict;
    struct verdict child = {0};
    char revision[sizeof verdict->policy_revision];

    if (!image->facts || !review_take_judged(review, &image->digest, &child))
        review_judge_image(review, image, &child);
    memcpy(revision, child.policy_revision, sizeof revision);
    verdict_merge_child(verdict, &child, image->platform);
    /* Policies may have changed between one and the next: then all is judged once more. */
    if (!text_equal(revision, policy_set_revision(review->daemon->policies)))
        memcpy(verdict->policy_revision, revision, sizeof revision);
}

static void judge_all(struct review *review)
{
    const struct gathered *gathered = &review->gathered;

    if (gathered->image_count == 1 && !gathered->index) {
        review_judge_image(review, &gathered->images[0], &review->verdict);
        return;
    }
    for (size_t i = 0; i < gathered->image_count; i++)
        judge_child(review, &gathered->images[i]);
}

enum progress review_judge(struct review *review)
{
    const struct gathered *gathered = &review->gathered;
    struct daemon *daemon = review->daemon;
    struct placement placement;

    fill_placement(review, &placement);
    if (gathered->error.kind != FAILURE_NONE)
        policy_judge_unavailable(daemon->policies, &placement, &gathered->error, clock_wall_ms(),
                                 &review->verdict);
    else if (gathered->image_count)
        judge_all(review);
    /* else signatures, attestations, charts: evidence, not judged */
    review->has_verdict = gathered->error.kind != FAILURE_NONE || gathered->image_count > 0;
    return PROGRESS_NEXT;
}

/* Images that were there before us, or were judged before under other policies, are acted on only
 * when a policy says so. */
static bool may_enforce(const struct review *review)
{
    struct placement placement;

    if (review_is_of_a_push(review))
        return true;
    fill_placement(review, &placement);
    return policy_set_enforces_existing(review->daemon->policies, &placement);
}

static void fill_target(const struct review *review, struct action_target *ret)
{
    const struct event *event = &review->event;
    const struct gathered *gathered = &review->gathered;

    *ret = (struct action_target){
        .registry = daemon_find_registry(review->daemon, event->registry)->client,
        .registry_name = event->registry,
        .repository = event->repository,
        .tag = event->tag,
        .digest = event->digest,
        .last_passing = review->context.last_passing,
        .facts = gathered->index         ? gathered->index
                 : gathered->image_count ? gathered->images[0].facts
                                         : NULL,
        .verdict = &review->verdict,
    };
}

static void add_plans(struct review *review, unsigned wanted, bool audit)
{
    struct action_target target;

    fill_target(review, &target);
    target.audit = audit;
    wanted = actions_resolve(review->daemon->actions, wanted, &target);
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        struct store_plan *plan;

        if (!(wanted & ACTION_BIT(kind)))
            continue;
        plan = &review->plans[review->plan_count++];
        /* a notification goes out in audit mode too: it changes nothing, and says that it only
         * watched */
        *plan = (struct store_plan){.kind = (enum action_kind)kind,
                                    .audit = audit && kind != ACTION_NOTIFY};
        action_plan(review->daemon->actions, plan->kind, &target, plan);
    }
}

/* What is only reported says so. To tell somebody changes nothing. */
static void only_report(struct verdict *verdict)
{
    const unsigned telling = ACTION_BIT(ACTION_NOTIFY);

    verdict->audit_actions |= verdict->actions & ~telling;
    verdict->actions &= telling;
    verdict->enforced = false;
}

static void make_plans(struct review *review)
{
    const unsigned moving = ACTIONS_MOVING | ACTION_BIT(ACTION_HOLD);
    const struct store_context *context = &review->context;
    unsigned acted = context->acted;
    unsigned wanted;
    unsigned would;

    if (!may_enforce(review))
        only_report(&review->verdict);
    if (review_is_of_a_push(review))
        acted &= ~(context->done & ACTIONS_MOVING); /* it is back */
    wanted = review->verdict.actions & ~acted;
    would = review->verdict.audit_actions & ~acted & ~wanted;
    if (context->released)
        wanted &= ~moving; /* an operator has put it back: that decision stands */
    review->plans = memory_new_array(2 * (size_t)ACTION_KIND_COUNT, sizeof *review->plans);
    add_plans(review, wanted, false);
    add_plans(review, would, true);
}

/* Only facts that hold all there is to know without layers are kept: what is missing may be had
 * next time. */
static void collect_images(struct review *review)
{
    const unsigned whole = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG);
    struct gathered *gathered = &review->gathered;
    size_t count = 0;

    review->images = memory_new_array(gathered->image_count + 1, sizeof *review->images);
    review->packed = memory_new_array(gathered->image_count, sizeof *review->packed);
    for (size_t i = 0; i < gathered->image_count; i++) {
        const struct gathered_image *image = &gathered->images[i];

        if (image->known || !image->facts || !facts_cover(image->facts, whole))
            continue;
        review->images[count] = (struct store_image){
            .digest = image->digest, .facts = image->facts, .ret_packed = &review->packed[count]};
        count++;
    }
    if (gathered->index)
        review->images[count++] =
            (struct store_image){.digest = gathered->digest, .facts = gathered->index};
    review->record.images = review->images;
    review->record.image_count = count;
}

void review_release_images(struct review *review)
{
    for (size_t i = 0; i < review->record.image_count; i++)
        if (review->images[i].ret_packed)
            text_release(review->images[i].ret_packed);
    free(TAKE(review->images));
    free(TAKE(review->packed));
    review->record.image_count = 0;
}

/* As the store has packed them, so that nothing is written out a second time. */
static void remember_facts(const struct review *review)
{
    for (size_t i = 0; i < review->record.image_count; i++)
        if (review->images[i].ret_packed)
            facts_cache_put(review->daemon->facts_cache, &review->images[i].digest,
                            review->images[i].ret_packed);
}

static uint64_t size_of(const struct gathered *gathered)
{
    uint64_t size = 0;

    for (size_t i = 0; i < gathered->image_count; i++)
        if (gathered->images[i].facts)
            size += manifest_layer_bytes(gathered->images[i].facts->manifest);
    return size;
}

static void log_verdict(const struct review *review)
{
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    log_info(event_log_fields(&review->event, &buffer, fields),
             "judged %s: %zu findings, %zu actions planned",
             verdict_status_name(review->verdict.status), review->verdict.findings.count,
             review->plan_count);
}

static void not_recorded(struct review *review, const struct error *error)
{
    review_release_plans(review);
    verdict_release(&review->verdict);
    review->verdict = (struct verdict){0};
    review_release_images(review);
    review_not_stored(review, error);
}

static void verdict_recorded(struct review *review)
{
    struct daemon *daemon = review->daemon;
    const struct verdict *verdict = &review->verdict;

    daemon->counters.verdicts[verdict->status]++;
    if (verdict->status != VERDICT_UNKNOWN) /* what was missing may be there next time */
        placement_cache_put(daemon->placement_cache, &review->event, verdict->policy_revision);
    if (!text_equal(verdict->policy_revision, policy_set_revision(daemon->policies)))
        rejudge_left_one(daemon->rejudge); /* they changed while it was written */
    log_verdict(review);
    watch_verdict(daemon, &review->event, &review->gathered, verdict);
}

static void recorded(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error) {
        not_recorded(review, error);
        return;
    }
    remember_facts(review);
    if (review_is_of_a_push(review))
        bases_saw_push(review->daemon->bases, &review->event);
    if (review->has_verdict)
        verdict_recorded(review);
    else
        review->daemon->counters.artifacts++;
    review_resume(review, REVIEW_ACT);
}

enum progress review_record(struct review *review)
{
    const struct event *event = &review->event;

    review->record = (struct store_record){
        .registry = event->registry,
        .repository = event->repository,
        .tag = event->tag,
        .digest = event->digest,
        .media_type = review->gathered.media_type ? review->gathered.media_type : event->media_type,
        .size_bytes = size_of(&review->gathered),
        .pusher = event->actor,
        .at_ms = clock_wall_ms(),
        .event_ids = review->event_ids,
        .event_count = review->event_count,
    };
    collect_images(review);
    if (review->has_verdict) {
        make_plans(review);
        review->record.verdict = &review->verdict;
        review->record.plans = review->plans;
        review->record.plan_count = review->plan_count;
    }
    store_record_verdict(review->daemon->store, &review->record, recorded, review);
    return PROGRESS_WAITING;
}

enum progress review_act(struct review *review)
{
    struct acts_job job = {.last_passing = review->context.last_passing};

    if (review->plan_count == 0)
        return PROGRESS_NEXT;
    event_copy(&job.placement, &review->event);
    job.verdict = review->verdict;
    review->verdict = (struct verdict){0};
    job.plans = TAKE(review->plans);
    job.plan_count = review->plan_count;
    review->plan_count = 0;
    acts_add_take(review->daemon->acts, &job);
    return PROGRESS_NEXT;
}
