/* The life of the daemon in one screen: settings, rooms, signals, loop, and back. */
#include "start.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "regwarden/log.h"

enum { LARGE_BUFFER_BYTES = 128 * 1024 };

static void stop_due(void *argument)
{
    struct daemon *daemon = argument;

    log_notice(NULL, "stopping");
    loop_stop(daemon->loop);
}

static void reload_due(void *argument)
{
    daemon_reload(argument);
}

/* The first TCP listener, as a URL that a registry on this machine can reach. */
static char *base_url(const struct daemon *daemon)
{
    for (size_t i = 0; http_server_address(daemon->server, i); i++) {
        const char *address = http_server_address(daemon->server, i);

        if (!text_starts_with(address, "unix:") && !text_starts_with(address, "fd:"))
            return text_new("%s://%s", daemon->config->tls_certificate_file ? "https" : "http",
                            address);
    }
    return NULL;
}

static void print_stanzas(const struct daemon *daemon)
{
    AUTO_FREE char *url = base_url(daemon);

    for (size_t i = 0; url && i < daemon->registry_count; i++) {
        AUTO_FREE char *stanza = intake_notification_stanza(daemon->registries[i].settings, url);

        printf("%s\n", stanza);
    }
    fflush(stdout);
}

static void announce(const struct daemon *daemon)
{
    for (size_t i = 0; http_server_address(daemon->server, i); i++)
        log_notice(NULL, "listening on %s", http_server_address(daemon->server, i));
    log_notice(NULL, "regwarden " REGWARDEN_VERSION " serves %zu %s under %zu %s%s",
               daemon->registry_count, daemon->registry_count == 1 ? "registry" : "registries",
               policy_set_count(daemon->policies),
               policy_set_count(daemon->policies) == 1 ? "policy" : "policies",
               daemon->options->dry_run ? ", dry run: nothing is changed" : "");
    if (daemon->options->print_stanza)
        print_stanzas(daemon);
}

int daemon_run(const struct daemon_options *options, struct error *err)
{
    struct daemon daemon = {.options = options,
                            .config = options->config,
                            .start_config = options->config,
                            .intake_config = options->config};
    int result;

    /* Large buffers go back to the system as soon as they are freed. Left alone, the allocator
     * learns from the first few to keep them, and a burst of large manifests never shrinks. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER_BYTES);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit must come back as an error of the write */
    log_setup((enum log_format)daemon.config->log_format, (enum log_level)daemon.config->log_level);
    result = daemon_start(&daemon, err);
    if (result == 0) {
        loop_on_signal(daemon.loop, SIGTERM, stop_due, &daemon);
        loop_on_signal(daemon.loop, SIGINT, stop_due, &daemon);
        loop_on_signal(daemon.loop, SIGHUP, reload_due, &daemon);
        announce(&daemon);
        loop_run(daemon.loop);
    }
    daemon_stop(&daemon);
    daemon_free_configs(&daemon);
    return result;
}
