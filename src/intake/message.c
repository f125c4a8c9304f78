/* Headers and body of one notification, wherever it came from. */
#include "message.h"

enum { KEPT_VALUE_MAX = 1024 };

const char *hook_message_header(const struct hook_message *message, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; message->headers != NULL && i < message->headers->count; i++) {
        if (!text_equal_nocase(message->headers->items[i].key, name))
            continue;
        if (value != NULL)
            return NULL;
        value = message->headers->items[i].value;
    }
    return value;
}

size_t message_header_count(const struct hook_message *message, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; message->headers != NULL && i < message->headers->count; i++)
        count += text_equal_nocase(message->headers->items[i].key, name) ? 1 : 0;
    return count;
}

void message_from_exchange(const struct http_exchange *exchange, struct text_pairs *headers,
                           struct hook_message *ret)
{
    http_exchange_headers(exchange, headers);
    *ret = (struct hook_message){.headers = headers};
    ret->content_type = hook_message_header(ret, "content-type");
    ret->bytes = http_exchange_body(exchange, &ret->size);
}

void message_from_body(const struct intake_body *body, struct hook_message *ret)
{
    *ret =
        (struct hook_message){.headers = body->headers, .bytes = body->bytes, .size = body->size};
    ret->content_type = hook_message_header(ret, "content-type");
}

/* What proves a sender could be used again by whoever reads a dead letter. */
static bool proves_sender(const struct config_registry *registry, const char *name)
{
    static const char *const secrets[] = {
        "authorization", "proxy-authorization", "cookie", "x-jfrog-event-auth", "x-gitlab-token",
    };
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        if (text_equal(name, secrets[i]))
            return true;
    }
    return strstr(name, "signature") != NULL ||
           text_equal_nocase(name, registry->hook_secret_header);
}

/* names: ends with NULL, may be NULL. */
static void keep_named(const struct hook_message *message, const char *const *names,
                       const struct config_registry *registry, struct text_pairs *to)
{
    for (; names != NULL && *names != NULL; names++) {
        const char *value = hook_message_header(message, *names);
        if (value != NULL && strlen(value) <= KEPT_VALUE_MAX && !proves_sender(registry, *names) &&
            text_pairs_get(to, *names) == NULL)
            text_pairs_add(to, *names, value);
    }
}

void message_keep_headers(const struct hook_message *message, const struct decoder *decoder,
                          const struct config_registry *registry, struct text_pairs *to)
{
    static const char *const always[] = {"content-type", NULL};
    keep_named(message, always, registry, to);
    if (decoder != NULL)
        keep_named(message, decoder->headers, registry, to);
    for (size_t i = 0; decoders[i] != NULL; i++)
        keep_named(message, decoders[i]->headers, registry, to);
}
