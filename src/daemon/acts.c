/* Carries out recorded plans, one after the other per verdict, and goes on with them after a
 * restart. The journal says what was done: planned → done | skipped | failed, or planned again
 * later. Memory is bounded: what has no place here stays planned in the journal and is loaded
 * again. What an action does is not decided here. */
#include "daemon_priv.h"
#include "renew.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/log.h"

enum {
    JOBS_AT_ONCE = 16,
    JOBS_MAX = 512,    /* waiting and running */
    PARKED_MAX = 512,  /* one dead receiver or registry must not take all places */
    LOAD_AT_ONCE = 64, /* plans per load from the journal */
    LOAD_BELOW = 64,   /* jobs */
    RELOAD_AFTER_MS = 30000,
    GIVE_UP_ATTEMPTS = 40,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 300000
};

struct job { /* plans of one verdict, or one plan read back from the journal */
    struct acts *acts;
    struct acts_job work;
    size_t index; /* of the plan that is under way */
    unsigned attempts;
    struct timer *retry;
    struct job *next; /* in the queue */
    struct job *all_previous, *all_next;
};

/* Plans with ids in (after, upto] are in the journal only, but for those that are held. */
struct span {
    int64_t after, upto;
};

struct acts {
    struct daemon *daemon;
    struct job *all;          /* every job there is */
    struct job *first, *last; /* waiting for a place */
    size_t waiting, running, parked;
    struct map *held; /* k: id of a plan in memory -> v: acts; so that a load does not double it */
    struct span walk; /* being loaded */
    struct span left; /* to be loaded next */
    struct span put_off; /* to be loaded when the timer has run down */
    struct timer *reload;
    bool known; /* which plans an earlier run has left */
    bool loading, stopped;
};

static void job_go_on(struct job *job);
static void job_ended(struct job *job);
static void pump(struct acts *acts);
static void load_more(struct acts *acts);

static bool span_is_empty(const struct span *span)
{
    return span->after >= span->upto;
}

static void span_join(struct span *span, const struct span *other)
{
    if (span_is_empty(other))
        return;
    if (span_is_empty(span))
        *span = *other;
    if (other->after < span->after)
        span->after = other->after;
    if (other->upto > span->upto)
        span->upto = other->upto;
}

static void reload_due(void *argument)
{
    struct acts *acts = argument;

    span_join(&acts->left, &acts->put_off);
    acts->put_off = (struct span){0};
    load_more(acts);
}

struct acts *acts_new(struct daemon *daemon)
{
    struct acts *acts = memory_new(sizeof *acts);

    acts->daemon = daemon;
    acts->held = map_new();
    acts->reload = timer_new(daemon->loop, reload_due, acts);
    return acts;
}

static bool holds(const struct acts *acts, int64_t plan_id)
{
    AUTO_FREE char *key = text_new("%lld", (long long)plan_id);

    return map_get(acts->held, key) != NULL;
}

static void hold_plans(struct acts *acts, const struct acts_job *work, bool held)
{
    for (size_t i = 0; i < work->plan_count; i++) {
        AUTO_FREE char *key = text_new("%lld", (long long)work->plans[i].id);

        if (held)
            map_set(acts->held, key, acts);
        else
            map_remove(acts->held, key);
    }
}

static void work_release(struct acts_job *work)
{
    for (size_t i = 0; i < work->plan_count; i++) {
        json_release(work->plans[i].detail);
        json_release(work->plans[i].pushes);
    }
    free(work->plans);
    event_release(&work->placement);
    verdict_release(&work->verdict);
    *work = (struct acts_job){0};
}

static void job_free(struct job *job)
{
    if (job->all_previous)
        job->all_previous->all_next = job->all_next;
    else
        job->acts->all = job->all_next;
    if (job->all_next)
        job->all_next->all_previous = job->all_previous;
    hold_plans(job->acts, &job->work, false);
    work_release(&job->work);
    timer_free(job->retry);
    free(job);
}

void acts_free(struct acts *acts)
{
    if (!acts)
        return;
    for (struct job *job = acts->all, *next; job; job = next) {
        next = job->all_next;
        job_free(job); /* what is not done stays planned in the journal */
    }
    map_free(acts->held);
    timer_free(acts->reload);
    free(acts);
}

/* Of the plans from `first` on. */
static struct span span_of(const struct acts_job *work, size_t first)
{
    struct span span = {0};

    for (size_t i = first; i < work->plan_count; i++)
        if (!work->plans[i].audit)
            span_join(&span, &(struct span){work->plans[i].id - 1, work->plans[i].id});
    return span;
}

static void fill_target(const struct job *job, struct action_target *ret)
{
    const struct event *placement = &job->work.placement;
    struct daemon_registry *registry = daemon_find_registry(job->acts->daemon, placement->registry);

    *ret = (struct action_target){
        .registry = registry ? registry->client : NULL,
        .registry_name = placement->registry,
        .repository = placement->repository,
        .tag = placement->tag,
        .digest = placement->digest,
        .last_passing = job->work.last_passing,
        .verdict = &job->work.verdict,
        .plan_id = job->work.plans[job->index].id,
        .audit = !job->work.verdict.enforced,
    };
}

