/* Writes: manifests put and removed, tags removed, blobs mounted and streamed through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "client.h"

static const char manifest_bytes[] = "{\"schemaVersion\":2}";

static void put(struct client *client, const char *reference, struct result *ret)
{
    struct registry_manifest_put wanted = {.repository = "app",
                                           .reference = reference,
                                           .media_type = "application/vnd.example+json",
                                           .bytes = manifest_bytes,
                                           .size = sizeof(manifest_bytes) - 1};

    result_release(ret);
    (void)registry_put_manifest(client->registry, &wanted, result_take, ret);
    client_wait(client, ret);
}

static void test_put(void **state)
{
    struct client client;
    struct digest digest;
    char text[DIGEST_TEXT_SIZE];
    AUTO_RESULT struct result result = {0};
    AUTO_RESULT struct result fetched = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    digest_compute(NULL, manifest_bytes, sizeof(manifest_bytes) - 1, &digest);
    put(&client, "new", &result);
    expect_success(&result);
    assert_true(digest_equal(&result.digest, &digest));
    client_fetch(&client, "new", &fetched);
    assert_string_equal(fetched.bytes, manifest_bytes);
    assert_string_equal(fetched.media_type, "application/vnd.example+json");
    put(&client, digest_format(&digest, text), &result);
    expect_success(&result);
    client_close(&client);
}

static void test_put_that_cannot_be(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    put(&client, stub_value(&client.stub, "image"), &result);
    expect_failure(&result, FAILURE_INPUT, "not the one that was asked for");
    put(&client, "not a tag", &result);
    expect_failure(&result, FAILURE_INPUT, "neither a tag nor a digest");
    assert_int_equal(stub_count(&client.stub, "\"PUT\"", NULL), 0);
    client_close(&client);
}

/* What a write leads to when the registry does not play along; none is sent twice. */
static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
    size_t requests;
} bad_puts[] = {
    {"put-lost", FAILURE_UNCERTAIN, "put of manifest app, new", 1},
    {"put-fails", FAILURE_UNCERTAIN, "answered 500: UNKNOWN", 1},
    {"put-other-digest", FAILURE_UNCERTAIN, "taken as other bytes", 1},
    {"redirect-put", FAILURE_INPUT, "answered 307", 1},
    {"throttled", FAILURE_NONE, "", 2}, /* it said that it did nothing */
    {"failing-always", FAILURE_LATER, "answered 503", 4},
    {"odd-error", FAILURE_DENIED, "DENIED", 1},
};

static void test_bad_puts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_puts); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};

        client_open(&client, bad_puts[i].scenario, NULL);
        put(&client, "new", &result);
        expect_failure(&result, bad_puts[i].kind, bad_puts[i].text);
        assert_int_equal(stub_count(&client.stub, "\"PUT\"", NULL), bad_puts[i].requests);
        assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 0);
        client_close(&client);
    }
}

static void test_put_to_a_dead_registry_is_no_riddle(void **state)
{
    struct client client;
    struct client_options options = {.url = "http://127.0.0.1:1"};
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, NULL, &options);
    put(&client, "new", &result);
    expect_failure(&result, FAILURE_LATER, "put of manifest app, new");
    client_close(&client);
}

static void delete_tag(struct client *client, const char *tag, struct result *ret)
{
    result_release(ret);
    (void)registry_delete_tag(client->registry, "app", tag, result_take, ret);
    client_wait(client, ret);
}

static void delete_image(struct client *client, struct result *ret)
{
    struct digest digest;

    result_release(ret);
    assert_int_equal(digest_parse(stub_value(&client->stub, "image"), &digest, NULL), 0);
    (void)registry_delete_manifest(client->registry, "app", &digest, result_take, ret);
    client_wait(client, ret);
}

static const struct {
    const char *scenario;
    enum failure tag, manifest;
    enum answer tag_delete, manifest_delete;
} removals[] = {
    {"ok", FAILURE_NONE, FAILURE_NONE, ANSWER_YES, ANSWER_YES},
    {"delete-unsupported", FAILURE_DENIED, FAILURE_DENIED, ANSWER_NO, ANSWER_NO},
    {"tag-delete-unsupported", FAILURE_DENIED, FAILURE_NONE, ANSWER_NO, ANSWER_YES},
    {"odd-error", FAILURE_DENIED, FAILURE_DENIED, ANSWER_UNKNOWN, ANSWER_UNKNOWN},
};

static void test_removals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(removals); i++) {
        struct client client;
        struct registry_abilities abilities;
        AUTO_RESULT struct result result = {0};

        client_open(&client, removals[i].scenario, NULL);
        delete_tag(&client, "artifact", &result);
        expect_failure(&result, removals[i].tag, "");
        delete_image(&client, &result);
        expect_failure(&result, removals[i].manifest, "");
        registry_abilities(client.registry, &abilities);
        assert_int_equal(abilities.tag_delete, removals[i].tag_delete);
        assert_int_equal(abilities.manifest_delete, removals[i].manifest_delete);
        client_close(&client);
    }
}

static void test_removals_that_cannot_be(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    delete_tag(&client, "missing", &result);
    expect_failure(&result, FAILURE_ABSENT, "404");
    /* A digest would take all tags along. */
    delete_tag(&client, stub_value(&client.stub, "image"), &result);
    expect_failure(&result, FAILURE_INPUT, "is not a tag");
    assert_int_equal(stub_count(&client.stub, "\"DELETE\"", NULL), 1);
    client_close(&client);
}

