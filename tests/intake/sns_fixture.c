/* See sns_fixture.h. */
#include "sns_fixture.h"

#include "regwarden/clock.h"

struct json *sns_new(const char *type, int64_t sent_ms)
{
    char time[CLOCK_TEXT_SIZE];
    struct json *message = json_new_object();
    json_set_string(message, "Type", type);
    json_set_string(message, "MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
    json_set_string(message, "TopicArn", SNS_TOPIC);
    json_set_string(message, "Message", "{\"a\":\"b\nc\"}");
    json_set_string(message, "Timestamp", clock_format_rfc3339(sent_ms, time));
    json_set_string(message, "SigningCertURL", SNS_CERTIFICATE);
    if (!text_equal(type, "Notification")) {
        json_set_string(message, "Token", SNS_TOKEN);
        json_set_string(message, "SubscribeURL", SNS_SUBSCRIBE);
    }
    return message;
}

void sns_sign(struct json *message, const struct signer *signer, const char *version)
{
    static const char *const keys[] = {"Message",   "MessageId", "Subject",  "SubscribeURL",
                                       "Timestamp", "Token",     "TopicArn", "Type"};
    AUTO_TEXT struct text plain = {0};
    AUTO_TEXT struct text raw = {0};
    AUTO_TEXT struct text signature = {0};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const char *value = json_get_string(message, keys[i]);
        if (value != NULL)
            text_format(&plain, "%s\n%s\n", keys[i], value);
    }
    signer_sign(signer, text_equal(version, "1") ? HASH_SHA1 : HASH_SHA256, plain.data, &raw);
    crypto_base64(raw.data, raw.length, &signature);
    json_set_string(message, "SignatureVersion", version);
    json_set_string(message, "Signature", signature.data);
}
