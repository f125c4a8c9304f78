/* The credentials of one registry and the tokens that they bought.
 *
 * What a registry wants is learned from its first 401 (for the catalogue separately: some want a
 * password there and tokens elsewhere). Tokens are kept per scope and renewed before they expire;
 * those who need the same one at the same time wait for one request. Loop thread. */
#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include <stdbool.h>
#include <sys/queue.h>

#include "regwarden/error.h"
#include "regwarden/http_client.h"

struct registry;
struct auth; /* opaque */

/* Reads the secret file that the registry's settings name. FAILURE_INPUT, FAILURE_ABSENT. */
int auth_new(struct registry *registry, struct auth **ret, struct error *err);
void auth_free(struct auth *auth); /* nobody waits by then; accepts NULL */

/* header: borrowed, NULL when nothing is to be sent or the token could not be had (`error`). */
typedef void auth_ready_f(void *argument, const char *header, const struct error *error);

TAILQ_HEAD(auth_ask_list, auth_ask);
struct auth_ask { /* embedded in whoever asks */
    TAILQ_ENTRY(auth_ask) link;
    struct auth_ask_list *list; /* NULL: does not wait */
    auth_ready_f *ready;
    void *argument;
};

/* What to send as Authorization for this scope (NULL: none in particular). True: known,
 * `ret_header` is new or NULL for nothing. False: `ask` waits, and its callback comes later. */
bool auth_get(struct auth *auth, const char *scope, struct auth_ask *ask, char **ret_header);
/* "Basic …" of the configured name and password, or NULL when there are none. Returns new. */
char *auth_basic(const struct auth *auth);
void auth_cancel(struct auth_ask *ask); /* also when it does not wait */

/* Reads a 401 to a request that carried `sent` (NULL: nothing). 0: auth_get() has something better
 * now. FAILURE_DENIED, FAILURE_INPUT: it has not. */
int auth_learn(struct auth *auth, const char *scope, const struct http_response *response,
               const char *sent, struct error *err);

/* Does this text hold one of our secrets? */
bool auth_repeats_secret(const struct auth *auth, const char *text);

#endif
