/* A Python program as the other side of a test: started with pipes, asked one line of JSON at a
 * time, ended with the test. */
#ifndef TEST_ACTION_STUB_H
#define TEST_ACTION_STUB_H

#include <stdio.h>
#include <sys/types.h>

#include "regwarden/json.h"

struct stub {
    pid_t pid;
    FILE *to, *from;
    int port;
};
/* `script` is a file of tests/action. Fails the test when it does not start. */
void stub_start(struct stub *stub, const char *script);
void stub_stop(struct stub *stub);
/* Sends the command, which is JSON with ' in place of ", and waits for the answer. Returns new. */
struct json *stub_ask(struct stub *stub, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void stub_tell(struct stub *stub, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
