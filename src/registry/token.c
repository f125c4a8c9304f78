/* The rules of token requests and answers. It sends nothing and keeps nothing. */
#include "token.h"

#include "regwarden/json.h"

#include "location.h"

enum { TOKEN_MAX = 16 * 1024, SCOPES_MERGED_MAX = 4, SCOPE_ITEM_MAX = 512 };
#define LIFETIME_DEFAULT_MS (INT64_C(60) * 1000)
#define LIFETIME_MAX_MS (INT64_C(24) * 3600 * 1000)

/* Registries whose tokens are known to come from another host of the same owner. */
static const struct {
    const char *registry;
    const char *realm;
} known_realms[] = {
    {"registry-1.docker.io", "auth.docker.io"},
    {"registry.gitlab.com", "gitlab.com"},
};

static bool is_known_pair(const char *registry, const char *realm)
{
    for (size_t i = 0; i < ARRAY_COUNT(known_realms); i++) {
        if (text_equal(known_realms[i].registry, registry) &&
            text_equal(known_realms[i].realm, realm))
            return true;
    }
    return false;
}

static bool is_allowed(const struct text_list *allowed, const struct url *realm, const char *host)
{
    for (size_t i = 0; i < allowed->count; i++) {
        if (text_equal_nocase(allowed->items[i], host) ||
            text_equal_nocase(allowed->items[i], realm->host_port))
            return true;
    }
    return false;
}

int token_check_realm(const struct url *registry, const struct text_list *allowed,
                      const struct url *realm, struct error *err)
{
    AUTO_FREE char *own = location_host(registry);
    AUTO_FREE char *host = location_host(realm);
    AUTO_FREE char *shown = text_printable(realm->host_port, 100);

    if (!text_equal(own, host) && !is_known_pair(own, host) && !is_allowed(allowed, realm, host)) {
        (void)error_set(err, FAILURE_INPUT,
                        "the registry sends us to %s for a token, which is not its own host",
                        shown);
        return error_hint(err, "if that is right, add \"%s\" to the registry's token-realms",
                          shown);
    }
    if (text_equal(realm->scheme, "http") && !text_equal(registry->scheme, "http") &&
        !location_is_loopback(realm))
        return error_set(err, FAILURE_INPUT,
                         "the registry sends us to %s for a token without encryption", shown);
    return 0;
}

static void add_parameter(struct text *url, const char *name, const char *value)
{
    const char *query = strchr(text_data(url), '?');

    text_format(url, "%c%s=", query ? '&' : '?', name);
    url_encode(url, value);
}

char *token_url(const struct url *realm, const struct token_question *question)
{
    struct text url = {0};
    AUTO_FREE char *base = location_format(realm);
    const char *scope = question->scopes;

    text_add(&url, base);
    if (question->service)
        add_parameter(&url, "service", question->service);
    while (*scope) {
        size_t size = strcspn(scope, " ");

        if (size > 0) {
            AUTO_FREE char *one = memory_copy_bytes(scope, size);
            add_parameter(&url, "scope", one);
        }
        scope += size + (scope[size] != '\0');
    }
    if (question->account)
        add_parameter(&url, "account", question->account);
    return text_take(&url);
}

/* Length of "type:name:" at the beginning of a scope; 0 when it has no such beginning. */
static size_t subject_size(const char *scope, size_t size)
{
    while (size > 0 && scope[size - 1] != ':')
        size--;
    return size;
}

static bool actions_have(const char *actions, size_t actions_size, const char *action, size_t size)
{
    for (size_t at = 0; at < actions_size;) {
        size_t end = at;

        while (end < actions_size && actions[end] != ',')
            end++;
        if (end - at == size && memcmp(actions + at, action, size) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

/* Does `named` ask, for the same subject as one of `own`, for an action that is not asked for yet?
 */
static bool widens(const char *own, const char *named, size_t named_size)
{
    size_t subject = subject_size(named, named_size);

    while (*own && subject > 0) {
        size_t size = strcspn(own, " ");

        if (subject_size(own, size) == subject && memcmp(own, named, subject) == 0) {
            for (size_t at = subject; at < named_size;) {
                size_t end = at;

                while (end < named_size && named[end] != ',')
                    end++;
                if (!actions_have(own + subject, size - subject, named + at, end - at))
                    return true;
                at = end + 1;
            }
            return false;
        }
        own += size + (own[size] != '\0');
    }
    return false;
}

char *token_merge_scopes(const char *own, const char *named)
{
    struct text merged = {0};
    unsigned added = 0;

    text_add(&merged, own);
    while (named && *named && added < SCOPES_MERGED_MAX) {
        size_t size = strcspn(named, " ");

        if (size <= SCOPE_ITEM_MAX && widens(own, named, size)) {
            text_add_char(&merged, ' ');
            text_add_bytes(&merged, named, size);
            added++;
        }
        named += size + (named[size] != '\0');
    }
    return text_take(&merged);
}

/* A token goes into a header line: nothing but visible ASCII may be in it. */
static bool is_token_text(const char *value)
{
    if (!value || !*value || strlen(value) > TOKEN_MAX)
        return false;
    for (; *value; value++) {
        if (*value <= ' ' || *value > '~')
            return false;
    }
    return true;
}

int token_read(const char *body, size_t size, struct token_grant *ret, struct error *err)
{
    AUTO_JSON struct json *document = NULL;
    const char *value;
    int64_t lifetime_s;

    if (json_parse(body, size, NULL, &document, NULL) < 0)
        return error_set(err, FAILURE_INPUT, "the answer is not JSON");
    value = json_get_string(document, "token");
    if (!value || !*value)
        value = json_get_string(document, "access_token");
    if (!is_token_text(value))
        return error_set(err, FAILURE_INPUT, "the answer holds no usable token");
    lifetime_s = json_get_integer(document, "expires_in", 0);
    *ret =
        (struct token_grant){.value = memory_copy_text(value), .lifetime_ms = LIFETIME_DEFAULT_MS};
    /* Under a minute means a minute: the specification asks for it, old servers say less. */
    if (lifetime_s > LIFETIME_MAX_MS / 1000)
        ret->lifetime_ms = LIFETIME_MAX_MS;
    else if (lifetime_s * 1000 > LIFETIME_DEFAULT_MS)
        ret->lifetime_ms = lifetime_s * 1000;
    return 0;
}
