/* HTTP requests without blocking (home of libcurl: src/loop/http_client.c).
 *
 * A client is one connection pool with one trust configuration; make one per registry and one for
 * notifications. HTTP/1.1 and HTTP/2 (bodies that stream use 1.1). Redirects are NOT followed here:
 * the answer carries `location`, the caller decides where credentials may go. Proxies from the
 * environment are ignored unless `proxy` is set. Protocols other than http and https are refused.
 * Every request ends with exactly one callback, on the loop, also when the client is freed
 * (FAILURE_LATER, "cancelled"). Loop thread.
 */
#ifndef REGWARDEN_HTTP_CLIENT_H
#define REGWARDEN_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct loop;
struct http_client; /* opaque */

struct http_client_options {
    const char *ca_file;                 /* NULL: the system's */
    const char *client_certificate_file; /* NULL: none */
    const char *client_key_file;
    const char *unix_socket;  /* NULL: TCP. All requests of this client go there */
    const char *proxy;        /* NULL: none */
    unsigned max_connections; /* 0: 64. More requests wait for their turn, in order */
    const char *user_agent;   /* NULL: "regwarden/<version>" */
};
/* FAILURE_SYSTEM, also for files that cannot be read. */
int http_client_new(struct loop *loop, const struct http_client_options *options,
                    struct http_client **ret, struct error *err);
/* Accepts NULL. Also from within any callback of this client. */
void http_client_free(struct http_client *client);

struct http_response;

struct http_header {
    const char *name;
    const char *value;
};

/* Everything is copied at http_client_send, except what body_read reads. */
struct http_request {
    const char *method; /* "GET" … */
    const char *url;
    const struct http_header *headers; /* ends with a NULL name; may be NULL */
    const void *body;                  /* NULL: none */
    size_t body_size;
    uint64_t
        max_body_bytes; /* of the answer; more ends the transfer with FAILURE_LIMIT. 0: 64 KiB */
    int64_t connect_timeout_ms; /* 0: 10 s */
    /* No byte in either direction for so long (of the answer's headers: no line), once connected
     * and while not paused: FAILURE_LATER. 0: 30 s. */
    int64_t idle_timeout_ms;
    int64_t total_timeout_ms; /* from http_client_send, waiting included. 0: none */
    /* Streaming answer: called for each piece instead of collecting `body`; returns 0 to go on or a
     * failure to abort. NULL: collect. http_client_pause() stops the stream until
     * http_client_resume(). Only for 2xx answers; bodies of others are collected, up to 64 KiB. */
    int (*body_write)(void *argument, const void *bytes, size_t size, struct error *err);
    /* Called once before the first body_write, with status and headers only; returns as that one.
     * May be NULL. */
    int (*body_begin)(void *argument, const struct http_response *response, struct error *err);
    /* Streaming request body: fills the buffer, returns the count, 0 at the end, or a negative
     * failure; needs body_size set to the total. NULL: `body`. When nothing is there yet,
     * HTTP_CLIENT_WAIT and later http_client_resume(). */
    int64_t (*body_read)(void *argument, void *buffer, size_t size);
};
#define HTTP_CLIENT_WAIT INT64_C(-100)

struct http_response {         /* borrowed by the callback */
    int status;                /* 100..599; 0 when no answer came: then `error` says why */
    struct text_pairs headers; /* names in lower case, in order; at most 128, 64 KiB in all */
    const char *body;          /* NUL behind it; "" when streamed */
    size_t body_size;
    struct error error; /* kind FAILURE_NONE when an answer came (of any status) */
    /* The request, or part of it, may have reached the server. What would be FAILURE_LATER is then
     * FAILURE_UNCERTAIN, unless the method is GET, HEAD or OPTIONS. */
    bool sent;
};
const char *http_response_header(const struct http_response *response,
                                 const char *lower_case_name); /* NULL when absent; first */
/* Retry-After in seconds or as a date, as milliseconds from now, at most one day; 0 when absent or
 * not understood. */
int64_t http_response_retry_after_ms(const struct http_response *response);
/* The header Date as wall time; 0 when absent or not understood. */
int64_t http_response_date_ms(const struct http_response *response);

typedef void http_done_f(void *argument, const struct http_response *response);

/* Returns the request's id (never 0). The callback is never called from within this function. */
uint64_t http_client_send(struct http_client *client, const struct http_request *request,
                          http_done_f *done, void *argument);
/* No callback of this request is called any more. Unknown ids are ignored. */
void http_client_cancel(struct http_client *client, uint64_t id);
/* Pauses body_write from its next piece on; what libcurl and the kernel hold stays bounded. */
void http_client_pause(struct http_client *client, uint64_t id);
/* Goes on with body_write, and asks body_read again. */
void http_client_resume(struct http_client *client, uint64_t id);
size_t http_client_active(const struct http_client *client);

/* Splits an absolute http(s) URL. host_port has the port only when one is written. Each part is new
 * text. FAILURE_INPUT for userinfo, fragments, control characters, blanks, other schemes. */
struct url {
    char *scheme;    /* "http" or "https" */
    char *host_port; /* lower case */
    char *path;      /* with query; at least "/" */
};
int url_parse(const char *url, struct url *ret, struct error *err);
void url_release(struct url *url);
/* Same scheme, host and effective port? */
bool url_same_origin(const struct url *a, const struct url *b);
/* Percent-encodes everything but unreserved characters. */
void url_encode(struct text *to, const char *string);
/* The way back; is_form: '+' is a blank. NULL for a broken escape or an encoded NUL. Returns new.
 */
char *url_decode(const char *bytes, size_t size, bool is_form);

#endif
