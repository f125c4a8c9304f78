/* A server that answers 204 to everything, for a load generator: bench_http_server 127.0.0.1:8080
 */
#include <signal.h>
#include <stdio.h>

#include "regwarden/http_server.h"
#include "regwarden/loop.h"

static void on_request(void *argument, struct http_exchange *exchange)
{
    (void)argument;
    http_exchange_reply(exchange, 204, NULL, NULL, NULL, 0);
}

static void stop(void *argument)
{
    loop_stop(argument);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct loop *loop;
    struct http_server *server;
    struct http_server_options options = {0};
    if (argc != 2 || loop_new(&loop, &err) != 0 ||
        http_server_new(loop, &options, on_request, NULL, &server, &err) != 0 ||
        http_server_listen(server, argv[1], &err) != 0) {
        fprintf(stderr, "usage: %s ADDRESS: %s\n", argv[0], err.text);
        return 2;
    }
    loop_on_signal(loop, SIGINT, stop, loop);
    loop_on_signal(loop, SIGTERM, stop, loop);
    loop_run(loop);
    struct http_server_counters counters;
    http_server_counters(server, &counters);
    printf("%llu requests on %llu connections\n", (unsigned long long)counters.requests,
           (unsigned long long)counters.connections);
    http_server_free(server);
    loop_free(loop);
    return 0;
}
