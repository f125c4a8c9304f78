/* A signed token in Authorization: of Google for Pub/Sub, of Entra ID for Event Grid, or of anybody
 * whose keys are in a file.
 *
 * The token says who issued it, but is never asked where that one's keys are: the issuer is the one
 * of the settings, and its keys are at a fixed place, which is in the table below. */
#include "jwt.h"
#include "proofs.h"

#include "regwarden/file.h"

enum {
    SKEW_S = 60,
    FRESH_MS = 6 * 3600 * 1000,           /* keys are asked for again after this */
    STALE_MS = 3 * 24 * 3600 * 1000,      /* and not used after this, whatever happens */
    UNKNOWN_KEY_AGAIN_MS = 5 * 60 * 1000, /* a key that is not there may be new */
    TENANT_MAX = 64,
};

#define GOOGLE "https://accounts.google.com"

/* The tenant stands between the two parts of an issuer's name; without a suffix there is none. */
static const struct issuer {
    const char *prefix, *suffix;
    const char *keys_prefix, *keys_suffix;
    bool applications; /* a token may be known by the application that it was issued to */
} issuers[] = {
    {GOOGLE, NULL, "https://www.googleapis.com/oauth2/v3/certs", NULL, false},
    {"https://login.microsoftonline.com/", "/v2.0", "https://login.microsoftonline.com/",
     "/discovery/v2.0/keys", true},
    {"https://sts.windows.net/", "/", "https://login.microsoftonline.com/", "/discovery/keys",
     true},
    {"https://login.microsoftonline.us/", "/v2.0", "https://login.microsoftonline.us/",
     "/discovery/v2.0/keys", true},
    {"https://login.partner.microsoftonline.cn/", "/v2.0",
     "https://login.partner.microsoftonline.cn/", "/discovery/v2.0/keys", true},
};

/* --- the issuer --- */

/* Returns new, NULL when the name is not of this row. */
static char *tenant_of(const struct issuer *row, const char *name)
{
    if (!text_starts_with(name, row->prefix) || !text_ends_with(name, row->suffix))
        return NULL;
    const char *start = name + strlen(row->prefix);
    size_t length =
        strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    bool whole = text_equal(start + length, row->suffix);
    return length > 0 && length <= TENANT_MAX && whole ? memory_copy_bytes(start, length) : NULL;
}

/* Returns new, NULL when the row is not of this issuer. */
static char *keys_url_of(const struct issuer *row, const char *name)
{
    if (row->suffix == NULL)
        return text_equal(name, row->prefix) ? memory_copy_text(row->keys_prefix) : NULL;
    AUTO_FREE char *tenant = tenant_of(row, name);
    return tenant == NULL ? NULL : text_new("%s%s%s", row->keys_prefix, tenant, row->keys_suffix);
}

static const struct issuer *issuer_find(const char *name, char **ret_keys_url)
{
    for (size_t i = 0; i < ARRAY_COUNT(issuers); i++) {
        *ret_keys_url = keys_url_of(&issuers[i], name);
        if (*ret_keys_url != NULL)
            return &issuers[i];
    }
    return NULL;
}

/* --- the claims --- */

static bool audience_is(const struct json *claims, const char *wanted)
{
    const struct json *audience = json_get(claims, "aud");
    if (json_is(audience, JSON_KIND_STRING))
        return text_equal(json_string(audience), wanted);
    for (size_t i = 0; i < json_count(audience); i++) {
        if (json_is(audience, JSON_KIND_ARRAY) &&
            text_equal(json_string(json_at(audience, i)), wanted))
            return true;
    }
    return false;
}

static bool is_listed(const struct config_registry *registry, const struct json *claims,
                      const char *claim)
{
    const char *value = json_get_string(claims, claim);
    return value != NULL && text_list_has(&registry->hook_identities, value);
}

/* An address that its issuer did not verify is whatever its owner wrote. */
static bool identity_is_listed(const struct hook *hook, const struct json *claims)
{
    AUTO_FREE char *keys_url = NULL;
    const struct issuer *issuer = issuer_find(hook->issuer, &keys_url);
    bool applications = issuer != NULL && issuer->applications;
    return (json_bool(json_get(claims, "email_verified"), false) &&
            is_listed(hook->registry, claims, "email")) ||
           is_listed(hook->registry, claims, "sub") ||
           (applications && (is_listed(hook->registry, claims, "azp") ||
                             is_listed(hook->registry, claims, "appid")));
}

/* Seconds since 1970; anything that is no number, a fraction too large to be one, is no time. */
static bool time_of(const struct json *claims, const char *claim, int64_t *ret_s)
{
    const struct json *value = json_get(claims, claim);
    double seconds = json_real(value, -1);
    if (!(seconds >= 0 && seconds < 1e12))
        return false;
    *ret_s = (int64_t)seconds;
    return true;
}

static int check_times(const struct json *claims, int64_t now_ms, struct error *err)
{
    int64_t now_s = now_ms / 1000, expires_s = 0, issued_s = 0, from_s = 0;
    if (!time_of(claims, "exp", &expires_s) || expires_s + SKEW_S < now_s)
        return error_set(err, FAILURE_DENIED, "the token has expired");
    if (!time_of(claims, "iat", &issued_s) || issued_s - SKEW_S > now_s)
        return error_set(err, FAILURE_DENIED, "the token is of a time to come");
    if (json_get(claims, "nbf") != NULL &&
        (!time_of(claims, "nbf", &from_s) || from_s - SKEW_S > now_s))
        return error_set(err, FAILURE_DENIED, "the token is not valid yet");
    return 0;
}

