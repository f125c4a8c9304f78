/* The tables of the configuration's settings. Everything that is read, documented or compared about
 * a setting comes from its row here. */
#include "regwarden/config.h"
#include "regwarden/log.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

const char *const registry_type_names[] = {
    [REGISTRY_TYPE_AUTO] = "auto",     [REGISTRY_TYPE_DISTRIBUTION] = "distribution",
    [REGISTRY_TYPE_HARBOR] = "harbor", [REGISTRY_TYPE_ECR] = "ecr",
    [REGISTRY_TYPE_ZOT] = "zot",       [REGISTRY_TYPE_OCI] = "oci",
    [REGISTRY_TYPE_OCI + 1] = NULL,
};

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

static const char *const log_formats[] = {
    [LOG_AUTO] = "auto",       [LOG_TEXT] = "text",      [LOG_JSON] = "json",
    [LOG_JOURNAL] = "journal", [LOG_JOURNAL + 1] = NULL,
};

static const char *const notifier_formats[] = {"cloudevents", "slack", NULL};

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

#undef FIELD
#define FIELD(member) offsetof(struct config_registry, member)

const struct param config_registry_params[] = {
    {
        .name = "url",
        .type = PARAM_TEXT,
        .offset = FIELD(url),
        .required = true,
        .help =
            "Where the registry is reached: https://host[:port], or http:// for one without TLS.",
    },
    {
        .name = "type",
        .type = PARAM_CHOICE,
        .offset = FIELD(type),
        .fallback = "auto",
        .choices = registry_type_names,
        .help =
            "Kind of registry, which decides what can be done to an image there. auto finds out "
            "by asking.",
    },
    {
        .name = "username",
        .type = PARAM_TEXT,
        .offset = FIELD(username),
        .help = "Account to use.",
    },
    {
        .name = "password-file",
        .type = PARAM_TEXT,
        .offset = FIELD(password_file),
        .help = "File with the account's password or token.",
    },
    {
        .name = "ca-file",
        .type = PARAM_TEXT,
        .offset = FIELD(ca_file),
        .help = "PEM file with the authorities that vouch for the registry, in place of the "
                "system's.",
    },
    {
        .name = "client-certificate-file",
        .type = PARAM_TEXT,
        .offset = FIELD(client_certificate_file),
        .help = "PEM file with a certificate to show to the registry.",
    },
    {
        .name = "client-key-file",
        .type = PARAM_TEXT,
        .offset = FIELD(client_key_file),
        .help = "PEM file with that certificate's private key.",
    },
    {
        .name = "token-realms",
        .type = PARAM_LIST,
        .offset = FIELD(token_realms),
        .help = "Hosts, beside the registry's own, that the account may be shown to when the "
                "registry sends us there for a token.",
    },
    {
        .name = "hook-secret-file",
        .type = PARAM_TEXT,
        .offset = FIELD(hook_secret_file),
        .reloadable = true,
        .help = "File with the secret that events of this registry must carry. When left out, "
                "events are accepted from anyone who reaches the listener.",
    },
    {
        .name = "hook-secret-header",
        .type = PARAM_TEXT,
        .offset = FIELD(hook_secret_header),
        .fallback = "Authorization",
        .reloadable = true,
        .help = "Request header in which the secret is expected.",
    },
    {
        .name = "dialect",
        .type = PARAM_TEXT,
        .offset = FIELD(dialect),
        .fallback = "auto",
        .reloadable = true,
        .help =
            "Form of the registry's events: auto looks at each, or distribution, harbor or ecr.",
    },
    {
        .name = "hosts",
        .type = PARAM_LIST,
        .offset = FIELD(hosts),
        .reloadable = true,
        .help = "Other host names under which events name this registry.",
    },
    {
        .name = "concurrency",
        .type = PARAM_INTEGER,
        .offset = FIELD(concurrency),
        .fallback = "16",
        .min = 1,
        .max = 256,
        .unit = "requests",
        .help = "Requests that are sent to the registry at once.",
    },
    {
        .name = "timeout",
        .type = PARAM_DURATION,
        .offset = FIELD(timeout_ms),
        .fallback = "30s",
        .min = SECOND,
        .max = 10 * MINUTE,
        .unit = "duration",
        .help = "Time without a single byte after which a request has failed.",
    },
    {
        .name = "sweep-interval",
        .type = PARAM_DURATION,
        .offset = FIELD(sweep_interval_ms),
        .fallback = "6h",
        .min = 0,
        .max = 365 * DAY,
        .unit = "duration",
        .help = "How often the registry is walked for images that no event announced; 0 is never.",
    },
    {
        .name = "sweep-repositories",
        .type = PARAM_LIST,
        .offset = FIELD(sweep_repositories),
        .help = "Repositories to walk, as patterns. When none of them holds a star, the registry "
                "needs no "
                "catalogue; when left out, all of the catalogue is walked.",
    },
    {
        .name = "quarantine-prefix",
        .type = PARAM_TEXT,
        .offset = FIELD(quarantine_prefix),
        .fallback = "quarantine",
        .help = "Quarantined images are moved to repositories below this one.",
    },
    {.name = NULL},
};

#undef FIELD
#define FIELD(member) offsetof(struct config_notifier, member)

const struct param config_notifier_params[] = {
    {
        .name = "url",
        .type = PARAM_TEXT,
        .offset = FIELD(url),
        .required = true,
        .reloadable = true,
        .help = "Where notifications are posted.",
    },
    {
        .name = "secret-file",
        .type = PARAM_TEXT,
        .offset = FIELD(secret_file),
        .reloadable = true,
        .help = "File with the key that signs notifications (HMAC-SHA256). When left out, they are "
                "not signed.",
    },
    {
        .name = "format",
        .type = PARAM_CHOICE,
        .offset = FIELD(format),
        .fallback = "cloudevents",
        .choices = notifier_formats,
        .reloadable = true,
        .help = "Form of the notification.",
    },
    {
        .name = "on",
        .type = PARAM_LIST,
        .offset = FIELD(on),
        .fallback = "[fail, unknown]",
        .reloadable = true,
        .help = "Verdicts that are announced: pass, warn, fail, unknown.",
    },
    {
        .name = "timeout",
        .type = PARAM_DURATION,
        .offset = FIELD(timeout_ms),
        .fallback = "10s",
        .min = 100,
        .max = 5 * MINUTE,
        .unit = "duration",
        .reloadable = true,
        .help = "Time in which the receiver must have answered.",
    },
    {.name = NULL},
};
