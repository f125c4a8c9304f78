/* Waivers: evaluated then waived, never without an end, never after it. */
#include "cmocka_all.h"
#include "policy_support.h"

#include "compiled.h"

#include "regwarden/json.h"
#include "regwarden/memory.h"

#define POLICY                                                                            \
    "policy: p\nmode: enforce\nrules:\n  - { rule: tag-name, id: tags, on-fail: hold }\n" \
    "  - { rule: exposed-ports, severity: high }\n"

static const struct placement place = {
    .registry = "harbor", .repository = "team/app", .tag = "latest"};

/* Judges an image with two findings under file waivers. */
static void judge(const char *waivers, struct verdict *ret)
{
    const struct policy_source sources[] = {{"p", POLICY, strlen(POLICY)},
                                            {"w", waivers, strlen(waivers)}};
    AUTO_FACTS struct facts *facts = support_facts("{ config: { exposedPorts: [22/tcp] } }");
    struct placement placed = place;
    struct policy_set *set = NULL;
    struct error err = {0};

    if (policy_set_compile(sources, 2, NULL, NULL, &set, &err) < 0)
        fail_msg("%s", err.text);
    placed.digest = facts->manifest->digest;
    policy_judge(set, facts, &placed, support_now_ms(), ret);
    policy_set_free(set);
}

static size_t count_waived(const struct verdict *verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < verdict->findings.count; i++)
        count += verdict->findings.items[i].status == FINDING_WAIVED;
    return count;
}

#define WAIVER(more) "waivers:\n  - { id: W-1, reason: r, owner: o, " more " }\n"
#define VALID "expires: 2030-01-31"

