/* Requests to the API of a Harbor (v2.0), for setting it up: what the daemon needs of it at work is
 * behind registry.h. Loop thread. */
#ifndef REGWARDEN_HARBOR_H
#define REGWARDEN_HARBOR_H

#include <stdint.h>

#include "regwarden/json.h"

struct registry;

struct harbor_call {
    const char *method;      /* a literal; all but GET are sent once only */
    const char *path;        /* below /api/v2.0, with its query; parts are encoded by the caller */
    const struct json *body; /* NULL: none */
};
struct harbor_reply { /* borrowed until the callback returns */
    const struct error
        *error; /* NULL on success. FAILURE_ABSENT, FAILURE_DENIED, … by the status */
    int status; /* 0: no answer came */
    const struct json *body; /* NULL: there was none */
    uint64_t total;          /* of a list, on all of its pages; 0 when it does not say */
};
typedef void harbor_reply_f(void *argument, const struct harbor_reply *reply);

/* With the name and the password of the registry's settings; without: FAILURE_DENIED. As the
 * operations of registry.h: one callback, never from within the call, and registry_cancel(). */
uint64_t harbor_call(struct registry *registry, const struct harbor_call *call,
                     harbor_reply_f *done, void *argument);

#endif
