/* Recorded and documented payloads of many registries: each file has a row that says what comes out
 * of it. The files are found through REGWARDEN_SHARED_DATA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode.h"

#include "regwarden/file.h"

static char registry_name[] = "main";
static char registry_dialect[] = "auto";
static char registry_url[] = "https://123456789012.dkr.ecr.us-west-2.amazonaws.com";
static const struct config_registry registry = {
    .name = registry_name, .url = registry_url, .dialect = registry_dialect};

struct recorded {
    const char *file;
    const char *decoder; /* NULL: of none */
    size_t events, ignored, faults;
};

static const struct recorded recorded[] = {
    {"acr-delete.json", NULL, 0, 0, 0},
    {"acr-ping.json", NULL, 0, 0, 0},
    {"acr-push.json", NULL, 0, 0, 0},
    {"acr-quarantine.json", NULL, 0, 0, 0},
    {"distribution-pull-manifest.json", "distribution", 0, 1, 0},
    {"distribution-push-doc.json", "distribution", 1, 2, 0},
    {"distribution-push-envelope.json", "distribution", 0, 2, 1},
    {"distribution-v28-delete-manifest.json", "distribution", 1, 0, 0},
    {"distribution-v3-delete-manifest.json", "distribution", 1, 0, 0},
    {"distribution-v3-delete-repository.json", "distribution", 0, 1, 0},
    {"distribution-v3-delete-tag.json", "distribution", 1, 0, 0},
    {"distribution-v3-mount-blob.json", "distribution", 0, 1, 0},
    {"distribution-v3-pull-head.json", "distribution", 0, 1, 0},
    {"distribution-v3-push-referrer-artifact.json", "distribution", 1, 0, 0},
    {"distribution-v3-push-with-references.json", "distribution", 1, 0, 0},
    {"dockerhub-push-doc.json", NULL, 0, 0, 0},
    {"dockerhub-push.json", NULL, 0, 0, 0},
    {"ecr-eventbridge-image-delete.json", "ecr", 0, 0, 1},
    {"ecr-eventbridge-image-push-mediatypes.json", "ecr", 0, 0, 1},
    {"ecr-eventbridge-image-push-untagged.json", "ecr", 0, 0, 1},
    {"ecr-eventbridge-image-push.json", "ecr", 0, 0, 1},
    {"ecr-eventbridge-image-scan.json", "ecr", 0, 1, 0},
    {"ecr-eventbridge-pull-through-cache.json", "ecr", 0, 1, 0},
    {"ecr-eventbridge-referrer-push.json", "ecr", 0, 1, 0},
    {"ecr-eventbridge-scan-resource-change.json", "ecr", 0, 1, 0},
    {"eventgrid-cloudevents-image-deleted.json", NULL, 0, 0, 0},
    {"eventgrid-cloudevents-image-pushed.json", NULL, 0, 0, 0},
    {"eventgrid-image-deleted.json", NULL, 0, 0, 0},
    {"eventgrid-image-pushed.json", NULL, 0, 0, 0},
    {"eventgrid-subscription-validation-response.json", NULL, 0, 0, 0},
    {"eventgrid-subscription-validation.json", NULL, 0, 0, 0},
    {"gar-delete-tag.json", NULL, 0, 0, 0},
    {"gar-insert-digest.json", NULL, 0, 0, 0},
    {"gar-insert-tagged.json", NULL, 0, 0, 0},
    {"gar-pubsub-push-delete.json", NULL, 0, 0, 0},
    {"gar-pubsub-push-insert.json", NULL, 0, 0, 0},
    {"gitea-package-created.json", NULL, 0, 0, 0},
    {"github-package-create-legacy.json", NULL, 0, 0, 0},
    {"github-package-published.json", NULL, 0, 0, 0},
    {"github-registry_package-published-2019.json", NULL, 0, 0, 0},
    {"github-registry_package-published.json", NULL, 0, 0, 0},
    {"gitlab-push.json", "distribution", 1, 0, 0},
    {"harbor-cloudevents-artifact_deleted.json", "harbor", 1, 0, 0},
    {"harbor-cloudevents-artifact_pulled.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-artifact_pushed.json", "harbor", 1, 0, 0},
    {"harbor-cloudevents-quota_exceeded.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-quota_warned.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-replication_status_changed.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-scan_completed.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-scan_failed.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-scan_stopped.json", "harbor", 0, 1, 0},
    {"harbor-cloudevents-tag_retention_finished.json", "harbor", 0, 1, 0},
    {"harbor-delete_artifact.json", "harbor", 1, 0, 0},
    {"harbor-pull_artifact.json", "harbor", 0, 1, 0},
    {"harbor-push_artifact.json", "harbor", 1, 0, 0},
    {"harbor-quota_exceed.json", "harbor", 0, 1, 0},
    {"harbor-quota_warning.json", "harbor", 0, 1, 0},
    {"harbor-replication.json", "harbor", 0, 1, 0},
    {"harbor-scanning_completed.json", "harbor", 0, 1, 0},
    {"harbor-scanning_failed.json", "harbor", 0, 1, 0},
    {"harbor-scanning_stopped.json", "harbor", 0, 1, 0},
    {"harbor-tag_retention.json", "harbor", 0, 1, 0},
    {"jfrog-docker-pushed.json", NULL, 0, 0, 0},
    {"nexus-asset-created.json", NULL, 0, 0, 0},
    {"nexus-component-created-docker.json", NULL, 0, 0, 0},
    {"quay-repo_push-multi.json", NULL, 0, 0, 0},
    {"quay-repo_push.json", NULL, 0, 0, 0},
    {"real-distribution-delete-tag.json", NULL, 0, 0, 0}, /* an attempt that sent nothing */
    {"real-distribution-push-index-oci.json", "distribution", 3, 4, 0},
    {"real-distribution-push-single-oci.json", "distribution", 1, 3, 0},
    {"sns-notification-ecr-push.json", NULL, 0, 0, 0},
    {"sns-notification-us-east-2.json", NULL, 0, 0, 0},
    {"sns-notification.json", NULL, 0, 0, 0},
    {"sns-subscription-confirmation.json", NULL, 0, 0, 0},
    {"sns-unsubscribe-confirmation.json", NULL, 0, 0, 0},
    {"sqs-error.json", NULL, 0, 0, 0},
    {"sqs-receive-message-empty.json", NULL, 0, 0, 0},
    {"sqs-receive-message-response.json", NULL, 0, 0, 0},
    {"zot-image-deleted.json", NULL, 0, 0, 0},
    {"zot-image-lint_failed.json", NULL, 0, 0, 0},
    {"zot-image-scanned.json", NULL, 0, 0, 0},
    {"zot-image-updated.json", NULL, 0, 0, 0},
    {"zot-repository-created.json", NULL, 0, 0, 0},
};

