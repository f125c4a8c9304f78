/* A client that sends exactly the bytes it is given over TCP or a unix socket while the loop under
 * test runs in the same thread. One request for each connection: the answer ends where the
 * connection does, so requests should say "Connection: close". */
#ifndef TEST_RAW_CLIENT_H
#define TEST_RAW_CLIENT_H

#include "regwarden/loop.h"
#include "regwarden/text.h"

struct raw_client {
    struct timer *tick; /* wakes the loop, which does not watch our end of the connection */
    int fd;
    const char *bytes; /* still to be sent */
    size_t size;
    struct text answer;
    bool done;
};

/* address as http_server_address gives it: "127.0.0.1:port" or "unix:/path". `request` must stay.
 */
void raw_client_open(struct raw_client *client, struct loop *loop, const char *address,
                     const struct text *request);
/* Sends and receives what goes without waiting. True when the connection has ended. */
bool raw_client_step(void *client);
void raw_client_close(struct raw_client *client);

/* Sends, runs the loop until the answer is whole, and appends it. Returns its status, 0 when the
 * connection ended without an answer, -1 when it did not end in 10 s. */
int raw_exchange(struct loop *loop, const char *address, const struct text *request,
                 struct text *ret_answer);

/* What stands behind the empty line of an answer. */
const char *raw_body(const struct text *answer);

#endif
