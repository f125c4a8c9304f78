/* `check -o table`: for people at a terminal. One line of heading for each image, the findings
 * below it, by rule; at the end the images beside each other, and one line of sum. What several
 * policies find is shown once, with their names. */
#include "check.h"

#include <string.h>

#include "escape.h"

enum {
    COLUMN_SEVERITY = 10,
    COLUMN_ID_MAX = 24,
    GROUP_SHOWN = 10,
    STATUS_COUNT = FINDING_WAIVED + 1
};

static const char plain[] = "", reset[] = "\033[0m", bold[] = "\033[1m", dim[] = "\033[2m";

static const char *const verdict_colors[] = {
    [VERDICT_PASS] = "\033[1;32m",
    [VERDICT_WARN] = "\033[1;33m",
    [VERDICT_UNKNOWN] = "\033[1;35m",
    [VERDICT_FAIL] = "\033[1;31m",
};
static const char *const verdict_words[] = {
    [VERDICT_PASS] = "PASS",
    [VERDICT_WARN] = "WARN",
    [VERDICT_UNKNOWN] = "UNKNOWN",
    [VERDICT_FAIL] = "FAIL",
};
static const char *const severity_colors[] = {
    [SEVERITY_INFO] = "\033[2m",        [SEVERITY_LOW] = "\033[36m",
    [SEVERITY_MEDIUM] = "\033[33m",     [SEVERITY_HIGH] = "\033[31m",
    [SEVERITY_CRITICAL] = "\033[1;31m",
};
static const char *const status_words[] = {
    [FINDING_FAIL] = "",
    [FINDING_WARN] = "warning: ",
    [FINDING_UNKNOWN] = "not known: ",
    [FINDING_WAIVED] = "waived: ",
};

/* Where to write, and whether in colours. */
struct page {
    struct text *to;
    bool color;
    int id_width;
    size_t shown[STATUS_COUNT]; /* findings */
};

/* The findings of one image in the order in which they are read. */
struct sorted {
    const struct finding **items;
    size_t count;
};

static void add_colored(const struct page *page, const char *color, const char *words)
{
    text_add(page->to, page->color ? color : plain);
    escape_plain(page->to, words, NULL);
    text_add(page->to, page->color ? reset : plain);
}

static void add_padding(struct text *to, int count)
{
    while (count-- > 0)
        text_add_char(to, ' ');
}

static void add_field(struct text *to, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    text_add(to, "  ");
    escape_plain(to, value, NULL);
}

static void add_heading(const struct page *page, const struct check_result *result)
{
    AUTO_TEXT struct text runtime = {0};
    char digest[DIGEST_SHORT_SIZE], size[TEXT_NUMBER_SIZE];
    uint64_t bytes = check_bytes(result->facts);
    add_colored(page, verdict_colors[result->verdict->status],
                verdict_words[result->verdict->status]);
    text_add(page->to, "  ");
    add_colored(page, bold, result->reference);
    if (digest_is_set(&result->digest))
        add_field(page->to, digest_format_short(&result->digest, digest));
    add_field(page->to, result->platform);
    check_add_runtime(result->facts, &runtime);
    add_field(page->to, text_data(&runtime));
    if (bytes > 0)
        add_field(page->to, text_format_bytes(bytes, size));
    if (result->verdict->policy_count == 0)
        add_field(page->to, "(no policy applies)");
    text_add_char(page->to, '\n');
}

/* A line below a finding's first one. */
static void add_detail(const struct page *page, const char *label, const char *value)
{
    static const char next_line[] = "\n            ";
    if (value == NULL || value[0] == '\0')
        return;
    text_add(page->to, "            ");
    text_add(page->to, page->color ? dim : plain);
    text_add(page->to, label);
    escape_plain(page->to, value, next_line);
    text_add(page->to, page->color ? reset : plain);
    text_add_char(page->to, '\n');
}

/* Found by another policy too? What one policy waives another may still mind. */
static bool is_same(const struct finding *a, const struct finding *b)
{
    return (a->status == FINDING_WAIVED) == (b->status == FINDING_WAIVED) && a->step == b->step &&
           text_equal(a->rule, b->rule) && text_equal(a->message, b->message) &&
           text_equal(a->path, b->path) && text_equal(a->platform, b->platform) &&
           digest_equal(&a->layer, &b->layer);
}

static bool was_shown(const struct sorted *sorted, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same(sorted->items[i], sorted->items[index]))
            return true;
    return false;
}

/* "baseline, cis-docker"; nothing when there is only one. */
static void add_policies(const struct sorted *sorted, size_t index, struct text *to)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    for (size_t i = index; i < sorted->count; i++)
        if (is_same(sorted->items[i], sorted->items[index]) &&
            !text_list_has(&names, sorted->items[i]->policy))
            text_list_add(&names, sorted->items[i]->policy);
    for (size_t i = 0; names.count > 1 && i < names.count; i++)
        text_format(to, "%s%s", i == 0 ? "" : ", ", names.items[i]);
}

/* Severity and id stand beside the first of a group. */
static void add_columns(const struct page *page, const struct finding *finding, bool first)
{
    const char *severity = severity_name(finding->severity);
    bool waived = finding->status == FINDING_WAIVED;
    text_add(page->to, "  ");
    if (first) {
        add_colored(page, waived ? dim : severity_colors[finding->severity], severity);
        add_padding(page->to, COLUMN_SEVERITY - (int)strlen(severity));
        escape_plain(page->to, finding->id, NULL);
        add_padding(page->to, page->id_width - (int)strlen(finding->id));
    } else {
        add_padding(page->to, COLUMN_SEVERITY + page->id_width);
    }
    text_add(page->to, "  ");
}

