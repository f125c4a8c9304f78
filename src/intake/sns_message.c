/* Reading messages of Amazon SNS strictly. Neither signatures nor topics are judged here. */
#include "sns_message.h"

#include "regwarden/aws.h"
#include "regwarden/clock.h"
#include "regwarden/http_client.h"

enum { TOPIC_MAX = 512, TOKEN_MAX = 2048, REGION_MAX = 32 };

static const struct json_limits sns_limits = {
    .max_bytes = 1u << 20,
    .max_depth = 4,
    .max_values = 64,
};

static const char *const kind_names[] = {
    [SNS_NOTIFICATION] = "Notification",
    [SNS_SUBSCRIPTION_CONFIRMATION] = "SubscriptionConfirmation",
    [SNS_UNSUBSCRIBE_CONFIRMATION] = "UnsubscribeConfirmation",
};

/* --- reading --- */

enum wish { REQUIRED, OPTIONAL };

static int take(const struct json *body, const char *key, enum wish wish, const char **ret,
                struct error *err)
{
    const struct json *member = json_get(body, key);
    const char *value = json_string(member);
    if (value == NULL && (member != NULL || wish == REQUIRED))
        return error_set(err, FAILURE_INPUT, "it has no string \"%s\"", key);
    *ret = value;
    return 0;
}

static bool has_controls(const char *value)
{
    for (; value != NULL && *value != '\0'; value++) {
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return true;
    }
    return false;
}

static int take_fields(struct sns_message *message, struct error *err)
{
    enum wish for_confirmation = message->kind == SNS_NOTIFICATION ? OPTIONAL : REQUIRED;
    const struct {
        const char *key;
        enum wish wish;
        const char **to;
    } fields[] = {
        {"Message", REQUIRED, &message->message},
        {"MessageId", REQUIRED, &message->message_id},
        {"Timestamp", REQUIRED, &message->timestamp},
        {"TopicArn", REQUIRED, &message->topic},
        {"Subject", OPTIONAL, &message->subject},
        {"SubscribeURL", for_confirmation, &message->subscribe_url},
        {"Token", for_confirmation, &message->token},
        {"SignatureVersion", REQUIRED, &message->version},
        {"Signature", REQUIRED, &message->signature},
        {"SigningCertURL", REQUIRED, &message->certificate_url},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (take(message->body, fields[i].key, fields[i].wish, fields[i].to, err) != 0)
            return FAILURE_INPUT;
        bool free_text =
            text_equal(fields[i].key, "Message") || text_equal(fields[i].key, "Subject");
        if (!free_text && has_controls(*fields[i].to))
            return error_set(err, FAILURE_INPUT, "its \"%s\" holds control characters",
                             fields[i].key);
    }
    return clock_parse_rfc3339(message->timestamp, &message->sent_ms, err);
}

static int take_kind(struct sns_message *message, struct error *err)
{
    if (take(message->body, "Type", REQUIRED, &message->type, err) != 0)
        return FAILURE_INPUT;
    for (size_t i = 0; i < ARRAY_COUNT(kind_names); i++) {
        if (text_equal(message->type, kind_names[i])) {
            message->kind = (enum sns_kind)i;
            return 0;
        }
    }
    return error_set(err, FAILURE_INPUT, "its type is not known");
}

int sns_message_parse(const char *bytes, size_t size, struct sns_message *ret, struct error *err)
{
    AUTO_SNS_MESSAGE struct sns_message message = {0};
    int r = json_parse(bytes, size, &sns_limits, &message.body, err);
    if (r == 0)
        r = take_kind(&message, err);
    if (r == 0)
        r = take_fields(&message, err);
    if (r != 0)
        return error_wrap(err, "not a message of Amazon SNS"), r;
    *ret = message;
    message.body = NULL;
    return 0;
}

void sns_message_release(struct sns_message *message)
{
    json_release(message->body);
    *message = (struct sns_message){0};
}

/* --- what is signed --- */

static void add_field(struct text *to, const char *key, const char *value)
{
    text_add(to, key);
    text_add_char(to, '\n');
    text_add(to, value);
    text_add_char(to, '\n');
}

