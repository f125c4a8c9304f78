/* The engine: what rules' answers come to, modes, merging of policies, missing facts. */
#include "cmocka_all.h"
#include "policy_support.h"

#include "compiled.h"
#include "rules.h"

#include "regwarden/memory.h"

#define NOTIFY ACTION_BIT(ACTION_NOTIFY)
#define TAG ACTION_BIT(ACTION_TAG)
#define HOLD ACTION_BIT(ACTION_HOLD)
#define PROMOTE ACTION_BIT(ACTION_PROMOTE)

static const struct placement place = {
    .registry = "harbor", .repository = "prod/app", .tag = "latest"};

static void judge(const char *policy, const char *facts_yaml, struct verdict *ret)
{
    struct policy_set *set = support_compile(policy);
    AUTO_FACTS struct facts *facts = support_facts(facts_yaml);

    policy_judge(set, facts, &place, support_now_ms(), ret);
    policy_set_free(set);
}

/* The same, under a waiver for one rule and path. */
static void judge_waived(const char *policy, const char *waived, const char *facts_yaml,
                         struct verdict *ret)
{
    AUTO_FREE char *waivers =
        text_new("waivers:\n  - { id: W, %s, reason: r, owner: o, expires: 2030-01-31 }\n", waived);
    const struct policy_source sources[] = {{"p", policy, strlen(policy)},
                                            {"w", waivers, strlen(waivers)}};
    AUTO_FACTS struct facts *facts = support_facts(facts_yaml);
    struct policy_set *set = NULL;
    struct error err = {0};

    if (policy_set_compile(sources, ARRAY_COUNT(sources), NULL, NULL, &set, &err) < 0)
        fail_msg("%s", err.text);
    policy_judge(set, facts, &place, support_now_ms(), ret);
    policy_set_free(set);
}

/* A rule that fails for every image of `place`, with more of its entry. */
#define FAILING(more) "  - { rule: tag-name" more " }\n"
#define UNKNOWING(more) "  - { rule: tag-immutable" more " }\n"
#define PASSING "  - { rule: volumes }\n"

