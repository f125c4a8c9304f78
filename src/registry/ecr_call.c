/* One call of the API of Amazon ECR. It has words of its own for what went wrong; they become
 * failures here. */
#include "ecr.h"

#define TARGET "AmazonEC2ContainerRegistry_V20150921."

struct ecr_call {
    struct ecr *ecr;
    const char *operation;
    ecr_done_f *done;
    void *argument;
    uint64_t id; /* at aws.h */
};

static const struct {
    const char *type;
    enum failure kind;
    const char *hint;
} kinds[] = {
    {"RepositoryNotFoundException", FAILURE_ABSENT, NULL},
    {"ImageNotFoundException", FAILURE_ABSENT, NULL},
    {"ScanNotFoundException", FAILURE_ABSENT,
     "turn on scanning for the registry, or leave the rule out where there is none"},
    {"ImageTagAlreadyExistsException", FAILURE_DENIED,
     "tags of this repository are immutable: except them by a mutability filter, or choose an "
     "action that moves no tag (notify, hold, quarantine by archiving)"},
    {"LimitExceededException", FAILURE_DENIED, "raise the quota of Amazon ECR in this region"},
    {"ImageDigestDoesNotMatchException", FAILURE_INPUT, NULL},
    {"LayersNotFoundException", FAILURE_INPUT, NULL},
    {"ReferencedImagesNotFoundException", FAILURE_INPUT, NULL},
    {"ImageStorageClassUpdateNotSupportedException", FAILURE_DENIED,
     "set quarantine-means to copy for images that cannot be archived"},
    {"KmsException", FAILURE_LATER,
     "look at the KMS key that the repository is encrypted with, and at the right to use it"},
    {"InvalidParameterException", FAILURE_INPUT, NULL},
    {"ValidationException", FAILURE_INPUT, NULL},
};

static const char *const denials[] = {"AccessDeniedException", "AccessDenied",
                                      "UnauthorizedOperation"};
static bool is_one_of(const char *type, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(type, names[i]))
            return true;
    }
    return false;
}

static void classify(const struct ecr_call *call, const struct aws_answer *answer,
                     struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (!text_equal(answer->error_type, kinds[i].type))
            continue;
        error->kind = kinds[i].kind;
        if (kinds[i].hint)
            (void)error_hint(error, "%s", kinds[i].hint);
    }
    if (is_one_of(answer->error_type, denials, ARRAY_COUNT(denials)))
        (void)error_hint(error,
                         "allow ecr:%s%s to regwarden's role or user, and look at the "
                         "repository's policy",
                         call->operation,
                         text_equal(call->operation, "CreateRepository") ? " and ecr:TagResource"
                                                                         : "");
}

static void on_answer(void *argument, const struct aws_answer *answer)
{
    struct ecr_call *call = argument;
    struct ecr_answer told = {.body = answer->body, .error_type = answer->error_type};
    struct error error = {0};

    if (answer->error) {
        error = *answer->error;
        classify(call, answer, &error);
        told.error = &error;
    }
    call->done(call->argument, &told);
    free(call);
}

struct ecr_call *ecr_call_start(struct ecr *ecr, const struct ecr_request *request,
                                ecr_done_f *done, void *argument)
{
    AUTO_FREE char *target = text_new("%s%s", TARGET, request->operation);
    struct aws_call wanted = {.service = "ecr",
                              .endpoint = ecr->endpoint,
                              .target = target,
                              .json_version = "1.1",
                              .input = request->input,
                              .writes = request->writes,
                              .idle_timeout_ms = ecr->registry->idle_ms,
                              .max_body_bytes = request->max_body_bytes};
    struct ecr_call *call = memory_new(sizeof(*call));

    call->ecr = ecr;
    call->operation = request->operation;
    call->done = done;
    call->argument = argument;
    call->id = aws_send(ecr->aws, &wanted, on_answer, call);
    return call;
}

void ecr_call_cancel(struct ecr_call *call)
{
    if (!call)
        return;
    aws_cancel(call->ecr->aws, call->id);
    free(call);
}
