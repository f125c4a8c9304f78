/* What an answer of failure means, and how it is put into words. Pure. */
#ifndef REGISTRY_ERRORS_H
#define REGISTRY_ERRORS_H

#include <stdbool.h>

#include "regwarden/http_client.h"

/* Fills err for a status that is not 2xx and returns its kind. The body is read only when `quote`
 * is set: a registry may repeat our credentials in it. */
int errors_from_response(const struct http_response *response, bool quote, struct error *err);

/* Where the error document says more than the status does, the kind is set right and the hint says
 * what to do. */
void errors_explain(const struct http_response *response, struct error *err);

/* Does the registry's error document hold this code ("NAME_UNKNOWN")? */
bool errors_has_code(const struct http_response *response, const char *code);

#endif