static void copy(struct client *client, const char *blob, const char *to, struct result *ret)
{
    AUTO_FREE char *size_name = text_new("%s-size", blob);
    struct registry_blob_copy wanted = {.from = "app", .to = to};

    result_release(ret);
    assert_int_equal(digest_parse(stub_value(&client->stub, blob), &wanted.digest, NULL), 0);
    assert_int_equal(
        text_parse_uint(stub_value(&client->stub, size_name), UINT64_MAX, &wanted.size, NULL), 0);
    (void)registry_copy_blob(client->registry, &wanted, result_take, ret);
    client_wait(client, ret);
}

static void test_copy_mounts(void **state)
{
    struct client client;
    struct registry_abilities abilities;
    AUTO_RESULT struct result result = {0};

    (void)state;
    client_open(&client, "ok", NULL);
    copy(&client, "layer", "quarantine/app", &result);
    expect_success(&result);
    assert_true(result.mounted);
    registry_abilities(client.registry, &abilities);
    assert_int_equal(abilities.mount, ANSWER_YES);
    /* The second time it is there. */
    copy(&client, "layer", "quarantine/app", &result);
    expect_success(&result);
    assert_true(result.mounted);
    assert_int_equal(stub_count(&client.stub, "\"POST\"", NULL), 1);
    assert_int_equal(stub_count(&client.stub, "\"GET\"", NULL), 0);
    client_close(&client);
}

static long resident_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void test_copy_streams(void **state)
{
    static const char *const scenarios[] = {"mount-refused", "slow-upload", "mount-refused-token"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct client client;
        /* One place only: download and upload must not wait for each other. */
        struct client_options options = {.with_password = true, .concurrency = 1};
        struct registry_abilities abilities;
        AUTO_RESULT struct result result = {0};
        long before_kib;

        client_open(&client, scenarios[i], &options);
        before_kib = resident_kib();
        copy(&client, "big", "quarantine/app", &result);
        expect_success(&result);
        assert_false(result.mounted);
        registry_abilities(client.registry, &abilities);
        assert_int_equal(abilities.mount, ANSWER_NO);
        assert_int_equal(stub_count(&client.stub, "blobs/uploads/1", "\"PUT\""), 1);
        copy(&client, "big", "quarantine/app", &result);
        assert_true(result.mounted);
        /* The ring, libcurl's buffers, and what sanitizers add; not the 16 MiB of the blob. */
        assert_in_range(resident_kib() - before_kib, 0, 12 * 1024);
        client_close(&client);
    }
}

static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
} bad_copies[] = {
    {"copy-wrong-digest", FAILURE_INPUT, "do not have the digest"},
    {"copy-short", FAILURE_INPUT, "its descriptor says"},
    {"copy-long", FAILURE_INPUT, "more bytes than"},
    {"upload-elsewhere", FAILURE_INPUT, "on another host"},
    {"upload-nowhere", FAILURE_INPUT, "does not say where"},
    {"upload-fails", FAILURE_LATER, "copy of blob"},
    {"failing-always", FAILURE_LATER, "503"},
    {"odd-error", FAILURE_DENIED, "answered 403"},
};

static void test_bad_copies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_copies); i++) {
        struct client client;
        AUTO_RESULT struct result result = {0};
        bool has_big;

        client_open(&client, bad_copies[i].scenario, NULL);
        has_big = text_pairs_get(&client.stub.values, "big") != NULL;
        copy(&client, has_big ? "big" : "layer", "quarantine/app", &result);
        expect_failure(&result, bad_copies[i].kind, bad_copies[i].text);
        assert_int_equal(stub_count(&client.stub, "\"at\": \"other\"", NULL), 0);
        client_close(&client);
    }
}

/* The upload of a wrong blob is never completed: it is not there afterwards. */
static void test_wrong_blob_does_not_arrive(void **state)
{
    struct client client;
    struct digest digest;
    AUTO_RESULT struct result result = {0};
    AUTO_RESULT struct result looked = {0};

    (void)state;
    client_open(&client, "copy-wrong-digest", NULL);
    copy(&client, "layer", "quarantine/app", &result);
    expect_failure(&result, FAILURE_INPUT, "do not have the digest");
    assert_int_equal(digest_parse(stub_value(&client.stub, "layer"), &digest, NULL), 0);
    (void)registry_fetch_blob(client.registry, "quarantine/app", &digest, 20480, result_take,
                              &looked);
    client_wait(&client, &looked);
    expect_failure(&looked, FAILURE_ABSENT, "BLOB_UNKNOWN");
    client_close(&client);
}

static void test_copy_cancelled_midway(void **state)
{
    struct client client;
    AUTO_RESULT struct result result = {0};
    struct registry_blob_copy wanted = {.from = "app", .to = "quarantine/app", .size = 16 << 20};
    uint64_t id;

    (void)state;
    client_open(&client, "slow-upload", NULL);
    assert_int_equal(digest_parse(stub_value(&client.stub, "big"), &wanted.digest, NULL), 0);
    id = registry_copy_blob(client.registry, &wanted, result_take, &result);
    client_run_for(&client, 60);
    registry_cancel(client.registry, id);
    client_run_for(&client, 50);
    (void)registry_copy_blob(client.registry, &wanted, result_take, &result);
    client_run_for(&client, 60);
    client_close(&client);
    assert_int_equal(result.calls, 1);
    expect_failure(&result, FAILURE_LATER, "closing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_put_that_cannot_be),
        cmocka_unit_test(test_bad_puts),
        cmocka_unit_test(test_put_to_a_dead_registry_is_no_riddle),
        cmocka_unit_test(test_removals),
        cmocka_unit_test(test_removals_that_cannot_be),
        cmocka_unit_test(test_copy_mounts),
        cmocka_unit_test(test_copy_streams),
        cmocka_unit_test(test_bad_copies),
        cmocka_unit_test(test_wrong_blob_does_not_arrive),
        cmocka_unit_test(test_copy_cancelled_midway),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
