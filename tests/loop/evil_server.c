/* A server that misbehaves as told: see evil_server.h. */
#include "evil_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* True when readable before the server is stopped. */
static bool wait_readable(struct evil_server *server, int fd)
{
    while (!atomic_load(&server->stopping)) {
        struct pollfd watched = {.fd = fd, .events = POLLIN};
        if (poll(&watched, 1, 10) > 0)
            return true;
    }
    return false;
}

static void read_request(struct evil_server *server, int fd)
{
    char buffer[65536];
    size_t size = 0;
    while (size < sizeof(buffer) - 1 && wait_readable(server, fd)) {
        ssize_t got = read(fd, buffer + size, sizeof(buffer) - 1 - size);
        if (got <= 0)
            return;
        size += (size_t)got;
        buffer[size] = '\0';
        if (strstr(buffer, "\r\n\r\n") != NULL)
            return;
    }
}

static void play(struct evil_server *server, int fd)
{
    for (const struct evil_piece *piece = server->script; piece->bytes != NULL; piece++) {
        size_t times = piece->repeat == 0 ? 1 : piece->repeat;
        for (size_t i = 0; i < times && !atomic_load(&server->stopping); i++) {
            if (send(fd, piece->bytes, strlen(piece->bytes), MSG_NOSIGNAL) < 0)
                return;
            usleep(piece->pause_ms * 1000);
        }
    }
}

static void finish(struct evil_server *server, int fd)
{
    if (server->end == EVIL_RESET) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    while (server->end == EVIL_HANG && wait_readable(server, fd)) {
        char buffer[4096];
        if (read(fd, buffer, sizeof(buffer)) <= 0)
            break;
    }
    close(fd);
}

static void *serve(void *argument)
{
    struct evil_server *server = argument;
    while (wait_readable(server, server->fd)) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&server->accepted, 1);
        if (!server->reads_nothing)
            read_request(server, fd);
        play(server, fd);
        finish(server, fd);
    }
    return NULL;
}

void evil_start(struct evil_server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof(address);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(server->fd, (struct sockaddr *)&address, size) != 0 ||
                 listen(server->fd, 16) != 0 ||
                 getsockname(server->fd, (struct sockaddr *)&address, &size) != 0 ||
                 pthread_create(&server->thread, NULL, serve, server) != 0;
    assert(!failed);
    server->port = ntohs(address.sin_port);
}

void evil_stop(struct evil_server *server)
{
    atomic_store(&server->stopping, true);
    pthread_join(server->thread, NULL);
    close(server->fd);
}
