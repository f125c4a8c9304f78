/* JFrog Artifactory's webhooks of the domain "docker". One Artifactory holds many registries: how
 * the configured one is reached tells where an event's image is there. */
#include "decode.h"

enum { SHA256_DIGITS = 64 };

static bool jfrog_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return json_get_string(body, "domain") != NULL && json_get_string(body, "event_type") != NULL &&
           json_is(json_get(body, "data"), JSON_KIND_OBJECT);
}

/* What was promoted is new where it was promoted to. */
static bool action_of(const char *type, enum event_action *ret)
{
    if (text_equal(type, "pushed") || text_equal(type, "promoted"))
        *ret = EVENT_PUSH;
    else if (text_equal(type, "deleted"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

/* The host in "https://host[:port][/…]". Returns new, NULL when there is none. */
static char *host_of(const char *url)
{
    const char *host = url == NULL ? NULL : strstr(url, "://");
    if (host == NULL)
        return NULL;
    host += strlen("://");
    return memory_copy_bytes(host, strcspn(host, "/?#"));
}

/* The ways in which Artifactory gives one repository a host of its own: "repo.example.org", and in
 * the cloud "company-repo.jfrog.io". */
static bool is_own_host(const struct config_registry *registry, const char *origin,
                        const char *repo_key)
{
    size_t label = strcspn(origin, ".");
    AUTO_FREE char *below = text_new("%s.%s", repo_key, origin);
    AUTO_FREE char *first = memory_copy_bytes(origin, label);
    AUTO_FREE char *beside = text_new("%s-%s%s", first, repo_key, origin + label);
    return registry_has_host(registry, below) || registry_has_host(registry, beside);
}

/* Returns new; NULL and an error when the event is of another registry. */
static char *repository_of(const struct json *body, const struct config_registry *registry,
                           struct error *err)
{
    const struct json *data = json_get(body, "data");
    const char *repo_key = decode_hint(data, "repo_key");
    const char *image = decode_hint(data, "image_name");
    AUTO_FREE char *origin = host_of(decode_hint(body, "jpd_origin"));
    if (repo_key == NULL || image == NULL) {
        error_set(err, FAILURE_INPUT, "the event names no repository");
        return NULL;
    }
    if (origin == NULL ? registry_has_subdomain(registry, repo_key)
                       : is_own_host(registry, origin, repo_key))
        return memory_copy_text(image);
    if (origin != NULL && registry_check_host(registry, origin, err) != 0)
        return NULL;
    return text_new("%s/%s", repo_key, image);
}

/* The hash stands there without its algorithm. Returns new or NULL. */
static char *digest_of(const char *hash)
{
    return hash == NULL ? NULL : text_new("sha256:%s", hash);
}

/* What was pushed by digest lies in a folder of that name, in the place of the tag. */
static bool is_folder_of_digest(const char *tag)
{
    return tag != NULL && text_starts_with(tag, "sha256__") &&
           strlen(tag) == strlen("sha256__") + SHA256_DIGITS;
}

static int decode_image(const struct json *body, const struct config_registry *registry,
                        struct decoded *decoded, struct error *err)
{
    const struct json *data = json_get(body, "data");
    const char *hash = NULL, *tag = NULL;
    struct draft draft = {.actor = decode_hint(body, "source")};
    if (!text_equal(json_get_string(body, "domain"), "docker") ||
        !action_of(json_get_string(body, "event_type"), &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    int r = decode_string(data, "sha256", &hash, err);
    if (r == 0)
        r = decode_string(data, "tag", &tag, err);
    if (r != 0)
        return r;
    AUTO_FREE char *repository = repository_of(body, registry, err);
    if (repository == NULL)
        return FAILURE_INPUT;
    AUTO_FREE char *digest = digest_of(hash);
    draft.repository = repository;
    if (!is_folder_of_digest(tag))
        draft_set_reference(&draft, tag);
    if (digest != NULL)
        draft.digest = digest;
    decoded_add_event(decoded, &draft);
    return 0;
}

static int jfrog_decode(const struct hook_message *message, const struct config_registry *registry,
                        struct decoded *ret, struct error *err)
{
    struct error fault = {0};
    if (!jfrog_recognises(message))
        return error_set(err, FAILURE_INPUT, "there is no domain with event data");
    if (decode_image(message->body, registry, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_jfrog = {
    .name = "jfrog",
    .summary = "webhooks of JFrog Artifactory",
    .proof = HOOK_PROOF_HMAC,
    .recognises = jfrog_recognises,
    .decode = jfrog_decode,
};
