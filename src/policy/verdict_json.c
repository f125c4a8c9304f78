/* Verdicts and findings as JSON, both ways. Fields are only ever added. */
#include "regwarden/verdict.h"

#include <inttypes.h>
#include <limits.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

struct json *finding_to_json(const struct finding *finding)
{
    struct json *json = json_new_object();
    char layer[DIGEST_TEXT_SIZE];

    json_set_string(json, "rule", finding->rule);
    json_set_string(json, "id", finding->id);
    json_set_string(json, "policy", finding->policy);
    json_set_string(json, "severity", severity_name(finding->severity));
    json_set_string(json, "status", finding_status_name(finding->status));
    json_set_string(json, "message", finding->message);
    json_set_string(json, "remedy", finding->remedy);
    json_set_string(json, "evidence", finding->evidence);
    if (digest_is_set(&finding->layer))
        json_set_string(json, "layer", digest_format(&finding->layer, layer));
    json_set_string(json, "origin", origin_name(finding->origin));
    if (finding->step >= 0)
        json_set_integer(json, "step", finding->step);
    json_set_string(json, "path", finding->path);
    if (finding->bytes > 0)
        json_set_integer(json, "bytes", (int64_t)finding->bytes);
    json_set_string(json, "platform", finding->platform);
    json_set_string(json, "waiver", finding->waiver);
    json_set_string(json, "fingerprint", finding->fingerprint);
    return json;
}

static struct json *actions_to_json(unsigned actions)
{
    struct json *json = json_new_array();

    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        if (actions & ACTION_BIT(kind))
            json_append_take(json, json_new_string(action_kind_name((enum action_kind)kind)));
    }
    return json;
}

struct json *verdict_to_json(const struct verdict *verdict)
{
    struct json *json = json_new_object();
    struct json *findings = json_new_array();

    for (size_t i = 0; i < verdict->findings.count; i++)
        json_append_take(findings, finding_to_json(&verdict->findings.items[i]));
    json_set_string(json, "verdict", verdict_status_name(verdict->status));
    json_set_take(json, "findings", findings);
    json_set_take(json, "actions", actions_to_json(verdict->actions));
    json_set_take(json, "auditActions", actions_to_json(verdict->audit_actions));
    json_set_bool(json, "enforced", verdict->enforced);
    json_set_bool(json, "retry", verdict->retry);
    json_set_integer(json, "policies", (int64_t)verdict->policy_count);
    json_set_string(json, "policyRevision", verdict->policy_revision);
    return json;
}

/* What text_from_json() reads: a field may be absent (optional) but never of another kind. */
struct text_field {
    const char *key;
    size_t offset;
    bool required;
};

static const struct text_field text_fields[] = {
    {"rule", offsetof(struct finding, rule), true},
    {"id", offsetof(struct finding, id), true},
    {"policy", offsetof(struct finding, policy), true},
    {"message", offsetof(struct finding, message), true},
    {"remedy", offsetof(struct finding, remedy), false},
    {"evidence", offsetof(struct finding, evidence), false},
    {"path", offsetof(struct finding, path), false},
    {"platform", offsetof(struct finding, platform), false},
    {"waiver", offsetof(struct finding, waiver), false},
};

static int bad_field(struct error *err, const char *key)
{
    return error_set(err, FAILURE_INPUT, "finding: \"%s\" is missing or not what it should be",
                     key);
}

static int texts_from_json(const struct json *json, struct finding *finding, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(text_fields); i++) {
        const struct text_field *field = &text_fields[i];
        const struct json *value = json_get(json, field->key);

        if (!value && !field->required)
            continue;
        if (!json_string(value))
            return bad_field(err, field->key);
        *(char **)(void *)((char *)finding + field->offset) = memory_copy_text(json_string(value));
    }
    return 0;
}

static int fingerprint_from_json(const struct json *json, struct finding *finding)
{
    const char *text = json_get_string(json, "fingerprint");

    if (!text || strlen(text) != FINGERPRINT_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != FINGERPRINT_SIZE - 1)
        return FAILURE_INPUT;
    memcpy(finding->fingerprint, text, FINGERPRINT_SIZE);
    return 0;
}