static void test_what_a_waiver_excuses(void **state)
{
    static const struct {
        const char *waivers;
        size_t waived;
        enum verdict_status status;
    } rows[] = {
        {"waivers: []\n", 0, VERDICT_FAIL},
        {WAIVER("rule: '*', " VALID), 2, VERDICT_PASS},
        {WAIVER("rule: tag-name, " VALID), 1, VERDICT_FAIL},      /* by the rule's name */
        {WAIVER("rule: tags, " VALID), 1, VERDICT_FAIL},          /* by its id */
        {WAIVER("rule: exposed-ports, " VALID), 1, VERDICT_FAIL}, /* the tag still fails */
        {WAIVER("rule: volumes, " VALID), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', policy: p, " VALID), 2, VERDICT_PASS},
        {WAIVER("rule: '*', policy: q, " VALID), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', repository: 'team/**', " VALID), 2, VERDICT_PASS},
        {WAIVER("rule: '*', repository: 'other/**', " VALID), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', repository: '!team/**', " VALID), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', tag: late*, " VALID), 2, VERDICT_PASS},
        {WAIVER("rule: '*', tag: v*, " VALID), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', path: 22/*, " VALID), 1, VERDICT_FAIL},
        {WAIVER("rule: '*', fingerprint: 00000000000000000000000000000000, " VALID), 0,
         VERDICT_FAIL},
        {WAIVER("rule: '*', digest: 'sha256:"
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', " VALID),
         0, VERDICT_FAIL},
        /* an expired waiver is never honoured; a day lasts until its end */
        {WAIVER("rule: '*', expires: 2030-01-14"), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', expires: 2030-01-15"), 2, VERDICT_PASS},
        {WAIVER("rule: '*', expires: '2030-01-15T12:00:00Z'"), 0, VERDICT_FAIL},
        {WAIVER("rule: '*', expires: '2030-01-15T12:00:01Z'"), 2, VERDICT_PASS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct verdict verdict = {0};

        judge(rows[i].waivers, &verdict);
        assert_int_equal(verdict.findings.count, 2); /* judged all the same */
        if (count_waived(&verdict) != rows[i].waived || verdict.status != rows[i].status)
            fail_msg("row %zu: %zu waived, %s", i, count_waived(&verdict),
                     verdict_status_name(verdict.status));
        if (verdict.status == VERDICT_PASS) {
            assert_int_equal(verdict.actions, 0);
            assert_false(verdict.enforced);
            assert_string_equal(verdict.findings.items[0].waiver, "W-1");
        }
        verdict_release(&verdict);
    }
}

static void test_by_fingerprint_and_digest(void **state)
{
    struct verdict verdict = {0};
    AUTO_FREE char *waivers = NULL;
    AUTO_FREE char *by_digest = NULL;
    AUTO_FACTS struct facts *facts = support_facts("{}");
    char digest[DIGEST_TEXT_SIZE];

    (void)state;
    judge("waivers: []\n", &verdict);
    waivers = text_new(WAIVER("rule: '*', fingerprint: '%s', " VALID),
                       verdict.findings.items[1].fingerprint);
    verdict_release(&verdict);
    judge(waivers, &verdict);
    assert_int_equal(verdict.findings.items[0].status, FINDING_FAIL);
    assert_int_equal(verdict.findings.items[1].status, FINDING_WAIVED);
    verdict_release(&verdict);
    by_digest = text_new(WAIVER("rule: '*', digest: '%s', " VALID),
                         digest_format(&facts->manifest->digest, digest));
    judge(by_digest, &verdict);
    assert_int_equal(count_waived(&verdict), 2);
    verdict_release(&verdict);
}

static void test_a_name_that_is_not_there_matches_no_pattern(void **state)
{
    struct policy_set *set = NULL;
    struct waiver waiver = {.id = memory_copy_text("W"),
                            .rule = memory_copy_text("*"),
                            .tag = memory_copy_text("v*"),
                            .reason = memory_copy_text("r"),
                            .owner = memory_copy_text("o"),
                            .expires_ms = INT64_MAX};
    struct policy_set *base = support_compile(POLICY);
    AUTO_FACTS struct facts *facts = support_facts("{ config: { exposedPorts: [22/tcp] } }");
    const struct placement untagged = {.repository = "team/app"};
    struct verdict verdict = {0};

    (void)state;
    assert_int_equal(
        policy_set_with_waivers(base, &(struct waiver_view){&waiver, 1, 0, NULL}, &set, NULL), 0);
    policy_judge(set, facts, &untagged, support_now_ms(), &verdict);
    assert_int_equal(count_waived(&verdict), 0);
    verdict_release(&verdict);
    waiver_release(&waiver);
    policy_set_free(base);
    policy_set_free(set);
}

static void test_the_ledger_replaces_the_ledger_and_keeps_files(void **state)
{
    static const char file[] = WAIVER("rule: volumes, " VALID);
    const struct policy_source sources[] = {{"p", POLICY, strlen(POLICY)},
                                            {"w", file, sizeof(file) - 1}};
    struct waiver waiver = {.id = memory_copy_text("L-1"),
                            .rule = memory_copy_text("tags"),
                            .reason = memory_copy_text("r"),
                            .owner = memory_copy_text("o"),
                            .expires_ms = INT64_MAX};
    struct policy_set *set = NULL;
    struct policy_set *with = NULL;
    struct policy_set *without = NULL;

    (void)state;
    assert_int_equal(policy_set_compile(sources, 2, NULL, NULL, &set, NULL), 0);
    assert_int_equal(policy_set_waiver_count(set), 1);
    assert_int_equal(
        policy_set_with_waivers(set, &(struct waiver_view){&waiver, 1, 0, NULL}, &with, NULL), 0);
    assert_int_equal(policy_set_waiver_count(with), 2);
    assert_string_equal(policy_set_waiver(with, 0)->id, "L-1"); /* sorted by rule */
    assert_string_not_equal(policy_set_revision(with), policy_set_revision(set));
    assert_int_equal(policy_set_with_waivers(with, &(struct waiver_view){0}, &without, NULL), 0);
    assert_int_equal(policy_set_waiver_count(without), 1);
    assert_string_equal(policy_set_revision(without), policy_set_revision(set));
    policy_set_free(set); /* the others live on */
    assert_int_equal(policy_set_count(with), 1);
    policy_set_free(with);
    policy_set_free(without);
    waiver_release(&waiver);
}

/* What a waiver excused is judged again once it has ended: the revision changes then, and at no
 * other time. */
static void test_the_revision_tells_which_waivers_hold(void **state)
{
    static const char file[] = WAIVER("rule: volumes, expires: '1970-01-01T00:00:03Z'");
    static const struct {
        int64_t now_ms;
        int revision; /* equal numbers: equal revisions */
    } cases[] = {{0, 1}, {1999, 1}, {2000, 2}, {2999, 2}, {3000, 3}, {INT64_MAX, 3}};
    const struct policy_source sources[] = {{"p", POLICY, strlen(POLICY)},
                                            {"w", file, sizeof(file) - 1}};
    struct waiver waiver = {.id = memory_copy_text("L-1"),
                            .rule = memory_copy_text("tags"),
                            .reason = memory_copy_text("r"),
                            .owner = memory_copy_text("o"),
                            .expires_ms = 2000};
    struct policy_set *files = NULL;
    char seen[4][65] = {""};

    (void)state;
    assert_int_equal(policy_set_compile(sources, 2, NULL, NULL, &files, NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct waiver_view ledger = {&waiver, 1, cases[i].now_ms, NULL};
        struct policy_set *set = NULL;

        assert_int_equal(policy_set_with_waivers(files, &ledger, &set, NULL), 0);
        assert_int_equal(policy_set_waiver_count(set), 2); /* ended ones are listed */
        for (int other = 1; other < 4; other++)
            if (seen[other][0])
                assert_int_equal(text_equal(seen[other], policy_set_revision(set)),
                                 other == cases[i].revision);
        memcpy(seen[cases[i].revision], policy_set_revision(set), sizeof(seen[0]));
        policy_set_free(set);
    }
    policy_set_free(files);
    waiver_release(&waiver);
}

static void test_json(void **state)
{
    static const struct {
        const char *json;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2030-01-"
         "31\"}",
         NULL},
        {"{\"id\":\"W\",\"rule\":\"r\",\"policy\":\"p\",\"repository\":\"a/**\",\"tag\":\"v*\","
         "\"path\":\"x\",\"fingerprint\":\"0123456789abcdef0123456789abcdef\",\"reason\":\"x\","
         "\"owner\":\"o\",\"digest\":\"sha256:"
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
         "\"expires\":\"2030-01-31T00:00:00Z\"}",
         NULL},
        {"[]", "a waiver is an object"},
        {"{}", "a waiver needs 'id'"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"owner\":\"o\",\"expires\":\"2030-01-31\"}",
         "a waiver needs 'reason'"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\" "
         "\",\"owner\":\"o\",\"expires\":\"2030-01-31\"}",
         "a waiver needs 'reason'"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\"}",
         "a waiver needs 'expires'"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"never\"}",
         "'never' is not a day"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2030-01-31\","
         "\"tag\":\"\"}",
         "'tag' of a waiver may not be empty"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2030-01-31\","
         "\"tag\":7}",
         "'tag' of a waiver is not a text"},
        {"{\"id\":\"W\",\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2030-01-31\","
         "\"fingerprint\":\"xyz\"}",
         "'fingerprint' of a waiver is 32 hex digits"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_JSON struct json *json = NULL;
        AUTO_JSON struct json *written = NULL;
        struct waiver waiver = {0};
        struct waiver again = {0};
        struct error err = {0};
        int rc;

        assert_int_equal(json_parse(rows[i].json, strlen(rows[i].json), NULL, &json, NULL), 0);
        rc = waiver_from_json(json, &waiver, &err);
        assert_int_equal(rc, rows[i].message ? FAILURE_INPUT : 0);
        if (rows[i].message) {
            assert_string_equal(err.text, rows[i].message);
            continue;
        }
        written = waiver_to_json(&waiver);
        assert_int_equal(waiver_from_json(written, &again, NULL), 0);
        assert_int_equal(again.expires_ms, waiver.expires_ms);
        assert_true(digest_equal(&again.digest, &waiver.digest));
        assert_true(text_equal(again.fingerprint, waiver.fingerprint));
        waiver_release(&waiver);
        waiver_release(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_waiver_excuses),
        cmocka_unit_test(test_by_fingerprint_and_digest),
        cmocka_unit_test(test_a_name_that_is_not_there_matches_no_pattern),
        cmocka_unit_test(test_the_ledger_replaces_the_ledger_and_keeps_files),
        cmocka_unit_test(test_the_revision_tells_which_waivers_hold),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
