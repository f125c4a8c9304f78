/* Moving and removing tags and images in Amazon ECR.
 *
 * Removing a tag by name would remove whatever the tag is on by then, and the image with it when it
 * is the last one. So the image and all of its tags are looked at first, the removal names both the
 * tag and the image, which ECR compares, and the last tag is not removed at all: whether the image
 * may go with it is another question, which ecr_delete_manifest() answers for who has asked it. */
#include "regwarden/manifest.h"

#include "ecr.h"
#include "ecr_read.h"

static void finish(struct ecr_operation *operation)
{
    struct registry_answer told = {.media_type = "", .digest = operation->digest};

    operation_finish(&operation->operation, &told);
}

/* --- removing --- */

/* The API's description does not say what tag and digest together remove; those who have tried say
 * the tag. Where it should be otherwise it happens once, and is said. */
static int check_removal(const struct ecr_operation *removal, const struct json *body,
                         struct error *err)
{
    size_t count = json_count(json_get(body, "imageIds"));
    int rc = ecr_read_removal(body, err);

    if (rc < 0 || !removal->tag || count < 2)
        return rc;
    removal->operation.registry->abilities.tag_delete = ANSWER_NO;
    (void)error_set(err, FAILURE_DENIED,
                    "this service removed more than the tag: %zu names of the image", count);
    return error_hint(err, "push the image's other tags again, and report this");
}

static void on_removed(void *argument, const struct ecr_answer *answer)
{
    struct ecr_operation *removal = argument;
    struct registry_abilities *abilities = &removal->operation.registry->abilities;
    struct error error = {0};

    removal->call = NULL;
    if (answer->error) {
        ecr_operation_fail(removal, answer->error);
        return;
    }
    if (check_removal(removal, answer->body, &error) < 0) {
        ecr_operation_fail(removal, &error);
        return;
    }
    if (removal->tag)
        abilities->tag_delete = ANSWER_YES;
    else
        abilities->manifest_delete = ANSWER_YES;
    finish(removal);
}

static void remove_image(struct ecr_operation *removal)
{
    struct ecr_step step = {
        .operation = "BatchDeleteImage", .input = ecr_input(removal), .writes = true};

    json_set_take(step.input, "imageIds", ecr_image_ids(removal->tag, &removal->digest));
    ecr_operation_send(removal, &step, on_removed);
}

uint64_t ecr_delete_manifest(struct registry *registry, const char *repository,
                             const struct digest *digest, registry_done_f *done, void *argument)
{
    struct ecr_order order = {.repository = repository ? repository : "",
                              .digest = digest,
                              .done = done,
                              .argument = argument,
                              .what = operation_name("removal of manifest", repository, digest)};
    struct ecr_operation *removal = ecr_operation_new(registry, sizeof(*removal), &order);

    if (!removal->repository)
        return operation_refuse(&removal->operation);
    return ecr_operation_wait(removal, remove_image);
}

static int check_image(struct ecr_operation *removal, const struct json *body, struct error *err)
{
    struct ecr_image image = {0};
    int rc = ecr_read_image(body, &image, err);

    if (rc == 0 && !text_list_has(&image.tags, removal->tag))
        rc = error_set(err, FAILURE_ABSENT, "the tag is not on an image any more");
    if (rc == 0 && image.tags.count < 2) {
        (void)error_set(err, FAILURE_LIMIT,
                        "it is the only tag of its image, and ECR would remove the image with it");
        rc = error_hint(err, "where nothing else needs the image, remove the image itself");
    }
    removal->digest = image.digest;
    ecr_image_release(&image);
    return rc;
}

static void on_look(void *argument, const struct ecr_answer *answer)
{
    struct ecr_operation *removal = argument;
    struct error error = {0};

    removal->call = NULL;
    if (answer->error)
        ecr_operation_fail_read(removal, answer->error);
    else if (check_image(removal, answer->body, &error) < 0)
        ecr_operation_fail_read(removal, &error);
    else
        remove_image(removal);
}

static void look(struct ecr_operation *removal)
{
    struct ecr_step step = {.operation = "DescribeImages", .input = ecr_input(removal)};

    json_set_take(step.input, "imageIds", ecr_image_ids(removal->tag, NULL));
    ecr_operation_send(removal, &step, on_look);
}

uint64_t ecr_delete_tag(struct registry *registry, const char *repository, const char *tag,
                        registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository ? repository : "", 255);
    AUTO_FREE char *shown = text_printable(tag ? tag : "", 160);
    struct ecr_order order = {.repository = repository ? repository : "",
                              .tag = tag ? tag : "",
                              .done = done,
                              .argument = argument,
                              .what = text_new("removal of tag %s:%s", name, shown)};
    struct ecr_operation *removal = ecr_operation_new(registry, sizeof(*removal), &order);
    struct error *error = &removal->operation.error;

    if (removal->repository && registry->abilities.tag_delete == ANSWER_NO)
        (void)error_set(error, FAILURE_DENIED, "this service removes more than the tag");
    if (error->kind != FAILURE_NONE)
        return operation_refuse(&removal->operation);
    return ecr_operation_wait(removal, look);
}

