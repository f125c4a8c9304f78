/* The npm package sns-validator and this program look at the same messages of Amazon SNS and must
 * come to the same. Left out are what only this program refuses, for which test_sns.c stands (old
 * messages, topics that are not listed, SNS in another region than the topic's, control
 * characters), and confirmations of an unsubscription, whose Token the package forgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "proofs.h"
#include "sns_fixture.h"

#include "regwarden/file.h"

#define NOW_MS INT64_C(1700000000000)

static char name[] = "main", dialect[] = "sns";

static void no_arrival(void *argument, uint64_t waiter)
{
    (void)argument;
    (void)waiter;
}

enum change { AS_SIGNED, BEFORE_SIGNING, AFTER_SIGNING };

static const struct {
    const char *type, *key, *value; /* value NULL: taken out */
    enum change change;
} rows[] = {
    {"Notification", NULL, NULL, AS_SIGNED},
    {"SubscriptionConfirmation", NULL, NULL, AS_SIGNED},
    {"Notification", "Subject", "about images", BEFORE_SIGNING},
    {"Notification", "Subject", "", BEFORE_SIGNING},
    {"Notification", "Subject", "added later", AFTER_SIGNING},
    {"Notification", "Message", "\xc3\xa4\xe2\x82\xac \xf0\x9f\x90\xb3 \"\\/\n\t", BEFORE_SIGNING},
    {"Notification", "Message", "", BEFORE_SIGNING},
    {"Notification", "Message", "other", AFTER_SIGNING},
    {"Notification", "MessageId", "other", AFTER_SIGNING},
    {"Notification", "Timestamp", "2023-11-14T22:13:21Z", AFTER_SIGNING},
    {"Notification", "Type", "SubscriptionConfirmation", AFTER_SIGNING},
    {"SubscriptionConfirmation", "Type", "Notification", AFTER_SIGNING},
    {"SubscriptionConfirmation", "Token", "other", AFTER_SIGNING},
    {"SubscriptionConfirmation", "SubscribeURL", SNS_SUBSCRIBE "&x=y", AFTER_SIGNING},
    {"Notification", "Signature", "", AFTER_SIGNING},
    {"Notification", "Signature", "AAAA", AFTER_SIGNING},
    {"Notification", "SignatureVersion", "3", AFTER_SIGNING},
    {"Notification", "UnsubscribeURL", "https://evil.example/", AFTER_SIGNING},
    {"Notification", "Unknown", "more", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "http://" SNS_HOST "/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://evil.example/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://" SNS_HOST ".evil.example/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://evil.example/" SNS_HOST "/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://evil.example@" SNS_HOST ".evil.example/a.pem",
     AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://" SNS_HOST "@evil.example/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://" SNS_HOST ":8443/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "https://" SNS_HOST "/a.txt", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "ftp://" SNS_HOST "/a.pem", AFTER_SIGNING},
    {"Notification", "SigningCertURL", "", AFTER_SIGNING},
};

static void change(struct json *message, size_t row)
{
    if (rows[row].value != NULL)
        json_set_string(message, rows[row].key, rows[row].value);
}

static struct json *make(const struct signer *signer, size_t row, const char *version)
{
    struct json *message = sns_new(rows[row].type, NOW_MS);
    if (rows[row].change == BEFORE_SIGNING)
        change(message, row);
    sns_sign(message, signer, version);
    if (rows[row].change == AFTER_SIGNING)
        change(message, row);
    return message;
}

static bool accepts(const struct text *pem, const struct text *line)
{
    struct config_registry registry = {.name = name, .dialect = dialect};
    text_list_add(&registry.hook_topics, SNS_TOPIC);
    struct hook hook = {.registry = &registry, .proof = &proof_sns};
    struct keys *keys = keys_new(NULL, no_arrival, NULL);
    struct hook_message message = {.bytes = line->data, .size = line->length};
    struct proof_input input = {.hook = &hook, .message = &message, .keys = keys, .now_ms = NOW_MS};
    AUTO(proof_outcome_release) struct proof_outcome outcome = {0};
    struct error err = {0};
    keys_put(keys, SNS_CERTIFICATE, pem->data, pem->length);
    bool accepted = proof_sns.prove(&input, &outcome, &err) == PROOF_PROVEN;
    keys_free(keys);
    text_list_release(&registry.hook_topics);
    return accepted;
}

/* Where ./dev peers puts the package; NULL when it or node is not there. Returns new. */
static char *package_path(void)
{
    const char *peers = getenv("REGWARDEN_PEERS");
    AUTO_FREE char *path =
        text_new("%s%s/npm/node_modules/sns-validator", peers == NULL ? TEST_SOURCE_DIR : "",
                 peers == NULL ? "/out/peers" : peers);
    if (!file_is_directory(path) ||
        (access("/usr/bin/node", X_OK) != 0 && access("/usr/local/bin/node", X_OK) != 0)) {
        print_message("skipped: sns-validator is not installed (./dev peers)\n");
        return NULL;
    }
    return TAKE(path);
}

static char *write_file(const char *directory, const char *file, const struct text *bytes)
{
    char *path = text_new("%s/%s", directory, file);
    assert_int_equal(file_write(path, bytes->data, bytes->length, 0600, NULL), 0);
    return path;
}

static void both_accept_the_same(void **state)
{
    (void)state;
    char directory[] = "/tmp/sns-peer-XXXXXX", line[16];
    AUTO_FREE char *package = package_path();
    if (package == NULL)
        skip();
    struct signer *signer = signer_new_rsa(2048);
    AUTO_TEXT struct text pem = {0};
    AUTO_TEXT struct text all = {0};
    bool ours[2 * ARRAY_COUNT(rows)];
    signer_certificate(signer, (struct key_validity){0, 2 * NOW_MS}, &pem);
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        AUTO_JSON struct json *message = make(signer, i / 2, i % 2 == 0 ? "1" : "2");
        AUTO_TEXT struct text bytes = {0};
        json_write(message, JSON_COMPACT, &bytes);
        ours[i] = accepts(&pem, &bytes);
        text_add(&all, bytes.data);
        text_add_char(&all, '\n');
    }
    assert_non_null(mkdtemp(directory));
    AUTO_FREE char *certificate = write_file(directory, "certificate.pem", &pem);
    AUTO_FREE char *messages = write_file(directory, "messages", &all);
    AUTO_FREE char *command = text_new("node '%s/tests/support/validate_sns.js' '%s' '%s' '%s'",
                                       TEST_SOURCE_DIR, package, certificate, messages);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    size_t accepted = 0, different = 0;
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        assert_non_null(fgets(line, sizeof(line), output));
        bool theirs = line[0] == '1';
        accepted += theirs ? 1 : 0;
        if (theirs != ours[i]) {
            print_message("row %zu, version %zu: %d, sns-validator %d\n", i / 2, i % 2 + 1, ours[i],
                          theirs);
            different++;
        }
    }
    assert_int_equal(pclose(output), 0);
    assert_int_equal(different, 0);
    assert_in_range(accepted, 10, ARRAY_COUNT(ours) - 10);
    (void)unlink(certificate);
    (void)unlink(messages);
    (void)rmdir(directory);
    signer_free(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_accept_the_same)};
    return cmocka_run_group_tests_name("sns_peer", tests, NULL, NULL);
}
