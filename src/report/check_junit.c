/* `check -o junit`: for the test page of a CI server. An image is a suite, a finding is a case. */
#include "check.h"

static void add_attribute(struct text *to, const char *name, const char *value)
{
    text_format(to, " %s=\"", name);
    report_html_escape(to, value);
    text_add_char(to, '"');
}

static void add_number(struct text *to, const char *name, size_t value)
{
    text_format(to, " %s=\"%zu\"", name, value);
}

/* The element that tells how the case ended; none for one that passed. */
static const char *const outcomes[] = {
    [FINDING_FAIL] = "failure",
    [FINDING_WARN] = NULL,
    [FINDING_UNKNOWN] = "error",
    [FINDING_WAIVED] = "skipped",
};

static void add_outcome(struct text *to, const struct finding *finding)
{
    AUTO_TEXT struct text place = {0};
    const char *outcome = outcomes[finding->status];
    check_add_place(finding, &place);
    text_format(to, "      <%s", outcome == NULL ? "system-out" : outcome);
    if (outcome == NULL) {
        text_add_char(to, '>');
    } else if (finding->status == FINDING_WAIVED) {
        add_attribute(to, "message", finding->message);
        text_add_char(to, '>');
    } else {
        add_attribute(to, "type", severity_name(finding->severity));
        add_attribute(to, "message", finding->message);
        text_add_char(to, '>');
    }
    report_html_escape(to, finding->message);
    text_add_char(to, '\n');
    report_html_escape(to, text_data(&place));
    text_add_char(to, '\n');
    report_html_escape(to, finding->remedy);
    text_format(to, "</%s>\n", outcome == NULL ? "system-out" : outcome);
}

static void add_case(struct text *to, const struct finding *finding)
{
    AUTO_FREE char *name = text_new("%s%s%s", finding->id, finding->path == NULL ? "" : ": ",
                                    finding->path == NULL ? "" : finding->path);
    text_add(to, "    <testcase");
    add_attribute(to, "classname", finding->policy);
    add_attribute(to, "name", name);
    text_add(to, ">\n");
    add_outcome(to, finding);
    text_add(to, "    </testcase>\n");
}

/* An image without findings is a case too: a suite without cases looks as if nothing was run. */
static void add_bare_case(struct text *to, const struct verdict *verdict)
{
    text_add(to, "    <testcase classname=\"regwarden\" name=\"policies\"");
    if (verdict->status == VERDICT_FAIL || verdict->status == VERDICT_UNKNOWN)
        text_format(to, "><error message=\"%s\"/></testcase>\n",
                    verdict_status_name(verdict->status));
    else
        text_add(to, "/>\n");
}

static void add_totals(struct text *to, const struct check_result *results, size_t count)
{
    size_t tests = 0, errors = check_count(results, count, FINDING_UNKNOWN);
    for (size_t i = 0; i < count; i++) {
        const struct verdict *verdict = results[i].verdict;
        bool bare = verdict->findings.count == 0;
        tests += bare ? 1 : verdict->findings.count;
        errors += bare && verdict->status >= VERDICT_UNKNOWN ? 1 : 0;
    }
    add_number(to, "tests", tests);
    add_number(to, "failures", check_count(results, count, FINDING_FAIL));
    add_number(to, "errors", errors);
    add_number(to, "skipped", check_count(results, count, FINDING_WAIVED));
}

static void add_suite(struct text *to, const struct check_result *result)
{
    const struct finding **sorted = check_sorted(result->verdict);
    text_add(to, "  <testsuite");
    add_attribute(to, "name", result->reference);
    add_totals(to, result, 1);
    text_add(to, ">\n");
    for (size_t i = 0; i < result->verdict->findings.count; i++)
        add_case(to, sorted[i]);
    if (result->verdict->findings.count == 0)
        add_bare_case(to, result->verdict);
    text_add(to, "  </testsuite>\n");
    free(sorted);
}

static void write_junit(const struct check_result *results, size_t count, bool color,
                        struct text *to)
{
    (void)color;
    text_add(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_totals(to, results, count);
    text_add(to, ">\n");
    for (size_t i = 0; i < count; i++)
        add_suite(to, &results[i]);
    text_add(to, "</testsuites>\n");
}

const struct check_format check_junit = {
    .name = "junit",
    .media_type = "application/xml",
    .write = write_junit,
};
