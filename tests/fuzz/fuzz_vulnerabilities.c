/* Reports of scanners from outside: the first line names the form, "" is a statement. What is
 * accepted is bounded, sorted and printable, goes into the facts document and comes back the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    for (; text && *text; text++) /* what was cut ends with "…" */
        must(((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f) || (*text & 0x80));
}

static void check(const struct vulnerability_report *report)
{
    uint64_t total = 0;

    for (int i = 0; i < VULNERABILITY_SEVERITY_COUNT; i++)
        total += report->totals[i];
    must(report->source && report->count <= VULNERABILITIES_MAX && total >= report->count);
    must(report->truncated || total == report->count);
    must(!report->of_registry && report->verified == ANSWER_UNKNOWN);
    check_text(report->scanner);
    for (size_t i = 0; i < report->count; i++) {
        must(i == 0 || report->items[i - 1].severity >= report->items[i].severity);
        check_text(report->items[i].id);
        check_text(report->items[i].package);
        check_text(report->items[i].version);
        check_text(report->items[i].fixed);
    }
}

static void round_trip(struct vulnerability_report *report)
{
    struct facts_vulnerabilities *facts = memory_new(sizeof(*facts));
    struct facts_vulnerabilities *again = NULL;
    AUTO_TEXT struct text first = {0}, second = {0};

    must(facts_vulnerabilities_add_take(facts, report));
    AUTO_JSON struct json *written = vulnerabilities_to_json(facts);
    must(vulnerabilities_from_json(written, &again, NULL) == 0);
    AUTO_JSON struct json *rewritten = vulnerabilities_to_json(again);
    json_write(written, JSON_COMPACT, &first);
    json_write(rewritten, JSON_COMPACT, &second);
    must(strcmp(text_data(&first), text_data(&second)) == 0);
    facts_vulnerabilities_free(facts);
    facts_vulnerabilities_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = size ? memchr(data, '\n', size) : NULL;
    const struct provenance_image of = {0};
    struct vulnerability_report report = {0};

    if (!end)
        return 0;
    AUTO_FREE char *type = memory_copy_bytes(data, (size_t)(end - (const char *)data));
    const struct vulnerability_attachment attachment = {
        .type = *type ? type : NULL, .bytes = end + 1, .size = size - strlen(type) - 1, .of = &of};

    if (strlen(type) != (size_t)(end - (const char *)data))
        return 0;
    if (vulnerability_report_read(type, attachment.bytes, attachment.size, &report, NULL) == 0) {
        check(&report);
        round_trip(&report);
    }
    if (vulnerability_attachment_read(&attachment, &report, NULL) == 0) {
        check(&report);
        vulnerability_report_release(&report);
    }
    return 0;
}
