/* One connection: which phase it is in, how long it may stay there, and one request after the
 * other through reader, handler and answer.
 *
 * Answers of pipelined requests are collected and sent together. While an answer is still on its
 * way to a slow reader no further request is taken from that peer. */
#include "http_server_private.h"

#include <arpa/inet.h>
#include <assert.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "loop_private.h"

enum {
    BATCH_BYTES = 64 * 1024, /* of collected answers before they are sent */
    LINGER_MS = 2000,
    SLOWEST_BYTES_PER_MS = 16, /* a peer that reads its answer more slowly is cut off */
};

enum round { ROUND_AGAIN, ROUND_WAIT, ROUND_ENDED };

static int64_t phase_duration_ms(const struct http_connection *connection)
{
    const struct http_server_options *options = &connection->server->options;
    switch (connection->phase) {
    case PHASE_HANDSHAKE:
    case PHASE_READING:
        return options->request_timeout_ms;
    case PHASE_IDLE:
        return options->idle_timeout_ms;
    case PHASE_WRITING:
    case PHASE_CLOSING:
        return options->idle_timeout_ms +
               (int64_t)http_output_pending(connection) / SLOWEST_BYTES_PER_MS;
    case PHASE_LINGERING:
        return LINGER_MS;
    case PHASE_HANDLING:
        break; /* the handler's own time */
    }
    return -1;
}

static void arm_timer(struct http_connection *connection)
{
    if (connection->timed_serial == connection->phase_serial)
        return;
    connection->timed_serial = connection->phase_serial;
    int64_t duration_ms = phase_duration_ms(connection);
    if (duration_ms < 0) {
        evtimer_del(connection->timer);
        return;
    }
    struct timeval after = loop_timeval(duration_ms);
    evtimer_add(connection->timer, &after);
}

static bool is_spare(const struct http_connection *connection)
{
    return connection->phase == PHASE_IDLE || connection->phase == PHASE_LINGERING;
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
    struct http_server *server = connection->server;
    if (is_spare(connection))
        TAILQ_REMOVE(&server->spare, connection, spare);
    connection->phase = phase;
    connection->phase_serial++;
    if (phase == PHASE_IDLE)
        TAILQ_INSERT_TAIL(&server->spare, connection, spare);
    else if (phase == PHASE_LINGERING)
        TAILQ_INSERT_HEAD(&server->spare, connection, spare);
    if (!connection->is_running) /* a round that passes many phases arms once, at its end */
        arm_timer(connection);
}

static void forget_exchange(struct http_connection *connection)
{
    id_table_remove(&connection->server->exchanges, connection->exchange.id);
    connection->exchange.id = 0;
}

/* False when the bodies of all connections together are too large. */
static bool count_body(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    size_t now = connection->reader.body.capacity;
    server->body_bytes += now - connection->counted_body;
    bool has_grown = now > connection->counted_body;
    connection->counted_body = now;
    return !has_grown || server->body_bytes <= server->options.max_total_body_bytes;
}

void http_connection_free(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    assert(!connection->is_running);
    forget_exchange(connection);
    if (is_spare(connection))
        TAILQ_REMOVE(&server->spare, connection, spare);
    TAILQ_REMOVE(&server->connections, connection, all);
    server->connection_count--;
    server->body_bytes -= connection->counted_body;
    server->output_bytes -= connection->counted_output;
    http_reader_release(&connection->reader);
    text_release(&connection->out);
    event_free(connection->timer);
    bufferevent_free(connection->bev);
    free(connection->subject);
    free(connection);
}

/* An answer of the server itself; nothing more is read. */
static void refuse(struct http_connection *connection, int status, const char *reason)
{
    AUTO_FREE char *body = text_new("%s\n", reason);
    struct http_reply reply = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .body = body,
        .size = strlen(body),
    };
    http_reply_head(&reply, &connection->out);
    text_add(&connection->out, body);
    http_connection_enter(connection, PHASE_CLOSING);
}

static void count_refusal(struct http_server *server, int status)
{
    if (status == 413 || status == 431)
        server->counters.refused_size++;
    else
        server->counters.refused_framing++;
}

