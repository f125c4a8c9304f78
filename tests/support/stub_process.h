/* A registry as a child process of a test: the one that misbehaves (stub_registry.py), or a real
 * one (real_registry.py). */
#ifndef TEST_STUB_PROCESS_H
#define TEST_STUB_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "regwarden/text.h"

struct stub {
    pid_t pid;
    int input; /* closing it ends the stub */
    char *url; /* "http://127.0.0.1:PORT" */
    char *directory;
    char *record; /* file of requests, one JSON line each */
    struct text_pairs values;
};

/* Starts a scenario and waits until it listens; the test fails when it does not. */
void stub_start(struct stub *stub, const char *scenario);
/* The same with another script that speaks like it. False, with a message, when a program that it
 * needs is not installed. */
bool stub_start_script(struct stub *stub, const char *script, const char *scenario);
void stub_stop(struct stub *stub);

/* What the stub said at its start: "image", "config-size" … The test fails when it said nothing. */
const char *stub_value(const struct stub *stub, const char *name);
/* How many recorded requests hold all of the texts? `b` may be NULL. */
size_t stub_count(const struct stub *stub, const char *a, const char *b);

#endif
