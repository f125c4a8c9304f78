/* Taking tags and artifacts away in Harbor. Its distribution API removes whole artifacts only, with
 * all of their tags, and so does its own API when it is given a tag in the artifact's place: a tag
 * is taken away by name, from the artifact that it was seen to stand at. */
#include "regwarden/memory.h"
#include "regwarden/reference.h"

#include "harbor_api.h"

struct removal {
    struct operation operation; /* first */
    char *repository;
    char *tag; /* NULL: the whole artifact */
};

static void release(struct operation *operation)
{
    struct removal *removal = (struct removal *)operation;

    free(removal->repository);
    free(removal->tag);
}

static void on_removed(void *argument, const struct exchange_answer *answer)
{
    struct removal *removal = argument;
    struct registry_abilities *abilities = &removal->operation.registry->abilities;
    struct registry_answer told = {.media_type = ""};

    removal->operation.exchange = NULL;
    if (answer->error) {
        operation_fail(&removal->operation, answer->error);
        return;
    }
    if (removal->tag)
        abilities->tag_delete = ANSWER_YES;
    else
        abilities->manifest_delete = ANSWER_YES;
    operation_finish(&removal->operation, &told);
}

static void send_removal(struct removal *removal, const char *path)
{
    struct harbor_request request = {.method = "DELETE", .path = path, .effect = EFFECT_WRITE};

    harbor_send(&removal->operation, &request, on_removed);
}

static bool has_tag(const struct json *artifact, const char *tag)
{
    const struct json *tags = json_get(artifact, "tags");

    for (size_t i = 0; i < json_count(tags); i++) {
        if (text_equal(json_get_string(json_at(tags, i), "name"), tag))
            return true;
    }
    return false;
}

static int read_digest(const struct removal *removal, const struct http_response *response,
                       struct digest *ret, struct error *err)
{
    AUTO_JSON struct json *artifact = NULL;
    const char *digest;
    int rc = harbor_read(response, JSON_KIND_OBJECT, &artifact, err);

    if (rc < 0)
        return rc;
    digest = json_get_string(artifact, "digest");
    if (!has_tag(artifact, removal->tag) || !digest)
        return error_set(err, FAILURE_INPUT, "Harbor answered with another image than the tag's");
    return digest_parse_verifiable(digest, ret, err);
}

/* Harbor removes the tag only when it still stands at this artifact: one that moves in between is
 * left alone. */
static void on_artifact(void *argument, const struct exchange_answer *answer)
{
    struct removal *removal = argument;
    AUTO_FREE char *tail = NULL;
    AUTO_FREE char *path = NULL;
    struct digest digest = {0};
    struct error error = {0};

    removal->operation.exchange = NULL;
    if (answer->error) {
        operation_fail(&removal->operation, answer->error);
        return;
    }
    tail = text_new("/tags/%s", removal->tag);
    if (read_digest(removal, answer->response, &digest, &error) < 0 ||
        harbor_path_of_artifact(removal->repository, &digest, tail, &path, &error) < 0)
        operation_fail(&removal->operation, &error);
    else
        send_removal(removal, path);
}

uint64_t harbor_delete_tag(struct registry *registry, const char *repository, const char *tag,
                           registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    AUTO_FREE char *shown = text_printable(tag ? tag : "", 160);
    AUTO_FREE char *path = NULL;
    struct removal *removal = operation_new(registry, sizeof(*removal), done, argument,
                                            text_new("removal of tag %s:%s", name, shown));
    struct harbor_request request = {.method = "GET"};

    removal->operation.release = release;
    if (harbor_check_account(registry, &removal->operation.error) < 0 ||
        harbor_path_of_tag(repository, tag, &path, &removal->operation.error) < 0)
        return operation_refuse(&removal->operation);
    removal->repository = memory_copy_text(repository);
    removal->tag = memory_copy_text(tag);
    request.path = path;
    harbor_send(&removal->operation, &request, on_artifact);
    return removal->operation.id;
}

uint64_t harbor_delete_manifest(struct registry *registry, const char *repository,
                                const struct digest *digest, registry_done_f *done, void *argument)
{
    AUTO_FREE char *path = NULL;
    struct removal *removal =
        operation_new(registry, sizeof(*removal), done, argument,
                      operation_name("removal of manifest", repository, digest));

    removal->operation.release = release;
    if (harbor_check_account(registry, &removal->operation.error) < 0 ||
        harbor_path_of_artifact(repository, digest, "", &path, &removal->operation.error) < 0)
        return operation_refuse(&removal->operation);
    send_removal(removal, path);
    return removal->operation.id;
}
