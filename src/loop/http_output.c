/* Bytes towards the peer, and the end of a connection.
 *
 * On plain sockets the answer is written at once: most answers fit the socket's buffer, and that
 * saves the trip through the event loop. What does not fit goes to the bufferevent.
 *
 * A connection is closed in two steps. A close with unread input makes the kernel send a reset,
 * which can destroy the answer on its way; so our side is shut first, and what still comes is read
 * and dropped for a while. */
#include "http_server_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

enum { KEPT_CAPACITY = 4 * 1024 };

size_t http_output_pending(const struct http_connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->bev));
}

void http_output_write(struct http_connection *connection, const void *bytes, size_t size)
{
    const char *rest = bytes;
    if (connection->ssl == NULL && http_output_pending(connection) == 0) {
        ssize_t sent = send(bufferevent_getfd(connection->bev), rest, size, MSG_NOSIGNAL);
        if (sent > 0) { /* errors come again, and are handled, as events of the bufferevent */
            rest += sent;
            size -= (size_t)sent;
        }
    }
    if (size == 0)
        return;
    bufferevent_write(connection->bev, rest, size);
    http_output_count(connection);
}

bool http_output_allows(const struct http_connection *connection, size_t size)
{
    const struct http_server *server = connection->server;
    uint64_t now = server->output_bytes;
    return now == 0 || now + size <= server->options.max_total_body_bytes;
}

void http_output_count(struct http_connection *connection)
{
    size_t now = http_output_pending(connection);
    connection->server->output_bytes += now - connection->counted_output;
    connection->counted_output = now;
}

void http_output_flush(struct http_connection *connection)
{
    if (connection->out.length == 0)
        return;
    http_output_write(connection, connection->out.data, connection->out.length);
    if (connection->out.capacity > KEPT_CAPACITY)
        text_release(&connection->out);
    else
        text_clear(&connection->out);
}

static void linger(struct http_connection *connection)
{
    if (connection->is_gone) {
        http_connection_free(connection);
        return;
    }
    if (connection->ssl != NULL)
        http_tls_end(connection->ssl);
    shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
    struct evbuffer *input = bufferevent_get_input(connection->bev);
    evbuffer_drain(input, evbuffer_get_length(input));
    http_connection_enter(connection, PHASE_LINGERING);
}

void http_output_close(struct http_connection *connection)
{
    http_output_flush(connection);
    if (http_output_pending(connection) > 0)
        http_connection_enter(connection, PHASE_CLOSING);
    else
        linger(connection);
}
