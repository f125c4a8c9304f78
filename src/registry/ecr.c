/* Who the registry is in AWS, and the operations on it: names checked, one call after the other,
 * writes in line. */
#include "ecr.h"

#include "regwarden/reference.h"

/* The registry's own address, or another name of it where it is reached by a name of ours. */
static void find_host(const struct registry *registry, struct ecr_host *ret)
{
    const struct text_list *names = &registry->settings->hosts;
    bool found = ecr_host_parse(registry->url.host_port, ret);

    for (size_t i = 0; i < names->count && !found; i++)
        found = ecr_host_parse(names->items[i], ret);
}

bool ecr_is_meant(const struct config_registry *settings, const struct url *url)
{
    return settings->type == REGISTRY_TYPE_ECR ||
           (settings->type == REGISTRY_TYPE_AUTO && ecr_host_is_address(url));
}

int ecr_new(struct registry *registry, struct ecr **ret, struct error *err)
{
    const struct config_aws *settings = &registry->settings->aws;
    struct ecr *ecr = memory_new(sizeof(*ecr));
    int rc;

    ecr->registry = registry;
    TAILQ_INIT(&ecr->line);
    TAILQ_INIT(&ecr->login.asks);
    find_host(registry, &ecr->host);
    rc = aws_new(registry->loop, settings, *ecr->host.region ? ecr->host.region : NULL, &ecr->aws,
                 err);
    if (rc < 0) {
        ecr_free(ecr);
        return rc;
    }
    ecr->endpoint = settings->ecr_endpoint ? memory_copy_text(settings->ecr_endpoint)
                                           : ecr_host_endpoint(&ecr->host, aws_region(ecr->aws));
    registry->abilities.labels = ANSWER_NO;
    *ret = ecr;
    return 0;
}

void ecr_free(struct ecr *ecr)
{
    if (!ecr)
        return;
    ecr_login_release(&ecr->login);
    aws_free(ecr->aws);
    for (size_t i = 0; i < ECR_LONG_CURSORS; i++)
        free(ecr->long_cursors[i]);
    free(ecr->endpoint);
    free(ecr);
}

void ecr_count(const struct ecr *ecr, struct registry_counters *counters)
{
    struct aws_counters calls;

    aws_counters(ecr->aws, &calls);
    counters->requests += calls.calls;
    counters->retries += calls.retries;
    counters->failures += calls.failures;
    counters->throttled += calls.throttled;
}

/* --- operations --- */

static void leave_line(struct ecr_operation *operation)
{
    struct ecr_line *line = &operation->ecr->line;
    bool first = TAILQ_FIRST(line) == operation;

    if (!operation->in_line)
        return;
    TAILQ_REMOVE(line, operation, line);
    if (first && !TAILQ_EMPTY(line))
        TAILQ_FIRST(line)->run(TAILQ_FIRST(line));
}

static void release(struct operation *released)
{
    struct ecr_operation *operation = (struct ecr_operation *)released;

    ecr_call_cancel(operation->call);
    leave_line(operation);
    if (operation->release)
        operation->release(operation);
    free(operation->repository);
    free(operation->tag);
}

static int check_names(const struct ecr_order *order, struct error *err)
{
    AUTO_FREE char *by_digest = NULL;
    AUTO_FREE char *shown = text_printable(order->tag ? order->tag : "", 160);
    AUTO_FREE char *path = NULL;
    int rc = 0;

    if (order->repository)
        rc = path_of_repository(order->repository, "", &path, err);
    if (rc == 0 && order->tag && !tag_is_valid(order->tag))
        rc = error_set(err, FAILURE_INPUT, "\"%s\" is not a tag", shown);
    if (rc == 0 && order->digest)
        rc = path_of_digest(order->repository, "manifests", order->digest, &by_digest, err);
    return rc;
}

void *ecr_operation_new(struct registry *registry, size_t size, const struct ecr_order *order)
{
    struct ecr_operation *operation =
        operation_new(registry, size, order->done, order->argument, order->what);

    operation->operation.release = release;
    operation->ecr = registry->ecr;
    if (check_names(order, &operation->operation.error) < 0)
        return operation;
    operation->repository = memory_copy_text(order->repository);
    operation->tag = memory_copy_text(order->tag);
    if (order->digest)
        operation->digest = *order->digest;
    return operation;
}

void ecr_operation_send(struct ecr_operation *operation, const struct ecr_step *step,
                        ecr_done_f *done)
{
    struct ecr_request request = {.operation = step->operation,
                                  .input = step->input,
                                  .writes = step->writes,
                                  .max_body_bytes = step->max_body_bytes};

    operation->call = ecr_call_start(operation->ecr, &request, done, operation);
    json_release(step->input);
}

uint64_t ecr_operation_wait(struct ecr_operation *operation,
                            void run(struct ecr_operation *operation))
{
    struct ecr_line *line = &operation->ecr->line;

    operation->run = run;
    operation->in_line = true;
    TAILQ_INSERT_TAIL(line, operation, line);
    if (TAILQ_FIRST(line) == operation)
        run(operation);
    return operation->operation.id;
}

void ecr_operation_fail(struct ecr_operation *operation, const struct error *error)
{
    operation_fail(&operation->operation, error);
}

void ecr_operation_fail_read(struct ecr_operation *operation, const struct error *error)
{
    struct error kept = *error;

    if (kept.kind == FAILURE_INPUT)
        kept.kind = FAILURE_LATER;
    operation_fail(&operation->operation, &kept);
}

struct json *ecr_input(const struct ecr_operation *operation)
{
    const struct ecr_host *host = &operation->ecr->host;
    struct json *input = json_new_object();

    json_set_string(input, "registryId", *host->account ? host->account : NULL);
    json_set_string(input, "repositoryName", operation->repository);
    return input;
}

struct json *ecr_image_id(const char *tag, const struct digest *digest)
{
    struct json *id = json_new_object();
    char text[DIGEST_TEXT_SIZE];

    json_set_string(id, "imageTag", tag);
    json_set_string(id, "imageDigest", digest ? digest_format(digest, text) : NULL);
    return id;
}

struct json *ecr_image_ids(const char *tag, const struct digest *digest)
{
    struct json *ids = json_new_array();

    json_append_take(ids, ecr_image_id(tag, digest));
    return ids;
}
