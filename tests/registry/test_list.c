/* Lists of tags and repositories, and referrers: pages, links, gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/json.h"
#include "regwarden/manifest.h"

#include "client.h"

static void list_tags(struct client *client, struct result *ret)
{
    (void)registry_list_tags(client->registry, "app", result_take, ret);
    client_wait(client, ret);
}

static void test_pages(void **state)
{
    static const char *const scenarios[] = {"pages", "pages-absolute"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, scenarios[i], NULL);
        list_tags(&client, &result);
        expect_success(&result);
        assert_int_equal(result.calls, 3);
        assert_int_equal(result.names.count, 5);
        assert_string_equal(result.names.items[0], "tag-0");
        assert_string_equal(result.names.items[4], "tag-4");
        client_close(&client);
    }
}

static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
    unsigned calls;
    size_t names;
} cases[] = {
    {"ok", FAILURE_NONE, "", 1, 3},
    {"tags-null", FAILURE_NONE, "", 1, 0},
    {"tags-odd", FAILURE_NONE, "", 1, 2},
    {"tags-not-a-list", FAILURE_INPUT, "there is no \"tags\"", 1, 0},
    {"link-loop", FAILURE_INPUT, "in a circle", 2, 2},
    {"link-foreign", FAILURE_INPUT, "on another host", 1, 0},
    {"link-broken", FAILURE_INPUT, "Link header", 1, 0},
    {"link-endless", FAILURE_LIMIT, "more than 20 pages", 20, 19},
    {"endless-body", FAILURE_LIMIT, "tags of app", 1, 0},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, NULL);
        list_tags(&client, &result);
        expect_failure(&result, cases[i].kind, cases[i].text);
        assert_int_equal(result.calls, cases[i].calls);
        assert_int_equal(result.names.count, cases[i].names);
        assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 0);
        client_close(&client);
    }
}

static void test_unknown_repository(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    (void)registry_list_tags(client.registry, "nowhere", result_take, &result);
    client_wait(&client, &result);
    expect_failure(&result, FAILURE_ABSENT, "NAME_UNKNOWN");
    client_close(&client);
}

struct stopping {
    struct client *client;
    uint64_t id;
    unsigned calls;
};

static void stop(void *argument, const struct registry_answer *answer)
{
    struct stopping *stopping = argument;

    assert_true(answer->more);
    stopping->calls++;
    registry_cancel(stopping->client->registry, stopping->id);
}

static void test_cancel_between_pages(void **state)
{
    struct client client;
    struct stopping stopping = {.client = &client};

    (void)state;
    client_open(&client, "pages", NULL);
    stopping.id = registry_list_tags(client.registry, "app", stop, &stopping);
    client_run_for(&client, 200);
    assert_int_equal(stopping.calls, 1);
    assert_int_equal(stub_count(&client.stub, "tags/list", NULL), 1);
    client_close(&client);
}

static void test_repositories(void **state)
{
    static const struct {
        const char *scenario;
        enum failure kind;
        enum answer ability;
        size_t requests;
    } catalogs[] = {
        {"ok", FAILURE_NONE, ANSWER_YES, 1},
        {"page-size-refused", FAILURE_NONE, ANSWER_YES, 2},
        {"no-catalog", FAILURE_ABSENT, ANSWER_NO, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(catalogs); i++) {
        struct client client;
        struct registry_abilities abilities;
        AUTO_RESULT struct result result = {0};

        client_open(&client, catalogs[i].scenario, NULL);
        registry_abilities(client.registry, &abilities);
        assert_int_equal(abilities.catalog, ANSWER_UNKNOWN);
        (void)registry_list_repositories(client.registry, result_take, &result);
        client_wait(&client, &result);
        expect_failure(&result, catalogs[i].kind, "");
        if (catalogs[i].kind == FAILURE_NONE)
            assert_string_equal(result.names.items[1], "team/other");
        registry_abilities(client.registry, &abilities);
        assert_int_equal(abilities.catalog, catalogs[i].ability);
        assert_int_equal(stub_count(&client.stub, "_catalog", NULL), catalogs[i].requests);
        client_close(&client);
    }
}

static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
    size_t count;
    enum answer ability;
    size_t requests; /* of two searches */
} searches[] = {
    {"referrers", FAILURE_NONE, "", 1, ANSWER_YES, 2},
    {"referrers-pages", FAILURE_NONE, "", 3, ANSWER_YES, 6},
    {"referrers-fallback", FAILURE_NONE, "", 1, ANSWER_NO, 3},
    {"referrers-html", FAILURE_NONE, "", 1, ANSWER_NO, 3},
    {"ok", FAILURE_NONE, "", 0, ANSWER_NO, 3},
    {"referrers-fallback-image", FAILURE_INPUT, "is no index", 0, ANSWER_NO, 3},
};

static void search(struct client *client, struct result *ret)
{
    struct digest digest;

    result_release(ret);
    assert_int_equal(digest_parse(stub_value(&client->stub, "image"), &digest, NULL), 0);
    (void)registry_fetch_referrers(client->registry, "app", &digest, result_take, ret);
    client_wait(client, ret);
}

static void test_referrers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(searches); i++) {
        struct client client;
        struct registry_abilities abilities;
        AUTO_RESULT struct result result = {0};

        client_open(&client, searches[i].scenario, NULL);
        search(&client, &result);
        search(&client, &result);
        expect_failure(&result, searches[i].kind, searches[i].text);
        if (searches[i].kind == FAILURE_NONE) {
            AUTO_JSON struct json *index = NULL;

            assert_int_equal(json_parse(result.bytes, result.size, NULL, &index, NULL), 0);
            assert_int_equal(json_count(json_get(index, "manifests")), searches[i].count);
            assert_string_equal(result.media_type, MEDIA_TYPE_OCI_INDEX);
            assert_int_equal(digest_verify(&result.digest, result.bytes, result.size, NULL), 0);
        }
        registry_abilities(client.registry, &abilities);
        assert_int_equal(abilities.referrers_api, searches[i].ability);
        assert_int_equal(stub_count(&client.stub, "/v2/", NULL), searches[i].requests);
        client_close(&client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_unknown_repository),
        cmocka_unit_test(test_cancel_between_pages),
        cmocka_unit_test(test_repositories),
        cmocka_unit_test(test_referrers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
