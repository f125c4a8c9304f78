/* Amazon Inspector (enhanced scanning) about images in ECR: the first scan is done, and findings
 * that were opened, changed or closed later. Only which image it is about is read: the findings
 * themselves are asked of the registry. Inspector's other resources are ignored. */
#include "ecr_origin.h"

enum { RESOURCES_MAX = 64 };

/* "arn:aws:ecr:<region>:<account>:repository/<name>", cut in place. */
struct arn {
    char *copy;
    const char *region, *account, *repository;
};

static void arn_release(struct arn *arn)
{
    free(arn->copy);
}

static int arn_parse(const char *text, struct arn *ret, struct error *err)
{
    enum { PARTS = 6 };
    const char *parts[PARTS] = {NULL};
    char *rest = ret->copy = memory_copy_text(text);
    size_t count = 0;
    while (rest != NULL && count < PARTS) {
        parts[count++] = rest;
        if (count < PARTS)
            rest = strchr(rest, ':');
        if (count < PARTS && rest != NULL)
            *rest++ = '\0';
    }
    if (count < PARTS || !text_equal(parts[0], "arn") || !text_equal(parts[2], "ecr") ||
        !text_starts_with(parts[5], "repository/"))
        return error_set(err, FAILURE_INPUT, "the event names no repository of ECR");
    ret->region = parts[3];
    ret->account = parts[4];
    ret->repository = parts[5] + strlen("repository/");
    return 0;
}

int inspector_decode_scan(const struct json *body, const struct config_registry *registry,
                          struct decoded *decoded, struct error *err)
{
    const struct json *detail = json_get(body, "detail");
    const char *status = json_get_string(detail, "scan-status");
    const char *repository = json_get_string(detail, "repository-name");
    AUTO(arn_release) struct arn arn = {0};
    struct draft draft = {.action = EVENT_SCANNED, .source_id = decode_hint(body, "id")};
    /* machines and functions are scanned too: they have no repository */
    if (!text_equal(status, "INITIAL_SCAN_COMPLETE") || repository == NULL) {
        decoded->ignored++;
        return 0;
    }
    int r = arn_parse(repository, &arn, err);
    if (r == 0)
        r = ecr_check_origin(arn.account, arn.region, registry, err);
    if (r == 0)
        r = decode_string(detail, "image-digest", &draft.digest, err);
    draft.repository = arn.repository;
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

/* The region is the event's: Inspector works within one. The account is the image's own, since a
 * finding is also told to the account that administers Inspector for others. */
static int decode_resource(const struct json *body, const struct json *image,
                           const struct config_registry *registry, struct decoded *decoded,
                           struct error *err)
{
    struct draft draft = {.action = EVENT_SCANNED, .source_id = decode_hint(body, "id")};
    int r = ecr_check_origin(json_get_string(image, "registry"), json_get_string(body, "region"),
                             registry, err);
    if (r == 0)
        r = decode_string(image, "repositoryName", &draft.repository, err);
    if (r == 0)
        r = decode_string(image, "imageHash", &draft.digest, err);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

int inspector_decode_finding(const struct json *body, const struct config_registry *registry,
                             struct decoded *decoded, struct error *err)
{
    const struct json *resources = json_get(json_get(body, "detail"), "resources");
    size_t count = json_count(resources);
    if (!json_is(resources, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "the finding names no resources");
    if (count > RESOURCES_MAX)
        return error_set(err, FAILURE_LIMIT,
                         "the finding names %zu resources; at most %d are taken", count,
                         RESOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct error fault = {0};
        const struct json *image =
            json_get(json_get(json_at(resources, i), "details"), "awsEcrContainerImage");
        if (!json_is(image, JSON_KIND_OBJECT))
            decoded->ignored++;
        else if (decode_resource(body, image, registry, decoded, &fault) != 0)
            decoded_add_fault(decoded, &fault);
    }
    return 0;
}
