/* The report: how many tags keep to the policies now, per repository and per rule, and how that
 * changed from day to day. A tag without a verdict counts as a tag and as nothing else, so it can
 * only lower the compliance, which is the share of tags that passed or only warned. */
#include "list.h"
#include "regwarden/clock.h"
#include "regwarden/map.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { STATUS_COUNT = VERDICT_FAIL + 1, DAYS_DEFAULT = 30, DAYS_MAX = 3660 };
static const int64_t day_ms = INT64_C(86400000);

struct counts {
    int64_t tags;
    int64_t by[STATUS_COUNT];
};

struct day {
    int64_t judged;
    int64_t change[STATUS_COUNT]; /* verdicts that came into force minus those that ended */
};

struct report {
    struct listing *listing;
    struct counts totals;
    struct json *repositories;
    struct json *rules;
    struct map *rules_by_key; /* k: "<severity> <rule>" -> v: entry, borrowed from `rules` */
    int64_t first_day;
    size_t day_count;
    struct day *days;
    int64_t before[STATUS_COUNT]; /* in force when the first day begins */
    int64_t sign;                 /* of the rows that are being read: +1 made, -1 ended */
};

static void add_counts(struct counts *to, const struct counts *counts)
{
    to->tags += counts->tags;
    for (int i = 0; i < STATUS_COUNT; i++)
        to->by[i] += counts->by[i];
}

static void set_counts(struct json *object, const struct counts *counts)
{
    int64_t good = counts->by[VERDICT_PASS] + counts->by[VERDICT_WARN];

    json_set_integer(object, "tags", counts->tags);
    json_set_integer(object, "pass", counts->by[VERDICT_PASS]);
    json_set_integer(object, "warn", counts->by[VERDICT_WARN]);
    json_set_integer(object, "fail", counts->by[VERDICT_FAIL]);
    json_set_integer(object, "unknown", counts->by[VERDICT_UNKNOWN]);
    json_set_take(object, "compliance",
                  counts->tags > 0 ? json_new_real((double)good / (double)counts->tags)
                                   : json_new_null());
}

/* --- repositories --- */

static bool take_repository(void *argument, const struct row *row)
{
    struct report *report = argument;
    struct counts counts = {.tags = row_integer(row, 2)};

    if (!list_takes_repository(report->listing, row_text(row, 0), row_text(row, 1)))
        return true;
    for (int i = 0; i < STATUS_COUNT; i++)
        counts.by[i] = row_integer(row, 3 + i);
    struct json *entry = json_new_object();
    json_set_string(entry, "registry", row_text(row, 0));
    json_set_string(entry, "repository", row_text(row, 1));
    set_counts(entry, &counts);
    json_append_take(report->repositories, entry);
    add_counts(&report->totals, &counts);
    return true;
}

static int read_repositories(struct report *report, struct error *err)
{
    static const char sql[] = "SELECT registry, repository, count(*),"
                              " SUM(CASE WHEN verdict_id > 0 AND verdict = 0 THEN 1 ELSE 0 END),"
                              " SUM(CASE WHEN verdict_id > 0 AND verdict = 1 THEN 1 ELSE 0 END),"
                              " SUM(CASE WHEN verdict_id > 0 AND verdict = 2 THEN 1 ELSE 0 END),"
                              " SUM(CASE WHEN verdict_id > 0 AND verdict = 3 THEN 1 ELSE 0 END)"
                              " FROM placements WHERE gone_ms = 0 AND tag <> '' AND artifact = 0"
                              " GROUP BY registry, repository ORDER BY registry, repository";
    _Static_assert(VERDICT_PASS == 0 && VERDICT_WARN == 1 && VERDICT_UNKNOWN == 2 &&
                       VERDICT_FAIL == 3,
                   "the columns stand in the order of the statuses");

    return driver_each(report->listing->session->driver, sql, NO_BINDS,
                       (struct each){take_repository, report}, err);
}

/* --- rules --- */

