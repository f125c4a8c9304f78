/* SIGHUP and changes of waivers. A bad file keeps what is in force and says why; what can be taken
 * over without a restart is named by the settings' table. */
#include "daemon_priv.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/systemd.h"

struct waivers_reload {
    struct daemon *daemon;
    bool announce;
};

int daemon_apply_policies(struct daemon *daemon, struct policy_set *fresh, struct error *err)
{
    bool changed = !daemon->policies ||
                   !text_equal(policy_set_revision(fresh), policy_set_revision(daemon->policies));

    (void)err;
    if (daemon->policies != daemon->file_policies)
        policy_set_free(daemon->policies);
    daemon->policies = fresh;
    if (changed && daemon->ready && daemon->rejudge)
        rejudge_start(daemon->rejudge);
    return 0;
}

static void waivers_loaded(void *argument, const struct error *error, const struct waiver *waivers,
                           size_t count)
{
    struct daemon *daemon = argument;
    struct policy_set *fresh = NULL;
    struct error fault;

    if (error) {
        log_error(NULL, "reading waivers failed: %s, keeping those in force", error->text);
        return;
    }
    if (policy_set_with_waivers(daemon->file_policies, waivers, count, &fresh, &fault) < 0) {
        log_error(NULL, "waivers were refused: %s, keeping those in force", fault.text);
        return;
    }
    daemon_apply_policies(daemon, fresh, NULL);
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

static int reload_policies(struct daemon *daemon, const struct config *config, struct error *err)
{
    struct policy_set *fresh = NULL;
    struct policy_set *old = daemon->file_policies;

    if (daemon_load_policies(&config->policies, &config->waivers, log_fault, NULL, &fresh, err) < 0)
        return err->kind;
    if (daemon->policies == old)
        daemon->policies = NULL; /* freed below; the ledger's waivers come with the next callback */
    daemon->file_policies = fresh;
    if (!daemon->policies)
        daemon->policies = fresh;
    policy_set_free(old);
    daemon_reload_waivers(daemon);
    return 0;
}

static void warn_restart(const struct daemon *daemon, const struct config *fresh)
{
    AUTO_TEXT_LIST struct text_list names = {0};

    config_restart_needed(daemon->start_config, fresh, &names);
    for (size_t i = 0; i < names.count; i++)
        log_warning(NULL, "setting %s changed: takes effect at the next restart", names.items[i]);
}

static int reload_config(struct daemon *daemon, struct error *err)
{
    struct config *fresh = NULL;
    struct config *old = daemon->config;

    if (!daemon->options->config_path)
        return reload_policies(daemon, daemon->config, err);
    if (config_load(daemon->options->config_path, &fresh, err) < 0)
        return err->kind;
    if (reload_policies(daemon, fresh, err) < 0 || intake_reload(daemon->intake, fresh, err) < 0 ||
        actions_reload(daemon->actions, fresh, err) < 0) {
        config_free(fresh);
        return err->kind;
    }
    warn_restart(daemon, fresh);
    daemon->config = fresh;
    log_setup((enum log_format)fresh->log_format, (enum log_level)fresh->log_level);
    if (old != daemon->start_config)
        config_free(old);
    return 0;
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
        log_notice(NULL, "configuration reloaded, policy revision %.12s",
                   policy_set_revision(daemon->policies));
    systemd_notify("READY=1");
}
