/* What receivers are told about a verdict, and how it is spelled: CloudEvents 1.0 as one JSON
 * document, or a message as Slack and its relatives read it. Names only a repository, tag and
 * digest of a configured registry, never a URL from elsewhere. Sending is deliveries.c. */
#include "notification.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"

enum { FINDINGS_MAX = 20, SLACK_FINDINGS_MAX = 8, MESSAGE_MAX = 300 };

/* --- the document --- */

static void identify(const struct task *task, struct json *to)
{
    const struct action_target *target = &task->target;
    char digest[DIGEST_TEXT_SIZE];
    char hex[2 * HASH_SIZE_MAX + 1];
    uint8_t hash[HASH_SIZE_MAX];
    AUTO_FREE char *all =
        text_new("%" PRId64 "\n%s\n%s\n%s\n%s\n%s", target->plan_id, target->registry_name,
                 target->repository, target->tag == NULL ? "" : target->tag,
                 digest_format(&target->digest, digest),
                 target->verdict == NULL ? "" : target->verdict->policy_revision);
    crypto_hash(HASH_SHA256, all, strlen(all), hash);
    crypto_hex(hash, 16, hex);
    json_set_string(to, "id", hex);
}

static struct json *new_finding(const struct finding *finding)
{
    struct json *json = json_new_object();
    AUTO_FREE char *message =
        text_printable(finding->message == NULL ? "" : finding->message, MESSAGE_MAX);
    json_set_string(json, "policy", finding->policy);
    json_set_string(json, "rule", finding->rule);
    json_set_string(json, "id", finding->id);
    json_set_string(json, "severity", severity_name(finding->severity));
    json_set_string(json, "status", finding_status_name(finding->status));
    json_set_string(json, "message", message);
    if (finding->remedy != NULL) {
        AUTO_FREE char *remedy = text_printable(finding->remedy, MESSAGE_MAX);
        json_set_string(json, "remedy", remedy);
    }
    json_set_string(json, "platform", finding->platform);
    json_set_string(json, "fingerprint", finding->fingerprint);
    return json;
}

/* The worst first: what has to be cut off is what matters least. */
static struct json *new_findings(const struct verdict *verdict, int64_t *ret_total)
{
    static const enum finding_status order[] = {FINDING_FAIL, FINDING_UNKNOWN, FINDING_WARN};
    struct json *findings = json_new_array();
    int64_t total = 0;
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        for (size_t j = 0; verdict != NULL && j < verdict->findings.count; j++) {
            const struct finding *finding = &verdict->findings.items[j];
            if (finding->status != order[i])
                continue;
            if (total++ < FINDINGS_MAX)
                json_append_take(findings, new_finding(finding));
        }
    }
    *ret_total = total;
    return findings;
}

struct json *notification_new(const struct task *task)
{
    const struct action_target *target = &task->target;
    struct json *notification = json_new_object();
    struct json *data = json_new_object();
    char time[CLOCK_TEXT_SIZE];
    char digest[DIGEST_TEXT_SIZE];
    int64_t total = 0;
    identify(task, notification);
    json_set_string(notification, "time", clock_format_rfc3339(clock_wall_ms(), time));
    json_set_string(data, "registry", target->registry_name);
    json_set_string(data, "repository", target->repository);
    json_set_string(data, "tag", target->tag);
    json_set_string(data, "digest", digest_format(&target->digest, digest));
    json_set_string(data, "verdict", verdict_status_name(task->verdict));
    json_set_string(data, "mode", target->audit ? "audit" : "enforce");
    json_set_take(data, "findings", new_findings(target->verdict, &total));
    json_set_integer(data, "findingsTotal", total);
    json_set_take(notification, "data", data);
    return notification;
}

struct json *notification_for(const struct json *notification, const char *notifier)
{
    struct json *json = json_new_object();
    json_set_string(json, "notifier", notifier);
    json_set_string(json, "id", json_get_string(notification, "id"));
    json_set_string(json, "time", json_get_string(notification, "time"));
    json_set_take(json, "data", json_retain(json_get(notification, "data")));
    return json;
}

/* --- CloudEvents --- */

static void add_subject(struct text *to, const struct json *data)
{
    const char *tag = json_get_string(data, "tag");
    text_format(to, "%s", json_get_string(data, "repository"));
    if (tag != NULL)
        text_format(to, ":%s", tag);
    text_format(to, "@%s", json_get_string(data, "digest"));
}

