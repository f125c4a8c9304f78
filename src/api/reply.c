/* Answers: JSON and text with the headers that all of them bear, and those that come later. */
#include "call.h"

static const struct http_reply_header common_headers[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {NULL, NULL},
};

/* HTTP's words for what the caller can do about it. */
int api_status_of(enum failure kind)
{
    switch (kind) {
    case FAILURE_INPUT:
        return 400;
    case FAILURE_ABSENT:
        return 404;
    case FAILURE_DENIED:
        return 403;
    case FAILURE_LATER:
        return 503;
    case FAILURE_LIMIT:
        return 413;
    case FAILURE_UNCERTAIN:
        return 502;
    case FAILURE_NONE:
    case FAILURE_SYSTEM:
        return 500;
    }
    return 500;
}

struct json *api_error_body(const struct error *error)
{
    struct json *body = json_new_object();
    struct json *inner = json_new_object();
    json_set_string(inner, "kind", failure_name(error->kind));
    json_set_string(inner, "message", error->text);
    json_set_string(inner, "hint", error->hint[0] == '\0' ? NULL : error->hint);
    json_set_take(body, "error", inner);
    return body;
}

void reply_text(struct http_exchange *exchange, const struct reply_text *reply)
{
    http_exchange_reply(exchange, reply->status, common_headers, reply->media_type,
                        text_data(reply->text), reply->text->length);
}

void reply_json(struct http_exchange *exchange, int status, const struct json *body)
{
    AUTO_TEXT struct text text = {0};
    json_write(body, JSON_COMPACT, &text);
    text_add_char(&text, '\n');
    reply_text(exchange, &(struct reply_text){status, "application/json", &text});
}

void reply_refusal(struct http_exchange *exchange, int status, struct http_reply_header header,
                   const struct error *error)
{
    const struct http_reply_header headers[] = {header, common_headers[0], common_headers[1], {0}};
    AUTO_JSON struct json *body = api_error_body(error);
    AUTO_TEXT struct text text = {0};
    json_write(body, JSON_COMPACT, &text);
    text_add_char(&text, '\n');
    http_exchange_reply(exchange, status, headers, "application/json", text.data, text.length);
}

void reply_error(struct http_exchange *exchange, const struct error *error)
{
    AUTO_JSON struct json *body = api_error_body(error);
    reply_json(exchange, api_status_of(error->kind), body);
}

/* --- later --- */

struct pending *pending_new(const struct call *call)
{
    struct api *api = call->api;
    struct pending *pending = memory_new(sizeof(*pending));
    pending->api = api;
    pending->exchange = http_exchange_id(call->exchange);
    pending->status = call->route->status;
    pending->link = &api->pendings;
    pending->next = api->pendings;
    if (pending->next != NULL)
        pending->next->link = &pending->next;
    api->pendings = pending;
    return pending;
}

static void pending_free(struct pending *pending)
{
    if (pending->api != NULL) {
        *pending->link = pending->next;
        if (pending->next != NULL)
            pending->next->link = pending->link;
    }
    json_release(pending->body);
    free(pending);
}

static struct http_exchange *pending_exchange(const struct pending *pending)
{
    if (pending->api == NULL)
        return NULL;
    return http_server_find(pending->api->options.server, pending->exchange);
}

void pending_listed(void *argument, const struct error *error, struct json *json)
{
    struct pending *pending = argument;
    struct http_exchange *exchange = pending_exchange(pending);
    if (exchange != NULL && error != NULL)
        reply_error(exchange, error);
    else if (exchange != NULL)
        pending->list(pending, exchange, json);
    pending_free(pending);
}

void pending_done(void *argument, const struct error *error)
{
    struct pending *pending = argument;
    struct http_exchange *exchange = pending_exchange(pending);
    if (error == NULL && pending->waivers_changed && pending->api != NULL)
        pending->api->options.waivers_changed(pending->api->options.argument);
    if (exchange != NULL && error != NULL)
        reply_error(exchange, error);
    else if (exchange != NULL)
        reply_json(exchange, pending->status, pending->body);
    pending_free(pending);
}

void pendings_forget(struct api *api)
{
    for (struct pending *pending = api->pendings; pending != NULL; pending = pending->next)
        pending->api = NULL; /* its callback still comes, and frees it */
}
