/* Sweeps: walk the repositories, tags and digests of a registry to find what no event announced.
 * One sweep at a time per registry; at start, at intervals, when the registry was restarted, and
 * when asked for. What it finds becomes ordinary events of cause sweep. */
#include "sweep.h"
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum { AFTER_FAILURE_MS = 60000, AFTER_FAILURE_MAX_MS = 3600000 };

/* A sweep that broke off goes on where it was.
 *
 * After a restart only for a while: most registries tell nobody twice what they told while we were
 * down, and what was pushed meanwhile into the part that was walked already would wait for the
 * sweep after this one. A crash or an update takes minutes. After a failure of the registry we were
 * there all the time; then what was seen is just getting old. */
enum { RESUME_AFTER_RESTART_MS = 15 * 60 * 1000, RESUME_AFTER_FAILURE_MS = 24 * 60 * 60 * 1000 };

static void begin(struct sweep *sweep, int64_t resume_ms);

static void interval_due(void *argument)
{
    struct sweep *sweep = argument;

    free(sweep->cause);
    sweep->cause = memory_copy_text("interval");
    begin(sweep, sweep->failures ? RESUME_AFTER_FAILURE_MS : 0);
}

struct sweeps *sweeps_new(struct daemon *daemon)
{
    struct sweeps *sweeps = memory_new(sizeof *sweeps);

    sweeps->daemon = daemon;
    sweeps->count = daemon->registry_count;
    sweeps->items = memory_new_array(sweeps->count, sizeof *sweeps->items);
    for (size_t i = 0; i < sweeps->count; i++) {
        struct sweep *sweep = &sweeps->items[i];

        sweep->daemon = daemon;
        sweep->registry = &daemon->registries[i];
        sweep->interval = timer_new(daemon->loop, interval_due, sweep);
    }
    return sweeps;
}

void sweeps_free(struct sweeps *sweeps)
{
    if (!sweeps)
        return;
    for (size_t i = 0; i < sweeps->count; i++) {
        struct sweep *sweep = &sweeps->items[i];

        sweep_walk_release(sweep);
        timer_free(sweep->interval);
        sweep_position_release(&sweep->position);
        free(sweep->cause);
        free(sweep->last_error);
    }
    free(sweeps->items);
    free(sweeps);
}

/* Later and later, and at last as rarely as when all is well. */
static int64_t delay_after_failure_ms(const struct sweep *sweep)
{
    int64_t interval = sweep->registry->settings->sweep_interval_ms;
    int64_t max = interval > 0 && interval < AFTER_FAILURE_MAX_MS ? interval : AFTER_FAILURE_MAX_MS;
    int64_t first = daemon_pause_ms(sweep->daemon, AFTER_FAILURE_MS);
    int64_t delay = first << (sweep->failures < 10 ? sweep->failures : 10);

    return delay < max ? delay : max;
}

static void arm_next(struct sweep *sweep, bool failed)
{
    int64_t interval = sweep->registry->settings->sweep_interval_ms;

    if (sweep->daemon->stopping)
        return;
    if (sweep->again) {
        sweep->again = false;
        begin(sweep, 0);
    } else if (failed) {
        timer_arm(sweep->interval, delay_after_failure_ms(sweep));
        sweep->failures++;
    } else if (interval > 0) {
        timer_arm(sweep->interval, interval);
    }
}

static void ended(void *argument, const struct error *error)
{
    struct sweep *sweep = argument;
    bool failed = error || sweep->last_error;

    sweep->running = false;
    sweep->finished_ms = clock_wall_ms();
    if (error && !sweep->last_error)
        sweep->last_error = error_with_hint(error);
    if (failed) {
        log_warning(LOG_FIELDS({"registry", sweep->registry->settings->name}),
                    "sweep failed: %s, retrying later", sweep->last_error);
    } else {
        sweep->failures = 0;
        log_info(LOG_FIELDS({"registry", sweep->registry->settings->name}),
                 "sweep finished: %llu repositories, %llu tags, %llu to judge",
                 (unsigned long long)sweep->position.repositories,
                 (unsigned long long)sweep->position.tags,
                 (unsigned long long)sweep->position.wanted);
    }
    arm_next(sweep, failed);
}

