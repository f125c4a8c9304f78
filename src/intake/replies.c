/* How an exchange is answered: as JSON, with the status that answers.c says. */
#include "replies.h"

#include "regwarden/json.h"

void hook_reply_json(struct http_exchange *exchange, struct hook_answer answer,
                     const struct http_reply_header *extra, const struct text *body)
{
    char seconds[16];
    struct http_reply_header headers[3] = {{NULL, NULL}};
    size_t count = 0;
    if (extra != NULL)
        headers[count++] = *extra;
    if (answer.retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%d", answer.retry_after_s);
        headers[count++] = (struct http_reply_header){"Retry-After", seconds};
    }
    http_exchange_reply(exchange, answer.status, headers, body == NULL ? NULL : "application/json",
                        body == NULL ? NULL : body->data, body == NULL ? 0 : body->length);
}

void hook_refuse(struct http_exchange *exchange, const struct refusal *refusal)
{
    AUTO_JSON struct json *body = json_new_object();
    struct json *error = json_new_object();
    json_set_string(error, "kind", failure_name(refusal->kind));
    json_set_string(error, "message", refusal->message);
    json_set_string(error, "hint", refusal->hint);
    json_set_take(body, "error", error);
    AUTO_TEXT struct text text = {0};
    json_write(body, JSON_COMPACT, &text);
    text_add_char(&text, '\n');
    hook_reply_json(exchange, refusal->answer,
                    refusal->header.name == NULL ? NULL : &refusal->header, &text);
}
