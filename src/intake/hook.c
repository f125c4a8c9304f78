/* Who may post to a registry's hook, and which instances of it did. Knows nothing of HTTP. */
#include "hook.h"

#include "regwarden/crypto.h"
#include "regwarden/file.h"

static bool is_authorization(const struct config_registry *registry)
{
    const char *header = registry->hook_secret_header;
    return header == NULL || text_equal_nocase(header, "Authorization");
}

/* What stands behind "Bearer " or "Basic " in any case, without the blanks between. */
static const char *after_scheme(const char *value, const char *scheme)
{
    size_t length = strlen(scheme);
    if (strncasecmp(value, scheme, length) != 0 || value[length] != ' ')
        return NULL;
    return value + length + strspn(value + length, " ");
}

static bool admits_bearer(const char *secret, const char *value)
{
    const char *token = after_scheme(value, "Bearer");
    return token != NULL && crypto_equal_text(token, secret);
}

static bool admits_basic(const char *secret, const char *value)
{
    const char *encoded = after_scheme(value, "Basic");
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

bool hook_admits(const struct hook *hook, const char *value)
{
    if (hook->secret == NULL)
        return true;
    if (value == NULL)
        return false;
    bool verbatim = crypto_equal_text(value, hook->secret);
    if (!is_authorization(hook->registry))
        return verbatim;
    bool bearer = admits_bearer(hook->secret, value);
    bool basic = admits_basic(hook->secret, value);
    return verbatim || bearer || basic;
}

static bool knows_instance(const struct hook *hook, const char *instance)
{
    for (size_t i = 0; i < HOOK_INSTANCES_MAX; i++) {
        if (hook->instances[i] != NULL && text_equal(hook->instances[i], instance))
            return true;
    }
    return false;
}

bool hook_note_instance(struct hook *hook, const char *instance)
{
    if (instance == NULL || knows_instance(hook, instance))
        return false;
    char **place = &hook->instances[hook->instance_count % HOOK_INSTANCES_MAX];
    free(*place);
    *place = memory_copy_text(instance);
    return hook->instance_count++ > 0;
}

void hook_move_instances(struct hook *to, struct hook *from)
{
    for (size_t i = 0; i < HOOK_INSTANCES_MAX; i++) {
        free(to->instances[i]);
        to->instances[i] = TAKE(from->instances[i]);
    }
    to->instance_count = from->instance_count;
    from->instance_count = 0;
}

int hook_init(struct hook *hook, const struct config_registry *registry, struct error *err)
{
    *hook = (struct hook){.registry = registry};
    if (registry->hook_secret_file == NULL)
        return 0;
    AUTO_TEXT struct text secret = {0};
    int r = file_read_secret(registry->hook_secret_file, &secret, err);
    if (r != 0)
        return error_wrap(err, "hook secret of the registry \"%s\"", registry->name), r;
    hook->secret = text_take(&secret);
    return 0;
}

void hook_release(struct hook *hook)
{
    if (hook->secret != NULL)
        crypto_erase(hook->secret, strlen(hook->secret));
    free(hook->secret);
    for (size_t i = 0; i < HOOK_INSTANCES_MAX; i++)
        free(hook->instances[i]);
    *hook = (struct hook){0};
}
