/* The order in which the rooms start, and the reverse in which they stop. Sockets are bound last:
 * who can reach us finds us working. */
#include "start.h"

#include <errno.h>
#include <sys/stat.h>

#include "regwarden/clock.h"
#include "regwarden/file.h"
#include "regwarden/log.h"
#include "regwarden/systemd.h"

enum { STOP_WAIT_MS = 15000, HOUSEKEEPING_MS = 3600000, RECALL_WARN_MS = 10000 };

struct daemon_registry *daemon_find_registry(struct daemon *daemon, const char *name)
{
    for (size_t i = 0; i < daemon->registry_count; i++)
        if (text_equal(daemon->registries[i].settings->name, name))
            return &daemon->registries[i];
    return NULL;
}

int64_t daemon_pause_ms(const struct daemon *daemon, int64_t usual_ms)
{
    return usual_ms < daemon->config->retry_max_ms ? usual_ms : daemon->config->retry_max_ms;
}

static void log_fault(void *argument, const struct error *err)
{
    (void)argument;
    log_error(NULL, "%s%s%s", err->text, err->hint[0] ? "; " : "", err->hint);
}

/* With what is above it; only the last is ours alone. */
static int make_directory(const char *path, struct error *err)
{
    AUTO_FREE char *part = memory_copy_text(path);

    for (char *end = strchr(part, '/'); end; end = strchr(end + 1, '/')) {
        *end = '\0';
        if (end != part)
            (void)mkdir(part, 0755); /* the last one tells */
        *end = '/';
    }
    if (mkdir(path, 0700) == 0 || (errno == EEXIST && file_is_directory(path)))
        return 0;
    error_set_errno(err, FAILURE_SYSTEM, errno, "creating the state directory %s", path);
    return error_hint(err, "Set state-directory to a place that this user may write to.");
}

static int start_store(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    AUTO_FREE char *url = NULL;

    if (make_directory(config->state_directory, err) < 0)
        return err->kind;
    if (text_equal(config->store_url, "sqlite:"))
        url = text_new("sqlite:%s/regwarden.db", config->state_directory);
    else
        url = memory_copy_text(config->store_url);
    if (store_open(daemon->loop, url, &daemon->store, err) < 0)
        return error_wrap(err, "opening the store %s", url);
    return 0;
}

static int start_registries(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;

    if (config->registry_count == 0) {
        error_set(err, FAILURE_INPUT, "no registry is configured");
        return error_hint(err, "Add one under `registries:`, or start with --registry URL.");
    }
    daemon->registries = memory_new_array(config->registry_count, sizeof *daemon->registries);
    for (size_t i = 0; i < config->registry_count; i++) {
        struct daemon_registry *registry = &daemon->registries[i];

        registry->settings = &config->registries[i];
        if (registry_new(daemon->loop, registry->settings, &registry->client, err) < 0)
            return err->kind;
        daemon->registry_count++;
    }
    return 0;
}

static void handle_request(void *argument, struct http_exchange *exchange)
{
    struct daemon *daemon = argument;

    if (intake_handle(daemon->intake, exchange) || api_handle(daemon->api, exchange))
        return;
    http_exchange_reply_text(
        exchange, 404,
        "regwarden: no such page. Notifications go to /hooks/<registry>, the API is /api/v1.\n");
}

static int start_server(struct daemon *daemon, struct error *err)
{
    const struct config *config = daemon->config;
    struct http_server_options options = {
        .max_connections = (unsigned)config->max_connections,
        .max_body_bytes = config->max_body_bytes,
        .request_timeout_ms = config->request_timeout_ms,
        .tls_certificate_file = config->tls_certificate_file,
        .tls_key_file = config->tls_key_file,
        .tls_client_ca_file = config->tls_client_ca_file,
    };

    return http_server_new(daemon->loop, &options, handle_request, daemon, &daemon->server, err);
}

