/* Manifests: fetching them whole, and finding out what a tag points at. The bytes are checked
 * against every digest that was named; what they mean is the image room's business. */
#include "regwarden/manifest.h"

#include "regwarden/memory.h"

#include "internal.h"

struct manifest_operation {
    struct operation operation; /* first */
    char *path;
    char *scope;
    char *reference;
    bool resolving; /* bytes are not wanted */
};

/* All types by name: some registries look for exact names only, and answer a tag with a converted
 * or another manifest when its own type is not listed. */
const char manifest_accept[] =
    MEDIA_TYPE_OCI_INDEX ", " MEDIA_TYPE_OCI_MANIFEST ", " MEDIA_TYPE_DOCKER_LIST
                         ", " MEDIA_TYPE_DOCKER_MANIFEST ", " MEDIA_TYPE_OCI_ARTIFACT ", */*";

char *content_type_of(const struct http_response *response)
{
    const char *value = http_response_header(response, "content-type");
    size_t size;

    if (!value)
        return NULL;
    size = strcspn(value, "; \t");
    return size > 0 ? memory_copy_bytes(value, size) : NULL;
}

/* Schema 1 in any of its spellings is refused with the reason. */
static int media_type_check(const char *media_type, struct error *err)
{
    if (!text_equal_nocase(media_type, MEDIA_TYPE_SCHEMA1) &&
        !text_equal_nocase(media_type, MEDIA_TYPE_SCHEMA1_SIGNED))
        return 0;
    (void)error_set(err, FAILURE_INPUT,
                    "this is a schema 1 manifest, which cannot be judged: it has no config and its "
                    "layers are not in it as descriptors");
    return error_hint(err, "push the image again with a current builder");
}

/* Holds the bytes against one digest that somebody named. */
static int hold_against(const char *text, const char *who, const char *bytes, size_t size,
                        struct digest *ret, struct error *err)
{
    struct digest digest;
    int rc = digest_parse_verifiable(text, &digest, err);

    if (rc == 0)
        rc = digest_verify(&digest, bytes, size, err);
    if (rc < 0)
        return error_wrap(err, "%s", who);
    *ret = digest;
    return 0;
}

int manifest_identify(const struct digest_claim *claim, const char *bytes, size_t size,
                      struct digest *ret, struct error *err)
{
    struct digest digest;
    struct digest told;
    int rc = 0;

    digest_compute(NULL, bytes, size, &digest);
    if (strchr(claim->reference, ':'))
        rc = hold_against(claim->reference, "the manifest is not the one that was asked for", bytes,
                          size, &digest, err);
    if (rc == 0 && claim->header_digest && *claim->header_digest)
        rc = hold_against(claim->header_digest,
                          "the manifest is not the one that Docker-Content-Digest names", bytes,
                          size, &told, err);
    if (rc < 0)
        return rc;
    *ret = digest;
    return 0;
}

int manifest_read(const struct http_response *response, const char *reference,
                  struct registry_answer *ret, char **ret_media_type, struct error *err)
{
    struct digest_claim claim = {.reference = reference,
                                 .header_digest =
                                     http_response_header(response, "docker-content-digest")};
    AUTO_FREE char *media_type = content_type_of(response);
    struct digest digest;
    int rc = media_type_check(media_type ? media_type : "", err);

    if (rc == 0 && response->body_size == 0)
        rc = error_set(err, FAILURE_INPUT, "the manifest is empty");
    if (rc == 0)
        rc = manifest_identify(&claim, response->body, response->body_size, &digest, err);
    if (rc < 0)
        return rc;
    *ret_media_type = media_type ? TAKE(media_type) : memory_copy_text("");
    *ret = (struct registry_answer){.bytes = response->body,
                                    .size = response->body_size,
                                    .media_type = *ret_media_type,
                                    .digest = digest};
    return 0;
}

static void release(struct operation *operation)
{
    struct manifest_operation *fetch = (struct manifest_operation *)operation;

    free(fetch->path);
    free(fetch->scope);
    free(fetch->reference);
}

static void fail_too_big(struct operation *operation)
{
    struct error error = {0};

    (void)error_set(&error, FAILURE_LIMIT, "the manifest is larger than %zu MiB",
                    manifest_limits.max_bytes / ((size_t)1024 * 1024));
    operation_fail(operation, &error);
}

