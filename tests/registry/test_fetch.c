/* Fetching from a registry that misbehaves: bytes, sizes, types, failures, redirects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/clock.h"
#include "regwarden/manifest.h"

#include "client.h"

static void test_manifest_by_tag_and_digest(void **state)
{
    struct client client;
    AUTO_RESULT struct result by_tag = {0};
    AUTO_RESULT struct result by_digest = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    client_fetch(&client, "v1", &by_tag);
    expect_success(&by_tag);
    expect_digest(&by_tag.digest, stub_value(&client.stub, "image"));
    assert_string_equal(by_tag.media_type, MEDIA_TYPE_OCI_MANIFEST);
    client_fetch(&client, stub_value(&client.stub, "image"), &by_digest);
    expect_success(&by_digest);
    assert_int_equal(by_digest.size, by_tag.size);
    assert_memory_equal(by_digest.bytes, by_tag.bytes, by_tag.size);
    /* All types by name, or a registry would convert. */
    assert_int_equal(stub_count(&client.stub, MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_DOCKER_LIST), 2);
    assert_int_equal(stub_count(&client.stub, MEDIA_TYPE_OCI_MANIFEST, MEDIA_TYPE_DOCKER_MANIFEST),
                     2);
    client_close(&client);
}

static void test_blob(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    client_fetch_config(&client, &result);
    expect_success(&result);
    expect_digest(&result.digest, stub_value(&client.stub, "config"));
    client_close(&client);
}

/* What a scenario makes of `GET manifest app:v1`. */
static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
} refused_manifests[] = {
    {"wrong-digest-header", FAILURE_INPUT, "Docker-Content-Digest"},
    {"manifest-too-big", FAILURE_LIMIT, "larger than 4 MiB"},
    {"endless-body", FAILURE_LIMIT, "larger than 4 MiB"},
    {"endless-error", FAILURE_LATER, "exceeds 4194304 bytes"},
    {"schema1", FAILURE_INPUT, "schema 1"},
    {"short-body", FAILURE_LATER, "app:v1"},
    {"failing-always", FAILURE_LATER, "503"},
    {"throttled-long", FAILURE_LATER, "429"},
    {"reset-always", FAILURE_LATER, "app:v1"},
    {"html-error", FAILURE_DENIED, "answered 401"},
    {"odd-error", FAILURE_DENIED, "answered 403: DENIED: no \\x1b[31mway\\x07\\x0a"},
    {"redirect-loop", FAILURE_LATER, "in a circle"},
    {"redirect-many", FAILURE_LATER, "more than 5 times"},
    {"redirect-strange", FAILURE_LATER, "cannot be used"},
    {"redirect-foreign-denied", FAILURE_DENIED, "redirected to"},
};

static void test_refused_manifests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused_manifests); i++) {
        struct client client;
        struct client_options options = {.with_password = true};
        AUTO_RESULT struct result result = {0};

        client_open(&client, refused_manifests[i].scenario, &options);
        client_fetch(&client, "v1", &result);
        expect_failure(&result, refused_manifests[i].kind, refused_manifests[i].text);
        assert_non_null(strstr(result.error.text, "registry stub: manifest app:v1: "));
        client_close(&client);
    }
}

static void test_wrong_bytes_by_digest(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "wrong-digest", NULL);
    client_fetch(&client, stub_value(&client.stub, "image"), &result);
    expect_failure(&result, FAILURE_INPUT, "not the one that was asked for");
    client_fetch_config(&client, &result);
    expect_failure(&result, FAILURE_INPUT, "sha256:");
    client_close(&client);
}

static void test_blobs_of_wrong_size(void **state)
{
    static const struct {
        const char *scenario;
        enum failure kind;
        const char *text;
    } cases[] = {
        {"small-blob", FAILURE_INPUT, "its descriptor says"},
        {"endless-body", FAILURE_INPUT, "more bytes than"},
        {"short-body", FAILURE_LATER, "cut short"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, NULL);
        client_fetch_config(&client, &result);
        expect_failure(&result, cases[i].kind, cases[i].text);
        client_close(&client);
    }
}

