/* The image config: what the container runtime will do. Follows OCI image-spec config.md; Docker's
 * extra fields are read or ignored.
 *
 * Config is the truth for user, ports, entrypoint, workdir; history only for what it does not hold.
 * Fields are kept as written (ports and user as text): rules interpret them. Plain data, owned by
 * the caller; any thread. */
#ifndef REGWARDEN_IMAGE_CONFIG_H
#define REGWARDEN_IMAGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/manifest.h"
#include "regwarden/text.h"

struct image_config_limits {
    size_t max_bytes;   /* 4 MiB */
    size_t max_history; /* 4096 entries */
    size_t max_values;  /* 50 000 JSON values: parsed, each takes hundreds of bytes */
};
extern const struct image_config_limits image_config_limits;

struct healthcheck {
    bool present;
    struct text_list test; /* empty = inherit; first item NONE, CMD or CMD-SHELL */
    int64_t interval_ms;   /* 0 = default */
    int64_t timeout_ms;
    int64_t start_period_ms;
    int64_t retries;
};

struct history_entry { /* as written; attacker-controlled free text */
    char *created_by;  /* "" when absent */
    char *comment;     /* "" when absent */
    char *author;      /* "" when absent */
    bool has_created;
    int64_t created_ms;
    bool empty_layer;
};

struct image_config {
    struct platform platform;
    bool has_created;
    int64_t created_ms;
    char *author;          /* "" when absent */
    char *user;            /* "" when absent: root */
    struct text_pairs env; /* in order; an entry without '=' has the value "" */
    struct text_list entrypoint;
    bool entrypoint_is_shell; /* first words are a shell and -c: shell form (or ArgsEscaped) */
    struct text_list cmd;
    bool cmd_is_shell;
    struct text_list exposed_ports; /* "8080/tcp", sorted */
    struct text_list volumes;       /* sorted */
    char *working_dir;              /* "" when absent */
    struct text_pairs labels;
    struct text_list on_build;
    struct text_list shell;
    struct healthcheck healthcheck;
    char *stop_signal; /* "" when absent */
    struct digest *diff_ids;
    size_t diff_id_count;
    struct history_entry *history;
    size_t history_count;
};

/* Bytes are verified already. Duplicate and case-variant keys are refused. FAILURE_INPUT,
 * FAILURE_LIMIT. Returns new. */
int image_config_parse(const char *bytes, size_t size, struct image_config **ret,
                       struct error *err);
void image_config_free(struct image_config *config);
void image_config_auto_free(struct image_config **config);
#define AUTO_IMAGE_CONFIG AUTO(image_config_auto_free)

#endif
