/* Verdicts: names, merging the children of an index, resolving actions, JSON both ways. */
#include "cmocka_all.h"

#include "regwarden/memory.h"
#include "regwarden/verdict.h"

static void test_names(void **state)
{
    enum verdict_status status;
    enum severity severity;
    enum action_kind kind;
    enum finding_status finding;

    (void)state;
    for (int i = VERDICT_PASS; i <= VERDICT_FAIL; i++) {
        assert_int_equal(verdict_status_from_name(verdict_status_name(i), &status), 0);
        assert_int_equal(status, i);
    }
    for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
        assert_int_equal(severity_from_name(severity_name(i), &severity), 0);
        assert_int_equal(severity, i);
    }
    for (int i = 0; i < ACTION_KIND_COUNT; i++) {
        assert_int_equal(action_kind_from_name(action_kind_name(i), &kind), 0);
        assert_int_equal(kind, i);
    }
    for (int i = FINDING_WARN; i <= FINDING_WAIVED; i++) {
        assert_int_equal(finding_status_from_name(finding_status_name(i), &finding), 0);
        assert_int_equal(finding, i);
    }
    assert_int_equal(verdict_status_from_name("PASS", &status), FAILURE_INPUT);
    assert_int_equal(severity_from_name(NULL, &severity), FAILURE_INPUT);
    assert_int_equal(action_kind_from_name("", &kind), FAILURE_INPUT);
    assert_int_equal(finding_status_from_name("failed", &finding), FAILURE_INPUT);
}

static void test_resolving_actions(void **state)
{
    static const struct {
        unsigned asked, resolved;
    } rows[] = {
        {0, 0},
        {ACTION_BIT(ACTION_PROMOTE) | ACTION_BIT(ACTION_NOTIFY),
         ACTION_BIT(ACTION_PROMOTE) | ACTION_BIT(ACTION_NOTIFY)},
        {ACTION_BIT(ACTION_PROMOTE) | ACTION_BIT(ACTION_HOLD), ACTION_BIT(ACTION_HOLD)},
        {ACTION_BIT(ACTION_REMOVE) | ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK),
         ACTION_BIT(ACTION_REMOVE)},
        {ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK) | ACTION_BIT(ACTION_TAG),
         ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK) | ACTION_BIT(ACTION_TAG)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(verdict_actions_resolve(rows[i].asked), rows[i].resolved);
}

static struct finding *add(struct verdict *verdict)
{
    struct findings *findings = &verdict->findings;
    struct finding *finding;

    findings->items =
        memory_grow(findings->items, findings->count, &findings->capacity, sizeof(struct finding));
    finding = &findings->items[findings->count++];
    *finding = (struct finding){
        .rule = memory_copy_text("exposed-ports"),
        .id = memory_copy_text("ports"),
        .policy = memory_copy_text("production"),
        .severity = SEVERITY_HIGH,
        .status = FINDING_FAIL,
        .message = memory_copy_text("the exposed port 22/tcp is denied by the policy"),
        .step = -1,
        .fingerprint = "0123456789abcdef0123456789abcdef",
    };
    return finding;
}

static void test_an_index_is_as_bad_as_its_worst_child(void **state)
{
    struct verdict index = {0};
    struct verdict good = {.actions = ACTION_BIT(ACTION_PROMOTE), .policy_count = 2};
    struct verdict bad = {.status = VERDICT_FAIL,
                          .actions = ACTION_BIT(ACTION_TAG),
                          .audit_actions = ACTION_BIT(ACTION_HOLD),
                          .enforced = true,
                          .retry = true,
                          .policy_count = 1,
                          .policy_revision = "abc"};

    (void)state;
    add(&good)->status = FINDING_WARN;
    add(&bad);
    verdict_merge_child(&index, &good, "linux/amd64");
    assert_int_equal(index.actions, ACTION_BIT(ACTION_PROMOTE));
    verdict_merge_child(&index, &bad, "linux/arm64");
    assert_int_equal(index.status, VERDICT_FAIL);
    assert_int_equal(index.actions, ACTION_BIT(ACTION_TAG)); /* nothing is promoted that fails */
    assert_int_equal(index.audit_actions, ACTION_BIT(ACTION_HOLD));
    assert_true(index.enforced);
    assert_true(index.retry);
    assert_int_equal(index.policy_count, 2);
    assert_string_equal(index.policy_revision, "abc");
    assert_int_equal(index.findings.count, 2);
    assert_string_equal(index.findings.items[0].platform, "linux/amd64");
    assert_string_equal(index.findings.items[1].platform, "linux/arm64");
    assert_int_equal(good.findings.count, 0);
    assert_int_equal(bad.findings.count, 0);
    verdict_release(&index);
}

static void test_an_unknown_child_is_no_pass(void **state)
{
    struct verdict index = {0};
    struct verdict good = {.status = VERDICT_WARN, .actions = ACTION_BIT(ACTION_PROMOTE)};
    struct verdict unknown = {.status = VERDICT_UNKNOWN};

    (void)state;
    verdict_merge_child(&index, &good, "linux/amd64");
    verdict_merge_child(&index, &unknown, "linux/arm64");
    assert_int_equal(index.status, VERDICT_UNKNOWN);
    assert_int_equal(index.actions, 0);
    verdict_release(&index);
}

