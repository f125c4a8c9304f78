/* When something could not be had: retry later, or give up in a way that loses nothing. Giving up
 * is one of: the image is gone (and is recorded so), or a verdict of unavailability plus a dead
 * letter. Unknown is never pass. */
#include "review.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/log.h"

/* A manifest that is not there may still come: events are sent before a tag is linked, and replicas
 * lag. But not for long. */
enum { ABSENT_ATTEMPTS_MAX = 4, ABSENT_DELAY_MS = 500, GIVE_UP_ATTEMPTS_MIN = 3 };

static int64_t retry_delay_ms(const struct review *review, const struct error *why)
{
    const struct config *config = review->daemon->config;
    unsigned doublings = review->attempts > 16 ? 16 : review->attempts;
    int64_t delay = config->retry_first_ms << doublings;
    uint16_t noise;

    if (delay > config->retry_max_ms || delay <= 0)
        delay = config->retry_max_ms;
    if (why->kind == FAILURE_ABSENT)
        delay = daemon_pause_ms(review->daemon, (int64_t)ABSENT_DELAY_MS << doublings);
    if (why->retry_after_ms > delay)
        delay = why->retry_after_ms;
    crypto_random(&noise, sizeof noise);
    return delay / 2 + delay * noise / 2 / UINT16_MAX + 1; /* half fixed, half jitter */
}

static bool has_given_up(const struct review *review, const struct error *why)
{
    int64_t age = clock_wall_ms() - review->event.received_ms;

    if (why->kind == FAILURE_ABSENT)
        return review->attempts >= ABSENT_ATTEMPTS_MAX ||
               (review->attempts > 0 && dispatcher_newer_waits(review->daemon->dispatcher, review));
    /* not at once what is old only because nobody was there */
    return review->attempts >= GIVE_UP_ATTEMPTS_MIN &&
           age > review->daemon->config->retry_give_up_ms;
}

/* Thousands may wait: none holds more than its events. All of it is read again. */
static void forget_what_was_read(struct review *review)
{
    size_t position = 0;
    void *value;

    gathered_release(&review->gathered);
    review_hold(review);
    review_forget_judged(review);
    facts_free(TAKE(review->context.facts));
    large_leave(review->daemon->large, review);
    while (map_each(review->known, &position, NULL, &value))
        facts_free(value);
    map_free(review->known);
    review->known = map_new();
    review->prepare_index = 0;
    review->without_layers = review->has_gathered = false;
}

/* Equal events may join while it waits. */
static bool step_back(struct review *review)
{
    review->step = REVIEW_RECALL;
    review->is_fresh = false;
    forget_what_was_read(review);
    if (review->inflight_key) {
        inflight_leave(review->daemon->inflight, review->inflight_key, review);
        free(review->inflight_key);
        review->inflight_key = NULL;
    }
    return dispatcher_review_parked(review->daemon->dispatcher, review);
}

void review_wait_parked(struct review *review)
{
    (void)step_back(review);
}

static void park(struct review *review, const struct error *why)
{
    int64_t delay = retry_delay_ms(review, why);
    char duration[TEXT_NUMBER_SIZE];
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];
    AUTO_FREE char *reason = error_with_hint(why);

    if (!review->daemon->stopping)
        log_warning(event_log_fields(&review->event, &buffer, fields),
                    "%s failed: %s, retrying in %s", review_step_name(review->step), reason,
                    text_format_duration(delay, duration));
    review->attempts++;
    review->daemon->counters.reviews_retried++;
    scan_places_leave(review->daemon->scan_places, review);
    if (step_back(review))
        timer_arm(review->retry, delay);
}

void review_settled(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error)
        review_not_stored(review, error);
    else
        review_resume(review, REVIEW_DONE);
}

static void finish_events(struct review *review)
{
    review->step = REVIEW_RECORD; /* nobody joins any more */
    store_finish_events(review->daemon->store, review->event_ids, review->event_count,
                        review_settled, review);
}

static void gone(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error)
        review_not_stored(review, error);
    else
        finish_events(review);
}

/* The newest of the events says since when; then all of them are finished. */
void review_record_gone(struct review *review)
{
    review->step = REVIEW_RECORD;
    placement_cache_forget(review->daemon->placement_cache, &review->event);
    store_record_gone(review->daemon->store, &review->event, gone, review);
}

/* The registry says that it is not there: recorded as gone. A sweep finds it, should it come back.
 */
static void give_up_gone(struct review *review, const struct error *why)
{
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    log_info(event_log_fields(&review->event, &buffer, fields), "the image is gone: %s", why->text);
    review->daemon->counters.reviews_gone++;
    if (review->event.id <= 0 && !digest_is_set(&review->event.digest)) {
        review_resume(review, REVIEW_DONE);
        return;
    }
    review_record_gone(review);
}