static struct json *rule_entry(struct report *report, const char *rule, enum severity severity)
{
    AUTO_FREE char *key = text_new("%d %s", (int)severity, rule);
    struct json *entry = map_get(report->rules_by_key, key);

    if (entry)
        return entry;
    entry = json_new_object();
    json_set_string(entry, "rule", rule);
    json_set_string(entry, "severity", severity_name(severity));
    json_set_integer(entry, "findings", 0);
    json_set_integer(entry, "tags", 0);
    json_set_integer(entry, "waived", 0);
    json_append_take(report->rules, entry);
    map_set(report->rules_by_key, key, entry);
    return entry;
}

static void add_to(struct json *entry, const char *key, int64_t count)
{
    json_set_integer(entry, key, json_get_integer(entry, key, 0) + count);
}

static bool take_rule(void *argument, const struct row *row)
{
    struct report *report = argument;

    if (row_text(row, 5) &&
        !list_takes_repository(report->listing, row_text(row, 5), row_text(row, 6)))
        return true;
    struct json *entry = rule_entry(report, row_text(row, 0), (enum severity)row_integer(row, 1));
    add_to(entry, "findings", row_integer(row, 2));
    add_to(entry, "tags", row_integer(row, 3));
    add_to(entry, "waived", row_integer(row, 4));
    return true;
}

#define RULE_SUMS                                                                         \
    "SELECT f.rule, f.severity, SUM(CASE WHEN f.status <> 3 THEN f.findings ELSE 0 END)," \
    " COUNT(DISTINCT CASE WHEN f.status <> 3 THEN f.placement_id END),"                   \
    " SUM(CASE WHEN f.status = 3 THEN f.findings ELSE 0 END)"

static bool is_filtered(const struct report *report)
{
    return report->listing->filter->registry || report->listing->filter->repository;
}

static int read_rules(struct report *report, struct error *err)
{
    static const char all[] = RULE_SUMS ", NULL, NULL FROM findings f GROUP BY f.rule, f.severity"
                                        " ORDER BY f.severity DESC, f.rule";
    static const char filtered[] =
        RULE_SUMS ", p.registry, p.repository FROM findings f"
                  " JOIN placements p ON p.id = f.placement_id"
                  " GROUP BY f.rule, f.severity, p.registry, p.repository"
                  " ORDER BY f.severity DESC, f.rule";
    _Static_assert(FINDING_WAIVED == 3, "the sums leave waived findings out by number");

    return driver_each(report->listing->session->driver, is_filtered(report) ? filtered : all,
                       NO_BINDS, (struct each){take_rule, report}, err);
}

/* --- days --- */

static void note_change(struct report *report, int64_t day, int64_t status, int64_t count)
{
    if (status < 0 || status >= STATUS_COUNT)
        return;
    if (day < report->first_day) {
        report->before[status] += report->sign * count;
        return;
    }
    size_t i = (size_t)(day - report->first_day);
    if (i >= report->day_count)
        i = report->day_count - 1; /* a clock that was ahead */
    report->days[i].change[status] += report->sign * count;
    if (report->sign > 0)
        report->days[i].judged += count;
}

static bool take_day(void *argument, const struct row *row)
{
    struct report *report = argument;

    if (!row_text(row, 3) ||
        list_takes_repository(report->listing, row_text(row, 3), row_text(row, 4)))
        note_change(report, row_integer(row, 0), row_integer(row, 1), row_integer(row, 2));
    return true;
}

static int read_changes(struct report *report, int64_t sign, const char *sql, struct error *err)
{
    report->sign = sign;
    return driver_each(report->listing->session->driver, sql, NO_BINDS,
                       (struct each){take_day, report}, err);
}

#define DAY_OF(column) "SELECT v." column " / 86400000, v.status, count(*)"
#define ALL_OF(column)                                                     \
    DAY_OF(column)                                                         \
    ", NULL, NULL FROM verdicts v WHERE v.tagged = 1 AND v." column " > 0" \
    " GROUP BY 1, 2"
