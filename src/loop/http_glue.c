/* libcurl's sockets and its one timer as events of the loop. Only here is libcurl's multi handle
 * driven; each time, the client then looks for transfers that have ended. */
#include "http_client_private.h"

#include <assert.h>

#include <event2/event.h>

#include "loop_private.h"

static void drive(struct http_client *client, curl_socket_t fd, int actions)
{
    int running;
    client->depth++;
    curl_multi_socket_action(client->multi, fd, actions, &running);
    client->depth--;
    http_client_work(client);
}

static void on_socket_ready(evutil_socket_t fd, short what, void *argument)
{
    int actions = 0;
    if (what & EV_READ)
        actions |= CURL_CSELECT_IN;
    if (what & EV_WRITE)
        actions |= CURL_CSELECT_OUT;
    drive(argument, fd, actions);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    drive(argument, CURL_SOCKET_TIMEOUT, 0);
}

static void on_kick(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    http_client_work(argument);
}

/* libcurl says what it waits for on a socket; `known` is the event that we gave it for it. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *known)
{
    (void)easy;
    struct http_client *client = argument;
    struct event *event = known;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short wanted = EV_PERSIST;
        if (what & CURL_POLL_IN)
            wanted |= EV_READ;
        if (what & CURL_POLL_OUT)
            wanted |= EV_WRITE;
        event = event_new(loop_event_base(client->loop), fd, wanted, on_socket_ready, client);
        assert(event != NULL);
        event_add(event, NULL);
    }
    curl_multi_assign(client->multi, fd, event);
    return 0;
}

static int watch_timer(CURLM *multi, long after_ms, void *argument)
{
    (void)multi;
    struct http_client *client = argument;
    if (after_ms < 0) {
        evtimer_del(client->curl_timer);
        return 0;
    }
    struct timeval after = loop_timeval(after_ms);
    evtimer_add(client->curl_timer, &after);
    return 0;
}

int http_glue_open(struct http_client *client, struct error *err)
{
    struct event_base *base = loop_event_base(client->loop);
    client->multi = curl_multi_init();
    client->curl_timer = evtimer_new(base, on_timer, client);
    client->kick = evtimer_new(base, on_kick, client);
    if (client->multi == NULL || client->curl_timer == NULL || client->kick == NULL)
        return error_set(err, FAILURE_SYSTEM, "cannot set up the HTTP client");
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, watch_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)client->options.max_connections);
    return 0;
}

void http_glue_close(struct http_client *client)
{
    if (client->multi != NULL)
        curl_multi_cleanup(client->multi); /* still calls watch_socket */
    if (client->curl_timer != NULL)
        event_free(client->curl_timer);
    if (client->kick != NULL)
        event_free(client->kick);
}
