/* A short-lived loop in which a command fetches images, looks into their layers, and waits for
 * them: registries, local layouts and archives alike. Shows progress on a terminal. An interrupt
 * ends the waiting; nothing that was started outlives the session. */
#ifndef REGWARDEN_SESSION_H
#define REGWARDEN_SESSION_H

#include <argp.h>
#include <stdbool.h>

#include "regwarden/error.h"
#include "regwarden/gather.h"
#include "regwarden/probes.h"
#include "regwarden/reference.h"

struct session; /* opaque */

struct session_options { /* filled by session_argp, a child of every such command */
    const char *username;
    const char *password_file;
    const char *ca_file;
    bool plain_http;
    bool no_layers;         /* FACT_FILES stays absent */
    const char *bases_file; /* NULL: no bases are known */
};
extern const struct argp session_argp;

int session_new(const struct session_options *options, struct session **ret, struct error *err);
void session_free(struct session *session);

/* reference_parse, with a hint in every refusal. */
int session_parse(const char *text, struct reference *ret, struct error *err);
/* What policies want to know of files, before the first gathering. */
void session_set_probes(struct session *session, const struct scan_probes *probes);
/* What an image is worth, of which all but its layers is known: see gather.h. */
void session_set_needs_of(struct session *session,
                          unsigned (*needs_of)(void *argument, const struct facts *facts),
                          void *argument);
/* Was the command told to stop? Then no gathering comes to an end any more. */
bool session_is_interrupted(const struct session *session);
/* Fetches what `reference` names and waits for it. `ret` is released with gathered_release; its own
 * error says why nothing came. */
int session_gather(struct session *session, const struct reference *reference, unsigned needs,
                   struct gathered *ret, struct error *err);

/* Is "host[:port]" this machine itself? What goes there in the clear, nobody else sees. */
bool session_host_is_loopback(const char *host);

#endif
