/* Google Artifact Registry (and Container Registry before it) through Pub/Sub push: {"action",
 * "digest", "tag"}, base64 in Pub/Sub's wrapper, or the bare body where the subscription unwraps.
 * Names in it are whole references, with the registry's host. */
#include "decode.h"

#include "regwarden/crypto.h"
#include "regwarden/reference.h"

static const char *const gar_headers[] = {"x-goog-pubsub-message-id", NULL};

static bool is_wrapped(const struct json *body)
{
    return json_is(json_get(body, "message"), JSON_KIND_OBJECT) &&
           json_get_string(body, "subscription") != NULL;
}

static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "INSERT"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "DELETE"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

static bool is_bare(const struct json *body)
{
    enum event_action action;
    return action_of(json_get_string(body, "action"), &action) &&
           (json_get_string(body, "digest") != NULL || json_get_string(body, "tag") != NULL);
}

static bool gar_recognises(const struct hook_message *message)
{
    return is_wrapped(message->body) || is_bare(message->body);
}

/* Empty when `text` is NULL. */
static int read_reference(const char *text, const struct config_registry *registry,
                          struct reference *ret, struct error *err)
{
    if (text == NULL)
        return 0;
    int r = reference_parse(text, ret, err);
    if (r != 0)
        return r;
    if (ret->transport != REFERENCE_REGISTRY)
        return error_set(err, FAILURE_INPUT, "the event names no image in a registry");
    return registry_check_host(registry, ret->host, err);
}

static int combine(const struct reference *by_digest, const struct reference *by_tag,
                   struct draft *draft, struct error *err)
{
    draft->repository = by_digest->repository != NULL ? by_digest->repository : by_tag->repository;
    if (by_tag->repository != NULL && !text_equal(by_tag->repository, draft->repository))
        return error_set(err, FAILURE_INPUT, "digest and tag are of different repositories");
    draft->tag = by_tag->tag;
    return 0;
}

static int decode_image(const struct json *payload, const char *source_id,
                        const struct config_registry *registry, struct decoded *decoded,
                        struct error *err)
{
    struct draft draft = {.source_id = source_id};
    const char *digest = NULL, *tag = NULL;
    const char *action = json_get_string(payload, "action");
    if (action == NULL)
        return error_set(err, FAILURE_INPUT, "the event has no action");
    if (!action_of(action, &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    struct reference by_digest = {0}, by_tag = {0};
    char buffer[DIGEST_TEXT_SIZE];
    int r = decode_string(payload, "digest", &digest, err);
    if (r == 0)
        r = decode_string(payload, "tag", &tag, err);
    if (r == 0)
        r = read_reference(digest, registry, &by_digest, err);
    if (r == 0)
        r = read_reference(tag, registry, &by_tag, err);
    if (r == 0)
        r = combine(&by_digest, &by_tag, &draft, err);
    if (r == 0 && digest_is_set(&by_digest.digest))
        draft.digest = digest_format(&by_digest.digest, buffer);
    if (r == 0)
        decoded_add_event(decoded, &draft);
    reference_release(&by_digest);
    reference_release(&by_tag);
    return r;
}

static int decode_wrapped(const struct json *message, const struct config_registry *registry,
                          struct decoded *decoded, struct error *err)
{
    const char *data = decode_hint(message, "data");
    AUTO_TEXT struct text bytes = {0};
    AUTO_JSON struct json *payload = NULL;
    if (data == NULL)
        return error_set(err, FAILURE_INPUT, "the message has no data");
    int r = crypto_from_base64(data, &bytes, err);
    if (r == 0)
        r = message_parse_json(text_data(&bytes), bytes.length, &payload, err);
    if (r != 0)
        return error_wrap(err, "the message's data"), r;
    return decode_image(payload, decode_hint(message, "messageId"), registry, decoded, err);
}

static int gar_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    const struct json *body = message->body;
    struct error fault = {0};
    if (!gar_recognises(message))
        return error_set(err, FAILURE_INPUT, "there is no message of Pub/Sub and no action");
    int r = is_wrapped(body) ? decode_wrapped(json_get(body, "message"), registry, ret, &fault)
                             : decode_image(body, hook_message_header(message, gar_headers[0]),
                                            registry, ret, &fault);
    if (r != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_gar = {
    .name = "gar",
    .summary = "Google Artifact Registry through Pub/Sub push",
    .headers = gar_headers,
    .proof = HOOK_PROOF_JWT,
    .recognises = gar_recognises,
    .decode = gar_decode,
};