static void send_continue(struct http_connection *connection)
{
    const struct http_reader *reader = &connection->reader;
    if (reader->state == READER_HEAD || !reader->request.expects_continue ||
        connection->sent_continue || reader->body.length > 0)
        return;
    connection->sent_continue = true;
    text_add(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void handle(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    server->counters.requests++;
    http_connection_enter(connection, PHASE_HANDLING);
    connection->exchange.id = id_table_add(&server->exchanges, &connection->exchange);
    server->handling++;
    server->handler(server->argument, &connection->exchange);
    server->handling--;
    if (connection->phase == PHASE_WRITING && connection->out.length < BATCH_BYTES &&
        http_output_pending(connection) == 0)
        http_connection_enter(connection, PHASE_IDLE);
}

/* Reads one piece of input. True when the next may be tried. */
static bool step(struct http_connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->bev);
    struct http_reader *reader = &connection->reader;
    size_t size = evbuffer_get_contiguous_space(input);
    if (size == 0 || (connection->phase != PHASE_IDLE && connection->phase != PHASE_READING))
        return false;
    if (connection->phase == PHASE_IDLE)
        http_connection_enter(connection, PHASE_READING);
    const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)size);
    evbuffer_drain(input, http_reader_feed(reader, bytes, size));

    if (!count_body(connection)) {
        connection->server->counters.over_memory++;
        refuse(connection, 503, "too many requests are being read");
    } else if (reader->state == READER_REFUSED) {
        count_refusal(connection->server, reader->refusal_status);
        refuse(connection, reader->refusal_status, reader->refusal);
    } else if (reader->state == READER_DONE) {
        handle(connection);
    } else {
        send_continue(connection);
    }
    return true;
}

/* Sends what the round has collected and says how it goes on. */
static enum round finish_round(struct http_connection *connection)
{
    if (connection->phase == PHASE_CLOSING) {
        connection->is_running = false;
        http_output_close(connection);
        return ROUND_ENDED;
    }
    http_output_flush(connection);
    bool is_pending = http_output_pending(connection) > 0;
    if (connection->phase == PHASE_IDLE && is_pending)
        http_connection_enter(connection, PHASE_WRITING);
    if (connection->phase == PHASE_WRITING && !is_pending)
        http_connection_enter(connection, PHASE_IDLE);
    if (connection->phase != PHASE_IDLE)
        return ROUND_WAIT;
    if (evbuffer_get_length(bufferevent_get_input(connection->bev)) > 0)
        return ROUND_AGAIN;
    if (connection->server->is_draining) {
        connection->is_running = false;
        http_output_close(connection);
        return ROUND_ENDED;
    }
    return ROUND_WAIT;
}

static void run(struct http_connection *connection)
{
    enum round round;
    connection->is_running = true;
    do {
        while (step(connection))
            continue;
        round = finish_round(connection);
    } while (round == ROUND_AGAIN);
    if (round == ROUND_ENDED)
        return;
    connection->is_running = false;
    arm_timer(connection);
}

