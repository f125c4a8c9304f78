/* `check -o markdown`: for a comment on a merge request. */
#include "check.h"
#include "escape.h"

static const char *const marks[] = {
    [VERDICT_PASS] = "✅ pass",
    [VERDICT_WARN] = "⚠️ warn",
    [VERDICT_UNKNOWN] = "❓ unknown",
    [VERDICT_FAIL] = "❌ fail",
};

static void add_item(struct text *to, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    text_format(to, "- %s: ", name);
    escape_markdown(to, value);
    text_add_char(to, '\n');
}

static void add_image(struct text *to, const struct check_result *result)
{
    AUTO_TEXT struct text runtime = {0};
    char digest[DIGEST_TEXT_SIZE], size[TEXT_NUMBER_SIZE];
    uint64_t bytes = check_bytes(result->facts);
    text_format(to, "### %s ", marks[result->verdict->status]);
    escape_markdown(to, result->reference);
    text_add(to, "\n\n");
    add_item(to, "Digest", digest_format(&result->digest, digest));
    add_item(to, "Platform", result->platform);
    check_add_runtime(result->facts, &runtime);
    add_item(to, "Runtime", text_data(&runtime));
    add_item(to, "Size", bytes > 0 ? text_format_bytes(bytes, size) : NULL);
    if (result->verdict->policy_count == 0)
        text_add(to, "- No policy applies.\n");
    text_add_char(to, '\n');
}

static void add_row(struct text *to, const struct finding *finding)
{
    AUTO_TEXT struct text place = {0};
    check_add_place(finding, &place);
    text_format(to, "| %s | %s | ", severity_name(finding->severity),
                finding_status_name(finding->status));
    escape_markdown(to, finding->id);
    text_add(to, " | ");
    escape_markdown(to, finding->message);
    text_add(to, " | ");
    escape_markdown(to, text_data(&place));
    text_add(to, " | ");
    escape_markdown(to, finding->remedy == NULL ? "" : finding->remedy);
    text_add(to, " |\n");
}

static void add_findings(struct text *to, const struct verdict *verdict)
{
    if (verdict->findings.count == 0)
        return;
    const struct finding **sorted = check_sorted(verdict);
    text_add(to, "| Severity | Status | Rule | What | Where | Fix |\n"
                 "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < verdict->findings.count; i++)
        add_row(to, sorted[i]);
    text_add_char(to, '\n');
    free(sorted);
}

static void write_markdown(const struct check_result *results, size_t count, bool color,
                           struct text *to)
{
    (void)color;
    text_format(to, "## Image policy: %zu of %zu passed\n\n",
                check_count_verdicts(results, count, VERDICT_PASS) +
                    check_count_verdicts(results, count, VERDICT_WARN),
                count);
    for (size_t i = 0; i < count; i++) {
        add_image(to, &results[i]);
        add_findings(to, results[i].verdict);
    }
}

const struct check_format check_markdown = {
    .name = "markdown",
    .media_type = "text/markdown; charset=utf-8",
    .write = write_markdown,
};