/* What was not looked at is not missed. */
static void list_scope(const struct sweep *sweep, struct text_list *ret)
{
    const struct config_registry *settings = sweep->registry->settings;

    text_list_copy(ret, &settings->sweep_repositories);
    if (settings->quarantine_prefix && *settings->quarantine_prefix)
        text_list_add_take(ret, text_new("!%s/**", settings->quarantine_prefix));
}

/* The registry is down, or we stop: it can go on. What fails for another reason does so again at
 * the same place, unless it came further at least. */
static bool may_resume(const struct sweep *sweep, const struct error *error)
{
    return sweep->broke_off && (error->kind == FAILURE_LATER || sweep->advanced);
}

static void end(struct sweep *sweep, const struct error *error)
{
    const struct sweep_position *position = &sweep->position;
    AUTO_TEXT_LIST struct text_list scope = {0};
    AUTO_FREE char *reason = NULL;
    struct sweep_end end = {.id = sweep->id,
                            .at_ms = clock_wall_ms(),
                            .complete = error == NULL,
                            .may_resume = error && may_resume(sweep, error),
                            .scope = &scope};

    if (error) {
        reason = error_with_hint(error);
        free(sweep->last_error);
        sweep->last_error = error_with_hint(error);
    } else if (position->skipped) {
        reason = text_new("%llu cannot be looked at, the first: %s",
                          (unsigned long long)position->skipped, position->reason);
        log_warning(LOG_FIELDS({"registry", sweep->registry->settings->name}), "%s, ignoring",
                    reason);
    }
    end.reason = reason;
    list_scope(sweep, &scope);
    store_sweep_end(sweep->daemon->store, &end, ended, sweep);
}

static void tags_redone(void *argument, const struct error *error, const int64_t *ids, size_t count)
{
    struct sweep *sweep = argument;

    for (size_t i = 0; i < count; i++)
        acts_take_up(sweep->daemon->acts, ids[i]);
    sweep->counters.redone += count;
    end(sweep, error);
}

/* A catalogue that shows nothing may be one that we may not see. */
static void known_looked_up(void *argument, const struct error *error, struct json *verdicts)
{
    struct error empty;

    if (!error && json_count(verdicts) > 0) {
        error_set(&empty, FAILURE_DENIED,
                  "the catalogue is empty, though images of this registry are known");
        error_hint(&empty, "Give regwarden's account the right to list all repositories.");
        error = &empty;
    }
    end(argument, error);
}

void sweep_walked(struct sweep *sweep, const struct error *error)
{
    struct store *store = sweep->daemon->store;
    struct store_filter filter = {.registry = sweep->registry->settings->name, .limit = 1};

    if (error)
        end(sweep, error);
    else if (sweep->position.repositories > 0)
        store_sweep_redo_tags(store, sweep->id, clock_wall_ms(), tags_redone, sweep);
    else
        store_list(store, STORE_LIST_VERDICTS, &filter, known_looked_up, sweep);
}

/* A position that cannot be read was not written by this version: from the start, then. */
static void go_where_it_was(struct sweep *sweep, const char *position)
{
    sweep->went_on = position && sweep_position_read(position, &sweep->position, NULL) == 0;
    if (sweep->went_on)
        log_info(LOG_FIELDS({"registry", sweep->registry->settings->name}),
                 "the sweep goes on where it broke off, after %llu tags, in %s",
                 (unsigned long long)sweep->position.tags,
                 sweep->position.repository ? sweep->position.repository : "the catalogue");
}

static void begun(void *argument, const struct error *error, int64_t id, const char *position)
{
    struct sweep *sweep = argument;
    struct error stopped;

    if (error) {
        ended(sweep, error);
        return;
    }
    sweep->id = id;
    if (sweep->stopped) {
        error_set(&stopped, FAILURE_LATER, "stopped");
        sweep->broke_off = true; /* a position is kept */
        end(sweep, &stopped);
        return;
    }
    go_where_it_was(sweep, position);
    sweep_walk(sweep);
}

/* Was this registry ever walked to the end? Then what we find now is news; before, it was there
 * before us. */