void sns_string_to_sign(const struct sns_message *message, struct text *to)
{
    add_field(to, "Message", message->message);
    add_field(to, "MessageId", message->message_id);
    if (message->kind == SNS_NOTIFICATION && message->subject != NULL)
        add_field(to, "Subject", message->subject);
    if (message->kind != SNS_NOTIFICATION)
        add_field(to, "SubscribeURL", message->subscribe_url);
    add_field(to, "Timestamp", message->timestamp);
    if (message->kind != SNS_NOTIFICATION)
        add_field(to, "Token", message->token);
    add_field(to, "TopicArn", message->topic);
    add_field(to, "Type", message->type);
}

/* --- addresses --- */

/* The n-th part between colons, of `count` at least. Returns its length. */
static size_t part_of(const char *topic, size_t index, const char **ret)
{
    for (; index > 0; index--) {
        topic = strchr(topic, ':');
        if (topic == NULL)
            return 0;
        topic++;
    }
    *ret = topic;
    return strcspn(topic, ":");
}

static bool part_is_of(const char *part, size_t length, const char *allowed)
{
    return length > 0 && strspn(part, allowed) >= length;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool sns_topic_is_valid(const char *topic)
{
    const char *part[6] = {NULL};
    size_t length[6];
    if (topic == NULL || strlen(topic) > TOPIC_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(part); i++) {
        length[i] = part_of(topic, i, &part[i]);
        if (length[i] == 0)
            return false;
    }
    return text_starts_with(topic, "arn:aws") && part_is_of(part[1], length[1], LOWER "-") &&
           length[2] == 3 && strncmp(part[2], "sns", 3) == 0 && length[3] <= REGION_MAX &&
           part_is_of(part[3], length[3], LOWER DIGITS "-") && length[4] == 12 &&
           part_is_of(part[4], length[4], DIGITS) && part[5][length[5]] == '\0' &&
           part_is_of(part[5], length[5], LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_.");
}

char *sns_topic_host(const char *topic)
{
    const char *region = NULL;
    if (!sns_topic_is_valid(topic))
        return NULL;
    size_t length = part_of(topic, 3, &region);
    AUTO_FREE char *name = memory_copy_bytes(region, length);
    return text_new("sns.%s.%s", name, aws_names(name)->services);
}

/* What follows "https://<host>", NULL when the URL begins in another way. */
static const char *behind_host(const char *url, const char *host)
{
    size_t length = strlen(host);
    if (!text_starts_with(url, "https://"))
        return NULL;
    url += strlen("https://");
    return strncmp(url, host, length) == 0 && url[length] == '/' ? url + length : NULL;
}

bool sns_certificate_url_is_valid(const char *url, const char *host)
{
    static const char allowed[] = LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_./";
    const char *path = behind_host(url, host);
    return path != NULL && strlen(path) <= 256 && strspn(path, allowed) == strlen(path) &&
           strstr(path, "..") == NULL && strstr(path, "//") == NULL && text_ends_with(path, ".pem");
}

/* The value may be written plainly or with percent-encoding. */
static bool parameter_is(const char *parameter, size_t length, const char *name, const char *value)
{
    AUTO_FREE char *given = memory_copy_bytes(parameter, length);
    AUTO_FREE char *plain = text_new("%s=%s", name, value);
    AUTO_TEXT struct text encoded = {0};
    text_format(&encoded, "%s=", name);
    url_encode(&encoded, value);
    return text_equal(given, plain) || text_equal_nocase(given, encoded.data);
}

bool sns_subscribe_url_is_valid(const struct sns_message *message, const char *host)
{
    const char *at = behind_host(message->subscribe_url, host);
    static const char *const names[] = {"Action", "TopicArn", "Token"};
    const char *const values[] = {"ConfirmSubscription", message->topic, message->token};
    bool seen[3] = {false};
    if (at == NULL || !text_starts_with(at, "/?") || strlen(at) > 2 * TOKEN_MAX)
        return false;
    for (at += 2; *at != '\0'; at += at[0] == '&' ? 1 : 0) {
        size_t length = strcspn(at, "&");
        size_t i = 0;
        while (i < 3 && (seen[i] || !parameter_is(at, length, names[i], values[i])))
            i++;
        if (i == 3)
            return false;
        seen[i] = true;
        at += length;
    }
    return seen[0] && seen[1] && seen[2];
}
