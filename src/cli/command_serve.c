/* `regwarden serve`: the daemon. Options are few on purpose: the rest is regwarden.yaml(5). */
#include "commands.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "regwarden/config.h"
#include "regwarden/daemon.h"
#include "regwarden/file.h"

#define DEFAULT_CONFIG "/etc/regwarden/regwarden.yaml"

enum option_key {
    OPTION_LISTEN = 256,
    OPTION_STATE,
    OPTION_DRY_RUN,
    OPTION_WATCH,
    OPTION_REGISTRY
};

struct options {
    const char *config;
    const char *registry;
    const char *listen;
    const char *state;
    struct text_list policies;
    bool dry_run;
    bool watch;
};

static const struct argp_option option_table[] = {
    {"config", 'c', "FILE", 0, "Configuration (default " DEFAULT_CONFIG ")", 0},
    {"registry", OPTION_REGISTRY, "URL", 0,
     "Serve this one registry without a configuration: embedded store, baseline policy, audit "
     "mode. Prints what to paste into "
     "the registry's own configuration so that it notifies regwarden",
     0},
    {"policy", 'p', "FILE|DIR", 0,
     "With --registry: judge by these policies instead; may be repeated", 0},
    {"listen", OPTION_LISTEN, "HOST:PORT", 0,
     "With --registry: where notifications come in (default 127.0.0.1:8080)", 0},
    {"state", OPTION_STATE, "DIR", 0, "With --registry: where the record is kept", 0},
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "Judge and record, and change or send nothing at all", 0},
    {"watch", OPTION_WATCH, NULL, 0, "Show each verdict and action on standard output as it comes",
     0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'c':
        options->config = value;
        return 0;
    case 'p':
        text_list_add(&options->policies, value);
        return 0;
    case OPTION_REGISTRY:
        options->registry = value;
        return 0;
    case OPTION_LISTEN:
        options->listen = value;
        return 0;
    case OPTION_STATE:
        options->state = value;
        return 0;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return 0;
    case OPTION_WATCH:
        options->watch = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\" is not an option; the registry is named by --registry URL",
                   value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse_option,
    .doc = "Judge what is pushed to a registry, keep the record, and act on violations where a "
           "policy says so.\v"
           "With -c, everything comes from the file; see regwarden.yaml(5). SIGHUP reads it and "
           "the policies again, SIGTERM stops "
           "cleanly: what is not finished is taken up at the next start.\n\n"
           "Example:\n  regwarden serve --registry http://127.0.0.1:5000 --watch",
};

/* Without a service manager and without a configuration, the record goes where this user may write.
 */
static char *default_state(void)
{
    const char *home = getenv("XDG_STATE_HOME");

    if (getenv("STATE_DIRECTORY"))
        return memory_copy_text(getenv("STATE_DIRECTORY"));
    if (geteuid() == 0)
        return memory_copy_text("/var/lib/regwarden");
    if (home && home[0] == '/')
        return text_new("%s/regwarden", home);
    return text_new("%s/.local/state/regwarden", getenv("HOME") ? getenv("HOME") : ".");
}

static int configure_registry(const struct options *options, struct config **ret, struct error *err)
{
    struct config *config = NULL;

    if (config_for_registry(options->registry, &config, err) < 0)
        return err->kind;
    free(config->state_directory);
    config->state_directory = options->state ? memory_copy_text(options->state) : default_state();
    if (options->listen) {
        text_list_release(&config->listen);
        config->listen = (struct text_list){0};
        text_list_add(&config->listen, options->listen);
    }
    text_list_add_take(&config->listen,
                       text_new("unix:%s/regwarden.sock", config->state_directory));
    for (size_t i = 0; i < options->policies.count; i++)
        text_list_add(&config->policies, options->policies.items[i]);
    *ret = config;
    return 0;
}

static int configure(const struct options *options, struct config **ret, struct error *err)
{
    if (options->registry && options->config)
        return error_set(err, FAILURE_INPUT, "--registry and --config exclude each other");
    if (options->registry)
        return configure_registry(options, ret, err);
    if (options->listen || options->state || options->policies.count)
        return error_set(err, FAILURE_INPUT,
                         "--listen, --state and --policy go with --registry; with a configuration "
                         "they stand in it");
    if (config_load(options->config ? options->config : DEFAULT_CONFIG, ret, err) < 0) {
        if (err->kind == FAILURE_ABSENT)
            error_hint(err, "Name one with -c FILE, or try `regwarden serve --registry URL`.");
        return err->kind;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct daemon_options daemon = {0};
    struct error error = {0};
    int status = EXIT_PASSED;

    command_parse(&command_serve, &argp, argc, argv, &options);
    if (configure(&options, &daemon.config, &error) < 0) {
        text_list_release(&options.policies);
        return command_fail(&error);
    }
    assert(daemon.config);
    daemon.config_path = daemon.config->path;
    daemon.dry_run = options.dry_run;
    daemon.watch = options.watch;
    daemon.print_stanza = options.registry != NULL;
    if (daemon_run(&daemon, &error) < 0)
        status = command_fail(&error);
    text_list_release(&options.policies);
    return status;
}

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "judge every push to a registry; keep the record, act on violations",
    .group = "serve",
    .run = run,
};
