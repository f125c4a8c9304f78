/* Rule accounts by table; facts are laid over the image that examples differ from. */
#include "cmocka_all.h"

#include <string.h>

#include "policy_rows.h"

#define FILES(members) "{ files: { " members " } }"
#define USERS(users) FILES("users: [" users "]")
#define ROOT "{ name: root, uid: 0, shell: /bin/sh }"

static void test_accounts(void **state)
{
    static const struct row rows[] = {
        {.facts = "{}", .judgement = RULE_PASS},
        /* nothing to log in with; dockle and Anchore fail for want of the file */
        {.facts = "{ files: { users: null, groups: null, emptyPasswords: null } }",
         .judgement = RULE_PASS},
        {"{ required: true }", "{ files: { users: null } }", RULE_FAIL, "has no /etc/passwd", {0}},
        {"{ required: true }", "{}", RULE_PASS, NULL, {0}},
        /* passwords */
        {.facts = FILES("emptyPasswords: [root]"),
         .judgement = RULE_FAIL,
         .message = "/etc/shadow: user \"root\" needs no password"},
        {"{ empty-passwords: false }", FILES("emptyPasswords: [root]"), RULE_PASS, NULL, {0}},
        /* dockle: looks at shadow only */
        {.facts = USERS("{ name: guest, uid: 7, noPassword: true }"),
         .judgement = RULE_FAIL,
         .message = "/etc/passwd: user \"guest\" needs no password"},
        {.facts = FILES("shadow: { there: unknown, reason: it is a link }"),
         .judgement = RULE_UNKNOWN,
         .message = "/etc/shadow is not known: it is a link"},
        {"{ empty-passwords: false }", FILES("shadow: { there: unknown }"), RULE_PASS, NULL, {0}},
        {.facts = FILES("passwd: { there: unknown, reason: it is a link }"),
         .judgement = RULE_UNKNOWN,
         .message = "/etc/passwd is not known"},
        /* a layer is missing, and what is there is bad all the same */
        {.facts = FILES("emptyPasswords: [root], passwd: { there: unknown }"),
         .judgement = RULE_FAIL},
        /* twice */
        {.facts = USERS(ROOT ", { name: toor, uid: 0 }"),
         .judgement = RULE_FAIL,
         .message = "\"toor\" has the user id 0, which is that of \"root\" already"},
        {.facts = USERS("{ name: a, uid: 7 }, { name: b, uid: 8, gid: 7 }"),
         .judgement = RULE_PASS},
        {.facts = USERS("{ name: a, uid: 7 }, { name: a, uid: 8 }"),
         .judgement = RULE_FAIL,
         .message = "the user \"a\" stands there twice, and the first counts"},
        {.facts = FILES("groups: [{ name: a, gid: 7 }, { name: b, gid: 7 }]"),
         .judgement = RULE_FAIL,
         .message = "/etc/group: \"b\" has the group id 7"},
        {.facts = FILES("groups: [{ name: a, gid: 7 }, { name: a, gid: 8 }]"),
         .judgement = RULE_FAIL,
         .message = "the group \"a\" stands there twice"},
        {"{ duplicates: false }", USERS(ROOT ", { name: toor, uid: 0 }"), RULE_PASS, NULL, {0}},
        /* blocked */
        {"{ blocked-users: ['gam*'] }",
         USERS("{ name: games, uid: 5 }"),
         RULE_FAIL,
         "user \"games\" is blocked",
         {0}},
        {"{ blocked-uids: ['100-999', '7'] }",
         USERS("{ name: a, uid: 500 }"),
         RULE_FAIL,
         "has the user id 500",
         {0}},
        {"{ blocked-uids: ['100-999', '7'] }",
         USERS("{ name: a, uid: 1000 }"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ blocked-uids: 7 }", USERS("{ name: a, uid: 7 }"), RULE_FAIL, NULL, {0}},
        {"{ blocked-gids: [0] }",
         USERS("{ name: a, uid: 5, gid: 0 }"),
         RULE_FAIL,
         "has the group id 0",
         {0}},
        {"{ blocked-shells: ['**/bash'] }", "{}", RULE_FAIL, "has the shell /bin/bash", {0}},
        {"{ blocked-shells: ['**/bash'], allow-users: [root] }", "{}", RULE_PASS, NULL, {0}},
        {"{ blocked-entries: ['**:0:0:**'], allow-users: [root] }",
         USERS(ROOT ", { name: a, uid: 1 }"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ blocked-entries: ['a:1:2:/:/bin/sh'] }",
         USERS("{ name: a, uid: 1, gid: 2, shell: /bin/sh }"),
         RULE_FAIL,
         "has an entry",
         {0}},
        {"{ allow-users: [root] }", FILES("emptyPasswords: [root]"), RULE_FAIL, NULL, {0}},
        /* the base's, in the good image: layers 0 and 1 */
        {"{ include-base: false }",
         FILES("emptyPasswords: [root], shadow: { layer: 1 }"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ include-base: false }",
         FILES("emptyPasswords: [root], shadow: { layer: 3 }"),
         RULE_FAIL,
         NULL,
         {0}},
        {"{ include-base: false }",
         "{ base: { layerCount: null }, history: { aligned: false }, files: { emptyPasswords: "
         "[root], "
         "shadow: { layer: 3 } } }",
         RULE_UNKNOWN,
         "may be the base's",
         {0}},
        {.facts = "{ groups: { files: { state: absent, reason: too large } } }",
         .judgement = RULE_UNKNOWN,
         .message = "without looking into the layers: too large"},
        {.facts = "{ files: { limits: [more hits] } }",
         .judgement = RULE_UNKNOWN,
         .message = "more hits"},
    };

    (void)state;
    RUN_ROWS("accounts", rows);
}

static void test_findings_name_layer_and_file(void **state)
{
    const struct row row = {.facts = FILES("emptyPasswords: [a, b], shadow: { layer: 3 }")};
    struct verdict verdict = {0};

    (void)state;
    row_judge("accounts", &row, &verdict);
    assert_int_equal(verdict.findings.count, 2);
    assert_int_equal(verdict.findings.items[0].origin, ORIGIN_OWN);
    assert_int_equal(verdict.findings.items[0].step, 6);
    assert_string_equal(verdict.findings.items[0].path, "etc/shadow");
    assert_string_equal(verdict.findings.items[0].evidence, "layers");
    assert_string_not_equal(verdict.findings.items[0].fingerprint,
                            verdict.findings.items[1].fingerprint);
    verdict_release(&verdict);
}

static void test_settings_are_checked(void **state)
{
    static const char *const settings[] = {
        "blocked-uids: [x]",    "blocked-uids: [5-4]",          "blocked-gids: ['1-']",
        "blocked-gids: ['-1']", "blocked-uids: ['4294967296']", "blocked-shells: ['']"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        AUTO_FREE char *yaml =
            text_new("policy: p\nrules:\n  - rule: accounts\n    with: { %s }\n", settings[i]);
        const struct policy_source source = {"p.yaml", yaml, strlen(yaml)};
        struct policy_set *set = NULL;

        if (policy_set_compile(&source, 1, NULL, NULL, &set, NULL) != FAILURE_INPUT)
            fail_msg("%s was accepted", settings[i]);
    }
}

static void test_it_is_not_for_policies_without_layers(void **state)
{
    static const char yaml[] = "policy: p\nlayers: false\nrules:\n  - rule: accounts\n";
    const struct policy_source source = {"p.yaml", yaml, strlen(yaml)};
    struct policy_set *set = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(policy_set_compile(&source, 1, NULL, NULL, &set, &err), FAILURE_INPUT);
    assert_string_equal(err.text, "p.yaml:4:11: the rule 'accounts' looks into layers, and this "
                                  "policy says 'layers: false'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_findings_name_layer_and_file),
        cmocka_unit_test(test_settings_are_checked),
        cmocka_unit_test(test_it_is_not_for_policies_without_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
