/* Helpers of the HTTP tests: a loop that ticks, a server that echoes, and raw sockets whose every
 * byte the test chooses. */
#ifndef HTTP_TEST_H
#define HTTP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/http_client.h"
#include "regwarden/http_server.h"
#include "regwarden/loop.h"
#include "regwarden/text.h"

enum { PATIENCE_MS = 10000 };

struct world {
    struct loop *loop;
    struct timer *tick; /* lets conditions be looked at every few milliseconds */
    struct http_server *server;
    /* What the handler saw last; the request "/later" is not answered. */
    unsigned handled;
    uint64_t last_id;
    struct text last_line; /* "METHOD target" */
    struct text last_body;
    size_t reply_size; /* of the answer to "/large" */
    const struct http_reply_header *reply_headers;
    int reply_status;
};

void world_open(struct world *world, const struct http_server_options *options);
void world_close(struct world *world);
void world_listen(struct world *world, const char *address);
/* Port of the first listener. */
unsigned world_port(const struct world *world);
bool world_wait(struct world *world, bool (*condition)(void *argument), void *argument);
void world_sleep(struct world *world, int64_t ms);

struct raw {
    struct world *world;
    int fd;
    bool closed; /* the server has closed, or reset, the connection */
    struct text got;
};
void raw_open(struct raw *raw, struct world *world);
void raw_send(struct raw *raw, const char *string);
void raw_send_bytes(struct raw *raw, const void *bytes, size_t size);
/* Waits until `string` has arrived. */
bool raw_wait_for(struct raw *raw, const char *string);
bool raw_wait_closed(struct raw *raw);
bool raw_poll(struct raw *raw); /* reads what is there; true when closed */
void raw_close(struct raw *raw);

/* A certificate authority and what it signed, made by openssl(1) in a fresh directory. */
struct certificates {
    char directory[64];
    char *ca;
    char *other_ca;
    char *server;
    char *server_key;
    char *client;
    char *client_key;
};
bool certificates_make(struct certificates *ret); /* false: there is no openssl(1) */
void certificates_remove(struct certificates *certificates);

#endif
