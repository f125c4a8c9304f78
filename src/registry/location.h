/* Where an answer points to: Location and Link targets, resolved against the URL that answered
 * (RFC 3986 section 5, without dot segments). Pure. */
#ifndef REGISTRY_LOCATION_H
#define REGISTRY_LOCATION_H

#include "regwarden/http_client.h"

enum { LOCATION_MAX = 8192 };

/* FAILURE_INPUT for what is not an http(s) URL, or too long. `ret` is new text. */
int location_resolve(const struct url *base, const char *target, struct url *ret,
                     struct error *err);
/* "https://host/path". Returns new. */
char *location_format(const struct url *url);
/* The host without its port; the brackets of an IPv6 address stay. Returns new. */
char *location_host(const struct url *url);
bool location_is_loopback(const struct url *url);

#endif
