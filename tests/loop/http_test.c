/* Helpers of the HTTP tests: see http_test.h. */
#include "http_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void on_tick(void *argument)
{
    struct world *world = argument;
    timer_arm(world->tick, 2);
}

static void answer(struct world *world, struct http_exchange *exchange)
{
    if (text_equal(http_exchange_path(exchange), "/large")) {
        AUTO_FREE char *large = memory_new(world->reply_size + 1);
        memset(large, 'x', world->reply_size);
        http_exchange_reply(exchange, 200, NULL, "text/plain", large, world->reply_size);
        return;
    }
    if (text_equal(http_exchange_path(exchange), "/empty")) {
        http_exchange_reply(exchange, world->reply_status, world->reply_headers, NULL, NULL, 0);
        return;
    }
    AUTO_FREE char *text =
        text_new("<%s|%s>", text_data(&world->last_line), text_data(&world->last_body));
    http_exchange_reply(exchange, 200, world->reply_headers, "text/plain", text, strlen(text));
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    struct world *world = argument;
    world->handled++;
    world->last_id = http_exchange_id(exchange);
    size_t size;
    const char *body = http_exchange_body(exchange, &size);
    text_clear(&world->last_line);
    text_format(&world->last_line, "%s %s", http_exchange_method(exchange),
                http_exchange_target(exchange));
    text_clear(&world->last_body);
    text_add_bytes(&world->last_body, body, size);
    if (!text_equal(http_exchange_path(exchange), "/later"))
        answer(world, exchange);
}

void world_open(struct world *world, const struct http_server_options *options)
{
    struct error err = {0};
    *world = (struct world){.reply_status = 204};
    assert_int_equal(loop_new(&world->loop, &err), 0);
    world->tick = timer_new(world->loop, on_tick, world);
    timer_arm(world->tick, 2);
    if (http_server_new(world->loop, options, on_request, world, &world->server, &err) != 0)
        fail_msg("%s", err.text);
}

void world_close(struct world *world)
{
    http_server_free(world->server);
    timer_free(world->tick);
    loop_free(world->loop);
    text_release(&world->last_line);
    text_release(&world->last_body);
}

void world_listen(struct world *world, const char *address)
{
    struct error err = {0};
    if (http_server_listen(world->server, address, &err) != 0)
        fail_msg("%s", err.text);
}

unsigned world_port(const struct world *world)
{
    const char *address = http_server_address(world->server, 0);
    assert_non_null(address);
    return (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
}

bool world_wait(struct world *world, bool (*condition)(void *argument), void *argument)
{
    return loop_run_until(world->loop, condition, argument, PATIENCE_MS);
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

void world_sleep(struct world *world, int64_t ms)
{
    loop_run_until(world->loop, never, NULL, ms);
}

void raw_open(struct raw *raw, struct world *world)
{
    *raw = (struct raw){.world = world};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)world_port(world)),
    };
    int one = 1;
    raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(raw->fd >= 0);
    setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    assert_int_equal(connect(raw->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(raw->fd, F_SETFL, O_NONBLOCK), 0);
}

void raw_send_bytes(struct raw *raw, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(raw->fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            world_sleep(raw->world, 2);
            continue;
        }
        if (sent < 0)
            return; /* the server has closed; the test sees it by raw_wait_closed() */
        at += sent;
        size -= (size_t)sent;
    }
}

void raw_send(struct raw *raw, const char *string)
{
    raw_send_bytes(raw, string, strlen(string));
}

bool raw_poll(struct raw *raw)
{
    char buffer[4096];
    while (!raw->closed) {
        ssize_t size = recv(raw->fd, buffer, sizeof(buffer), 0);
        if (size > 0)
            text_add_bytes(&raw->got, buffer, (size_t)size);
        else if (size == 0 || errno != EAGAIN)
            raw->closed = true;
        else
            break;
    }
    return raw->closed;
}

struct awaited {
    struct raw *raw;
    const char *string;
};

static bool has_string(void *argument)
{
    struct awaited *awaited = argument;
    raw_poll(awaited->raw);
    return strstr(text_data(&awaited->raw->got), awaited->string) != NULL;
}

bool raw_wait_for(struct raw *raw, const char *string)
{
    struct awaited awaited = {raw, string};
    return world_wait(raw->world, has_string, &awaited);
}

static bool is_closed(void *argument)
{
    return raw_poll(argument);
}

bool raw_wait_closed(struct raw *raw)
{
    return world_wait(raw->world, is_closed, raw);
}

void raw_close(struct raw *raw)
{
    close(raw->fd);
    text_release(&raw->got);
}

static bool run_openssl(const char *directory, const char *const *arguments)
{
    char *command[32] = {memory_copy_text("openssl")};
    for (size_t i = 0; arguments[i] != NULL; i++)
        command[i + 1] = memory_copy_text(arguments[i]);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, directory);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, "openssl", &files, NULL, command, environ) == 0)
        waitpid(child, &status, 0);
    posix_spawn_file_actions_destroy(&files);
    for (size_t i = 0; command[i] != NULL; i++)
        free(command[i]);
    return status == 0;
}

#define OPENSSL(...) run_openssl(directory, (const char *const[]){__VA_ARGS__, NULL})
#define EC_KEY "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"

static bool make_all(const char *directory)
{
    return OPENSSL("req", "-x509", EC_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                   "-subj", "/CN=test ca") &&
           OPENSSL("req", "-x509", EC_KEY, "-keyout", "other.key", "-out", "other.pem", "-days",
                   "2", "-subj", "/CN=other ca") &&
           OPENSSL("req", "-x509", EC_KEY, "-keyout", "server.key", "-out", "server.pem", "-days",
                   "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-CA",
                   "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE") &&
           OPENSSL("req", "-x509", EC_KEY, "-keyout", "client.key", "-out", "client.pem", "-days",
                   "2", "-subj", "/O=tests/CN=gate one", "-CA", "ca.pem", "-CAkey", "ca.key",
                   "-addext", "basicConstraints=critical,CA:FALSE");
}

bool certificates_make(struct certificates *ret)
{
    snprintf(ret->directory, sizeof(ret->directory), "/tmp/regwarden-tls-XXXXXX");
    assert_non_null(mkdtemp(ret->directory));
    ret->ca = text_new("%s/ca.pem", ret->directory);
    ret->other_ca = text_new("%s/other.pem", ret->directory);
    ret->server = text_new("%s/server.pem", ret->directory);
    ret->server_key = text_new("%s/server.key", ret->directory);
    ret->client = text_new("%s/client.pem", ret->directory);
    ret->client_key = text_new("%s/client.key", ret->directory);
    return make_all(ret->directory);
}

void certificates_remove(struct certificates *certificates)
{
    static const char *const names[] = {"ca.key",     "ca.pem",     "other.key",  "other.pem",
                                        "server.key", "server.pem", "client.key", "client.pem"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO_FREE char *path = text_new("%s/%s", certificates->directory, names[i]);
        unlink(path);
    }
    rmdir(certificates->directory);
    char *const texts[] = {certificates->ca,     certificates->other_ca,
                           certificates->server, certificates->server_key,
                           certificates->client, certificates->client_key};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        free(texts[i]);
}
