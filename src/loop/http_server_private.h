/* What the files http_server.c, http_listen.c, http_connection.c, http_exchange.c, http_reply.c and
 * http_tls.c share.
 *
 * A connection is always in one phase; http_connection_enter() is the only place that changes it.
 * It owns one reader and one exchange, which are used for one request after the other. */
#ifndef HTTP_SERVER_PRIVATE_H
#define HTTP_SERVER_PRIVATE_H

#include <openssl/ssl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "http_parse.h"
#include "id_table.h"
#include "regwarden/http_server.h"

struct bufferevent;
struct evconnlistener;
struct event;
struct http_connection;

enum http_phase {
    PHASE_HANDSHAKE, /* TLS is being set up */
    PHASE_IDLE,      /* no byte of a request yet */
    PHASE_READING,   /* a request has begun */
    PHASE_HANDLING,  /* the handler has it */
    PHASE_WRITING,   /* the answer is on its way, then comes the next request */
    PHASE_CLOSING,   /* the answer is on its way, then the connection ends */
    PHASE_LINGERING, /* all is sent; what still comes is dropped, so that the answer is not */
};

struct http_exchange {
    struct http_connection *connection;
    uint64_t id; /* 0: no request is waiting for an answer */
};

struct http_connection {
    TAILQ_ENTRY(http_connection) all;
    TAILQ_ENTRY(http_connection) spare; /* while nobody would miss it */
    struct http_server *server;
    struct bufferevent *bev;
    SSL *ssl; /* borrowed from bev; NULL: plain */
    struct event *timer;
    enum http_phase phase;
    unsigned phase_serial; /* counts changes of phase */
    unsigned timed_serial; /* the change for which the timer was armed */
    bool is_local;
    bool is_running; /* http_connection_run() is on the stack */
    bool is_gone;    /* the peer has closed */
    bool sent_continue;
    struct http_reader reader;
    size_t counted_body;   /* of the reader's, in server->body_bytes */
    size_t counted_output; /* waiting for the peer, in server->output_bytes */
    struct http_exchange exchange;
    struct text out; /* answers of this round, not yet handed to the socket */
    char *subject;   /* of the client's certificate */
    char peer[64];
};

struct http_listener {
    TAILQ_ENTRY(http_listener) all;
    struct http_server *server;
    struct evconnlistener *listener; /* NULL when no longer accepting */
    bool is_local;
    char *address;
    char *unix_path; /* to be removed at the end, if it is still ours */
    struct stat unix_stat;
};

struct http_server {
    struct loop *loop;
    struct http_server_options options; /* its texts are in `texts` */
    struct text_list texts;
    http_handler_f *handler;
    void *argument;
    SSL_CTX *tls; /* NULL: plain */
    struct id_table exchanges;
    TAILQ_HEAD(, http_listener) listeners;
    TAILQ_HEAD(, http_connection) connections;
    TAILQ_HEAD(, http_connection) spare; /* lingering ones, then idle ones, longest idle first */
    size_t connection_count;
    uint64_t body_bytes;   /* of request bodies, over all connections */
    uint64_t output_bytes; /* of answers that peers have not read yet, over all connections */
    bool is_draining;
    unsigned handling; /* handlers on the stack */
    struct event *accept_pause;
    struct http_server_counters counters;
};

/* http_listen.c: sockets, accepting, and the pause when descriptors run out. */
void http_listeners_stop(struct http_server *server);
void http_listeners_free(struct http_server *server);

/* http_connection.c */
struct http_accepted {
    int fd; /* taken */
    bool is_local;
    const struct sockaddr *address;
};
void http_connection_accept(struct http_server *server, const struct http_accepted *accepted);
void http_connection_free(struct http_connection *connection);
void http_connection_enter(struct http_connection *connection, enum http_phase phase);
/* Goes on after an answer was put into `out`. */
void http_connection_answered(struct http_connection *connection, bool keep_alive);

/* http_output.c: bytes towards the peer, and the two ways in which a connection ends. */
void http_output_flush(struct http_connection *connection);
/* Hands over a large piece without a copy in `out`. */
void http_output_write(struct http_connection *connection, const void *bytes, size_t size);
/* May an answer of this size be kept until its peer has read it? */
bool http_output_allows(const struct http_connection *connection, size_t size);
/* Brings server->output_bytes up to date. */
void http_output_count(struct http_connection *connection);
size_t http_output_pending(const struct http_connection *connection);
/* Sends what is pending, then lingers, then closes. May free the connection. */
void http_output_close(struct http_connection *connection);

/* http_reply.c: the bytes of an answer. */
struct http_reply {
    int status;
    const struct http_reply_header *headers;
    const char *content_type;
    const void *body;
    size_t size;
    bool is_head; /* the request was HEAD: length, but no body */
    bool is_http10;
    bool keep_alive;
};
/* Appends the head. False, with nothing appended, when a header may not be sent. */
bool http_reply_head(const struct http_reply *reply, struct text *to);
bool http_reply_has_body(int status);

/* http_tls.c (home of libssl) */
int http_tls_new(const struct http_server_options *options, SSL_CTX **ret, struct error *err);
/* Subject of the verified peer certificate. Returns new, NULL without one. */
char *http_tls_subject(SSL *ssl);
/* Tells the peer that the end is meant, without waiting for its word. */
void http_tls_end(SSL *ssl);

#endif
