/* Making the repository that quarantined images are copied to: in Amazon ECR nothing can be pushed
 * to a repository that is not there. */
#include "ecr.h"

bool ecr_may_create(const struct registry *registry, const char *repository)
{
    const char *prefix = registry->settings->quarantine_prefix;
    size_t length = prefix ? strlen(prefix) : 0;

    return registry->ecr && registry->settings->quarantine_means == QUARANTINE_COPY && length > 0 &&
           text_starts_with(repository, prefix) && repository[length] == '/';
}

static void on_created(void *argument, const struct ecr_answer *answer)
{
    struct ecr_operation *creation = argument;
    struct registry_answer told = {.media_type = ""};

    creation->call = NULL;
    if (answer->error && !text_equal(answer->error_type, "RepositoryAlreadyExistsException"))
        ecr_operation_fail(creation, answer->error);
    else
        operation_finish(&creation->operation, &told);
}

static struct json *make_input(const struct ecr_operation *creation)
{
    struct json *input = ecr_input(creation);
    struct json *tags = json_new_array();
    struct json *tag = json_new_object();

    json_set_string(tag, "Key", "regwarden");
    json_set_string(tag, "Value", "quarantine");
    json_append_take(tags, tag);
    /* Names in quarantine are taken away again, and used again. */
    json_set_string(input, "imageTagMutability", "MUTABLE");
    json_set_take(input, "tags", tags);
    return input;
}

uint64_t ecr_create_repository(struct registry *registry, const char *repository,
                               registry_done_f *done, void *argument)
{
    AUTO_FREE char *name = text_printable(repository, 255);
    struct ecr_order order = {.repository = repository,
                              .done = done,
                              .argument = argument,
                              .what = text_new("making of repository %s", name)};
    struct ecr_operation *creation = ecr_operation_new(registry, sizeof(*creation), &order);
    struct ecr_step step = {.operation = "CreateRepository", .writes = true};

    if (!creation->repository)
        return operation_refuse(&creation->operation);
    step.input = make_input(creation);
    ecr_operation_send(creation, &step, on_created);
    return creation->operation.id;
}
