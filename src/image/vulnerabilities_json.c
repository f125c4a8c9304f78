/* The group "vulnerabilities" of the facts document: written, read back, and its schema. */
#include "regwarden/vulnerabilities.h"

#include "fields.h"
#include "vulnerability_json.h"
#include "vulnerability_read.h"
#include "writer.h"

const char vulnerabilities_schema[] =
    "{\n"
    "\"vulnerabilities\": {\"type\": \"object\", \"description\": \"What scanners for "
    "vulnerabilities say of the image: the registry's own, and reports that are attached.\", "
    "\"properties\": {\n"
    " \"reports\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/scanReport\"}},\n"
    " \"registryGap\": {\"type\": \"string\", \"description\": \"why the registry's scanner tells "
    "nothing, or nothing new\"},\n"
    " \"registryUnread\": {\"type\": \"boolean\", \"description\": \"it has a report that could "
    "not "
    "be read, or will have one\"},\n"
    " \"attachedGap\": {\"type\": \"string\", \"description\": \"what is attached and could not be "
    "read\"}}},\n"
    "\"scanReport\": {\"type\": \"object\", \"properties\": {\n"
    " \"source\": {\"type\": \"string\", \"description\": \"its form: harbor, ecr, attestation or "
    "sarif\"},\n"
    " \"scanner\": {\"type\": \"string\"},\n"
    " \"ofRegistry\": {\"type\": \"boolean\", \"description\": \"the registry's own scanner says "
    "so; else whoever may push can have attached it\"},\n"
    " \"digest\": {\"$ref\": \"#/$defs/digest\"},\n"
    " \"generated\": {\"type\": \"string\", \"format\": \"date-time\"},\n"
    " \"subject\": {\"$ref\": \"#/$defs/digest\"},\n"
    " \"signed\": {\"type\": \"boolean\"},\n"
    " \"verified\": {\"$ref\": \"#/$defs/answer\"},\n"
    " \"totals\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}},\n"
    " \"truncated\": {\"type\": \"boolean\", \"description\": \"not all that it found are "
    "listed\"},\n"
    " \"items\": {\"type\": \"array\", \"description\": \"worst first\", \"items\": {\"$ref\": "
    "\"#/$defs/vulnerability\"}}}},\n"
    "\"vulnerability\": {\"type\": \"object\", \"required\": [\"id\"], \"properties\": {\n"
    " \"id\": {\"type\": \"string\"}, \"package\": {\"type\": \"string\"},\n"
    " \"version\": {\"type\": \"string\"}, \"fixed\": {\"type\": \"string\"},\n"
    " \"severity\": {\"enum\": [\"unknown\", \"negligible\", \"low\", \"medium\", \"high\", "
    "\"critical\"]},\n"
    " \"fixable\": {\"$ref\": \"#/$defs/answer\"},\n"
    " \"published\": {\"type\": \"string\", \"format\": \"date-time\"}}}\n"
    "}\n";

static struct json *item_json(const struct vulnerability *item)
{
    struct json *object = json_new_object();

    json_set_string(object, "id", item->id);
    json_set_string(object, "package", item->package);
    json_set_string(object, "version", item->version);
    json_set_string(object, "fixed", item->fixed);
    json_set_string(object, "severity", vulnerability_severity_name(item->severity));
    if (!item->fixed)
        json_set_string(object, "fixable", answer_name(item->fixable));
    writer_time_if(object, "published", item->published_ms != 0, item->published_ms);
    return object;
}

static struct json *totals_json(const struct vulnerability_report *report)
{
    struct json *object = json_new_object();

    for (int i = 0; i < VULNERABILITY_SEVERITY_COUNT; i++)
        if (report->totals[i] > 0)
            writer_count(object, vulnerability_severity_name((enum vulnerability_severity)i),
                         report->totals[i]);
    return object;
}

static struct json *report_json(const struct vulnerability_report *report)
{
    struct json *object = json_new_object();
    struct json *items = json_new_array();

    json_set_string(object, "source", report->source);
    json_set_string(object, "scanner", report->scanner);
    json_set_bool(object, "ofRegistry", report->of_registry);
    writer_digest(object, "digest", &report->digest);
    writer_time_if(object, "generated", report->generated_ms != 0, report->generated_ms);
    writer_digest(object, "subject", &report->subject);
    json_set_bool(object, "signed", report->enveloped);
    json_set_string(object, "verified", answer_name(report->verified));
    json_set_take(object, "totals", totals_json(report));
    if (report->truncated)
        json_set_bool(object, "truncated", true);
    for (size_t i = 0; i < report->count; i++)
        json_append_take(items, item_json(&report->items[i]));
    json_set_take(object, "items", items);
    return object;
}

struct json *vulnerabilities_to_json(const struct facts_vulnerabilities *facts)
{
    struct json *object = json_new_object();
    struct json *reports = json_new_array();

    for (size_t i = 0; i < facts->count; i++)
        json_append_take(reports, report_json(&facts->reports[i]));
    json_set_take(object, "reports", reports);
    json_set_string(object, "registryGap", facts->registry_gap);
    if (facts->registry_unread)
        json_set_bool(object, "registryUnread", true);
    json_set_string(object, "attachedGap", facts->attached_gap);
    return object;
}

