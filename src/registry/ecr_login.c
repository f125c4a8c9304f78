/* The password of Amazon ECR: fetched when it is first needed, renewed before it expires or when
 * the registry does not take it any more, by one call for all who wait. It is only used when it is
 * for the registry that is configured. */
#include "ecr.h"

#include "regwarden/clock.h"
#include "regwarden/crypto.h"

#include "ecr_read.h"

enum { SECRET_MIN = 4 };
/* AWS says 12 h; a wrong clock here must neither wear it out nor make it a hundred calls a second.
 */
#define LIFETIME_MIN_MS (INT64_C(60) * 1000)
#define LIFETIME_MAX_MS (INT64_C(12) * 3600 * 1000)
#define MARGIN_MAX_MS (INT64_C(10) * 60 * 1000)
#define FRESH_MS (INT64_C(60) * 1000)

static void erase_text(char **text)
{
    if (*text)
        crypto_erase(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void ecr_login_release(struct ecr_login *login)
{
    ecr_call_cancel(login->call);
    login->call = NULL;
    erase_text(&login->header);
    erase_text(&login->password);
}

static void tell_asks(struct ecr_login *login, const struct error *error)
{
    struct auth_ask_list told = TAILQ_HEAD_INITIALIZER(told);
    struct auth_ask *ask;
    char *header = error ? NULL : memory_copy_text(login->header);

    /* A callback may ask again. */
    TAILQ_FOREACH(ask, &login->asks, link)
    ask->list = &told;
    TAILQ_CONCAT(&told, &login->asks, link);
    while ((ask = TAILQ_FIRST(&told))) {
        auth_cancel(ask);
        ask->ready(ask->argument, header, error);
    }
    erase_text(&header);
}

/* --- an answer --- */

static bool is_own(const struct ecr *ecr, const char *host_port)
{
    const struct registry *registry = ecr->registry;
    struct ecr_host host;

    if (text_equal_nocase(host_port, registry->url.host_port))
        return true;
    /* Registries have names for FIPS and IPv6 besides the one that is told. */
    if (ecr_host_parse(host_port, &host) && text_equal(host.account, ecr->host.account) &&
        text_equal(host.region, ecr->host.region))
        return true;
    for (size_t i = 0; i < registry->settings->hosts.count; i++) {
        if (text_equal_nocase(host_port, registry->settings->hosts.items[i]))
            return true;
    }
    return false;
}

static int check_registry(const struct ecr *ecr, const struct ecr_token *token, struct error *err)
{
    AUTO_FREE char *shown = text_printable(token->proxy_host ? token->proxy_host : "", 120);

    if (token->proxy_host && is_own(ecr, token->proxy_host))
        return 0;
    (void)error_set(err, FAILURE_DENIED, "AWS handed out a password for %s, which is not %s",
                    token->proxy_host ? shown : "no registry in particular",
                    ecr->registry->url.host_port);
    return error_hint(err,
                      "check aws.region and the account of the credentials; when it is another "
                      "name of the registry, add it to the registry's hosts");
}

static int64_t lifetime_of(const struct ecr_token *token)
{
    int64_t lifetime_ms = LIFETIME_MAX_MS;

    if (token->expires_ms > 0)
        lifetime_ms = token->expires_ms - clock_wall_ms();
    if (lifetime_ms < LIFETIME_MIN_MS)
        return LIFETIME_MIN_MS;
    return lifetime_ms < LIFETIME_MAX_MS ? lifetime_ms : LIFETIME_MAX_MS;
}

static void keep_password(struct ecr_login *login)
{
    AUTO_TEXT struct text pair = {0};
    const char *colon;

    erase_text(&login->password);
    if (crypto_from_base64(login->header + strlen("Basic "), &pair, NULL) < 0)
        return;
    colon = strchr(text_data(&pair), ':');
    login->password = memory_copy_text(colon ? colon + 1 : text_data(&pair));
    crypto_erase(pair.data, pair.length);
}

static int take_token(struct ecr *ecr, const struct json *body, struct error *err)
{
    struct ecr_login *login = &ecr->login;
    struct ecr_token token = {0};
    int64_t lifetime_ms;
    int64_t margin_ms;
    int rc = ecr_read_token(body, &token, err);

    if (rc == 0)
        rc = check_registry(ecr, &token, err);
    if (rc == 0) {
        lifetime_ms = lifetime_of(&token);
        margin_ms = lifetime_ms / 10 < MARGIN_MAX_MS ? lifetime_ms / 10 : MARGIN_MAX_MS;
        erase_text(&login->header);
        login->header = TAKE(token.header);
        login->fetched_ms = clock_steady_ms();
        login->renew_at_ms = login->fetched_ms + lifetime_ms - margin_ms;
        keep_password(login);
    }
    ecr_token_release(&token);
    return rc;
}

/* Nothing that AWS says of the password is about an image. */
static void on_token(void *argument, const struct ecr_answer *answer)
{
    struct ecr *ecr = argument;
    struct error error = {0};

    ecr->login.call = NULL;
    if (answer->error)
        error = *answer->error;
    else if (take_token(ecr, answer->body, &error) == 0) {
        tell_asks(&ecr->login, NULL);
        return;
    }
    if (error.kind == FAILURE_ABSENT || error.kind == FAILURE_LIMIT)
        error.kind = FAILURE_INPUT;
    (void)error_wrap(&error, "password from Amazon ECR");
    tell_asks(&ecr->login, &error);
}

static void request_token(struct ecr *ecr)
{
    AUTO_JSON struct json *input = json_new_object();
    struct ecr_request request = {.operation = "GetAuthorizationToken", .input = input};

    /* Otherwise the answer would name the registry of the credentials' own account. */
    if (*ecr->host.account) {
        struct json *ids = json_new_array();

        json_append_take(ids, json_new_string(ecr->host.account));
        json_set_take(input, "registryIds", ids);
    }
    ecr->registry->counters.token_requests++;
    ecr->login.call = ecr_call_start(ecr, &request, on_token, ecr);
}

/* --- the door --- */

bool ecr_login_get(struct ecr *ecr, struct auth_ask *ask, char **ret_header)
{
    struct ecr_login *login = &ecr->login;

    *ret_header = NULL;
    if (login->header && clock_steady_ms() < login->renew_at_ms) {
        *ret_header = memory_copy_text(login->header);
        return true;
    }
    ask->list = &login->asks;
    TAILQ_INSERT_TAIL(&login->asks, ask, link);
    if (!login->call)
        request_token(ecr);
    return false;
}

int ecr_login_learn(struct ecr *ecr, const char *sent, struct error *err)
{
    struct ecr_login *login = &ecr->login;

    /* Somebody else may have renewed it since. */
    if (!login->header || !sent || !text_equal(sent, login->header))
        return 0;
    if (clock_steady_ms() - login->fetched_ms < FRESH_MS) {
        (void)error_set(err, FAILURE_DENIED,
                        "ECR refuses the password that it has just handed out");
        return error_hint(err, "the identity needs rights on this repository, by its own policy "
                               "and by the repository's");
    }
    login->renew_at_ms = 0;
    return 0;
}

static bool holds(const char *text, const char *secret)
{
    return secret && strlen(secret) >= SECRET_MIN && strstr(text, secret);
}

bool ecr_login_repeats(const struct ecr *ecr, const char *text)
{
    const struct ecr_login *login = &ecr->login;

    return login->header &&
           (holds(text, login->header + strlen("Basic ")) || holds(text, login->password));
}
