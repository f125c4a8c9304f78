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

const char *const hook_proof_names[] = {
    [HOOK_PROOF_AUTO] = "auto",  [HOOK_PROOF_SECRET] = "secret",
    [HOOK_PROOF_HMAC] = "hmac",  [HOOK_PROOF_CERTIFICATE] = "certificate",
    [HOOK_PROOF_SNS] = "sns",    [HOOK_PROOF_JWT] = "jwt",
    [HOOK_PROOF_JWT + 1] = NULL,
};

const char *const hook_dialect_names[] = {
    "auto",   "distribution", "gitlab", "harbor",    "ecr", "sns",   "acr",   "eventgrid", "gar",
    "github", "gitea",        "quay",   "dockerhub", "zot", "jfrog", "nexus", NULL,
};

const char *const quarantine_means_names[] = {
    [QUARANTINE_AUTO] = "auto",
    [QUARANTINE_COPY] = "copy",
    [QUARANTINE_ARCHIVE] = "archive",
    [QUARANTINE_ARCHIVE + 1] = NULL,
};

const char *const aws_credentials_names[] = {
    [AWS_CREDENTIALS_AUTO] = "auto",
    [AWS_CREDENTIALS_FILE] = "file",
    [AWS_CREDENTIALS_WEB_IDENTITY] = "web-identity",
    [AWS_CREDENTIALS_CONTAINER] = "container",
    [AWS_CREDENTIALS_INSTANCE] = "instance",
    [AWS_CREDENTIALS_INSTANCE + 1] = NULL,
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
            "Form of the registry's events, as regwarden-registries(7) lists them. auto looks at "
            "each event.",
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
    {
        .name = "sweep-rate",
        .type = PARAM_INTEGER,
        .offset = FIELD(sweep_rate),
        .fallback = "100",
        .min = 0,
        .max = 100000,
        .unit = "requests per second",
        .help = "Requests that sweeps send to the registry in a second; 0 is no bound.",
    },
    {
        .name = "quarantine-means",
        .type = PARAM_CHOICE,
        .offset = FIELD(quarantine_means),
        .fallback = "auto",
        .choices = quarantine_means_names,
        .help =
            "How an image is taken out of reach: copy moves it below quarantine-prefix, archive "
            "makes it impossible to pull where it is (Amazon ECR). auto archives where the "
            "registry can and no other tag needs the image, and copies elsewhere.",
    },
    {
        .name = "label",
        .type = PARAM_TEXT,
        .offset = FIELD(label),
        .fallback = "policy-fail",
        .help = "Name of the label that violators get where images have labels (Harbor).",
    },
    {
        .name = "hook-proof",
        .type = PARAM_CHOICE,
        .offset = FIELD(hook_proof),
        .fallback = "auto",
        .choices = hook_proof_names,
        .reloadable = true,
        .help = "How the sender of events proves who it is: secret (in a header, as bearer token, "
                "as password or in the query), hmac (signature of the body), certificate (of the "
                "TLS connection), sns (signature of Amazon SNS) or jwt (signed token). auto is the "
                "way of the dialect.",
    },
    {
        .name = "hook-clients",
        .type = PARAM_LIST,
        .offset = FIELD(hook_clients),
        .reloadable = true,
        .help = "Subjects of the client certificates that may send events (hook-proof "
                "certificate).",
    },
    {
        .name = "hook-topics",
        .type = PARAM_LIST,
        .offset = FIELD(hook_topics),
        .reloadable = true,
        .help = "ARNs of the Amazon SNS topics that may send events; no other is confirmed.",
    },
    {
        .name = "hook-issuer",
        .type = PARAM_TEXT,
        .offset = FIELD(hook_issuer),
        .reloadable = true,
        .help = "Issuer of the signed tokens of events (hook-proof jwt); when left out, that of "
                "the dialect.",
    },
    {
        .name = "hook-audience",
        .type = PARAM_TEXT,
        .offset = FIELD(hook_audience),
        .reloadable = true,
        .help = "Audience that the signed tokens of events must name (hook-proof jwt).",
    },
    {
        .name = "hook-identities",
        .type = PARAM_LIST,
        .offset = FIELD(hook_identities),
        .reloadable = true,
        .help = "Accounts (e-mail address or subject) that the signed tokens of events may be of "
                "(hook-proof jwt).",
    },
    {
        .name = "hook-keys-file",
        .type = PARAM_TEXT,
        .offset = FIELD(hook_keys_file),
        .reloadable = true,
        .help = "File with the issuer's keys, a JSON web key set; when left out, those that the "
                "issuer publishes are fetched.",
    },
    {
        .name = "aws.region",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.region),
        .help =
            "Region of Amazon ECR and SQS; when left out, that of the registry's host or of the "
            "queue's address.",
    },
    {
        .name = "aws.credentials",
        .type = PARAM_CHOICE,
        .offset = FIELD(aws.credentials),
        .fallback = "auto",
        .choices = aws_credentials_names,
        .help = "Where credentials come from: file, web-identity (a Kubernetes service account), "
                "container (ECS, EKS Pod Identity) or instance (metadata of EC2). auto takes the "
                "first that is there.",
    },
    {
        .name = "aws.credentials-file",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.credentials_file),
        .help = "File with access keys, as the AWS tools write it.",
    },
    {
        .name = "aws.profile",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.profile),
        .fallback = "default",
        .help = "Section of that file.",
    },
    {
        .name = "aws.role-arn",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.role_arn),
        .help = "Role to assume; when left out with a web identity, $AWS_ROLE_ARN.",
    },
    {
        .name = "aws.web-identity-token-file",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.web_identity_token_file),
        .help = "File with the web identity's token; when left out, $AWS_WEB_IDENTITY_TOKEN_FILE.",
    },
    {
        .name = "aws.ecr-endpoint",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.ecr_endpoint),
        .help = "Address of ECR, in place of AWS's own.",
    },
    {
        .name = "aws.sts-endpoint",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.sts_endpoint),
        .help = "Address of STS, in place of AWS's own.",
    },
    {
        .name = "aws.sqs-endpoint",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.sqs_endpoint),
        .help = "Address of SQS, in place of AWS's own.",
    },
    {
        .name = "aws.metadata-endpoint",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.metadata_endpoint),
        .help = "Address of the instance metadata, in place of AWS's own.",
    },
    {
        .name = "aws.ca-file",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.ca_file),
        .help = "PEM file with the authorities that vouch for these endpoints, in place of the "
                "system's.",
    },
    {
        .name = "aws.queue-url",
        .type = PARAM_TEXT,
        .offset = FIELD(aws.queue_url),
        .help = "Amazon SQS queue that is polled for the registry's events.",
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
