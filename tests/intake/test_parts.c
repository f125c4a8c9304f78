/* The table of answers and the stanza for the registry's own configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answers.h"

#include "regwarden/intake.h"
#include "regwarden/yaml.h"

/* 3xx counts as success for some senders and as a redirect for others: never used. */
static void answers_are_safe(void **state)
{
    (void)state;
    static const char *const dialects[] = {"distribution", "harbor", "ecr", "auto", NULL};
    for (size_t i = 0; i < ARRAY_COUNT(dialects); i++) {
        assert_int_equal(answer_for(dialects[i], SITUATION_ACCEPTED).status, 202);
        assert_int_equal(answer_for(dialects[i], SITUATION_NOTHING).status, 204);
        assert_int_equal(answer_for(dialects[i], SITUATION_DEAD_LETTER).status, 202);
        assert_int_equal(answer_for(dialects[i], SITUATION_UNAUTHORISED).status, 401);
        assert_int_equal(answer_for(dialects[i], SITUATION_BUSY).status, 503);
        assert_true(answer_for(dialects[i], SITUATION_BUSY).retry_after_s > 0);
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

static void other_registries_get_words(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *word;
    } table[] = {
        {REGISTRY_TYPE_HARBOR, "Webhooks"},
        {REGISTRY_TYPE_HARBOR, "Auth header"},
        {REGISTRY_TYPE_ECR, "EventBridge"},
        {REGISTRY_TYPE_ECR, "ECR Image Action"},
        {REGISTRY_TYPE_ZOT, "sweep"},
        {REGISTRY_TYPE_OCI, "sweep"},
        {99, "sweep"},
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
        cmocka_unit_test(answers_are_safe),
        cmocka_unit_test(distribution_stanza),
        cmocka_unit_test(distribution_stanza_of_an_open_hook),
        cmocka_unit_test(header_of_any_name_is_quoted),
        cmocka_unit_test(other_registries_get_words),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
