/* The JSON of a notification, which some senders post in a field of a form. */
#include "decode.h"

#include "regwarden/http_client.h"

/* Far above what any sender writes; low enough that parsing one body stays cheap. */
static const struct json_limits body_limits = {
    .max_bytes = 4u << 20,
    .max_depth = 32,
    .max_values = 200000,
};

bool message_has_type(const struct hook_message *message, const char *prefix)
{
    return message->content_type != NULL &&
           strncasecmp(message->content_type, prefix, strlen(prefix)) == 0;
}

int message_parse_json(const char *bytes, size_t size, struct json **ret, struct error *err)
{
    return json_parse(bytes, size, &body_limits, ret, err);
}

/* Tools that are made for trying things out say "form" of everything that they post, so a body that
 * is plainly JSON is JSON. Without a type (a dead letter of older versions) the field tells. */
static bool is_form(const struct hook_message *message)
{
    static const char field[] = "payload=";
    size_t blank = 0;
    while (blank < message->size && strchr(" \t\r\n", message->bytes[blank]) != NULL &&
           message->bytes[blank] != '\0')
        blank++;
    if (blank < message->size && (message->bytes[blank] == '{' || message->bytes[blank] == '['))
        return false;
    return message_has_type(message, "application/x-www-form-urlencoded") ||
           (message->size >= strlen(field) && memcmp(message->bytes, field, strlen(field)) == 0);
}

static size_t length_until(const char *bytes, size_t size, char end)
{
    const char *found = memchr(bytes, end, size);
    return found == NULL ? size : (size_t)(found - bytes);
}

/* Returns new; NULL and an error also for a field that comes twice: two readers would take
 * different ones. */
static char *form_field(const struct hook_message *message, const char *name, struct error *err)
{
    AUTO_FREE char *value = NULL;
    for (size_t at = 0; at < message->size;) {
        const char *pair = message->bytes + at;
        size_t length = length_until(pair, message->size - at, '&');
        size_t name_length = length_until(pair, length, '=');
        AUTO_FREE char *key = url_decode(pair, name_length, true);
        at += length + 1;
        if (!text_equal(key, name))
            continue;
        if (value != NULL) {
            error_set(err, FAILURE_INPUT, "the form has the field \"%s\" twice", name);
            return NULL;
        }
        size_t skipped = name_length < length ? name_length + 1 : length;
        value = url_decode(pair + skipped, length - skipped, true);
        if (value == NULL) {
            error_set(err, FAILURE_INPUT, "the form's field \"%s\" is badly encoded", name);
            return NULL;
        }
    }
    if (value == NULL)
        error_set(err, FAILURE_INPUT, "the form has no field \"%s\"", name);
    return TAKE(value);
}

int message_parse_body(const struct hook_message *message, struct json **ret, struct error *err)
{
    if (!is_form(message))
        return message_parse_json(message->bytes, message->size, ret, err);
    if (message->size > body_limits.max_bytes)
        return error_set(err, FAILURE_LIMIT, "the form is larger than %zu bytes",
                         body_limits.max_bytes);
    AUTO_FREE char *payload = form_field(message, "payload", err);
    if (payload == NULL)
        return FAILURE_INPUT;
    return message_parse_json(payload, strlen(payload), ret, err);
}
