/* The step machine of a review: which steps there are, in which order, and the only place that
 * moves from one to the next. What a step does stands in review_steps.c, review_judge.c and
 * review_fail.c. */
#include "review.h"

#include <assert.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"

struct step_type {
    const char *name;
    enum progress (*enter)(struct review *review);
};

static enum progress review_finish(struct review *review)
{
    (void)review;
    return PROGRESS_NEXT;
}

static const struct step_type step_types[] = {
    [REVIEW_RECALL] = {"recall", review_recall},    [REVIEW_UNPACK] = {"unpack", review_unpack},
    [REVIEW_CONFIRM] = {"confirm", review_confirm}, [REVIEW_RESOLVE] = {"resolve", review_resolve},
    [REVIEW_PREPARE] = {"prepare", review_prepare}, [REVIEW_GATHER] = {"gather", review_gather},
    [REVIEW_JUDGE] = {"judge", review_judge},       [REVIEW_SPREAD] = {"spread", review_spread},
    [REVIEW_RECORD] = {"record", review_record},    [REVIEW_ACT] = {"act", review_act},
    [REVIEW_DONE] = {"done", review_finish},
};

const char *review_step_name(enum review_step step)
{
    return step_types[step].name;
}

/* Put off, or woken by the review that worked on the same digest. */
static void retry_due(void *argument)
{
    struct review *review = argument;

    if (review->parked && review->daemon->stopping)
        return; /* its events are open in the store */
    if (review->parked)
        dispatcher_review_unparked(review->daemon->dispatcher, review);
    review_resume(review, REVIEW_RECALL);
}

struct review *review_new(struct daemon *daemon, const char *slot, const struct event *event)
{
    struct review *review = memory_new(sizeof *review);

    review->daemon = daemon;
    review->slot = memory_copy_text(slot);
    review->begun_ms = clock_wall_ms();
    review->known = map_new();
    review->judged = map_new();
    review->retry = timer_new(daemon->loop, retry_due, review);
    event_copy(&review->event, event);
    review_join(review, event);
    return review;
}

static void known_free(struct map *known)
{
    size_t position = 0;
    void *value;

    while (map_each(known, &position, NULL, &value))
        facts_free(value);
    map_free(known);
}

void review_release_plans(struct review *review)
{
    for (size_t i = 0; i < review->plan_count; i++) {
        json_release(review->plans[i].detail);
        json_release(review->plans[i].pushes);
    }
    free(review->plans);
    review->plans = NULL;
    review->plan_count = 0;
}

void review_free(struct review *review)
{
    if (!review)
        return;
    scan_places_leave(review->daemon->scan_places, review);
    large_leave(review->daemon->large, review);
    event_release(&review->event);
    free(review->event_ids);
    free(review->slot);
    timer_free(review->retry);
    facts_free(review->context.facts);
    known_free(review->known);
    review_forget_judged(review);
    map_free(review->judged);
    free(review->inflight_key);
    gathered_release(&review->gathered);
    review_hold(review);
    verdict_release(&review->verdict);
    review_release_images(review);
    review_release_plans(review);
    review_forget_spread(review);
    free(review);
}

bool review_may_join(const struct review *review, const struct event *event)
{
    /* what came is not in what was gathered before */
    bool too_late = event->cause == EVENT_CAUSE_EVIDENCE &&
                    (review->step >= REVIEW_GATHER || review->has_gathered);

    return review->step < REVIEW_RECORD && !too_late && digest_is_set(&event->digest) &&
           review->event.action == event->action &&
           digest_equal(&review->event.digest, &event->digest);
}

static bool is_of_the_past(enum event_cause cause)
{
    return cause == EVENT_CAUSE_EXISTING || cause == EVENT_CAUSE_POLICY;
}

bool review_is_anew(const struct review *review)
{
    return review->event.cause == EVENT_CAUSE_MANUAL || review->event.cause == EVENT_CAUSE_EVIDENCE;
}

bool review_is_of_a_push(const struct review *review)
{
    return !is_of_the_past(review->event.cause);
}

void review_join(struct review *review, const struct event *event)
{
    struct event *own = &review->event;

    review->event_ids = memory_grow(review->event_ids, review->event_count, &review->event_capacity,
                                    sizeof(int64_t));
    review->event_ids[review->event_count++] = event->id;
    if (event->id > own->id)
        own->id = event->id;
    if (event->cause == EVENT_CAUSE_MANUAL ||
        (event->cause == EVENT_CAUSE_EVIDENCE && own->cause != EVENT_CAUSE_MANUAL) ||
        (is_of_the_past(own->cause) && !is_of_the_past(event->cause)))
        own->cause = event->cause;
    if (!own->actor)
        own->actor = memory_copy_text(event->actor);
}

static void enter(struct review *review, enum review_step step)
{
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    review->step = step;
    review->next = step + 1;
    if (log_threshold() >= LEVEL_DEBUG)
        log_debug(event_log_fields(&review->event, &buffer, fields), "review enters step %s",
                  step_types[step].name);
}

/* Somebody may wait for this digest: called when the facts are recorded, or when this review gives
 * up on it. */
static void leave_inflight(struct review *review)
{
    if (!review->inflight_key)
        return;
    inflight_leave(review->daemon->inflight, review->inflight_key, review);
    free(review->inflight_key);
    review->inflight_key = NULL;
}

void review_resume(struct review *review, enum review_step step)
{
    if (review->daemon->closing)
        return; /* its events stay open in the store */
    if (step == REVIEW_RECALL || step > REVIEW_RECORD)
        leave_inflight(review);
    if (step > REVIEW_RECORD)
        scan_places_leave(review->daemon->scan_places, review);
    enter(review, step);
    while (step_types[review->step].enter(review) == PROGRESS_NEXT) {
        if (review->step == REVIEW_DONE) {
            leave_inflight(review);
            dispatcher_review_ended(review->daemon->dispatcher, review);
            return;
        }
        enter(review, review->next);
    }
}

void review_begin(struct review *review)
{
    review->daemon->counters.reviews_begun++;
    review_resume(review, REVIEW_RECALL);
}

void review_wake(struct review *review)
{
    timer_arm(review->retry, 0); /* not from within the other's step */
}

void review_cancel(struct review *review)
{
    if (review->gather_id)
        gather_cancel(review->gather_id);
    if (review->resolve_id)
        registry_cancel(daemon_find_registry(review->daemon, review->event.registry)->client,
                        review->resolve_id);
    timer_disarm(review->retry);
}
