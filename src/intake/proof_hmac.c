/* A signature of the body under a secret that both sides know (HMAC), in the spelling of each
 * sender. It is taken over the bytes as they came, not over what was parsed. */
#include "message.h"
#include "proofs.h"

#include "regwarden/crypto.h"

/* Of one dialect the strongest comes first: when it is there it decides alone, so that nobody can
 * fall back to a weaker one by adding it. */
static const struct spelling {
    const char *dialect;
    const char *header;
    const char *prefix;
    enum hash_algorithm algorithm;
    bool or_secret; /* the value may be the secret itself, as the sender is set up */
} spellings[] = {
    {"github", "x-hub-signature-256", "sha256=", HASH_SHA256, false},
    {"github", "x-hub-signature", "sha1=", HASH_SHA1, false},
    {"gitea", "x-forgejo-signature", "", HASH_SHA256, false},
    {"gitea", "x-gitea-signature", "", HASH_SHA256, false},
    {"gitea", "x-hub-signature-256", "sha256=", HASH_SHA256, false},
    {"jfrog", "x-jfrog-event-auth", "", HASH_SHA256, true},
    {"nexus", "x-nexus-webhook-signature", "", HASH_SHA1, false},
};

static bool admits(const struct spelling *spelling, const struct proof_input *input,
                   const char *value)
{
    uint8_t mac[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    const char *secret = input->hook->secret;
    crypto_hmac(spelling->algorithm, secret, strlen(secret), input->message->bytes,
                input->message->size, mac);
    crypto_hex(mac, hash_size(spelling->algorithm), hex);
    AUTO_FREE char *wanted = text_new("%s%s", spelling->prefix, hex);
    bool is_signature = crypto_equal_text(value, wanted);
    bool is_secret = spelling->or_secret && crypto_equal_text(value, secret);
    return is_signature || is_secret;
}

static bool has_spelling(const char *dialect)
{
    for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
        if (text_equal(spellings[i].dialect, dialect))
            return true;
    }
    return false;
}

/* Of the registry's dialect; where that has none of its own, of any, but no bare secret then. */
static const struct spelling *spelling_of(const struct proof_input *input)
{
    const char *dialect = input->hook->registry->dialect;
    bool own = has_spelling(dialect);
    for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
        const struct spelling *spelling = &spellings[i];
        bool applies = own ? text_equal(spelling->dialect, dialect) : !spelling->or_secret;
        if (applies && message_header_count(input->message, spelling->header) > 0)
            return spelling;
    }
    return NULL;
}

static enum proof_state hmac_prove(const struct proof_input *input, struct proof_outcome *ret,
                                   struct error *err)
{
    (void)ret;
    const struct spelling *spelling = spelling_of(input);
    const char *value =
        spelling == NULL ? NULL : hook_message_header(input->message, spelling->header);
    if (value != NULL && admits(spelling, input, value))
        return PROOF_PROVEN;
    error_set(err, FAILURE_DENIED, "the signature of the body is missing or wrong");
    error_hint(err,
               "Give the sender the content of the registry's hook-secret-file as its secret.");
    return PROOF_REFUSED;
}

static int hmac_prepare(const struct config *config, struct hook *hook, struct error *err)
{
    (void)config;
    if (hook->secret != NULL)
        return 0;
    error_set(err, FAILURE_INPUT, "hook-proof is hmac, but there is no hook-secret-file");
    return error_hint(err, "Name a file with the secret that the sender signs with as "
                           "hook-secret-file.");
}

const struct proof proof_hmac = {
    .prepare = hmac_prepare,
    .prove = hmac_prove,
};
