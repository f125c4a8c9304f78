/* The door harbor.h: any request to Harbor's API, for setting it up. */
#include "regwarden/harbor.h"

#include "regwarden/memory.h"

#include "harbor_api.h"

struct calling {
    struct operation operation; /* first */
    harbor_reply_f *done;
    void *argument;
    struct harbor_reply reply;
};

static void tell(void *argument, const struct registry_answer *answer)
{
    struct calling *call = argument;

    call->reply.error = answer->error;
    call->done(call->argument, &call->reply);
}

static int read_reply(const struct http_response *response, struct json **ret_body,
                      uint64_t *ret_total, struct error *err)
{
    *ret_total = 0;
    if (http_response_header(response, "x-total-count") &&
        harbor_read_total(response, ret_total, err) < 0)
        return err->kind;
    if (response->body_size == 0)
        return 0;
    return json_parse(response->body, response->body_size, &harbor_limits, ret_body, err);
}

static void on_answer(void *argument, const struct exchange_answer *answer)
{
    struct calling *call = argument;
    struct registry_answer told = {.media_type = ""};
    AUTO_JSON struct json *body = NULL;
    struct error error = {0};

    call->operation.exchange = NULL;
    call->reply.status = exchange_status(answer);
    if (answer->error) {
        operation_fail(&call->operation, answer->error);
        return;
    }
    if (read_reply(answer->response, &body, &call->reply.total, &error) < 0) {
        operation_fail(&call->operation, &error);
        return;
    }
    call->reply.body = body;
    operation_finish(&call->operation, &told);
}

uint64_t harbor_call(struct registry *registry, const struct harbor_call *wanted,
                     harbor_reply_f *done, void *argument)
{
    AUTO_FREE char *shown = text_printable(wanted->path, 200);
    AUTO_FREE char *path = text_new("/api/v2.0%s", wanted->path);
    struct calling *call = operation_new(registry, sizeof(*call), tell, NULL,
                                         text_new("%s %s", wanted->method, shown));
    struct harbor_request request = {.method = wanted->method,
                                     .path = path,
                                     .body = wanted->body,
                                     .effect = text_equal(wanted->method, "GET") ? EFFECT_NONE
                                                                                 : EFFECT_WRITE};

    call->operation.argument = call;
    call->done = done;
    call->argument = argument;
    if (harbor_check_account(registry, &call->operation.error) < 0)
        return operation_refuse(&call->operation);
    harbor_send(&call->operation, &request, on_answer);
    return call->operation.id;
}
