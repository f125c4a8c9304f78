/* Reading what the scanners of Amazon ECR found: its own ("basic") and Amazon Inspector's
 * ("enhanced"). Of each finding only what names, weighs and mends it is kept, so that many pages
 * stay small. */
#include "ecr_read.h"

enum { NAME_MAX_BYTES = 48, DESCRIPTION_MAX = 200 };

/* What the states of a scan mean; of any other one nothing is known. */
static const struct {
    const char *name;
    enum failure kind;
} states[] = {
    {"COMPLETE", FAILURE_NONE},
    {"ACTIVE", FAILURE_NONE}, /* looked at again whenever something new is known */
    {"IN_PROGRESS", FAILURE_LATER},
    {"PENDING", FAILURE_LATER},
    {"FAILED", FAILURE_ABSENT},
    {"UNSUPPORTED_IMAGE", FAILURE_ABSENT},
    {"SCAN_ELIGIBILITY_EXPIRED", FAILURE_ABSENT},
    {"FINDINGS_UNAVAILABLE", FAILURE_ABSENT},
    {"LIMIT_EXCEEDED", FAILURE_ABSENT},
    {"IMAGE_ARCHIVED", FAILURE_ABSENT},
    {"IMAGE_SIZE_EXCEEDED", FAILURE_ABSENT},
};

static const char *const basic_keys[] = {"name", "severity", "uri", "attributes"};
static const char *const enhanced_keys[] = {"severity", "status", "title", "type", "fixAvailable"};
static const char *const package_keys[] = {"vulnerabilityId", "vulnerablePackages", "source",
                                           "vendorSeverity", "vendorCreatedAt"};

static enum failure kind_of(const char *state)
{
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        if (text_equal(state, states[i].name))
            return states[i].kind;
    }
    return FAILURE_ABSENT;
}

static int read_state(const struct json *body, struct error *err)
{
    const struct json *status = json_get(body, "imageScanStatus");
    const char *state = json_get_string(status, "status");
    const char *description = json_get_string(status, "description");
    enum failure kind = state ? kind_of(state) : FAILURE_ABSENT;
    AUTO_FREE char *shown = text_printable(state ? state : "no state", NAME_MAX_BYTES);
    AUTO_FREE char *why = text_printable(description ? description : "", DESCRIPTION_MAX);

    if (kind == FAILURE_NONE)
        return 0;
    return error_set(err, kind, "%s (%s%s%s)",
                     kind == FAILURE_LATER ? "the scan is not done" : "there are no findings",
                     shown, *why ? ": " : "", why);
}

static void copy_keys(const struct json *from, const char *const *keys, size_t count,
                      struct json *to)
{
    for (size_t i = 0; i < count; i++) {
        struct json *value = json_get(from, keys[i]);

        if (value)
            json_set_take(to, keys[i], json_retain(value));
    }
}

static struct json *keep_basic(const struct json *finding)
{
    struct json *kept = json_new_object();

    copy_keys(finding, basic_keys, ARRAY_COUNT(basic_keys), kept);
    return kept;
}

static struct json *keep_enhanced(const struct json *finding)
{
    struct json *kept = json_new_object();
    struct json *details = json_new_object();

    copy_keys(finding, enhanced_keys, ARRAY_COUNT(enhanced_keys), kept);
    copy_keys(json_get(finding, "packageVulnerabilityDetails"), package_keys,
              ARRAY_COUNT(package_keys), details);
    json_set_take(kept, "packageVulnerabilityDetails", details);
    return kept;
}

static int add_findings(const struct json *from, const char *key,
                        struct json *keep(const struct json *finding), struct json *report,
                        struct error *err)
{
    const struct json *found = json_get(from, key);
    struct json *all = json_get(report, key);

    if (!all) {
        all = json_new_array();
        json_set_take(report, key, all);
    }
    if (found && !json_is(found, JSON_KIND_ARRAY) && !json_is(found, JSON_KIND_NULL))
        return error_set(err, FAILURE_INPUT, "the answer's \"%s\" are no list", key);
    if (json_count(found) > ECR_FINDINGS_MAX - json_count(all))
        return error_set(err, FAILURE_LIMIT, "there are more than %d findings", ECR_FINDINGS_MAX);
    for (size_t i = 0; i < json_count(found); i++)
        json_append_take(all, keep(json_at(found, i)));
    return 0;
}

int ecr_read_findings(const struct json *body, struct json *report, struct error *err)
{
    static const char *const status_keys[] = {"status", "description"};
    static const char *const head_keys[] = {"imageScanCompletedAt", "vulnerabilitySourceUpdatedAt",
                                            "findingSeverityCounts"};
    const struct json *findings = json_get(body, "imageScanFindings");
    int rc = read_state(body, err);

    if (rc < 0)
        return rc;
    if (!json_is(findings, JSON_KIND_OBJECT))
        return error_set(err, FAILURE_ABSENT, "the scan is said to be done, without findings");
    if (!json_get(report, "imageScanStatus")) {
        struct json *status = json_new_object();

        copy_keys(json_get(body, "imageScanStatus"), status_keys, ARRAY_COUNT(status_keys), status);
        json_set_take(report, "imageScanStatus", status);
        copy_keys(findings, head_keys, ARRAY_COUNT(head_keys), report);
    }
    rc = add_findings(findings, "findings", keep_basic, report, err);
    if (rc == 0)
        rc = add_findings(findings, "enhancedFindings", keep_enhanced, report, err);
    return rc;
}
