/* REST routes under /api/v1, health and metrics, in a const table. The OpenAPI document
 * (/api/v1/openapi.json) is made from the same table.
 *
 * Who may: over the unix socket, whoever may open it; over TCP, whoever bears the operator token
 * (constant time); health needs nothing, metrics nothing on loopback. What the API asks of the
 * daemon comes in as callbacks. Loop thread. */
#ifndef REGWARDEN_API_H
#define REGWARDEN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/error.h"
#include "regwarden/json.h"
#include "regwarden/store.h"
#include "regwarden/text.h"

struct http_exchange;
struct http_server;
struct api; /* opaque */

struct api_options {
    struct store *store;
    struct http_server *server;
    const char *token; /* NULL: TCP gets health and metrics only; copied */
    bool (*ready)(void *argument, struct text *ret_why_not);
    struct json *(*live_status)(void *argument);      /* merged into /api/v1/status. Returns new */
    void (*metrics)(void *argument, struct text *to); /* families of all rooms, without the end */
    /* Things that the daemon does, each answered with api_answer(api, request, status, json): */
    void (*release)(void *argument, uint64_t request, int64_t plan_id, bool force, const char *by);
    void (*sweep)(void *argument, uint64_t request, const char *registry); /* NULL: all */
    void (*retry_dead_letter)(void *argument, uint64_t request, int64_t id);
    void (*add_base)(void *argument, uint64_t request, const char *reference, const char *by);
    void (*remove_base)(void *argument, uint64_t request, const char *reference);
    void (*waivers_changed)(void *argument);
    struct json *(*bases)(void *argument); /* the catalogue of bases. Returns new */
    void *argument;
};
int api_new(const struct api_options *options, struct api **ret, struct error *err);
void api_free(struct api *api);
/* False when the path is none of the API's. */
bool api_handle(struct api *api, struct http_exchange *exchange);
void api_answer(struct api *api, uint64_t request, int status, const struct json *body);
/* {"error": {"kind", "message", "hint"}}. Returns new. */
struct json *api_error_body(const struct error *error);
int api_status_of(enum failure kind); /* HTTP status */

#endif
