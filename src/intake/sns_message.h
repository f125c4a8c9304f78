/* A message of Amazon SNS: its signed fields, and the rules for the addresses in it. Pure. */
#ifndef INTAKE_SNS_MESSAGE_H
#define INTAKE_SNS_MESSAGE_H

#include <stdbool.h>

#include "regwarden/json.h"

enum sns_kind {
    SNS_NOTIFICATION,
    SNS_SUBSCRIPTION_CONFIRMATION,
    SNS_UNSUBSCRIBE_CONFIRMATION,
};

struct sns_message {
    struct json *body;
    enum sns_kind kind;
    /* borrowed from the body */
    const char *type, *message, *message_id, *timestamp, *topic;
    const char *subject;               /* NULL when absent */
    const char *subscribe_url, *token; /* of confirmations, else NULL */
    const char *version, *signature, *certificate_url;
    int64_t sent_ms;
};
/* FAILURE_INPUT: not such a message, or a signed field other than Message and Subject holds control
 * characters: the string that is signed puts fields one below the other, so that two messages could
 * be written the same. FAILURE_LIMIT. */
int sns_message_parse(const char *bytes, size_t size, struct sns_message *ret, struct error *err);
void sns_message_release(struct sns_message *message);
#define AUTO_SNS_MESSAGE AUTO(sns_message_release)

/* Appends what the signature is over. */
void sns_string_to_sign(const struct sns_message *message, struct text *to);

/* "arn:<partition>:sns:<region>:<account>:<name>" */
bool sns_topic_is_valid(const char *topic);
/* The only host that serves the topic's certificate and confirms its subscriptions: that of SNS in
 * the topic's own region, which the settings name. NULL when the topic is not valid. Returns new.
 */
char *sns_topic_host(const char *topic);
/* https, exactly this host, no port, a plain path that ends in .pem, no query. */
bool sns_certificate_url_is_valid(const char *url, const char *host);
/* https, exactly this host, and a query of exactly Action=ConfirmSubscription and this topic and
 * token. */
bool sns_subscribe_url_is_valid(const struct sns_message *message, const char *host);

#endif
