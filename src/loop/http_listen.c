/* Listening sockets: TCP, unix, and those that the service manager hands over.
 *
 * When descriptors run out, accept() fails again and again without taking anything from the queue;
 * accepting then pauses for a moment instead of burning the processor. */
#include "http_server_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "loop_private.h"

enum { BACKLOG = 512, PAUSE_MS = 100, DESCRIPTOR_MAX = 1 << 20 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static void set_accepting(struct http_server *server, bool on)
{
    struct http_listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, all)
    {
        if (listener->listener == NULL)
            continue;
        if (on)
            evconnlistener_enable(listener->listener);
        else
            evconnlistener_disable(listener->listener);
    }
}

static void on_pause_over(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    set_accepting(argument, true);
}

static void on_accept_error(struct evconnlistener *evlistener, void *argument)
{
    (void)evlistener;
    struct http_listener *listener = argument;
    struct http_server *server = listener->server;
    server->counters.accept_errors++;
    set_accepting(server, false);
    if (server->accept_pause == NULL)
        server->accept_pause = evtimer_new(loop_event_base(server->loop), on_pause_over, server);
    struct timeval pause = loop_timeval(PAUSE_MS);
    evtimer_add(server->accept_pause, &pause);
}

static void on_accept(struct evconnlistener *evlistener, evutil_socket_t fd,
                      struct sockaddr *address, int size, void *argument)
{
    (void)evlistener;
    (void)size;
    struct http_listener *listener = argument;
    http_connection_accept(
        listener->server,
        &(struct http_accepted){.fd = fd, .is_local = listener->is_local, .address = address});
}

/* Takes *fd. */
static int add_listener(struct http_server *server, int *fd, struct http_listener *made,
                        struct error *err)
{
    struct http_listener *listener = memory_new(sizeof(*listener));
    *listener = *made;
    listener->server = server;
    listener->listener =
        evconnlistener_new(loop_event_base(server->loop), on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, /* backlog= */ 0, *fd);
    if (listener->listener == NULL) {
        free(listener);
        return error_set(err, FAILURE_SYSTEM, "cannot watch the listening socket");
    }
    *fd = -1;
    evconnlistener_set_error_cb(listener->listener, on_accept_error);
    TAILQ_INSERT_TAIL(&server->listeners, listener, all);
    return 0;
}

/* "127.0.0.1:8080", "[::1]:8080" or "unix:/path". Returns new. */
static char *describe(int fd)
{
    union address address = {0};
    socklen_t size = sizeof(address);
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, &address.any, &size) != 0)
        return text_new("fd:%d", fd);
    if (address.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host));
        return text_new("%s:%u", host, ntohs(address.v4.sin_port));
    }
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host));
        return text_new("[%s]:%u", host, ntohs(address.v6.sin6_port));
    }
    return text_new("unix:%.*s", (int)sizeof(address.local.sun_path), address.local.sun_path);
}

static int refuse_address(const char *address, const char *why, struct error *err)
{
    error_set(err, FAILURE_INPUT, "the address \"%s\" %s", address, why);
    error_hint(err, "write 127.0.0.1:8080, [::1]:8080, unix:/path or fd:3");
    return FAILURE_INPUT;
}

/* Splits "host:port" and "[host]:port"; names are not looked up, so that start never waits. */
static int resolve(const char *text, struct addrinfo **ret, struct error *err)
{
    const char *colon = strrchr(text, ':');
    AUTO_FREE char *host = colon == NULL ? NULL : memory_copy_bytes(text, (size_t)(colon - text));
    uint64_t port;
    if (host == NULL || text_parse_uint(colon + 1, UINT16_MAX, &port, NULL) != 0)
        return refuse_address(text, "has no port", err);
    size_t length = strlen(host);
    bool is_bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    if (is_bracketed)
        host[length - 1] = '\0';
    struct addrinfo wanted = {
        .ai_family = is_bracketed ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    if (getaddrinfo(is_bracketed ? host + 1 : host, colon + 1, &wanted, ret) != 0)
        return refuse_address(text, "is not a numeric IP address and port", err);
    return 0;
}

static int listen_tcp(struct http_server *server, const char *text, struct error *err)
{
    struct addrinfo *info;
    if (resolve(text, &info, err) != 0)
        return FAILURE_INPUT;
    AUTO_CLOSE int fd =
        socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, /* protocol= */ 0);
    int one = 1;
    bool is_open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
                   setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
                   bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int number = errno;
    freeaddrinfo(info);
    if (!is_open)
        return error_set_errno(err, FAILURE_SYSTEM, number, "cannot listen on %s", text);
    struct http_listener made = {.address = describe(fd)};
    if (add_listener(server, &fd, &made, err) != 0) {
        free(made.address);
        return FAILURE_SYSTEM;
    }
    return 0;
}

