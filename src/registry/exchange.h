/* One HTTP exchange with a registry: waits for its turn, gets authorised, follows redirects, tries
 * again where that is safe, and ends with one callback.
 *
 * Redirects are followed for GET and HEAD only, at most registry_tuning.max_redirects, never from
 * https to http, and without credentials once the origin is another. The callback comes from the
 * loop, never from within exchange_start(). Loop thread. */
#ifndef REGISTRY_EXCHANGE_H
#define REGISTRY_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/http_client.h"

struct registry;
struct exchange; /* opaque */
struct queue_entry;

enum exchange_effect {
    EFFECT_NONE,       /* reads: repeated after any failure that may pass */
    EFFECT_REPEATABLE, /* writes that do no harm twice: a lost answer is FAILURE_LATER */
    EFFECT_WRITE,      /* a lost answer is FAILURE_UNCERTAIN */
};

enum { REQUEST_HEADERS_MAX = 2 };

/* Everything is copied, except what the stream functions get as argument. */
struct exchange_request {
    const char *method; /* a literal */
    const char *target; /* path on the registry, or absolute URL of its origin (Location, Link) */
    const char *scope;  /* what a token has to allow, separated by blanks; NULL: nothing */
    const char *accept; /* NULL: none */
    const char *content_type;
    const struct http_header *headers; /* at most REQUEST_HEADERS_MAX more, literals; ends with
                                          a NULL name; may be NULL */
    const void *body;
    size_t body_size;
    uint64_t max_body_bytes; /* of the answer, collected or streamed */
    enum exchange_effect effect;
    bool companion;   /* see queue.h */
    bool bulk;        /* see queue.h; takes any time as long as bytes come */
    bool basic;       /* name and password are sent at once: for addresses that have no tokens, or
                         that answer strangers with less instead of asking who they are */
    uint64_t from;    /* asks for the bytes from there on */
    int64_t delay_ms; /* before it waits for its turn */
    /* As in http_client.h, called with `stream`. What was streamed is never repeated. */
    int (*write)(void *stream, const void *bytes, size_t size, struct error *err);
    int (*begin)(void *stream, const struct http_response *response, struct error *err);
    int64_t (*read)(void *stream, void *buffer, size_t size);
    void *stream;
};

struct exchange_answer {
    const struct error *error;            /* NULL exactly when the status is 2xx */
    const struct http_response *response; /* NULL when no answer came; borrowed */
    const struct url *url;                /* that answered, after redirects; borrowed */
};
typedef void exchange_done_f(void *argument, const struct exchange_answer *answer);

struct exchange *exchange_start(struct registry *registry, const struct exchange_request *request,
                                exchange_done_f *done, void *argument);
void exchange_cancel(struct exchange *exchange); /* no callback any more; accepts NULL */
void exchange_pause(struct exchange *exchange);  /* the stream; also while nothing flows yet */
void exchange_resume(struct exchange *exchange);
int exchange_status(const struct exchange_answer *answer); /* 0 when there was no answer */

/* For the queue (queue_owner). */
void exchange_run(struct queue_entry *entry);
void exchange_refuse(struct queue_entry *entry, const struct error *error);

#endif
