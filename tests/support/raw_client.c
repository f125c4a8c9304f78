/* See raw_client.h. */
#include "raw_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    assert(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static int connect_tcp(const char *host_port)
{
    const char *colon = strrchr(host_port, ':');
    uint64_t port = 0;
    assert(colon != NULL && text_parse_uint(colon + 1, 65535, &port, NULL) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    assert(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void tick(void *argument)
{
    timer_arm(((struct raw_client *)argument)->tick, 1);
}

void raw_client_open(struct raw_client *client, struct loop *loop, const char *address,
                     const struct text *request)
{
    bool local = text_starts_with(address, "unix:");
    *client = (struct raw_client){.bytes = request->data, .size = request->length};
    client->fd = local ? connect_unix(address + strlen("unix:")) : connect_tcp(address);
    client->tick = timer_new(loop, tick, client);
    tick(client);
}

static void send_some(struct raw_client *client)
{
    ssize_t n = send(client->fd, client->bytes, client->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        n = (ssize_t)client->size; /* refused early: the answer is still to be read */
    if (n > 0) {
        client->bytes += n;
        client->size -= (size_t)n;
    }
}

bool raw_client_step(void *argument)
{
    struct raw_client *client = argument;
    char buffer[4096];
    if (client->size > 0)
        send_some(client);
    ssize_t n = 0;
    while ((n = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
        text_add_bytes(&client->answer, buffer, (size_t)n);
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        client->done = true;
    return client->done;
}

void raw_client_close(struct raw_client *client)
{
    timer_free(client->tick);
    close(client->fd);
    text_release(&client->answer);
}

static int status_of(const struct text *answer)
{
    const char *data = text_data(answer);
    if (!text_starts_with(data, "HTTP/1.1 ") || answer->length < 12)
        return 0;
    return (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
}

int raw_exchange(struct loop *loop, const char *address, const struct text *request,
                 struct text *ret_answer)
{
    struct raw_client client;
    raw_client_open(&client, loop, address, request);
    bool whole = loop_run_until(loop, raw_client_step, &client, 10000);
    int status = whole ? status_of(&client.answer) : -1;
    text_add_bytes(ret_answer, text_data(&client.answer), client.answer.length);
    raw_client_close(&client);
    return status;
}

const char *raw_body(const struct text *answer)
{
    const char *end = strstr(text_data(answer), "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}