/* A socket file that nobody answers on is a leftover of a crash and is removed. */
static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return 0; /* bind() says it better, if it is not just absent */
    if (!S_ISSOCK(found.st_mode))
        return error_set(err, FAILURE_INPUT, "%s exists and is not a socket", address->sun_path);
    AUTO_CLOSE int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot open a socket");
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno != ECONNREFUSED) {
        error_set(err, FAILURE_SYSTEM, "%s is in use", address->sun_path);
        error_hint(err, "is another regwarden running?");
        return FAILURE_SYSTEM;
    }
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot remove the stale socket %s",
                               address->sun_path);
    return 0;
}

static int listen_unix(struct http_server *server, const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path))
        return error_set(err, FAILURE_INPUT,
                         "the socket path \"%s\" is not absolute or longer than %zu bytes", path,
                         sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int result = remove_stale(&address, err);
    if (result != 0)
        return result;
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct http_listener made = {.is_local = true};
    /* The mode is set before listen(): until then nobody can connect. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0660) != 0 || lstat(path, &made.unix_stat) != 0 || listen(fd, BACKLOG) != 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot listen on unix:%s", path);
    made.address = text_new("unix:%s", path);
    made.unix_path = memory_copy_text(path);
    if (add_listener(server, &fd, &made, err) != 0) {
        free(made.address);
        free(made.unix_path);
        return FAILURE_SYSTEM;
    }
    return 0;
}

static int get_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static int listen_fd(struct http_server *server, const char *number, struct error *err)
{
    uint64_t parsed;
    if (text_parse_uint(number, DESCRIPTOR_MAX, &parsed, NULL) != 0)
        return error_set(err, FAILURE_INPUT, "\"fd:%s\" does not name a descriptor", number);
    int fd = (int)parsed;
    if (get_option(fd, SO_ACCEPTCONN) != 1 || get_option(fd, SO_TYPE) != SOCK_STREAM) {
        error_set(err, FAILURE_INPUT, "descriptor %d is not a listening stream socket", fd);
        error_hint(err, "check the ListenStream= lines of the socket unit");
        return FAILURE_INPUT;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return error_set_errno(err, FAILURE_SYSTEM, errno, "cannot set up descriptor %d", fd);
    struct http_listener made = {.is_local = get_option(fd, SO_DOMAIN) == AF_UNIX};
    if (!made.is_local) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    made.address = describe(fd);
    if (add_listener(server, &fd, &made, err) != 0) {
        free(made.address);
        return FAILURE_SYSTEM;
    }
    return 0;
}

static const struct address_kind {
    const char *prefix;
    int (*listen)(struct http_server *server, const char *rest, struct error *err);
} address_kinds[] = {
    {.prefix = "unix:", .listen = listen_unix},
    {.prefix = "fd:", .listen = listen_fd},
    {.prefix = "", .listen = listen_tcp},
};

int http_server_listen(struct http_server *server, const char *address, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(address_kinds); i++) {
        const struct address_kind *kind = &address_kinds[i];
        if (text_starts_with(address, kind->prefix))
            return kind->listen(server, address + strlen(kind->prefix), err);
    }
    return FAILURE_INPUT; /* not reached: the last prefix is empty */
}

const char *http_server_address(const struct http_server *server, size_t index)
{
    const struct http_listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, all)
    {
        if (index-- == 0)
            return listener->address;
    }
    return NULL;
}

/* Another process may have put its own socket at our path meanwhile. */
static void remove_own_path(struct http_listener *listener)
{
    struct stat now;
    if (listener->unix_path != NULL && lstat(listener->unix_path, &now) == 0 &&
        now.st_dev == listener->unix_stat.st_dev && now.st_ino == listener->unix_stat.st_ino)
        unlink(listener->unix_path);
}

void http_listeners_stop(struct http_server *server)
{
    struct http_listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, all)
    {
        if (listener->listener == NULL)
            continue;
        remove_own_path(listener);
        evconnlistener_free(listener->listener);
        listener->listener = NULL;
    }
}

void http_listeners_free(struct http_server *server)
{
    http_listeners_stop(server);
    struct http_listener *listener;
    while ((listener = TAILQ_FIRST(&server->listeners)) != NULL) {
        TAILQ_REMOVE(&server->listeners, listener, all);
        free(listener->address);
        free(listener->unix_path);
        free(listener);
    }
    if (server->accept_pause != NULL)
        event_free(server->accept_pause);
}
