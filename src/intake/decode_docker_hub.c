/* Docker Hub's webhooks: one tag that was pushed, without its digest. The callback_url is an
 * address that a stranger wrote, so nobody calls it. */
#include "decode.h"

static bool docker_hub_recognises(const struct hook_message *message)
{
    const struct json *body = message->body;
    return json_is(json_get(body, "push_data"), JSON_KIND_OBJECT) &&
           json_get_string(json_get(body, "repository"), "repo_name") != NULL;
}

static int docker_hub_decode(const struct hook_message *message,
                             const struct config_registry *registry, struct decoded *ret,
                             struct error *err)
{
    const struct json *push = json_get(message->body, "push_data");
    struct draft draft = {
        .action = EVENT_PUSH,
        .repository = decode_hint(json_get(message->body, "repository"), "repo_name"),
        .actor = decode_hint(push, "pusher"),
    };
    struct error fault = {0};
    (void)registry; /* there is one Docker Hub */
    if (!json_is(push, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "there is no push_data");
    if (decode_string(push, "tag", &draft.tag, &fault) != 0)
        decoded_add_fault(ret, &fault);
    else
        decoded_add_event(ret, &draft);
    return 0;
}

const struct decoder decoder_docker_hub = {
    .name = "dockerhub",
    .summary = "webhooks of Docker Hub",
    .proof = HOOK_PROOF_SECRET,
    .recognises = docker_hub_recognises,
    .decode = docker_hub_decode,
};
