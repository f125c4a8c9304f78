/* A secret that both sides know, sent along in the clear: in a header of its own, in Authorization
 * (bare, as bearer token, or as the password of basic credentials), or in the query, for senders
 * that know nothing but a URL. Compared in constant time. */
#include "proofs.h"

#include "regwarden/crypto.h"

static bool is_authorization(const struct config_registry *registry)
{
    const char *header = registry->hook_secret_header;
    return header == NULL || text_equal_nocase(header, "Authorization");
}

static bool admits_bearer(const char *secret, const char *value)
{
    const char *token = proof_after_scheme(value, "Bearer");
    return token != NULL && crypto_equal_text(token, secret);
}

static bool admits_basic(const char *secret, const char *value)
{
    const char *encoded = proof_after_scheme(value, "Basic");
    AUTO_TEXT struct text pair = {0};
    if (encoded == NULL || crypto_from_base64(encoded, &pair, NULL) != 0)
        return false;
    const char *all = text_data(&pair);
    const char *colon = strchr(all, ':');
    bool whole = crypto_equal_text(all, secret);
    bool password = colon != NULL && crypto_equal_text(colon + 1, secret);
    crypto_erase(pair.data, pair.length);
    return whole || password;
}

static bool admits_header(const struct hook *hook, const struct hook_message *message)
{
    const char *name = hook->registry->hook_secret_header;
    const char *value = hook_message_header(message, name == NULL ? "authorization" : name);
    if (value == NULL)
        return false;
    bool verbatim = crypto_equal_text(value, hook->secret);
    if (!is_authorization(hook->registry))
        return verbatim;
    bool bearer = admits_bearer(hook->secret, value);
    bool basic = admits_basic(hook->secret, value);
    return verbatim || bearer || basic;
}

static enum proof_state secret_prove(const struct proof_input *input, struct proof_outcome *ret,
                                     struct error *err)
{
    (void)ret;
    bool header = admits_header(input->hook, input->message);
    bool code = crypto_equal_text(input->code, input->hook->secret);
    bool secret = crypto_equal_text(input->secret, input->hook->secret);
    if (header || code || secret)
        return PROOF_PROVEN;
    error_set(err, FAILURE_DENIED, "the hook's secret is missing or wrong");
    error_hint(err, "Send the content of the registry's hook-secret-file in its "
                    "hook-secret-header.");
    return PROOF_REFUSED;
}

static int secret_prepare(const struct config *config, struct hook *hook, struct error *err)
{
    (void)config;
    if (hook->secret != NULL)
        return 0;
    error_set(err, FAILURE_INPUT, "hook-proof is secret, but there is no hook-secret-file");
    return error_hint(err, "Name a file with the secret as hook-secret-file.");
}

const struct proof proof_secret = {
    .challenge = "Basic realm=\"hooks\"",
    .prepare = secret_prepare,
    .prove = secret_prove,
};
