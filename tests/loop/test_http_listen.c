/* Addresses that the server listens on. */
#include "http_test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct world world;
static char directory[32];
static char *path;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){0});
    snprintf(directory, sizeof(directory), "/tmp/regwarden-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    path = text_new("%s/socket", directory);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    unlink(path);
    rmdir(directory);
    free(path);
    return 0;
}

static void malformed_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "",
        "8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "localhost:80",
        ":8080",
        "::1:8080",
        "[::1]",
        "[::1]:x",
        "[127.0.0.1]:80",
        "[]:80",
        "unix:",
        "unix:a",
        "unix:@a",
        "fd:",
        "fd:x",
        "fd:-1",
        "fd:999999",
        "fd:1000000",
        "127.0.0.1:+1",
        "127.0.0.1:80 ",
        " 127.0.0.1:80",
    };
    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        struct error err = {0};
        if (http_server_listen(world.server, addresses[i], &err) != FAILURE_INPUT)
            fail_msg("\"%s\" was not refused", addresses[i]);
        assert_string_not_equal(err.text, "");
    }
    AUTO_TEXT struct text longest = {0};
    text_format(&longest, "unix:/%0200d", 0);
    assert_int_equal(http_server_listen(world.server, longest.data, NULL), FAILURE_INPUT);
    assert_null(http_server_address(world.server, 0));
}

static void addresses_carry_the_real_port(void **state)
{
    (void)state;
    world_listen(&world, "127.0.0.1:0");
    AUTO_FREE char *address = text_new("unix:%s", path);
    world_listen(&world, address);
    assert_true(world_port(&world) > 0);
    assert_string_equal(http_server_address(world.server, 1), address);
    assert_null(http_server_address(world.server, 2));

    struct error err = {0}; /* taken */
    assert_int_equal(http_server_listen(world.server, http_server_address(world.server, 0), &err),
                     FAILURE_SYSTEM);
    assert_non_null(strstr(err.text, "Address already in use"));
}

static void ipv6_is_served(void **state)
{
    (void)state;
    struct error err = {0};
    if (http_server_listen(world.server, "[::1]:0", &err) != 0)
        skip(); /* no IPv6 on this machine */
    const char *address = http_server_address(world.server, 0);
    assert_true(text_starts_with(address, "[::1]:"));
    assert_true(strtoul(address + 6, NULL, 10) > 0);
}

struct outcome {
    int status;
    struct text body;
};

static void on_done(void *argument, const struct http_response *response)
{
    struct outcome *outcome = argument;
    outcome->status = response->status == 0 ? -1 : response->status;
    text_add(&outcome->body, response->body);
}

static bool has_status(void *argument)
{
    return ((struct outcome *)argument)->status != 0;
}

static void expect_served(const char *socket_path)
{
    struct http_client *client;
    struct http_client_options options = {.unix_socket = socket_path};
    struct outcome outcome = {0};
    assert_int_equal(http_client_new(world.loop, &options, &client, NULL), 0);
    http_client_send(client, &(struct http_request){.method = "GET", .url = "http://local/u"},
                     on_done, &outcome);
    assert_true(world_wait(&world, has_status, &outcome));
    assert_int_equal(outcome.status, 200);
    assert_string_equal(text_data(&outcome.body), "<GET /u|>");
    text_release(&outcome.body);
    http_client_free(client);
}

static void unix_sockets_are_served(void **state)
{
    (void)state;
    AUTO_FREE char *address = text_new("unix:%s", path);
    world_listen(&world, address);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0660);
    expect_served(path);
    http_server_free(world.server);
    world.server = NULL;
    assert_int_equal(stat(path, &found), -1); /* removed at the end */
}

static int bind_socket(bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void stale_sockets_are_replaced(void **state)
{
    (void)state;
    close(bind_socket(true)); /* the file stays */
    AUTO_FREE char *address = text_new("unix:%s", path);
    world_listen(&world, address);
    expect_served(path);
}

static void live_sockets_are_left_alone(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = bind_socket(true);
    assert_true(fd >= 0);
    AUTO_FREE char *address = text_new("unix:%s", path);
    struct error err = {0};
    assert_int_equal(http_server_listen(world.server, address, &err), FAILURE_SYSTEM);
    assert_non_null(strstr(err.text, "in use"));
    assert_int_equal(access(path, F_OK), 0);
}

static void files_are_not_taken_for_sockets(void **state)
{
    (void)state;
    AUTO_CLOSE int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    AUTO_FREE char *address = text_new("unix:%s", path);
    assert_int_equal(http_server_listen(world.server, address, NULL), FAILURE_INPUT);
    assert_int_equal(access(path, F_OK), 0);
    AUTO_FREE char *nowhere = text_new("unix:%s/none/socket", directory);
    assert_int_equal(http_server_listen(world.server, nowhere, NULL), FAILURE_SYSTEM);
}

static void another_process_socket_is_not_removed(void **state)
{
    (void)state;
    AUTO_FREE char *address = text_new("unix:%s", path);
    world_listen(&world, address);
    unlink(path);
    AUTO_CLOSE int fd = bind_socket(true);
    assert_true(fd >= 0);
    http_server_free(world.server);
    world.server = NULL;
    assert_int_equal(access(path, F_OK), 0);
}

static void handed_over_sockets_are_served(void **state)
{
    (void)state;
    int fd = bind_socket(true);
    AUTO_FREE char *address = text_new("fd:%d", fd);
    world_listen(&world, address);
    AUTO_FREE char *expected = text_new("unix:%s", path);
    assert_string_equal(http_server_address(world.server, 0), expected);
    expect_served(path);
    http_server_free(world.server);
    world.server = NULL;
    assert_int_equal(access(path, F_OK), 0);  /* it is the service manager's */
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* taken, and closed */
}

static void other_descriptors_are_refused(void **state)
{
    (void)state;
    AUTO_CLOSE int bound = bind_socket(false);
    AUTO_CLOSE int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int fds[] = {bound, file, datagram};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        AUTO_FREE char *address = text_new("fd:%d", fds[i]);
        assert_int_equal(http_server_listen(world.server, address, NULL), FAILURE_INPUT);
        assert_true(fcntl(fds[i], F_GETFD) >= 0);
    }
}

#define LISTEN_TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(malformed_addresses_are_refused),
        LISTEN_TEST(addresses_carry_the_real_port),
        LISTEN_TEST(ipv6_is_served),
        LISTEN_TEST(unix_sockets_are_served),
        LISTEN_TEST(stale_sockets_are_replaced),
        LISTEN_TEST(live_sockets_are_left_alone),
        LISTEN_TEST(files_are_not_taken_for_sockets),
        LISTEN_TEST(another_process_socket_is_not_removed),
        LISTEN_TEST(handed_over_sockets_are_served),
        LISTEN_TEST(other_descriptors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
