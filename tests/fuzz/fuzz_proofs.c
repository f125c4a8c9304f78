/* Headers that should prove a sender, from anybody: nobody here knows the secret, so that nothing
 * may be proven. First byte: dialect and proof; then a header's value up to a line end; then the
 * body. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proofs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name[] = "main", header[] = "Authorization";
static char secret[] = "a-secret-that-no-fuzzer-finds-c54b2f0e";
static char dialects[][16] = {"auto", "github", "gitea", "jfrog", "nexus", "sns", "gar"};
static const char *const headers[] = {
    "authorization",       "x-hub-signature-256", "x-hub-signature",          "x-gitea-signature",
    "x-forgejo-signature", "x-jfrog-event-auth",  "x-nexus-webhook-signature"};

static void must_not_prove(const struct proof *proof, const struct proof_input *input)
{
    AUTO(proof_outcome_release) struct proof_outcome outcome = {0};
    struct error err = {0};
    enum proof_state state = proof->prove(input, &outcome, &err);
    assert(state == PROOF_REFUSED || state == PROOF_LATER);
    assert(err.text[0] != '\0' && outcome.url == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct proof *const all[] = {&proof_secret, &proof_hmac, &proof_certificate,
                                              &proof_sns};
    if (size == 0)
        return 0;
    AUTO_FREE char *string = memory_copy_bytes(data + 1, size - 1);
    AUTO_PAIRS struct text_pairs pairs = {0};
    size_t line = strcspn(string, "\n");
    char *body = string[line] == '\n' ? string + line + 1 : string + line;
    struct config_registry registry = {.name = name,
                                       .dialect = dialects[data[0] % ARRAY_COUNT(dialects)],
                                       .hook_secret_header = header};
    struct hook hook = {.registry = &registry, .secret = secret};
    struct hook_message message = {.headers = &pairs, .bytes = body, .size = strlen(body)};
    struct proof_input input = {
        .hook = &hook, .message = &message, .subject = body, .now_ms = 1700000000000};
    string[line] = '\0';
    input.code = string;
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++)
        text_pairs_add(&pairs, headers[i], string);
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        must_not_prove(all[i], &input);
    return 0;
}