static void add_finding(const struct page *page, const struct finding *finding,
                        const char *policies, bool first)
{
    AUTO_TEXT struct text place = {0};
    struct finding bare = *finding;
    add_columns(page, finding, first);
    text_add(page->to, status_words[finding->status]);
    escape_plain(page->to, finding->message, " ");
    text_add_char(page->to, '\n');
    if (finding->path && strstr(finding->message, finding->path))
        bare.path = NULL; /* it was said */
    check_add_place(&bare, &place);
    add_detail(page, "", text_data(&place));
    add_detail(page, "policies ", policies);
    add_detail(page, "waiver ", finding->waiver);
}

/* Of one rule, and as bad: they stand below each other. */
static bool is_group(const struct finding *a, const struct finding *b)
{
    return a->severity == b->severity && a->status == b->status && text_equal(a->id, b->id);
}

/* What mends several findings of a group is said once, below them. */
static void add_remedy(const struct page *page, const struct finding *finding,
                       const struct finding *next)
{
    if (finding->status == FINDING_WAIVED)
        return;
    if (next == NULL || !is_group(finding, next) || !text_equal(finding->remedy, next->remedy))
        add_detail(page, "fix: ", finding->remedy);
}

/* Takes out what was shown for another policy already: *ret_count are left, in order. */
static void drop_repeated(const struct sorted *sorted, size_t *indexes, size_t *ret_count)
{
    *ret_count = 0;
    for (size_t i = 0; i < sorted->count; i++)
        if (!was_shown(sorted, i))
            indexes[(*ret_count)++] = i;
}

static void add_findings(struct page *page, const struct sorted *sorted)
{
    size_t *indexes = memory_new_array(sorted->count, sizeof(*indexes));
    size_t count, in_group = 0;
    drop_repeated(sorted, indexes, &count);
    for (size_t i = 0; i < count; i++) {
        AUTO_TEXT struct text policies = {0};
        const struct finding *finding = sorted->items[indexes[i]];
        const struct finding *next = i + 1 < count ? sorted->items[indexes[i + 1]] : NULL;
        bool last = next == NULL || !is_group(finding, next);
        page->shown[finding->status]++;
        in_group++;
        if (in_group <= GROUP_SHOWN) {
            add_policies(sorted, indexes[i], &policies);
            add_finding(page, finding, text_data(&policies), in_group == 1);
        }
        if (last && in_group > GROUP_SHOWN) {
            AUTO_FREE char *rest =
                text_new("… and %zu more of these; -o json has them all", in_group - GROUP_SHOWN);
            add_detail(page, "", rest);
        }
        if (in_group <= GROUP_SHOWN || last)
            add_remedy(page, finding, next);
        if (last)
            in_group = 0;
    }
    free(indexes);
}

static int id_width(const struct verdict *verdict)
{
    size_t width = 0;
    for (size_t i = 0; i < verdict->findings.count; i++) {
        size_t length = strlen(verdict->findings.items[i].id);
        if (length > width && length <= COLUMN_ID_MAX)
            width = length;
    }
    return (int)width;
}

static void add_result(struct page *page, const struct check_result *result)
{
    struct sorted sorted = {.items = check_sorted(result->verdict),
                            .count = result->verdict->findings.count};
    page->id_width = id_width(result->verdict);
    add_heading(page, result);
    add_findings(page, &sorted);
    text_add_char(page->to, '\n');
    free(sorted.items);
}

static void add_count(struct text *to, size_t count, const char *words, const char **separator)
{
    if (count == 0)
        return;
    text_format(to, "%s%zu %s", *separator, count, words);
    *separator = ", ";
}

static void add_sum(const struct page *page, const struct check_result *results, size_t count)
{
    const char *separator = ": ";
    text_format(page->to, "%zu image%s", count, count == 1 ? "" : "s");
    add_count(page->to, check_count_verdicts(results, count, VERDICT_FAIL), "failed", &separator);
    add_count(page->to, check_count_verdicts(results, count, VERDICT_UNKNOWN),
              "could not be judged", &separator);
    add_count(page->to, check_count_verdicts(results, count, VERDICT_WARN), "passed with warnings",
              &separator);
    add_count(page->to, check_count_verdicts(results, count, VERDICT_PASS), "passed", &separator);
    separator = "; findings: ";
    add_count(page->to, page->shown[FINDING_FAIL], "failing", &separator);
    add_count(page->to, page->shown[FINDING_UNKNOWN], "not known", &separator);
    add_count(page->to, page->shown[FINDING_WARN],
              page->shown[FINDING_WARN] == 1 ? "warning" : "warnings", &separator);
    add_count(page->to, page->shown[FINDING_WAIVED], "waived", &separator);
    text_add_char(page->to, '\n');
}

static void write_table(const struct check_result *results, size_t count, bool color,
                        struct text *to)
{
    struct page page = {.to = to, .color = color};
    for (size_t i = 0; i < count; i++)
        add_result(&page, &results[i]);
    if (count > 1) {
        check_add_summary(results, count, to);
        text_add_char(to, '\n');
    }
    add_sum(&page, results, count);
}

const struct check_format check_table = {
    .name = "table",
    .media_type = "text/plain; charset=utf-8",
    .write = write_table,
};
