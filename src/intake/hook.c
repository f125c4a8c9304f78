/* A registry's hook: what its proof needs, and which instances of it were heard of. Knows nothing
 * of HTTP. */
#include "proofs.h"

#include "regwarden/crypto.h"
#include "regwarden/file.h"

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

static int read_secret(struct hook *hook, struct error *err)
{
    AUTO_TEXT struct text secret = {0};
    int r = file_read_secret(hook->registry->hook_secret_file, &secret, err);
    if (r == 0)
        hook->secret = text_take(&secret);
    return r == 0 ? 0 : (error_wrap(err, "hook secret"), r);
}

/* Settings of a proof that is not asked for: whoever set them believes that others cannot send. */
static int check_unused(const struct config_registry *registry, struct error *err)
{
    const struct {
        const char *name;
        bool is_set;
        enum hook_proof proof;
        const char *word;
    } settings[] = {
        {"hook-topics", registry->hook_topics.count > 0, HOOK_PROOF_SNS, "sns"},
        {"hook-clients", registry->hook_clients.count > 0, HOOK_PROOF_CERTIFICATE, "certificate"},
        {"hook-identities", registry->hook_identities.count > 0, HOOK_PROOF_JWT, "jwt"},
        {"hook-audience", registry->hook_audience != NULL, HOOK_PROOF_JWT, "jwt"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (!settings[i].is_set || proof_kind(registry) == settings[i].proof)
            continue;
        error_set(err, FAILURE_INPUT, "%s is set, but senders prove themselves in another way",
                  settings[i].name);
        return error_hint(err, "Set hook-proof to %s, or take %s out.", settings[i].word,
                          settings[i].name);
    }
    return 0;
}

int hook_init(struct hook *hook, const struct config *config,
              const struct config_registry *registry, struct error *err)
{
    struct hook fresh = {.registry = registry, .proof = proof_find(proof_kind(registry))};
    int r = check_unused(registry, err);
    if (r == 0 && registry->hook_secret_file != NULL)
        r = read_secret(&fresh, err);
    if (r == 0 && fresh.proof != NULL)
        r = fresh.proof->prepare(config, &fresh, err);
    if (r != 0) {
        hook_release(&fresh);
        return error_wrap(err, "registry \"%s\"", registry->name), r;
    }
    *hook = fresh;
    return 0;
}

const char *hook_sender(const struct hook *hook)
{
    return hook->proof == &proof_sns ? "sns" : hook->registry->dialect;
}

void hook_release(struct hook *hook)
{
    if (hook->secret != NULL)
        crypto_erase(hook->secret, strlen(hook->secret));
    free(hook->secret);
    free(hook->issuer);
    free(hook->keys_url);
    text_release(&hook->key_set);
    for (size_t i = 0; i < HOOK_INSTANCES_MAX; i++)
        free(hook->instances[i]);
    *hook = (struct hook){0};
}