static void test_what_findings_come_to(void **state)
{
    static const struct {
        const char *policy;
        enum verdict_status status;
        unsigned actions, audit_actions;
        bool enforced, retry;
        size_t findings;
        enum finding_status finding;
    } rows[] = {
        {"policy: p\nrules:\n" PASSING, VERDICT_PASS, 0, 0, false, false, 0, FINDING_WARN},
        /* a failing rule warns … */
        {"policy: p\nrules:\n" FAILING(""), VERDICT_WARN, NOTIFY, 0, false, false, 1, FINDING_WARN},
        {"policy: p\nrules:\n" FAILING(", on-fail: []"), VERDICT_WARN, 0, 0, false, false, 1,
         FINDING_WARN},
        {"policy: p\nmode: enforce\nrules:\n" FAILING(""), VERDICT_WARN, NOTIFY, 0, false, false, 1,
         FINDING_WARN},
        /* … unless it is high or does more than tell */
        {"policy: p\nrules:\n" FAILING(", severity: high"), VERDICT_FAIL, NOTIFY, 0, false, false,
         1, FINDING_FAIL},
        {"policy: p\nrules:\n" FAILING(", severity: info, on-fail: tag"), VERDICT_FAIL, 0, TAG,
         false, false, 1, FINDING_FAIL},
        /* nothing is changed in audit mode */
        {"policy: p\nrules:\n" FAILING(", on-fail: [tag, hold, notify]"), VERDICT_FAIL, NOTIFY,
         TAG | HOLD, false, false, 1, FINDING_FAIL},
        {"policy: p\nmode: enforce\nrules:\n" FAILING(", on-fail: [tag, hold, notify]"),
         VERDICT_FAIL, NOTIFY | TAG | HOLD, 0, true, false, 1, FINDING_FAIL},
        /* unknown is never pass, unless the policy says so */
        {"policy: p\nrules:\n" UNKNOWING(""), VERDICT_UNKNOWN, 0, 0, false, true, 1,
         FINDING_UNKNOWN},
        {"policy: p\nrules:\n" UNKNOWING(", on-unknown: warn"), VERDICT_WARN, 0, 0, false, false, 1,
         FINDING_UNKNOWN},
        {"policy: p\nrules:\n" UNKNOWING(", on-unknown: pass"), VERDICT_PASS, 0, 0, false, false, 1,
         FINDING_UNKNOWN},
        {"policy: p\nmode: enforce\nrules:\n" UNKNOWING(", on-unknown: fail, on-fail: hold"),
         VERDICT_FAIL, HOLD, 0, true, false, 1, FINDING_UNKNOWN},
        {"policy: p\nrules:\n" UNKNOWING(", on-unknown: fail, severity: low"), VERDICT_FAIL, NOTIFY,
         0, false, false, 1, FINDING_UNKNOWN},
        /* what is known to fail outranks what is not known */
        {"policy: p\nrules:\n" FAILING(", severity: high") UNKNOWING(""), VERDICT_FAIL, NOTIFY, 0,
         false, true, 2, FINDING_FAIL},
        {"policy: p\nrules:\n" FAILING("") UNKNOWING(""), VERDICT_UNKNOWN, NOTIFY, 0, false, true,
         2, FINDING_WARN},
        /* on-pass */
        {"policy: p\nmode: enforce\non-pass: promote\nrules:\n" PASSING, VERDICT_PASS, PROMOTE, 0,
         false, false, 0, FINDING_WARN},
        {"policy: p\non-pass: promote\nrules:\n" PASSING, VERDICT_PASS, 0, PROMOTE, false, false, 0,
         FINDING_WARN},
        {"policy: p\nmode: enforce\non-pass: promote\nrules:\n" FAILING(""), VERDICT_WARN,
         PROMOTE | NOTIFY, 0, false, false, 1, FINDING_WARN},
        {"policy: p\nmode: enforce\non-pass: promote\nrules:\n" UNKNOWING(""), VERDICT_UNKNOWN, 0,
         0, false, true, 1, FINDING_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct verdict verdict = {0};

        judge(rows[i].policy, "{}", &verdict);
        if (verdict.status != rows[i].status || verdict.actions != rows[i].actions ||
            verdict.audit_actions != rows[i].audit_actions ||
            verdict.enforced != rows[i].enforced || verdict.retry != rows[i].retry ||
            verdict.findings.count != rows[i].findings ||
            (rows[i].findings && verdict.findings.items[0].status != rows[i].finding))
            fail_msg("row %zu: %s, actions %x, audit %x", i, verdict_status_name(verdict.status),
                     verdict.actions, verdict.audit_actions);
        assert_int_equal(verdict.policy_count, 1);
        /* what is not known has nothing to mend, and what a policy does not mind is no trouble */
        for (size_t k = 0; k < verdict.findings.count; k++) {
            const struct finding *finding = &verdict.findings.items[k];
            bool unknown = finding->status == FINDING_UNKNOWN;

            assert_int_equal(finding->remedy == NULL, unknown);
            if (unknown)
                assert_int_equal(finding->severity == SEVERITY_INFO,
                                 strstr(rows[i].policy, "on-unknown: pass") != NULL);
        }
        verdict_release(&verdict);
    }
}

static struct policy_set *compile_two(const char *one, const char *two)
{
    const struct policy_source sources[] = {{"one", one, strlen(one)}, {"two", two, strlen(two)}};
    struct policy_set *set = NULL;

    assert_int_equal(policy_set_compile(sources, 2, NULL, NULL, &set, NULL), 0);
    return set;
}

static void test_all_policies_in_scope_apply(void **state)
{
    struct policy_set *set = compile_two(
        "policy: one\nmode: enforce\nscope: { repositories: ['prod/**'] }\nrules:\n" FAILING(
            ", on-fail: [remove]"),
        "policy: two\nmode: enforce\non-pass: promote\nrules:\n" FAILING(
            ", on-fail: [quarantine, rollback]") PASSING);
    AUTO_FACTS struct facts *facts = support_facts("{}");
    const struct placement elsewhere = {.repository = "dev/app", .tag = "latest"};
    struct verdict verdict = {0};

    (void)state;
    policy_judge(set, facts, &place, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 2);
    assert_int_equal(verdict.findings.count, 2);
    assert_string_equal(verdict.findings.items[0].policy, "one");
    assert_string_equal(verdict.findings.items[1].policy, "two");
    /* the same rule in two policies is two findings */
    assert_string_not_equal(verdict.findings.items[0].fingerprint,
                            verdict.findings.items[1].fingerprint);
    assert_int_equal(verdict.actions, ACTION_BIT(ACTION_REMOVE)); /* the strictest wins */
    assert_string_equal(verdict.policy_revision, policy_set_revision(set));
    verdict_release(&verdict);
    policy_judge(set, facts, &elsewhere, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 1);
    assert_int_equal(verdict.actions, ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_ROLLBACK));
    verdict_release(&verdict);
    policy_set_free(set);
}

