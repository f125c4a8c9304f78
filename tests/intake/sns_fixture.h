/* Messages of Amazon SNS as its own signer would write them: the signed string is put together here
 * by the fields' names, not by the program's own hand. */
#ifndef TEST_SNS_FIXTURE_H
#define TEST_SNS_FIXTURE_H

#include "signer.h"

#include "regwarden/json.h"

#define SNS_TOPIC "arn:aws:sns:eu-central-1:123456789012:images"
#define SNS_HOST "sns.eu-central-1.amazonaws.com"
#define SNS_CERTIFICATE "https://" SNS_HOST "/SimpleNotificationService-1.pem"
#define SNS_TOKEN "2336412f37fb687f5d51e6e241d7700ae02f7124d8268910b858cb4db727ceeb"
#define SNS_SUBSCRIBE \
    "https://" SNS_HOST "/?Action=ConfirmSubscription&TopicArn=" SNS_TOPIC "&Token=" SNS_TOKEN

/* A message without its signature, sent at that time. Returns new. */
struct json *sns_new(const char *type, int64_t sent_ms);
/* Signs what is there now; version "1" or "2". */
void sns_sign(struct json *message, const struct signer *signer, const char *version);

#endif
