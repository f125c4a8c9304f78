/* Signatures of Amazon SNS, and its rules for topics and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proofs.h"
#include "sns_fixture.h"
#include "sns_message.h"

#include "regwarden/file.h"

#define NOW_MS INT64_C(1700000000000)
#define HOUR_MS INT64_C(3600000)

static char name[] = "main", dialect[] = "sns";

struct world {
    struct signer *signer;
    struct keys *keys;
    struct config_registry registry;
    struct hook hook;
    struct text_pairs headers;
    int64_t now_ms;
    char *url; /* of the last outcome */
    enum proof_news news;
    struct error err;
};

static void no_arrival(void *argument, uint64_t waiter)
{
    (void)argument;
    (void)waiter;
}

static void put_certificate(struct world *world, struct key_validity validity)
{
    AUTO_TEXT struct text pem = {0};
    signer_certificate(world->signer, validity, &pem);
    keys_put(world->keys, SNS_CERTIFICATE, pem.data, pem.length);
}

static int setup(void **state)
{
    struct world *world = memory_new(sizeof(*world));
    world->signer = signer_new_rsa(2048);
    world->keys = keys_new(NULL, no_arrival, NULL);
    world->registry = (struct config_registry){.name = name, .dialect = dialect};
    text_list_add(&world->registry.hook_topics, SNS_TOPIC);
    world->hook = (struct hook){.registry = &world->registry, .proof = &proof_sns};
    world->now_ms = NOW_MS;
    put_certificate(world, (struct key_validity){NOW_MS - HOUR_MS, NOW_MS + HOUR_MS});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    signer_free(world->signer);
    keys_free(world->keys);
    text_list_release(&world->registry.hook_topics);
    text_pairs_release(&world->headers);
    free(world->url);
    free(world);
    return 0;
}

static enum proof_state prove(struct world *world, const struct json *message)
{
    AUTO_TEXT struct text bytes = {0};
    struct proof_outcome outcome = {0};
    json_write(message, JSON_COMPACT, &bytes);
    struct hook_message hook_message = {
        .headers = &world->headers, .bytes = bytes.data, .size = bytes.length};
    struct proof_input input = {.hook = &world->hook,
                                .message = &hook_message,
                                .keys = world->keys,
                                .now_ms = world->now_ms};
    world->err = (struct error){0};
    enum proof_state state = proof_sns.prove(&input, &outcome, &world->err);
    free(world->url);
    world->url = TAKE(outcome.url);
    world->news = outcome.news;
    return state;
}

/* --- what is accepted --- */

static void what_sns_signed(void **state)
{
    static const struct {
        const char *type, *version, *subject;
        enum proof_news news;
    } table[] = {
        {"Notification", "1", NULL, PROOF_NEWS_NONE},
        {"Notification", "2", NULL, PROOF_NEWS_NONE},
        {"Notification", "1", "about\nimages", PROOF_NEWS_NONE},
        {"Notification", "2", "", PROOF_NEWS_NONE},
        {"SubscriptionConfirmation", "1", NULL, PROOF_NEWS_SUBSCRIPTION},
        {"SubscriptionConfirmation", "2", NULL, PROOF_NEWS_SUBSCRIPTION},
        {"UnsubscribeConfirmation", "2", NULL, PROOF_NEWS_UNSUBSCRIPTION},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_JSON struct json *message = sns_new(table[i].type, NOW_MS);
        json_set_string(message, "Subject", table[i].subject);
        sns_sign(message, world->signer, table[i].version);
        if (prove(world, message) != PROOF_PROVEN)
            fail_msg("row %zu: %s", i, world->err.text);
        assert_int_equal(world->news, table[i].news);
        assert_true((world->url != NULL) == (table[i].news == PROOF_NEWS_SUBSCRIPTION));
    }
}

/* --- what is not --- */

