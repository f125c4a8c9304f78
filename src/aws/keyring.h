/* The credentials in use: fetched when first needed, again before they expire, by one fetch however
 * many wait. Loop thread. */
#ifndef AWS_KEYRING_H
#define AWS_KEYRING_H

#include "internal.h"

/* One who waits. Embedded in the waiter; zeroed at first. */
struct keyring_wait {
    TAILQ_ENTRY(keyring_wait) link;
    struct keyring_wait_list *list; /* NULL: does not wait */
    /* Either is NULL; borrowed. */
    void (*ready)(void *argument, const struct aws_keys *credentials, const struct error *error);
    void *argument;
};
TAILQ_HEAD(keyring_wait_list, keyring_wait);

struct keyring *keyring_new(struct aws *aws);
void keyring_free(struct keyring *keyring); /* accepts NULL; who still waits is not told */

/* Calls back from the loop, never from within; the credentials are not to be kept. */
void keyring_ask(struct keyring *keyring, struct keyring_wait *wait);
void keyring_cancel(struct keyring_wait *wait);
/* AWS does not take the credentials with this id any more. */
void keyring_forget(struct keyring *keyring, const char *access_key_id);

#endif