/* An integer within 0..max; absent gives the fallback. */
static int count_from_json(const struct json *json, int64_t max, int64_t fallback, int64_t *ret)
{
    int64_t value;

    if (!json) {
        *ret = fallback;
        return 0;
    }
    value = json_integer(json, -1);
    if (value < 0 || value > max)
        return FAILURE_INPUT;
    *ret = value;
    return 0;
}

static int finding_fill(const struct json *json, struct finding *finding, struct error *err)
{
    const char *layer = json_get_string(json, "layer");
    int64_t step;
    int64_t bytes;
    int rc = texts_from_json(json, finding, err);

    if (rc < 0)
        return rc;
    if (severity_from_name(json_get_string(json, "severity"), &finding->severity) < 0)
        return bad_field(err, "severity");
    if (finding_status_from_name(json_get_string(json, "status"), &finding->status) < 0)
        return bad_field(err, "status");
    if (origin_from_name(json_get_string(json, "origin"), &finding->origin) < 0)
        return bad_field(err, "origin");
    if (fingerprint_from_json(json, finding) < 0)
        return bad_field(err, "fingerprint");
    if (layer && digest_parse(layer, &finding->layer, err) < 0)
        return bad_field(err, "layer");
    if (count_from_json(json_get(json, "step"), INT_MAX, -1, &step) < 0)
        return bad_field(err, "step");
    if (count_from_json(json_get(json, "bytes"), INT64_MAX, 0, &bytes) < 0)
        return bad_field(err, "bytes");
    finding->step = (int)step;
    finding->bytes = (uint64_t)bytes;
    return 0;
}

static int findings_from_json(const struct json *json, struct findings *findings, struct error *err)
{
    if (!json_is(json, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "verdict: \"findings\" is missing or not an array");
    for (size_t i = 0; i < json_count(json); i++) {
        int rc;

        findings->items = memory_grow(findings->items, findings->count, &findings->capacity,
                                      sizeof(*findings->items));
        findings->items[findings->count] = (struct finding){0};
        rc = finding_fill(json_at(json, i), &findings->items[findings->count++], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int actions_from_json(const struct json *json, const char *key, unsigned *ret,
                             struct error *err)
{
    const struct json *list = json_get(json, key);
    unsigned actions = 0;

    if (!json_is(list, JSON_KIND_ARRAY))
        return error_set(err, FAILURE_INPUT, "verdict: \"%s\" is missing or not an array", key);
    for (size_t i = 0; i < json_count(list); i++) {
        enum action_kind kind;

        if (action_kind_from_name(json_string(json_at(list, i)), &kind) < 0)
            return error_set(err, FAILURE_INPUT, "verdict: \"%s\" names no action", key);
        actions |= ACTION_BIT(kind);
    }
    *ret = actions;
    return 0;
}

static int verdict_fill(const struct json *json, struct verdict *verdict, struct error *err)
{
    const char *revision = json_get_string(json, "policyRevision");
    int64_t count;
    int rc;

    if (verdict_status_from_name(json_get_string(json, "verdict"), &verdict->status) < 0)
        return error_set(err, FAILURE_INPUT, "verdict: \"verdict\" is missing or not a verdict");
    rc = findings_from_json(json_get(json, "findings"), &verdict->findings, err);
    if (rc < 0)
        return rc;
    rc = actions_from_json(json, "actions", &verdict->actions, err);
    if (rc < 0)
        return rc;
    rc = actions_from_json(json, "auditActions", &verdict->audit_actions, err);
    if (rc < 0)
        return rc;
    if (count_from_json(json_get(json, "policies"), UINT32_MAX, 0, &count) < 0)
        return error_set(err, FAILURE_INPUT, "verdict: \"policies\" is not a count");
    if (!revision || strlen(revision) >= sizeof(verdict->policy_revision))
        return error_set(err, FAILURE_INPUT, "verdict: \"policyRevision\" is missing or too long");
    memcpy(verdict->policy_revision, revision, strlen(revision) + 1);
    verdict->policy_count = (size_t)count;
    verdict->enforced = json_bool(json_get(json, "enforced"), false);
    verdict->retry = json_bool(json_get(json, "retry"), false);
    return 0;
}

int verdict_from_json(const struct json *json, struct verdict *ret, struct error *err)
{
    struct verdict verdict = {0};
    int rc = verdict_fill(json, &verdict, err);

    if (rc < 0) {
        verdict_release(&verdict);
        return rc;
    }
    *ret = verdict;
    return 0;
}
