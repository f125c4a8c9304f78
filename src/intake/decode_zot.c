/* zot's events: CloudEvents in binary mode, {"name", "reference", "digest", "mediaType", …}. The
 * manifest in them is not looked at: the registry is asked for what it really has. */
#include "cloud_events.h"

#define ZOT_PREFIX "zotregistry."

/* A failed lint means that the push was refused. */
static const struct {
    const char *type;
    enum event_action action;
} zot_types[] = {
    {.type = ZOT_PREFIX "image.updated", .action = EVENT_PUSH},
    {.type = ZOT_PREFIX "image.deleted", .action = EVENT_DELETE},
    {.type = ZOT_PREFIX "image.scanned", .action = EVENT_SCANNED},
};

static bool zot_recognises(const struct hook_message *message)
{
    return cloud_events_are(message, ZOT_PREFIX);
}

static bool action_of(const char *type, enum event_action *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(zot_types); i++) {
        if (text_equal(type, zot_types[i].type)) {
            *ret = zot_types[i].action;
            return true;
        }
    }
    return false;
}

static int read_image(const struct json *data, struct draft *draft, struct error *err)
{
    const char *reference = NULL;
    const char *digest = NULL;
    int r = decode_string(data, "name", &draft->repository, err);
    if (r == 0)
        r = decode_string(data, "reference", &reference, err);
    if (r == 0)
        r = decode_string(data, "digest", &digest, err);
    draft_set_reference(draft, reference);
    if (digest != NULL)
        draft->digest = digest;
    if (draft->action == EVENT_SCANNED)
        draft->tag = NULL;
    return r;
}

static int decode_event(const struct cloud_event *event, const struct config_registry *registry,
                        struct decoded *decoded, struct error *err)
{
    struct draft draft = {
        .media_type = decode_hint(event->data, "mediaType"),
        .actor = decode_hint(json_get(event->data, "actor"), "name"),
        .source_id = event->id,
    };
    (void)registry;
    if (!action_of(event->type, &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    int r = read_image(event->data, &draft, err);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

static int zot_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    if (!zot_recognises(message))
        return error_set(err, FAILURE_INPUT, "it is no CloudEvent of zot");
    cloud_events_decode(message, registry, decode_event, ret);
    return 0;
}

static const char *const zot_headers[] = {"ce-type", "ce-id", NULL};

const struct decoder decoder_zot = {
    .name = "zot",
    .summary = "events of zot",
    .headers = zot_headers,
    .proof = HOOK_PROOF_SECRET,
    .recognises = zot_recognises,
    .decode = zot_decode,
};