static int listen_systemd(struct daemon *daemon, struct error *err)
{
    enum { SOCKETS_MAX = 16 };
    struct systemd_socket sockets[SOCKETS_MAX];
    size_t count = systemd_sockets(sockets, SOCKETS_MAX);

    if (count == 0) {
        error_set(err, FAILURE_ABSENT,
                  "listen: systemd, but the service manager handed over no socket");
        return error_hint(err, "Enable regwarden.socket, or name an address under `listen:`.");
    }
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *address = text_new("fd:%d", sockets[i].fd);

        if (http_server_listen(daemon->server, address, err) < 0)
            return error_wrap(err, "socket %s of the service manager", sockets[i].name);
    }
    return 0;
}

static bool is_reached_from_afar(const char *address)
{
    return !text_starts_with(address, "unix:") && !text_starts_with(address, "127.") &&
           !text_starts_with(address, "[::1]") && !text_starts_with(address, "localhost:") &&
           !text_equal(address, "systemd");
}

/* Whoever reaches such a hook can make things up: not what an image is, but where it stands. */
static void warn_open_hooks(const struct config *config)
{
    bool open = false;

    for (size_t i = 0; i < config->listen.count; i++)
        open = open || is_reached_from_afar(config->listen.items[i]);
    for (size_t i = 0; open && !config->tls_client_ca_file && i < config->registry_count; i++)
        if (intake_is_open(&config->registries[i]))
            log_warning(LOG_FIELDS({"registry", config->registries[i].name}),
                        "notifications are taken from anybody who reaches a listening address; set "
                        "hook-secret-file or another hook-proof");
}

static int start_listening(struct daemon *daemon, struct error *err)
{
    const struct text_list *listen = &daemon->config->listen;

    warn_open_hooks(daemon->config);

    for (size_t i = 0; i < listen->count; i++) {
        int result = text_equal(listen->items[i], "systemd")
                         ? listen_systemd(daemon, err)
                         : http_server_listen(daemon->server, listen->items[i], err);

        if (result < 0)
            return error_wrap(err, "listening on %s", listen->items[i]);
    }
    return 0;
}

static void accept_events(void *argument, const struct event *events, size_t count)
{
    struct daemon *daemon = argument;

    dispatcher_add(daemon->dispatcher, events, count);
}

static void instance_changed(void *argument, const char *registry)
{
    struct daemon *daemon = argument;

    log_notice(LOG_FIELDS({"registry", registry}),
               "the registry was restarted, sweeping for what its queue lost");
    sweeps_request(daemon->sweeps, registry, "registry restarted");
}

static void sender_told(void *argument, const char *registry, const char *what)
{
    (void)argument;
    log_notice(LOG_FIELDS({"registry", registry}), "%s", what);
}

static int start_intake(struct daemon *daemon, struct error *err)
{
    struct intake_options options = {
        .loop = daemon->loop,
        .config = daemon->config,
        .store = daemon->store,
        .server = daemon->server,
        .accept = accept_events,
        .instance_changed = instance_changed,
        .told = sender_told,
        .queue_trouble = daemon_queue_trouble,
        .argument = daemon,
    };

    return intake_new(&options, &daemon->intake, err);
}

static int start_actions(struct daemon *daemon, struct error *err)
{
    struct actions_options options = {
        .loop = daemon->loop,
        .config = daemon->config,
        .store = daemon->store,
        .dry_run = daemon->options->dry_run,
    };

    return actions_new(&options, &daemon->actions, err);
}

static bool is_ready(void *argument, struct text *ret_why_not)
{
    const struct daemon *daemon = argument;

    if (!daemon->ready)
        text_add(ret_why_not, "starting");
    else if (daemon->stopping)
        text_add(ret_why_not, "stopping");
    return daemon->ready && !daemon->stopping;
}

static struct json *live_status(void *argument)
{
    return daemon_live_status(argument);
}

static void write_metrics(void *argument, struct text *to)
{
    daemon_write_metrics(argument, to);
}

static void ask_release(void *argument, uint64_t request, int64_t plan_id, bool force,
                        const char *by)
{
    daemon_release(argument, request, plan_id, force, by);
}

