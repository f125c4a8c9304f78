/* Building findings: what a rule saw becomes a struct with a stable fingerprint. Not for deciding
 * what a finding means to the verdict (engine.c). */
#include "rule.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "regwarden/crypto.h"
#include "regwarden/facts_files.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { FINDING_MESSAGE_MAX = 2048, FINDING_PATH_MAX = 512 };

/* Parts are joined with a NUL between them, so that no two lists of parts look alike. */
static void fingerprint(const struct rule_report *report, const char *subject,
                        char ret[static FINGERPRINT_SIZE])
{
    uint8_t sum[HASH_SIZE_MAX];
    struct hash *hash = hash_new(HASH_SHA256);

    hash_update(hash, report->policy, strlen(report->policy) + 1);
    hash_update(hash, report->id, strlen(report->id) + 1);
    hash_update(hash, subject, strlen(subject) + 1);
    hash_finish(hash, sum);
    hash_free(hash);
    crypto_hex(sum, (FINGERPRINT_SIZE - 1) / 2, ret);
}

void rule_report_settle(struct rule_report *report)
{
    const struct finding *spare = &report->spare;

    if (!spare->rule)
        return;
    if (!report->excuses || !report->excuses(report->argument, spare)) {
        if (!report->dropped_stands || spare->status > report->dropped_worst)
            report->dropped_worst = spare->status;
        report->dropped_stands = true;
    }
    finding_release(&report->spare);
}

static struct finding *next_finding(struct rule_report *report)
{
    struct findings *findings = report->findings;
    struct finding *finding;

    if (findings->count - report->first >= RULE_FINDINGS_MAX) {
        report->dropped++;
        rule_report_settle(report);
        return &report->spare;
    }
    findings->items =
        memory_grow(findings->items, findings->count, &findings->capacity, sizeof(struct finding));
    finding = &findings->items[findings->count++];
    *finding = (struct finding){0};
    return finding;
}

static struct finding *__attribute__((format(printf, 3, 0)))
add_finding(struct rule_report *report, const char *subject, const char *format, va_list arguments)
{
    char message[FINDING_MESSAGE_MAX];
    struct finding *finding;

    vsnprintf(message, sizeof(message), format, arguments); /* may tell of a finding that goes */
    finding = next_finding(report);
    finding->rule = memory_copy_text(report->type->name);
    finding->id = memory_copy_text(report->id);
    finding->policy = memory_copy_text(report->policy);
    finding->severity = report->severity;
    finding->message = memory_copy_text(message);
    finding->remedy = memory_copy_text(report->type->remedy);
    finding->origin = ORIGIN_UNKNOWN;
    finding->step = -1;
    fingerprint(report, subject, finding->fingerprint);
    return finding;
}

struct finding *rule_fail(struct rule_report *report, const char *subject, const char *format, ...)
{
    struct finding *finding;
    va_list arguments;

    va_start(arguments, format);
    finding = add_finding(report, subject, format, arguments);
    va_end(arguments);
    finding->status = FINDING_FAIL;
    report->judgement = RULE_FAIL;
    return finding;
}

struct finding *rule_warn(struct rule_report *report, const char *subject, const char *format, ...)
{
    struct finding *finding;
    va_list arguments;

    va_start(arguments, format);
    finding = add_finding(report, subject, format, arguments);
    va_end(arguments);
    finding->status = FINDING_WARN;
    if (finding->severity > SEVERITY_LOW)
        finding->severity = SEVERITY_LOW;
    report->judgement = RULE_FAIL;
    return finding;
}

struct finding *rule_unknown(struct rule_report *report, const char *subject, const char *format,
                             ...)
{
    struct finding *finding;
    va_list arguments;

    va_start(arguments, format);
    finding = add_finding(report, subject, format, arguments);
    va_end(arguments);
    free(finding->remedy); /* nothing is known to be wrong; what would tell, the rule says itself */
    finding->remedy = NULL;
    finding->status = FINDING_UNKNOWN;
    if (report->judgement == RULE_PASS)
        report->judgement = RULE_UNKNOWN;
    return finding;
}