#define FILTERED(column)                          \
    DAY_OF(column)                                \
    ", p.registry, p.repository FROM verdicts v"  \
    " JOIN placements p ON p.id = v.placement_id" \
    " WHERE v.tagged = 1 AND v." column " > 0 GROUP BY 1, 2, 4, 5"

static int read_days(struct report *report, struct error *err)
{
    static const char made[] = ALL_OF("judged_ms");
    static const char ended[] = ALL_OF("superseded_ms");
    static const char filtered_made[] = FILTERED("judged_ms");
    static const char filtered_ended[] = FILTERED("superseded_ms");
    bool filtered = is_filtered(report);
    int failure = read_changes(report, 1, filtered ? filtered_made : made, err);

    return failure < 0 ? failure : read_changes(report, -1, filtered ? filtered_ended : ended, err);
}

static void set_day(struct json *entry, int64_t day, const struct day *figures,
                    const int64_t *in_force)
{
    struct counts counts = {.tags = 0};
    char text[CLOCK_TEXT_SIZE];

    clock_format_rfc3339(day * day_ms, text);
    text[strlen("2026-01-31")] = '\0';
    for (int i = 0; i < STATUS_COUNT; i++) {
        counts.by[i] = in_force[i] > 0 ? in_force[i] : 0;
        counts.tags += counts.by[i];
    }
    json_set_string(entry, "day", text);
    json_set_integer(entry, "judged", figures->judged);
    set_counts(entry, &counts);
}

/* Days before the first verdict are left out. */
static struct json *days_of(const struct report *report)
{
    struct json *list = json_new_array();
    int64_t in_force[STATUS_COUNT];
    bool begun = false;

    memcpy(in_force, report->before, sizeof(in_force));
    for (int i = 0; i < STATUS_COUNT; i++)
        begun = begun || in_force[i] != 0;
    for (size_t i = 0; i < report->day_count; i++) {
        begun = begun || report->days[i].judged != 0;
        for (int k = 0; k < STATUS_COUNT; k++)
            in_force[k] += report->days[i].change[k];
        if (!begun)
            continue;
        struct json *entry = json_new_object();
        set_day(entry, report->first_day + (int64_t)i, &report->days[i], in_force);
        json_append_take(list, entry);
    }
    return list;
}

/* --- all of it --- */

static void choose_days(struct report *report)
{
    int64_t today = report->listing->now_ms / day_ms;
    int64_t since_ms = report->listing->filter->since_ms;
    int64_t first = since_ms > 0 ? since_ms / day_ms : today - DAYS_DEFAULT + 1;

    if (first > today)
        first = today;
    if (first <= today - DAYS_MAX)
        first = today - DAYS_MAX + 1;
    report->first_day = first;
    report->day_count = (size_t)(today - first + 1);
    report->days = memory_new_array(report->day_count, sizeof(*report->days));
}

static int read_all(struct report *report, struct error *err)
{
    int failure = read_repositories(report, err);

    if (failure == 0)
        failure = read_rules(report, err);
    return failure < 0 ? failure : read_days(report, err);
}

static struct json *document_of(struct report *report)
{
    struct json *document = json_new_object();
    struct json *totals = json_new_object();

    set_counts(totals, &report->totals);
    json_set_time(document, "generatedAt", report->listing->now_ms);
    json_set_time(document, "since", report->first_day * day_ms);
    json_set_take(document, "totals", totals);
    json_set_take(document, "repositories", TAKE(report->repositories));
    json_set_take(document, "rules", TAKE(report->rules));
    json_set_take(document, "days", days_of(report));
    return document;
}

int list_report(struct listing *listing, struct json **ret, struct error *err)
{
    struct report report = {
        .listing = listing,
        .repositories = json_new_array(),
        .rules = json_new_array(),
        .rules_by_key = map_new(),
    };

    choose_days(&report);
    int failure = read_all(&report, err);
    if (failure == 0)
        *ret = document_of(&report);
    json_release(report.repositories);
    json_release(report.rules);
    map_free(report.rules_by_key);
    free(report.days);
    return failure;
}