/* --- putting --- */

struct put_operation {
    struct ecr_operation base; /* first */
    struct json *input;
    bool created;      /* the repository was made for it */
    uint64_t creation; /* operation under way, or 0 */
};

static void release_put(struct ecr_operation *released)
{
    struct put_operation *operation = (struct put_operation *)released;

    registry_cancel(released->ecr->registry, operation->creation);
    json_release(operation->input);
}

static void put(struct ecr_operation *operation);

static int check_put(const struct put_operation *operation, const struct json *body,
                     struct error *err)
{
    const char *told = json_get_string(json_get(json_get(body, "image"), "imageId"), "imageDigest");
    char text[DIGEST_TEXT_SIZE];

    if (told && text_equal(told, digest_format(&operation->base.digest, text)))
        return 0;
    return error_set(err, FAILURE_UNCERTAIN, "ECR does not say that it took these bytes");
}

static void on_created(void *argument, const struct registry_answer *answer)
{
    struct put_operation *operation = argument;

    operation->creation = 0;
    if (answer->error)
        ecr_operation_fail(&operation->base, answer->error);
    else
        put(&operation->base);
}

static bool lacks_repository(const struct put_operation *operation, const struct ecr_answer *answer)
{
    return text_equal(answer->error_type, "RepositoryNotFoundException") && !operation->created &&
           ecr_may_create(operation->base.ecr->registry, operation->base.repository);
}

static void on_put(void *argument, const struct ecr_answer *answer)
{
    struct put_operation *operation = argument;
    struct error error = {0};

    operation->base.call = NULL;
    if (lacks_repository(operation, answer)) {
        operation->created = true;
        operation->creation = ecr_create_repository(
            operation->base.ecr->registry, operation->base.repository, on_created, operation);
    } else if (text_equal(answer->error_type, "ImageAlreadyExistsException")) {
        finish(&operation->base); /* the same bytes under the same tag */
    } else if (answer->error) {
        ecr_operation_fail(&operation->base, answer->error);
    } else if (check_put(operation, answer->body, &error) < 0) {
        ecr_operation_fail(&operation->base, &error);
    } else {
        finish(&operation->base);
    }
}

static void put(struct ecr_operation *operation)
{
    struct ecr_step step = {.operation = "PutImage",
                            .input = json_retain(((struct put_operation *)operation)->input),
                            .writes = true};

    ecr_operation_send(operation, &step, on_put);
}

/* The bytes go into JSON and must come out the same: what is not UTF-8 would not. */
static int prepare_put(const struct registry_manifest_put *wanted, struct put_operation *operation,
                       struct error *err)
{
    struct digest_claim claim = {.reference = wanted->reference};
    char text[DIGEST_TEXT_SIZE];
    struct json *manifest;
    const char *copy;
    int rc = 0;

    if (wanted->size > manifest_limits.max_bytes)
        return error_set(err, FAILURE_LIMIT, "is larger than %zu MiB",
                         manifest_limits.max_bytes / ((size_t)1024 * 1024));
    rc = manifest_identify(&claim, wanted->bytes, wanted->size, &operation->base.digest, err);
    if (rc < 0)
        return rc;
    operation->input = ecr_input(&operation->base);
    AUTO_FREE char *bytes = memory_copy_bytes(wanted->bytes, wanted->size);
    manifest = json_new_string(bytes);
    copy = json_string(manifest);
    if (!copy || strlen(copy) != wanted->size || memcmp(copy, wanted->bytes, wanted->size) != 0)
        rc = error_set(err, FAILURE_INPUT, "is not UTF-8, and ECR takes nothing else");
    json_set_take(operation->input, "imageManifest", manifest);
    if (wanted->media_type && *wanted->media_type)
        json_set_string(operation->input, "imageManifestMediaType", wanted->media_type);
    json_set_string(operation->input, "imageTag", operation->base.tag);
    json_set_string(operation->input, "imageDigest", digest_format(&operation->base.digest, text));
    return rc;
}

uint64_t ecr_put_manifest(struct registry *registry, const struct registry_manifest_put *wanted,
                          registry_done_f *done, void *argument)
{
    const char *reference = wanted->reference ? wanted->reference : "";
    AUTO_FREE char *name = text_printable(wanted->repository ? wanted->repository : "", 255);
    AUTO_FREE char *shown = text_printable(reference, 160);
    struct ecr_order order = {.repository = wanted->repository ? wanted->repository : "",
                              .tag = strchr(reference, ':') ? NULL : reference,
                              .done = done,
                              .argument = argument,
                              .what = text_new("put of manifest %s, %s", name, shown)};
    struct put_operation *operation = ecr_operation_new(registry, sizeof(*operation), &order);
    struct operation *common = &operation->base.operation;

    operation->base.release = release_put;
    if (!operation->base.repository || prepare_put(wanted, operation, &common->error) < 0)
        return operation_refuse(common);
    return ecr_operation_wait(&operation->base, put);
}