static void tally(const char *body, size_t size, struct recorded *sum)
{
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    struct hook_message message = {.bytes = body, .size = size};
    struct decode_input input = {.registry = &registry, .message = &message};
    int r = decode_body(&input, &decoded, &decoder, NULL);
    assert_true((r == 0) == (decoder != NULL));
    sum->decoder = decoder == NULL ? NULL : decoder->name;
    sum->events += decoded.count;
    sum->ignored += decoded.ignored;
    sum->faults += decoded.fault_count;
    decoded_release(&decoded);
}

/* Files named real-* hold a series of recorded requests, all others one body. */
static void tally_file(const struct text *content, const char *file, struct recorded *sum)
{
    if (!text_starts_with(file, "real-")) {
        tally(content->data, content->length, sum);
        return;
    }
    AUTO_JSON struct json *series = NULL;
    assert_int_equal(json_parse(content->data, content->length, NULL, &series, NULL), 0);
    const struct json *requests = json_get(series, "requests");
    for (size_t i = 0; i < json_count(requests); i++) {
        const char *body = json_get_string(json_at(requests, i), "body_raw");
        tally(body, strlen(body), sum);
    }
}

static const struct recorded *recorded_find(const char *file)
{
    for (size_t i = 0; i < ARRAY_COUNT(recorded); i++) {
        if (text_equal(recorded[i].file, file))
            return &recorded[i];
    }
    fail_msg("%s is not in the table of expected results", file);
    return NULL;
}

static void check_recorded(const char *path)
{
    const char *file = strrchr(path, '/') + 1;
    const struct recorded *wanted = recorded_find(file);
    struct recorded got = {.file = file};
    AUTO_TEXT struct text content = {0};
    assert_int_equal(file_read(path, 1 << 20, &content, NULL), 0);
    tally_file(&content, file, &got);
    if (!text_equal(got.decoder, wanted->decoder) || got.events != wanted->events ||
        got.ignored != wanted->ignored || got.faults != wanted->faults)
        fail_msg("%s: decoder %s, %zu events, %zu ignored, %zu faults", file,
                 got.decoder == NULL ? "none" : got.decoder, got.events, got.ignored, got.faults);
}

static void recorded_payloads_decode(void **state)
{
    (void)state;
    const char *root = getenv("REGWARDEN_SHARED_DATA");
    if (root == NULL)
        skip();
    AUTO_FREE char *directory = text_new("%s/events", root);
    AUTO_TEXT_LIST struct text_list files = {0};
    struct error err = {0};
    if (file_list(directory, ".json", &files, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(files.count, ARRAY_COUNT(recorded));
    for (size_t i = 0; i < files.count; i++)
        check_recorded(files.items[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_payloads_decode),
    };
    return cmocka_run_group_tests_name("recorded payloads", tests, NULL, NULL);
}
