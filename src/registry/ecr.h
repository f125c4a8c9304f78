/* A registry that is Amazon ECR: its identity in AWS, the calls of its API, and the operations that
 * are made of them. What an answer means is in ecr_read.h.
 *
 * Writes that move or remove tags run one at a time: removing the last tag of an image removes the
 * image, so what was seen must still be so when it is done (PutImage has a low rate anyway). Loop
 * thread. */
#ifndef REGISTRY_ECR_H
#define REGISTRY_ECR_H

#include "regwarden/aws.h"
#include "regwarden/json.h"

#include "auth.h"
#include "ecr_host.h"
#include "internal.h"

enum { ECR_LONG_CURSORS = 8 };

struct ecr_call; /* opaque */
struct ecr_operation;
TAILQ_HEAD(ecr_line, ecr_operation);

struct ecr_login { /* the registry's password, which AWS hands out for some hours */
    char *header;  /* "Basic …", NULL: none yet */
    char *password;
    int64_t fetched_ms, renew_at_ms; /* steady clock */
    struct ecr_call *call;           /* under way, or NULL */
    struct auth_ask_list asks;
};

struct ecr {
    struct registry *registry;
    struct aws *aws;
    struct ecr_host host;
    char *endpoint;
    struct ecr_login login;
    struct ecr_line line;                 /* of writes; the first one runs */
    char *long_cursors[ECR_LONG_CURSORS]; /* too long for the door; see ecr_pages.c */
    unsigned last_cursor;
};

/* Is this registry one, by the settings or, where they do not say, by its address? */
bool ecr_is_meant(const struct config_registry *settings, const struct url *url);
/* Nothing is sent yet. FAILURE_INPUT, FAILURE_ABSENT as in aws.h. */
int ecr_new(struct registry *registry, struct ecr **ret, struct error *err);
/* Adds the calls of the API. */
void ecr_count(const struct ecr *ecr, struct registry_counters *counters);
void ecr_free(struct ecr *ecr); /* no operation runs by then; accepts NULL */

/* --- calls --- */

struct ecr_request {
    const char *operation;    /* "DescribeImages", a literal */
    const struct json *input; /* borrowed during the call of ecr_call_start() */
    bool writes;
    uint64_t max_body_bytes; /* 0: as in aws.h */
};
struct ecr_answer {            /* borrowed by the callback */
    const struct error *error; /* NULL exactly on success; says what right is missing */
    const struct json *body;
    const char *error_type; /* may be NULL */
};
typedef void ecr_done_f(void *argument, const struct ecr_answer *answer);
/* One callback, never from within the call; what is throttled or away was tried again by then. */
struct ecr_call *ecr_call_start(struct ecr *ecr, const struct ecr_request *request,
                                ecr_done_f *done, void *argument);
void ecr_call_cancel(struct ecr_call *call); /* no callback any more; accepts NULL */

/* --- login --- */

/* As auth_get() and auth_learn(). */
bool ecr_login_get(struct ecr *ecr, struct auth_ask *ask, char **ret_header);
int ecr_login_learn(struct ecr *ecr, const char *sent, struct error *err);
bool ecr_login_repeats(const struct ecr *ecr, const char *text);
void ecr_login_release(struct ecr_login *login);

/* --- operations --- */

struct ecr_operation {
    struct operation operation; /* first */
    struct ecr *ecr;
    struct ecr_call *call;
    char *repository;
    char *tag; /* NULL: none */
    struct digest digest;
    TAILQ_ENTRY(ecr_operation) line;
    bool in_line;
    void (*run)(struct ecr_operation *operation);     /* when its turn in the line has come */
    void (*release)(struct ecr_operation *operation); /* what it owns besides; may be NULL */
};
struct ecr_order {
    const char *repository;      /* may be NULL where the operation is about none */
    const char *tag;             /* may be NULL */
    const struct digest *digest; /* may be NULL */
    registry_done_f *done;
    void *argument;
    char *what; /* taken */
};
/* As operation_new(). When a name is against the grammar, its `operation.error` is set and it can
 * only be refused. */
void *ecr_operation_new(struct registry *registry, size_t size, const struct ecr_order *order);
/* Starts the next call; `input` is taken. */
struct ecr_step {
    const char *operation;
    struct json *input;
    bool writes;
    uint64_t max_body_bytes;
};
void ecr_operation_send(struct ecr_operation *operation, const struct ecr_step *step,
                        ecr_done_f *done);
/* Waits until the writes before it are done, then calls `run`. Returns the id. */
uint64_t ecr_operation_wait(struct ecr_operation *operation,
                            void run(struct ecr_operation *operation));
void ecr_operation_fail(struct ecr_operation *operation, const struct error *error);
/* As that one, for what only reads: a question that ECR does not take says nothing of the image,
 * and may be taken once the settings are right. */
void ecr_operation_fail_read(struct ecr_operation *operation, const struct error *error);

/* {"registryId", "repositoryName"} of the operation. Returns new. */
struct json *ecr_input(const struct ecr_operation *operation);
/* {"imageTag", "imageDigest"}; NULL leaves one out. Returns new. */
struct json *ecr_image_id(const char *tag, const struct digest *digest);
/* [that]. Returns new. */
struct json *ecr_image_ids(const char *tag, const struct digest *digest);

/* --- what the profile and its neighbours need of each other --- */

/* May regwarden make this repository? Only where images go into quarantine by copying. */
bool ecr_may_create(const struct registry *registry, const char *repository);
/* Makes it; being there already is success. */
uint64_t ecr_create_repository(struct registry *registry, const char *repository,
                               registry_done_f *done, void *argument);

uint64_t ecr_delete_tag(struct registry *registry, const char *repository, const char *tag,
                        registry_done_f *done, void *argument);
uint64_t ecr_delete_manifest(struct registry *registry, const char *repository,
                             const struct digest *digest, registry_done_f *done, void *argument);
uint64_t ecr_put_manifest(struct registry *registry, const struct registry_manifest_put *put,
                          registry_done_f *done, void *argument);
uint64_t ecr_page_of_repositories(struct registry *registry, const char *cursor,
                                  registry_page_f *done, void *argument);
uint64_t ecr_page_of_images(struct registry *registry, const char *repository, const char *cursor,
                            registry_page_f *done, void *argument);
uint64_t ecr_archive(struct registry *registry, const char *repository, const struct digest *digest,
                     registry_done_f *done, void *argument);
uint64_t ecr_restore(struct registry *registry, const char *repository, const struct digest *digest,
                     registry_done_f *done, void *argument);
uint64_t ecr_fetch_scan_report(struct registry *registry, const char *repository,
                               const struct digest *digest, registry_done_f *done, void *argument);

#endif
