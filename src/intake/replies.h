/* The wording of answers to senders. Each ends the exchange. */
#ifndef INTAKE_REPLIES_H
#define INTAKE_REPLIES_H

#include "answers.h"

#include "regwarden/error.h"
#include "regwarden/http_server.h"

/* extra: one more header, may be NULL. body: JSON, NULL for none. */
void hook_reply_json(struct http_exchange *exchange, struct hook_answer answer,
                     const struct http_reply_header *extra, const struct text *body);

struct refusal {
    struct hook_answer answer;
    enum failure kind;
    const char *message;
    const char *hint;
    struct http_reply_header header;
};
void hook_refuse(struct http_exchange *exchange, const struct refusal *refusal);

#endif