static void ask_sweep(void *argument, uint64_t request, const char *registry)
{
    struct daemon *daemon = argument;
    AUTO_JSON struct json *body = json_new_object();

    if (!sweeps_request(daemon->sweeps, registry, "asked for")) {
        struct error error;
        AUTO_JSON struct json *fault = NULL;

        error_set(&error, FAILURE_ABSENT, "no registry of that name is configured");
        fault = api_error_body(&error);
        api_answer(daemon->api, request, 404, fault);
        return;
    }
    json_set_take(body, "sweeps", sweeps_status(daemon->sweeps));
    api_answer(daemon->api, request, 202, body);
}

static void ask_retry(void *argument, uint64_t request, int64_t id)
{
    daemon_retry_dead_letter(argument, request, id);
}

static struct json *list_bases(void *argument)
{
    const struct daemon *daemon = argument;

    return bases_document(daemon->bases);
}

static void ask_add_base(void *argument, uint64_t request, const char *reference, const char *by)
{
    struct daemon *daemon = argument;

    bases_add(daemon->bases, request, reference, by);
}

static void ask_remove_base(void *argument, uint64_t request, const char *reference)
{
    struct daemon *daemon = argument;

    bases_remove(daemon->bases, request, reference);
}

static void waivers_changed(void *argument)
{
    daemon_reload_waivers(argument);
}

static int start_api(struct daemon *daemon, struct error *err)
{
    AUTO_TEXT struct text token = {0};
    struct api_options options = {
        .store = daemon->store,
        .server = daemon->server,
        .ready = is_ready,
        .live_status = live_status,
        .metrics = write_metrics,
        .release = ask_release,
        .sweep = ask_sweep,
        .retry_dead_letter = ask_retry,
        .waivers_changed = waivers_changed,
        .bases = list_bases,
        .add_base = ask_add_base,
        .remove_base = ask_remove_base,
        .argument = daemon,
    };

    if (daemon->config->api_token_file) {
        if (file_read_secret(daemon->config->api_token_file, &token, err) < 0)
            return error_wrap(err, "reading the API token");
        daemon->api_token = text_take(&token);
        options.token = daemon->api_token;
    }
    return api_new(&options, &daemon->api, err);
}

static void ping_watchdog(void *argument)
{
    struct daemon *daemon = argument;

    systemd_notify("WATCHDOG=1");
    timer_arm(daemon->watchdog, systemd_watchdog_ms() / 2);
}

static void pruned(void *argument, const struct error *error)
{
    (void)argument;
    if (error)
        log_warning(NULL, "removing old records failed: %s, retrying in an hour", error->text);
}

static void keep_house(void *argument)
{
    struct daemon *daemon = argument;

    timer_arm(daemon->housekeeping, HOUSEKEEPING_MS);
    store_prune(daemon->store, clock_wall_ms() - daemon->config->retention_ms, pruned, NULL);
}

static void waivers_due(void *argument)
{
    daemon_reload_waivers(argument);
}

static int start_reviews(struct daemon *daemon, struct error *err)
{
    (void)err;
    daemon->facts_cache =
        facts_cache_new(daemon->store, (size_t)daemon->config->facts_cache_entries);
    daemon->placement_cache = placement_cache_new((size_t)daemon->config->facts_cache_entries * 16);
    daemon->inflight = inflight_new();
    daemon->large = large_new();
    daemon->acts = acts_new(daemon);
    daemon->rejudge = rejudge_new(daemon);
    daemon->bases = bases_new(daemon);
    daemon->dispatcher = dispatcher_new(daemon);
    daemon->sweeps = sweeps_new(daemon);
    daemon->watchdog = timer_new(daemon->loop, ping_watchdog, daemon);
    daemon->housekeeping = timer_new(daemon->loop, keep_house, daemon);
    daemon->waivers = timer_new(daemon->loop, waivers_due, daemon);
    return 0;
}

static bool has_recalled(void *argument)
{
    const struct daemon *daemon = argument;

    return (daemon->bases_known && daemon->waivers_known && acts_have_looked(daemon->acts)) ||
           daemon->start_failure.kind != FAILURE_NONE;
}

