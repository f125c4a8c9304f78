/* The client against the real thing: a docker-registry, plain, with passwords, with TLS. Skipped
 * where it is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/gather.h"
#include "regwarden/json.h"

#include "client.h"

/* Starts a real registry and a client of it; skips the test when there is none. */
static void open_real(struct client *client, const char *mode, struct client_options options)
{
    struct stub stub;

    if (!stub_start_script(&stub, "real_registry.py", mode))
        skip();
    if (text_equal(mode, "tls"))
        options.url = stub_value(&stub, "secure-url");
    else
        options.url = stub.url;
    client_open(client, NULL, &options);
    client->stub = stub;
}

static struct digest digest_of(struct client *client, const char *name)
{
    struct digest digest;

    assert_int_equal(digest_parse(stub_value(&client->stub, name), &digest, NULL), 0);
    return digest;
}

static void test_reading(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};
    static const struct {
        const char *reference;
        const char *value;
        const char *media_type;
    } cases[] = {{"v1", "image", MEDIA_TYPE_OCI_MANIFEST},
                 {"multi", "index", MEDIA_TYPE_OCI_INDEX}};

    (void)state;
    open_real(&client, "plain", (struct client_options){0});
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        client_fetch(&client, cases[i].reference, &result);
        expect_success(&result);
        expect_digest(&result.digest, stub_value(&client.stub, cases[i].value));
        assert_string_equal(result.media_type, cases[i].media_type);
        result_release(&result);
        (void)registry_resolve(client.registry, "app", cases[i].reference, result_take, &result);
        client_wait(&client, &result);
        expect_success(&result);
        expect_digest(&result.digest, stub_value(&client.stub, cases[i].value));
    }
    client_fetch_config(&client, &result);
    expect_success(&result);
    client_fetch(&client, "missing", &result);
    expect_failure(&result, FAILURE_ABSENT, "MANIFEST_UNKNOWN");
    result_release(&result);
    (void)registry_ping(client.registry, result_take, &result);
    client_wait(&client, &result);
    expect_success(&result);
    client_close(&client);
}

static void test_lists(void **state)
{
    struct client client;
    struct registry_abilities abilities;
    struct digest image;
    AUTO_RESULT struct result tags = {0};
    AUTO_RESULT struct result catalog = {0};
    AUTO_RESULT struct result referrers = {0};
    AUTO_JSON struct json *index = NULL;

    (void)state;
    open_real(&client, "plain", (struct client_options){0});
    (void)registry_list_tags(client.registry, "app", result_take, &tags);
    client_wait(&client, &tags);
    expect_success(&tags);
    assert_int_equal(tags.names.count, 3);
    assert_true(text_list_has(&tags.names, "multi"));
    (void)registry_list_repositories(client.registry, result_take, &catalog);
    client_wait(&client, &catalog);
    expect_success(&catalog);
    assert_true(text_list_has(&catalog.names, "app"));
    /* No referrers API here: the fallback tag, which nobody made. */
    image = digest_of(&client, "image");
    (void)registry_fetch_referrers(client.registry, "app", &image, result_take, &referrers);
    client_wait(&client, &referrers);
    expect_success(&referrers);
    assert_int_equal(json_parse(referrers.bytes, referrers.size, NULL, &index, NULL), 0);
    assert_int_equal(json_count(json_get(index, "manifests")), 0);
    registry_abilities(client.registry, &abilities);
    assert_int_equal(abilities.referrers_api, ANSWER_NO);
    client_close(&client);
}

static void test_retag_and_removal(void **state)
{
    struct client client;
    struct registry_abilities abilities;
    struct digest image;
    AUTO_RESULT struct result fetched = {0};
    AUTO_RESULT struct result put = {0};
    AUTO_RESULT struct result tag = {0};
    AUTO_RESULT struct result manifest = {0};
    struct registry_manifest_put wanted = {.repository = "app", .reference = "policy-fail-1"};

    (void)state;
    open_real(&client, "plain", (struct client_options){0});
    client_fetch(&client, "v1", &fetched);
    wanted.bytes = fetched.bytes;
    wanted.size = fetched.size;
    wanted.media_type = fetched.media_type;
    (void)registry_put_manifest(client.registry, &wanted, result_take, &put);
    client_wait(&client, &put);
    expect_success(&put);
    assert_true(digest_equal(&put.digest, &fetched.digest));
    /* This one cannot remove a tag and says so in its own way. */
    (void)registry_delete_tag(client.registry, "app", "policy-fail-1", result_take, &tag);
    client_wait(&client, &tag);
    expect_failure(&tag, FAILURE_DENIED, "cannot remove a single tag");
    registry_abilities(client.registry, &abilities);
    assert_int_equal(abilities.tag_delete, ANSWER_NO);
    image = digest_of(&client, "image");
    (void)registry_delete_manifest(client.registry, "app", &image, result_take, &manifest);
    client_wait(&client, &manifest);
    expect_success(&manifest);
    client_fetch(&client, "v1", &fetched);
    expect_failure(&fetched, FAILURE_ABSENT, "404");
    client_close(&client);
}

