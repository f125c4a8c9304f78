/* Bodies of notifications: parsed, recognised, and handed to every decoder whether it fits or not.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"

#include "regwarden/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name[] = "main";
static char url[] = "https://123456789012.dkr.ecr.us-west-2.amazonaws.com";

/* What every event that leaves a decoder promises. */
static void check_event(const struct event *event)
{
    assert(event->registry == NULL);
    assert(repository_is_valid(event->repository));
    assert(event->tag == NULL || tag_is_valid(event->tag));
    assert(event->tag != NULL || digest_is_set(&event->digest));
    assert(event->digest.algorithm != DIGEST_OTHER);
    assert(event->actor == NULL || strlen(event->actor) <= DECODE_ACTOR_MAX);
    assert(event->source_id == NULL || strlen(event->source_id) <= DECODE_ID_MAX);
}

static void decode_as(const char *dialect, const uint8_t *data, size_t size)
{
    AUTO_FREE char *own_dialect = memory_copy_text(dialect);
    struct config_registry registry = {.name = name, .url = url, .dialect = own_dialect};
    struct hook_message message = {.bytes = (const char *)data, .size = size};
    struct decode_input input = {.registry = &registry, .message = &message};
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    struct error err = {0};
    int r = decode_body(&input, &decoded, &decoder, &err);
    assert(r == 0 || err.text[0] != '\0');
    assert(decoded.count <= DECODE_EVENTS_MAX && decoded.fault_count <= DECODE_FAULTS_MAX);
    for (size_t i = 0; i < decoded.count; i++)
        check_event(&decoded.events[i]);
    decoded_release(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_as("auto", data, size);
    for (size_t i = 0; decoders[i] != NULL; i++)
        decode_as(decoders[i]->name, data, size);
    return 0;
}
