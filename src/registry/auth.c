/* Learning what a registry wants, and keeping the answers. The grammar of challenges and tokens is
 * elsewhere (challenge.c, token.c). */
#include "auth.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/file.h"
#include "regwarden/map.h"

#include "challenge.h"
#include "ecr.h"
#include "errors.h"
#include "internal.h"
#include "location.h"
#include "token.h"

enum { TOKENS_MAX = 1024, SECRET_MIN = 4 };
#define MARGIN_MAX_MS (30 * INT64_C(1000))

enum auth_mode { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

struct token {
    struct auth *auth;
    struct auth_area *area;
    char *scopes; /* asked for: our own, perhaps widened */
    char *value;  /* NULL: none */
    int64_t renew_at_ms;
    uint64_t http_id; /* of the request under way, or 0 */
    struct auth_ask_list asks;
};

struct auth_area { /* what one part of the registry wants */
    enum auth_mode mode;
    struct url realm;
    char *service; /* NULL: not said */
};

struct auth {
    struct registry *registry;
    char *username; /* NULL: anonymous */
    char *password;
    char *basic; /* "Basic …", NULL: anonymous */
    struct auth_area repositories, catalog;
    struct map *tokens; /* scope -> struct token */
};

static void erase_text(char **text)
{
    if (*text)
        crypto_erase(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

static void area_release(struct auth_area *area)
{
    url_release(&area->realm);
    free(area->service);
    *area = (struct auth_area){0};
}

static void token_free(struct token *token)
{
    if (token->http_id)
        http_client_cancel(token->auth->registry->http, token->http_id);
    erase_text(&token->value);
    free(token->scopes);
    free(token);
}

static struct auth_area *area_of(struct auth *auth, const char *scope)
{
    return scope && text_starts_with(scope, "registry:") ? &auth->catalog : &auth->repositories;
}

static void forget_idle_tokens(struct auth *auth)
{
    size_t position = 0;
    const char *scope;
    void *value;

    while (map_each(auth->tokens, &position, &scope, &value)) {
        struct token *token = value;

        if (token->http_id || !TAILQ_EMPTY(&token->asks))
            continue;
        (void)map_remove(auth->tokens, scope);
        token_free(token);
    }
}

static struct token *token_of(struct auth *auth, const char *scope)
{
    struct token *token = map_get(auth->tokens, scope);

    if (token)
        return token;
    if (map_count(auth->tokens) >= TOKENS_MAX)
        forget_idle_tokens(auth);
    token = memory_new(sizeof(*token));
    token->auth = auth;
    token->area = area_of(auth, scope);
    token->scopes = memory_copy_text(scope);
    TAILQ_INIT(&token->asks);
    (void)map_set(auth->tokens, scope, token);
    return token;
}

static void tell_asks(struct token *token, const char *header, const struct error *error)
{
    struct auth_ask_list told = TAILQ_HEAD_INITIALIZER(told);
    struct auth_ask *ask;

    /* A callback may forget the token or ask for it again. */
    for (ask = TAILQ_FIRST(&token->asks); ask; ask = TAILQ_NEXT(ask, link))
        ask->list = &told;
    TAILQ_CONCAT(&told, &token->asks, link);
    while ((ask = TAILQ_FIRST(&told))) {
        auth_cancel(ask);
        ask->ready(ask->argument, header, error);
    }
}

/* No answer of a token server may look like one of the registry: a 404 from there does not mean
 * that the image is gone. */
static int read_refusal(const struct auth *auth, const struct http_response *response,
                        struct error *err)
{
    enum failure kind;

    if (response->error.kind != FAILURE_NONE) {
        *err = response->error;
        return err->kind;
    }
    (void)errors_from_response(response, !auth_repeats_secret(auth, response->body), err);
    kind = err->kind;
    if (kind == FAILURE_ABSENT || kind == FAILURE_LIMIT)
        err->kind = FAILURE_INPUT;
    return err->kind;
}

static int read_grant(struct token *token, const struct http_response *response, struct error *err)
{
    struct token_grant grant = {0};
    int64_t margin_ms;
    int rc;

    if (response->status != 200 || response->error.kind != FAILURE_NONE)
        return read_refusal(token->auth, response, err);
    rc = token_read(response->body, response->body_size, &grant, err);
    if (rc < 0)
        return rc;
    margin_ms = grant.lifetime_ms / 10 < MARGIN_MAX_MS ? grant.lifetime_ms / 10 : MARGIN_MAX_MS;
    erase_text(&token->value);
    token->value = grant.value;
    token->renew_at_ms = clock_steady_ms() + grant.lifetime_ms - margin_ms;
    return 0;
}

static void on_token(void *argument, const struct http_response *response)
{
    struct token *token = argument;
    struct error error = {0};

    token->http_id = 0;
    if (read_grant(token, response, &error) < 0) {
        AUTO_FREE char *host = text_printable(token->area->realm.host_port, 100);

        (void)error_wrap(&error, "token from %s", host);
        tell_asks(token, NULL, &error);
        return;
    }
    {
        char *header = text_new("Bearer %s", token->value);

        tell_asks(token, header, NULL);
        erase_text(&header);
    }
}

static void request_token(struct token *token)
{
    struct auth *auth = token->auth;
    struct token_question question = {
        .service = token->area->service, .scopes = token->scopes, .account = auth->username};
    AUTO_FREE char *url = token_url(&token->area->realm, &question);
    struct http_header headers[] = {{"Accept", "application/json"},
                                    {auth->basic ? "Authorization" : NULL, auth->basic},
                                    {NULL, NULL}};
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .headers = headers,
                                   .idle_timeout_ms = auth->registry->idle_ms,
                                   .total_timeout_ms = 2 * auth->registry->idle_ms};

    auth->registry->counters.token_requests++;
    token->http_id = http_client_send(auth->registry->http, &request, on_token, token);
}

static char *make_basic(const char *username, const char *password)
{
    AUTO_TEXT struct text pair = {0};
    AUTO_TEXT struct text base64 = {0};
    char *header;

    text_format(&pair, "%s:%s", username, password);
    crypto_base64(pair.data, pair.length, &base64);
    header = text_new("Basic %s", text_data(&base64));
    crypto_erase(pair.data, pair.length);
    crypto_erase(base64.data, base64.length);
    return header;
}

static int read_credentials(struct auth *auth, const struct config_registry *settings,
                            struct error *err)
{
    AUTO_TEXT struct text secret = {0};
    int rc;

    if (!settings->username && !settings->password_file)
        return 0;
    if (!settings->username || !settings->password_file)
        return error_set(err, FAILURE_INPUT, "username and password-file belong together");
    if (strchr(settings->username, ':'))
        return error_set(err, FAILURE_INPUT, "a username with a colon cannot be sent");
    rc = file_read_secret(settings->password_file, &secret, err);
    if (rc < 0)
        return rc;
    auth->username = memory_copy_text(settings->username);
    auth->password = memory_copy_text(text_data(&secret));
    auth->basic = make_basic(auth->username, auth->password);
    crypto_erase(secret.data, secret.length);
    return 0;
}

int auth_new(struct registry *registry, struct auth **ret, struct error *err)
{
    struct auth *auth = memory_new(sizeof(*auth));
    int rc;

    auth->registry = registry;
    auth->tokens = map_new();
    rc = read_credentials(auth, registry->settings, err);
    if (rc < 0) {
        auth_free(auth);
        return rc;
    }
    *ret = auth;
    return 0;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    forget_idle_tokens(auth);
    {
        size_t position = 0;
        const char *scope;
        void *token;

        while (map_each(auth->tokens, &position, &scope, &token))
            token_free(token);
    }
    map_free(auth->tokens);
    area_release(&auth->repositories);
    area_release(&auth->catalog);
    erase_text(&auth->basic);
    erase_text(&auth->password);
    free(auth->username);
    free(auth);
}

/* AWS hands out ECR's password, unless another one is configured. */
static struct ecr *ecr_login_of(const struct auth *auth)
{
    return auth->basic ? NULL : auth->registry->ecr;
}

bool auth_get(struct auth *auth, const char *scope, struct auth_ask *ask, char **ret_header)
{
    struct auth_area *area = area_of(auth, scope);
    struct token *token;

    *ret_header = NULL;
    if (ecr_login_of(auth))
        return ecr_login_get(ecr_login_of(auth), ask, ret_header);
    if (area->mode == AUTH_NONE)
        return true;
    if (area->mode == AUTH_BASIC) {
        *ret_header = memory_copy_text(auth->basic);
        return true;
    }
    token = token_of(auth, scope ? scope : "");
    if (token->value && clock_steady_ms() < token->renew_at_ms) {
        *ret_header = text_new("Bearer %s", token->value);
        return true;
    }
    ask->list = &token->asks;
    TAILQ_INSERT_TAIL(&token->asks, ask, link);
    if (!token->http_id)
        request_token(token);
    return false;
}

char *auth_basic(const struct auth *auth)
{
    return memory_copy_text(auth->basic);
}

void auth_cancel(struct auth_ask *ask)
{
    if (!ask->list)
        return;
    TAILQ_REMOVE(ask->list, ask, link);
    ask->list = NULL;
}

static void read_challenges(const struct http_response *response, struct challenges *ret)
{
    for (size_t i = 0; i < response->headers.count; i++) {
        const struct text_pair *header = &response->headers.items[i];

        /* A line that cannot be read offers nothing. */
        if (text_equal(header->key, "www-authenticate"))
            (void)challenges_parse(ret, header->value, NULL);
    }
}

static int learn_bearer(struct auth *auth, const char *scope, const struct challenge *challenge,
                        const char *sent, struct error *err)
{
    struct auth_area *area = area_of(auth, scope);
    struct url realm = {0};
    struct token *token;
    int rc;

    rc = url_parse(challenge->realm, &realm, err);
    if (rc < 0)
        return error_wrap(err, "the registry names a token server that cannot be used");
    rc = token_check_realm(&auth->registry->url, &auth->registry->settings->token_realms, &realm,
                           err);
    if (rc < 0) {
        url_release(&realm);
        return rc;
    }
    area_release(area);
    area->mode = AUTH_BEARER;
    area->realm = realm;
    area->service = memory_copy_text(challenge->service);
    token = token_of(auth, scope ? scope : "");
    /* Somebody else may have fetched a new one since. */
    if (token->value && sent && text_starts_with(sent, "Bearer ") &&
        text_equal(sent + strlen("Bearer "), token->value))
        erase_text(&token->value);
    free(token->scopes);
    token->scopes = token_merge_scopes(scope ? scope : "", challenge->scope);
    return 0;
}

static int learn_basic(struct auth *auth, const char *scope, const char *sent, struct error *err)
{
    struct auth_area *area = area_of(auth, scope);

    if (!auth->basic) {
        (void)error_set(err, FAILURE_DENIED,
                        "the registry wants a name and a password and none is configured");
        return error_hint(err, "set username and password-file of this registry");
    }
    if (sent && text_equal(sent, auth->basic)) {
        (void)error_set(err, FAILURE_DENIED, "the registry refuses the configured password");
        return error_hint(err, "check username and password-file of this registry");
    }
    area_release(area);
    area->mode = AUTH_BASIC;
    return 0;
}

int auth_learn(struct auth *auth, const char *scope, const struct http_response *response,
               const char *sent, struct error *err)
{
    struct challenges challenges = {0};
    const struct challenge *bearer;
    const struct challenge *basic;
    int rc;

    if (ecr_login_of(auth))
        return ecr_login_learn(ecr_login_of(auth), sent, err);
    read_challenges(response, &challenges);
    bearer = challenges_find(&challenges, "bearer");
    basic = challenges_find(&challenges, "basic");
    if (bearer && bearer->realm) {
        rc = learn_bearer(auth, scope, bearer, sent, err);
        if (rc < 0 && basic && auth->basic)
            rc = learn_basic(auth, scope, sent, err);
    } else if (basic) {
        rc = learn_basic(auth, scope, sent, err);
    } else {
        rc = error_set(err, FAILURE_DENIED,
                       "answered 401 and does not say in a known way what it wants");
        (void)error_hint(err,
                         "look whether the account may do this, and whether the project exists");
    }
    challenges_release(&challenges);
    if (rc < 0)
        errors_explain(response, err);
    return rc;
}

static bool holds(const char *text, const char *secret)
{
    return secret && strlen(secret) >= SECRET_MIN && strstr(text, secret);
}

bool auth_repeats_secret(const struct auth *auth, const char *text)
{
    size_t position = 0;
    const char *scope;
    void *value;

    if (!text)
        return false;
    if (ecr_login_of(auth) && ecr_login_repeats(ecr_login_of(auth), text))
        return true;
    if (holds(text, auth->password) || (auth->basic && holds(text, auth->basic + strlen("Basic "))))
        return true;
    while (map_each(auth->tokens, &position, &scope, &value)) {
        if (holds(text, ((const struct token *)value)->value))
            return true;
    }
    return false;
}
