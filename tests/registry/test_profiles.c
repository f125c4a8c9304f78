/* Kinds of registries: how each is told, when it is asked, and what each has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

static const char questions[] = "/api/v2.0/ping";

static void delete_tag(struct client *client, const char *tag, struct result *ret)
{
    result_release(ret);
    (void)registry_delete_tag(client->registry, "app", tag, result_take, ret);
    client_wait(client, ret);
}

static const struct {
    const char *scenario;
    enum registry_type type;
    size_t pings, discoveries, bases;
} kinds[] = {
    {"kind-harbor", REGISTRY_TYPE_HARBOR, 1, 0, 0},
    {"kind-zot", REGISTRY_TYPE_ZOT, 1, 1, 0},
    {"kind-distribution", REGISTRY_TYPE_DISTRIBUTION, 1, 1, 1},
    {"kind-nexus", REGISTRY_TYPE_OCI, 1, 1, 1},
    {"kind-pages", REGISTRY_TYPE_OCI, 1, 1, 1},
    {"ok", REGISTRY_TYPE_OCI, 1, 1, 1},
};

/* Each is asked once, before the first operation for which it matters, and not before. */
static void test_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, kinds[i].scenario, &(struct client_options){.find_type = true});
        client_fetch(&client, "v1", &result);
        expect_success(&result);
        assert_int_equal(registry_get_type(client.registry), REGISTRY_TYPE_AUTO);
        assert_int_equal(stub_count(&client.stub, questions, NULL), 0);
        for (unsigned j = 0; j < 2; j++) {
            struct registry_label label = {.repository = "app", .name = "x"};

            result_release(&result);
            (void)registry_add_label(client.registry, &label, result_take, &result);
            client_wait(&client, &result);
        }
        assert_int_equal(registry_get_type(client.registry), kinds[i].type);
        assert_int_equal(stub_count(&client.stub, questions, NULL), kinds[i].pings);
        assert_int_equal(stub_count(&client.stub, "/v2/_oci/ext/discover", NULL),
                         kinds[i].discoveries);
        assert_int_equal(stub_count(&client.stub, "\"path\": \"/v2/\"", NULL), kinds[i].bases);
        client_close(&client);
    }
}

static void test_told_by_challenge(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "kind-harbor-token",
                &(struct client_options){.find_type = true, .with_password = true});
    client_fetch(&client, "v1", &result);
    expect_success(&result);
    assert_int_equal(registry_get_type(client.registry), REGISTRY_TYPE_HARBOR);
    assert_int_equal(stub_count(&client.stub, questions, NULL), 0);
    client_close(&client);
}

static void test_told_by_address(void **state)
{
    static const struct {
        const char *url;
        enum registry_type type;
    } addresses[] = {
        {"https://123456789012.dkr.ecr.eu-west-1.amazonaws.com", REGISTRY_TYPE_ECR},
        {"https://123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", REGISTRY_TYPE_ECR},
        {"https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", REGISTRY_TYPE_ECR},
        {"https://123456789012.dkr-ecr.eu-west-1.on.aws", REGISTRY_TYPE_ECR},
        {"https://registry.example.org", REGISTRY_TYPE_AUTO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        struct client client;

        client_open(&client, NULL,
                    &(struct client_options){.url = addresses[i].url, .find_type = true});
        assert_int_equal(registry_get_type(client.registry), addresses[i].type);
        client_close(&client);
    }
}

/* Who is refused goes on as with any registry, and asks again: but not for ever. */
static void test_denied(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};
    static const size_t asked[] = {1, 2, 3, 3, 3};

    (void)state;
    client_open(&client, "kind-denied", &(struct client_options){.find_type = true});
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++) {
        delete_tag(&client, "nowhere", &result);
        expect_failure(&result, FAILURE_ABSENT, "MANIFEST_UNKNOWN");
        assert_int_equal(stub_count(&client.stub, questions, NULL), asked[i]);
        assert_int_equal(registry_get_type(client.registry),
                         asked[i] < 3 ? REGISTRY_TYPE_AUTO : REGISTRY_TYPE_OCI);
    }
    client_close(&client);
}

/* No answer is none: nothing is decided, and nothing is done. */
static void test_busy(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "kind-busy", &(struct client_options){.find_type = true});
    delete_tag(&client, "v1", &result);
    expect_failure(&result, FAILURE_LATER, "finding out what kind of registry");
    assert_string_not_equal(result.error.hint, "");
    assert_int_equal(registry_get_type(client.registry), REGISTRY_TYPE_AUTO);
    assert_int_equal(stub_count(&client.stub, "DELETE", NULL), 0);
    delete_tag(&client, "nowhere", &result);
    assert_int_equal(registry_get_type(client.registry), REGISTRY_TYPE_HARBOR);
    client_close(&client);
}

/* Several that wait get one answer each, also when one of them is cancelled or all are ended. */
static void test_many_wait(void **state)
{
    struct client client;
    AUTO_RESULT struct result first = {0};
    AUTO_RESULT struct result second = {0};
    AUTO_RESULT struct result third = {0};
    uint64_t id;

    (void)state;
    client_open(&client, "kind-zot", &(struct client_options){.find_type = true});
    (void)registry_delete_tag(client.registry, "app", "nowhere", result_take, &first);
    id = registry_delete_tag(client.registry, "app", "v1", result_take, &second);
    (void)registry_delete_tag(client.registry, "app", "multi", result_take, &third);
    registry_cancel(client.registry, id);
    client_wait(&client, &first);
    for (unsigned i = 0; i < 1000 && !third.done; i++)
        client_run_for(&client, 10);
    expect_failure(&first, FAILURE_ABSENT, "removal of tag app:nowhere");
    expect_success(&third);
    assert_int_equal(second.calls, 0);
    assert_int_equal(stub_count(&client.stub, "DELETE", NULL), 2);
    client_close(&client);

    client_open(&client, "kind-zot", &(struct client_options){.find_type = true});
    result_release(&first);
    (void)registry_delete_tag(client.registry, "app", "v1", result_take, &first);
    registry_free(client.registry);
    client.registry = NULL;
    expect_failure(&first, FAILURE_LATER, "closing");
    client_close(&client);
}

typedef uint64_t digest_call(struct registry *registry, const char *repository,
                             const struct digest *digest, registry_done_f *done, void *argument);

static void test_refusals(void **state)
{
    static digest_call *const calls[] = {registry_archive, registry_restore,
                                         registry_fetch_scan_report};
    struct client client;
    struct registry_abilities abilities;
    struct registry_label label = {.repository = "app", .name = "x"};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "kind-distribution", &(struct client_options){.find_type = true});
    registry_abilities(client.registry, &abilities);
    assert_int_equal(abilities.labels, ANSWER_UNKNOWN);
    (void)registry_remove_label(client.registry, &label, result_take, &result);
    client_wait(&client, &result);
    expect_failure(&result, FAILURE_DENIED, "type distribution has no labels");
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        struct digest digest = {0};

        result_release(&result);
        (void)calls[i](client.registry, "app", &digest, result_take, &result);
        client_wait(&client, &result);
        expect_failure(&result, FAILURE_DENIED, "type distribution");
    }
    registry_abilities(client.registry, &abilities);
    assert_int_equal(abilities.labels, ANSWER_NO);
    assert_int_equal(abilities.archive, ANSWER_NO);
    assert_int_equal(abilities.scan_reports, ANSWER_NO);
    assert_int_equal(abilities.keeps_untagged, ANSWER_UNKNOWN);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_told_by_challenge),
        cmocka_unit_test(test_told_by_address),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_many_wait),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
