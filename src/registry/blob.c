/* Small blobs, collected and verified; and the ping. Layers are streamed elsewhere. */
#include "regwarden/memory.h"

#include "internal.h"

enum { BLOB_MAX = 4 * 1024 * 1024 };

struct blob_operation {
    struct operation operation; /* first */
    struct digest digest;
    uint64_t size;
};

static int check_blob(const struct blob_operation *fetch, const struct http_response *response,
                      struct error *err)
{
    if (response->body_size != fetch->size)
        return error_set(err, FAILURE_INPUT, "has %zu bytes, its descriptor says %llu",
                         response->body_size, (unsigned long long)fetch->size);
    return digest_verify(&fetch->digest, response->body, response->body_size, err);
}

static void on_blob(void *argument, const struct exchange_answer *answer)
{
    struct blob_operation *fetch = argument;
    struct registry_answer told = {.media_type = "", .digest = fetch->digest};
    struct error error = {0};

    fetch->operation.exchange = NULL;
    if (answer->error && answer->error->kind == FAILURE_LIMIT && !answer->response) {
        (void)error_set(&error, FAILURE_INPUT, "has more bytes than the %llu of its descriptor",
                        (unsigned long long)fetch->size);
        operation_fail(&fetch->operation, &error);
        return;
    }
    if (answer->error) {
        operation_fail(&fetch->operation, answer->error);
        return;
    }
    if (check_blob(fetch, answer->response, &error) < 0) {
        operation_fail(&fetch->operation, &error);
        return;
    }
    told.bytes = answer->response->body;
    told.size = answer->response->body_size;
    operation_finish(&fetch->operation, &told);
}

uint64_t registry_fetch_blob(struct registry *registry, const char *repository,
                             const struct digest *digest, uint64_t size, registry_done_f *done,
                             void *argument)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *scope = NULL;
    struct exchange_request request = {.method = "GET"};
    struct blob_operation *fetch = operation_new(registry, sizeof(*fetch), done, argument,
                                                 operation_name("blob", repository, digest));

    fetch->digest = *digest;
    fetch->size = size;
    if (size > BLOB_MAX) {
        (void)error_set(&fetch->operation.error, FAILURE_LIMIT,
                        "is larger than the %d MiB that are read whole", BLOB_MAX / (1024 * 1024));
        return operation_refuse(&fetch->operation);
    }
    if (path_of_digest(repository, "blobs", digest, &path, &fetch->operation.error) < 0)
        return operation_refuse(&fetch->operation);
    scope = scope_of_repository(repository, "pull");
    request.target = path;
    request.scope = scope;
    /* 0 would stand for the client's usual bound. */
    request.max_body_bytes = size > 0 ? size : 1;
    operation_send(&fetch->operation, &request, on_blob);
    return fetch->operation.id;
}

static void on_ping(void *argument, const struct exchange_answer *answer)
{
    struct operation *operation = argument;
    struct registry_answer told = {.media_type = ""};

    operation->exchange = NULL;
    if (answer->error)
        operation_fail(operation, answer->error);
    else
        operation_finish(operation, &told);
}

uint64_t registry_ping(struct registry *registry, registry_done_f *done, void *argument)
{
    struct exchange_request request = {.method = "GET", .target = "/v2/"};
    struct operation *operation =
        operation_new(registry, sizeof(*operation), done, argument, memory_copy_text("ping"));

    operation_send(operation, &request, on_ping);
    return operation->id;
}
