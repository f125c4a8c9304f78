/* GitHub's package events, "package" and "registry_package", of which a push sends both where both
 * are subscribed. Only packages of the container registry count. */
#include "decode.h"

static const char *const github_headers[] = {"x-github-event", "x-github-delivery", "x-gitea-event",
                                             NULL};

static const struct json *package_of(const struct json *body)
{
    const struct json *package = json_get(body, "registry_package");
    return package != NULL ? package : json_get(body, "package");
}

static bool is_ping(const struct json *body)
{
    return json_get_string(body, "zen") != NULL && json_get(body, "hook_id") != NULL;
}

/* Gitea sends GitHub's headers beside its own. */
static bool github_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    if (hook_message_header(message, "x-gitea-event") != NULL)
        return false;
    return hook_message_header(message, "x-github-event") != NULL || is_ping(body) ||
           json_is(json_get(package_of(body), "package_version"), JSON_KIND_OBJECT);
}

/* "deleted" is not sent today, but is what the name would be. */
static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "published") || text_equal(name, "updated") || text_equal(name, "create"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "deleted"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

static bool is_container(const char *type)
{
    return type != NULL &&
           (text_equal_nocase(type, "container") || text_equal_nocase(type, "docker"));
}

/* The kind stands in one of two members, by the age of the event; in some the other contradicts. */
static bool is_container_package(const struct json *package)
{
    return is_container(json_get_string(package, "package_type")) ||
           is_container(json_get_string(package, "ecosystem"));
}

/* "ghcr.io/owner/name:tag". Older packages are of another registry, docker.pkg.github.com. */
static int check_host(const struct json *version, const struct config_registry *registry,
                      struct error *err)
{
    const char *url = decode_hint(version, "package_url");
    size_t length = url == NULL ? 0 : strcspn(url, "/");
    if (length == 0)
        return 0;
    AUTO_FREE char *host = memory_copy_bytes(url, length);
    return registry_check_host(registry, host, err);
}

/* Lower-case "owner/name". Without an owner the namespace begins with it. Returns new or NULL. */
static char *repository_of(const struct json *package)
{
    const char *owner = decode_hint(json_get(package, "owner"), "login");
    const char *name = decode_hint(package, "name");
    if (owner == NULL)
        owner = decode_hint(package, "namespace");
    if (owner == NULL || name == NULL)
        return NULL;
    AUTO_FREE char *first = memory_copy_bytes(owner, strcspn(owner, "/"));
    return decode_lower(text_new("%s/%s", first, name));
}

static bool looks_like_digest(const char *text)
{
    return text != NULL && strchr(text, ':') != NULL;
}

static void read_version(const struct json *version, struct draft *draft)
{
    const char *number = decode_hint(version, "version");
    const char *name = decode_hint(version, "name");
    const struct json *metadata = json_get(version, "container_metadata");
    if (looks_like_digest(number))
        draft->digest = number;
    else if (looks_like_digest(name))
        draft->digest = name;
    draft->tag = decode_hint(json_get(metadata, "tag"), "name");
    if (draft->digest == NULL && draft->tag == NULL)
        draft->tag = number;
    draft->media_type = decode_hint(json_get(metadata, "manifest"), "media_type");
}

static int decode_package(const struct hook_message *message,
                          const struct config_registry *registry, struct decoded *decoded,
                          struct error *err)
{
    const struct json *package = package_of(message->body);
    const struct json *version = json_get(package, "package_version");
    struct draft draft = {
        .actor = decode_hint(json_get(message->body, "sender"), "login"),
        .source_id = hook_message_header(message, "x-github-delivery"),
    };
    if (!action_of(json_get_string(message->body, "action"), &draft.action) ||
        !is_container_package(package)) {
        decoded->ignored++;
        return 0;
    }
    if (check_host(version, registry, err) != 0)
        return FAILURE_INPUT;
    AUTO_FREE char *repository = repository_of(package);
    draft.repository = repository;
    read_version(version, &draft);
    decoded_add_event(decoded, &draft);
    return 0;
}

static int github_decode(const struct hook_message *message, const struct config_registry *registry,
                         struct decoded *ret, struct error *err)
{
    const char *event = hook_message_header(message, "x-github-event");
    struct error fault = {0};
    bool is_other =
        event != NULL && !text_equal(event, "package") && !text_equal(event, "registry_package");
    if (is_other || is_ping(message->body)) {
        ret->ignored++;
        return 0;
    }
    if (!json_is(package_of(message->body), JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "there is no package");
    if (decode_package(message, registry, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_github = {
    .name = "github",
    .summary = "packages of GitHub's container registry",
    .headers = github_headers,
    .proof = HOOK_PROOF_HMAC,
    .recognises = github_recognises,
    .decode = github_decode,
};
