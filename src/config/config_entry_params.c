/* The tables of the settings of registries and notifiers. */
#include "regwarden/config.h"

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

static const char *const notifier_formats[] = {"cloudevents", "slack", NULL};

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
