/* Signatures of AWS requests: version 4, in the Authorization header, of a body that is at hand.
 * Everything is given, the time too. Pure.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "regwarden/text.h"

struct sigv4_request {
    const char *method;
    const char *path;                 /* absolute, bytes as they are meant, without percent signs */
    const struct text_pairs *query;   /* the same; NULL: none */
    const struct text_pairs *headers; /* all of them are signed; "Host" and "X-Amz-Date" must be
                                         there, and "X-Amz-Security-Token" with a session */
    const void *body;
    size_t body_size;
};

struct sigv4_key {
    const char *access_key_id;
    const char *secret_access_key;
    const char *time; /* as in X-Amz-Date */
    const char *region;
    const char *service;
};

enum { SIGV4_TIME_SIZE = 24 };
/* "20150830T123600Z" */
void sigv4_time(int64_t wall_ms, char ret[static SIGV4_TIME_SIZE]);

/* The canonical request. */
void sigv4_canonical(const struct sigv4_request *request, struct text *to);
/* The value of the header Authorization. Returns new. */
char *sigv4_authorization(const struct sigv4_request *request, const struct sigv4_key *key);

#endif
