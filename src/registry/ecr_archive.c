/* Storage class ARCHIVE of Amazon ECR: the image stays, under all of its tags, and cannot be pulled
 * until it is restored, which takes minutes. Both ways end as success only when ECR says that the
 * image is where it should be. */
#include "ecr.h"
#include "ecr_read.h"

/* AWS says that a restore takes up to 20 minutes. */
#define RESTORE_LOOK_MS (INT64_C(2) * 60 * 1000)

struct archive_operation {
    struct ecr_operation base; /* first */
    enum ecr_status wanted;    /* ACTIVE or ARCHIVED */
    struct error refusal;      /* what ECR said to the change, NONE before it */
};

static void finish(struct archive_operation *operation)
{
    struct registry_answer told = {.media_type = "", .digest = operation->base.digest};

    operation->base.operation.registry->abilities.archive = ANSWER_YES;
    operation_finish(&operation->base.operation, &told);
}

static void fail_activating(struct archive_operation *operation)
{
    struct error error = {0};

    (void)error_set(&error, FAILURE_LATER, "ECR is restoring the image, which takes some minutes");
    error.retry_after_ms = RESTORE_LOOK_MS;
    ecr_operation_fail(&operation->base, &error);
}

static void on_changed(void *argument, const struct ecr_answer *answer);

static void change(struct archive_operation *operation)
{
    struct ecr_step step = {.operation = "UpdateImageStorageClass",
                            .input = ecr_input(&operation->base),
                            .writes = true};

    json_set_take(step.input, "imageId", ecr_image_id(NULL, &operation->base.digest));
    json_set_string(step.input, "targetStorageClass",
                    operation->wanted == ECR_STATUS_ARCHIVED ? "ARCHIVE" : "STANDARD");
    ecr_operation_send(&operation->base, &step, on_changed);
}

static void on_seen(void *argument, const struct ecr_answer *answer)
{
    struct archive_operation *operation = argument;
    struct error *refusal = &operation->refusal;
    struct ecr_image image = {0};
    struct error error = {0};
    enum ecr_status status = ECR_STATUS_ACTIVE;

    operation->base.call = NULL;
    if (answer->error) {
        ecr_operation_fail_read(&operation->base,
                                refusal->kind != FAILURE_NONE ? refusal : answer->error);
        return;
    }
    if (ecr_read_image(answer->body, &image, &error) < 0) {
        ecr_image_release(&image);
        ecr_operation_fail_read(&operation->base, &error);
        return;
    }
    status = image.status;
    ecr_image_release(&image);
    if (status == operation->wanted)
        finish(operation);
    else if (status == ECR_STATUS_ACTIVATING && operation->wanted == ECR_STATUS_ACTIVE)
        fail_activating(operation);
    else if (refusal->kind != FAILURE_NONE)
        ecr_operation_fail(&operation->base, refusal);
    else
        change(operation);
}

static void look(struct archive_operation *operation)
{
    struct ecr_step step = {.operation = "DescribeImages", .input = ecr_input(&operation->base)};
    struct json *filter = json_new_object();

    json_set_take(step.input, "imageIds", ecr_image_ids(NULL, &operation->base.digest));
    /* Otherwise only what can be pulled is shown. */
    json_set_string(filter, "imageStatus", "ANY");
    json_set_take(step.input, "filter", filter);
    ecr_operation_send(&operation->base, &step, on_seen);
}

static void on_changed(void *argument, const struct ecr_answer *answer)
{
    struct archive_operation *operation = argument;
    enum ecr_status status = ECR_STATUS_ACTIVE;
    struct error error = {0};

    operation->base.call = NULL;
    if (answer->error && answer->error->kind == FAILURE_LATER) {
        ecr_operation_fail(&operation->base, answer->error);
        return;
    }
    if (answer->error) { /* perhaps because it is so already, or was done and the answer lost */
        operation->refusal = *answer->error;
        look(operation);
        return;
    }
    if (ecr_read_status(answer->body, &status, &error) < 0 ||
        (status != operation->wanted && status != ECR_STATUS_ACTIVATING)) {
        (void)error_set(&operation->refusal, FAILURE_UNCERTAIN,
                        "ECR does not say that the image's storage class was changed");
        look(operation);
        return;
    }
    if (status == operation->wanted)
        finish(operation);
    else
        fail_activating(operation);
}

static struct archive_operation *begin(struct registry *registry, struct ecr_order *order,
                                       const char *verb, enum ecr_status wanted)
{
    struct archive_operation *operation;

    order->what = operation_name(verb, order->repository, order->digest);
    operation = ecr_operation_new(registry, sizeof(*operation), order);
    operation->wanted = wanted;
    return operation;
}

uint64_t ecr_archive(struct registry *registry, const char *repository, const struct digest *digest,
                     registry_done_f *done, void *argument)
{
    struct ecr_order order = {.repository = repository ? repository : "",
                              .digest = digest,
                              .done = done,
                              .argument = argument};
    struct archive_operation *operation =
        begin(registry, &order, "archiving of", ECR_STATUS_ARCHIVED);

    if (!operation->base.repository)
        return operation_refuse(&operation->base.operation);
    change(operation);
    return operation->base.operation.id;
}

uint64_t ecr_restore(struct registry *registry, const char *repository, const struct digest *digest,
                     registry_done_f *done, void *argument)
{
    struct ecr_order order = {.repository = repository ? repository : "",
                              .digest = digest,
                              .done = done,
                              .argument = argument};
    struct archive_operation *operation =
        begin(registry, &order, "restoring of", ECR_STATUS_ACTIVE);

    if (!operation->base.repository)
        return operation_refuse(&operation->base.operation);
    look(operation);
    return operation->base.operation.id;
}