static struct json *render_cloudevents(const struct json *notification)
{
    struct json *event = json_new_object();
    struct json *data = json_get(notification, "data");
    AUTO_TEXT struct text subject = {0};
    AUTO_FREE char *source = text_new("/regwarden/%s", json_get_string(data, "registry"));
    add_subject(&subject, data);
    json_set_string(event, "specversion", "1.0");
    json_set_string(event, "id", json_get_string(notification, "id"));
    json_set_string(event, "source", source);
    json_set_string(event, "type", "regwarden.verdict.v1");
    json_set_string(event, "subject", text_data(&subject));
    json_set_string(event, "time", json_get_string(notification, "time"));
    json_set_string(event, "datacontenttype", "application/json");
    json_set_take(event, "data", json_retain(data));
    return event;
}

/* --- Slack --- */

/* The three characters that mean something in a message: without this, a finding could call
 * everybody in the channel or pass off a link. */
static void add_escaped(struct text *to, const char *string)
{
    for (const char *at = string == NULL ? "" : string; *at != '\0'; at++) {
        if (*at == '&')
            text_add(to, "&amp;");
        else if (*at == '<')
            text_add(to, "&lt;");
        else if (*at == '>')
            text_add(to, "&gt;");
        else
            text_add_char(to, *at);
    }
}

static void add_slack_findings(struct text *to, const struct json *data)
{
    const struct json *findings = json_get(data, "findings");
    size_t count = json_count(findings);
    size_t shown = count < SLACK_FINDINGS_MAX ? count : SLACK_FINDINGS_MAX;
    int64_t total = json_get_integer(data, "findingsTotal", (int64_t)count);
    for (size_t i = 0; i < shown; i++) {
        const struct json *finding = json_at(findings, i);
        text_format(to, "\n• %s/%s: ", json_get_string(finding, "policy"),
                    json_get_string(finding, "id"));
        add_escaped(to, json_get_string(finding, "message"));
    }
    if (total > (int64_t)shown)
        text_format(to, "\n… and %" PRId64 " more", total - (int64_t)shown);
}

static struct json *render_slack(const struct json *notification)
{
    const struct json *data = json_get(notification, "data");
    struct json *message = json_new_object();
    struct json *blocks = json_new_array();
    struct json *block = json_new_object();
    struct json *section = json_new_object();
    AUTO_TEXT struct text head = {0};
    AUTO_TEXT struct text body = {0};
    text_format(&head, "regwarden: %s for %s/", json_get_string(data, "verdict"),
                json_get_string(data, "registry"));
    add_subject(&head, data);
    if (text_equal(json_get_string(data, "mode"), "audit"))
        text_add(&head, " (audit: nothing was changed)");
    text_add(&body, text_data(&head));
    add_slack_findings(&body, data);
    json_set_string(section, "type", "mrkdwn");
    json_set_bool(section, "verbatim", true); /* an address in a finding becomes no link */
    json_set_string(section, "text", text_data(&body));
    json_set_string(block, "type", "section");
    json_set_take(block, "text", section);
    json_append_take(blocks, block);
    json_set_string(message, "text", text_data(&head));
    json_set_take(message, "blocks", blocks);
    return message;
}

/* --- spelling --- */

static const struct {
    const char *content_type;
    struct json *(*render)(const struct json *notification);
} formats[] = {
    [NOTIFICATION_CLOUDEVENTS] = {"application/cloudevents+json", render_cloudevents},
    [NOTIFICATION_SLACK] = {"application/json", render_slack},
};

void notification_render(const struct json *notification, enum notification_format format,
                         struct text *ret)
{
    AUTO_JSON struct json *json = formats[format].render(notification);
    json_write(json, JSON_COMPACT, ret);
}

const char *notification_content_type(enum notification_format format)
{
    return formats[format].content_type;
}

const char *notification_sign(const struct text *key, const char *timestamp,
                              const struct text *body, char buffer[static SIGNATURE_SIZE])
{
    AUTO_TEXT struct text signed_text = {0};
    uint8_t mac[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];
    text_format(&signed_text, "%s.", timestamp);
    text_add_bytes(&signed_text, body->data, body->length);
    crypto_hmac(HASH_SHA256, key->data, key->length, signed_text.data, signed_text.length, mac);
    crypto_hex(mac, hash_size(HASH_SHA256), hex);
    snprintf(buffer, SIGNATURE_SIZE, "sha256=%s", hex);
    return buffer;
}
