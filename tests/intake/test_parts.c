/* The table of answers and the stanza for the registry's own configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answers.h"

#include "regwarden/intake.h"
#include "regwarden/yaml.h"

/* 3xx counts as success for some senders and as a redirect for others: never used. Each row is what
 * its sender's rules ask for; see the table itself. */
static void answers_follow_the_sender(void **state)
{
    (void)state;
    static const struct {
        const char *dialect;
        int unauthorised, busy, retry_s;
    } table[] = {
        {"distribution", 401, 503, 1}, {"gitlab", 401, 503, 1}, {"harbor", 401, 503, 15},
        {"ecr", 503, 503, 30},         {"sns", 403, 503, 20},   {"acr", 401, 503, 15},
        {"eventgrid", 401, 503, 30},   {"gar", 401, 503, 10},   {"github", 401, 503, 15},
        {"gitea", 401, 503, 15},       {"quay", 401, 503, 30},  {"dockerhub", 401, 503, 15},
        {"zot", 401, 503, 15},         {"jfrog", 401, 503, 15}, {"nexus", 401, 503, 15},
        {"auto", 401, 503, 15},        {NULL, 401, 503, 15},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        const char *dialect = table[i].dialect;
        assert_int_equal(answer_for(dialect, SITUATION_ACCEPTED).status, 202);
        assert_int_equal(answer_for(dialect, SITUATION_NOTHING).status, 204);
        assert_int_equal(answer_for(dialect, SITUATION_DEAD_LETTER).status, 202);
        assert_int_equal(answer_for(dialect, SITUATION_HANDSHAKE).status, 200);
        assert_int_equal(answer_for(dialect, SITUATION_UNAUTHORISED).status, table[i].unauthorised);
        assert_int_equal(answer_for(dialect, SITUATION_BUSY).status, table[i].busy);
        assert_int_equal(answer_for(dialect, SITUATION_BUSY).retry_after_s, table[i].retry_s);
    }
}

/* A sender without a row would get the answers of strangers by accident. */
static void every_dialect_has_a_row(void **state)
{
    (void)state;
    static const char *const names[] = {
        "distribution", "gitlab", "harbor",    "ecr", "sns",   "acr",   "eventgrid", "gar",
        "github",       "gitea",  "dockerhub", "zot", "jfrog", "nexus", "quay",      NULL,
    };
    for (size_t i = 0; decoders[i] != NULL; i++) {
        size_t k = 0;
        while (names[k] != NULL && !text_equal(names[k], decoders[i]->name))
            k++;
        if (names[k] == NULL)
            fail_msg("add the dialect %s to the table of answers", decoders[i]->name);
    }
}

static char name[] = "main", header[] = "Authorization", key_header[] = "X-\"Key\"";
static char secret_file[] = "/etc/regwarden/se\\cret";

static char *stanza(int type, const char *header_name, bool secret)
{
    AUTO_FREE char *own_header = memory_copy_text(header_name);
    struct config_registry registry = {.name = name,
                                       .type = type,
                                       .hook_secret_file = secret ? secret_file : NULL,
                                       .hook_secret_header = own_header};
    return intake_notification_stanza(&registry, "https://warden.example:8080//");
}

/* As the registry would read it. */
static struct yaml_document *parsed(const char *text)
{
    struct yaml_document *document = NULL;
    struct error err = {0};
    if (yaml_parse("stanza", text, strlen(text), &document, &err) != 0)
        fail_msg("%s\n%s", err.text, text);
    return document;
}

static const struct yaml_node *endpoint_of(const struct yaml_document *document)
{
    const struct yaml_node *list = yaml_get(yaml_get(document->root, "notifications"), "endpoints");
    assert_non_null(list);
    assert_int_equal(list->count, 1);
    return list->items[0];
}

static void distribution_stanza(void **state)
{
    (void)state;
    AUTO_FREE char *text = stanza(REGISTRY_TYPE_DISTRIBUTION, header, true);
    AUTO_YAML struct yaml_document *document = parsed(text);
    const struct yaml_node *endpoint = endpoint_of(document);
    assert_string_equal(yaml_get(endpoint, "url")->scalar,
                        "https://warden.example:8080/hooks/main");
    const struct yaml_node *value = yaml_get(yaml_get(endpoint, "headers"), "Authorization");
    assert_string_equal(value->items[0]->scalar, "Bearer <the content of /etc/regwarden/se\\cret>");
    assert_non_null(yaml_get(endpoint, "timeout"));
    assert_non_null(yaml_get(endpoint, "threshold"));
    assert_non_null(yaml_get(endpoint, "backoff"));
    /* Always both: releases up to 3.0 heed the second only beside the first. */
    assert_string_equal(yaml_get(endpoint, "ignoredmediatypes")->items[0]->scalar,
                        "application/octet-stream");
    const struct yaml_node *ignore = yaml_get(endpoint, "ignore");
    assert_string_equal(yaml_get(ignore, "mediatypes")->items[0]->scalar,
                        "application/octet-stream");
    assert_string_equal(yaml_get(ignore, "actions")->items[0]->scalar, "pull");
}

