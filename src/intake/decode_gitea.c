/* Package events of Gitea and Forgejo. A version is a tag or a digest, and never both; a tag that
 * is set anew on an image of before is not told. */
#include "decode.h"

static const char *const gitea_headers[] = {"x-gitea-event", "x-gitea-delivery", "x-github-event",
                                            NULL};

static bool gitea_recognises(const struct hook_message *message)
{
    const struct json *package = json_get(message->body, "package");
    if (hook_message_header(message, "x-gitea-event") != NULL)
        return true;
    return hook_message_header(message, "x-github-event") == NULL &&
           json_get_string(package, "type") != NULL && json_get_string(package, "version") != NULL;
}

static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "created"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "deleted"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

/* Lower-case "owner/name". Returns new or NULL. */
static char *repository_of(const struct json *package)
{
    const struct json *owner = json_get(package, "owner");
    const char *login = decode_hint(owner, "login");
    const char *name = decode_hint(package, "name");
    if (login == NULL)
        login = decode_hint(owner, "username");
    return login == NULL || name == NULL ? NULL : decode_lower(text_new("%s/%s", login, name));
}

static int decode_package(const struct hook_message *message, struct decoded *decoded,
                          struct error *err)
{
    const struct json *package = json_get(message->body, "package");
    const char *version = NULL;
    struct draft draft = {
        .actor = decode_hint(json_get(message->body, "sender"), "login"),
        .source_id = hook_message_header(message, "x-gitea-delivery"),
    };
    if (!action_of(json_get_string(message->body, "action"), &draft.action) ||
        !text_equal(json_get_string(package, "type"), "container")) {
        decoded->ignored++;
        return 0;
    }
    int r = decode_string(package, "version", &version, err);
    if (r != 0)
        return r;
    AUTO_FREE char *repository = repository_of(package);
    draft.repository = repository;
    draft_set_reference(&draft, version);
    decoded_add_event(decoded, &draft);
    return 0;
}

static int gitea_decode(const struct hook_message *message, const struct config_registry *registry,
                        struct decoded *ret, struct error *err)
{
    (void)registry; /* html_url says the address that Gitea believes to have */
    const char *event = hook_message_header(message, "x-gitea-event");
    struct error fault = {0};
    if (event != NULL && !text_equal(event, "package")) {
        ret->ignored++;
        return 0;
    }
    if (!json_is(json_get(message->body, "package"), JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "there is no package");
    if (decode_package(message, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_gitea = {
    .name = "gitea",
    .summary = "packages of Gitea and Forgejo",
    .headers = gitea_headers,
    .proof = HOOK_PROOF_HMAC,
    .recognises = gitea_recognises,
    .decode = gitea_decode,
};