static void copy_big(struct client *client, bool mounted)
{
    AUTO_RESULT struct result copied = {0};
    AUTO_RESULT struct result again = {0};
    struct registry_blob_copy wanted = {
        .from = "app", .to = "quarantine/app", .digest = digest_of(client, "big"), .size = 8 << 20};

    (void)registry_copy_blob(client->registry, &wanted, result_take, &copied);
    client_wait(client, &copied);
    expect_success(&copied);
    assert_int_equal(copied.mounted, mounted);
    (void)registry_copy_blob(client->registry, &wanted, result_take, &again);
    client_wait(client, &again);
    expect_success(&again);
    assert_true(again.mounted);
}

static void test_copy_by_mount(void **state)
{
    struct client client;

    (void)state;
    open_real(&client, "plain", (struct client_options){0});
    copy_big(&client, true);
    client_close(&client);
}

static void test_copy_by_stream(void **state)
{
    struct client client;

    (void)state;
    open_real(&client, "no-mount", (struct client_options){.concurrency = 1});
    copy_big(&client, false);
    client_close(&client);
}

static void test_password(void **state)
{
    static const struct {
        struct client_options options;
        enum failure kind;
        const char *text;
    } cases[] = {
        {{.with_password = true}, FAILURE_NONE, ""},
        {{.password = "wrong one"}, FAILURE_DENIED, "refuses the configured password"},
        {{0}, FAILURE_DENIED, "none is configured"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        open_real(&client, "htpasswd", cases[i].options);
        client_fetch(&client, "v1", &result);
        expect_failure(&result, cases[i].kind, cases[i].text);
        client_close(&client);
    }
}

static void test_tls(void **state)
{
    struct client client;
    AUTO_RESULT struct result distrusted = {0};
    AUTO_RESULT struct result result = {0};
    struct registry *trusting = NULL;
    struct config_registry settings;

    (void)state;
    /* Signed by an authority of our own: refused until that is configured. */
    open_real(&client, "tls", (struct client_options){0});
    client_fetch(&client, "v1", &distrusted);
    assert_int_not_equal(distrusted.error.kind, FAILURE_NONE);
    assert_non_null(strstr(distrusted.error.text, "certificate"));
    settings = client.settings;
    settings.ca_file = memory_copy_text(stub_value(&client.stub, "authority"));
    assert_int_equal(registry_new(client.loop, &settings, &trusting, NULL), 0);
    (void)registry_fetch_manifest(trusting, "app", "v1", result_take, &result);
    client_wait(&client, &result);
    expect_success(&result);
    registry_free(trusting);
    free(settings.ca_file);
    client_close(&client);
}

struct outcome {
    bool done;
    struct gathered gathered;
};

static void take_outcome(void *argument, struct gathered *gathered)
{
    struct outcome *outcome = argument;

    outcome->done = true;
    outcome->gathered = *gathered;
    *gathered = (struct gathered){0};
}

static bool outcome_is_done(void *outcome)
{
    return ((const struct outcome *)outcome)->done;
}

static void test_gather(void **state)
{
    struct client client;
    struct outcome outcome = {0};
    struct image_source source;
    struct gather_options options = {.needs = FACT_BIT(FACT_CONFIG)};

    (void)state;
    open_real(&client, "plain", (struct client_options){0});
    source = registry_image_source(client.registry);
    (void)gather_start(&source, "app", "multi", &options, take_outcome, &outcome);
    assert_true(loop_run_until(client.loop, outcome_is_done, &outcome, 20000));
    assert_int_equal(outcome.gathered.error.kind, FAILURE_NONE);
    assert_int_equal(outcome.gathered.image_count, 2);
    assert_non_null(outcome.gathered.images[1].facts->config);
    gathered_release(&outcome.gathered);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_retag_and_removal),
        cmocka_unit_test(test_copy_by_mount),
        cmocka_unit_test(test_copy_by_stream),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_gather),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
