/* Carries out recorded plans, one after the other per verdict, and goes on with them after a
 * restart. The journal says what was done: planned → done | skipped | failed, or planned again
 * later. What an action does is not decided here. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/log.h"

enum {
    JOBS_AT_ONCE = 16,
    LOAD_AT_ONCE = 128,
    GIVE_UP_ATTEMPTS = 40,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 300000
};

struct job { /* plans of one verdict, or one plan read back from the journal */
    struct acts *acts;
    struct acts_job work;
    size_t index; /* of the plan that is under way */
    unsigned attempts;
    bool recovered; /* from the journal: what the tag last passed with is not known yet */
    struct timer *retry;
    struct job *next; /* in the queue */
    struct job *all_previous, *all_next;
};

struct acts {
    struct daemon *daemon;
    struct job *all;          /* every job there is */
    struct job *first, *last; /* waiting for a place */
    size_t waiting, running, parked;
    int64_t loaded_to;
    int64_t started_ms; /* plans made from now on come from reviews, not from the journal */
    bool loading, all_loaded, stopped;
};

static void job_go_on(struct job *job);
static void pump(struct acts *acts);
static void load_more(struct acts *acts);

struct acts *acts_new(struct daemon *daemon)
{
    struct acts *acts = memory_new(sizeof *acts);

    acts->daemon = daemon;
    return acts;
}

static void job_free(struct job *job)
{
    if (job->all_previous)
        job->all_previous->all_next = job->all_next;
    else
        job->acts->all = job->all_next;
    if (job->all_next)
        job->all_next->all_previous = job->all_previous;
    for (size_t i = 0; i < job->work.plan_count; i++) {
        json_release(job->work.plans[i].detail);
        json_release(job->work.plans[i].pushes);
    }
    free(job->work.plans);
    event_release(&job->work.placement);
    verdict_release(&job->work.verdict);
    timer_free(job->retry);
    free(job);
}

void acts_free(struct acts *acts)
{
    if (!acts)
        return;
    while (acts->all)
        job_free(acts->all); /* what is not done stays planned in the journal */
    free(acts);
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

static void park(struct job *job, const struct error *why)
{
    int64_t delay = (int64_t)RETRY_FIRST_MS << (job->attempts > 10 ? 10 : job->attempts);
    uint16_t noise;

    crypto_random(&noise, sizeof noise);
    if (delay > RETRY_MAX_MS)
        delay = RETRY_MAX_MS;
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
    const unsigned by_tag =
        ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK) | ACTION_BIT(ACTION_REMOVE);

    return result->state == PLAN_SKIPPED &&
           (ACTION_BIT(job->work.plans[job->index].kind) & by_tag) &&
           job->attempts < SETTLE_ATTEMPTS;
}

static void performed(void *argument, const struct action_result *result)
{
    struct job *job = argument;
    struct store_plan *plan = &job->work.plans[job->index];
    struct event_log buffer;
    struct log_field fields[EVENT_LOG_FIELDS];
    struct plan_update update = {.id = plan->id,
                                 .state = result->state,
                                 .reason = result->error ? result->error->text : NULL,
                                 .undo = result->undo,
                                 .at_ms = clock_wall_ms()};

    event_log_fields(&job->work.placement, &buffer, fields);
    if (may_settle(job, result)) {
        park(job, NULL);
        return;
    }
    if (result->state == PLAN_PLANNED && job->attempts < GIVE_UP_ATTEMPTS) {
        log_warning(fields, "%s failed: %s, retrying", action_kind_name(plan->kind),
                    result->error ? result->error->text : "");
        park(job, result->error);
        return;
    }
    if (result->state == PLAN_PLANNED)
        update.state = PLAN_FAILED;
    if (update.state == PLAN_FAILED)
        log_error(fields, "%s failed: %s", action_kind_name(plan->kind),
                  update.reason ? update.reason : "");
    else
        log_info(fields, "%s: %s%s%s", action_kind_name(plan->kind), plan_state_name(update.state),
                 update.reason ? ", " : "", update.reason ? update.reason : "");
    watch_action(job->acts->daemon, &job->work.placement, plan->kind, result);
    store_update_plan(job->acts->daemon->store, &update, journalled, job);
}

static void recalled(void *argument, const struct error *error, struct store_context *context)
{
    struct job *job = argument;

    if (error) {
        park(job, error);
        return;
    }
    job->recovered = false;
    job->work.last_passing = context->last_passing;
    job_go_on(job);
}

static void job_go_on(struct job *job)
{
    struct action_target target;

    while (job->index < job->work.plan_count && job->work.plans[job->index].audit)
        job->index++; /* recorded as "would" */
    if (job->index == job->work.plan_count || job->acts->stopped) {
        job_ended(job);
        return;
    }
    fill_target(job, &target);
    if (!target.registry) {
        job_ended(job); /* not configured any more: stays planned */
        return;
    }
    if (job->recovered) {
        store_read_context(job->acts->daemon->store, &job->work.placement, recalled, job);
        return;
    }
    action_perform(job->acts->daemon->actions, job->work.plans[job->index].kind, &target, performed,
                   job);
}

static struct job *add_job(struct acts *acts, const struct acts_job *work)
{
    struct job *job = memory_new(sizeof *job);

    job->acts = acts;
    job->work = *work;
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
    add_job(acts, work);
    *work = (struct acts_job){0};
    pump(acts);
}

static void recover(struct acts *acts, struct plan *plan)
{
    struct acts_job work = {.plan_count = 1};

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
    add_job(acts, &work)->recovered = true;
}

static void loaded(void *argument, const struct error *error, struct plan *plans, size_t count)
{
    struct acts *acts = argument;

    acts->loading = false;
    if (error) {
        log_warning(NULL, "reading open plans failed: %s, ignoring until the next start",
                    error->text);
        return;
    }
    acts->all_loaded = count < LOAD_AT_ONCE;
    for (size_t i = 0; i < count; i++) {
        acts->loaded_to = plans[i].id;
        if (plans[i].at_ms < acts->started_ms)
            recover(acts, &plans[i]);
    }
    pump(acts);
}

static void load_more(struct acts *acts)
{
    if (!acts->started_ms || acts->loading || acts->all_loaded || acts->stopped || acts->waiting)
        return;
    acts->loading = true;
    store_load_open_plans(acts->daemon->store, acts->loaded_to, LOAD_AT_ONCE, loaded, acts);
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

void acts_start(struct acts *acts)
{
    acts->started_ms = clock_wall_ms();
    load_more(acts);
}

size_t acts_active(const struct acts *acts)
{
    return acts->running;
}

void acts_stop(struct acts *acts)
{
    acts->stopped = true;
}