static void test_large_blob_is_not_asked_for(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};
    struct digest digest;

    (void)state;
    client_open(&client, "ok", NULL);
    digest_compute(NULL, "x", 1, &digest);
    (void)registry_fetch_blob(client.registry, "app", &digest, 5 << 20, result_take, &result);
    client_wait(&client, &result);
    expect_failure(&result, FAILURE_LIMIT, "4 MiB");
    assert_int_equal(stub_count(&client.stub, "blobs", NULL), 0);
    client_close(&client);
}

static long resident_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Eight at once of each, endless: what is held stays under the bounds of what may be held. */
static void test_endless_bodies_take_bounded_memory(void **state)
{
    struct client client;
    struct result results[8] = {0};
    struct client_options options = {.concurrency = 4};
    long before_kib;

    (void)state;
    client_open(&client, "endless-body", &options);
    before_kib = resident_kib();
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &results[i]);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        if (!results[i].done)
            client_wait(&client, &results[i]);
        expect_failure(&results[i], FAILURE_LIMIT, "4 MiB");
        result_release(&results[i]);
    }
    /* Four of at most 4 MiB, each while its buffer grows, and the sanitizers' own share. */
    assert_true(resident_kib() - before_kib < 96 * 1024);
    client_close(&client);
}

static void test_slow_body_is_given_up(void **state)
{
    struct client client;
    struct registry_tuning tuning = client_tuning;
    struct client_options options = {.timeout_ms = 500, .tuning = &tuning};
    AUTO_RESULT struct result result = {0};
    int64_t before_ms = clock_steady_ms();

    (void)state;
    tuning.attempts = 1;
    tuning.slowest_bytes_per_s = 8 << 20;
    client_open(&client, "slow-body", &options);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_LATER, "app:v1");
    assert_true(clock_steady_ms() - before_ms < 5000);
    client_close(&client);
}

static void test_silence_is_given_up(void **state)
{
    struct client client;
    struct registry_tuning tuning = client_tuning;
    struct client_options options = {.timeout_ms = 300, .tuning = &tuning};
    AUTO_RESULT struct result result = {0};

    (void)state;
    tuning.attempts = 2;
    client_open(&client, "silent", &options);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_LATER, "app:v1");
    assert_int_equal(stub_count(&client.stub, "manifests", NULL), 2);
    client_close(&client);
}

static void test_failures_that_pass(void **state)
{
    static const struct {
        const char *scenario;
        size_t requests;
        int64_t at_least_ms;
    } cases[] = {
        {"failing-twice", 3, 0},
        {"throttled", 2, 900},
        {"reset", 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};
        int64_t before_ms;
        struct registry_counters counters;

        client_open(&client, cases[i].scenario, NULL);
        before_ms = clock_steady_ms();
        client_fetch(&client, "v1", &result);
        expect_success(&result);
        assert_int_equal(stub_count(&client.stub, "manifests", NULL), cases[i].requests);
        assert_true(clock_steady_ms() - before_ms >= cases[i].at_least_ms);
        registry_counters(client.registry, &counters);
        assert_int_equal(counters.retries, cases[i].requests - 1);
        assert_int_equal(counters.active + counters.waiting, 0);
        client_close(&client);
    }
}

static void test_long_retry_after_is_handed_on(void **state)
{
    struct client client;
    AUTO_RESULT struct result first = {0};
    AUTO_RESULT struct result second = {0};

    (void)state;
    client_open(&client, "throttled-long", NULL);
    client_fetch(&client, "v1", &first);
    expect_failure(&first, FAILURE_LATER, "TOOMANYREQUESTS");
    assert_int_equal(first.error.retry_after_ms, 3600 * 1000);
    /* The registry is left alone: nothing more is sent. */
    client_fetch(&client, "v1", &second);
    expect_failure(&second, FAILURE_LATER, "left alone");
    assert_true(second.error.retry_after_ms > 0);
    assert_int_equal(stub_count(&client.stub, "manifests", NULL), 1);
    client_close(&client);
}