static void distribution_stanza_of_an_open_hook(void **state)
{
    (void)state;
    AUTO_FREE char *text = stanza(REGISTRY_TYPE_AUTO, NULL, false);
    AUTO_YAML struct yaml_document *document = parsed(text);
    assert_null(yaml_get(endpoint_of(document), "headers"));
}

static void header_of_any_name_is_quoted(void **state)
{
    (void)state;
    AUTO_FREE char *text = stanza(REGISTRY_TYPE_DISTRIBUTION, key_header, true);
    AUTO_YAML struct yaml_document *document = parsed(text);
    const struct yaml_node *value =
        yaml_get(yaml_get(endpoint_of(document), "headers"), "X-\"Key\"");
    assert_string_equal(value->items[0]->scalar, "<the content of /etc/regwarden/se\\cret>");
}

static char *stanza_of_dialect(const char *dialect, enum hook_proof proof, const char *header_name)
{
    AUTO_FREE char *own_dialect = memory_copy_text(dialect);
    AUTO_FREE char *own_header = memory_copy_text(header_name);
    struct config_registry registry = {.name = name,
                                       .dialect = own_dialect,
                                       .hook_proof = (int)proof,
                                       .hook_secret_file = secret_file,
                                       .hook_secret_header = own_header};
    return intake_notification_stanza(&registry, "https://warden.example:8080");
}

static void stanzas_of_dialects(void **state)
{
    (void)state;
    static const struct {
        const char *dialect;
        enum hook_proof proof;
        const char *word;
    } table[] = {
        {"gitlab", HOOK_PROOF_AUTO, "registry['notifications']"},
        {"gitlab", HOOK_PROOF_AUTO, "se\\\\cret"},
        {"github", HOOK_PROOF_AUTO, "signs with is <the content of /etc/regwarden/se\\cret>"},
        {"quay", HOOK_PROOF_AUTO, "?secret="},
        {"quay", HOOK_PROOF_CERTIFICATE, "hook-clients"},
        {"sns", HOOK_PROOF_AUTO, "hook-topics"},
        {"gar", HOOK_PROOF_AUTO, "hook-audience"},
        {"nexus", HOOK_PROOF_AUTO, "\"nexus\""},
        {"zot", HOOK_PROOF_AUTO, "\"sinks\""},
        {"ecr", HOOK_PROOF_AUTO, "EventBridge"},
        {"harbor", HOOK_PROOF_AUTO, "Webhooks"},
        {"distribution", HOOK_PROOF_AUTO, "ignoredmediatypes"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *text = stanza_of_dialect(table[i].dialect, table[i].proof, header);
        if (strstr(text, table[i].word) == NULL ||
            strstr(text, "https://warden.example:8080/hooks/main") == NULL)
            fail_msg("%s: %s", table[i].dialect, text);
    }
}

static void other_registries_get_words(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *word;
    } table[] = {
        {REGISTRY_TYPE_HARBOR, "Webhooks"}, {REGISTRY_TYPE_HARBOR, "Auth header"},
        {REGISTRY_TYPE_ECR, "EventBridge"}, {REGISTRY_TYPE_ECR, "ECR Image Action"},
        {REGISTRY_TYPE_ZOT, "\"sinks\""},   {REGISTRY_TYPE_ZOT, "sweep"},
        {REGISTRY_TYPE_OCI, "sweep"},       {99, "sweep"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *text = stanza(table[i].type, header, true);
        assert_non_null(strstr(text, table[i].word));
        assert_non_null(strstr(text, "https://warden.example:8080/hooks/main"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_follow_the_sender),
        cmocka_unit_test(every_dialect_has_a_row),
        cmocka_unit_test(distribution_stanza),
        cmocka_unit_test(distribution_stanza_of_an_open_hook),
        cmocka_unit_test(header_of_any_name_is_quoted),
        cmocka_unit_test(stanzas_of_dialects),
        cmocka_unit_test(other_registries_get_words),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