/* Signed, and then changed, or signed as it is and still not right. */
static void what_was_changed(void **state)
{
    static const struct {
        const char *key, *value; /* NULL: taken out */
        bool before;             /* it was signed */
    } table[] = {
        {"Message", "other", false},
        {"MessageId", "other", false},
        {"Subject", "added", false},
        {"Timestamp", "2023-11-14T22:13:19Z", false},
        {"TopicArn", "arn:aws:sns:eu-central-1:123456789012:other", true},
        {"TopicArn", "arn:aws:sns:us-east-1:123456789012:images", true},
        {"TopicArn", "images", true},
        {"Type", "Notification", false},
        {"Type", "Other", true},
        {"SignatureVersion", "3", false},
        {"SignatureVersion", "1", false},
        {"Signature", "", false},
        {"Signature", "!", false},
        {"Signature", NULL, false},
        {"MessageId", "a\nTimestamp\nb", true},
        {"Token", "a\nb", true},
        {"SigningCertURL", "http://" SNS_HOST "/SimpleNotificationService-1.pem", true},
        {"SigningCertURL", "https://" SNS_HOST ":443/SimpleNotificationService-1.pem", true},
        {"SigningCertURL", "https://u:p@" SNS_HOST "/SimpleNotificationService-1.pem", true},
        {"SigningCertURL", "https://" SNS_HOST ".evil.example/a.pem", true},
        {"SigningCertURL", "https://evil.example/a.pem", true},
        {"SigningCertURL", "https://evil.example/" SNS_HOST "/a.pem", true},
        {"SigningCertURL", "https://sns.us-east-1.amazonaws.com/a.pem", true},
        {"SigningCertURL", "https://" SNS_HOST "/a.pem?b", true},
        {"SigningCertURL", "https://" SNS_HOST "/a.pem#.pem", true},
        {"SigningCertURL", "https://" SNS_HOST "/../a.pem", true},
        {"SigningCertURL", "https://" SNS_HOST "/a", true},
        {"SigningCertURL", "https://" SNS_HOST, true},
        {"SubscribeURL", "https://evil.example/?Action=ConfirmSubscription", true},
        {"SubscribeURL",
         "http://" SNS_HOST "/?Action=ConfirmSubscription&TopicArn=" SNS_TOPIC "&Token=" SNS_TOKEN,
         true},
        {"SubscribeURL",
         "https://" SNS_HOST "/?Action=DeleteTopic&TopicArn=" SNS_TOPIC "&Token=" SNS_TOKEN, true},
        {"SubscribeURL",
         "https://" SNS_HOST "/?Action=ConfirmSubscription&TopicArn=" SNS_TOPIC
         "x&Token=" SNS_TOKEN,
         true},
        {"SubscribeURL", SNS_SUBSCRIBE "x", true},
        {"SubscribeURL", SNS_SUBSCRIBE "&Action=Publish", true},
        {"SubscribeURL", SNS_SUBSCRIBE "&x=y", true},
        {"SubscribeURL", "https://" SNS_HOST "/a?Action=ConfirmSubscription", true},
        {"SubscribeURL", NULL, true},
        {"Token", "other", true},
        {"Token", NULL, true},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_JSON struct json *message = sns_new(
            text_equal(table[i].key, "Subject") ? "Notification" : "SubscriptionConfirmation",
            NOW_MS);
        for (int pass = 0; pass < 2; pass++) {
            if (pass == (table[i].before ? 0 : 1))
                json_set_take(message, table[i].key,
                              table[i].value == NULL ? json_new_null()
                                                     : json_new_string(table[i].value));
            if (pass == 0)
                sns_sign(message, world->signer, "2");
        }
        if (prove(world, message) != PROOF_REFUSED)
            fail_msg("row %zu: %s %s", i, table[i].key, table[i].value);
        assert_null(world->url);
        assert_int_equal(world->news, PROOF_NEWS_NONE);
    }
}

static void both_spellings_of_the_address(void **state)
{
    struct world *world = *state;
    AUTO_JSON struct json *message = sns_new("SubscriptionConfirmation", NOW_MS);
    json_set_string(message, "SubscribeURL",
                    "https://" SNS_HOST "/?Action=ConfirmSubscription&TopicArn="
                    "arn%3Aaws%3Asns%3aeu-central-1%3A123456789012%3Aimages&Token=" SNS_TOKEN);
    sns_sign(message, world->signer, "2");
    assert_int_equal(prove(world, message), PROOF_PROVEN);
    assert_non_null(world->url);
}

static void old_messages_do_not_come_again(void **state)
{
    static const struct {
        int64_t sent_ms;
        enum proof_state state;
    } table[] = {
        {NOW_MS - HOUR_MS, PROOF_PROVEN},       {NOW_MS - HOUR_MS - 1000, PROOF_REFUSED},
        {NOW_MS + 60000, PROOF_PROVEN},         {NOW_MS + HOUR_MS, PROOF_REFUSED},
        {NOW_MS - 24 * HOUR_MS, PROOF_REFUSED}, {0, PROOF_REFUSED},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_JSON struct json *message = sns_new("Notification", table[i].sent_ms);
        sns_sign(message, world->signer, "2");
        if (prove(world, message) != table[i].state)
            fail_msg("row %zu: %s", i, world->err.text);
    }
}

static void certificates_have_their_time(void **state)
{
    static const struct {
        int64_t from_ms, until_ms;
        enum proof_state state;
    } table[] = {
        {NOW_MS - HOUR_MS, NOW_MS + HOUR_MS, PROOF_PROVEN},
        {NOW_MS - 2 * HOUR_MS, NOW_MS - HOUR_MS, PROOF_REFUSED},
        {NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS, PROOF_REFUSED},
    };
    struct world *world = *state;
    AUTO_JSON struct json *message = sns_new("Notification", NOW_MS);
    sns_sign(message, world->signer, "1");
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        put_certificate(world, (struct key_validity){table[i].from_ms, table[i].until_ms});
        assert_int_equal(prove(world, message), table[i].state);
    }
    keys_put(world->keys, SNS_CERTIFICATE, "no certificate", 14);
    assert_int_equal(prove(world, message), PROOF_REFUSED);
}

