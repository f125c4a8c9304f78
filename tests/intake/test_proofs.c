/* How senders prove themselves, without a network: the secret and signatures of bodies, in each
 * spelling, client certificates, and the settings that each way needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proofs.h"

#include "regwarden/crypto.h"

static char name[] = "main", secret[] = "It's a Secret to Everybody", header[] = "Authorization";
static char certificate_file[] = "/etc/tls.crt", ca_file[] = "/etc/ca.crt";

struct asked {
    const char *dialect;
    const char *headers[8]; /* name, value, … */
    const char *body;
    const char *code, *secret, *subject;
};

static enum proof_state ask(const struct proof *proof, const struct asked *asked)
{
    AUTO_FREE char *dialect = memory_copy_text(asked->dialect);
    struct config_registry registry = {
        .name = name, .dialect = dialect, .hook_secret_header = header};
    text_list_add(&registry.hook_clients, "CN=quay,O=Example");
    struct hook hook = {.registry = &registry, .proof = proof, .secret = secret};
    AUTO_PAIRS struct text_pairs headers = {0};
    for (size_t i = 0; i < 8 && asked->headers[i] != NULL; i += 2)
        text_pairs_add(&headers, asked->headers[i], asked->headers[i + 1]);
    struct hook_message message = {.headers = &headers,
                                   .bytes = asked->body == NULL ? "" : asked->body};
    message.size = strlen(message.bytes);
    struct proof_input input = {.hook = &hook,
                                .message = &message,
                                .subject = asked->subject,
                                .code = asked->code,
                                .secret = asked->secret};
    struct proof_outcome outcome = {0};
    struct error err = {0};
    enum proof_state state = proof->prove(&input, &outcome, &err);
    assert_true(state == PROOF_PROVEN || err.kind == FAILURE_DENIED);
    assert_null(strstr(err.text, secret));
    proof_outcome_release(&outcome);
    text_list_release(&registry.hook_clients);
    return state;
}

static void expect(const struct proof *proof, const struct asked *asked, bool proven, size_t row)
{
    if ((ask(proof, asked) == PROOF_PROVEN) != proven)
        fail_msg("row %zu", row);
}

/* --- signatures of bodies --- */

/* Of "Hello, World!" under the secret above; the first is GitHub's published vector. */
#define HELLO "Hello, World!"
#define HELLO_SHA256 "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

static const char *hex_of(enum hash_algorithm algorithm, char hex[static 2 * HASH_SIZE_MAX + 1])
{
    uint8_t mac[HASH_SIZE_MAX];
    crypto_hmac(algorithm, secret, strlen(secret), HELLO, strlen(HELLO), mac);
    crypto_hex(mac, hash_size(algorithm), hex);
    return hex;
}

