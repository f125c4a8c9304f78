/* Rules by table. */
#include "policy_rows.h"
#include "cmocka_all.h"

#include "regwarden/memory.h"

static struct policy_set *make_set(const char *rule, const char *more, const char *with)
{
    AUTO_FREE char *yaml =
        text_new("policy: p\n%srules:\n  - rule: %s\n    with: %s\n", more, rule, with);

    return support_compile(yaml);
}

static enum judgement judgement_of(const struct verdict *verdict)
{
    enum judgement worst = RULE_PASS;

    for (size_t i = 0; i < verdict->findings.count; i++) {
        bool unknown = verdict->findings.items[i].status == FINDING_UNKNOWN;
        enum judgement judgement = unknown ? RULE_UNKNOWN : RULE_FAIL;

        if (judgement > worst)
            worst = judgement;
    }
    return worst;
}

static bool says(const struct verdict *verdict, const char *message)
{
    for (size_t i = 0; message && i < verdict->findings.count; i++) {
        if (strstr(verdict->findings.items[i].message, message))
            return true;
    }
    return !message;
}

static void judge_with(const char *rule, const char *more, const struct row *row,
                       struct verdict *ret)
{
    struct policy_set *set = make_set(rule, more, row->with ? row->with : "{}");
    AUTO_FACTS struct facts *facts = support_facts_for(set, row->facts ? row->facts : "{}");
    struct placement placement = row->placement;

    if (!placement.repository)
        placement.repository = "team/app";
    policy_judge(set, facts, &placement, support_now_ms(), ret);
    policy_set_free(set);
}

void row_judge(const char *rule, const struct row *row, struct verdict *ret)
{
    judge_with(rule, "", row, ret);
}

void run_rows(const char *rule, const char *more, const struct row *rows, size_t count)
{
    static const char *const names[] = {"pass", "unknown", "fail"};
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct verdict verdict = {0};
        enum judgement judgement;

        judge_with(rule, more, &rows[i], &verdict);
        judgement = judgement_of(&verdict);
        if (judgement != rows[i].judgement || !says(&verdict, rows[i].message)) {
            print_message("%s row %zu: %s: %s\n", rule, i, names[judgement],
                          verdict.findings.count ? verdict.findings.items[0].message : "nothing");
            wrong++;
        }
        verdict_release(&verdict);
    }
    assert_int_equal(wrong, 0);
}
