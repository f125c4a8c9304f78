/* GitLab's container registry: the envelope of distribution (decode_distribution.c), and actors
 * with a user_type. The deletion of a tag is told by the key "tag" of the target, whatever its
 * value. */
#include "decode.h"

static bool gitlab_recognises(const struct hook_message *message)
{
    return distribution_is_envelope(message->body) && gitlab_has_actor(message->body);
}

bool gitlab_has_actor(const struct json *body)
{
    const struct json *events = json_get(body, "events");
    for (size_t i = 0; i < json_count(events); i++) {
        if (json_get(json_get(json_at(events, i), "actor"), "user_type") != NULL)
            return true;
    }
    return false;
}

static bool is_nameless_tag(const struct json *event)
{
    const struct json *tag = json_get(json_get(event, "target"), "tag");
    const char *name = json_string(tag);
    return text_equal(json_get_string(event, "action"), "delete") && name != NULL &&
           name[0] == '\0';
}

static int gitlab_decode(const struct hook_message *message, const struct config_registry *registry,
                         struct decoded *ret, struct error *err)
{
    (void)registry; /* as with distribution: hosts come from the client */
    return distribution_decode_envelope(message->body, is_nameless_tag, ret, err);
}

const struct decoder decoder_gitlab = {
    .name = "gitlab",
    .summary = "GitLab's container registry",
    .proof = HOOK_PROOF_SECRET,
    .recognises = gitlab_recognises,
    .decode = gitlab_decode,
};
