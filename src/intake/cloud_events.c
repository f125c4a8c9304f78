/* Reading CloudEvents in every mode. The mode is decided by the content type; where a proxy has
 * rewritten that, by what is there. */
#include "cloud_events.h"

#include "regwarden/crypto.h"
#include "regwarden/http_client.h"

enum cloud_mode { CLOUD_NONE, CLOUD_BINARY, CLOUD_STRUCTURED, CLOUD_BATCH };

static enum cloud_mode mode_of_body(const struct json *body)
{
    if (json_is(body, JSON_KIND_ARRAY))
        return CLOUD_BATCH;
    return json_is(body, JSON_KIND_OBJECT) ? CLOUD_STRUCTURED : CLOUD_NONE;
}

static enum cloud_mode mode_of(const struct hook_message *message)
{
    const struct json *body = message->body;
    /* the prefix of both, "application/cloudevents-batch" too: some senders name a batch by the
     * type of one event, and an array can be nothing else */
    if (message_has_type(message, "application/cloudevents"))
        return mode_of_body(body);
    if (hook_message_header(message, "ce-type") != NULL)
        return CLOUD_BINARY;
    enum cloud_mode mode = mode_of_body(body);
    const struct json *first = mode == CLOUD_BATCH ? json_at(body, 0) : body;
    return json_get_string(first, "specversion") == NULL ? CLOUD_NONE : mode;
}

/* Attributes in headers are percent-encoded. Returns new, NULL when absent or badly encoded. */
static char *header_attribute(const struct hook_message *message, const char *name)
{
    const char *value = hook_message_header(message, name);
    return value == NULL ? NULL : url_decode(value, strlen(value), false);
}

static const struct json *event_at(const struct hook_message *message, enum cloud_mode mode,
                                   size_t index)
{
    return mode == CLOUD_BATCH ? json_at(message->body, index) : message->body;
}

static void cloud_event_release(struct cloud_event *event)
{
    free(event->type);
    free(event->id);
    json_release(event->unpacked);
    *event = (struct cloud_event){0};
}
#define AUTO_CLOUD_EVENT AUTO(cloud_event_release)

static int unpack_data(const char *base64, struct cloud_event *event, struct error *err)
{
    AUTO_TEXT struct text data = {0};
    int r = crypto_from_base64(base64, &data, err);
    if (r == 0)
        r = message_parse_json(text_data(&data), data.length, &event->unpacked, err);
    if (r != 0)
        return error_wrap(err, "data_base64"), r;
    event->data = event->unpacked;
    return 0;
}

static int read_binary(const struct hook_message *message, struct cloud_event *ret,
                       struct error *err)
{
    ret->type = header_attribute(message, "ce-type");
    ret->id = header_attribute(message, "ce-id");
    ret->data = message->body;
    if (ret->type == NULL)
        return error_set(err, FAILURE_INPUT, "the header ce-type is badly encoded");
    return 0;
}

static int read_structured(const struct json *context, struct cloud_event *ret, struct error *err)
{
    const char *base64 = NULL;
    if (!json_is(context, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "it is not an object");
    int r = decode_string(context, "data_base64", &base64, err);
    if (r != 0)
        return r;
    ret->type = memory_copy_text(decode_hint(context, "type"));
    ret->id = memory_copy_text(decode_hint(context, "id"));
    ret->data = json_get(context, "data");
    if (ret->type == NULL)
        return error_set(err, FAILURE_INPUT, "the CloudEvent has no type");
    if (base64 != NULL && ret->data != NULL)
        return error_set(err, FAILURE_INPUT, "the CloudEvent has data twice");
    return base64 == NULL ? 0 : unpack_data(base64, ret, err);
}

bool cloud_events_are(const struct hook_message *message, const char *prefix)
{
    enum cloud_mode mode = mode_of(message);
    if (mode == CLOUD_NONE)
        return false;
    AUTO_FREE char *of_header = mode == CLOUD_BINARY ? header_attribute(message, "ce-type") : NULL;
    const char *type =
        mode == CLOUD_BINARY ? of_header : json_get_string(event_at(message, mode, 0), "type");
    return type != NULL && text_starts_with(type, prefix);
}

void cloud_events_decode(const struct hook_message *message, const struct config_registry *registry,
                         cloud_event_decode_f *decode, struct decoded *ret)
{
    enum cloud_mode mode = mode_of(message);
    size_t total = mode == CLOUD_BATCH ? json_count(message->body) : 1;
    for (size_t i = 0; i < total && decoded_has_room(ret, i, total); i++) {
        AUTO_CLOUD_EVENT struct cloud_event event = {0};
        struct error fault = {0};
        int r = mode == CLOUD_BINARY ? read_binary(message, &event, &fault)
                                     : read_structured(event_at(message, mode, i), &event, &fault);
        if (r == 0)
            r = decode(&event, registry, ret, &fault);
        if (r != 0) {
            error_wrap(&fault, "event %zu", i);
            decoded_add_fault(ret, &fault);
        }
    }
}
