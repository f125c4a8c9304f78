/* Reading policy files: what is accepted, and every fault with its place and its suggestion. */
#include "cmocka_all.h"

#include "compiled.h"

#include "regwarden/json.h"
#include "regwarden/memory.h"

static void note_fault(void *argument, const struct error *err)
{
    struct text *text = argument;

    text_format(text, "%s%s%s%s%s", text->length ? "\n" : "", err->text, err->hint[0] ? " [" : "",
                err->hint, err->hint[0] ? "]" : "");
}

static int compile(const char *yaml, struct text *faults, struct policy_set **ret)
{
    const struct policy_source source = {.name = "p.yaml", .bytes = yaml, .size = strlen(yaml)};

    return policy_set_compile(&source, 1, note_fault, faults, ret, NULL);
}

#define RULE(text) "policy: p\nrules:\n  - " text "\n"

static void test_faults(void **state)
{
    static const struct {
        const char *yaml;
        const char *faults;
    } rows[] = {
        {"", "p.yaml:1:1: a policy file is a map with the key 'policy'"},
        {"- a", "p.yaml:1:1: a policy file is a map with the key 'policy'"},
        {"policy: p\n", "p.yaml:1:1: a policy needs a list of 'rules'"},
        {"policy: p\nrules: []\n", "p.yaml:2:8: a policy needs a list of 'rules'"},
        {"polciy: p\nrules:\n  - rule: volumes\n",
         "p.yaml:1:1: unknown key 'polciy', did you mean 'policy'? [Known here: policy, "
         "description, scope, mode, existing, on-pass, layers, rules.]\n"
         "p.yaml:1:1: 'policy' is missing: The policy's name: unique, letters, digits, dots, "
         "dashes."},
        {"policy: 'a b'\nrules:\n  - rule: volumes\n",
         "p.yaml:1:9: the policy's name must be 1 to 63 letters, digits, dots, dashes and "
         "underscores, and begin with a letter or digit"},
        {"policy: p\nmode: enforced\nrules:\n  - rule: volumes\n",
         "p.yaml:2:7: mode: 'enforced' is not one of audit, enforce; did you mean 'enforce'? "
         "[audit judges and records what would be done; enforce does it.]"},
        {"policy: p\nscope:\n  repository: [a]\nrules:\n  - rule: volumes\n",
         "p.yaml:3:3: unknown key 'repository', did you mean 'repositories'? [Known here: "
         "registries, repositories, tags, platforms.]"},
        {"policy: p\nscope: { tags: ['!'] }\nrules:\n  - rule: volumes\n",
         "p.yaml:2:16: an empty pattern matches nothing"},
        {"policy: p\non-pass: [hold, promot]\nrules:\n  - rule: volumes\n",
         "p.yaml:2:11: the action 'hold' makes no sense here [it belongs to on-fail of a rule]\n"
         "p.yaml:2:17: unknown action 'promot', did you mean 'promote'?"},
        {RULE("volumes"), "p.yaml:3:5: a rule is a map with the key 'rule'"},
        {RULE("{ rule: nonroot }"),
         "p.yaml:3:13: there is no rule 'nonroot', did you mean 'non-root'?"},
        {RULE("{ rule: quantum-safe }"), "p.yaml:3:13: there is no rule 'quantum-safe' "
                                         "[`regwarden rules` lists all rules]"},
        {RULE("{ rule: volumes, severty: high }"), "p.yaml:3:22: unknown key 'severty', did you "
                                                   "mean 'severity'? [Known here: rule, id, with, "
                                                   "severity, on-fail, on-unknown.]"},
        {RULE("{ rule: volumes, severity: hihg }"),
         "p.yaml:3:32: severity: 'hihg' is not one of info, low, medium, high, critical; did you "
         "mean 'high'? [The rule's own severity when left out. From high on, a finding fails the "
         "image.]"},
        {RULE("{ rule: volumes, on-fail: [notfy, promote] }"),
         "p.yaml:3:32: unknown action 'notfy', did you mean 'notify'?\n"
         "p.yaml:3:39: the action 'promote' makes no sense here [promote belongs to on-pass of "
         "the policy]"},
        {RULE("{ rule: non-root, with: { numeric: yes } }"),
         "p.yaml:3:40: numeric: 'yes' is not true or false [Only a number will do. Kubernetes "
         "refuses names under runAsNonRoot, since it cannot tell who they are.]"},
        {RULE("{ rule: non-root, with: { numerc: true, min-uid: -1 } }"),
         "p.yaml:3:31: unknown key 'numerc', did you mean 'numeric'? [Known here: numeric, "
         "min-uid, "
         "max-uid, blocked, allow-named.]\n"
         "p.yaml:3:54: min-uid: -1 is less than the least allowed, 1 [Smallest user id that is "
         "allowed.]"},
        {RULE("{ rule: non-root, with: { min-uid: 5, max-uid: 4 } }"),
         "p.yaml:3:52: max-uid is smaller than min-uid"},
        {RULE("{ rule: image-size }"),
         "p.yaml:3:5: image-size without a budget allows everything: set compressed, by-runtime "
         "or max-layers"},
        {RULE("{ rule: required-labels }"),
         "p.yaml:3:5: 'labels' is missing: A map from label to what it must be: text, url, "
         "rfc3339, spdx, git-hash, semver, email, exact:VALUE or glob:PATTERN."},
        {RULE("{ rule: required-labels, with: { labels: { a: ulr } } }"),
         "p.yaml:3:46: 'ulr' is not a type of label, did you mean 'url'?"},
        {RULE("{ rule: exposed-ports, with: { allow: [80-79] } }"),
         "p.yaml:3:43: '80-79' is not a port or range [write 8080, 443/tcp or 9000-9099]"},
        {RULE("{ rule: forbidden-history, with: { checks: [sodo] } }"),
         "p.yaml:3:48: there is no check 'sodo', did you mean 'sudo'?"},
        {RULE("rule: volumes\n  - rule: volumes"),
         "p.yaml:4:11: another rule of this policy has the same id [give one of them an `id`]"},
        {RULE("{ rule: volumes, id: 'a/b' }"), "p.yaml:3:26: the rule's id must be 1 to 63 "
                                               "letters, digits, dots, dashes and underscores, "
                                               "and begin with a letter or digit"},
        {"examples: []\npolicy: p.yaml\n", "p.yaml:1:1: these are examples of a policy, not a "
                                           "policy [`regwarden policy test` runs them]"},
        {"waivers: { a: b }\n", "p.yaml:1:10: 'waivers' is a list"},
        {"waivers:\n  - id: W-1\n    rule: volumes\n    expires: soon\n",
         "p.yaml:2:5: 'reason' is missing: Why this is accepted.\n"
         "p.yaml:2:5: 'owner' is missing: Who answers for it."},
        {"waivers:\n  - { id: W-1, rule: volumes, reason: r, owner: o, expires: soon }\n",
         "p.yaml:2:61: 'soon' is not a day [write 2030-01-31 (until the end of that day, UTC) or "
         "2030-01-31T12:00:00Z]"},
        {"waivers:\n  - { id: W, rule: '*', reason: r, owner: o, expires: 2030-01-31, digest: x "
         "}\n",
         "p.yaml:2:75: \"x\" is not a digest: the algorithm and a colon are missing"},
        {"waivers:\n"
         "  - { id: W, rule: '*', reason: r, owner: o, expires: 2030-01-31 }\n"
         "  - { id: W, rule: '*', reason: r, owner: o, expires: 2030-01-31 }\n",
         "p.yaml:2:3: there are two waivers with the id 'W'"},
    };

    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text faults = {0};
        struct policy_set *set = NULL;

        assert_int_equal(compile(rows[i].yaml, &faults, &set), FAILURE_INPUT);
        assert_null(set);
        if (!text_equal(text_data(&faults), rows[i].faults)) {
            print_message("--- %s\n%s\n", rows[i].yaml, text_data(&faults));
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_faults_of_all_files_are_told(void **state)
{
    static const char one[] = "policy: p\nrules:\n  - rule: nonroot\n";
    static const char two[] = "policy: p\nrules:\n  - rule: volumes\n";
    static const char three[] = "a: [";
    const struct policy_source sources[] = {{"one.yaml", one, sizeof(one) - 1},
                                            {"two.yaml", two, sizeof(two) - 1},
                                            {"three.yaml", three, sizeof(three) - 1}};
    AUTO_TEXT struct text faults = {0};
    struct policy_set *set = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(policy_set_compile(sources, 3, note_fault, &faults, &set, &err),
                     FAILURE_INPUT);
    assert_string_equal(err.text,
                        "one.yaml:3:11: there is no rule 'nonroot', did you mean 'non-root'?");
    assert_non_null(
        strstr(text_data(&faults), "two.yaml:1:9: there are two policies of this name"));
    assert_non_null(strstr(text_data(&faults), "three.yaml:"));
}

static void test_defaults(void **state)
{
    AUTO_TEXT struct text faults = {0};
    struct policy_set *set = NULL;
    const struct policy *policy;

    (void)state;
    assert_int_equal(compile(RULE("rule: volumes"), &faults, &set), 0);
    assert_int_equal(policy_set_count(set), 1);
    policy = &set->book->policies[0];
    assert_string_equal(policy->name, "p");
    assert_null(policy->description);
    assert_int_equal(policy->mode, MODE_AUDIT);
    assert_int_equal(policy->existing, EXISTING_REPORT);
    assert_int_equal(policy->on_pass, 0);
    assert_true(policy->layers);
    assert_string_equal(policy->rules[0].id, "volumes");
    assert_int_equal(policy->rules[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(policy->rules[0].on_fail, ACTION_BIT(ACTION_NOTIFY));
    assert_int_equal(policy->rules[0].on_unknown, ON_UNKNOWN_RETRY);
    policy_set_free(set);
}

static void test_everything_said(void **state)
{
    static const char yaml[] =
        "policy: production\ndescription: What may run.\nmode: enforce\nexisting: enforce\n"
        "layers: false\non-pass: promote\nscope:\n  repositories: [\"prod/**\"]\n  platforms: "
        "linux/*\nrules:\n"
        "  - rule: image-size\n    id: size\n    with: { compressed: 250MB, by-runtime: { go: "
        "15MB } }\n    severity: high\n    on-fail: [hold, notify]\n    on-unknown: warn\n"
        "  - rule: volumes\n    on-fail: []\n";
    AUTO_TEXT struct text faults = {0};
    struct policy_set *set = NULL;
    const struct policy *policy;

    (void)state;
    assert_int_equal(compile(yaml, &faults, &set), 0);
    policy = &set->book->policies[0];
    assert_string_equal(policy->description, "What may run.");
    assert_int_equal(policy->mode, MODE_ENFORCE);
    assert_int_equal(policy->existing, EXISTING_ENFORCE);
    assert_int_equal(policy->on_pass, ACTION_BIT(ACTION_PROMOTE));
    assert_false(policy->layers);
    assert_string_equal(policy->rules[0].id, "size");
    assert_int_equal(policy->rules[0].severity, SEVERITY_HIGH);
    assert_int_equal(policy->rules[0].on_fail, ACTION_BIT(ACTION_HOLD) | ACTION_BIT(ACTION_NOTIFY));
    assert_int_equal(policy->rules[0].on_unknown, ON_UNKNOWN_WARN);
    assert_int_equal(policy->rules[1].on_fail, 0);
    policy_set_free(set);
}

static void test_revision_hangs_on_content_only(void **state)
{
    const struct policy_source a = {"a", RULE("rule: volumes"), strlen(RULE("rule: volumes"))};
    const struct policy_source b = {"b", "waivers: []", strlen("waivers: []")};
    const struct policy_source orders[][2] = {{a, b}, {b, a}};
    const struct policy_source renamed = {"c", a.bytes, a.size};
    char revision[65] = "";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct policy_set *set = NULL;

        assert_int_equal(policy_set_compile(orders[i], 2, NULL, NULL, &set, NULL), 0);
        assert_int_equal(strlen(policy_set_revision(set)), 64);
        if (i == 0)
            memcpy(revision, policy_set_revision(set), sizeof(revision));
        assert_string_equal(policy_set_revision(set), revision);
        policy_set_free(set);
    }
    struct policy_set *set = NULL;
    assert_int_equal(policy_set_compile(&renamed, 1, NULL, NULL, &set, NULL), 0);
    assert_string_not_equal(policy_set_revision(set), revision);
    policy_set_free(set);
}

static void test_json(void **state)
{
    static const char yaml[] = "policy: p\nscope: { tags: ['v*'] }\nrules:\n  - rule: image-age\n";
    AUTO_TEXT struct text faults = {0};
    AUTO_JSON struct json *json = NULL;
    struct policy_set *set = NULL;
    const struct json *policy;
    const struct json *rule;

    (void)state;
    assert_int_equal(compile(yaml, &faults, &set), 0);
    json = policy_set_to_json(set);
    policy = json_at(json_get(json, "policies"), 0);
    rule = json_at(json_get(policy, "rules"), 0);
    assert_string_equal(json_get_string(policy, "name"), "p");
    assert_string_equal(json_get_string(policy, "mode"), "audit");
    assert_string_equal(json_string(json_at(json_get(json_get(policy, "scope"), "tags"), 0)), "v*");
    assert_string_equal(json_get_string(rule, "rule"), "image-age");
    assert_string_equal(json_get_string(rule, "severity"), "low");
    assert_string_equal(json_string(json_at(json_get(rule, "onFail"), 0)), "notify");
    assert_non_null(json_get(json_get(rule, "with"), "max-age"));
    assert_int_equal(json_count(json_get(json, "waivers")), 0);
    policy_set_free(set);
}

static void test_an_empty_set_is_a_set(void **state)
{
    struct policy_set *set = NULL;

    (void)state;
    assert_int_equal(policy_set_compile(NULL, 0, NULL, NULL, &set, NULL), 0);
    assert_int_equal(policy_set_count(set), 0);
    policy_set_free(set);
    policy_set_free(NULL);
}

/* Settings of the rules that look into layers; `part` of the message. */
static void test_faults_of_layer_rules(void **state)
{
    static const struct {
        const char *yaml;
        const char *part;
    } rows[] = {
        {RULE("{ rule: files, with: { paths: [a], content: \"(\" } }"),
         "p.yaml:3:49: not an extended expression"},
        {RULE("{ rule: files, with: { paths: [a], content: '(a)\\1' } }"),
         "back-references are not supported"},
        {RULE("{ rule: files, with: { paths: [a] } }"), "need each other"},
        {RULE("{ rule: files, with: { paths: [a], mode: \"9\" } }"), "permissions are octal"},
        {RULE("{ rule: files, with: { paths: [a], sha256: [abc] } }"), "64 hex digits"},
        {RULE("{ rule: files, with: { paths: [a], uid: [x] } }"), "not a whole number"},
        {RULE("{ rule: files, with: { forbidden: [/] } }"), "is empty, or excludes"},
        {RULE("{ rule: packages, with: { forbidden: [\"brew:x\"] } }"),
         "'brew' is no package manager"},
        {RULE("{ rule: packages, with: { forbidden: [\"npm:x<1.*\"] } }"),
         "only = and != take patterns"},
        {RULE("{ rule: packages, with: { forbidden: [\"gem:x<1\"] } }"), "have no order here"},
        {RULE("{ rule: packages, with: { forbidden: [\"=1\"] } }"), "needs a name"},
        {RULE("{ rule: packages, with: { forbidden: [\"x=\"] } }"), "behind the relation"},
        {RULE("{ rule: packages }"), "allows everything"},
        {RULE("{ rule: size-growth }"), "set max-percent or max-bytes"},
        {RULE("{ rule: layer-size }"), "set largest or own"},
        {RULE("{ rule: distroless, with: { shell: false, package-manager: false } }"),
         "allows everything"},
        {RULE("{ rule: secrets, with: { allow-kinds: [\"\"] } }"), "p.yaml:3:43: an empty pattern"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_TEXT struct text faults = {0};
        struct policy_set *set = NULL;

        assert_int_equal(compile(rows[i].yaml, &faults, &set), FAILURE_INPUT);
        if (!strstr(text_data(&faults), rows[i].part))
            fail_msg("%s: %s", rows[i].yaml, text_data(&faults));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_layer_rules),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_faults_of_all_files_are_told),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything_said),
        cmocka_unit_test(test_revision_hangs_on_content_only),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_an_empty_set_is_a_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
