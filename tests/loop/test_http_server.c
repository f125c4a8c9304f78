/* The server against raw sockets: what it answers, what it refuses, and how long it waits. */
#include "http_test.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_plain(struct world *world, const struct http_server_options *options)
{
    world_open(world, options);
    world_listen(world, "127.0.0.1:0");
}

static const struct http_server_options no_options = {0};

struct answered {
    const char *request;
    const char *status;
    const char *seen; /* "<METHOD target|body>" */
};

static const struct answered answered[] = {
    {"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "200", "<GET /a?b=c|>"},
    {"GET / HTTP/1.1\r\nhost: x:80\r\nX-Empty:\r\nX-Tab:\ta\t\r\n\r\n", "200", "<GET /|>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "200", "<POST /p|hello>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nhel\r\n002\r\nlo\r\n0\r\n\r\n",
     "200", "<POST /p|hello>"},
    {"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     "A\r\n0123456789\r\n0\r\nX-Trailer: dropped\r\nContent-Length: 9\r\n\r\n",
     "200", "<POST /p|0123456789>"},
    {"GET / HTTP/1.0\r\n\r\n", "200", "<GET /|>"},
    {"DELETE /x HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", "200", "<DELETE /x|>"},
    {"PROPFIND /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "200", "<PROPFIND /x|>"},
};

static void answers_requests(void **state)
{
    (void)state;
    struct world world;
    open_plain(&world, &no_options);
    for (size_t i = 0; i < ARRAY_COUNT(answered); i++) {
        struct raw raw;
        raw_open(&raw, &world);
        raw_send(&raw, answered[i].request);
        assert_true(raw_wait_for(&raw, answered[i].seen));
        assert_non_null(strstr(text_data(&raw.got), answered[i].status));
        raw_close(&raw);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