/* --- read back --- */

static int fault(struct error *err, const char *key, const char *what)
{
    return error_set(err, FAILURE_INPUT, "facts document: \"%s\" of %s is not valid", key, what);
}

static int read_answer(const struct json *object, const char *key, const char *what,
                       enum answer *ret, struct error *err)
{
    const struct json *word = json_get(object, key);

    return word && answer_from_name(json_string(word), ret) < 0 ? fault(err, key, what) : 0;
}

static int read_item(const struct json *object, struct vulnerability *ret, struct error *err)
{
    static const char what[] = "a vulnerability";
    const struct json *severity = json_get(object, "severity");

    if (!json_get_string(object, "id"))
        return fault(err, "id", what);
    if (severity && vulnerability_severity_from_name(json_string(severity), &ret->severity) < 0)
        return fault(err, "severity", what);
    if (read_answer(object, "fixable", what, &ret->fixable, err) < 0 ||
        fields_time(object, "published", what, &ret->published_ms, err) < 0)
        return FAILURE_INPUT;
    ret->id = memory_copy_text(json_get_string(object, "id"));
    ret->package = memory_copy_text(json_get_string(object, "package"));
    ret->version = memory_copy_text(json_get_string(object, "version"));
    ret->fixed = memory_copy_text(json_get_string(object, "fixed"));
    return 0;
}

static int read_items(const struct json *object, struct vulnerability_report *report,
                      struct error *err)
{
    const struct json *items = NULL;
    int failure = fields_member(object, "items", "a report", JSON_KIND_ARRAY, &items, err);

    if (!failure && json_count(items) > VULNERABILITIES_MAX)
        failure = fault(err, "items", "a report");
    for (size_t i = 0; !failure && i < json_count(items); i++) {
        struct vulnerability item = {0};

        failure = read_item(json_at(items, i), &item, err);
        if (!failure)
            report_add_take(report, &item);
    }
    report_settle(report);
    return failure;
}

/* What is listed is counted; what was left out is known by the totals only. */
static int read_totals(const struct json *object, struct vulnerability_report *report,
                       struct error *err)
{
    const struct json *totals = json_get(object, "totals");

    for (int i = 0; i < VULNERABILITY_SEVERITY_COUNT; i++) {
        const char *name = vulnerability_severity_name((enum vulnerability_severity)i);
        int64_t total = json_get_integer(totals, name, (int64_t)report->totals[i]);

        if (total < (int64_t)report->totals[i])
            return fault(err, "totals", "a report");
        report->totals[i] = (uint64_t)total;
    }
    return 0;
}

static int read_frame(const struct json *object, struct vulnerability_report *report,
                      struct error *err)
{
    static const char what[] = "a report";
    int failure = fields_string(object, "source", what, &report->source, err);

    if (!failure)
        failure = fields_string(object, "scanner", what, &report->scanner, err);
    if (!failure)
        failure = fields_bool(object, "ofRegistry", what, &report->of_registry, err);
    if (!failure)
        failure = fields_digest(object, "digest", what, &report->digest, err);
    if (!failure)
        failure = fields_digest(object, "subject", what, &report->subject, err);
    if (!failure)
        failure = fields_time(object, "generated", what, &report->generated_ms, err);
    if (!failure)
        failure = fields_bool(object, "signed", what, &report->enveloped, err);
    if (!failure)
        failure = fields_bool(object, "truncated", what, &report->truncated, err);
    return failure ? failure : read_answer(object, "verified", what, &report->verified, err);
}

static int read_report(const struct json *object, struct facts_vulnerabilities *facts,
                       struct error *err)
{
    struct vulnerability_report report = {0};
    int failure = json_is(object, JSON_KIND_OBJECT)
                      ? read_frame(object, &report, err)
                      : error_set(err, FAILURE_INPUT, "facts document: a report is no object");

    if (!failure)
        failure = read_items(object, &report, err);
    if (!failure)
        failure = read_totals(object, &report, err);
    if (failure)
        vulnerability_report_release(&report);
    else if (!facts_vulnerabilities_add_take(facts, &report))
        failure = fault(err, "reports", "the vulnerabilities");
    return failure;
}

int vulnerabilities_from_json(const struct json *object, struct facts_vulnerabilities **ret,
                              struct error *err)
{
    static const char what[] = "the vulnerabilities";
    struct facts_vulnerabilities *facts = memory_new(sizeof(*facts));
    const struct json *reports = NULL;
    int failure = json_is(object, JSON_KIND_OBJECT)
                      ? fields_member(object, "reports", what, JSON_KIND_ARRAY, &reports, err)
                      : error_set(err, FAILURE_INPUT, "facts document: %s are no object", what);

    for (size_t i = 0; !failure && i < json_count(reports); i++)
        failure = read_report(json_at(reports, i), facts, err);
    if (!failure)
        failure = fields_string(object, "registryGap", what, &facts->registry_gap, err);
    if (!failure)
        failure = fields_bool(object, "registryUnread", what, &facts->registry_unread, err);
    if (!failure)
        failure = fields_string(object, "attachedGap", what, &facts->attached_gap, err);
    if (failure)
        facts_vulnerabilities_free(facts);
    else
        *ret = facts;
    return failure;
}
