/* Sonatype Nexus Repository's component webhooks: the tag is the version, there is no digest. Only
 * components of the format docker count; the assets of one are told beside it and add nothing. */
#include "decode.h"

static const char *const nexus_headers[] = {"x-nexus-webhook-id", "x-nexus-webhook-delivery", NULL};

static bool nexus_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return hook_message_header(message, "x-nexus-webhook-id") != NULL ||
           (json_get_string(body, "nodeId") != NULL &&
            json_get_string(body, "repositoryName") != NULL);
}

static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "CREATED") || text_equal(name, "UPDATED"))
        *ret = EVENT_PUSH;
    else if (text_equal(name, "DELETED") || text_equal(name, "PURGED"))
        *ret = EVENT_DELETE;
    else
        return false;
    return true;
}

/* Nexus does not say how its repositories are reached. With a port or a host name of its own a
 * repository's images have their plain names: then that host begins with the repository's name, or
 * `hosts` lists the name. Else its name is the first part of theirs. Returns new or NULL. */
static char *repository_of(const struct json *body, const char *name,
                           const struct config_registry *registry)
{
    const char *holder = decode_hint(body, "repositoryName");
    if (name == NULL || holder == NULL || text_list_has(&registry->hosts, holder) ||
        registry_has_subdomain(registry, holder))
        return memory_copy_text(name);
    return text_new("%s/%s", holder, name);
}

static int decode_component(const struct hook_message *message,
                            const struct config_registry *registry, struct decoded *decoded,
                            struct error *err)
{
    const struct json *component = json_get(message->body, "component");
    const char *name = NULL, *version = NULL;
    struct draft draft = {
        .actor = decode_hint(message->body, "initiator"),
        .source_id = hook_message_header(message, "x-nexus-webhook-delivery"),
    };
    if (!action_of(json_get_string(message->body, "action"), &draft.action) ||
        !text_equal(json_get_string(component, "format"), "docker")) {
        decoded->ignored++;
        return 0;
    }
    int r = decode_string(component, "name", &name, err);
    if (r == 0)
        r = decode_string(component, "version", &version, err);
    if (r != 0)
        return r;
    AUTO_FREE char *repository = repository_of(message->body, name, registry);
    draft.repository = repository;
    draft_set_reference(&draft, version);
    decoded_add_event(decoded, &draft);
    return 0;
}

static int nexus_decode(const struct hook_message *message, const struct config_registry *registry,
                        struct decoded *ret, struct error *err)
{
    struct error fault = {0};
    if (!nexus_recognises(message))
        return error_set(err, FAILURE_INPUT, "there is no node and no repository");
    if (decode_component(message, registry, ret, &fault) != 0)
        decoded_add_fault(ret, &fault);
    return 0;
}

const struct decoder decoder_nexus = {
    .name = "nexus",
    .summary = "webhooks of Sonatype Nexus Repository",
    .headers = nexus_headers,
    .proof = HOOK_PROOF_HMAC,
    .recognises = nexus_recognises,
    .decode = nexus_decode,
};
