/* The command line's side of the API. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regwarden/file.h"
#include "regwarden/http_client.h"
#include "regwarden/loop.h"

#define SYSTEM_SOCKET "/run/regwarden/regwarden.sock"

enum { ANSWER_BYTES_MAX = 256 * 1024 * 1024, WAIT_MS = 120000 };
enum option_key { OPTION_SERVER = 0x400, OPTION_TOKEN_FILE, OPTION_SERVER_CA };

static const struct argp_option option_table[] = {
    {"server", OPTION_SERVER, "ADDRESS", 0,
     "unix:/path or http(s)://host:port of the daemon (default $REGWARDEN_SERVER, "
     "else " SYSTEM_SOCKET ", else the socket of this user's own daemon)",
     1},
    {"token-file", OPTION_TOKEN_FILE, "FILE", 0, "File with the API token, for http and https", 1},
    {"server-ca", OPTION_SERVER_CA, "FILE", 0, "Certificates to trust for the daemon", 1},
    {"json", 'j', NULL, 0, "Print the daemon's answer as JSON", 1},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct client_options *options = state->input;

    switch (key) {
    case OPTION_SERVER:
        options->server = value;
        return 0;
    case OPTION_TOKEN_FILE:
        options->token_file = value;
        return 0;
    case OPTION_SERVER_CA:
        options->ca_file = value;
        return 0;
    case 'j':
        options->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp client_argp = {.options = option_table, .parser = parse_option};

static char *default_server(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (getenv("REGWARDEN_SERVER"))
        return memory_copy_text(getenv("REGWARDEN_SERVER"));
    if (access(SYSTEM_SOCKET, F_OK) == 0)
        return memory_copy_text("unix:" SYSTEM_SOCKET);
    if (geteuid() == 0)
        return memory_copy_text("unix:/var/lib/regwarden/regwarden.sock");
    if (state && state[0] == '/')
        return text_new("unix:%s/regwarden/regwarden.sock", state);
    return text_new("unix:%s/.local/state/regwarden/regwarden.sock", home ? home : ".");
}

struct call {
    char *server;
    const char *method;
    const char *path;
    struct text body;
    struct text token; /* "Bearer …" */
    struct text *answer;
    int status;
    struct error error;
    bool done;
};

static void answered(void *argument, const struct http_response *response)
{
    struct call *call = argument;

    call->done = true;
    call->status = response->status;
    call->error = response->error;
    text_add_bytes(call->answer, response->body, response->body_size);
}

static bool is_done(void *argument)
{
    return ((const struct call *)argument)->done;
}

static int send_call(struct loop *loop, const struct client_options *options, struct call *call,
                     struct error *err)
{
    bool is_socket = text_starts_with(call->server, "unix:");
    struct http_client_options client_options = {
        .unix_socket = is_socket ? call->server + strlen("unix:") : NULL,
        .ca_file = options->ca_file,
    };
    struct http_header headers[3] = {{"Content-Type", "application/json"}};
    AUTO_FREE char *url =
        text_new("%s%s", is_socket ? "http://localhost" : call->server, call->path);
    struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .body = call->body.length ? call->body.data : NULL,
        .body_size = call->body.length,
        .max_body_bytes = ANSWER_BYTES_MAX,
        .idle_timeout_ms = WAIT_MS,
    };
    struct http_client *client = NULL;

    if (call->token.length)
        headers[1] = (struct http_header){"Authorization", call->token.data};
    if (http_client_new(loop, &client_options, &client, err) < 0)
        return err->kind;
    http_client_send(client, &request, answered, call);
    loop_run_until(loop, is_done, call, WAIT_MS);
    http_client_free(client);
    if (call->done && call->error.kind == FAILURE_NONE)
        return 0;
    error_set(err, FAILURE_LATER, "the daemon at %s does not answer: %s", call->server,
              call->done ? call->error.text : "timed out");
    return error_hint(err, "Is `regwarden serve` running? --server names another address.");
}

/* {"error": {"kind", "message", "hint"}} */
static int error_of(const struct call *call, struct error *err)
{
    AUTO_JSON struct json *json = NULL;
    const struct json *error;
    const char *message;
    enum failure kind = call->status == 401 || call->status == 403 ? FAILURE_DENIED
                        : call->status == 404                      ? FAILURE_ABSENT
                        : call->status < 500                       ? FAILURE_INPUT
                                                                   : FAILURE_LATER;

    json_parse(text_data(call->answer), call->answer->length, NULL, &json, NULL);
    error = json_get(json, "error");
    message = json_get_string(error, "message");
    if (message)
        error_set(err, kind, "%s", message);
    else
        error_set(err, kind, "the daemon answered with status %d", call->status);
    if (call->status == 401)
        error_hint(err, "Name the API token with --token-file, or use the daemon's unix socket.");
    if (json_get_string(error, "hint"))
        error_hint(err, "%s", json_get_string(error, "hint"));
    return kind;
}

static int run_call(const struct client_options *options, struct call *call, struct error *err)
{
    struct loop *loop = NULL;
    int result;

    call->server = options->server ? memory_copy_text(options->server) : default_server();
    if (options->token_file) {
        text_add(&call->token, "Bearer ");
        if (file_read_secret(options->token_file, &call->token, err) < 0)
            return error_wrap(err, "reading the API token");
    }
    if (loop_new(&loop, err) < 0)
        return err->kind;
    result = send_call(loop, options, call, err);
    loop_free(loop);
    if (result == 0 && call->status >= 400)
        result = error_of(call, err);
    return result;
}

static void call_release(struct call *call)
{
    free(call->server);
    text_release(&call->body);
    text_release(&call->token);
}

int client_fetch(const struct client_options *options, const char *path, struct text *ret,
                 struct error *err)
{
    struct call call = {.method = "GET", .path = path, .answer = ret};
    int result = run_call(options, &call, err);

    call_release(&call);
    return result;
}

int client_request(const struct client_options *options, const char *method, const char *path,
                   const struct json *body, struct json **ret, struct error *err)
{
    static const struct json_limits limits = {
        .max_bytes = ANSWER_BYTES_MAX, .max_depth = 64, .max_values = 20 * 1000 * 1000};
    AUTO_TEXT struct text answer = {0};
    struct call call = {.method = method, .path = path, .answer = &answer};
    int result;

    if (body)
        json_write(body, JSON_COMPACT, &call.body);
    result = run_call(options, &call, err);
    call_release(&call);
    if (result < 0)
        return result;
    if (answer.length == 0) {
        *ret = json_new_null();
        return 0;
    }
    if (json_parse(answer.data, answer.length, &limits, ret, err) < 0)
        return error_wrap(err, "the daemon's answer");
    return 0;
}

void client_parameter(struct text *path, const char *name, const char *value)
{
    if (!value)
        return;
    text_format(path, "%c%s=", strchr(text_data(path), '?') ? '&' : '?', name);
    url_encode(path, value);
}