/* What has to be known before anything is judged or done: waivers, and where the journal ends. */
static int start_recall(struct daemon *daemon, struct error *err)
{
    bases_load(daemon->bases); /* before waivers: what is known of bases is part of the revision */
    daemon_reload_waivers(daemon);
    acts_look(daemon->acts);
    while (!loop_run_until(daemon->loop, has_recalled, daemon, RECALL_WARN_MS))
        log_warning(NULL, "the store does not answer, waiting");
    if (daemon->start_failure.kind == FAILURE_NONE)
        return 0;
    if (err)
        *err = daemon->start_failure;
    return error_wrap(err, "reading the record");
}

typedef int start_f(struct daemon *daemon, struct error *err);

static int start_loop(struct daemon *daemon, struct error *err)
{
    return loop_new(&daemon->loop, err);
}

static int start_policies(struct daemon *daemon, struct error *err)
{
    int result = daemon_load_policies(&daemon->config->policies, &daemon->config->waivers,
                                      log_fault, NULL, &daemon->file_policies, err);

    daemon->policies = daemon->file_policies;
    return result;
}

static start_f *const start_steps[] = {
    start_loop,   start_policies, start_store,    start_registries, start_actions, start_server,
    start_intake, start_api,      scanning_start, start_reviews,    start_recall,  start_listening,
};

int daemon_start(struct daemon *daemon, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(start_steps); i++)
        if (start_steps[i](daemon, err) < 0)
            return err->kind;
    daemon->ready = true;
    acts_start(daemon->acts);
    dispatcher_start(daemon->dispatcher);
    rejudge_start(daemon->rejudge);
    bases_refresh(daemon->bases);
    sweeps_start(daemon->sweeps);
    intake_start_polling(daemon->intake);
    timer_arm(daemon->housekeeping, HOUSEKEEPING_MS);
    systemd_notify("READY=1\nSTATUS=Judging");
    if (systemd_watchdog_ms() > 0)
        ping_watchdog(daemon);
    return 0;
}

static bool is_quiet(void *argument)
{
    const struct daemon *daemon = argument;

    return dispatcher_active(daemon->dispatcher) == 0 && acts_active(daemon->acts) == 0 &&
           !daemon->asks;
}

/* Nothing new is begun; what is under way gets time to end; the rest is parked: its events and
 * plans are open in the store. */
static void wind_down(struct daemon *daemon)
{
    daemon->stopping = true;
    systemd_notify("STOPPING=1");
    http_server_stop_accepting(daemon->server);
    intake_stop_polling(daemon->intake);
    sweeps_stop(daemon->sweeps);
    rejudge_stop(daemon->rejudge);
    bases_stop(daemon->bases);
    dispatcher_stop(daemon->dispatcher);
    acts_stop(daemon->acts);
    scanning_stop(daemon);
    if (!loop_run_until(daemon->loop, is_quiet, daemon, STOP_WAIT_MS))
        log_notice(NULL, "%zu reviews and %zu actions are left for the next start",
                   dispatcher_active(daemon->dispatcher), acts_active(daemon->acts));
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->dispatcher && daemon->ready)
        wind_down(daemon);
    daemon->closing = true;
    api_free(daemon->api);
    intake_free(daemon->intake);
    actions_free(daemon->actions);
    scanning_stop(daemon);
    for (size_t i = 0; i < daemon->registry_count; i++)
        registry_free(daemon->registries[i].client);
    if (daemon->store)
        store_close(daemon->store);
    asks_free(daemon);
    sweeps_free(daemon->sweeps);
    dispatcher_free(daemon->dispatcher);
    scanning_free(daemon);
    acts_free(daemon->acts);
    rejudge_free(daemon->rejudge);
    bases_free(daemon->bases);
    inflight_free(daemon->inflight);
    large_free(daemon->large);
    facts_cache_free(daemon->facts_cache);
    placement_cache_free(daemon->placement_cache);
    timer_free(daemon->watchdog);
    timer_free(daemon->housekeeping);
    timer_free(daemon->waivers);
    http_server_free(daemon->server);
    if (daemon->policies != daemon->file_policies)
        policy_set_free(daemon->policies);
    policy_set_free(daemon->file_policies);
    free(daemon->registries);
    free(daemon->api_token);
    loop_free(daemon->loop);
}
