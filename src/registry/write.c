/* Writing and removing manifests and tags. Whether that may be done is decided elsewhere; here it
 * is done once, and what a registry cannot do is told apart from what it will not do. */
#include "regwarden/manifest.h"
#include "regwarden/memory.h"

#include "errors.h"
#include "profile.h"

struct put_operation {
    struct operation operation; /* first */
    struct digest digest;
};

static int check_put(const struct put_operation *put, const struct http_response *response,
                     struct error *err)
{
    const char *told = http_response_header(response, "docker-content-digest");
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;

    if (!told || !*told)
        return 0;
    if (digest_parse(told, &digest, NULL) < 0)
        return error_set(err, FAILURE_UNCERTAIN, "was taken under a digest that is none");
    /* A registry may file it under another algorithm than the one that we reckon with. */
    if (digest.algorithm != put->digest.algorithm || digest_equal(&digest, &put->digest))
        return 0;
    return error_set(err, FAILURE_UNCERTAIN, "was taken as other bytes: the registry names %s",
                     digest_format(&digest, text));
}

static void on_put(void *argument, const struct exchange_answer *answer)
{
    struct put_operation *put = argument;
    struct registry_answer told = {.media_type = "", .digest = put->digest};
    struct error error = {0};

    put->operation.exchange = NULL;
    if (answer->error)
        operation_fail(&put->operation, answer->error);
    else if (check_put(put, answer->response, &error) < 0)
        operation_fail(&put->operation, &error);
    else
        operation_finish(&put->operation, &told);
}

static int prepare_put(const struct registry_manifest_put *put, struct put_operation *operation,
                       char **ret, struct error *err)
{
    struct digest_claim claim = {.reference = put->reference};
    int rc = path_of_manifest(put->repository, put->reference, ret, err);

    if (rc == 0 && put->size > manifest_limits.max_bytes)
        rc = error_set(err, FAILURE_LIMIT, "is larger than %zu MiB",
                       manifest_limits.max_bytes / ((size_t)1024 * 1024));
    if (rc == 0)
        rc = manifest_identify(&claim, put->bytes, put->size, &operation->digest, err);
    return rc;
}

uint64_t oci_put_manifest(struct registry *registry, const struct registry_manifest_put *put,
                          registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(put->repository ? put->repository : "", 255);
    AUTO_FREE char *shown = text_printable(put->reference ? put->reference : "", 160);
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *scope = NULL;
    struct put_operation *operation =
        operation_new(registry, sizeof(*operation), done, argument,
                      text_new("put of manifest %s, %s", name, shown));
    struct exchange_request request = {.method = "PUT",
                                       .content_type = put->media_type,
                                       .body = put->bytes,
                                       .body_size = put->size,
                                       .effect = EFFECT_WRITE};

    if (prepare_put(put, operation, &path, &operation->operation.error) < 0)
        return operation_refuse(&operation->operation);
    scope = scope_of_repository(put->repository, "pull,push");
    request.target = path;
    request.scope = scope;
    operation_send(&operation->operation, &request, on_put);
    return operation->operation.id;
}

/* Registries say "cannot" in many ways. A missing manifest is not one of them. */
static bool says_cannot(const struct exchange_answer *answer, bool by_tag)
{
    int status = exchange_status(answer);

    if (status == 405 || status == 501)
        return true;
    if (status != 400)
        return false;
    if (errors_has_code(answer->response, "UNSUPPORTED"))
        return true;
    /* Older ones take any last part of the address for a digest. */
    return by_tag && (errors_has_code(answer->response, "DIGEST_INVALID") ||
                      errors_has_code(answer->response, "TAG_INVALID"));
}

struct delete_operation {
    struct operation operation; /* first */
    bool by_tag;
};

static void on_delete(void *argument, const struct exchange_answer *answer)
{
    struct delete_operation *removal = argument;
    struct registry_abilities *abilities = &removal->operation.registry->abilities;
    enum answer *ability = removal->by_tag ? &abilities->tag_delete : &abilities->manifest_delete;
    struct registry_answer told = {.media_type = ""};
    struct error error = {0};

    removal->operation.exchange = NULL;
    if (!answer->error) {
        *ability = ANSWER_YES;
        operation_finish(&removal->operation, &told);
        return;
    }
    error = *answer->error;
    if (says_cannot(answer, removal->by_tag)) {
        /* One that did it before refuses this one only. */
        if (*ability == ANSWER_UNKNOWN)
            *ability = ANSWER_NO;
        error.kind = FAILURE_DENIED;
        (void)error_wrap(&error, removal->by_tag
                                     ? "this registry cannot remove a single tag"
                                     : "this registry does not let the manifest be removed");
    }
    operation_fail(&removal->operation, &error);
}

static uint64_t start_delete(struct delete_operation *removal, const char *repository,
                             const char *path)
{
    AUTO_FREE char *scope = scope_of_repository(repository, "delete");
    struct exchange_request request = {
        .method = "DELETE", .target = path, .scope = scope, .effect = EFFECT_WRITE};

    operation_send(&removal->operation, &request, on_delete);
    return removal->operation.id;
}

uint64_t oci_delete_manifest(struct registry *registry, const char *repository,
                             const struct digest *digest, registry_done_f *done, void *argument)
{
    AUTO_FREE char *path = NULL;
    struct delete_operation *removal =
        operation_new(registry, sizeof(*removal), done, argument,
                      operation_name("removal of manifest", repository, digest));

    if (path_of_digest(repository, "manifests", digest, &path, &removal->operation.error) < 0)
        return operation_refuse(&removal->operation);
    return start_delete(removal, repository, path);
}

uint64_t oci_delete_tag(struct registry *registry, const char *repository, const char *tag,
                        registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    AUTO_FREE char *shown = text_printable(tag ? tag : "", 160);
    AUTO_FREE char *path = NULL;
    struct delete_operation *removal = operation_new(registry, sizeof(*removal), done, argument,
                                                     text_new("removal of tag %s:%s", name, shown));

    removal->by_tag = true;
    /* A digest here would take every tag of the manifest along. */
    if (tag && strchr(tag, ':')) {
        (void)error_set(&removal->operation.error, FAILURE_INPUT, "\"%s\" is not a tag", shown);
        return operation_refuse(&removal->operation);
    }
    if (path_of_manifest(repository, tag, &path, &removal->operation.error) < 0)
        return operation_refuse(&removal->operation);
    return start_delete(removal, repository, path);
}
