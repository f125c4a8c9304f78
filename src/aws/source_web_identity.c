/* A web identity: the token of a Kubernetes service account, exchanged for a role's credentials
 * (IRSA). The token is read anew every time, since the kubelet writes a new one before it expires.
 */
#include "fetch.h"

static const char *token_path(const struct config_aws *settings)
{
    return settings->web_identity_token_file ? settings->web_identity_token_file
                                             : getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
}

static const char *role(const struct config_aws *settings)
{
    return settings->role_arn ? settings->role_arn : getenv("AWS_ROLE_ARN");
}

static bool is_there(const struct config_aws *settings)
{
    return token_path(settings) && role(settings);
}

static void take_token(struct fetch *fetch, const struct text *bytes)
{
    AUTO_FREE char *token = memory_copy_bytes(text_data(bytes), bytes->length);
    const char *session = getenv("AWS_ROLE_SESSION_NAME");
    struct text_pairs parameters = {0};

    token[strcspn(token, " \r\n")] = '\0';
    text_pairs_add(&parameters, "RoleArn", role(fetch_aws(fetch)->settings));
    text_pairs_add(&parameters, "RoleSessionName", session ? session : "regwarden");
    text_pairs_add(&parameters, "WebIdentityToken", token);
    fetch_assume(fetch, NULL, &parameters);
    aws_keys_erase_text(&token);
    aws_keys_erase_text(&parameters.items[parameters.count - 1].value);
    text_pairs_release(&parameters);
}

static void begin(struct fetch *fetch)
{
    const struct config_aws *settings = fetch_aws(fetch)->settings;

    if (!is_there(settings)) {
        struct error error = {0};

        (void)error_set(&error, FAILURE_INPUT, "there is no token or no role");
        (void)error_hint(&error, "set aws.web-identity-token-file and aws.role-arn, or "
                                 "$AWS_WEB_IDENTITY_TOKEN_FILE and $AWS_ROLE_ARN");
        fetch_fail(fetch, &error);
        return;
    }
    fetch_read(fetch, token_path(settings), take_token);
}

const struct source source_web_identity = {
    .name = "the web identity",
    .kind = AWS_CREDENTIALS_WEB_IDENTITY,
    .is_there = is_there,
    .begin = begin,
    .is_role = true,
};
