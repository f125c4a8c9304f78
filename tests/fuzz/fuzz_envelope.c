/* Notifications, with and without headers: parsed as JSON or form, recognised, and handed to every
 * decoder whether it fits or not. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"

#include "regwarden/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name[] = "main";
static char url[] = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com";
static char other_url[] = "https://registry.example";
static char azure[] = "acme.azurecr.io", google[] = "europe-docker.pkg.dev", github[] = "ghcr.io",
            jfrog[] = "acme.jfrog.io";
static char *hosts[] = {azure, google, github, jfrog};

/* These say of every event which registry it is of. */
static const char *const named[] = {"ecr", "sns"};

static bool is_printable(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

/* What every event that leaves a decoder promises. */
static void check_event(const struct event *event)
{
    assert(event->registry == NULL);
    assert(repository_is_valid(event->repository));
    assert(event->tag == NULL || tag_is_valid(event->tag));
    assert(event->tag != NULL || digest_is_set(&event->digest));
    assert(event->digest.algorithm != DIGEST_OTHER);
    assert(event->action != EVENT_SCANNED || digest_is_set(&event->digest));
    assert(is_printable(event->actor) && is_printable(event->source_id));
    assert(is_printable(event->media_type));
    assert(event->actor == NULL || strlen(event->actor) <= DECODE_ACTOR_MAX);
    assert(event->source_id == NULL || strlen(event->source_id) <= DECODE_ID_MAX);
}

static void check_decoded(const struct decoded *decoded)
{
    assert(decoded->count <= DECODE_EVENTS_MAX && decoded->fault_count <= DECODE_FAULTS_MAX);
    assert(decoded->confirm == HOOK_CONFIRM_NONE || decoded->count == 0);
    for (size_t i = 0; i < decoded->count; i++)
        check_event(&decoded->events[i]);
}

/* Returns how many events came out. */
static size_t decode_as(const char *dialect, const struct hook_message *message, bool elsewhere)
{
    AUTO_FREE char *own_dialect = memory_copy_text(dialect);
    struct config_registry registry = {
        .name = name, .url = elsewhere ? other_url : url, .dialect = own_dialect};
    if (!elsewhere)
        registry.hosts = (struct text_list){.items = hosts, .count = ARRAY_COUNT(hosts)};
    struct decode_input input = {.registry = &registry, .message = message};
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    struct error err = {0};
    int r = decode_body(&input, &decoded, &decoder, &err);
    assert(r == 0 || err.text[0] != '\0');
    check_decoded(&decoded);
    size_t count = decoded.count;
    decoded_release(&decoded);
    return count;
}

/* Lines of "name: value" before an empty line are headers; without one all is the body. Returns
 * where the body begins. */
static size_t read_headers(const char *bytes, size_t size, struct text_pairs *to)
{
    const char *end = memmem(bytes, size, "\n\n", 2);
    if (end == NULL || bytes[0] == '{' || bytes[0] == '[')
        return 0;
    for (const char *at = bytes; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop == NULL ? end : stop) - at);
        AUTO_FREE char *line = memory_copy_bytes(at, length);
        char *value = strstr(line, ": ");
        if (value != NULL) {
            *value = '\0';
            text_pairs_add(to, line, value + 2);
        }
        at += length + 1;
    }
    return (size_t)(end + 2 - bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct text_pairs headers = {0};
    size_t start = read_headers(bytes, size, &headers);
    struct hook_message message = {
        .headers = &headers, .bytes = bytes + start, .size = size - start};
    message.content_type = hook_message_header(&message, "content-type");
    decode_as("auto", &message, false);
    for (size_t i = 0; decoders[i] != NULL; i++)
        decode_as(decoders[i]->name, &message, false);
    for (size_t i = 0; i < ARRAY_COUNT(named); i++)
        assert(decode_as(named[i], &message, true) == 0);
    text_pairs_release(&headers);
    return 0;
}
