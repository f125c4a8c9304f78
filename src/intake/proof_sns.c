/* The signature of Amazon SNS, RSA over fields of the message (SignatureVersion 1: SHA-1, 2:
 * SHA-256), by the certificate that the message names.
 *
 * Anybody can have SNS sign a message for a topic of their own: so first of all the topic must be
 * one of the registry's, and only then is a certificate fetched, from the host of SNS in that
 * topic's region and nowhere else. The certificate's issuer is not looked at: it comes over TLS
 * from a host whose name was checked. A message that is sent again within the hour is taken again,
 * which is harmless, since an event only says where to look. */
#include "proofs.h"
#include "sns_message.h"

#include "regwarden/crypto.h"

enum { WINDOW_MS = 3600 * 1000, SKEW_MS = 5 * 60 * 1000 };

static int refuse_topic(const struct sns_message *message, struct error *err)
{
    AUTO_FREE char *shown = text_printable(message->topic, 200);
    error_set(err, FAILURE_DENIED, "the topic \"%s\" is not one of the registry's", shown);
    return error_hint(err, "Add it to hook-topics if it may send events.");
}

static int check_time(const struct sns_message *message, int64_t now_ms, struct error *err)
{
    if (message->sent_ms >= now_ms - WINDOW_MS && message->sent_ms <= now_ms + SKEW_MS)
        return 0;
    error_set(err, FAILURE_DENIED, "the message was not sent within the last hour");
    return error_hint(err, "If it was, this machine's clock is wrong.");
}

/* All that can be told without the certificate. */
static int check_message(const struct sns_message *message, const struct proof_input *input,
                         const char *host, struct error *err)
{
    if (check_time(message, input->now_ms, err) != 0)
        return FAILURE_DENIED;
    if (!text_equal(message->version, "1") && !text_equal(message->version, "2"))
        return error_set(err, FAILURE_DENIED, "the signature is of an unknown version");
    if (!sns_certificate_url_is_valid(message->certificate_url, host))
        return error_set(err, FAILURE_DENIED, "the signing certificate is not of %s", host);
    if (message->kind == SNS_SUBSCRIPTION_CONFIRMATION &&
        !sns_subscribe_url_is_valid(message, host))
        return error_set(err, FAILURE_DENIED,
                         "the address that confirms the subscription is not of %s", host);
    return 0;
}

static int check_signature(const struct sns_message *message, const struct text *pem,
                           int64_t now_ms, struct error *err)
{
    AUTO_PUBLIC_KEY struct public_key *key = NULL;
    struct key_validity validity = {0};
    AUTO_TEXT struct text signed_text = {0};
    AUTO_TEXT struct text signature = {0};
    if (public_key_from_certificate(pem, &key, &validity, err) != 0)
        return error_wrap(err, "the signing certificate"), FAILURE_DENIED;
    if (now_ms < validity.from_ms || now_ms > validity.until_ms)
        return error_set(err, FAILURE_DENIED, "the signing certificate is out of date");
    sns_string_to_sign(message, &signed_text);
    bool old = text_equal(message->version, "1");
    if (public_key_kind(key) == PUBLIC_KEY_RSA &&
        crypto_from_base64(message->signature, &signature, NULL) == 0 &&
        public_key_verifies(key, old ? HASH_SHA1 : HASH_SHA256, &signed_text, &signature))
        return 0;
    return error_set(err, FAILURE_DENIED, "the signature of Amazon SNS is wrong");
}

static void tell_news(const struct sns_message *message, struct proof_outcome *ret)
{
    if (message->kind == SNS_SUBSCRIPTION_CONFIRMATION) {
        ret->news = PROOF_NEWS_SUBSCRIPTION;
        ret->url = memory_copy_text(message->subscribe_url);
    } else if (message->kind == SNS_UNSUBSCRIBE_CONFIRMATION) {
        ret->news = PROOF_NEWS_UNSUBSCRIPTION;
    }
}

static enum proof_state prove_message(const struct sns_message *message,
                                      const struct proof_input *input, struct proof_outcome *ret,
                                      struct error *err)
{
    int64_t age_ms = 0;
    AUTO_FREE char *host = sns_topic_host(message->topic);
    if (host == NULL || !text_list_has(&input->hook->registry->hook_topics, message->topic)) {
        refuse_topic(message, err);
        return PROOF_REFUSED;
    }
    if (check_message(message, input, host, err) != 0)
        return PROOF_REFUSED;
    const struct text *pem = keys_find(input->keys, message->certificate_url, &age_ms);
    if (pem == NULL && !keys_may_fetch(input->keys, message->certificate_url)) {
        error_set(err, FAILURE_LATER, "the signing certificate could not be fetched from %s", host);
        return PROOF_LATER;
    }
    if (pem == NULL) {
        ret->url = memory_copy_text(message->certificate_url);
        return PROOF_FETCH;
    }
    if (check_signature(message, pem, input->now_ms, err) != 0)
        return PROOF_REFUSED;
    tell_news(message, ret);
    return PROOF_PROVEN;
}

static enum proof_state sns_prove(const struct proof_input *input, struct proof_outcome *ret,
                                  struct error *err)
{
    AUTO_SNS_MESSAGE struct sns_message message = {0};
    const char *raw = hook_message_header(input->message, "x-amz-sns-rawdelivery");
    if (raw != NULL && text_equal_nocase(raw, "true")) {
        error_set(err, FAILURE_DENIED, "raw messages of Amazon SNS carry no signature");
        error_hint(err, "Switch raw message delivery off, or set another hook-proof.");
        return PROOF_REFUSED;
    }
    if (sns_message_parse(input->message->bytes, input->message->size, &message, err) != 0)
        return PROOF_REFUSED;
    return prove_message(&message, input, ret, err);
}

static int sns_prepare(const struct config *config, struct hook *hook, struct error *err)
{
    (void)config;
    const struct text_list *topics = &hook->registry->hook_topics;
    for (size_t i = 0; i < topics->count; i++) {
        AUTO_FREE char *shown = text_printable(topics->items[i], 100);
        if (!sns_topic_is_valid(topics->items[i])) {
            error_set(err, FAILURE_INPUT, "hook-topics: \"%s\" is no ARN of a topic", shown);
            return error_hint(err, "It looks like arn:aws:sns:eu-central-1:123456789012:name.");
        }
    }
    /* Messages that come through a queue are not proven here: then nobody may post. */
    if (topics->count > 0 || hook->registry->aws.queue_url != NULL)
        return 0;
    error_set(err, FAILURE_INPUT, "events are signed by Amazon SNS, but hook-topics is empty");
    return error_hint(err, "List the ARNs of the topics that may send, or set another hook-proof.");
}

const struct proof proof_sns = {
    .prepare = sns_prepare,
    .prove = sns_prove,
};
