/* SIGHUP and changes of waivers. A bad file keeps what is in force and says why; what can be taken
 * over without a restart is named by the settings' table. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/systemd.h"

enum { WAIVERS_RETRY_MS = 15000, WAIVERS_EVERY_MS = 3600000 };

/* In force from now on; what was judged under others is judged again. */
static void apply_policies_take(struct daemon *daemon, struct policy_set *fresh)
{
    bool changed = !text_equal(policy_set_revision(fresh), policy_set_revision(daemon->policies));

    if (daemon->policies != daemon->file_policies)
        policy_set_free(daemon->policies);
    daemon->policies = fresh;
    scanning_reload(daemon);
    if (!changed || !daemon->ready)
        return;
    log_notice(NULL, "policy revision %.12s is in force", policy_set_revision(fresh));
    rejudge_start(daemon->rejudge);
}

/* When the next waiver ends: what it excused is judged again then. */
static int64_t next_end_ms(const struct policy_set *policies, int64_t now_ms)
{
    int64_t next_ms = now_ms + WAIVERS_EVERY_MS;

    for (size_t i = 0; i < policy_set_waiver_count(policies); i++) {
        int64_t end_ms = policy_set_waiver(policies, i)->expires_ms;

        if (end_ms > now_ms && end_ms < next_ms)
            next_ms = end_ms;
    }
    return next_ms;
}

static void keep_waivers(struct daemon *daemon, const struct error *why)
{
    if (!daemon->ready)
        daemon->start_failure = *why;
    log_error(NULL, "waivers could not be taken over: %s, keeping those in force, retrying",
              why->text);
    timer_arm(daemon->waivers, daemon_pause_ms(daemon, WAIVERS_RETRY_MS));
}

static void waivers_loaded(void *argument, const struct error *error, const struct waiver *waivers,
                           size_t count)
{
    struct daemon *daemon = argument;
    struct waiver_view ledger = {.items = waivers,
                                 .count = count,
                                 .now_ms = clock_wall_ms(),
                                 .also = bases_revision(daemon->bases, daemon->file_policies)};
    struct policy_set *fresh = NULL;
    struct error fault = {0};

    if (daemon->closing)
        return;
    if (!error && policy_set_with_waivers(daemon->file_policies, &ledger, &fresh, &fault) < 0)
        error = &fault;
    if (error) {
        keep_waivers(daemon, error);
        return;
    }
    apply_policies_take(daemon, fresh);
    daemon->waivers_known = true;
    timer_arm(daemon->waivers, next_end_ms(fresh, ledger.now_ms) - ledger.now_ms + 1);
}

void daemon_reload_waivers(struct daemon *daemon)
{
    store_load_waivers(daemon->store, waivers_loaded, daemon);
}

static void log_fault(void *argument, const struct error *err)
{
    (void)argument;
    log_error(NULL, "%s%s%s", err->text, err->hint[0] ? "; " : "", err->hint);
}

/* Those in force stay until the ledger's waivers are joined with the new ones: nothing is judged
 * without the waivers that hold for it. */
static void replace_file_policies_take(struct daemon *daemon, struct policy_set *fresh)
{
    if (daemon->policies != daemon->file_policies)
        policy_set_free(daemon->file_policies);
    daemon->file_policies = fresh;
    daemon_reload_waivers(daemon);
}

static void config_free_unless_used(struct daemon *daemon, struct config *config)
{
    if (config != daemon->config && config != daemon->start_config &&
        config != daemon->intake_config)
        config_free(config);
}

void daemon_free_configs(struct daemon *daemon)
{
    struct config *const in_force = TAKE(daemon->config);
    struct config *const of_intake = TAKE(daemon->intake_config);

    config_free_unless_used(daemon, of_intake == in_force ? NULL : of_intake);
    config_free_unless_used(daemon, in_force);
    config_free(TAKE(daemon->start_config));
}

/* All rooms or none. Should the way back fail too (its secrets are gone from the disk), intake goes
 * on with the new settings, which are kept for it. */
static int reload_rooms(struct daemon *daemon, struct config *fresh, struct error *err)
{
    struct config *before = daemon->intake_config;
    struct error fault;
    int result = intake_reload(daemon->intake, fresh, err);

    if (result < 0)
        return result;
    daemon->intake_config = fresh;
    result = actions_reload(daemon->actions, fresh, err);
    if (result < 0 && intake_reload(daemon->intake, before, &fault) == 0)
        daemon->intake_config = before;
    else
        config_free_unless_used(daemon, before);
    return result;
}

static void warn_restart(const struct daemon *daemon, const struct config *fresh)
{
    AUTO_TEXT_LIST struct text_list names = {0};

    config_restart_needed(daemon->start_config, fresh, &names);
    for (size_t i = 0; i < names.count; i++)
        log_warning(NULL, "setting %s changed: takes effect at the next restart", names.items[i]);
}

/* Everything that can be refused comes first. */
static int reload_all(struct daemon *daemon, struct config *fresh, struct error *err)
{
    struct config *before = daemon->config;
    struct policy_set *policies = NULL;

    if (daemon_load_policies(&fresh->policies, &fresh->waivers, log_fault, NULL, &policies, err) <
        0)
        return err->kind;
    if (fresh != before && reload_rooms(daemon, fresh, err) < 0) {
        policy_set_free(policies);
        return err->kind;
    }
    replace_file_policies_take(daemon, policies);
    if (fresh == before)
        return 0;
    warn_restart(daemon, fresh);
    daemon->config = fresh;
    scanning_reload(daemon);
    config_free_unless_used(daemon, before);
    log_setup((enum log_format)fresh->log_format, (enum log_level)fresh->log_level);
    bases_refresh(daemon->bases);
    return 0;
}

static int reload_config(struct daemon *daemon, struct error *err)
{
    struct config *fresh = NULL;
    int result;

    if (!daemon->options->config_path)
        return reload_all(daemon, daemon->config, err);
    if (config_load(daemon->options->config_path, &fresh, err) < 0)
        return err->kind;
    result = reload_all(daemon, fresh, err);
    if (result < 0)
        config_free_unless_used(daemon, fresh);
    return result;
}

void daemon_reload(struct daemon *daemon)
{
    AUTO_FREE char *state =
        text_new("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady_ms() * 1000);
    struct error error = {0};
    int result;

    systemd_notify(state);
    result = reload_config(daemon, &error);
    daemon->counters.last_reload_ms = clock_wall_ms();
    daemon->counters.last_reload_ok = result == 0;
    if (result < 0)
        log_error(NULL, "reload failed: %s%s%s; keeping the running configuration", error.text,
                  error.hint[0] ? ". " : "", error.hint);
    else if (http_server_reload_tls(daemon->server, &error) < 0)
        log_error(NULL, "reloading certificates failed: %s, keeping the old ones", error.text);
    else
        log_notice(NULL, "configuration reloaded");
    systemd_notify("READY=1");
}