void http_connection_answered(struct http_connection *connection, bool keep_alive)
{
    forget_exchange(connection);
    http_reader_next(&connection->reader);
    count_body(connection);
    connection->sent_continue = false;
    bool is_late = !connection->is_running;
    connection->is_running = true;
    http_connection_enter(connection, keep_alive ? PHASE_WRITING : PHASE_CLOSING);
    if (!is_late)
        return;
    /* The next pipelined request is handled from the loop, not from here. */
    enum round round = finish_round(connection);
    if (round == ROUND_ENDED)
        return;
    connection->is_running = false;
    arm_timer(connection);
    if (round == ROUND_AGAIN)
        bufferevent_trigger(connection->bev, EV_READ,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void on_readable(struct bufferevent *bev, void *argument)
{
    struct http_connection *connection = argument;
    if (connection->phase == PHASE_LINGERING) {
        struct evbuffer *input = bufferevent_get_input(bev);
        evbuffer_drain(input, evbuffer_get_length(input));
        return;
    }
    run(connection);
}

static void on_drained(struct bufferevent *bev, void *argument)
{
    (void)bev;
    struct http_connection *connection = argument;
    http_output_count(connection);
    if (connection->phase == PHASE_CLOSING)
        http_output_close(connection);
    else if (connection->phase == PHASE_WRITING)
        run(connection);
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
    (void)bev;
    struct http_connection *connection = argument;
    if (what & BEV_EVENT_CONNECTED) {
        connection->subject = http_tls_subject(connection->ssl);
        http_connection_enter(connection, PHASE_IDLE);
        return;
    }
    bool may_still_read = connection->phase == PHASE_WRITING || connection->phase == PHASE_CLOSING;
    if ((what & BEV_EVENT_EOF) && may_still_read) {
        connection->is_gone = true; /* or has only ended its own side: it gets the answer */
        http_connection_enter(connection, PHASE_CLOSING);
        return;
    }
    http_connection_free(connection);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct http_connection *connection = argument;
    if (connection->phase != PHASE_READING) {
        http_connection_free(connection);
        return;
    }
    connection->server->counters.timed_out++;
    refuse(connection, 408, "the request took too long");
    http_output_close(connection);
}

static void set_peer(struct http_connection *connection, const struct sockaddr *address)
{
    const void *raw = NULL;
    snprintf(connection->peer, sizeof(connection->peer), "%s",
             connection->is_local ? "unix" : "unknown");
    if (address->sa_family == AF_INET)
        raw = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address->sa_family == AF_INET6)
        raw = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (raw == NULL)
        return;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(address->sa_family, raw, text, sizeof(text));
    /* An IPv4 peer of a listener for both families is shown as what it is. */
    bool is_mapped = text_starts_with(text, "::ffff:") && strchr(text, '.') != NULL;
    snprintf(connection->peer, sizeof(connection->peer), "%s", is_mapped ? text + 7 : text);
}

static struct bufferevent *open_bufferevent(struct http_connection *connection, int fd)
{
    struct http_server *server = connection->server;
    struct event_base *base = loop_event_base(server->loop);
    if (server->tls == NULL || connection->is_local)
        return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    SSL *ssl = SSL_new(server->tls);
    if (ssl == NULL)
        return NULL;
    struct bufferevent *bev = bufferevent_openssl_socket_new(
        base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    connection->ssl = ssl;
    return bev;
}

/* At the cap a lingering connection, or else the one that has been idle longest, makes room. False
 * when all are at work. */
static bool make_room(struct http_server *server)
{
    if (server->connection_count < server->options.max_connections)
        return true;
    struct http_connection *spare = TAILQ_FIRST(&server->spare);
    if (spare == NULL)
        return false;
    http_connection_free(spare);
    return true;
}

static void turn_away(struct http_server *server, const struct http_accepted *accepted)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                 "Content-Length: 0\r\nConnection: close\r\n\r\n";
    server->counters.over_cap++;
    if (server->tls == NULL || accepted->is_local) {
        ssize_t sent = send(accepted->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
        (void)sent; /* a courtesy: the close says the same */
    }
    close(accepted->fd);
}

void http_connection_accept(struct http_server *server, const struct http_accepted *accepted)
{
    server->counters.connections++;
    if (!make_room(server)) {
        turn_away(server, accepted);
        return;
    }
    struct http_connection *connection = memory_new(sizeof(*connection));
    connection->server = server;
    connection->is_local = accepted->is_local;
    connection->bev = open_bufferevent(connection, accepted->fd);
    connection->timer = evtimer_new(loop_event_base(server->loop), on_timer, connection);
    assert(connection->timer != NULL);
    if (connection->bev == NULL) {
        event_free(connection->timer);
        free(connection);
        turn_away(server, accepted);
        return;
    }
    const struct http_server_options *options = &server->options;
    http_reader_init(&connection->reader, (struct http_limits){
                                              .head_bytes = options->max_header_bytes,
                                              .body_bytes = options->max_body_bytes,
                                          });
    connection->exchange.connection = connection;
    set_peer(connection, accepted->address);
    TAILQ_INSERT_TAIL(&server->connections, connection, all);
    server->connection_count++;
    connection->phase = PHASE_HANDSHAKE;
    http_connection_enter(connection, connection->ssl == NULL ? PHASE_IDLE : PHASE_HANDSHAKE);
    bufferevent_setcb(connection->bev, on_readable, on_drained, on_event, connection);
    /* What a peer may send ahead while an earlier request is being handled. */
    bufferevent_setwatermark(connection->bev, EV_READ, 0, options->max_header_bytes);
    bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
}