static int check_claims(const struct proof_input *input, const struct json *claims,
                        struct error *err)
{
    const struct hook *hook = input->hook;
    if (!text_equal(json_get_string(claims, "iss"), hook->issuer))
        return error_set(err, FAILURE_DENIED, "the token is not of the issuer %s", hook->issuer);
    if (!audience_is(claims, hook->registry->hook_audience))
        return error_set(err, FAILURE_DENIED, "the token is for another audience");
    if (check_times(claims, input->now_ms, err) != 0)
        return FAILURE_DENIED;
    if (identity_is_listed(hook, claims))
        return 0;
    error_set(err, FAILURE_DENIED, "the token is of nobody whom hook-identities lists");
    return error_hint(err, "Add the account's e-mail address or subject if it may send events.");
}

/* --- the key --- */

static enum proof_state ask_for_keys(const struct hook *hook, struct proof_outcome *ret)
{
    ret->url = memory_copy_text(hook->keys_url);
    return PROOF_FETCH;
}

static enum proof_state check_fetched(const struct proof_input *input, const struct jwt *jwt,
                                      struct proof_outcome *ret, struct error *err)
{
    const struct hook *hook = input->hook;
    int64_t age_ms = 0;
    const struct text *set = keys_find(input->keys, hook->keys_url, &age_ms);
    bool may_fetch = keys_may_fetch(input->keys, hook->keys_url);
    if (may_fetch && (set == NULL || age_ms > FRESH_MS))
        return ask_for_keys(hook, ret);
    if (set == NULL || age_ms > STALE_MS) {
        error_set(err, FAILURE_LATER, "the keys of %s could not be fetched", hook->issuer);
        return PROOF_LATER;
    }
    int r = jwt_check(jwt, set, err);
    if (r == FAILURE_ABSENT && may_fetch && age_ms > UNKNOWN_KEY_AGAIN_MS)
        return ask_for_keys(hook, ret);
    return r == 0 ? PROOF_PROVEN : PROOF_REFUSED;
}

/* The claims come first: a token that is not for us is no reason to fetch anything. */
static enum proof_state jwt_prove(const struct proof_input *input, struct proof_outcome *ret,
                                  struct error *err)
{
    AUTO_JWT struct jwt jwt = {0};
    const char *header = hook_message_header(input->message, "authorization");
    const char *token = header == NULL ? NULL : proof_after_scheme(header, "Bearer");
    if (token == NULL) {
        error_set(err, FAILURE_DENIED, "there is no bearer token");
        return PROOF_REFUSED;
    }
    if (jwt_parse(token, &jwt, err) != 0 || check_claims(input, jwt.claims, err) != 0)
        return PROOF_REFUSED;
    if (input->hook->keys_url != NULL)
        return check_fetched(input, &jwt, ret, err);
    return jwt_check(&jwt, &input->hook->key_set, err) == 0 ? PROOF_PROVEN : PROOF_REFUSED;
}

/* --- the settings --- */

static int read_keys_file(struct hook *hook, struct error *err)
{
    enum { KEYS_FILE_MAX = 64 << 10 };
    const char *path = hook->registry->hook_keys_file;
    int r = file_read(path, KEYS_FILE_MAX, &hook->key_set, err);
    if (r == 0)
        r = key_set_check(&hook->key_set, err);
    return r == 0 ? 0 : (error_wrap(err, "hook-keys-file %s", path), r);
}

static int find_keys(struct hook *hook, struct error *err)
{
    if (hook->registry->hook_keys_file != NULL)
        return read_keys_file(hook, err);
    if (issuer_find(hook->issuer, &hook->keys_url) != NULL)
        return 0;
    AUTO_FREE char *shown = text_printable(hook->issuer, 200);
    error_set(err, FAILURE_INPUT, "where the issuer %s publishes its keys is not known", shown);
    return error_hint(err, "Save its JSON web key set to a file and name that as hook-keys-file.");
}

static int refuse_settings(struct error *err, const char *missing, const char *hint)
{
    error_set(err, FAILURE_INPUT, "events carry signed tokens, but %s is not set", missing);
    return error_hint(err, "%s", hint);
}

static int jwt_prepare(const struct config *config, struct hook *hook, struct error *err)
{
    (void)config;
    const struct config_registry *registry = hook->registry;
    const struct decoder *decoder = decoder_find(registry->dialect);
    bool google = decoder != NULL && decoder->proof == HOOK_PROOF_JWT;
    if (registry->hook_audience == NULL)
        return refuse_settings(err, "hook-audience",
                               "Set it to the audience that the sender is set up with.");
    if (registry->hook_identities.count == 0)
        return refuse_settings(err, "hook-identities",
                               "List the accounts whose tokens are taken, by e-mail address or "
                               "subject.");
    if (registry->hook_issuer == NULL && !google)
        return refuse_settings(err, "hook-issuer",
                               "For Entra ID it is https://login.microsoftonline.com/<tenant>/v2.0 "
                               "or https://sts.windows.net/<tenant>/.");
    hook->issuer = memory_copy_text(registry->hook_issuer == NULL ? GOOGLE : registry->hook_issuer);
    return find_keys(hook, err);
}

const struct proof proof_jwt = {
    .challenge = "Bearer",
    .prepare = jwt_prepare,
    .prove = jwt_prove,
};
