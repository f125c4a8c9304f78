/* Sweeps: walk the repositories, tags and digests of a registry to find what no event announced.
 * One sweep at a time per registry; at start, at intervals, when the registry was restarted, and
 * when asked for. What it finds becomes ordinary events of cause sweep. */
#include "sweep.h"
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum { AFTER_FAILURE_MS = 60000 };

static void begin(struct sweep *sweep);

static void interval_due(void *argument)
{
    struct sweep *sweep = argument;

    free(sweep->cause);
    sweep->cause = memory_copy_text("interval");
    begin(sweep);
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
        free(sweep->cause);
        free(sweep->last_error);
    }
    free(sweeps->items);
    free(sweeps);
}

static void ended(void *argument, const struct error *error)
{
    struct sweep *sweep = argument;
    int64_t interval = sweep->registry->settings->sweep_interval_ms;

    sweep->running = false;
    sweep->finished_ms = clock_wall_ms();
    if (error || sweep->last_error)
        log_warning(LOG_FIELDS({"registry", sweep->registry->settings->name}),
                    "sweep failed: %s, retrying later",
                    sweep->last_error ? sweep->last_error : error->text);
    else
        log_info(LOG_FIELDS({"registry", sweep->registry->settings->name}),
                 "sweep finished: %zu repositories, %zu tags, %zu to judge",
                 sweep->repository_count, sweep->tag_count, sweep->wanted_count);
    if (sweep->daemon->stopping)
        return;
    if (sweep->again) {
        sweep->again = false;
        begin(sweep);
    } else if (error || sweep->last_error) {
        timer_arm(sweep->interval, AFTER_FAILURE_MS);
    } else if (interval > 0) {
        timer_arm(sweep->interval, interval);
    }
}

/* Called by the walk when there is nothing more to do, or when it failed. */
void sweep_walked(struct sweep *sweep, const struct error *error)
{
    char text[ERROR_TEXT_SIZE];

    snprintf(text, sizeof text, "%s", error ? error->text : "");
    if (error)
        sweep->last_error = memory_copy_text(text);
    store_sweep_end(sweep->daemon->store,
                    &(struct sweep_end){.id = sweep->id,
                                        .at_ms = clock_wall_ms(),
                                        .complete = error == NULL,
                                        .reason = error ? text : NULL},
                    ended, sweep);
}

static void begun(void *argument, const struct error *error, int64_t id)
{
    struct sweep *sweep = argument;

    if (error) {
        sweep->last_error = memory_copy_text(error->text);
        ended(sweep, error);
        return;
    }
    sweep->id = id;
    sweep_walk(sweep);
}

/* Was this registry ever walked to the end? Then what we find now is news; before, it was there
 * before us. */
static void looked_up(void *argument, const struct error *error, struct json *sweeps)
{
    struct sweep *sweep = argument;

    sweep->is_first = !error;
    for (size_t i = 0; i < json_count(sweeps); i++)
        if (text_equal(json_get_string(json_at(sweeps, i), "state"), "complete"))
            sweep->is_first = false;
    store_sweep_begin(sweep->daemon->store, sweep->registry->settings->name, sweep->begun_ms,
                      sweep->cause, begun, sweep);
}

static void begin(struct sweep *sweep)
{
    struct store_filter filter = {
        .registry = sweep->registry->settings->name, .state = "complete", .limit = 1};

    if (sweep->running) {
        sweep->again = true;
        return;
    }
    timer_disarm(sweep->interval);
    sweep->running = true;
    sweep->begun_ms = clock_wall_ms();
    sweep->repository_count = sweep->tag_count = sweep->wanted_count = 0;
    free(sweep->last_error);
    sweep->last_error = NULL;
    store_list(sweep->daemon->store, STORE_LIST_SWEEPS, &filter, looked_up, sweep);
}

void sweeps_start(struct sweeps *sweeps)
{
    for (size_t i = 0; i < sweeps->count; i++) {
        struct sweep *sweep = &sweeps->items[i];
        int64_t interval = sweep->registry->settings->sweep_interval_ms;

        if (sweeps->daemon->config->sweep_at_start && interval > 0)
            sweeps_request(sweeps, sweep->registry->settings->name, "start");
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
        if (!sweep->running) {
            free(sweep->cause);
            sweep->cause = memory_copy_text(cause);
        }
        begin(sweep);
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
        json_set_integer(item, "repositories", (int64_t)sweep->repository_count);
        json_set_integer(item, "tags", (int64_t)sweep->tag_count);
        json_set_integer(item, "wanted", (int64_t)sweep->wanted_count);
        if (sweep->begun_ms)
            json_set_string(item, "begunAt", clock_format_rfc3339(sweep->begun_ms, time));
        if (sweep->finished_ms)
            json_set_string(item, "finishedAt", clock_format_rfc3339(sweep->finished_ms, time));
        json_set_string(item, "error", sweep->last_error);
        json_append_take(list, item);
    }
    return list;
}