static void test_no_policy_says_so(void **state)
{
    struct policy_set *set = support_compile(
        "policy: p\nscope: { registries: [other] }\nrules:\n" FAILING(", severity: high"));
    AUTO_FACTS struct facts *facts = support_facts("{}");
    const struct error why = {.kind = FAILURE_INPUT, .text = "illegal"};
    struct verdict verdict = {0};

    (void)state;
    policy_judge(set, facts, &place, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 0);
    assert_int_equal(verdict.status, VERDICT_PASS);
    policy_judge_unavailable(set, &place, &why, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 0);
    assert_int_equal(policy_set_needs(set, &place), 0);
    verdict_release(&verdict);
    policy_set_free(set);
}

static void test_platform_of_the_config_counts(void **state)
{
    static const char policy[] =
        "policy: p\nscope: { platforms: [linux/arm64] }\nrules:\n" FAILING("");
    struct policy_set *set = support_compile(policy);
    AUTO_FACTS struct facts *facts = support_facts("{}");
    struct placement placed = place;
    struct verdict verdict = {0};
    AUTO_PROBES struct scan_probes probes = {0};

    (void)state;
    policy_judge(set, facts, &placed, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 0); /* the config says linux/amd64 */
    placed.platform = "linux/arm64/v8";
    policy_judge(set, facts, &placed, support_now_ms(), &verdict);
    assert_int_equal(verdict.policy_count, 1);
    assert_int_equal(policy_set_needs(set, &placed), FACT_BIT(FACT_PLACEMENT));
    policy_set_probes(set, NULL, &probes);
    assert_int_equal(probes.count, 0);
    verdict_release(&verdict);
    policy_set_free(set);
}

