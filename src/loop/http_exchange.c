/* What a handler sees of a request, and how it answers. */
#include "http_server_private.h"

#include <assert.h>

#include "http_percent.h"

enum { COPIED_BODY_MAX = 32 * 1024 }; /* a larger body does not pass through the answer buffer */

static const struct http_request_head *head_of(const struct http_exchange *exchange)
{
    return &exchange->connection->reader.request;
}

const char *http_exchange_method(const struct http_exchange *exchange)
{
    return head_of(exchange)->method;
}

const char *http_exchange_target(const struct http_exchange *exchange)
{
    return head_of(exchange)->target;
}

const char *http_exchange_path(const struct http_exchange *exchange)
{
    return text_data(&exchange->connection->reader.path);
}

const char *http_exchange_query(const struct http_exchange *exchange)
{
    return head_of(exchange)->query;
}

char *http_exchange_parameter(const struct http_exchange *exchange, const char *name)
{
    const char *at = head_of(exchange)->query;
    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, "&");
        size_t name_length = strcspn(at, "=&");
        AUTO_FREE char *found = http_percent_decode(at, name_length, PERCENT_FORM);
        if (found != NULL && strcmp(found, name) == 0) {
            const char *value = at + name_length + (name_length < length ? 1 : 0);
            return http_percent_decode(value, (size_t)(at + length - value), PERCENT_FORM);
        }
        at += length + (at[length] == '&' ? 1 : 0);
    }
    return NULL;
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
    const struct http_request_head *head = head_of(exchange);
    const char *value = NULL;
    for (size_t i = 0; i < head->field_count; i++) {
        if (!text_equal_nocase(head->fields[i].name, name))
            continue;
        if (value != NULL)
            return NULL;
        value = head->fields[i].value;
    }
    return value;
}

size_t http_exchange_header_count(const struct http_exchange *exchange, const char *name)
{
    const struct http_request_head *head = head_of(exchange);
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (text_equal_nocase(head->fields[i].name, name))
            count++;
    }
    return count;
}

void http_exchange_headers(const struct http_exchange *exchange, struct text_pairs *to)
{
    const struct http_request_head *head = head_of(exchange);
    for (size_t i = 0; i < head->field_count; i++) {
        AUTO_FREE char *name = memory_copy_text(head->fields[i].name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        text_pairs_add(to, name, head->fields[i].value);
    }
}

const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_size)
{
    const struct text *body = &exchange->connection->reader.body;
    *ret_size = body->length;
    return text_data(body);
}

const char *http_exchange_peer(const struct http_exchange *exchange)
{
    return exchange->connection->peer;
}

bool http_exchange_is_local_socket(const struct http_exchange *exchange)
{
    return exchange->connection->is_local;
}

const char *http_exchange_client_subject(const struct http_exchange *exchange)
{
    return exchange->connection->subject;
}

uint64_t http_exchange_id(const struct http_exchange *exchange)
{
    return exchange->id;
}

struct http_exchange *http_server_find(struct http_server *server, uint64_t id)
{
    return id_table_find(&server->exchanges, id);
}

static void replace(struct http_reply *reply, int status, const char *text)
{
    reply->status = status;
    reply->headers = NULL;
    reply->content_type = "text/plain; charset=utf-8";
    reply->body = text;
    reply->size = strlen(text);
}

void http_exchange_reply(struct http_exchange *exchange, int status,
                         const struct http_reply_header *headers, const char *content_type,
                         const void *body, size_t size)
{
    struct http_connection *connection = exchange->connection;
    const struct http_request_head *head = head_of(exchange);
    assert(exchange->id != 0); /* answered once only */
    assert(status >= 200 && status <= 599);
    struct http_reply reply = {
        .status = status,
        .headers = headers,
        .content_type = content_type,
        .body = body,
        .size = size,
        .is_head = text_equal(head->method, "HEAD"),
        .is_http10 = head->is_http10,
        .keep_alive = head->keep_alive && !connection->server->is_draining,
    };
    bool has_body = !reply.is_head && http_reply_has_body(status);
    if (has_body && size > COPIED_BODY_MAX && !http_output_allows(connection, size)) {
        connection->server->counters.over_memory++;
        replace(&reply, 503, "Too many answers are being read.\n");
    }
    if (!http_reply_head(&reply, &connection->out)) {
        replace(&reply, 500, "The answer held a header that may not be sent.\n");
        http_reply_head(&reply, &connection->out);
        has_body = !reply.is_head;
    }
    if (has_body && reply.size > COPIED_BODY_MAX) {
        http_output_flush(connection);
        http_output_write(connection, reply.body, reply.size);
    } else if (has_body) {
        text_add_bytes(&connection->out, reply.body, reply.size);
    }
    http_connection_answered(connection, reply.keep_alive);
}

void http_exchange_reply_text(struct http_exchange *exchange, int status, const char *text)
{
    AUTO_FREE char *body = text_new("%s\n", text);
    http_exchange_reply(exchange, status, NULL, "text/plain; charset=utf-8", body, strlen(body));
}
