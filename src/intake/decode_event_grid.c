/* Azure Event Grid, in its own schema (always an array) and as CloudEvents, one or a batch. The
 * events in it are those of Azure's webhooks (decode_acr.c). The handshake of the own schema is
 * answered here; that of CloudEvents is a request of its own and no notification. */
#include "cloud_events.h"

#define VALIDATION "Microsoft.EventGrid.SubscriptionValidationEvent"
#define REGISTRY_PREFIX "Microsoft.ContainerRegistry."

enum { VALIDATION_CODE_MAX = 128 };

static bool is_of_interest(const char *type)
{
    return text_equal(type, REGISTRY_PREFIX "ImagePushed") ||
           text_equal(type, REGISTRY_PREFIX "ImageDeleted");
}

static const struct json *event_at(const struct json *body, size_t index)
{
    return json_is(body, JSON_KIND_ARRAY) ? json_at(body, index) : body;
}

static bool is_own_schema(const struct json *body)
{
    const char *type = json_get_string(event_at(body, 0), "eventType");
    return type != NULL && (text_starts_with(type, REGISTRY_PREFIX) ||
                            text_starts_with(type, "Microsoft.EventGrid."));
}

static bool event_grid_recognises(const struct hook_message *message)
{
    return is_own_schema(message->body) || cloud_events_are(message, REGISTRY_PREFIX);
}

static bool is_code(const char *code)
{
    size_t length = code == NULL ? 0 : strlen(code);
    for (size_t i = 0; i < length; i++) {
        if (code[i] <= ' ' || code[i] > '~')
            return false;
    }
    return length > 0 && length <= VALIDATION_CODE_MAX;
}

/* The validationUrl beside the code would do as well, but is never visited. */
static int answer_validation(const struct json *data, struct decoded *decoded, struct error *err)
{
    const char *code = json_get_string(data, "validationCode");
    if (!is_code(code))
        return error_set(err, FAILURE_INPUT, "the validation has no code");
    AUTO_JSON struct json *reply = json_new_object();
    AUTO_TEXT struct text text = {0};
    json_set_string(reply, "validationResponse", code);
    json_write(reply, JSON_COMPACT, &text);
    free(decoded->reply);
    decoded->reply = text_take(&text);
    return 0;
}

static int decode_own(const struct json *event, const struct config_registry *registry,
                      struct decoded *decoded, struct error *err)
{
    const char *type = json_get_string(event, "eventType");
    const struct json *data = json_get(event, "data");
    if (type == NULL)
        return error_set(err, FAILURE_INPUT, "the event has no type");
    if (text_equal(type, VALIDATION))
        return answer_validation(data, decoded, err);
    if (!is_of_interest(type)) {
        decoded->ignored++;
        return 0;
    }
    return acr_decode_event(data, decode_hint(event, "id"), registry, decoded, err);
}

static int decode_cloud_event(const struct cloud_event *event,
                              const struct config_registry *registry, struct decoded *decoded,
                              struct error *err)
{
    if (!is_of_interest(event->type)) {
        decoded->ignored++;
        return 0;
    }
    return acr_decode_event(event->data, event->id, registry, decoded, err);
}

static void decode_all_own(const struct json *body, const struct config_registry *registry,
                           struct decoded *ret)
{
    size_t total = json_is(body, JSON_KIND_ARRAY) ? json_count(body) : 1;
    for (size_t i = 0; i < total && decoded_has_room(ret, i, total); i++) {
        struct error fault = {0};
        if (decode_own(event_at(body, i), registry, ret, &fault) != 0) {
            error_wrap(&fault, "event %zu", i);
            decoded_add_fault(ret, &fault);
        }
    }
}

static int event_grid_decode(const struct hook_message *message,
                             const struct config_registry *registry, struct decoded *ret,
                             struct error *err)
{
    if (cloud_events_are(message, "Microsoft."))
        cloud_events_decode(message, registry, decode_cloud_event, ret);
    else if (json_get_string(event_at(message->body, 0), "eventType") != NULL)
        decode_all_own(message->body, registry, ret);
    else
        return error_set(err, FAILURE_INPUT, "it is no event of Azure Event Grid");
    return 0;
}

static const char *const event_grid_headers[] = {"ce-type", "ce-id", NULL};

const struct decoder decoder_event_grid = {
    .name = "eventgrid",
    .summary = "Azure Event Grid, own schema and CloudEvents",
    .headers = event_grid_headers,
    .proof = HOOK_PROOF_SECRET,
    .recognises = event_grid_recognises,
    .decode = event_grid_decode,
};
