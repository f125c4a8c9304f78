/* Amazon SNS: the envelope around events of Amazon ECR, {"Type", "MessageId", "TopicArn",
 * "Message", …}. What the signature is worth and which topics count is decided before;
 * confirmations are told apart here and followed elsewhere. */
#include "decode.h"

static const struct {
    const char *type;
    enum hook_confirm confirm;
} sns_types[] = {
    {.type = "Notification", .confirm = HOOK_CONFIRM_NONE},
    {.type = "SubscriptionConfirmation", .confirm = HOOK_CONFIRM_SUBSCRIPTION},
    {.type = "UnsubscribeConfirmation", .confirm = HOOK_CONFIRM_UNSUBSCRIPTION},
};

static bool type_of(const struct json *body, enum hook_confirm *ret)
{
    const char *type = json_get_string(body, "Type");
    for (size_t i = 0; i < ARRAY_COUNT(sns_types); i++) {
        if (text_equal(type, sns_types[i].type)) {
            *ret = sns_types[i].confirm;
            return true;
        }
    }
    return false;
}

bool sns_is_envelope(const struct json *body)
{
    enum hook_confirm confirm;
    return type_of(body, &confirm) && json_get_string(body, "TopicArn") != NULL &&
           json_get_string(body, "Message") != NULL;
}

static bool sns_recognises(const struct hook_message *message)
{
    return sns_is_envelope(message->body);
}

static int decode_message(const char *text, const struct config_registry *registry,
                          struct decoded *ret, struct error *err)
{
    AUTO_JSON struct json *event = NULL;
    int r = message_parse_json(text, strlen(text), &event, err);
    if (r == 0)
        r = ecr_decode_event(event, registry, ret, err);
    return r;
}

enum hook_confirm sns_decode_envelope(const struct json *body,
                                      const struct config_registry *registry, struct decoded *ret)
{
    enum hook_confirm confirm = HOOK_CONFIRM_NONE;
    struct error fault = {0};
    if (type_of(body, &confirm) && confirm != HOOK_CONFIRM_NONE)
        return confirm;
    if (decode_message(json_get_string(body, "Message"), registry, ret, &fault) != 0) {
        error_wrap(&fault, "the notification's Message");
        decoded_add_fault(ret, &fault);
    }
    return HOOK_CONFIRM_NONE;
}

/* With raw delivery there is no envelope; it has no signature either, so that it comes this far
 * only when the sender proved itself in another way. */
static int sns_decode(const struct hook_message *message, const struct config_registry *registry,
                      struct decoded *ret, struct error *err)
{
    if (!sns_is_envelope(message->body))
        return ecr_decode_event(message->body, registry, ret, err);
    ret->confirm = sns_decode_envelope(message->body, registry, ret);
    return 0;
}

const struct decoder decoder_sns = {
    .name = "sns",
    .summary = "Amazon ECR through Amazon SNS",
    .proof = HOOK_PROOF_SNS,
    .recognises = sns_recognises,
    .decode = sns_decode,
};
