/* One attempt to get credentials from where the settings say, with the role's assumed on top.
 *
 * A source begins with a file or a question over HTTP and ends with fetch_take() or fetch_fail();
 * either may come from within. Loop thread. */
#ifndef AWS_FETCH_H
#define AWS_FETCH_H

#include "internal.h"

struct fetch;

typedef void fetch_answer_f(struct fetch *fetch, const struct http_response *response);
typedef void fetch_bytes_f(struct fetch *fetch, const struct text *bytes);

struct source {
    const char *name; /* for messages: "the instance's metadata" */
    const char *hint; /* when it does not answer; may be NULL */
    enum aws_credentials kind;
    /* Is it there, for "auto"? */
    bool (*is_there)(const struct config_aws *settings);
    void (*begin)(struct fetch *fetch);
    bool is_role; /* what it gives is the role's already */
};
extern const struct source source_file;
extern const struct source source_web_identity;
extern const struct source source_container;
extern const struct source source_instance;

/* The settings' source, or with "auto" the first that is there. */
const struct source *fetch_source(const struct config_aws *settings);

typedef void fetch_done_f(void *argument, struct aws_keys *taken, const struct error *error);
/* done: may be called from within. error NULL: the callee takes the credentials. */
struct fetch *fetch_start(struct aws *aws, fetch_done_f *done, void *argument);
void fetch_cancel(struct fetch *fetch); /* accepts NULL; no callback any more */

/* --- for sources --- */

struct aws *fetch_aws(struct fetch *fetch);
/* What a source keeps between its steps; wiped at the end. */
char **fetch_note(struct fetch *fetch);
/* Reads a file beside the loop. Failures end the fetch. */
void fetch_read(struct fetch *fetch, const char *path, fetch_bytes_f *then);
/* Sends a question with an Authorization or token header or none. Failures without an answer end
 * the fetch. */
struct fetch_question {
    const char *method;
    const char *url;
    const char *header_name; /* NULL: none */
    const char *header_value;
};
void fetch_ask(struct fetch *fetch, const struct fetch_question *question, fetch_answer_f *then);
/* AssumeRole with `base`, or without it AssumeRoleWithWebIdentity: `parameters` besides Action and
 * Version. Ends the fetch. */
void fetch_assume(struct fetch *fetch, const struct aws_keys *base,
                  const struct text_pairs *parameters);
void fetch_take(struct fetch *fetch, struct aws_keys *credentials); /* takes what is in it */
/* The JSON document of keys that `what` has answered. */
void fetch_take_answer(struct fetch *fetch, const struct http_response *response, const char *what);
void fetch_fail(struct fetch *fetch, const struct error *error);
/* The error of a status that is not 2xx. */
void fetch_fail_status(struct fetch *fetch, const struct http_response *response, const char *what);

#endif