static char *write(const struct verdict *verdict)
{
    AUTO_JSON struct json *json = verdict_to_json(verdict);
    struct text text = {0};

    json_write(json, JSON_COMPACT, &text);
    return text_take(&text);
}

static void test_round_trip(void **state)
{
    struct verdict verdict = {.status = VERDICT_FAIL,
                              .actions = ACTION_BIT(ACTION_TAG) | ACTION_BIT(ACTION_NOTIFY),
                              .audit_actions = ACTION_BIT(ACTION_HOLD),
                              .enforced = true,
                              .retry = true,
                              .policy_count = 3,
                              .policy_revision = "0123"};
    struct verdict read = {0};
    struct finding *finding = add(&verdict);
    AUTO_JSON struct json *json = NULL;
    AUTO_FREE char *before = NULL;
    AUTO_FREE char *after = NULL;

    (void)state;
    digest_compute(NULL, "x", 1, &finding->layer);
    finding->remedy = memory_copy_text("take it away");
    finding->evidence = memory_copy_text("config");
    finding->origin = ORIGIN_BASE;
    finding->step = 0;
    finding->path = memory_copy_text("22/tcp");
    finding->bytes = 42;
    finding->platform = memory_copy_text("linux/amd64");
    finding->waiver = memory_copy_text("W-1");
    finding->status = FINDING_WAIVED;
    add(&verdict); /* with nothing optional */
    before = write(&verdict);
    json = verdict_to_json(&verdict);
    assert_int_equal(verdict_from_json(json, &read, NULL), 0);
    after = write(&read);
    assert_string_equal(before, after);
    assert_int_equal(read.findings.items[0].step, 0);
    assert_int_equal(read.findings.items[1].step, -1);
    assert_true(digest_equal(&read.findings.items[0].layer, &verdict.findings.items[0].layer));
    verdict_release(&verdict);
    verdict_release(&read);
}

#define FINDING                                                                              \
    "\"rule\":\"r\",\"id\":\"i\",\"policy\":\"p\",\"severity\":\"low\",\"status\":\"fail\"," \
    "\"message\":\"m\",\"origin\":\"own\",\"fingerprint\":\"0123456789abcdef0123456789abcdef\""
#define VERDICT(findings)                          \
    "{\"verdict\":\"fail\",\"findings\":" findings \
    ",\"actions\":[],\"auditActions\":[],\"policyRevision\":\"\"}"

static void test_what_is_no_verdict_is_refused(void **state)
{
    static const struct {
        const char *json;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {VERDICT("[]"), NULL},
        {VERDICT("[{" FINDING "}]"), NULL},
        {"[]", "verdict: \"verdict\" is missing or not a verdict"},
        {"{\"verdict\":\"fine\"}", "verdict: \"verdict\" is missing or not a verdict"},
        {"{\"verdict\":\"fail\"}", "verdict: \"findings\" is missing or not an array"},
        {VERDICT("[{}]"), "finding: \"rule\" is missing or not what it should be"},
        {VERDICT("[{" FINDING ",\"path\":7}]"),
         "finding: \"path\" is missing or not what it should be"},
        {VERDICT("[{" FINDING ",\"step\":-2}]"),
         "finding: \"step\" is missing or not what it should be"},
        {VERDICT("[{" FINDING ",\"step\":4294967296}]"),
         "finding: \"step\" is missing or not what it should be"},
        {VERDICT("[{" FINDING ",\"bytes\":-1}]"),
         "finding: \"bytes\" is missing or not what it should be"},
        {VERDICT("[{" FINDING ",\"layer\":\"sha256:00\"}]"),
         "finding: \"layer\" is missing or not what it should be"},
        {"{\"verdict\":\"pass\",\"findings\":[]}",
         "verdict: \"actions\" is missing or not an array"},
        {"{\"verdict\":\"pass\",\"findings\":[],\"actions\":[\"explode\"]}",
         "verdict: \"actions\" names no action"},
        {"{\"verdict\":\"pass\",\"findings\":[],\"actions\":[],\"auditActions\":[]}",
         "verdict: \"policyRevision\" is missing or too long"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_JSON struct json *json = NULL;
        struct verdict verdict = {0};
        struct error err = {0};
        int rc;

        assert_int_equal(json_parse(rows[i].json, strlen(rows[i].json), NULL, &json, NULL), 0);
        rc = verdict_from_json(json, &verdict, &err);
        assert_int_equal(rc, rows[i].message ? FAILURE_INPUT : 0);
        if (rows[i].message)
            assert_string_equal(err.text, rows[i].message);
        verdict_release(&verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_resolving_actions),
        cmocka_unit_test(test_an_index_is_as_bad_as_its_worst_child),
        cmocka_unit_test(test_an_unknown_child_is_no_pass),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_what_is_no_verdict_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
