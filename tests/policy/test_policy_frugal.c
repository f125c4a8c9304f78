/* Passing is cheap: a rule that finds nothing allocates nothing. Linked so that every allocation of
 * the rooms comes by here. */
#include "cmocka_all.h"
#include "policy_support.h"

#include "rule.h"

#include "regwarden/memory.h"
#include "regwarden/text.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t allocations;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

/* A policy of this rule alone, set as its example says. */
static struct policy_set *set_of(const struct rule_type *rule)
{
    AUTO_TEXT struct text yaml = {0};

    text_add(&yaml, "policy: p\nrules:\n  - ");
    for (const char *c = rule_example(rule); *c; c++) {
        text_add_char(&yaml, *c);
        if (*c == '\n' && c[1])
            text_add(&yaml, "    ");
    }
    return support_compile(text_data(&yaml));
}

static void test_passing_allocates_nothing(void **state)
{
    const struct placement place = {
        .repository = "team/app", .tag = "1.0.0", .previous_is_known = true};
    int64_t now_ms = support_now_ms();
    size_t passed = 0, wrong = 0;

    (void)state;
    for (size_t i = 0; i < rule_count(); i++) {
        struct policy_set *set = set_of(rule_at(i));
        AUTO_FACTS struct facts *facts = support_facts_for(set, "{}");
        struct verdict verdict = {0};

        allocations = 0;
        policy_judge(set, facts, &place, now_ms, &verdict);
        if (verdict.findings.count == 0) {
            passed++;
            if (allocations > 0)
                print_message("%s passes with %zu allocations\n", rule_name(rule_at(i)),
                              allocations);
            wrong += allocations > 0;
        } else {
            assert_true(allocations > 0); /* they are seen at all */
        }
        verdict_release(&verdict);
        policy_set_free(set);
    }
    assert_int_equal(wrong, 0);
    assert_true(passed >= rule_count() / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_passing_allocates_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
