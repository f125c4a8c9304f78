/* Quay's notifications of pushes: the tags that were updated, without their digests. Others
 * (builds, mirrors, vulnerabilities, expiry) have no updated tags and are ignored. */
#include "decode.h"

static bool quay_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return json_get_string(body, "docker_url") != NULL &&
           json_get_string(body, "repository") != NULL &&
           json_get_string(body, "namespace") != NULL;
}

static int decode_tag(const struct json *tag, const char *repository, struct decoded *decoded,
                      struct error *err)
{
    struct draft draft = {.action = EVENT_PUSH, .repository = repository, .tag = json_string(tag)};
    if (draft.tag == NULL)
        return error_set(err, FAILURE_INPUT, "it is not a string");
    decoded_add_event(decoded, &draft);
    return 0;
}

static int quay_decode(const struct hook_message *message, const struct config_registry *registry,
                       struct decoded *ret, struct error *err)
{
    const struct json *tags = json_get(message->body, "updated_tags");
    const char *repository = json_get_string(message->body, "repository");
    (void)registry; /* docker_url says Quay's own idea of its name */
    if (repository == NULL)
        return error_set(err, FAILURE_INPUT, "there is no repository");
    if (tags == NULL) {
        ret->ignored++;
        return 0;
    }
    if (!json_is(tags, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "\"updated_tags\" is not an array");
    size_t total = json_count(tags);
    for (size_t i = 0; i < total && decoded_has_room(ret, i, total); i++) {
        struct error fault = {0};
        if (decode_tag(json_at(tags, i), repository, ret, &fault) != 0) {
            error_wrap(&fault, "tag %zu", i);
            decoded_add_fault(ret, &fault);
        }
    }
    return 0;
}

const struct decoder decoder_quay = {
    .name = "quay",
    .summary = "notifications of Quay",
    .proof = HOOK_PROOF_SECRET,
    .recognises = quay_recognises,
    .decode = quay_decode,
};
