/* A short-lived loop in which a command fetches images and waits for them: registries and local
 * layouts alike. */
#ifndef REGWARDEN_SESSION_H
#define REGWARDEN_SESSION_H

#include <stdbool.h>

#include "regwarden/error.h"
#include "regwarden/gather.h"
#include "regwarden/reference.h"

struct session; /* opaque */

struct session_options {
    const char *username;
    const char *password_file;
    const char *ca_file;
    bool plain_http;
};

int session_new(const struct session_options *options, struct session **ret, struct error *err);
void session_free(struct session *session);

/* reference_parse, with a hint in every refusal. */
int session_parse(const char *text, struct reference *ret, struct error *err);
/* Fetches what `reference` names and waits for it. `ret` is released with gathered_release; its own
 * error says why nothing came. */
int session_gather(struct session *session, const struct reference *reference, unsigned needs,
                   struct gathered *ret, struct error *err);

#endif
