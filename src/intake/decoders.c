/* The table of dialects, and what every dialect's decoder needs: reading members, and the grammars
 * that each event has to pass. Knows no dialect itself. */
#include "decode.h"
#include "proofs.h"

#include "regwarden/manifest.h"
#include "regwarden/reference.h"

/* No two recognise what any sender sends. Of a message that is made to look like two the first
 * wins; who can send it could as well have sent either. */
const struct decoder *const decoders[] = {
    &decoder_distribution, &decoder_gitlab, &decoder_harbor,     &decoder_ecr,
    &decoder_sns,          &decoder_acr,    &decoder_event_grid, &decoder_gar,
    &decoder_github,       &decoder_gitea,  &decoder_quay,       &decoder_docker_hub,
    &decoder_zot,          &decoder_jfrog,  &decoder_nexus,      NULL,
};

static const struct decoder *decoder_recognise(const struct hook_message *message)
{
    for (size_t i = 0; decoders[i] != NULL; i++) {
        if (decoders[i]->recognises(message))
            return decoders[i];
    }
    return NULL;
}

/* The signature of SNS is over its own fields: whatever stands beside them, or in headers, has no
 * say in what the message is. */
static const struct decoder *decoder_choose(const struct config_registry *registry,
                                            const struct hook_message *message)
{
    if (proof_kind(registry) == HOOK_PROOF_SNS && sns_is_envelope(message->body))
        return &decoder_sns;
    const struct decoder *named = decoder_find(registry->dialect);
    return named != NULL ? named : decoder_recognise(message);
}

static int decode_digest(const char *text, struct digest *ret, struct error *err)
{
    if (text == NULL) {
        *ret = (struct digest){.algorithm = DIGEST_NONE};
        return 0;
    }
    return digest_parse_verifiable(text, ret, err);
}

static int fault_of(struct error *err, const char *what, const char *value)
{
    AUTO_FREE char *shown = text_printable(value, 80);
    return error_set(err, FAILURE_INPUT, "%s \"%s\" is not valid", what, shown);
}

static int draft_check(const struct draft *draft, struct digest *ret_digest, struct error *err)
{
    if (draft->repository == NULL)
        return error_set(err, FAILURE_INPUT, "the event names no repository");
    if (!repository_is_valid(draft->repository))
        return fault_of(err, "the repository", draft->repository);
    if (draft->tag != NULL && !tag_is_valid(draft->tag))
        return fault_of(err, "the tag", draft->tag);
    if (draft->tag == NULL && draft->digest == NULL)
        return error_set(err, FAILURE_INPUT, "the event names neither a tag nor a digest");
    if (draft->action == EVENT_SCANNED && draft->digest == NULL)
        return error_set(err, FAILURE_INPUT,
                         "the event does not name the digest of what was scanned");
    return decode_digest(draft->digest, ret_digest, err);
}

void draft_set_reference(struct draft *draft, const char *reference)
{
    /* A colon is in every digest and in no tag, so that a damaged digest is not taken for a tag. */
    if (reference != NULL && strchr(reference, ':') != NULL)
        draft->digest = reference;
    else
        draft->tag = reference;
}

static struct event *decoded_new_event(struct decoded *decoded)
{
    decoded->events = memory_grow(decoded->events, decoded->count, &decoded->capacity,
                                  sizeof(decoded->events[0]));
    struct event *event = &decoded->events[decoded->count++];
    *event = (struct event){.cause = EVENT_CAUSE_HOOK};
    return event;
}

void decoded_add_event(struct decoded *decoded, const struct draft *draft)
{
    struct error err = {0};
    struct digest digest;
    if (draft_check(draft, &digest, &err) != 0) {
        decoded_add_fault(decoded, &err);
        return;
    }
    struct event *event = decoded_new_event(decoded);
    event->action = draft->action;
    event->repository = memory_copy_text(draft->repository);
    event->tag = memory_copy_text(draft->tag);
    event->digest = digest;
    event->media_type = decode_label(draft->media_type, DECODE_ACTOR_MAX);
    event->actor = decode_label(draft->actor, DECODE_ACTOR_MAX);
    event->source_id = decode_label(draft->source_id, DECODE_ID_MAX);
}

void decoded_add_fault(struct decoded *decoded, const struct error *error)
{
    if (decoded->fault_count == DECODE_FAULTS_MAX) {
        decoded->fault_more++;
        return;
    }
    decoded->faults = memory_grow(decoded->faults, decoded->fault_count, &decoded->fault_capacity,
                                  sizeof(decoded->faults[0]));
    decoded->faults[decoded->fault_count++] = *error;
}

bool decoded_has_room(struct decoded *decoded, size_t index, size_t total)
{
    if (index < DECODE_EVENTS_MAX)
        return true;
    struct error err = {0};
    error_set(&err, FAILURE_LIMIT, "%zu events in one body, of which the first %d were taken",
              total, DECODE_EVENTS_MAX);
    decoded_add_fault(decoded, &err);
    return false;
}

void decoded_release(struct decoded *decoded)
{
    for (size_t i = 0; i < decoded->count; i++)
        event_release(&decoded->events[i]);
    free(decoded->events);
    free(decoded->faults);
    free(decoded->instance);
    free(decoded->reply);
    *decoded = (struct decoded){0};
}

int decode_string(const struct json *object, const char *key, const char **ret, struct error *err)
{
    const struct json *member = json_get(object, key);
    if (member == NULL || json_is(member, JSON_KIND_NULL)) {
        *ret = NULL;
        return 0;
    }
    const char *string = json_string(member);
    if (string == NULL)
        return error_set(err, FAILURE_INPUT, "\"%s\" is not a string", key);
    *ret = string[0] == '\0' ? NULL : string;
    return 0;
}

const char *decode_hint(const struct json *object, const char *key)
{
    const char *string = json_get_string(object, key);
    return string == NULL || string[0] == '\0' ? NULL : string;
}

char *decode_lower(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return text;
}

bool media_type_may_be_manifest(const char *media_type)
{
    return media_type == NULL || media_type_is_manifest(media_type);
}

char *decode_label(const char *value, size_t max)
{
    if (value == NULL)
        return NULL;
    char *label = text_printable(value, max);
    if (strlen(label) > max)
        label[max] = '\0';
    return label;
}

const struct decoder *decoder_find(const char *name)
{
    for (size_t i = 0; name != NULL && decoders[i] != NULL; i++) {
        if (text_equal(decoders[i]->name, name))
            return decoders[i];
    }
    return NULL;
}

int decode_body(const struct decode_input *input, struct decoded *ret,
                const struct decoder **ret_decoder, struct error *err)
{
    *ret_decoder = decoder_find(input->registry->dialect);
    AUTO_JSON struct json *body = NULL;
    int r = message_parse_body(input->message, &body, err);
    if (r != 0)
        return error_wrap(err, "the body is not JSON that is accepted"), r;
    struct hook_message message = *input->message;
    message.body = body;
    *ret_decoder = decoder_choose(input->registry, &message);
    if (*ret_decoder == NULL)
        return error_set(err, FAILURE_INPUT, "the body is of no dialect that is known");
    r = (*ret_decoder)->decode(&message, input->registry, ret, err);
    if (r != 0)
        return error_wrap(err, "not a notification of the dialect \"%s\"", (*ret_decoder)->name), r;
    return 0;
}