static char *letter_body(const struct event *event)
{
    AUTO_JSON struct json *json = json_new_object();
    AUTO_TEXT struct text text = {0};
    char digest[DIGEST_TEXT_SIZE];

    json_set_string(json, "registry", event->registry);
    json_set_string(json, "repository", event->repository);
    json_set_string(json, "tag", event->tag);
    if (digest_is_set(&event->digest))
        json_set_string(json, "digest", digest_format(&event->digest, digest));
    json_set_string(json, "mediaType", event->media_type);
    json_set_string(json, "actor", event->actor);
    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

/* Without a digest there is nothing to put a verdict on; without a registry nothing to do it with.
 */
static void after_letter(struct review *review)
{
    if (review->is_hopeless || !digest_is_set(&review->event.digest) ||
        !daemon_find_registry(review->daemon, review->event.registry))
        finish_events(review);
    else
        review_resume(review, REVIEW_JUDGE);
}

static void lettered(void *argument, const struct error *error)
{
    struct review *review = argument;

    if (error) {
        park(review, error);
        return;
    }
    review->has_letter = true;
    after_letter(review);
}

/* The dead letter is written first: should we die in between, the event is still open and comes
 * again. */
static void give_up(struct review *review, const struct error *why)
{
    AUTO_FREE char *body = letter_body(&review->event);
    AUTO_FREE char *reason = error_with_hint(why);
    struct dead_letter letter = {
        .at_ms = clock_wall_ms(),
        .kind = "event",
        .registry = review->event.registry,
        .reason = reason,
        .body = body,
        .body_size = strlen(body),
    };
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];

    log_error(event_log_fields(&review->event, &buffer, fields),
              "could not be judged: %s; kept as dead letter", reason);
    review->daemon->counters.reviews_given_up++;
    gathered_release(&review->gathered);
    review_hold(review);
    review->gathered = (struct gathered){.error = *why, .digest = review->event.digest};
    if (review->has_letter) {
        after_letter(review);
        return;
    }
    store_add_dead_letter(review->daemon->store, &letter, lettered, review);
}

/* Judging again, under other policies, needed something that cannot be had: the verdict in force
 * stays. */
static bool keeps_its_verdict(const struct review *review)
{
    return review->event.cause == EVENT_CAUSE_POLICY && review->context.has_verdict;
}

/* The manifest is there; what it names is not. The image stands in the registry, and is judged as
 * it is: without that part it cannot pass. */
static bool lacks_a_part(const struct review *review, const struct error *why)
{
    return why->kind == FAILURE_ABSENT && review->gathered.error.kind == FAILURE_NONE &&
           review->gathered.image_count > 0;
}

enum progress review_failed(struct review *review, const struct error *why)
{
    struct error copy = *why; /* `why` may live in what is released below */

    if (review->daemon->stopping || !has_given_up(review, &copy))
        park(review, &copy); /* when stopping: its events are open, the next start goes on */
    else if (review->event.action == EVENT_DELETE)
        review_record_gone(review); /* should it stand there all the same, the sweep finds it */
    else if (copy.kind != FAILURE_ABSENT && keeps_its_verdict(review))
        review_resume(review, REVIEW_DONE);
    else if (lacks_a_part(review, &copy))
        review_resume(review, REVIEW_JUDGE);
    else if (copy.kind == FAILURE_ABSENT)
        give_up_gone(review, &copy);
    else
        give_up(review, &copy);
    return PROGRESS_WAITING;
}

void review_not_stored(struct review *review, const struct error *why)
{
    struct error copy = *why;

    review->is_hopeless = copy.kind == FAILURE_INPUT || copy.kind == FAILURE_LIMIT;
    if (review->is_hopeless && !review->daemon->stopping)
        give_up(review, &copy);
    else
        park(review, &copy);
}

enum progress review_has_no_registry(struct review *review)
{
    const struct config *config = review->daemon->config;
    const char *name = review->event.registry;
    struct error error;

    if (!review_is_of_a_push(review)) {
        finish_events(review); /* what is recorded stays */
        return PROGRESS_WAITING;
    }
    if (config_find_registry(config, name)) {
        error_set(&error, FAILURE_LATER, "registry %s was configured since the start: restart",
                  name);
        return review_failed(review, &error);
    }
    error_set(&error, FAILURE_ABSENT, "registry %s is not configured any more", name);
    give_up(review, &error);
    return PROGRESS_WAITING;
}

void review_is_not_there(struct review *review)
{
    struct error error;

    error_set(&error, FAILURE_ABSENT, "the tag does not name the image");
    if (review->daemon->stopping || !has_given_up(review, &error))
        park(review, &error);
    else
        finish_events(review);
}