static void another_key_signs_nothing(void **state)
{
    struct world *world = *state;
    struct signer *rsa = signer_new_rsa(2048), *ec = signer_new_p256();
    AUTO_JSON struct json *message = sns_new("Notification", NOW_MS);
    sns_sign(message, rsa, "2");
    assert_int_equal(prove(world, message), PROOF_REFUSED);
    sns_sign(message, ec, "2");
    assert_int_equal(prove(world, message), PROOF_REFUSED);
    AUTO_TEXT struct text pem = {0};
    signer_certificate(ec, (struct key_validity){0, NOW_MS + HOUR_MS}, &pem);
    keys_put(world->keys, SNS_CERTIFICATE, pem.data, pem.length);
    assert_int_equal(prove(world, message), PROOF_REFUSED); /* SNS signs with RSA */
    signer_free(rsa);
    signer_free(ec);
}

/* Nothing to fetch with: it may be proven later. A topic that is not listed is not asked for. */
static void without_the_certificate(void **state)
{
    struct world *world = *state;
    AUTO_JSON struct json *message = sns_new("Notification", NOW_MS);
    json_set_string(message, "SigningCertURL", "https://" SNS_HOST "/other.pem");
    sns_sign(message, world->signer, "2");
    assert_int_equal(prove(world, message), PROOF_LATER);
    world->hook.registry = &(struct config_registry){.name = name, .dialect = dialect};
    assert_int_equal(prove(world, message), PROOF_REFUSED);
    assert_null(world->url);
}

static void raw_messages_are_unsigned(void **state)
{
    struct world *world = *state;
    AUTO_JSON struct json *message = sns_new("Notification", NOW_MS);
    sns_sign(message, world->signer, "2");
    text_pairs_add(&world->headers, "x-amz-sns-rawdelivery", "true");
    assert_int_equal(prove(world, message), PROOF_REFUSED);
    assert_non_null(strstr(world->err.hint, "hook-proof"));
}

static void topics(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *host;
    } table[] = {
        {SNS_TOPIC, SNS_HOST},
        {"arn:aws-cn:sns:cn-north-1:123456789012:a", "sns.cn-north-1.amazonaws.com.cn"},
        {"arn:aws-eusc:sns:eusc-de-east-1:123456789012:a", "sns.eusc-de-east-1.amazonaws.eu"},
        {"arn:aws-us-gov:sns:us-gov-west-1:123456789012:a.fifo", "sns.us-gov-west-1.amazonaws.com"},
        {"arn:aws:sns:eu-central-1:123456789012", NULL},
        {"arn:aws:sns:eu-central-1:123456789012:", NULL},
        {"arn:aws:sns:eu-central-1:123456789012:a:b", NULL},
        {"arn:aws:sns:eu-central-1:12345678901:a", NULL},
        {"arn:aws:sqs:eu-central-1:123456789012:a", NULL},
        {"arn:aws:sns::123456789012:a", NULL},
        {"arn:aws:sns:evil.example/:123456789012:a", NULL},
        {"arn:aws:sns:EU:123456789012:a", NULL},
        {"arn:xyz:sns:eu-central-1:123456789012:a", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *host = sns_topic_host(table[i].topic);
        if (!text_equal(host, table[i].host))
            fail_msg("%s: %s", table[i].topic, host);
    }
}

/* What Amazon documents and sends keeps the rules that are asked of it here. Their certificates are
 * gone, so that signatures are not looked at. */
static void documented_messages_keep_the_rules(void **state)
{
    (void)state;
    static const char *const files[] = {"sns-notification.json", "sns-notification-us-east-2.json",
                                        "sns-notification-ecr-push.json",
                                        "sns-subscription-confirmation.json",
                                        "sns-unsubscribe-confirmation.json"};
    const char *data = getenv("REGWARDEN_SHARED_DATA");
    if (data == NULL) {
        print_message("skipped: REGWARDEN_SHARED_DATA is not set\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        AUTO_SNS_MESSAGE struct sns_message message = {0};
        AUTO_FREE char *path = text_new("%s/events/%s", data, files[i]);
        AUTO_TEXT struct text bytes = {0};
        struct error err = {0};
        assert_int_equal(file_read(path, 1 << 20, &bytes, &err), 0);
        if (sns_message_parse(bytes.data, bytes.length, &message, &err) != 0)
            fail_msg("%s: %s", files[i], err.text);
        AUTO_FREE char *host = sns_topic_host(message.topic);
        assert_non_null(host);
        assert_true(sns_certificate_url_is_valid(message.certificate_url, host));
        if (message.kind == SNS_SUBSCRIPTION_CONFIRMATION &&
            !sns_subscribe_url_is_valid(&message, host))
            fail_msg("%s: %s", files[i], message.subscribe_url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_sns_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(both_spellings_of_the_address, setup, teardown),
        cmocka_unit_test_setup_teardown(old_messages_do_not_come_again, setup, teardown),
        cmocka_unit_test_setup_teardown(certificates_have_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(another_key_signs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(raw_messages_are_unsigned, setup, teardown),
        cmocka_unit_test(topics),
        cmocka_unit_test(documented_messages_keep_the_rules),
    };
    return cmocka_run_group_tests_name("sns", tests, NULL, NULL);
}
