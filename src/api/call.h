/* One request on its way through the API: what was asked, and the answer that comes now or later.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "regwarden/api.h"
#include "regwarden/http_server.h"
#include "regwarden/report.h"

#include "routes.h"

struct pending;

struct api {
    struct api_options options; /* token: own copy, see `token` */
    char *token;
    struct pending *pendings;
};

/* Lives while its handler runs; what is needed later goes into a pending. */
struct call {
    struct api *api;
    struct http_exchange *exchange;
    const struct route *route;
    char *id_text; /* decoded :id, NULL when the pattern has none */
    int64_t id;    /* of SEGMENT_NUMBER */
    struct query query;
    struct json *body; /* NULL when there is none */
};

/* Reads and checks the query into call->query. FAILURE_INPUT with a did-you-mean. */
int query_read(struct call *call, struct error *err);
void query_release(struct query *query);
/* Reads and checks the body into call->body. FAILURE_INPUT, FAILURE_LIMIT. */
int body_read(struct call *call, struct error *err);

/* --- answers: the exchange is gone afterwards --- */
void reply_json(struct http_exchange *exchange, int status, const struct json *body);
void reply_error(struct http_exchange *exchange, const struct error *error);
/* With a status and a header of its own. */
void reply_refusal(struct http_exchange *exchange, int status, struct http_reply_header header,
                   const struct error *error);
struct reply_text {
    int status;
    const char *media_type;
    const struct text *text;
};
void reply_text(struct http_exchange *exchange, const struct reply_text *reply);

/* --- answers that come later --- */
typedef void pending_list_f(struct pending *pending, struct http_exchange *exchange,
                            const struct json *json);
struct pending {
    struct api *api; /* NULL once the API is gone */
    struct pending *next, **link;
    uint64_t exchange;
    pending_list_f *list; /* what to make of a list */
    size_t limit;         /* of a page */
    const struct report_format *format;
    int status;        /* of a write */
    struct json *body; /* of a write; owned */
    bool waivers_changed;
};
struct pending *pending_new(const struct call *call);
void pending_listed(void *argument, const struct error *error,
                    struct json *json);                       /* store_json_f */
void pending_done(void *argument, const struct error *error); /* store_done_f */
void pendings_forget(struct api *api);

/* --- handlers --- */
void handle_health(struct call *call);
void handle_ready(struct call *call);
void handle_metrics(struct call *call);
void handle_openapi(struct call *call);
void handle_status(struct call *call);
void handle_verdicts(struct call *call);
void handle_verdict(struct call *call);
void handle_history(struct call *call);
void handle_dead_letters(struct call *call);
void handle_dead_letter(struct call *call);
void handle_plans(struct call *call);
void handle_quarantine(struct call *call);
void handle_waivers(struct call *call);
void handle_sweeps(struct call *call);
void handle_report(struct call *call);
void handle_add_waiver(struct call *call);
void handle_revoke_waiver(struct call *call);
void handle_remove_dead_letter(struct call *call);
void handle_retry_dead_letter(struct call *call);
void handle_release(struct call *call);
void handle_sweep(struct call *call);
void handle_bases(struct call *call);
void handle_add_base(struct call *call);
void handle_remove_base(struct call *call);

#endif
