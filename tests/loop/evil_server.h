/* A server that answers every connection with exactly the bytes of a script, from a thread of its
 * own. */
#ifndef EVIL_SERVER_H
#define EVIL_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum evil_end { EVIL_CLOSE, EVIL_RESET, EVIL_HANG };

struct evil_piece {
    const char *bytes; /* NULL ends the script */
    size_t repeat;     /* 0: once */
    unsigned pause_ms; /* after each */
};

struct evil_server {
    /* Set by the test. */
    const struct evil_piece *script;
    enum evil_end end;
    bool reads_nothing; /* answers without waiting for a request */
    /* Set by the server. */
    unsigned port;
    atomic_uint accepted;
    atomic_bool stopping;
    int fd;
    pthread_t thread;
};

void evil_start(struct evil_server *server);
void evil_stop(struct evil_server *server);

#endif
