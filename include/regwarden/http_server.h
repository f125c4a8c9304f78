/* HTTP/1.1 server: TCP, TLS (client CA optional), unix socket, systemd sockets (src/loop/http_*.c,
 * over libevent's buffers and OpenSSL).
 *
 * Requests are read by a strict parser of our own (src/loop/http_parse.h): what two programs could
 * read differently is answered 400 and the connection is closed. That is every ambiguous framing
 * (two Content-Length, one that is not a plain number, Transfer-Encoding other than exactly
 * "chunked", both at once, chunk extensions), missing, double or malformed Host, bare LF, folded
 * lines, NUL and control bytes, targets that do not begin with a slash, versions other than 1.0 and
 * 1.1. Each connection has a deadline for its request head and body, however slowly bytes trickle,
 * and another for reading its answer; there is a cap on connections and on the memory of all bodies
 * together; running out of descriptors pauses accepting.
 *
 * A handler answers at once, or keeps the exchange's id and answers later through http_server_find,
 * which gives NULL when the client has gone: then there is nothing to answer. An exchange's pointer
 * is good until the handler returns, or until the loop is entered again after http_server_find. A
 * client that ends its side of the connection while its answer is awaited counts as gone. Loop
 * thread. */
#ifndef REGWARDEN_HTTP_SERVER_H
#define REGWARDEN_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/text.h"

struct loop;
struct http_server;   /* opaque */
struct http_exchange; /* opaque: one request and its answer */

struct http_server_options {
    /* 0: 512; lowered to what RLIMIT_NOFILE leaves. At the cap the connection that has been idle
     * longest is closed for the new one; when none is idle the new one is answered 503. */
    unsigned max_connections;
    uint64_t max_body_bytes; /* 0: 1 MiB; more is 413 */
    /* Of all connections together: request bodies, and answers that were not read yet, each. 0: 16
     * MiB; more is 503. */
    uint64_t max_total_body_bytes;
    size_t max_header_bytes;          /* 0: 16 KiB; more, or more than 100 fields, is 431 */
    int64_t request_timeout_ms;       /* from the first byte of a request to its last. 0: 15 s;
                                         more is 408 */
    int64_t idle_timeout_ms;          /* between requests. 0: 60 s */
    const char *tls_certificate_file; /* NULL: TCP listeners speak plain HTTP */
    const char *tls_key_file;
    const char *tls_client_ca_file; /* NULL: client certificates are not asked for; set: they are
                                       required on TCP */
};

typedef void http_handler_f(void *argument, struct http_exchange *exchange);

/* `handler` gets every request that passed the guard; routing is the caller's (http_route below
 * helps). */
int http_server_new(struct loop *loop, const struct http_server_options *options,
                    http_handler_f *handler, void *argument, struct http_server **ret,
                    struct error *err);
/* "127.0.0.1:8080", "[::1]:0", "unix:/path" (mode 0660; a stale socket is replaced, a live one is
 * an error), "fd:3" (taken). Addresses are numeric. FAILURE_INPUT, FAILURE_SYSTEM. */
int http_server_listen(struct http_server *server, const char *address, struct error *err);
/* Address of the n-th listener with its real port, for port 0. NULL beyond the last; borrowed. */
const char *http_server_address(const struct http_server *server, size_t index);
/* New certificates for new connections; the old stay on failure. */
int http_server_reload_tls(struct http_server *server, struct error *err);
/* Stops accepting and closes idle connections; exchanges under way may still be answered, and each
 * answer is its connection's last. */
void http_server_stop_accepting(struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* Accepts NULL. Open exchanges are closed; their pointers are dead afterwards. Not from within a
 * handler. */
void http_server_free(struct http_server *server);

struct http_server_counters {
    uint64_t connections, requests, refused_framing, refused_size, timed_out, over_cap, over_memory,
        accept_errors;
};
void http_server_counters(const struct http_server *server, struct http_server_counters *ret);

const char *http_exchange_method(
    const struct http_exchange *exchange); /* "GET", …; borrowed, as all of these */
const char *
http_exchange_target(const struct http_exchange *exchange); /* raw, as sent: path and query */
const char *http_exchange_path(const struct http_exchange *exchange); /* raw path without query */
const char *
http_exchange_query(const struct http_exchange *exchange); /* raw, NULL when there is none */
/* Decoded value of one query parameter. Returns new, NULL when absent or undecodable. */
char *http_exchange_parameter(const struct http_exchange *exchange, const char *name);
const char *http_exchange_header(const struct http_exchange *exchange,
                                 const char *name); /* NULL when absent or sent more than once */
size_t http_exchange_header_count(const struct http_exchange *exchange, const char *name);
/* Appends all headers in order, doubled ones too, with names in lower case. */
void http_exchange_headers(const struct http_exchange *exchange, struct text_pairs *to);
const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_size);
const char *http_exchange_peer(const struct http_exchange *exchange); /* "127.0.0.1", "unix" */
bool http_exchange_is_local_socket(
    const struct http_exchange *exchange); /* came over a unix socket */
/* Subject of the verified client certificate, NULL without one. */
const char *http_exchange_client_subject(const struct http_exchange *exchange);

/* An id by which a later answer finds the exchange, or not when the client has gone. */
uint64_t http_exchange_id(const struct http_exchange *exchange);
struct http_exchange *http_server_find(struct http_server *server, uint64_t id);

struct http_reply_header {
    const char *name;
    const char *value;
};
/* headers: ends with a NULL name, may be NULL. content_type NULL and size 0: no body. The exchange
 * is gone afterwards. Everything is copied. A header that holds control characters, and
 * Transfer-Encoding, Connection and Content-Length, which are the server's own, turn the answer
 * into a 500; only an answer to HEAD without body may bring its own Content-Length. To HEAD the
 * length of `body` is sent without the body. */
void http_exchange_reply(struct http_exchange *exchange, int status,
                         const struct http_reply_header *headers, const char *content_type,
                         const void *body, size_t size);
void http_exchange_reply_text(struct http_exchange *exchange, int status, const char *text);

/* Does `path` match "/api/v1/quarantine/:id/release"? Fills up to `max` borrowed-from-path decoded
 * segments (new strings). A last segment "**" takes the rest. Undecodable or '/'-bearing segments
 * never match. Returns the count of parameters, or -1. */
int http_route_match(const char *pattern, const char *path, char **ret_parameters, int max);

#endif
