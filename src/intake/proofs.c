/* The table of proofs, and which of them a registry's settings ask for. */
#include "proofs.h"

static const struct proof *const proofs[] = {
    [HOOK_PROOF_AUTO] = NULL,        [HOOK_PROOF_SECRET] = &proof_secret,
    [HOOK_PROOF_HMAC] = &proof_hmac, [HOOK_PROOF_CERTIFICATE] = &proof_certificate,
    [HOOK_PROOF_SNS] = &proof_sns,   [HOOK_PROOF_JWT] = &proof_jwt,
};

const struct proof *proof_find(enum hook_proof kind)
{
    return proofs[kind];
}

enum hook_proof proof_kind(const struct config_registry *registry)
{
    if (registry->hook_proof != HOOK_PROOF_AUTO)
        return (enum hook_proof)registry->hook_proof;
    const struct decoder *decoder = decoder_find(registry->dialect);
    enum hook_proof kind = decoder == NULL ? HOOK_PROOF_SECRET : decoder->proof;
    bool by_secret = kind == HOOK_PROOF_SECRET || kind == HOOK_PROOF_HMAC;
    return by_secret && registry->hook_secret_file == NULL ? HOOK_PROOF_AUTO : kind;
}

bool intake_is_open(const struct config_registry *registry)
{
    return proof_kind(registry) == HOOK_PROOF_AUTO;
}

void proof_outcome_release(struct proof_outcome *outcome)
{
    free(outcome->url);
    *outcome = (struct proof_outcome){0};
}

const char *proof_after_scheme(const char *value, const char *scheme)
{
    size_t length = strlen(scheme);
    if (strncasecmp(value, scheme, length) != 0 || value[length] != ' ')
        return NULL;
    return value + length + strspn(value + length, " ");
}