static void looked_up(void *argument, const struct error *error, struct json *sweeps)
{
    struct sweep *sweep = argument;

    if (error) { /* what is found must not be taken for news */
        ended(sweep, error);
        return;
    }
    sweep->is_first = true;
    for (size_t i = 0; i < json_count(sweeps); i++)
        if (text_equal(json_get_string(json_at(sweeps, i), "state"), "complete"))
            sweep->is_first = false;
    store_sweep_begin(
        sweep->daemon->store,
        &(struct sweep_start){
            .registry = sweep->registry->settings->name,
            .cause = sweep->cause,
            .at_ms = sweep->begun_ms,
            .resume_after_ms = sweep->resume_ms ? sweep->begun_ms - sweep->resume_ms : INT64_MAX},
        begun, sweep);
}

static void begin(struct sweep *sweep, int64_t resume_ms)
{
    struct store_filter filter = {
        .registry = sweep->registry->settings->name, .state = "complete", .limit = 1};

    if (sweep->running) {
        sweep->again = true;
        return;
    }
    if (sweep->stopped)
        return;
    timer_disarm(sweep->interval);
    sweep->running = true;
    sweep->begun_ms = clock_wall_ms();
    sweep->resume_ms = resume_ms;
    sweep_position_release(&sweep->position);
    sweep->broke_off = sweep->went_on = false;
    free(sweep->last_error);
    sweep->last_error = NULL;
    store_list(sweep->daemon->store, STORE_LIST_SWEEPS, &filter, looked_up, sweep);
}

static void request(struct sweep *sweep, const char *cause, int64_t resume_ms)
{
    if (!sweep->running) {
        free(sweep->cause);
        sweep->cause = memory_copy_text(cause);
    }
    begin(sweep, resume_ms);
}

void sweeps_start(struct sweeps *sweeps)
{
    for (size_t i = 0; i < sweeps->count; i++) {
        struct sweep *sweep = &sweeps->items[i];
        int64_t interval = sweep->registry->settings->sweep_interval_ms;

        if (sweeps->daemon->config->sweep_at_start && interval > 0)
            request(sweep, "start", RESUME_AFTER_RESTART_MS);
        else if (interval > 0)
            timer_arm(sweep->interval, interval);
    }
}

bool sweeps_request(struct sweeps *sweeps, const char *registry, const char *cause)
{
    bool found = false;

    for (size_t i = 0; i < sweeps->count; i++) {
        struct sweep *sweep = &sweeps->items[i];

        if (registry && !text_equal(sweep->registry->settings->name, registry))
            continue;
        found = true;
        request(sweep, cause, 0);
    }
    return found;
}

void sweeps_stop(struct sweeps *sweeps)
{
    for (size_t i = 0; i < sweeps->count; i++) {
        timer_disarm(sweeps->items[i].interval);
        sweeps->items[i].again = false;
        sweep_walk_stop(&sweeps->items[i]);
    }
}

struct json *sweeps_status(const struct sweeps *sweeps)
{
    struct json *list = json_new_array();
    char time[CLOCK_TEXT_SIZE];

    for (size_t i = 0; i < sweeps->count; i++) {
        const struct sweep *sweep = &sweeps->items[i];
        struct json *item = json_new_object();

        json_set_string(item, "registry", sweep->registry->settings->name);
        json_set_bool(item, "running", sweep->running);
        json_set_string(item, "cause", sweep->cause);
        json_set_integer(item, "repositories", (int64_t)sweep->position.repositories);
        json_set_integer(item, "tags", (int64_t)sweep->position.tags);
        json_set_integer(item, "wanted", (int64_t)sweep->position.wanted);
        if (sweep->running)
            json_set_string(item, "repository", sweep->position.repository);
        json_set_bool(item, "wentOn", sweep->went_on);
        if (sweep->begun_ms)
            json_set_string(item, "begunAt", clock_format_rfc3339(sweep->begun_ms, time));
        if (sweep->finished_ms)
            json_set_string(item, "finishedAt", clock_format_rfc3339(sweep->finished_ms, time));
        json_set_string(item, "error", sweep->last_error);
        json_append_take(list, item);
    }
    return list;
}

void sweeps_counters(const struct sweeps *sweeps, size_t registry, struct sweep_counters *ret)
{
    *ret = sweeps->items[registry].counters;
    ret->running = sweeps->items[registry].running;
}
