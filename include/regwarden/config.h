/* The daemon's configuration: one table of settings, read from YAML (regwarden.yaml(5) is generated
 * from the same table).
 *
 * Loaded once at start and again at SIGHUP; a loaded configuration is never changed, only replaced.
 * Secrets come only from files
 * (`*-file`), resolved against $CREDENTIALS_DIRECTORY when relative. Main thread. */
#ifndef REGWARDEN_CONFIG_H
#define REGWARDEN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"
#include "regwarden/yaml.h"

enum registry_type {
    REGISTRY_TYPE_AUTO,
    REGISTRY_TYPE_DISTRIBUTION,
    REGISTRY_TYPE_HARBOR,
    REGISTRY_TYPE_ECR,
    REGISTRY_TYPE_ZOT,
    REGISTRY_TYPE_OCI
};
extern const char *const registry_type_names[];

/* How senders of events prove who they are; src/intake/proofs.c says which dialect proves how. */
enum hook_proof {
    HOOK_PROOF_AUTO, /* the dialect's own way where it has one, else the secret */
    HOOK_PROOF_SECRET,
    HOOK_PROOF_HMAC,
    HOOK_PROOF_CERTIFICATE,
    HOOK_PROOF_SNS,
    HOOK_PROOF_JWT,
};
extern const char *const hook_proof_names[];

/* The dialects of src/intake/decoders.c, and "auto" before them. Ends with NULL. */
extern const char *const hook_dialect_names[];

enum quarantine_means {
    QUARANTINE_AUTO, /* archive where the registry can (ECR), else copy */
    QUARANTINE_COPY,
    QUARANTINE_ARCHIVE,
};
extern const char *const quarantine_means_names[];

enum aws_credentials {
    AWS_CREDENTIALS_AUTO,
    AWS_CREDENTIALS_FILE,
    AWS_CREDENTIALS_WEB_IDENTITY,
    AWS_CREDENTIALS_CONTAINER,
    AWS_CREDENTIALS_INSTANCE,
};
extern const char *const aws_credentials_names[];

struct config_aws {
    char *region;
    int credentials;               /* enum aws_credentials */
    char *credentials_file;        /* as the AWS tools write it */
    char *profile;                 /* "default" */
    char *role_arn;                /* assumed with the web identity, or with the credentials */
    char *web_identity_token_file; /* NULL: $AWS_WEB_IDENTITY_TOKEN_FILE */
    char *ecr_endpoint;            /* NULL: AWS's own, as of the following */
    char *sts_endpoint;
    char *sqs_endpoint;
    char *metadata_endpoint;
    char *ca_file;   /* for these endpoints; NULL: the system's */
    char *queue_url; /* SQS queue to poll for events; NULL: none */
};

struct config_registry {
    char *name; /* key in the file and in /hooks/<name>: [a-z0-9][a-z0-9-]* */
    char *url;  /* https://host[:port] or http://… */
    int type;   /* enum registry_type */
    char *username;
    char *password_file;
    char *ca_file;
    char *client_certificate_file;
    char *client_key_file;
    struct text_list token_realms; /* hosts, besides the registry's own, that credentials may be
                                      sent to for a token */
    char *hook_secret_file;   /* NULL: events are accepted from anyone who reaches the listener */
    char *hook_secret_header; /* "Authorization" */
    char *dialect;            /* decoder name, or "auto" */
    struct text_list hosts;   /* other names under which events name this registry (ECR host, Harbor
                                 external URL) */
    int64_t concurrency;      /* requests at once */
    int64_t timeout_ms;       /* without any byte */
    int64_t sweep_interval_ms;           /* 0: never */
    struct text_list sweep_repositories; /* globs; empty = catalogue */
    int64_t sweep_rate;                  /* requests per second; 0: no bound */
    char *quarantine_prefix;             /* "quarantine" */
    int quarantine_means;                /* enum quarantine_means */
    char *label;                         /* "policy-fail": name of the label of violators */
    int hook_proof;                      /* enum hook_proof */
    struct text_list hook_clients;       /* subject names of client certificates (certificate) */
    struct text_list hook_topics;        /* ARNs of topics (sns) */
    char *hook_issuer;                   /* of tokens (jwt); NULL: the dialect's own */
    char *hook_audience;                 /* of tokens (jwt) */
    struct text_list hook_identities;    /* e-mail or subject of tokens (jwt) */
    char *hook_keys_file;                /* JSON web key set; NULL: the issuer's published keys */
    struct config_aws aws;
};

struct config_notifier {
    char *name;
    char *url;
    char *secret_file;   /* HMAC-SHA256 key; NULL: unsigned */
    int format;          /* 0 cloudevents, 1 slack */
    struct text_list on; /* verdicts: fail, unknown, warn, pass */
    int64_t timeout_ms;
};

struct config {
    struct text_list listen; /* "127.0.0.1:8080", "[::1]:8080",
                                "unix:/run/regwarden/regwarden.sock", "systemd" */
    char *tls_certificate_file;
    char *tls_key_file;
    char *tls_client_ca_file;
    int64_t max_connections;
    int64_t request_timeout_ms;
    uint64_t max_body_bytes;
    char *state_directory; /* /var/lib/regwarden, or $STATE_DIRECTORY */
    char *store_url; /* "sqlite:" (in the state directory), "sqlite:/path", later postgresql:// */
    struct text_list policies; /* files and directories */
    struct text_list waivers;  /* files and directories */
    int64_t max_reviews;       /* at once, of one registry */
    int64_t facts_cache_entries;
    int64_t scan_workers;          /* 0: by the number of processors */
    uint64_t scan_max_layer_bytes; /* compressed */
    int64_t scan_max_entries;      /* of one layer */
    int64_t scan_time_limit_ms;    /* of one layer */
    uint64_t scan_memory_bytes;    /* of one worker, beyond the program */
    bool scan_diff_ids;
    int64_t retry_first_ms, retry_max_ms,
        retry_give_up_ms; /* of a review that could not be judged */
    bool sweep_at_start;
    struct text_list bases;  /* "registry/repository:tag" with globs */
    int64_t base_refresh_ms; /* 0: only at start */
    char *tag_template;      /* "policy-fail-{digest12}" */
    char *api_token_file;    /* operator token for TCP listeners; the unix socket goes by file
                                permissions */
    int log_level;
    int log_format;
    int64_t retention_ms; /* of events, history and journal */
    struct config_registry *registries;
    size_t registry_count;
    struct config_notifier *notifiers;
    size_t notifier_count;
    char *path; /* of the file, NULL when built from the command line */
};

extern const struct param config_params[];          /* top level, dotted names */
extern const struct param config_registry_params[]; /* registries.<name>.* */
extern const struct param config_notifier_params[]; /* notifiers.<name>.* */

/* Reads and checks the file. FAILURE_ABSENT, FAILURE_INPUT (file:line:column, did-you-mean).
 * Returns new. */
int config_load(const char *path, struct config **ret, struct error *err);
/* The same from bytes, for tests and fuzzing: no file that it names is opened. */
int config_parse(const char *name, const char *bytes, size_t size, struct config **ret,
                 struct error *err);
/* Defaults with one registry of this URL, named "registry". FAILURE_INPUT. Returns new. */
int config_for_registry(const char *url, struct config **ret, struct error *err);
void config_free(struct config *config);
const struct config_registry *config_find_registry(const struct config *config, const char *name);
/* What a reload would change that needs a restart instead: names of settings. */
void config_restart_needed(const struct config *running, const struct config *fresh,
                           struct text_list *ret);
struct json *config_schema(void);

#endif