static void test_refused_connection(void **state)
{
    struct client client;
    struct client_options options = {.url = "http://127.0.0.1:1"};
    AUTO_RESULT struct result result = {0};
    struct registry_counters counters;

    (void)state;
    client_open(&client, NULL, &options);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_LATER, "registry stub: manifest app:v1");
    registry_counters(client.registry, &counters);
    assert_int_equal(counters.requests, 4);
    assert_false(counters.breaker_open);
    /* Two more failures open the breaker: then nothing is sent any more. */
    client_fetch(&client, "v1", &result);
    registry_counters(client.registry, &counters);
    assert_true(counters.breaker_open);
    assert_int_equal(counters.requests, 6);
    client_fetch(&client, "v1", &result);
    expect_failure(&result, FAILURE_LATER, "does not answer");
    assert_true(result.error.retry_after_ms > 0);
    registry_counters(client.registry, &counters);
    assert_int_equal(counters.requests, 6);
    client_close(&client);
}

static void test_breaker_closes_by_a_probe(void **state)
{
    struct client client;
    struct registry_tuning tuning = client_tuning;
    struct client_options options = {.tuning = &tuning};
    struct result results[3] = {0};
    struct registry_counters counters;
    AUTO_RESULT struct result result = {0};
    AUTO_FREE char *up = NULL;
    FILE *file;

    (void)state;
    tuning.attempts = 1;
    tuning.breaker_failures = 2;
    client_open(&client, "failing-until-told", &options);
    client_fetch(&client, "v1", &result);
    client_fetch(&client, "v1", &result);
    registry_counters(client.registry, &counters);
    assert_true(counters.breaker_open);
    up = text_new("%s.up", client.stub.record);
    file = fopen(up, "w");
    assert_non_null(file);
    fclose(file);
    client_run_for(&client, 350);
    /* Half open: one goes first, the others wait for it and follow. */
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &results[i]);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        if (!results[i].done)
            client_wait(&client, &results[i]);
        expect_success(&results[i]);
        result_release(&results[i]);
    }
    registry_counters(client.registry, &counters);
    assert_false(counters.breaker_open);
    client_close(&client);
}

static void test_type_of_content(void **state)
{
    static const struct {
        const char *scenario;
        const char *media_type;
    } cases[] = {
        {"type-parameters", MEDIA_TYPE_OCI_MANIFEST},
        {"no-type", ""},
        /* Told as it is: the reader of manifests refuses it. */
        {"type-mismatch", MEDIA_TYPE_OCI_INDEX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, NULL);
        client_fetch(&client, "v1", &result);
        expect_success(&result);
        assert_string_equal(result.media_type, cases[i].media_type);
        client_close(&client);
    }
}

static void test_names_against_the_grammar(void **state)
{
    static const struct {
        const char *repository;
        const char *reference;
    } cases[] = {{"App", "v1"},        {"../etc", "v1"},      {"app", "v 1"},
                 {"app", ""},          {"app", "../../x"},    {"", "v1"},
                 {"app", "sha256:zz"}, {"app\r\nX: y", "v1"}, {"app", "md5:abcd"},
                 {"app?x", "v1"},      {"app", "v1?digest="}, {"app/", "v1"},
                 {"app%2fother", "v1"}};
    struct client client;

    (void)state;
    client_open(&client, "ok", NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_RESULT struct result result = {0};

        (void)registry_fetch_manifest(client.registry, cases[i].repository, cases[i].reference,
                                      result_take, &result);
        client_wait(&client, &result);
        expect_failure(&result, FAILURE_INPUT, "is ");
    }
    assert_int_equal(stub_count(&client.stub, "/v2/", NULL), 0);
    client_close(&client);
}

static void test_absent(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    client_fetch(&client, "missing", &result);
    expect_failure(&result, FAILURE_ABSENT, "answered 404: MANIFEST_UNKNOWN: manifest unknown");
    assert_int_equal(stub_count(&client.stub, "manifests", NULL), 1);
    client_close(&client);
}

static void resolve(struct client *client, const char *reference, struct result *ret)
{
    result_release(ret);
    (void)registry_resolve(client->registry, "app", reference, result_take, ret);
    client_wait(client, ret);
}

