/* Credentials: who gets them, when they are renewed, and what is never shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.h"

/* What a scenario makes of `GET manifest app:v1`, and how many tokens it takes. */
static const struct {
    const char *scenario;
    bool with_password;
    const char *token_realm;
    enum failure kind;
    const char *text;
    size_t tokens;
} cases[] = {
    {"basic", true, NULL, FAILURE_NONE, "", 0},
    {"basic", false, NULL, FAILURE_DENIED, "none is configured", 0},
    {"token", true, NULL, FAILURE_NONE, "", 1},
    {"access-token", true, NULL, FAILURE_NONE, "", 1},
    {"token", false, NULL, FAILURE_DENIED, "token from 127.0.0.1", 1},
    {"token-foreign-realm", true, NULL, FAILURE_LATER, "not its own host", 0},
    {"token-foreign-realm", false, NULL, FAILURE_LATER, "not its own host", 0},
    {"token-foreign-realm", true, "localhost", FAILURE_NONE, "", 1},
    {"token-no-access", true, NULL, FAILURE_DENIED, "answered 401: UNAUTHORIZED", 2},
    {"token-down", true, NULL, FAILURE_LATER, "token from 127.0.0.1", 4},
    /* A 404 of the token server does not mean that the image is gone. */
    {"token-missing", true, NULL, FAILURE_LATER, "token from 127.0.0.1", 1},
    {"token-strange", true, NULL, FAILURE_LATER, "no usable token", 1},
    {"html-error", true, NULL, FAILURE_DENIED, "answered 401", 0},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        struct client_options options = {.with_password = cases[i].with_password,
                                         .token_realm = cases[i].token_realm};
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, &options);
        client_fetch(&client, "v1", &result);
        expect_failure(&result, cases[i].kind, cases[i].text);
        assert_int_equal(stub_count(&client.stub, "/token?", NULL), cases[i].tokens);
        assert_int_equal(stub_count(&client.stub, "X-Injected", NULL), 0);
        client_close(&client);
    }
}

static void test_wrong_password(void **state)
{
    struct client client;
    struct client_options options = {.password = "not the one"};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "basic", &options);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "refuses the configured password");
    /* Asked, answered, refused: no third try that could lock the account. */
    assert_int_equal(stub_count(&client.stub, "manifests", NULL), 2);
    assert_null(strstr(result.error.text, "not the one"));
    client_close(&client);
}

static void test_token_is_asked_for_once(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    struct result results[6] = {0};
    AUTO_RESULT struct result later = {0};

    (void)state;
    client_open(&client, "token", &options);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &results[i]);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        if (!results[i].done)
            client_wait(&client, &results[i]);
        expect_success(&results[i]);
        result_release(&results[i]);
    }
    client_fetch(&client, "multi", &later);
    assert_int_equal(stub_count(&client.stub, "/token?", NULL), 1);
    assert_int_equal(stub_count(&client.stub, "scope=repository%3Aapp%3Apull", "account=robot"), 1);
    assert_int_equal(stub_count(&client.stub, "service=stub%2C%20of%20tests", NULL), 1);
    /* Before the challenge, credentials were sent to nobody. */
    assert_true(stub_count(&client.stub, "manifests", "\"authorization\": \"\"") >= 1);
    assert_int_equal(stub_count(&client.stub, "manifests", "Basic "), 0);
    client_close(&client);
}

static void test_expired_token_is_renewed(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "token-near-expiry", &options);
    for (unsigned i = 0; i < 3; i++) {
        client_fetch(&client, "v1", &result);
        expect_success(&result);
    }
    assert_int_equal(stub_count(&client.stub, "/token?", NULL), 3);
    client_close(&client);
}

static void test_wider_scope_is_learned(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};

    (void)state;
    client_open(&client, "token-wider-scope", &options);
    for (unsigned i = 0; i < 2; i++) {
        AUTO_RESULT struct result result = {0};

        (void)registry_list_tags(client.registry, "app", result_take, &result);
        client_wait(&client, &result);
        expect_success(&result);
    }
    assert_int_equal(stub_count(&client.stub, "/token?", "metadata_read"), 1);
    client_close(&client);
}

static void test_catalogue_may_want_something_else(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result list = {0};
    AUTO_RESULT struct result manifest = {0};

    (void)state;
    client_open(&client, "catalog-basic", &options);
    client_fetch(&client, "v1", &manifest);
    expect_success(&manifest);
    (void)registry_list_repositories(client.registry, result_take, &list);
    client_wait(&client, &list);
    expect_success(&list);
    client_fetch(&client, "v1", &manifest);
    expect_success(&manifest);
    assert_int_equal(stub_count(&client.stub, "manifests", "\"authorization\": \"\""), 1);
    assert_int_equal(stub_count(&client.stub, "/token?", NULL), 1);
    client_close(&client);
}

static void test_scopes_by_method(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result put = {0};
    AUTO_RESULT struct result gone = {0};
    struct registry_manifest_put manifest = {.repository = "app",
                                             .reference = "new",
                                             .media_type = "application/json",
                                             .bytes = "{}",
                                             .size = 2};

    (void)state;
    client_open(&client, "token", &options);
    (void)registry_put_manifest(client.registry, &manifest, result_take, &put);
    client_wait(&client, &put);
    expect_success(&put);
    (void)registry_delete_tag(client.registry, "app", "new", result_take, &gone);
    client_wait(&client, &gone);
    expect_success(&gone);
    assert_int_equal(stub_count(&client.stub, "scope=repository%3Aapp%3Apull%2Cpush", NULL), 1);
    assert_int_equal(stub_count(&client.stub, "scope=repository%3Aapp%3Adelete", NULL), 1);
    client_close(&client);
}

/* A registry (or a proxy with debugging left on) that repeats what it was sent. */
static void test_credentials_in_errors_are_not_shown(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "echo-credentials", &options);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "answered 403 (its text is left out");
    assert_null(strstr(result.error.text, "cm9ib3Q6"));
    assert_int_equal(stub_count(&client.stub, "cm9ib3Q6", NULL), 1);
    client_close(&client);
}

static void test_freed_while_a_token_is_awaited(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};
    AUTO_RESULT struct result cancelled = {0};
    uint64_t id;

    (void)state;
    client_open(&client, "token-down", &options);
    (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &result);
    id = registry_fetch_manifest(client.registry, "app", "v1", result_take, &cancelled);
    client_run_for(&client, 15);
    registry_cancel(client.registry, id);
    client_run_for(&client, 5);
    client_close(&client);
    assert_int_equal(result.calls, 1);
    assert_int_equal(cancelled.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_token_is_asked_for_once),
        cmocka_unit_test(test_expired_token_is_renewed),
        cmocka_unit_test(test_wider_scope_is_learned),
        cmocka_unit_test(test_catalogue_may_want_something_else),
        cmocka_unit_test(test_scopes_by_method),
        cmocka_unit_test(test_credentials_in_errors_are_not_shown),
        cmocka_unit_test(test_freed_while_a_token_is_awaited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