static void on_bytes(void *argument, const struct exchange_answer *answer)
{
    struct manifest_operation *fetch = argument;
    struct registry_answer told;
    AUTO_FREE char *media_type = NULL;
    struct error error = {0};

    fetch->operation.exchange = NULL;
    if (answer->error && answer->error->kind == FAILURE_LIMIT && !answer->response) {
        fail_too_big(&fetch->operation);
        return;
    }
    if (answer->error) {
        operation_fail(&fetch->operation, answer->error);
        return;
    }
    if (manifest_read(answer->response, fetch->reference, &told, &media_type, &error) < 0) {
        operation_fail(&fetch->operation, &error);
        return;
    }
    if (fetch->resolving) {
        told.bytes = NULL;
        told.size = 0;
    }
    operation_finish(&fetch->operation, &told);
}

static void send_get(struct manifest_operation *fetch)
{
    struct exchange_request request = {.method = "GET",
                                       .target = fetch->path,
                                       .scope = fetch->scope,
                                       .accept = manifest_accept,
                                       .max_body_bytes = manifest_limits.max_bytes};

    operation_send(&fetch->operation, &request, on_bytes);
}

/* Does the answer to a HEAD tell enough? Then it is in `ret`. */
static bool read_head(const struct manifest_operation *fetch, const struct http_response *response,
                      struct digest *ret)
{
    const char *told = http_response_header(response, "docker-content-digest");
    struct digest asked;

    if (!told || digest_parse_verifiable(told, ret, NULL) < 0)
        return false;
    /* Another digest than asked for: the bytes have to show who is right. */
    return !strchr(fetch->reference, ':') ||
           (digest_parse(fetch->reference, &asked, NULL) == 0 && digest_equal(&asked, ret));
}

static void on_head(void *argument, const struct exchange_answer *answer)
{
    struct manifest_operation *fetch = argument;
    int status = exchange_status(answer);
    AUTO_FREE char *media_type = NULL;
    struct registry_answer told = {0};
    struct error error = {0};

    fetch->operation.exchange = NULL;
    /* A refusal of HEAD has no text: the GET either works or says why not. */
    if (status >= 400 && status != 404 && answer->error->kind != FAILURE_LATER) {
        fetch->operation.registry->head_refused |= status == 405 || status == 501;
        send_get(fetch);
        return;
    }
    if (answer->error) {
        operation_fail(&fetch->operation, answer->error);
        return;
    }
    media_type = content_type_of(answer->response);
    if (!media_type || !read_head(fetch, answer->response, &told.digest)) {
        send_get(fetch);
        return;
    }
    if (media_type_check(media_type, &error) < 0) {
        operation_fail(&fetch->operation, &error);
        return;
    }
    told.media_type = media_type;
    operation_finish(&fetch->operation, &told);
}

static void send_head(struct manifest_operation *fetch)
{
    struct exchange_request request = {
        .method = "HEAD", .target = fetch->path, .scope = fetch->scope, .accept = manifest_accept};

    operation_send(&fetch->operation, &request, on_head);
}

static struct manifest_operation *begin(struct registry *registry, const char *repository,
                                        const char *reference, registry_done_f *done,
                                        void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    AUTO_FREE char *shown = text_printable(reference ? reference : "", 160);
    bool by_digest = strchr(shown, ':') != NULL;
    struct manifest_operation *fetch =
        operation_new(registry, sizeof(*fetch), done, argument,
                      text_new("manifest %s%s%s", name, by_digest ? "@" : ":", shown));

    fetch->operation.release = release;
    if (path_of_manifest(repository, reference, &fetch->path, &fetch->operation.error) < 0)
        return fetch;
    fetch->scope = scope_of_repository(repository, "pull");
    fetch->reference = memory_copy_text(reference);
    return fetch;
}

uint64_t registry_fetch_manifest(struct registry *registry, const char *repository,
                                 const char *reference, registry_done_f *done, void *argument)
{
    struct manifest_operation *fetch = begin(registry, repository, reference, done, argument);

    if (!fetch->path)
        return operation_refuse(&fetch->operation);
    send_get(fetch);
    return fetch->operation.id;
}

uint64_t registry_resolve(struct registry *registry, const char *repository, const char *reference,
                          registry_done_f *done, void *argument)
{
    struct manifest_operation *fetch = begin(registry, repository, reference, done, argument);

    if (!fetch->path)
        return operation_refuse(&fetch->operation);
    fetch->resolving = true;
    if (registry->head_refused)
        send_get(fetch);
    else
        send_head(fetch);
    return fetch->operation.id;
}