static void test_resolve(void **state)
{
    static const struct {
        const char *scenario;
        size_t head_count, get_count; /* for two resolves */
    } cases[] = {
        {"ok", 2, 0},
        {"head-refused", 1, 2}, /* learned at the first */
        {"head-without-digest", 2, 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, NULL);
        resolve(&client, "v1", &result);
        expect_success(&result);
        expect_digest(&result.digest, stub_value(&client.stub, "image"));
        assert_null(result.bytes);
        resolve(&client, "multi", &result);
        expect_digest(&result.digest, stub_value(&client.stub, "index"));
        assert_string_equal(result.media_type, MEDIA_TYPE_OCI_INDEX);
        assert_int_equal(stub_count(&client.stub, "\"HEAD\"", NULL), cases[i].head_count);
        assert_int_equal(stub_count(&client.stub, "\"GET\"", NULL), cases[i].get_count);
        client_close(&client);
    }
}

static void test_resolve_failures(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    resolve(&client, "missing", &result);
    expect_failure(&result, FAILURE_ABSENT, "404");
    client_close(&client);
    /* A HEAD that is refused has no text: the GET tells why. */
    client_open(&client, "odd-error", NULL);
    resolve(&client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "DENIED: no ");
    client_close(&client);
    client_open(&client, "schema1", NULL);
    resolve(&client, "v1", &result);
    expect_failure(&result, FAILURE_INPUT, "schema 1");
    client_close(&client);
}

static void test_redirect_to_another_origin_carries_no_credentials(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "redirect-other", &options);
    client_fetch_config(&client, &result);
    expect_success(&result);
    client_fetch(&client, "v1", &result);
    expect_success(&result);
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 2);
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", "\"authorization\": \"\""), 2);
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", "Authorization"), 0);
    client_close(&client);
}

static void test_redirect_on_the_same_origin_keeps_credentials(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "redirect-same", &options);
    client_fetch(&client, "v1", &result);
    expect_success(&result);
    assert_int_equal(stub_count(&client.stub, "hop=1", "Basic "), 1);
    client_close(&client);
}

static void test_redirect_from_https_to_http_is_refused(void **state)
{
    struct client client;
    struct client_options options = {.with_password = true};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "redirect-downgrade", &options);
    client_fetch_config(&client, &result);
    expect_failure(&result, FAILURE_LATER, "without encryption");
    assert_null(strstr(result.error.text, "s3cret"));
    assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 0);
    client_close(&client);
}

static void test_own_authority(void **state)
{
    static const struct {
        bool distrust;
        enum failure kind;
        const char *text;
    } cases[] = {{false, FAILURE_NONE, ""}, {true, FAILURE_DENIED, "certificate"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        struct client_options options = {.distrust = cases[i].distrust};
        AUTO_RESULT struct result result = {0};

        client_open(&client, "secure", &options);
        client_fetch(&client, "v1", &result);
        expect_failure(&result, cases[i].kind, cases[i].text);
        client_close(&client);
    }
}

static void test_ping(void **state)
{
    static const struct {
        const char *scenario;
        enum failure kind;
    } cases[] = {{"ok", FAILURE_NONE}, {"html-error", FAILURE_DENIED}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, cases[i].scenario, NULL);
        (void)registry_ping(client.registry, result_take, &result);
        client_wait(&client, &result);
        assert_int_equal(result.error.kind, cases[i].kind);
        client_close(&client);
    }
}

static void test_no_more_at_once_than_allowed(void **state)
{
    struct client client;
    struct client_options options = {.concurrency = 2};
    struct result results[12] = {0};
    struct registry_counters counters;

    (void)state;
    client_open(&client, "ok", &options);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &results[i]);
    registry_counters(client.registry, &counters);
    assert_int_equal(counters.waiting, ARRAY_COUNT(results));
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        if (!results[i].done)
            client_wait(&client, &results[i]);
        registry_counters(client.registry, &counters);
        assert_true(counters.active <= 2);
        expect_success(&results[i]);
        result_release(&results[i]);
    }
    client_close(&client);
}