enum judgement rule_judgement(const struct rule_report *report)
{
    return report->judgement;
}

enum judgement rule_doubt_layers(struct rule_report *report, const struct rule_input *input)
{
    const struct fact_status *status = &input->facts->status[FACT_FILES];

    report->layers_open = input->layers && status->state != FACT_PRESENT;
    if (report->judgement != RULE_PASS || !report->layers_open)
        return report->judgement;
    AUTO_FREE char *reason =
        text_printable(status->reason ? status->reason : "no reason given", 200);
    rule_unknown(report, fact_group_name(FACT_FILES),
                 status->state == FACT_ABSENT
                     ? "nothing found without looking into the layers, and those are not known: %s"
                     : "nothing found, but not all that the layers hold is known: %s",
                 reason);
    report->later = facts_layers_missing(input->facts);
    return report->judgement;
}

void finding_set_path(struct finding *finding, const char *path)
{
    free(finding->path);
    finding->path = path ? text_printable(path, FINDING_PATH_MAX) : NULL;
}

void finding_set_evidence(struct finding *finding, enum evidence evidence)
{
    free(finding->evidence);
    finding->evidence = memory_copy_text(evidence_name(evidence));
}

void finding_set_remedy(struct finding *finding, const char *format, ...)
{
    char remedy[FINDING_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(remedy, sizeof(remedy), format, arguments);
    va_end(arguments);
    free(finding->remedy);
    finding->remedy = memory_copy_text(remedy);
}

/* Builders write "COPY dir:<64 hex digits> in /app": of the digits a few will do, for where it went
 * tells more. Returns how many to leave out after those that are shown. */
static size_t add_hex(struct text *line, const char *text)
{
    enum { HEX_LONG = 32, HEX_SHOWN = 12 };
    size_t digits = strspn(text, "0123456789abcdef");

    if (digits < HEX_LONG)
        return 0;
    text_add_bytes(line, text, HEX_SHOWN);
    text_add(line, "...");
    return digits;
}

char *finding_step_text(const char *text, size_t max)
{
    AUTO_TEXT struct text line = {0};

    /* A few bytes more than are shown, so that what was cut is marked. */
    while (*text && line.length <= max) {
        size_t blanks = strspn(text, " \t\r\n");

        if (blanks > 0 && line.length > 0 && text[blanks])
            text_add_char(&line, ' ');
        text += blanks;
        text += add_hex(&line, text);
        if (*text)
            text_add_char(&line, *text++);
    }
    return text_printable(text_data(&line), max);
}

void finding_set_step(struct finding *finding, const struct facts *facts, int step)
{
    const struct step *at;

    if (step < 0 || (size_t)step >= facts->history.count)
        return;
    at = &facts->history.steps[step];
    finding->step = step;
    finding->origin = at->origin;
    if (facts->manifest && at->layer >= 0 && (size_t)at->layer < facts->manifest->layer_count)
        finding->layer = facts->manifest->layers[at->layer].digest;
}

void finding_set_layer(struct finding *finding, const struct facts *facts, int layer)
{
    if (layer < 0)
        return;
    finding->step = facts_layer_step(facts, layer);
    finding->origin = facts_layer_origin(facts, layer);
    if (facts->manifest && (size_t)layer < facts->manifest->layer_count)
        finding->layer = facts->manifest->layers[layer].digest;
}

const char *const rule_evidence_choices[] = {
    "none", "label", "annotation", "provenance", "layers", "signed-provenance", NULL};

enum evidence rule_evidence_of_choice(int choice)
{
    static const enum evidence evidence[] = {EVIDENCE_NONE,       EVIDENCE_LABEL,
                                             EVIDENCE_ANNOTATION, EVIDENCE_PROVENANCE,
                                             EVIDENCE_LAYERS,     EVIDENCE_SIGNED_PROVENANCE};

    assert(choice >= 0 && (size_t)choice < ARRAY_COUNT(evidence));
    return evidence[choice];
}