static void test_missing_facts_are_unknown(void **state)
{
    static const struct {
        const char *rule, *facts, *message;
        bool retry;
    } rows[] = {
        {"{ rule: non-root }",
         "{ config: null, groups: { config: { state: absent, reason: timed out } } }",
         "cannot be judged: config facts are missing: timed out", true},
        /* read out of a config that is there: it will not come */
        {"{ rule: base-pinned }",
         "{ base: null, groups: { base: { state: absent, reason: nothing says } } }",
         "cannot be judged: base facts are missing: nothing says", false},
        {"{ rule: volumes }", "{ groups: { config: { state: partial, reason: cut } } }",
         "nothing found, but config facts are incomplete: cut", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *policy = text_new("policy: p\nrules:\n  - %s\n", rows[i].rule);
        struct verdict verdict = {0};

        judge(policy, rows[i].facts, &verdict);
        assert_int_equal(verdict.status, VERDICT_UNKNOWN);
        assert_int_equal(verdict.findings.count, 1);
        assert_string_equal(verdict.findings.items[0].message, rows[i].message);
        assert_int_equal(verdict.retry, rows[i].retry);
        verdict_release(&verdict);
    }
}

static void test_partial_facts_do_not_unfail(void **state)
{
    struct verdict verdict = {0};

    (void)state;
    judge("policy: p\nrules:\n  - { rule: volumes, severity: high }\n",
          "{ config: { volumes: [/proc] }, groups: { config: { state: partial, reason: cut } } }",
          &verdict);
    assert_int_equal(verdict.status, VERDICT_FAIL);
    assert_int_equal(verdict.findings.count, 1);
    verdict_release(&verdict);
}

/* Neither what only warns nor what is waived says anything about the part that was not read. */
static void test_partial_facts_are_in_doubt_behind_warnings(void **state)
{
    static const char policy[] = "policy: p\nrules:\n  - { rule: secrets, severity: critical }\n";
    static const struct {
        const char *waived, *hit;
    } rows[] = {
        {"rule: volumes", "{ kind: secret-file, what: dotenv, path: app/.env }"},
        {"rule: secrets, path: app/test.pem",
         "{ kind: secret, what: private-key, path: app/test.pem }"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *facts =
            text_new("{ files: { complete: false, limits: [more hits than are kept], hits: [%s] }, "
                     "groups: { files: { state: partial, reason: more hits than are kept } } }",
                     rows[i].hit);
        struct verdict verdict = {0};

        judge_waived(policy, rows[i].waived, facts, &verdict);
        assert_int_equal(verdict.status, VERDICT_UNKNOWN);
        assert_int_equal(verdict.findings.count, 2);
        assert_non_null(strstr(verdict.findings.items[1].message,
                               "nothing else found, but files facts are incomplete"));
        verdict_release(&verdict);
    }
}

static void test_what_cannot_be_had(void **state)
{
    static const char rules[] = "  - { rule: non-root, on-fail: [hold, remove] }\n"
                                "  - { rule: volumes, on-unknown: warn, on-fail: tag }\n";
    static const struct {
        const char *extra;
        enum failure kind;
        enum verdict_status status;
        unsigned actions;
        bool enforced, retry;
    } rows[] = {
        /* illegal content could break any rule: all that they ask for, but never remove */
        {"", FAILURE_INPUT, VERDICT_FAIL, HOLD | TAG, true, false},
        {"", FAILURE_LATER, VERDICT_UNKNOWN, 0, false, true},
        /* so is content that is too much to read */
        {"", FAILURE_LIMIT, VERDICT_FAIL, HOLD | TAG, true, false},
        {"", FAILURE_DENIED, VERDICT_UNKNOWN, 0, false, false},
        {"  - { rule: env, with: { required: [A] }, on-unknown: fail, on-fail: label }\n",
         FAILURE_DENIED, VERDICT_FAIL, ACTION_BIT(ACTION_LABEL), true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *policy =
            text_new("policy: p\nmode: enforce\nrules:\n%s%s", rules, rows[i].extra);
        struct policy_set *set = support_compile(policy);
        struct error why = {.kind = rows[i].kind};
        struct verdict verdict = {0};

        error_set(&why, rows[i].kind, "the manifest is an index and an image");
        policy_judge_unavailable(set, &place, &why, support_now_ms(), &verdict);
        assert_int_equal(verdict.status, rows[i].status);
        assert_int_equal(verdict.actions, rows[i].actions);
        assert_int_equal(verdict.enforced, rows[i].enforced);
        assert_int_equal(verdict.retry, rows[i].retry);
        assert_int_equal(verdict.findings.count, 1);
        assert_string_equal(verdict.findings.items[0].rule, "readable");
        assert_non_null(strstr(verdict.findings.items[0].message, "an index and an image"));
        verdict_release(&verdict);
        policy_set_free(set);
    }
}

static void test_needs(void **state)
{
    struct policy_set *set = support_compile("policy: p\nscope: { tags: ['v*'] }\nrules:\n"
                                             "  - { rule: base-pinned }\n  - { rule: volumes }\n");
    const struct placement in_scope = {.repository = "a", .tag = "v1"};

    (void)state;
    assert_int_equal(policy_set_needs(set, &in_scope),
                     FACT_BIT(FACT_BASE) | FACT_BIT(FACT_CONFIG) | FACT_BIT(FACT_PROVENANCE));
    assert_int_equal(policy_set_needs(set, &place), 0);
    policy_set_free(set);
}

/* Layers are read for a policy only where that makes an answer better. */
static void test_layers_are_wanted_where_they_tell_something(void **state)
{
    static const struct {
        const char *head;
        const char *user;
        bool before; /* anything is known of the image */
        bool known;
    } rows[] = {
        {"", "node", true, true},
        {"", "65532", true, false},
        {"", "", true, false},
        {"", "root", true, false},
        {"layers: true\n", "node", true, true},
        {"layers: false\n", "node", false, false},
        {"scope: { platforms: [linux/arm64] }\n", "node", true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *policy =
            text_new("policy: p\n%srules:\n  - rule: non-root\n", rows[i].head);
        AUTO_FREE char *differs = text_new("{ config: { user: '%s' } }", rows[i].user);
        struct policy_set *set = support_compile(policy);
        AUTO_FACTS struct facts *facts = support_facts(differs);
        unsigned before = policy_set_needs(set, &place);
        unsigned known = policy_set_needs_of(set, &place, facts);

        assert_int_equal((before & FACT_BIT(FACT_FILES)) != 0, rows[i].before);
        assert_int_equal((known & FACT_BIT(FACT_FILES)) != 0, rows[i].known);
        policy_set_free(set);
    }
}

/* What another policy had read does not count for one that keeps layers out. */
static void test_layers_may_be_kept_out(void **state)
{
    static const struct {
        const char *layers;
        enum verdict_status status;
        bool retry;
        const char *facts;
    } rows[] = {
        {"true", VERDICT_PASS, false, "{ config: { user: nonroot } }"},
        {"false", VERDICT_UNKNOWN, false, "{ config: { user: nonroot } }"},
        {"true", VERDICT_UNKNOWN, true,
         "{ config: { user: nonroot }, files: null, groups: { files: { state: absent } } }"},
        {"true", VERDICT_UNKNOWN, false,
         "{ config: { user: nonroot }, files: { passwd: { there: unknown } } }"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *policy =
            text_new("policy: p\nlayers: %s\nrules:\n  - rule: non-root\n", rows[i].layers);
        struct policy_set *set = support_compile(policy);
        AUTO_FACTS struct facts *facts = support_facts(rows[i].facts);
        struct verdict verdict = {0};

        policy_judge(set, facts, &place, support_now_ms(), &verdict);
        assert_int_equal(verdict.status, rows[i].status);
        assert_int_equal(verdict.retry, rows[i].retry);
        verdict_release(&verdict);
        policy_set_free(set);
    }
}

static void test_existing(void **state)
{
    static const struct {
        const char *head;
        bool enforces;
    } rows[] = {
        {"mode: enforce\nexisting: enforce\n", true},
        {"mode: enforce\nexisting: report\n", false},
        {"mode: enforce\n", false},
        {"mode: audit\nexisting: enforce\n", false},
        {"mode: enforce\nexisting: enforce\nscope: { tags: [v1] }\n", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_FREE char *policy = text_new("policy: p\n%srules:\n" PASSING, rows[i].head);
        struct policy_set *set = support_compile(policy);

        assert_int_equal(policy_set_enforces_existing(set, &place), rows[i].enforces);
        policy_set_free(set);
    }
}

static void test_fingerprints_outlive_a_rebuild(void **state)
{
    static const char policy[] = "policy: p\nrules:\n  - { rule: exposed-ports }\n"
                                 "  - { rule: image-size, with: { compressed: 1MB } }\n";
    struct verdict before = {0};
    struct verdict after = {0};

    (void)state;
    judge(policy, "{ config: { exposedPorts: [22/tcp] } }", &before);
    judge(policy,
          "{ config: { exposedPorts: [22/tcp, 20-30/tcp] }, manifest: { layers: { 3: { size: "
          "6000000 } } } }",
          &after);
    assert_int_equal(before.findings.count, 2);
    assert_int_equal(after.findings.count, 3);
    assert_string_equal(before.findings.items[0].fingerprint, after.findings.items[0].fingerprint);
    assert_string_not_equal(after.findings.items[0].fingerprint,
                            after.findings.items[1].fingerprint);
    assert_string_equal(before.findings.items[1].fingerprint, after.findings.items[2].fingerprint);
    verdict_release(&before);
    verdict_release(&after);
}

static void test_findings_of_a_rule_are_bounded(void **state)
{
    AUTO_TEXT struct text facts = {0};
    struct verdict verdict = {0};

    (void)state;
    text_add(&facts, "{ config: { exposedPorts: [22/tcp");
    for (int port = 0; port < 100; port++)
        text_format(&facts, ", x%d", port);
    text_add(&facts, "] } }");
    judge("policy: p\nrules:\n  - { rule: exposed-ports }\n", text_data(&facts), &verdict);
    assert_int_equal(verdict.findings.count, RULE_FINDINGS_MAX);
    assert_non_null(strstr(verdict.findings.items[RULE_FINDINGS_MAX - 1].message,
                           "(and 37 more findings like this, left out)"));
    verdict_release(&verdict);
}

/* Findings that a waiver excuses do not push out those that it does not. */
static void test_what_is_left_out_counts(void **state)
{
    static const char policy[] = "policy: p\nrules:\n  - { rule: exposed-ports, severity: high }\n";
    AUTO_TEXT struct text facts = {0};
    struct verdict verdict = {0};

    (void)state;
    text_add(&facts, "{ config: { exposedPorts: [x");
    for (int port = 0; port < 100; port++)
        text_format(&facts, ", x%d", port);
    for (int more = 0; more < 2; more++) {
        AUTO_FREE char *all = text_new("%s%s] } }", text_data(&facts), more ? ", y" : "");

        judge_waived(policy, "rule: exposed-ports, path: 'x*'", all, &verdict);
        assert_int_equal(verdict.findings.count, RULE_FINDINGS_MAX);
        assert_int_equal(verdict.findings.items[0].status, FINDING_WAIVED);
        assert_int_equal(verdict.status, more ? VERDICT_FAIL : VERDICT_PASS);
        verdict_release(&verdict);
        verdict = (struct verdict){0};
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_left_out_counts),
        cmocka_unit_test(test_partial_facts_are_in_doubt_behind_warnings),
        cmocka_unit_test(test_what_findings_come_to),
        cmocka_unit_test(test_all_policies_in_scope_apply),
        cmocka_unit_test(test_no_policy_says_so),
        cmocka_unit_test(test_platform_of_the_config_counts),
        cmocka_unit_test(test_missing_facts_are_unknown),
        cmocka_unit_test(test_partial_facts_do_not_unfail),
        cmocka_unit_test(test_what_cannot_be_had),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_layers_are_wanted_where_they_tell_something),
        cmocka_unit_test(test_layers_may_be_kept_out),
        cmocka_unit_test(test_existing),
        cmocka_unit_test(test_fingerprints_outlive_a_rebuild),
        cmocka_unit_test(test_findings_of_a_rule_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
