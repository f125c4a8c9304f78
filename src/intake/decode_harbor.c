/* Harbor's webhooks, in the default format {"type", "operator", "event_data"} and as structured
 * CloudEvents {"specversion", "type", "operator", "data"}. Pushed and deleted artifacts matter, and
 * that a scan for vulnerabilities is done; quotas, replication, retention and pulls are ignored:
 * those name artifacts in prose only, and what they did is told by pushes or found by the sweep.
 * Who pushed never makes a push uninteresting: anyone may name a robot like a scanner's. */
#include "decode.h"

enum { HARBOR_RESOURCES_MAX = 256 };

/* Both spellings of one type. */
struct harbor_type {
    const char *plain;
    const char *cloud_event;
    enum event_action action;
};

static const struct harbor_type harbor_types[] = {
    {.plain = "PUSH_ARTIFACT", .cloud_event = "harbor.artifact.pushed", .action = EVENT_PUSH},
    {.plain = "DELETE_ARTIFACT", .cloud_event = "harbor.artifact.deleted", .action = EVENT_DELETE},
    {.plain = "SCANNING_COMPLETED",
     .cloud_event = "harbor.scan.completed",
     .action = EVENT_SCANNED},
};

static bool is_cloud_event(const struct json *body)
{
    const char *type = json_get_string(body, "type");
    return json_get_string(body, "specversion") != NULL && type != NULL &&
           text_starts_with(type, "harbor.");
}

static bool is_plain(const struct json *body)
{
    return json_get_string(body, "type") != NULL &&
           json_is(json_get(body, "event_data"), JSON_KIND_OBJECT);
}

static bool harbor_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return is_plain(body) || is_cloud_event(body);
}

static const struct harbor_type *type_of(const struct json *body)
{
    const char *type = json_get_string(body, "type");
    for (size_t i = 0; i < ARRAY_COUNT(harbor_types); i++) {
        const struct harbor_type *row = &harbor_types[i];
        if (text_equal(type, is_cloud_event(body) ? row->cloud_event : row->plain))
            return row;
    }
    return NULL;
}

/* An artifact without a tag is sent with its digest in the place of the tag. A colon is in every
 * digest and in no tag, so a damaged digest is not taken for a tag either. */
static const char *tag_unless_digest(const char *tag)
{
    return tag == NULL || strchr(tag, ':') != NULL ? NULL : tag;
}

/* Making a list of contents (SBOM) is called a scan too. */
static bool is_sbom_scan(const struct json *data)
{
    const char *type = decode_hint(json_get(data, "scan"), "scan_type");
    const struct json *resource = json_at(json_get(data, "resources"), 0);
    if (type != NULL)
        return text_equal(type, "sbom");
    return json_get(resource, "sbom_overview") != NULL &&
           json_get(resource, "scan_overview") == NULL;
}

static int decode_resource(const struct json *resource, const struct draft *common,
                           struct decoded *decoded, struct error *err)
{
    struct draft draft = *common;
    const char *tag = NULL;
    if (!json_is(resource, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "it is not an object");
    int r = decode_string(resource, "digest", &draft.digest, err);
    if (r == 0)
        r = decode_string(resource, "tag", &tag, err);
    if (r != 0)
        return r;
    if (draft.digest == NULL)
        return error_set(err, FAILURE_INPUT, "it has no digest");
    /* A delete is of the artifact with all its tags, of which the event names only the first. */
    if (draft.action == EVENT_PUSH)
        draft.tag = tag_unless_digest(tag);
    decoded_add_event(decoded, &draft);
    return 0;
}

static int decode_resources(const struct json *resources, const struct draft *common,
                            struct decoded *decoded, struct error *err)
{
    size_t count = json_count(resources);
    if (!json_is(resources, JSON_KIND_ARRAY) || count == 0)
        return error_set(err, FAILURE_INPUT, "the event names no artifact");
    if (count > HARBOR_RESOURCES_MAX)
        return error_set(err, FAILURE_LIMIT, "the event names %zu artifacts; at most %d are taken",
                         count, HARBOR_RESOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct error fault = {0};
        if (decode_resource(json_at(resources, i), common, decoded, &fault) != 0) {
            error_wrap(&fault, "artifact %zu", i);
            decoded_add_fault(decoded, &fault);
        }
    }
    return 0;
}

static int harbor_decode(const struct hook_message *message, const struct config_registry *registry,
                         struct decoded *ret, struct error *err)
{
    const struct json *body = message->body;
    (void)registry; /* resource_url says Harbor's external host, which proves nothing */
    if (!harbor_recognises(message))
        return error_set(err, FAILURE_INPUT, "there is no type with event data");
    const struct harbor_type *type = type_of(body);
    if (type == NULL) {
        ret->ignored++;
        return 0;
    }
    const struct json *data = json_get(body, is_cloud_event(body) ? "data" : "event_data");
    if (type->action == EVENT_SCANNED && is_sbom_scan(data)) {
        ret->ignored++;
        return 0;
    }
    struct draft common = {
        .action = type->action,
        .repository = decode_hint(json_get(data, "repository"), "repo_full_name"),
        .actor = decode_hint(body, "operator"),
        .source_id = is_cloud_event(body) ? decode_hint(body, "id") : NULL,
    };
    struct error fault = {0};
    if (decode_resources(json_get(data, "resources"), &common, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_harbor = {
    .name = "harbor",
    .summary = "Harbor 2.x webhooks, default format and CloudEvents",
    .proof = HOOK_PROOF_SECRET,
    .recognises = harbor_recognises,
    .decode = harbor_decode,
};
