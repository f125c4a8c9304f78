/* Certificates and key sets that others publish, fetched from where the settings or a fixed table
 * say, and kept. Loop thread.
 *
 * What is asked for may be chosen by strangers within one host, so that all is bounded: places,
 * sizes, requests in a time, and how soon the same place is asked again. */
#ifndef INTAKE_KEYS_H
#define INTAKE_KEYS_H

#include "regwarden/http_client.h"

struct keys; /* opaque */

/* client: borrowed, may be NULL; freed before the keys. `arrived` is called once for each waiter of
 * keys_fetch(), when its document came or did not; never from within keys_fetch(). */
struct keys *keys_new(struct http_client *client, void (*arrived)(void *argument, uint64_t waiter),
                      void *argument);
/* Nothing is fetched any more. Then the client is freed, which lets go those who wait. */
void keys_stop(struct keys *keys);
void keys_free(struct keys *keys); /* accepts NULL */

/* The document last fetched from there, however old; NULL when there is none, or no keys. */
const struct text *keys_find(const struct keys *keys, const char *url, int64_t *ret_age_ms);
/* May it be asked for (again) now? */
bool keys_may_fetch(const struct keys *keys, const char *url);
/* Joins a request that is under way already. Only after keys_may_fetch(). */
void keys_fetch(struct keys *keys, const char *url, uint64_t waiter);
/* As if it had been fetched just now. */
void keys_put(struct keys *keys, const char *url, const char *bytes, size_t size);

#endif
