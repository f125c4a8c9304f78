/* The life of the group "vulnerabilities": reports in the facts, and what is kept of them. How
 * reports are read is in vulnerability_formats.c. */
#include "regwarden/vulnerabilities.h"

#include <string.h>

#include "names.h"
#include "vulnerability_read.h"

static const char *const severities[] = {
    [VULNERABILITY_UNKNOWN] = "unknown", [VULNERABILITY_NEGLIGIBLE] = "negligible",
    [VULNERABILITY_LOW] = "low",         [VULNERABILITY_MEDIUM] = "medium",
    [VULNERABILITY_HIGH] = "high",       [VULNERABILITY_CRITICAL] = "critical",
};

const char *vulnerability_severity_name(enum vulnerability_severity severity)
{
    return severities[severity];
}

int vulnerability_severity_from_name(const char *name, enum vulnerability_severity *ret)
{
    NAMES_FIND(severities, enum vulnerability_severity, name, ret);
}

static void release_item(struct vulnerability *item)
{
    free(item->id);
    free(item->package);
    free(item->version);
    free(item->fixed);
}

void vulnerability_report_release(struct vulnerability_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        release_item(&report->items[i]);
    free(report->items);
    free(report->source);
    free(report->scanner);
    *report = (struct vulnerability_report){0};
}

void facts_vulnerabilities_free(struct facts_vulnerabilities *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < facts->count; i++)
        vulnerability_report_release(&facts->reports[i]);
    free(facts->reports);
    free(facts->registry_gap);
    free(facts->attached_gap);
    free(facts);
}

/* Leaves out all but the `max` worst; the report is settled. */
static void cut(struct vulnerability_report *report, size_t max)
{
    while (report->count > max) {
        release_item(&report->items[--report->count]);
        report->truncated = true;
    }
}

/* NULL comes first. */
static int compare_texts(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_items(const void *a, const void *b)
{
    const struct vulnerability *x = a, *y = b;
    int order;

    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    order = strcmp(x->id, y->id);
    if (order == 0)
        order = compare_texts(x->package, y->package);
    if (order == 0)
        order = compare_texts(x->version, y->version);
    return order != 0 ? order : compare_texts(x->fixed, y->fixed);
}

/* The same package may lie in several places, and stand in several images of an index. */
static void list_once(struct vulnerability_report *report)
{
    size_t kept = 0;

    for (size_t i = 0; i < report->count; i++) {
        struct vulnerability *item = &report->items[i];

        if (kept > 0 && compare_items(&report->items[kept - 1], item) == 0) {
            report->totals[item->severity]--;
            release_item(item);
        } else {
            report->items[kept++] = *item;
        }
    }
    report->count = kept;
}

void report_settle(struct vulnerability_report *report)
{
    if (report->count > 1)
        qsort(report->items, report->count, sizeof(*report->items), compare_items);
    list_once(report);
    cut(report, VULNERABILITIES_MAX);
}

/* The registry's own first, then by age. */
static bool goes_before(const struct vulnerability_report *a, const struct vulnerability_report *b)
{
    if (a->of_registry != b->of_registry)
        return a->of_registry;
    return a->generated_ms > b->generated_ms;
}

static bool is_listed(const struct facts_vulnerabilities *facts, const struct digest *digest)
{
    for (size_t i = 0; digest_is_set(digest) && i < facts->count; i++)
        if (digest_equal(&facts->reports[i].digest, digest))
            return true;
    return false;
}

/* While it was read, there was room for many more. */
static void fit(struct vulnerability_report *report)
{
    struct vulnerability *items = NULL;

    if (report->count > 0)
        items = (void *)memory_copy_bytes(report->items, report->count * sizeof(*items));
    free(report->items);
    report->items = items;
}

bool facts_vulnerabilities_add_take(struct facts_vulnerabilities *facts,
                                    struct vulnerability_report *report)
{
    size_t room = VULNERABILITIES_MAX;
    size_t at = facts->count;

    if (facts->count == VULNERABILITY_REPORTS_MAX || is_listed(facts, &report->digest)) {
        bool fits = facts->count < VULNERABILITY_REPORTS_MAX;

        vulnerability_report_release(report);
        return fits;
    }
    for (size_t i = 0; i < facts->count; i++)
        room -= facts->reports[i].count < room ? facts->reports[i].count : room;
    cut(report, room);
    fit(report);
    if (!facts->reports)
        facts->reports = memory_new_array(VULNERABILITY_REPORTS_MAX, sizeof(*facts->reports));
    for (; at > 0 && goes_before(report, &facts->reports[at - 1]); at--)
        facts->reports[at] = facts->reports[at - 1];
    facts->reports[at] = *report;
    facts->count++;
    *report = (struct vulnerability_report){0};
    return true;
}

const struct vulnerability_report *
vulnerabilities_of_registry(const struct facts_vulnerabilities *facts)
{
    return facts && facts->count > 0 && facts->reports[0].of_registry ? &facts->reports[0] : NULL;
}

/* As if the registry's had been the first: then the attached ones get what room it leaves. */
static void put_first_take(struct facts_vulnerabilities *facts, struct vulnerability_report *report)
{
    struct vulnerability_report *others = TAKE(facts->reports);
    size_t count = facts->count;

    facts->count = 0;
    (void)facts_vulnerabilities_add_take(facts, report);
    for (size_t i = 0; i < count; i++)
        if (!facts_vulnerabilities_add_take(facts, &others[i]) && !facts->attached_gap)
            facts->attached_gap = memory_copy_text("there are more reports than are kept");
    free(others);
}

void facts_vulnerabilities_keep(struct facts_vulnerabilities *to,
                                struct facts_vulnerabilities *from)
{
    if (vulnerabilities_of_registry(from) && !vulnerabilities_of_registry(to))
        put_first_take(to, &from->reports[0]);
}

static char *reason_of(const struct facts_vulnerabilities *facts, enum fact_state state)
{
    if (state == FACT_PRESENT)
        return NULL;
    if (state == FACT_ABSENT && facts->registry_gap && facts->attached_gap)
        return text_new("%s; %s", facts->registry_gap, facts->attached_gap);
    if (facts->registry_gap && (state == FACT_ABSENT || !facts->attached_gap))
        return memory_copy_text(facts->registry_gap);
    return memory_copy_text(facts->attached_gap ? facts->attached_gap : "there is no report");
}

void facts_set_vulnerabilities_take(struct facts *facts,
                                    struct facts_vulnerabilities *vulnerabilities)
{
    struct fact_status *status = &facts->status[FACT_VULNERABILITIES];
    bool is_open =
        vulnerabilities->registry_gap &&
        (vulnerabilities->registry_unread || vulnerabilities_of_registry(vulnerabilities) != NULL);

    if (vulnerabilities->count == 0)
        status->state = FACT_ABSENT;
    else
        status->state = vulnerabilities->attached_gap || is_open ? FACT_PARTIAL : FACT_PRESENT;
    free(status->reason);
    status->reason = reason_of(vulnerabilities, status->state);
    facts_vulnerabilities_free(facts->vulnerabilities);
    facts->vulnerabilities = vulnerabilities;
    if (status->state == FACT_ABSENT) {
        facts_vulnerabilities_free(vulnerabilities);
        facts->vulnerabilities = NULL;
    }
}
