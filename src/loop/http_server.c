/* The HTTP server as a whole: options, listeners and counters, start and stop. Reading is in
 * http_parse.c, connections are in http_connection.c. */
#include "http_server_private.h"

#include <assert.h>
#include <sys/resource.h>

enum {
    CONNECTIONS = 512,
    BODY_BYTES = 1024 * 1024,
    TOTAL_BODY_BYTES = 16 * 1024 * 1024,
    HEADER_BYTES = 16 * 1024,
    REQUEST_TIMEOUT_MS = 15 * 1000,
    IDLE_TIMEOUT_MS = 60 * 1000,
    KEPT_DESCRIPTORS = 64, /* for everything that is not a connection */
};

static unsigned allowed_connections(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    rlim_t left = limit.rlim_cur > 2 * (rlim_t)KEPT_DESCRIPTORS ? limit.rlim_cur - KEPT_DESCRIPTORS
                                                                : limit.rlim_cur / 2;
    if (wanted > left)
        wanted = (unsigned)left;
    return wanted > 0 ? wanted : 1;
}

static const char *keep_text(struct http_server *server, const char *text)
{
    if (text == NULL)
        return NULL;
    text_list_add(&server->texts, text);
    return server->texts.items[server->texts.count - 1];
}

static void set_options(struct http_server *server, const struct http_server_options *options)
{
    struct http_server_options *own = &server->options;
    *own = *options;
    own->max_connections =
        allowed_connections(own->max_connections > 0 ? own->max_connections : CONNECTIONS);
    if (own->max_body_bytes == 0)
        own->max_body_bytes = BODY_BYTES;
    if (own->max_total_body_bytes == 0)
        own->max_total_body_bytes = TOTAL_BODY_BYTES;
    if (own->max_header_bytes == 0)
        own->max_header_bytes = HEADER_BYTES;
    if (own->request_timeout_ms == 0)
        own->request_timeout_ms = REQUEST_TIMEOUT_MS;
    if (own->idle_timeout_ms == 0)
        own->idle_timeout_ms = IDLE_TIMEOUT_MS;
    own->tls_certificate_file = keep_text(server, options->tls_certificate_file);
    own->tls_key_file = keep_text(server, options->tls_key_file);
    own->tls_client_ca_file = keep_text(server, options->tls_client_ca_file);
}

int http_server_new(struct loop *loop, const struct http_server_options *options,
                    http_handler_f *handler, void *argument, struct http_server **ret,
                    struct error *err)
{
    struct http_server *server = memory_new(sizeof(*server));
    server->loop = loop;
    server->handler = handler;
    server->argument = argument;
    TAILQ_INIT(&server->listeners);
    TAILQ_INIT(&server->connections);
    TAILQ_INIT(&server->spare);
    set_options(server, options);
    if (options->tls_certificate_file != NULL) {
        int result = http_tls_new(&server->options, &server->tls, err);
        if (result != 0) {
            http_server_free(server);
            return result;
        }
    }
    *ret = server;
    return 0;
}

int http_server_reload_tls(struct http_server *server, struct error *err)
{
    if (server->tls == NULL)
        return 0;
    SSL_CTX *fresh = NULL;
    int result = http_tls_new(&server->options, &fresh, err);
    if (result != 0)
        return result;
    SSL_CTX_free(server->tls); /* connections hold their own reference */
    server->tls = fresh;
    return 0;
}

void http_server_stop_accepting(struct http_server *server)
{
    server->is_draining = true;
    http_listeners_stop(server);
    struct http_connection *connection;
    struct http_connection *next;
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, all);
        if (connection->phase == PHASE_IDLE)
            http_output_close(connection); /* may free it */
    }
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connection_count;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    assert(server->handling == 0);
    http_listeners_free(server);
    struct http_connection *connection;
    while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
        http_connection_free(connection);
    id_table_release(&server->exchanges);
    SSL_CTX_free(server->tls);
    text_list_release(&server->texts);
    free(server);
}

void http_server_counters(const struct http_server *server, struct http_server_counters *ret)
{
    *ret = server->counters;
}