static void test_cancel(void **state)
{
    struct client client;
    AUTO_RESULT struct result kept = {0};
    AUTO_RESULT struct result dropped = {0};
    uint64_t id;

    (void)state;
    client_open(&client, "ok", NULL);
    id = registry_fetch_manifest(client.registry, "app", "v1", result_take, &dropped);
    (void)registry_fetch_manifest(client.registry, "app", "v1", result_take, &kept);
    registry_cancel(client.registry, id);
    registry_cancel(client.registry, id);
    registry_cancel(client.registry, 4711);
    client_wait(&client, &kept);
    id = registry_fetch_manifest(client.registry, "BAD", "v1", result_take, &dropped);
    registry_cancel(client.registry, id);
    client_run_for(&client, 50);
    assert_int_equal(dropped.calls, 0);
    client_close(&client);
}

static void test_freeing_ends_everything_once(void **state)
{
    struct client client;
    struct client_options options = {.concurrency = 1};
    struct result results[4] = {0};

    (void)state;
    client_open(&client, "silent", &options);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(client.registry, i == 3 ? "BAD" : "app", "v1", result_take,
                                      &results[i]);
    client_run_for(&client, 100);
    client_close(&client);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        assert_int_equal(results[i].calls, 1);
        expect_failure(&results[i], i == 3 ? FAILURE_INPUT : FAILURE_LATER, "");
        result_release(&results[i]);
    }
}

static void test_settings_that_cannot_be(void **state)
{
    static char name[] = "prod";
    static char user[] = "robot";
    static char colon[] = "ro:bot";
    static char file[] = "/nonexistent/secret";
    static char plain[] = "http://127.0.0.1:5000";
    static char path[] = "http://127.0.0.1:5000/prefix";
    static char scheme[] = "ftp://127.0.0.1";
    static const struct {
        struct config_registry settings;
        enum failure kind;
        const char *text;
    } cases[] = {
        {{.name = name, .url = path}, FAILURE_INPUT, "registry prod: url: "},
        {{.name = name, .url = scheme}, FAILURE_INPUT, "registry prod: url: "},
        {{.name = name, .url = plain, .username = user}, FAILURE_INPUT, "belong together"},
        {{.name = name, .url = plain, .username = colon, .password_file = file},
         FAILURE_INPUT,
         "colon"},
        {{.name = name, .url = plain, .username = user, .password_file = file},
         FAILURE_ABSENT,
         "/nonexistent/secret"},
    };
    struct loop *loop;

    (void)state;
    assert_int_equal(loop_new(&loop, NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct registry *registry = NULL;
        struct error error = {0};

        assert_int_equal(registry_new(loop, &cases[i].settings, &registry, &error), cases[i].kind);
        assert_null(registry);
        assert_non_null(strstr(error.text, cases[i].text));
    }
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_by_tag_and_digest),
        cmocka_unit_test(test_blob),
        cmocka_unit_test(test_refused_manifests),
        cmocka_unit_test(test_wrong_bytes_by_digest),
        cmocka_unit_test(test_blobs_of_wrong_size),
        cmocka_unit_test(test_large_blob_is_not_asked_for),
        cmocka_unit_test(test_endless_bodies_take_bounded_memory),
        cmocka_unit_test(test_slow_body_is_given_up),
        cmocka_unit_test(test_silence_is_given_up),
        cmocka_unit_test(test_failures_that_pass),
        cmocka_unit_test(test_long_retry_after_is_handed_on),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_breaker_closes_by_a_probe),
        cmocka_unit_test(test_type_of_content),
        cmocka_unit_test(test_names_against_the_grammar),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_failures),
        cmocka_unit_test(test_redirect_to_another_origin_carries_no_credentials),
        cmocka_unit_test(test_redirect_on_the_same_origin_keeps_credentials),
        cmocka_unit_test(test_redirect_from_https_to_http_is_refused),
        cmocka_unit_test(test_own_authority),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_no_more_at_once_than_allowed),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_freeing_ends_everything_once),
        cmocka_unit_test(test_settings_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
