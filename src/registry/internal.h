/* What the files of this room share: the registry itself and the operations that run on it.
 *
 * An operation (`struct operation`) is one call of the door; it makes one HTTP exchange after the
 * other (exchange.h) and ends with one callback. Loop thread. */
#ifndef REGISTRY_INTERNAL_H
#define REGISTRY_INTERNAL_H

#include <sys/queue.h>

#include "regwarden/http_client.h"
#include "regwarden/loop.h"
#include "regwarden/registry.h"

#include "exchange.h"
#include "tuning.h"

struct operation {
    TAILQ_ENTRY(operation) link;
    struct registry *registry;
    uint64_t id;
    registry_done_f *done;
    void *argument;
    char *what;                                   /* "manifest app:v1", for messages */
    struct exchange *exchange;                    /* under way, or NULL */
    void (*release)(struct operation *operation); /* what the operation owns besides; may be NULL */
    bool refused;                                 /* `error` is to be told soon */
    struct error error;
};
TAILQ_HEAD(operation_list, operation);

struct registry_profile;

struct registry {
    struct loop *loop;
    const struct config_registry *settings; /* borrowed */
    struct registry_tuning tuning;
    struct url url;
    int64_t idle_ms; /* without any byte */
    struct http_client *http;
    struct auth *auth;
    struct ecr *ecr; /* NULL unless it is Amazon ECR */
    struct queue *queue;
    struct registry_abilities abilities;
    struct registry_counters counters;
    const struct registry_profile *profile; /* NULL: its kind is not known yet */
    unsigned undecided;                     /* times that it did not let itself be told */
    bool head_refused;                      /* HEAD of a manifest does not tell here: GET at once */
    struct operation_list operations;
    uint64_t last_id;
    struct timer *soon; /* tells refused operations */
    unsigned calling;   /* callbacks that are running */
};

/* As registry_new, with other bounds than the usual ones. */
int registry_new_tuned(struct loop *loop, const struct config_registry *settings,
                       const struct registry_tuning *tuning, struct registry **ret,
                       struct error *err);

/* A new operation of `size` bytes, which begin with a struct operation; takes `what`. */
void *operation_new(struct registry *registry, size_t size, registry_done_f *done, void *argument,
                    char *what);
/* "<what> <repository>@<digest>" for that, printable; `repository` may be NULL. Returns new. */
char *operation_name(const char *what, const char *repository, const struct digest *digest);
/* NULL when there is none of that id any more. */
struct operation *operation_find(struct registry *registry, uint64_t id);
/* Ends the operation without a request: the callback comes soon, not from here. Returns the id. */
uint64_t operation_refuse(struct operation *operation);
/* Starts the operation's next exchange. */
void operation_send(struct operation *operation, const struct exchange_request *request,
                    exchange_done_f *done);
/* One callback; the operation goes on, or was cancelled by it: then false. */
bool operation_tell(struct operation *operation, const struct registry_answer *answer);
/* The last callback; the operation is gone afterwards. */
void operation_finish(struct operation *operation, const struct registry_answer *answer);
void operation_fail(struct operation *operation, const struct error *error);

/* An operation that ends with a page; `operation.release` and the rest as usual. operation_fail()
 * tells the failure as a page without rows. `size` bytes, which begin with a page_operation. */
struct page_operation {
    struct operation operation; /* first */
    registry_page_f *done;
    void *argument;
    const struct registry_page *page; /* while it is told */
};
void *page_operation_new(struct registry *registry, size_t size, registry_page_f *done,
                         void *argument, char *what);
void page_finish(struct page_operation *operation, const struct registry_page *page);

/* "/v2/<repository>/<kind>/<last>". FAILURE_INPUT for a name that is against the grammar. Return
 * new. */
int path_of_manifest(const char *repository, const char *reference, char **ret, struct error *err);
int path_of_digest(const char *repository, const char *kind, const struct digest *digest,
                   char **ret, struct error *err);
int path_of_repository(const char *repository, const char *tail, char **ret, struct error *err);

/* "repository:<name>:<actions>". Returns new. */
char *scope_of_repository(const char *repository, const char *actions);
#define SCOPE_CATALOG "registry:catalog:*"

/* What a manifest's answer says of itself. */
extern const char manifest_accept[];
struct digest_claim {
    const char *reference;     /* tag or digest that was asked for */
    const char *header_digest; /* Docker-Content-Digest, or NULL */
};
/* Computes the digest of the bytes and holds it against what was asked for and what the header
 * says. FAILURE_INPUT. */
int manifest_identify(const struct digest_claim *claim, const char *bytes, size_t size,
                      struct digest *ret, struct error *err);
/* The media type of a Content-Type, without parameters. Returns new; NULL when there is none. */
char *content_type_of(const struct http_response *response);
/* A manifest's fetch as part of another operation: the answer is checked and handed over. */
int manifest_read(const struct http_response *response, const char *reference,
                  struct registry_answer *ret, char **ret_media_type, struct error *err);

#endif
