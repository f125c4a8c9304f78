/* The envelope of CNCF distribution (docker-registry 2.x, registry 3.x; GitLab's registry beside
 * it):
 * {"events": […]}, sent as application/vnd.docker.distribution.events.v1+json or .v2+json, by test
 * tools as application/json. Not for senders that post a single event without the envelope.
 *
 * One push of an image is many events: its blobs, the checks whether they are there ("pull", also
 * for HEAD), mounts, and at last the manifest. Only manifests matter here, so everything else is
 * dropped before anything of it is checked. */
#include "decode.h"

/* The envelope itself is the surer sign: proxies rewrite content types. */
bool distribution_is_envelope(const struct json *body)
{
    return json_is(json_get(body, "events"), JSON_KIND_ARRAY);
}

static bool distribution_recognises(const struct hook_message *message)
{
    return distribution_is_envelope(message->body) && !gitlab_has_actor(message->body);
}

/* "push" and "delete" are of interest; pulls, mounts and what later versions may add are not. */
static bool action_of(const char *name, enum event_action *ret)
{
    if (text_equal(name, "push")) {
        *ret = EVENT_PUSH;
        return true;
    }
    if (text_equal(name, "delete")) {
        *ret = EVENT_DELETE;
        return true;
    }
    return false;
}

int distribution_read_target(const struct json *target, struct draft *draft, struct error *err)
{
    int r = decode_string(target, "repository", &draft->repository, err);
    if (r == 0)
        r = decode_string(target, "tag", &draft->tag, err);
    if (r == 0)
        r = decode_string(target, "digest", &draft->digest, err);
    return r;
}

static bool names_whole_repository(const struct draft *draft)
{
    return draft->action == EVENT_DELETE && draft->tag == NULL && draft->digest == NULL;
}

/* Returns 0 when the event was taken or ignored, else why it was not understood. */
static int decode_event(const struct json *event, struct decoded *decoded, struct error *err)
{
    struct draft draft = {0};
    const struct json *target = json_get(event, "target");
    const char *action = json_get_string(event, "action");
    if (action == NULL)
        return error_set(err, FAILURE_INPUT, "the event has no action");
    if (!action_of(action, &draft.action)) {
        decoded->ignored++;
        return 0;
    }
    if (!json_is(target, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_INPUT, "the event has no target");
    int r = decode_string(target, "mediaType", &draft.media_type, err);
    if (r != 0)
        return r;
    /* A delete of a manifest and one of a blob look the same, and neither has a type: both go on,
     * and the record knows which digests are images. */
    if (!media_type_may_be_manifest(draft.media_type)) {
        decoded->ignored++;
        return 0;
    }
    r = distribution_read_target(target, &draft, err);
    if (r != 0)
        return r;
    if (names_whole_repository(&draft)) {
        /* Says nothing of single tags; the sweep finds them gone. */
        decoded->ignored++;
        return 0;
    }
    draft.actor = decode_hint(json_get(event, "actor"), "name");
    draft.source_id = decode_hint(event, "id");
    decoded_add_event(decoded, &draft);
    return 0;
}

static void note_instance(const struct json *event, struct decoded *decoded)
{
    if (decoded->instance == NULL)
        decoded->instance =
            decode_label(decode_hint(json_get(event, "source"), "instanceID"), DECODE_ID_MAX);
}

int distribution_decode_envelope(const struct json *body,
                                 bool (*is_ignored)(const struct json *event), struct decoded *ret,
                                 struct error *err)
{
    if (!distribution_is_envelope(body))
        return error_set(err, FAILURE_INPUT, "there is no array \"events\"");
    const struct json *events = json_get(body, "events");
    size_t total = json_count(events);
    for (size_t i = 0; i < total && decoded_has_room(ret, i, total); i++) {
        const struct json *event = json_at(events, i);
        struct error fault = {0};
        note_instance(event, ret);
        if (is_ignored != NULL && is_ignored(event)) {
            ret->ignored++;
        } else if (decode_event(event, ret, &fault) != 0) {
            error_wrap(&fault, "event %zu", i);
            decoded_add_fault(ret, &fault);
        }
    }
    return 0;
}

static int distribution_decode(const struct hook_message *message,
                               const struct config_registry *registry, struct decoded *ret,
                               struct error *err)
{
    (void)registry; /* hosts in the payload come from the client's Host header: never looked at */
    return distribution_decode_envelope(message->body, NULL, ret, err);
}

const struct decoder decoder_distribution = {
    .name = "distribution",
    .summary = "CNCF distribution 2.x and 3.x",
    .proof = HOOK_PROOF_SECRET,
    .recognises = distribution_recognises,
    .decode = distribution_decode,
};