static void job_ended(struct job *job)
{
    struct acts *acts = job->acts;

    acts->running--;
    job_free(job);
    pump(acts);
}

static void retry_due(void *argument)
{
    struct job *job = argument;

    job->acts->parked--;
    job->acts->running++;
    job_go_on(job);
}

/* The journal counts the attempts of what memory has no place for. */
static void put_off(struct job *job, const struct error *why)
{
    struct acts *acts = job->acts;
    struct span span = span_of(&job->work, job->index);
    AUTO_FREE char *reason = error_with_hint(why);
    struct plan_update update = {.id = job->work.plans[job->index].id,
                                 .state = PLAN_PLANNED,
                                 .reason = reason,
                                 .at_ms = clock_wall_ms()};

    store_update_plan(acts->daemon->store, &update, NULL, NULL);
    span_join(&acts->put_off, &span);
    timer_arm(acts->reload, daemon_pause_ms(acts->daemon, RELOAD_AFTER_MS));
    job_ended(job);
}

static void park(struct job *job, const struct error *why)
{
    int64_t delay = (int64_t)RETRY_FIRST_MS << (job->attempts > 10 ? 10 : job->attempts);
    uint16_t noise;

    if (job->acts->parked >= PARKED_MAX) {
        put_off(job, why);
        return;
    }
    crypto_random(&noise, sizeof noise);
    delay = daemon_pause_ms(job->acts->daemon, delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS);
    if (why && why->retry_after_ms > delay)
        delay = why->retry_after_ms;
    job->attempts++;
    job->acts->running--;
    job->acts->parked++;
    timer_arm(job->retry, delay / 2 + delay * noise / 2 / UINT16_MAX + 1);
    pump(job->acts);
}

static void journalled(void *argument, const struct error *error)
{
    struct job *job = argument;

    if (error) { /* the action is idempotent: it is done again, and journalled then */
        park(job, error);
        return;
    }
    job->index++;
    job->attempts = 0;
    job_go_on(job);
}

/* A registry sends its notification before it links the tag: for a moment the tag is not there, or
 * still names what it named before. Only what stays so has moved. */
static bool may_settle(const struct job *job, const struct action_result *result)
{
    enum { SETTLE_ATTEMPTS = 3 };

    return (result->state == PLAN_SKIPPED || result->was_gone) &&
           !job->acts->daemon->options->dry_run &&
           (ACTION_BIT(job->work.plans[job->index].kind) & ACTIONS_MOVING) &&
           job->attempts < SETTLE_ATTEMPTS;
}

static void performed(void *argument, const struct action_result *result)
{
    struct job *job = argument;
    struct store_plan *plan = &job->work.plans[job->index];
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];
    AUTO_FREE char *reason = error_with_hint(result->error);
    struct plan_update update = {.id = plan->id,
                                 .state = result->state,
                                 .reason = reason,
                                 .undo = result->undo,
                                 .at_ms = clock_wall_ms()};

    event_log_fields(&job->work.placement, &buffer, fields);
    if (may_settle(job, result)) {
        park(job, NULL);
        return;
    }
    if (result->state == PLAN_PLANNED && job->attempts < GIVE_UP_ATTEMPTS) {
        log_warning(fields, "%s failed: %s, retrying", action_kind_name(plan->kind),
                    reason ? reason : "");
        park(job, result->error);
        return;
    }
    if (result->state == PLAN_PLANNED)
        update.state = PLAN_FAILED;
    if (ACTION_BIT(plan->kind) & ACTIONS_MOVING) /* pushed once more it is no mere repetition */
        placement_cache_forget(job->acts->daemon->placement_cache, &job->work.placement);
    if (update.state == PLAN_FAILED)
        log_error(fields, "%s failed: %s", action_kind_name(plan->kind),
                  update.reason ? update.reason : "");
    else
        log_info(fields, "%s: %s%s%s", action_kind_name(plan->kind), plan_state_name(update.state),
                 update.reason ? ", " : "", update.reason ? update.reason : "");
    watch_action(job->acts->daemon, &job->work.placement, plan->kind, result);
    store_update_plan(job->acts->daemon->store, &update, journalled, job);
}

static void perform(struct job *job)
{
    struct action_target target;

    fill_target(job, &target);
    action_perform(job->acts->daemon->actions, job->work.plans[job->index].kind, &target, performed,
                   job);
}

static void renewed(void *argument, enum renewed renewed, const struct error *error)
{
    struct job *job = argument;

    if (error)
        park(job, error);
    else if (renewed == RENEWED)
        job_ended(job);
    else
        perform(job);
}

