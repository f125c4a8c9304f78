/* Amazon ECR's events as EventBridge delivers them, one per body, and those of Amazon Inspector
 * about images in ECR. From a queue they may come in SNS's envelope. */
#include "ecr_origin.h"

static int read_detail(const struct json *detail, struct draft *draft, struct error *err)
{
    int r = decode_string(detail, "repository-name", &draft->repository, err);
    if (r == 0)
        r = decode_string(detail, "image-tag", &draft->tag, err);
    if (r == 0)
        r = decode_string(detail, "image-digest", &draft->digest, err);
    if (r == 0)
        draft->media_type = decode_hint(detail, "manifest-media-type");
    return r;
}

static int add_detail(const struct json *body, const struct config_registry *registry,
                      struct draft *draft, struct decoded *decoded, struct error *err)
{
    int r = ecr_check_event_origin(body, registry, err);
    if (r == 0)
        r = read_detail(json_get(body, "detail"), draft, err);
    if (r == 0)
        decoded_add_event(decoded, draft);
    return r;
}

static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "PUSH"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "DELETE"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

/* Pushes and deletes of images, and of what refers to them: signatures, attestations. Those that
 * failed, and actions of other names, are no news. */
static int decode_action(const struct json *body, const struct config_registry *registry,
                         struct decoded *decoded, struct error *err)
{
    const struct json *detail = json_get(body, "detail");
    const char *result = json_get_string(detail, "result");
    const char *action = json_get_string(detail, "action-type");
    struct draft draft = {.source_id = decode_hint(body, "id")};
    if (result == NULL || action == NULL)
        return error_set(err, FAILURE_INPUT, "the event's detail has no result or action");
    if (!text_equal(result, "SUCCESS") || !action_of(action, &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    return add_detail(body, registry, &draft, decoded, err);
}

/* Told by the registry that received the copy; deletions are not replicated. */
static int decode_replication(const struct json *body, const struct config_registry *registry,
                              struct decoded *decoded, struct error *err)
{
    struct draft draft = {.action = EVENT_PUSH, .source_id = decode_hint(body, "id")};
    const char *result = json_get_string(json_get(body, "detail"), "result");
    if (result == NULL)
        return error_set(err, FAILURE_INPUT, "the event's detail has no result");
    if (!text_equal(result, "SUCCESS")) {
        decoded->ignored++;
        return 0;
    }
    return add_detail(body, registry, &draft, decoded, err);
}

/* An image that was fetched from another registry: new here without anybody having pushed it. */
static int decode_cached(const struct json *body, const struct config_registry *registry,
                         struct decoded *decoded, struct error *err)
{
    struct draft draft = {.action = EVENT_PUSH, .source_id = decode_hint(body, "id")};
    const char *status = json_get_string(json_get(body, "detail"), "sync-status");
    if (status == NULL)
        return error_set(err, FAILURE_INPUT, "the event's detail has no sync-status");
    if (!text_equal(status, "SUCCESS")) {
        decoded->ignored++;
        return 0;
    }
    return add_detail(body, registry, &draft, decoded, err);
}

static int decode_scan(const struct json *body, const struct config_registry *registry,
                       struct decoded *decoded, struct error *err)
{
    const struct json *detail = json_get(body, "detail");
    const char *status = json_get_string(detail, "scan-status");
    struct draft draft = {.action = EVENT_SCANNED, .source_id = decode_hint(body, "id")};
    if (status == NULL)
        return error_set(err, FAILURE_INPUT, "the event's detail has no scan-status");
    if (!text_equal(status, "COMPLETE")) {
        decoded->ignored++;
        return 0;
    }
    int r = ecr_check_event_origin(body, registry, err);
    if (r == 0)
        r = decode_string(detail, "repository-name", &draft.repository, err);
    if (r == 0)
        r = decode_string(detail, "image-digest", &draft.digest, err);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

/* Other detail types of these sources are known to be of no interest. */
static const struct {
    const char *name;
    int (*decode)(const struct json *body, const struct config_registry *registry,
                  struct decoded *decoded, struct error *err);
} ecr_types[] = {
    {.name = "ECR Image Action", .decode = decode_action},
    {.name = "ECR Referrer Action", .decode = decode_action},
    {.name = "ECR Replication Action", .decode = decode_replication},
    {.name = "ECR Pull Through Cache Action", .decode = decode_cached},
    {.name = "ECR Image Scan", .decode = decode_scan},
    {.name = "Inspector2 Scan", .decode = inspector_decode_scan},
    {.name = "Inspector2 Finding", .decode = inspector_decode_finding},
};

static bool is_event(const struct json *body)
{
    const char *source = json_get_string(body, "source");
    return (text_equal(source, "aws.ecr") || text_equal(source, "aws.inspector2")) &&
           json_get_string(body, "detail-type") != NULL;
}

int ecr_decode_event(const struct json *body, const struct config_registry *registry,
                     struct decoded *ret, struct error *err)
{
    if (!is_event(body))
        return error_set(err, FAILURE_INPUT, "it is no event of the source aws.ecr");
    const char *type = json_get_string(body, "detail-type");
    for (size_t i = 0; i < ARRAY_COUNT(ecr_types); i++) {
        struct error fault = {0};
        if (!text_equal(type, ecr_types[i].name))
            continue;
        if (ecr_types[i].decode(body, registry, ret, &fault) != 0)
            decoded_add_fault(ret, &fault);
        return 0;
    }
    ret->ignored++;
    return 0;
}

static bool ecr_recognises(const struct hook_message *message)
{
    return is_event(message->body);
}

static int ecr_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    if (!sns_is_envelope(message->body))
        return ecr_decode_event(message->body, registry, ret, err);
    /* What SNS wants confirmed is followed only where its signature is the proof. */
    if (sns_decode_envelope(message->body, registry, ret) != HOOK_CONFIRM_NONE)
        ret->ignored++;
    return 0;
}

const struct decoder decoder_ecr = {
    .name = "ecr",
    .summary = "Amazon ECR through EventBridge, or from an SQS queue",
    .proof = HOOK_PROOF_SECRET,
    .recognises = ecr_recognises,
    .decode = ecr_decode,
};
