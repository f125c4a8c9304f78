/* The table of the top level's settings. Everything that is read, documented or compared about a
 * setting comes from its row here. */
#include "regwarden/config.h"
#include "regwarden/log.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

static const char *const log_formats[] = {
    [LOG_AUTO] = "auto",       [LOG_TEXT] = "text",      [LOG_JSON] = "json",
    [LOG_JOURNAL] = "journal", [LOG_JOURNAL + 1] = NULL,
};

#define FIELD(member) offsetof(struct config, member)

const struct param config_params[] = {
    {
        .name = "listen",
        .type = PARAM_LIST,
        .offset = FIELD(listen),
        .fallback = "[\"127.0.0.1:8080\"]",
        .help =
            "Addresses to listen on: 127.0.0.1:8080, [::1]:8080, unix:/run/regwarden/x.sock, or "
            "systemd for the sockets that the service manager hands over. When left out: the "
            "handed-over sockets or else 127.0.0.1:8080, and regwarden.sock in the runtime "
            "directory when there is one.",
    },
    {
        .name = "tls.certificate-file",
        .type = PARAM_TEXT,
        .offset = FIELD(tls_certificate_file),
        .help = "PEM file with the certificate chain; with it, TCP listeners speak TLS only.",
    },
    {
        .name = "tls.key-file",
        .type = PARAM_TEXT,
        .offset = FIELD(tls_key_file),
        .help = "PEM file with the certificate's private key.",
    },
    {
        .name = "tls.client-ca-file",
        .type = PARAM_TEXT,
        .offset = FIELD(tls_client_ca_file),
        .help = "PEM file with the authorities whose client certificates are let in; with it, a "
                "client certificate is required on TCP listeners.",
    },
    {
        .name = "max-connections",
        .type = PARAM_INTEGER,
        .offset = FIELD(max_connections),
        .fallback = "512",
        .min = 8,
        .max = 65536,
        .unit = "connections",
        .help = "Connections that are served at once.",
    },
    {
        .name = "request-timeout",
        .type = PARAM_DURATION,
        .offset = FIELD(request_timeout_ms),
        .fallback = "15s",
        .min = SECOND,
        .max = 10 * MINUTE,
        .unit = "duration",
        .help = "Time in which a request must have arrived in full, however slowly it trickles.",
    },
    {
        .name = "max-body",
        .type = PARAM_BYTES,
        .offset = FIELD(max_body_bytes),
        .fallback = "1MiB",
        .min = 16 << 10,
        .max = 4 << 20,
        .unit = "size",
        .help = "Largest request body that is accepted, events included.",
    },
    {
        .name = "state-directory",
        .type = PARAM_TEXT,
        .offset = FIELD(state_directory),
        .fallback = "/var/lib/regwarden",
        .help =
            "Directory for the store and everything else that must survive a restart. When left "
            "out, the state directory that the service manager names comes first.",
    },
    {
        .name = "store.url",
        .type = PARAM_TEXT,
        .offset = FIELD(store_url),
        .fallback = "sqlite:",
        .help = "Where events, facts and verdicts are kept: sqlite: for a file in the state "
                "directory, sqlite:/path for another one, or postgresql://host/database.",
    },
    {
        .name = "store.retention",
        .type = PARAM_DURATION,
        .offset = FIELD(retention_ms),
        .fallback = "90d",
        .min = DAY,
        .max = 3650 * DAY,
        .unit = "duration",
        .reloadable = true,
        .help = "How long events, replaced verdicts and the journal of actions are kept.",
    },
    {
        .name = "policies",
        .type = PARAM_LIST,
        .offset = FIELD(policies),
        .reloadable = true,
        .help =
            "Policy files, and directories of them. When left out, the built-in baseline policy "
            "judges in audit mode.",
    },
    {
        .name = "waivers",
        .type = PARAM_LIST,
        .offset = FIELD(waivers),
        .reloadable = true,
        .help = "Waiver files, and directories of them.",
    },
    {
        .name = "max-reviews",
        .type = PARAM_INTEGER,
        .offset = FIELD(max_reviews),
        .fallback = "32",
        .min = 1,
        .max = 1024,
        .unit = "images",
        .reloadable = true,
        .help = "Images of one registry that are judged at once.",
    },
    {
        .name = "facts-cache-entries",
        .type = PARAM_INTEGER,
        .offset = FIELD(facts_cache_entries),
        .fallback = "1024",
        .min = 0,
        .max = 1000000,
        .unit = "images",
        .help = "Images whose facts are kept in memory beside the store.",
    },
    {
        .name = "scan.workers",
        .type = PARAM_INTEGER,
        .offset = FIELD(scan_workers),
        .fallback = "0",
        .max = 64,
        .unit = "processes",
        .help = "Layers that are looked into at once; 0 is one per processor, at most 4.",
    },
    {
        .name = "scan.max-layer",
        .type = PARAM_BYTES,
        .offset = FIELD(scan_max_layer_bytes),
        .fallback = "10GiB",
        .min = 1 << 20,
        .max = INT64_C(1) << 44,
        .unit = "size",
        .reloadable = true,
        .help = "Larger layers, as they are stored, are not fetched: what is in them is unknown.",
    },
    {
        .name = "scan.max-entries",
        .type = PARAM_INTEGER,
        .offset = FIELD(scan_max_entries),
        .fallback = "2000000",
        .min = 1000,
        .max = 100000000,
        .unit = "files",
        .help = "Files of one layer that are looked at; with more it is unknown what is in it.",
    },
    {
        .name = "scan.time-limit",
        .type = PARAM_DURATION,
        .offset = FIELD(scan_time_limit_ms),
        .fallback = "15m",
        .min = SECOND,
        .max = DAY,
        .unit = "duration",
        .help = "Longest time that one layer may take, fetching included.",
    },
    {
        .name = "scan.memory",
        .type = PARAM_BYTES,
        .offset = FIELD(scan_memory_bytes),
        .fallback = "64MiB",
        .min = 32 << 20,
        .max = INT64_C(4) << 30,
        .unit = "size",
        .help = "Memory that a worker may ask for beyond the program itself; it uses far less.",
    },
    {
        .name = "scan.diff-ids",
        .type = PARAM_BOOL,
        .offset = FIELD(scan_diff_ids),
        .fallback = "true",
        .help = "Whether unpacked layers are held against the config's diff_ids as runtimes do; "
                "without, scans take a third less time.",
    },
    {
        .name = "retry.first",
        .type = PARAM_DURATION,
        .offset = FIELD(retry_first_ms),
        .fallback = "5s",
        .min = 100,
        .max = HOUR,
        .unit = "duration",
        .reloadable = true,
        .help = "Pause before an image that could not be judged is tried again; doubled each time.",
    },
    {
        .name = "retry.max",
        .type = PARAM_DURATION,
        .offset = FIELD(retry_max_ms),
        .fallback = "10m",
        .min = 100,
        .max = DAY,
        .unit = "duration",
        .reloadable = true,
        .help = "Longest pause between two tries.",
    },
    {
        .name = "retry.give-up",
        .type = PARAM_DURATION,
        .offset = FIELD(retry_give_up_ms),
        .fallback = "1d",
        .min = SECOND,
        .max = 30 * DAY,
        .unit = "duration",
        .reloadable = true,
        .help = "Age at which an event that still cannot be judged becomes a dead letter.",
    },
    {
        .name = "sweep-at-start",
        .type = PARAM_BOOL,
        .offset = FIELD(sweep_at_start),
        .fallback = "true",
        .help = "Whether all registries are walked at start for images that no event announced.",
    },
    {
        .name = "bases",
        .type = PARAM_LIST,
        .offset = FIELD(bases),
        .reloadable = true,
        .help = "Images that others are built on, as registry/repository:tag with the name of a "
                "configured registry: main/base/*:* are all tags of all repositories below base. "
                "Without a tag: every tag. Their layers and tags are followed, so that rules can "
                "tell what an image was built from, and whether that is out of date. `regwarden "
                "base add` adds to them.",
    },
    {
        .name = "base-refresh",
        .type = PARAM_DURATION,
        .offset = FIELD(base_refresh_ms),
        .fallback = "1h",
        .min = 0,
        .max = 30 * DAY,
        .unit = "duration",
        .reloadable = true,
        .help = "How often the tags of bases are looked at, beside what events tell; 0 is only at "
                "start.",
    },
    {
        .name = "tag-template",
        .type = PARAM_TEXT,
        .offset = FIELD(tag_template),
        .fallback = "policy-fail-{digest12}",
        .reloadable = true,
        .help = "Tag that the action `tag` adds; {digest12} becomes the first 12 hex digits of the "
                "image's digest.",
    },
    {
        .name = "api.token-file",
        .type = PARAM_TEXT,
        .offset = FIELD(api_token_file),
        .help = "File with the operator token that API and pages ask for on TCP listeners. On the "
                "unix socket, the permissions of its file decide.",
    },
    {
        .name = "log.level",
        .type = PARAM_CHOICE,
        .offset = FIELD(log_level),
        .fallback = "info",
        .min = LEVEL_ERROR,
        .choices = log_levels,
        .reloadable = true,
        .help = "Least important messages that are logged.",
    },
    {
        .name = "log.format",
        .type = PARAM_CHOICE,
        .offset = FIELD(log_format),
        .fallback = "auto",
        .choices = log_formats,
        .reloadable = true,
        .help = "How messages are written; auto is journal under a service manager that reads "
                "standard error into it, else text.",
    },
    {.name = NULL},
};
