/* Azure Container Registry's webhooks: one event per body, {"id", "timestamp", "action", "target",
 * "request"}, without an envelope. The same event is the data of Event Grid's; that envelope is in
 * decode_event_grid.c. */
#include "decode.h"

static const struct {
    const char *name;
    enum event_action action;
} acr_actions[] = {
    {.name = "push", .action = EVENT_PUSH},
    {.name = "delete", .action = EVENT_DELETE},
    /* pushed into a registry with quarantine: not to be pulled before somebody has looked at it */
    {.name = "quarantine", .action = EVENT_PUSH},
};

/* Of no interest, but known: they tell the dialect. */
static const char *const acr_other_actions[] = {"ping", "chart_push", "chart_delete"};

static bool action_of(const char *name, enum event_action *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(acr_actions); i++) {
        if (text_equal(name, acr_actions[i].name)) {
            *ret = acr_actions[i].action;
            return true;
        }
    }
    return false;
}

static bool is_acr_action(const char *name)
{
    enum event_action action;
    if (action_of(name, &action))
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(acr_other_actions); i++) {
        if (text_equal(name, acr_other_actions[i]))
            return true;
    }
    return false;
}

static bool acr_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return json_get_string(body, "id") != NULL && json_get_string(body, "timestamp") != NULL &&
           is_acr_action(json_get_string(body, "action"));
}

int acr_decode_event(const struct json *event, const char *source_id,
                     const struct config_registry *registry, struct decoded *decoded,
                     struct error *err)
{
    struct draft draft = {.source_id = source_id};
    const struct json *target = json_get(event, "target");
    const char *host = decode_hint(json_get(event, "request"), "host");
    const char *action = json_get_string(event, "action");
    if (action == NULL)
        return error_set(err, FAILURE_INPUT, "the event has no action");
    draft.media_type = decode_hint(target, "mediaType");
    if (!action_of(action, &draft.action) || !media_type_may_be_manifest(draft.media_type)) {
        decoded->ignored++;
        return 0;
    }
    if (!json_is(target, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the event has no target");
    /* The login server. One subscription of Event Grid may carry the events of many registries. */
    if (host != NULL && registry_check_host(registry, host, err) != 0)
        return FAILURE_INPUT;
    int r = distribution_read_target(target, &draft, err);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    return r;
}

static int acr_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    struct error fault = {0};
    if (!json_is(message->body, JSON_KIND_OBJECT) || json_get(message->body, "action") == NULL)
        return error_set(err, FAILURE_INPUT, "there is no action");
    if (acr_decode_event(message->body, decode_hint(message->body, "id"), registry, ret, &fault) !=
        0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_acr = {
    .name = "acr",
    .summary = "webhooks of Azure Container Registry",
    .proof = HOOK_PROOF_SECRET,
    .recognises = acr_recognises,
    .decode = acr_decode,
};
