/* Messages of Amazon SNS from anybody: read, put together for their signature, and their addresses
 * held against the rules. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "sns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOPIC "arn:aws:sns:eu-central-1:123456789012:images"

/* Whatever is written there, what is let by is on the one host, over https, and nothing else. */
static void check_url(const char *url, const char *host)
{
    AUTO_FREE char *start = text_new("https://%s/", host);
    if (!sns_certificate_url_is_valid(url, host))
        return;
    assert(text_starts_with(url, start));
    assert(strpbrk(url + strlen(start), "@:?#\\ \n") == NULL);
    assert(text_ends_with(url, ".pem"));
}

static void check_message(const struct sns_message *message)
{
    AUTO_TEXT struct text plain = {0};
    AUTO_FREE char *host = sns_topic_host(message->topic);
    sns_string_to_sign(message, &plain);
    assert(plain.length > 0 && strlen(plain.data) == plain.length);
    assert(strchr(message->message_id, '\n') == NULL && strchr(message->timestamp, '\n') == NULL);
    if (host == NULL)
        return;
    assert(text_starts_with(host, "sns.") && strpbrk(host, "/@:?# ") == NULL);
    check_url(message->certificate_url, host);
    if (message->kind == SNS_SUBSCRIPTION_CONFIRMATION && sns_subscribe_url_is_valid(message, host))
        assert(text_starts_with(message->subscribe_url + strlen("https://"), host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_SNS_MESSAGE struct sns_message message = {0};
    AUTO_FREE char *string = memory_copy_bytes(data, size);
    AUTO_FREE char *host = sns_topic_host(TOPIC);
    struct error err = {0};
    if (sns_message_parse((const char *)data, size, &message, &err) == 0)
        check_message(&message);
    else
        assert(err.text[0] != '\0');
    check_url(string, host);
    (void)sns_topic_is_valid(string);
    return 0;
}
