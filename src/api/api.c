/* From a request to its handler: route, permission, query, body. What the handlers do is elsewhere.
 */
#include "call.h"

#include "regwarden/crypto.h"

/* --- who may --- */

static bool bears_token(const struct api *api, const struct http_exchange *exchange)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_exchange_header(exchange, "Authorization");
    if (api->token == NULL || value == NULL || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return false;
    return crypto_equal_text(value + sizeof(scheme) - 1, api->token);
}

/* A proxy on this machine speaks for others. */
static bool is_forwarded(const struct http_exchange *exchange)
{
    return http_exchange_header_count(exchange, "Forwarded") > 0 ||
           http_exchange_header_count(exchange, "X-Forwarded-For") > 0;
}

static bool is_loopback(const struct http_exchange *exchange)
{
    const char *peer = http_exchange_peer(exchange);
    return (text_starts_with(peer, "127.") || text_equal(peer, "::1")) && !is_forwarded(exchange);
}

static bool is_permitted(const struct api *api, enum role role,
                         const struct http_exchange *exchange)
{
    if (role == ROLE_ANYONE || http_exchange_is_local_socket(exchange))
        return true;
    if (role == ROLE_LOCAL && is_loopback(exchange))
        return true;
    return bears_token(api, exchange);
}

static void reply_unauthorised(const struct api *api, struct http_exchange *exchange)
{
    const struct http_reply_header header = {"WWW-Authenticate", "Bearer realm=\"regwarden\""};
    struct error err = {0};
    error_set(&err, FAILURE_DENIED, "the API token is missing or wrong");
    if (api->token == NULL)
        error_hint(&err, "No token is configured: use the unix socket, or set api.token-file.");
    else
        error_hint(&err, "Send \"Authorization: Bearer <token>\", or use the unix socket.");
    reply_refusal(exchange, 401, header, &err);
}

/* --- which route --- */

/* HEAD is GET of which the server leaves out the body. */
static bool method_matches(const struct route *route, const char *method)
{
    return text_equal(route->method, method) ||
           (text_equal(route->method, "GET") && text_equal(method, "HEAD"));
}

static bool path_matches(const struct route *route, const char *path, char **ret_id)
{
    char *id = NULL;
    int count = http_route_match(route->pattern, path, &id, 1);
    if (count < 0)
        return false;
    if (count > 0)
        *ret_id = id;
    return true;
}

/* The route, or NULL with the methods that the path has (none: there is no such path). */
static const struct route *find_route(const struct http_exchange *exchange, char **ret_id,
                                      struct text *ret_methods)
{
    const char *path = http_exchange_path(exchange);
    for (const struct route *route = routes; route->method != NULL; route++) {
        AUTO_FREE char *id = NULL;
        if (!path_matches(route, path, &id))
            continue;
        if (method_matches(route, http_exchange_method(exchange))) {
            *ret_id = TAKE(id);
            return route;
        }
        text_format(ret_methods, "%s%s", ret_methods->length > 0 ? ", " : "", route->method);
    }
    return NULL;
}

static void reply_no_route(struct http_exchange *exchange, const char *methods)
{
    struct error err = {0};
    if (methods[0] == '\0') {
        error_set(&err, FAILURE_ABSENT, "there is no such path");
        error_hint(&err, "/api/v1/openapi.json lists all.");
        reply_error(exchange, &err);
        return;
    }
    error_set(&err, FAILURE_INPUT, "this path takes %s", methods);
    reply_refusal(exchange, 405, (struct http_reply_header){"Allow", methods}, &err);
}

/* --- the request --- */

static int read_id(struct call *call, struct error *err)
{
    uint64_t number = 0;
    if (call->route->id != SEGMENT_NUMBER)
        return 0;
    if (text_parse_uint(call->id_text, INT64_MAX, &number, NULL) != 0 || number == 0)
        return error_set(err, FAILURE_INPUT, "the id in the path is not a number from 1 on");
    call->id = (int64_t)number;
    return 0;
}

static void run(struct call *call)
{
    struct error err = {0};
    int r = read_id(call, &err);
    if (r == 0)
        r = query_read(call, &err);
    if (r == 0)
        r = body_read(call, &err);
    if (r == 0)
        call->route->handle(call);
    else
        reply_error(call->exchange, &err);
    query_release(&call->query);
    json_release(call->body);
}

static bool is_ours(const char *path)
{
    return text_equal(path, "/healthz") || text_equal(path, "/readyz") ||
           text_equal(path, "/metrics") || text_equal(path, "/api") ||
           text_starts_with(path, "/api/");
}

bool api_handle(struct api *api, struct http_exchange *exchange)
{
    AUTO_FREE char *id = NULL;
    AUTO_TEXT struct text methods = {0};
    if (!is_ours(http_exchange_path(exchange)))
        return false;
    const struct route *route = find_route(exchange, &id, &methods);
    if (route == NULL) {
        reply_no_route(exchange, text_data(&methods));
        return true;
    }
    if (!is_permitted(api, route->role, exchange)) {
        reply_unauthorised(api, exchange);
        return true;
    }
    struct call call = {.api = api, .exchange = exchange, .route = route, .id_text = id};
    run(&call);
    return true;
}

void api_answer(struct api *api, uint64_t request, int status, const struct json *body)
{
    struct http_exchange *exchange = http_server_find(api->options.server, request);
    if (exchange != NULL)
        reply_json(exchange, status, body);
}

int api_new(const struct api_options *options, struct api **ret, struct error *err)
{
    if (options->token != NULL && options->token[0] == '\0')
        return error_set(err, FAILURE_INPUT, "the API token is empty");
    struct api *api = memory_new(sizeof(*api));
    api->options = *options;
    api->token = memory_copy_text(options->token);
    api->options.token = NULL;
    *ret = api;
    return 0;
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    pendings_forget(api);
    if (api->token != NULL)
        crypto_erase(api->token, strlen(api->token));
    free(api->token);
    free(api);
}
