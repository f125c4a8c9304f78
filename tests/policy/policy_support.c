/* Helpers of the policy tests. */
#include "policy_support.h"
#include "cmocka_all.h"

#include "example_image.h"
#include "yaml_json.h"

#include "regwarden/clock.h"
#include "regwarden/json.h"
#include "regwarden/memory.h"

static struct json *parse_flow(const char *yaml)
{
    AUTO_YAML struct yaml_document *document = NULL;
    struct error err = {0};

    if (yaml_parse("row", yaml, strlen(yaml), &document, &err) < 0)
        fail_msg("%s: %s", yaml, err.text);
    return document->root->kind == YAML_KIND_NULL ? json_new_object()
                                                  : yaml_to_json(document->root);
}

struct facts *support_facts_for(const struct policy_set *set, const char *yaml)
{
    AUTO_JSON struct json *defaults = example_image_facts();
    AUTO_JSON struct json *over = parse_flow(yaml);
    AUTO_JSON struct json *whole = json_overlay(defaults, over);
    AUTO_JSON struct json *filled = set ? example_fill_probes(whole, set) : json_retain(whole);
    struct facts *facts = NULL;
    struct error err = {0};

    if (facts_from_json(filled, &facts, &err) < 0)
        fail_msg("%s: %s", yaml, err.text);
    return facts;
}

struct facts *support_facts(const char *yaml)
{
    return support_facts_for(NULL, yaml);
}

struct policy_set *support_compile(const char *yaml)
{
    const struct policy_source source = {"test.yaml", yaml, strlen(yaml)};
    struct policy_set *set = NULL;
    struct error err = {0};

    if (policy_set_compile(&source, 1, NULL, NULL, &set, &err) < 0)
        fail_msg("%s: %s", yaml, err.text);
    return set;
}

int64_t support_now_ms(void)
{
    int64_t now_ms = 0;

    assert_int_equal(clock_parse_rfc3339(EXAMPLE_NOW, &now_ms, NULL), 0);
    return now_ms;
}