static void signatures(void **state)
{
    (void)state;
    char sha1[2 * HASH_SIZE_MAX + 1];
    AUTO_FREE char *old = text_new("sha1=%s", hex_of(HASH_SHA1, sha1));
    const struct {
        struct asked asked;
        bool proven;
    } table[] = {
        {{"github", {"x-hub-signature-256", "sha256=" HELLO_SHA256}, .body = HELLO}, true},
        {{"github", {"X-Hub-Signature-256", "sha256=" HELLO_SHA256}, .body = HELLO}, true},
        {{"github", {"x-hub-signature-256", "sha256=" HELLO_SHA256}, .body = HELLO " "}, false},
        {{"github", {"x-hub-signature-256", HELLO_SHA256}, .body = HELLO}, false},
        {{"github", {"x-hub-signature-256", "sha256="}, .body = HELLO}, false},
        {{"github", {"x-hub-signature-256", ""}, .body = HELLO}, false},
        {{"github", {NULL}, .body = HELLO}, false},
        {{"github", {"x-hub-signature", old}, .body = HELLO}, true},
        {{"github", {"x-hub-signature-256", "sha256=00", "x-hub-signature", old}, .body = HELLO},
         false},
        {{"github",
          {"x-hub-signature-256", "sha256=" HELLO_SHA256, "x-hub-signature", "sha1=00"},
          .body = HELLO},
         true},
        {{"github",
          {"x-hub-signature-256", "sha256=" HELLO_SHA256, "x-hub-signature-256",
           "sha256=" HELLO_SHA256},
          .body = HELLO},
         false},
        {{"github", {"x-gitea-signature", HELLO_SHA256}, .body = HELLO}, false},
        {{"github", {"authorization", secret}, .body = HELLO}, false},
        {{"gitea", {"x-gitea-signature", HELLO_SHA256}, .body = HELLO}, true},
        {{"gitea", {"x-forgejo-signature", HELLO_SHA256}, .body = HELLO}, true},
        {{"gitea", {"x-gitea-signature", "sha256=" HELLO_SHA256}, .body = HELLO}, false},
        {{"gitea", {"x-hub-signature-256", "sha256=" HELLO_SHA256}, .body = HELLO}, true},
        {{"gitea", {"x-hub-signature", old}, .body = HELLO}, false},
        {{"nexus", {"x-nexus-webhook-signature", sha1}, .body = HELLO}, true},
        {{"nexus", {"x-nexus-webhook-signature", HELLO_SHA256}, .body = HELLO}, false},
        {{"jfrog", {"x-jfrog-event-auth", HELLO_SHA256}, .body = HELLO}, true},
        {{"jfrog", {"x-jfrog-event-auth", secret}, .body = HELLO}, true},
        {{"jfrog", {"x-jfrog-event-auth", "secret"}, .body = HELLO}, false},
        {{"jfrog", {"x-hub-signature-256", "sha256=" HELLO_SHA256}, .body = HELLO}, false},
        {{"auto", {"x-hub-signature-256", "sha256=" HELLO_SHA256}, .body = HELLO}, true},
        {{"auto", {"x-nexus-webhook-signature", sha1}, .body = HELLO}, true},
        {{"auto", {"x-jfrog-event-auth", secret}, .body = HELLO}, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        expect(&proof_hmac, &table[i].asked, table[i].proven, i);
}

/* --- the secret itself --- */

static void secrets(void **state)
{
    (void)state;
    static const struct {
        struct asked asked;
        bool proven;
    } table[] = {
        {{"eventgrid", {"authorization", secret}, .code = NULL}, true},
        {{"eventgrid", {NULL}, .code = secret}, true},
        {{"eventgrid", {NULL}, .secret = secret}, true},
        {{"eventgrid", {NULL}, .code = "wrong", .secret = secret}, true},
        {{"eventgrid", {NULL}, .code = "wrong"}, false},
        {{"eventgrid", {NULL}, .code = ""}, false},
        {{"eventgrid", {NULL}, .code = NULL}, false},
        {{"eventgrid", {"authorization", "wrong"}, .code = "It's a Secret"}, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        expect(&proof_secret, &table[i].asked, table[i].proven, i);
}

/* --- certificates --- */

static void certificates(void **state)
{
    (void)state;
    static const struct {
        struct asked asked;
        bool proven;
    } table[] = {
        {{"quay", {NULL}, .subject = "CN=quay,O=Example"}, true},
        {{"quay", {NULL}, .subject = "CN=quay"}, false},
        {{"quay", {NULL}, .subject = "CN=other,O=Example"}, false},
        {{"quay", {NULL}, .subject = NULL}, false},
        {{"quay", {"authorization", secret}, .subject = NULL}, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        expect(&proof_certificate, &table[i].asked, table[i].proven, i);
}

/* --- settings --- */

static struct text_list listed(const char *item)
{
    struct text_list list = {0};
    if (item != NULL)
        text_list_add(&list, item);
    return list;
}

static void settings_that_are_not_enough(void **state)
{
    (void)state;
    static const struct {
        enum hook_proof proof;
        bool tls;
        const char *client, *topic, *issuer, *audience, *identity, *queue;
        const char *why; /* NULL: they are enough */
    } table[] = {
        {HOOK_PROOF_AUTO, .why = NULL},
        /* not what was meant: nothing would come of these, and anybody could send */
        {HOOK_PROOF_AUTO, .topic = "arn:aws:sns:eu-central-1:123456789012:a",
         .why = "hook-proof to sns"},
        {HOOK_PROOF_AUTO, .client = "CN=a", .why = "hook-proof to certificate"},
        {HOOK_PROOF_AUTO, .identity = "a@b", .why = "hook-proof to jwt"},
        {HOOK_PROOF_AUTO, .audience = "a", .why = "hook-proof to jwt"},
        {HOOK_PROOF_SECRET, .why = "hook-secret-file"},
        {HOOK_PROOF_HMAC, .why = "hook-secret-file"},
        {HOOK_PROOF_CERTIFICATE, .client = "CN=a", .why = "tls.client-ca-file"},
        {HOOK_PROOF_CERTIFICATE, .tls = true, .why = "hook-clients"},
        {HOOK_PROOF_CERTIFICATE, .tls = true, .client = "CN=a", .why = NULL},
        {HOOK_PROOF_SNS, .why = "hook-topics"},
        {HOOK_PROOF_SNS, .queue = "https://sqs.eu-central-1.amazonaws.com/1/q", .why = NULL},
        {HOOK_PROOF_SNS, .topic = "arn:aws:sqs:eu-central-1:123456789012:a", .why = "no ARN"},
        {HOOK_PROOF_SNS, .topic = "arn:aws:sns:eu-central-1:123456789012:a", .why = NULL},
        {HOOK_PROOF_JWT, .issuer = "https://accounts.google.com", .identity = "a@b",
         .why = "hook-audience"},
        {HOOK_PROOF_JWT, .issuer = "https://accounts.google.com", .audience = "a",
         .why = "hook-identities"},
        {HOOK_PROOF_JWT, .audience = "a", .identity = "a@b", .why = "hook-issuer"},
        {HOOK_PROOF_JWT, .issuer = "https://idp.example", .audience = "a", .identity = "a@b",
         .why = "hook-keys-file"},
        {HOOK_PROOF_JWT, .issuer = "https://login.microsoftonline.com/a/b/v2.0", .audience = "a",
         .identity = "a@b", .why = "hook-keys-file"},
        {HOOK_PROOF_JWT, .issuer = "https://login.microsoftonline.com/1-2/v2.0", .audience = "a",
         .identity = "a@b", .why = NULL},
        {HOOK_PROOF_JWT, .issuer = "https://accounts.google.com", .audience = "a",
         .identity = "a@b", .why = NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        static char dialect[] = "auto";
        AUTO_FREE char *issuer = memory_copy_text(table[i].issuer);
        AUTO_FREE char *audience = memory_copy_text(table[i].audience);
        AUTO_FREE char *queue = memory_copy_text(table[i].queue);
        struct config config = {.tls_certificate_file = table[i].tls ? certificate_file : NULL,
                                .tls_client_ca_file = table[i].tls ? ca_file : NULL};
        struct config_registry registry = {.name = name,
                                           .dialect = dialect,
                                           .hook_proof = (int)table[i].proof,
                                           .hook_issuer = issuer,
                                           .hook_audience = audience,
                                           .aws.queue_url = queue,
                                           .hook_clients = listed(table[i].client),
                                           .hook_topics = listed(table[i].topic),
                                           .hook_identities = listed(table[i].identity)};
        struct hook hook = {0};
        struct error err = {0};
        int r = hook_init(&hook, &config, &registry, &err);
        if ((r == 0) != (table[i].why == NULL))
            fail_msg("row %zu: %s", i, err.text);
        if (r != 0 && strstr(err.text, table[i].why) == NULL &&
            strstr(err.hint, table[i].why) == NULL)
            fail_msg("row %zu: %s; %s", i, err.text, err.hint);
        assert_true(r == 0 || err.hint[0] != '\0');
        hook_release(&hook);
        text_list_release(&registry.hook_clients);
        text_list_release(&registry.hook_topics);
        text_list_release(&registry.hook_identities);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures),
        cmocka_unit_test(secrets),
        cmocka_unit_test(certificates),
        cmocka_unit_test(settings_that_are_not_enough),
    };
    return cmocka_run_group_tests_name("proofs", tests, NULL, NULL);
}
