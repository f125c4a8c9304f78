/* `check -o sarif`: SARIF 2.1.0, for code scanning pages. An image is no file of the repository, so
 * the location is the reference as a relative URI; layer, step and path are logical. */
#include "check.h"
#include "escape.h"

#include "regwarden/map.h"
#include "regwarden/policy.h"

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *const levels[] = {
    [SEVERITY_INFO] = "note",  [SEVERITY_LOW] = "note",       [SEVERITY_MEDIUM] = "warning",
    [SEVERITY_HIGH] = "error", [SEVERITY_CRITICAL] = "error",
};

/* What code scanning pages sort by: 0.1 to 10. */
static const char *const scores[] = {
    [SEVERITY_INFO] = "0.1", [SEVERITY_LOW] = "3.0",      [SEVERITY_MEDIUM] = "5.5",
    [SEVERITY_HIGH] = "8.0", [SEVERITY_CRITICAL] = "9.5",
};

static struct json *text_object(const char *text)
{
    struct json *json = json_new_object();
    json_set_string(json, "text", text);
    return json;
}

static struct json *rule_object(const struct finding *finding)
{
    const struct rule_type *type = rule_find(finding->rule);
    struct json *json = json_new_object();
    struct json *properties = json_new_object();
    json_set_string(json, "id", finding->rule);
    if (type != NULL) {
        json_set_take(json, "shortDescription", text_object(rule_summary(type)));
        json_set_take(json, "fullDescription", text_object(rule_description(type)));
    }
    json_set_string(properties, "security-severity", scores[finding->severity]);
    json_set_take(json, "properties", properties);
    return json;
}

/* Each rule once, with the severity of its first finding. */
static void add_rules(struct json *rules, struct map *seen, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->findings.count; i++) {
        const struct finding *finding = &verdict->findings.items[i];
        if (map_get(seen, finding->rule) != NULL)
            continue;
        map_set(seen, finding->rule, rules); /* the map is used as a set */
        json_append_take(rules, rule_object(finding));
    }
}

static struct json *driver_object(const struct check_result *results, size_t count)
{
    AUTO_MAP struct map *seen = map_new();
    struct json *rules = json_new_array();
    struct json *json = json_new_object();
    for (size_t i = 0; i < count; i++)
        add_rules(rules, seen, results[i].verdict);
    json_set_string(json, "name", "regwarden");
    json_set_string(json, "version", REGWARDEN_VERSION);
    json_set_take(json, "rules", rules);
    return json;
}

static struct json *location_object(const char *reference, const struct finding *finding)
{
    AUTO_TEXT struct text uri = {0};
    AUTO_TEXT struct text place = {0};
    struct json *json = json_new_object(), *physical = json_new_object();
    struct json *artifact = json_new_object();
    escape_uri(&uri, reference);
    check_add_place(finding, &place);
    json_set_string(artifact, "uri", text_data(&uri));
    json_set_take(physical, "artifactLocation", artifact);
    json_set_take(json, "physicalLocation", physical);
    if (place.length > 0) {
        struct json *logical = json_new_object(), *list = json_new_array();
        json_set_string(logical, "fullyQualifiedName", text_data(&place));
        json_append_take(list, logical);
        json_set_take(json, "logicalLocations", list);
    }
    return json;
}

static struct json *message_object(const struct finding *finding)
{
    AUTO_TEXT struct text text = {0};
    if (finding->status == FINDING_UNKNOWN)
        text_add(&text, "Could not be judged: ");
    text_add(&text, finding->message);
    if (finding->remedy != NULL)
        text_format(&text, "\n\nFix: %s", finding->remedy);
    return text_object(text_data(&text));
}

static void add_suppression(struct json *result, const struct finding *finding)
{
    struct json *list = json_new_array(), *suppression = json_new_object();
    json_set_string(suppression, "kind", "external");
    json_set_string(suppression, "status", "accepted");
    json_set_string(suppression, "justification", finding->waiver);
    json_append_take(list, suppression);
    json_set_take(result, "suppressions", list);
}

static struct json *result_object(const char *reference, const struct finding *finding)
{
    struct json *json = json_new_object(), *locations = json_new_array();
    struct json *fingerprints = json_new_object();
    bool fails = finding->status == FINDING_FAIL || finding->status == FINDING_WAIVED;
    json_set_string(json, "ruleId", finding->rule);
    json_set_string(json, "level", fails ? levels[finding->severity] : "warning");
    json_set_take(json, "message", message_object(finding));
    json_append_take(locations, location_object(reference, finding));
    json_set_take(json, "locations", locations);
    json_set_string(fingerprints, "regwarden/v1", finding->fingerprint);
    json_set_take(json, "partialFingerprints", fingerprints);
    json_set_take(json, "properties", finding_to_json(finding));
    if (finding->status == FINDING_WAIVED)
        add_suppression(json, finding);
    return json;
}

static void add_results(struct json *list, const struct check_result *result)
{
    const struct finding **sorted = check_sorted(result->verdict);
    for (size_t i = 0; i < result->verdict->findings.count; i++)
        json_append_take(list, result_object(result->reference, sorted[i]));
    free(sorted);
}

static void write_sarif(const struct check_result *results, size_t count, bool color,
                        struct text *to)
{
    (void)color;
    AUTO_JSON struct json *document = json_new_object();
    struct json *runs = json_new_array(), *run = json_new_object(), *tool = json_new_object();
    struct json *list = json_new_array();
    for (size_t i = 0; i < count; i++)
        add_results(list, &results[i]);
    json_set_take(tool, "driver", driver_object(results, count));
    json_set_take(run, "tool", tool);
    json_set_take(run, "results", list);
    json_append_take(runs, run);
    json_set_string(document, "$schema", SARIF_SCHEMA);
    json_set_string(document, "version", "2.1.0");
    json_set_take(document, "runs", runs);
    json_write(document, JSON_INDENTED, to);
    text_add_char(to, '\n');
}

const struct check_format check_sarif = {
    .name = "sarif",
    .media_type = "application/sarif+json",
    .write = write_sarif,
};
