/* The report of the scanners of Amazon ECR, its pages put together into one document of the type
 * MEDIA_TYPE_ECR_REPORT:
 *
 *     {"imageDigest", "imageScanStatus": {"status", "description"}, "imageScanCompletedAt",
 *      "vulnerabilitySourceUpdatedAt", "findingSeverityCounts",
 *      "findings": [{"name", "severity", "uri", "attributes": [{"key", "value"}]}],
 *      "enhancedFindings": [{"severity", "status", "title", "type", "fixAvailable",
 *          "packageVulnerabilityDetails": {"vulnerabilityId", "vulnerablePackages", "source",
 *                                          "vendorSeverity", "vendorCreatedAt"}}]}
 *
 * with members as the API has them; both lists are always there. More findings than
 * ECR_FINDINGS_MAX are FAILURE_LIMIT, never a part of a report. */
#include "regwarden/map.h"
#include "regwarden/vulnerabilities.h"

#include "ecr.h"
#include "ecr_read.h"

enum { RESULTS = 200, PAGES_MAX = 1000 };

struct scan_operation {
    struct ecr_operation base; /* first */
    struct json *report;
    struct map *seen; /* cursors */
};

static void release(struct ecr_operation *released)
{
    struct scan_operation *operation = (struct scan_operation *)released;

    json_release(operation->report);
    map_free(operation->seen);
}

static void ask(struct scan_operation *operation, const char *cursor);

static void finish(struct scan_operation *operation)
{
    AUTO_TEXT struct text bytes = {0};
    struct registry_answer told = {.media_type = MEDIA_TYPE_ECR_REPORT,
                                   .digest = operation->base.digest};

    json_write(operation->report, JSON_COMPACT, &bytes);
    told.bytes = text_data(&bytes);
    told.size = bytes.length;
    operation_finish(&operation->base.operation, &told);
}

static int take_page(struct scan_operation *operation, const struct json *body, char **ret_cursor,
                     struct error *err)
{
    int rc = ecr_read_findings(body, operation->report, err);

    if (rc == 0)
        rc = ecr_read_cursor(body, ret_cursor, err);
    if (rc == 0 && *ret_cursor && map_get(operation->seen, *ret_cursor))
        rc = error_set(err, FAILURE_INPUT, "the pages lead in a circle");
    if (rc == 0 && map_count(operation->seen) >= PAGES_MAX)
        rc = error_set(err, FAILURE_LIMIT, "there are more than %d pages", PAGES_MAX);
    return rc;
}

static void on_page(void *argument, const struct ecr_answer *answer)
{
    struct scan_operation *operation = argument;
    AUTO_FREE char *cursor = NULL;
    struct error error = {0};

    operation->base.call = NULL;
    if (answer->error) {
        ecr_operation_fail_read(&operation->base, answer->error);
        return;
    }
    operation->base.operation.registry->abilities.scan_reports = ANSWER_YES;
    if (take_page(operation, answer->body, &cursor, &error) < 0)
        ecr_operation_fail_read(&operation->base, &error);
    else if (cursor)
        ask(operation, cursor);
    else
        finish(operation);
}

static void ask(struct scan_operation *operation, const char *cursor)
{
    struct ecr_step step = {.operation = "DescribeImageScanFindings",
                            .input = ecr_input(&operation->base)};

    json_set_take(step.input, "imageId", ecr_image_id(NULL, &operation->base.digest));
    json_set_integer(step.input, "maxResults", RESULTS);
    json_set_string(step.input, "nextToken", cursor);
    (void)map_set(operation->seen, cursor ? cursor : "", operation);
    ecr_operation_send(&operation->base, &step, on_page);
}

uint64_t ecr_fetch_scan_report(struct registry *registry, const char *repository,
                               const struct digest *digest, registry_done_f *done, void *argument)
{
    char text[DIGEST_TEXT_SIZE];
    struct ecr_order order = {.repository = repository ? repository : "",
                              .digest = digest,
                              .done = done,
                              .argument = argument,
                              .what = operation_name("scan report of", repository, digest)};
    struct scan_operation *operation = ecr_operation_new(registry, sizeof(*operation), &order);

    operation->base.release = release;
    operation->report = json_new_object();
    operation->seen = map_new();
    if (!operation->base.repository)
        return operation_refuse(&operation->base.operation);
    json_set_string(operation->report, "imageDigest", digest_format(digest, text));
    ask(operation, NULL);
    return operation->base.operation.id;
}
