/* WWW-Authenticate: the challenges that a server offers (RFC 9110 section 11). Pure; bytes are
 * hostile. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stddef.h>

#include "regwarden/error.h"

enum { CHALLENGE_HEADER_MAX = 8192, CHALLENGES_MAX = 8, CHALLENGE_PARAMETERS_MAX = 16 };

struct challenge { /* fields are NULL when absent */
    char *scheme;  /* lower case */
    char *realm;
    char *service;
    char *scope;
    char *error;
};

struct challenges {
    struct challenge items[CHALLENGES_MAX];
    size_t count;
};

/* Adds what one header line offers. A line that breaks the grammar, or names a parameter twice, is
 * FAILURE_INPUT and adds nothing: half-read credentials questions are not answered. */
int challenges_parse(struct challenges *challenges, const char *header, struct error *err);
const struct challenge *challenges_find(const struct challenges *challenges, const char *scheme);
void challenges_release(struct challenges *challenges);

#endif