static void job_go_on(struct job *job)
{
    struct daemon *daemon = job->acts->daemon;
    struct daemon_registry *registry = daemon_find_registry(daemon, job->work.placement.registry);

    while (job->index < job->work.plan_count && job->work.plans[job->index].audit)
        job->index++; /* recorded as "would" */
    if (job->index == job->work.plan_count || job->acts->stopped)
        job_ended(job);
    else if (!registry)
        job_ended(job); /* not configured any more: stays planned */
    else if (renew_is_due(daemon, &job->work, job->index))
        renew_start(daemon, registry->client,
                    &(struct renew_order){.work = &job->work, .first = job->index}, renewed, job);
    else
        perform(job);
}

static struct job *add_job_take(struct acts *acts, struct acts_job *work)
{
    struct job *job = memory_new(sizeof *job);

    job->acts = acts;
    job->work = *work;
    *work = (struct acts_job){0};
    hold_plans(acts, &job->work, true);
    job->all_next = acts->all;
    if (acts->all)
        acts->all->all_previous = job;
    acts->all = job;
    job->retry = timer_new(acts->daemon->loop, retry_due, job);
    if (acts->last)
        acts->last->next = job;
    else
        acts->first = job;
    acts->last = job;
    acts->waiting++;
    return job;
}

void acts_add_take(struct acts *acts, struct acts_job *work)
{
    struct span span = span_of(work, 0);

    if (acts->stopped || acts->waiting + acts->running >= JOBS_MAX) {
        span_join(&acts->left, &span);
        work_release(work);
    } else {
        add_job_take(acts, work);
    }
    pump(acts);
}

static void recover(struct acts *acts, struct plan *plan)
{
    struct acts_job work = {.plan_count = 1, .last_passing = plan->last_passing};

    work.placement = (struct event){.registry = memory_copy_text(plan->registry),
                                    .repository = memory_copy_text(plan->repository),
                                    .tag = memory_copy_text(plan->tag),
                                    .digest = plan->digest};
    if (plan->verdict) {
        work.verdict = *plan->verdict;
        *plan->verdict = (struct verdict){0};
    }
    work.plans = memory_new(sizeof *work.plans);
    *work.plans = (struct store_plan){.id = plan->id, .kind = plan->kind};
    add_job_take(acts, &work)->attempts =
        plan->attempts < GIVE_UP_ATTEMPTS ? (unsigned)plan->attempts : GIVE_UP_ATTEMPTS;
}

static void loaded(void *argument, const struct error *error, struct plan *plans, size_t count)
{
    struct acts *acts = argument;

    acts->loading = false;
    if (acts->stopped)
        return;
    if (error) {
        log_warning(NULL, "reading open plans failed: %s, retrying", error->text);
        timer_arm(acts->reload, daemon_pause_ms(acts->daemon, RELOAD_AFTER_MS));
        return;
    }
    if (count < LOAD_AT_ONCE)
        acts->walk.after = acts->walk.upto;
    for (size_t i = 0; i < count && plans[i].id <= acts->walk.upto; i++)
        if (!holds(acts, plans[i].id))
            recover(acts, &plans[i]);
    if (count > 0 && plans[count - 1].id > acts->walk.after)
        acts->walk.after = plans[count - 1].id;
    pump(acts);
}

static void load_more(struct acts *acts)
{
    if (acts->loading || acts->stopped || acts->waiting + acts->running >= LOAD_BELOW)
        return;
    if (span_is_empty(&acts->walk)) {
        acts->walk = acts->left;
        acts->left = (struct span){0};
    }
    if (span_is_empty(&acts->walk))
        return;
    acts->loading = true;
    store_load_open_plans(acts->daemon->store, acts->walk.after, LOAD_AT_ONCE, loaded, acts);
}

static void pump(struct acts *acts)
{
    while (!acts->stopped && acts->running < JOBS_AT_ONCE && acts->first) {
        struct job *job = acts->first;

        acts->first = job->next;
        if (!acts->first)
            acts->last = NULL;
        job->next = NULL;
        acts->waiting--;
        acts->running++;
        job_go_on(job);
    }
    load_more(acts);
}

/* What is planned before any review of this run begins was left by an earlier one. */
static void listed(void *argument, const struct error *error, struct json *plans)
{
    struct acts *acts = argument;

    if (error) {
        acts->daemon->start_failure = *error;
        return;
    }
    acts->left.upto = json_get_integer(json_at(plans, 0), "id", 0);
    acts->known = true;
}

void acts_look(struct acts *acts)
{
    static const struct store_filter newest = {.limit = 1};

    store_list(acts->daemon->store, STORE_LIST_PLANS, &newest, listed, acts);
}

bool acts_have_looked(const struct acts *acts)
{
    return acts->known;
}

void acts_start(struct acts *acts)
{
    load_more(acts);
}

void acts_take_up(struct acts *acts, int64_t plan_id)
{
    span_join(&acts->left, &(struct span){plan_id - 1, plan_id});
    load_more(acts);
}

size_t acts_active(const struct acts *acts)
{
    return acts->running;
}

void acts_stop(struct acts *acts)
{
    acts->stopped = true;
    timer_disarm(acts->reload);
}
