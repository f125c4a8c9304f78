/* What the files http_client.c, http_glue.c, http_transfer.c, http_response.c and http_failure.c
 * share.
 *
 * libcurl is entered from the loop only (http_glue.c), never from within one of its own callbacks:
 * what a callback asks for (cancel, resume, send, free) is noted and done by the next round of
 * http_client_work(). */
#ifndef HTTP_CLIENT_PRIVATE_H
#define HTTP_CLIENT_PRIVATE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "id_table.h"
#include "regwarden/http_client.h"

struct event;
struct timer;
struct http_client;

enum transfer_phase {
    TRANSFER_WAITING,   /* for one of the client's connections */
    TRANSFER_RUNNING,   /* libcurl has it */
    TRANSFER_ENDED,     /* its result is known and not yet told */
    TRANSFER_CANCELLED, /* nobody wants the result */
};

struct transfer {
    TAILQ_ENTRY(transfer) entry;
    struct http_client *client;
    uint64_t id;
    enum transfer_phase phase;
    CURL *easy; /* NULL until it runs */
    char curl_error[CURL_ERROR_SIZE];
    CURLcode curl_code; /* when TRANSFER_ENDED by libcurl */

    /* The request; texts and body are own copies. */
    char *method;
    char *url;
    char *host_port;
    struct curl_slist *headers;
    char *body;
    struct http_request request; /* its texts and headers are not used after the start */
    http_done_f *done;
    void *argument;

    struct timer *idle;  /* runs while bytes are expected */
    struct timer *total; /* NULL: none */
    bool is_connected;
    bool receive_paused; /* as the caller wants it */
    bool receive_held;   /* libcurl was told to hold */
    bool send_held;
    bool resume_wanted;
    bool is_large;    /* has one of the client's places for large answers */
    bool awaits_room; /* is held until it gets one */

    /* The answer. */
    struct http_response response;
    struct text collected;
    size_t header_bytes;
    uint64_t body_bytes;
    bool headers_ended;
    bool has_begun;         /* body_begin was called */
    curl_off_t moved_bytes; /* both directions, as libcurl last said */
    bool has_failed;        /* response.error holds our own reason */
};

TAILQ_HEAD(transfer_list, transfer);

struct http_client {
    struct loop *loop;
    struct http_client_options options; /* its texts are in `texts` */
    struct text_list texts;
    CURLM *multi;
    struct event *curl_timer;
    struct event *kick; /* runs http_client_work() soon */
    struct id_table ids;
    struct transfer_list waiting;
    struct transfer_list running; /* and ended or cancelled ones, until the next round */
    size_t running_count;
    size_t large_count; /* answers that grow beyond what everyone may keep */
    unsigned depth;     /* of calls that may come back into the client */
    bool is_dirty;      /* some transfer has ended, was cancelled, or wants to resume */
    bool is_dying;
};

/* http_client.c */
void http_client_work(struct http_client *client); /* ends, starts, resumes; may free the client */
/* Notes that some transfer's phase has changed and has the work done soon. */
void http_client_kick(struct http_client *client);

/* http_glue.c: libcurl's sockets and timer on the loop. */
int http_glue_open(struct http_client *client, struct error *err);
void http_glue_close(struct http_client *client);

/* http_transfer.c: one request as a libcurl handle. */
struct transfer *transfer_new(struct http_client *client, const struct http_request *request);
bool transfer_start(struct transfer *transfer); /* false: it failed, response.error says why */
void transfer_free(struct transfer *transfer);  /* takes it away from libcurl first */
/* Notes our own reason to end it; the first one counts. Returns `kind`. */
int transfer_fail(struct transfer *transfer, enum failure kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void transfer_watch_idle(struct transfer *transfer);

/* http_response.c: libcurl's callbacks for what arrives. */
size_t transfer_on_header(char *bytes, size_t one, size_t size, void *argument);
size_t transfer_on_body(char *bytes, size_t one, size_t size, void *argument);

/* http_failure.c: fills response.error from libcurl's result. */
bool transfer_is_safe(const char *method); /* may libcurl send it again by itself? */
void transfer_explain(struct transfer *transfer);

#endif
