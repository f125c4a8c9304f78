/* A registry that is Amazon ECR: its password, pages, removals, puts, archiving and scan reports,
 * against a stub that holds every request against AWS's own service model where that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/clock.h"
#include "regwarden/vulnerabilities.h"

#include "ecr_world.h"

static size_t calls(const struct ecr_world *test, const char *operation)
{
    AUTO_FREE char *part = text_new("{\"api\": \"%s\"}", operation);

    return stub_count(&test->client.stub, part, NULL);
}

static void digest_named(const struct ecr_world *test, const char *value, struct digest *ret)
{
    assert_int_equal(digest_parse(stub_value(&test->client.stub, value), ret, NULL), 0);
}

/* --- the password --- */

static void test_one_password_for_many(void **state)
{
    struct ecr_world test;
    struct result results[6] = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        (void)registry_fetch_manifest(test.client.registry, "app", "v1", result_take, &results[i]);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        if (!results[i].done)
            client_wait(&test.client, &results[i]);
        expect_success(&results[i]);
        /* ECR does not say the digest of what it sends. */
        expect_digest(&results[i].digest, stub_value(&test.client.stub, "image"));
    }
    assert_int_equal(calls(&test, "GetAuthorizationToken"), 1);
    assert_int_equal(stub_count(&test.client.stub, "\"GET\"", "\"authorization\": \"\""), 0);
    for (size_t i = 0; i < ARRAY_COUNT(results); i++)
        result_release(&results[i]);
    ecr_world_close(&test);
}

static void test_password_that_is_not_taken_any_more(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "expired", true));
    client_fetch(&test.client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "refuses the password that it has just handed out");
    /* Later it is an old one, and renewed. */
    clock_set_for_test(clock_wall_ms(), clock_steady_ms() + INT64_C(3600) * 1000);
    client_fetch(&test.client, "v1", &result);
    clock_set_for_test(-1, -1);
    expect_success(&result);
    assert_int_equal(calls(&test, "GetAuthorizationToken"), 2);
    ecr_world_close(&test);
}

static void test_password_is_renewed_before_it_expires(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "short-lived", true));
    client_fetch(&test.client, "v1", &result);
    client_fetch(&test.client, "v1", &result);
    assert_int_equal(calls(&test, "GetAuthorizationToken"), 1);
    clock_set_for_test(clock_wall_ms() + 55000, clock_steady_ms() + 55000);
    client_fetch(&test.client, "v1", &result);
    clock_set_for_test(-1, -1);
    expect_success(&result);
    assert_int_equal(calls(&test, "GetAuthorizationToken"), 2);
    ecr_world_close(&test);
}

static void test_password_for_another_registry(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "other-registry", true));
    client_fetch(&test.client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "for 999999999999.dkr.ecr.eu-central-1");
    assert_non_null(strstr(result.error.hint, "hosts"));
    assert_int_equal(stub_count(&test.client.stub, "\"GET\"", NULL), 0);
    ecr_world_close(&test);
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok",
                               false)); /* nobody said that the stub is that registry */
    client_fetch(&test.client, "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "which is not 127.0.0.1");
    ecr_world_close(&test);
}

/* None of these say anything of the image. */
static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
} bad_logins[] = {
    {"GetAuthorizationToken=AccessDeniedException", FAILURE_DENIED, "AccessDeniedException"},
    {"GetAuthorizationToken=InvalidParameterException", FAILURE_LATER, "InvalidParameter"},
    {"GetAuthorizationToken=RepositoryNotFoundException", FAILURE_LATER, "NotFound"},
    {"GetAuthorizationToken=ThrottlingException*2", FAILURE_NONE, ""},
    {"GetAuthorizationToken=lost*1", FAILURE_NONE, ""},
};

static void test_bad_logins(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_logins); i++) {
        struct ecr_world test;
        AUTO_RESULT struct result result = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", bad_logins[i].scenario, true));
        client_fetch(&test.client, "v1", &result);
        expect_failure(&result, bad_logins[i].kind, bad_logins[i].text);
        if (bad_logins[i].kind == FAILURE_DENIED)
            assert_non_null(strstr(result.error.hint, "ecr:GetAuthorizationToken"));
        ecr_world_close(&test);
    }
}

static void test_wrong_clock(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "clock=7200", true));
    client_fetch(&test.client, "v1", &result);
    expect_success(&result);
    ecr_world_close(&test);
}

/* --- pages --- */

static void test_pages(void **state)
{
    struct ecr_world test;
    struct ecr_rows_seen rows = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    (void)registry_page_of_repositories(test.client.registry, NULL, ecr_world_take, &rows);
    ecr_world_wait(&test, &rows);
    assert_int_equal(rows.repositories.count, 2);
    assert_null(rows.cursor);
    (void)registry_page_of_images(test.client.registry, "app", "", ecr_world_take, &rows);
    ecr_world_wait(&test, &rows);
    assert_int_equal(rows.tags.count, 5);
    assert_true(text_list_has(&rows.tags, "v1"));
    assert_true(text_list_has(&rows.tags, "multi"));
    assert_true(text_list_has(&rows.tags, "artifact"));
    assert_true(text_list_has(&rows.tags, ""));
    assert_null(rows.cursor);
    ecr_world_release_rows(&rows);
    ecr_world_close(&test);
}

/* Whoever may push gives images as many tags as fit: the page is read in parts. */
static void test_pages_with_too_much(void **state)
{
    static const char *const scenarios[] = {"crowded=100001", "crowded=510000"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct ecr_world test;
        struct ecr_rows_seen rows = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", scenarios[i], true));
        (void)registry_page_of_images(test.client.registry, "app", NULL, ecr_world_take, &rows);
        ecr_world_wait(&test, &rows);
        if (rows.error.kind != FAILURE_NONE)
            fail_msg("%s: %s", scenarios[i], rows.error.text);
        assert_int_equal(rows.tags.count, 5);
        ecr_world_release_rows(&rows);
        ecr_world_close(&test);
    }
}

static void test_pages_in_a_row(void **state)
{
    static const char *const scenarios[] = {"pages=1", "pages=2,long-cursors"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
        struct ecr_world test;
        struct ecr_rows_seen rows = {0};
        unsigned pages = 0;

        assert_true(ecr_world_open(&test, "ecr_stub.py", scenarios[i], true));
        do {
            AUTO_FREE char *cursor = memory_copy_text(rows.cursor);

            (void)registry_page_of_images(test.client.registry, "app", cursor, ecr_world_take,
                                          &rows);
            ecr_world_wait(&test, &rows);
            assert_int_equal(rows.error.kind, FAILURE_NONE);
            assert_true(!rows.cursor || strlen(rows.cursor) <= 1024);
            pages++;
        } while (rows.cursor);
        assert_int_equal(rows.tags.count, 5);
        assert_int_equal(pages, i == 0 ? 5 : 3);
        ecr_world_release_rows(&rows);
        ecr_world_close(&test);
    }
}

static void test_stale_cursors(void **state)
{
    static const char *const cursors[] = {"page99", "@0123456789abcdef01234567"};
    struct ecr_world test;

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    for (size_t i = 0; i < ARRAY_COUNT(cursors); i++) {
        struct ecr_rows_seen rows = {0};

        (void)registry_page_of_images(test.client.registry, "app", cursors[i], ecr_world_take,
                                      &rows);
        ecr_world_wait(&test, &rows);
        assert_int_equal(rows.error.kind, FAILURE_ABSENT);
    }
    ecr_world_close(&test);
}

static const struct {
    const char *scenario;
    const char *repository;
    enum failure kind;
} bad_pages[] = {
    {"ok", "missing", FAILURE_ABSENT},
    {"ok", "../x", FAILURE_INPUT},
    {"ok", NULL, FAILURE_INPUT},
    {"DescribeImages=ThrottlingException", "app", FAILURE_LATER},
    {"DescribeImages=InvalidParameterException", "app", FAILURE_LATER},
    {"DescribeImages=ServerException", "app", FAILURE_LATER},
    {"DescribeImages=429", "app", FAILURE_LATER},
    {"DescribeImages=AccessDeniedException", "app", FAILURE_DENIED},
    {"DescribeImages=ThrottlingException*2", "app", FAILURE_NONE},
};

static void test_bad_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_pages); i++) {
        struct ecr_world test;
        struct ecr_rows_seen rows = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", bad_pages[i].scenario, true));
        (void)registry_page_of_images(test.client.registry, bad_pages[i].repository, NULL,
                                      ecr_world_take, &rows);
        ecr_world_wait(&test, &rows);
        if (rows.error.kind != bad_pages[i].kind)
            fail_msg("%s: %s", bad_pages[i].scenario, rows.error.text);
        ecr_world_release_rows(&rows);
        ecr_world_close(&test);
    }
}

/* --- removing --- */

static void put(struct ecr_world *test, const char *repository, const char *tag, const char *bytes,
                struct result *ret)
{
    struct registry_manifest_put wanted = {.repository = repository,
                                           .reference = tag,
                                           .media_type = "application/vnd.oci.image.index.v1+json",
                                           .bytes = bytes,
                                           .size = strlen(bytes)};

    result_release(ret);
    (void)registry_put_manifest(test->client.registry, &wanted, result_take, ret);
    client_wait(&test->client, ret);
}

/* Puts the image of `v1` under another tag, too. */
static void add_tag(struct ecr_world *test, const char *tag)
{
    AUTO_RESULT struct result fetched = {0};
    AUTO_RESULT struct result result = {0};
    struct registry_manifest_put wanted = {.repository = "app", .reference = tag};

    client_fetch(&test->client, "v1", &fetched);
    expect_success(&fetched);
    wanted.media_type = fetched.media_type;
    wanted.bytes = fetched.bytes;
    wanted.size = fetched.size;
    (void)registry_put_manifest(test->client.registry, &wanted, result_take, &result);
    client_wait(&test->client, &result);
    expect_success(&result);
}

static void delete_tag(struct ecr_world *test, const char *tag, struct result *ret)
{
    result_release(ret);
    (void)registry_delete_tag(test->client.registry, "app", tag, result_take, ret);
    client_wait(&test->client, ret);
}

static void delete_manifest(struct ecr_world *test, const char *value, struct result *ret)
{
    struct digest digest;

    digest_named(test, value, &digest);
    result_release(ret);
    (void)registry_delete_manifest(test->client.registry, "app", &digest, result_take, ret);
    client_wait(&test->client, ret);
}

static void test_tag_removed(void **state)
{
    struct ecr_world test;
    struct registry_abilities abilities;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    add_tag(&test, "v2");
    delete_tag(&test, "v2", &result);
    expect_success(&result);
    client_fetch(&test.client, "v2", &result);
    expect_failure(&result, FAILURE_ABSENT, "404");
    client_fetch(&test.client, "v1", &result);
    expect_success(&result);
    registry_abilities(test.client.registry, &abilities);
    assert_int_equal(abilities.tag_delete, ANSWER_YES);
    assert_int_equal(abilities.labels, ANSWER_NO);
    ecr_world_close(&test);
}

/* ECR would remove the image with its last tag; the door promises to remove the tag only. */
static void test_last_tag_is_not_removed(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    delete_tag(&test, "artifact", &result);
    expect_failure(&result, FAILURE_LIMIT, "the only tag of its image");
    assert_int_equal(calls(&test, "BatchDeleteImage"), 0);
    client_fetch(&test.client, "artifact", &result);
    expect_success(&result);
    ecr_world_close(&test);
}

/* Two tags of one image are removed at once: the second one has become the last by then. */
static void test_the_last_of_two_stays(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result first = {0};
    AUTO_RESULT struct result second = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    add_tag(&test, "v2");
    (void)registry_delete_tag(test.client.registry, "app", "v1", result_take, &first);
    (void)registry_delete_tag(test.client.registry, "app", "v2", result_take, &second);
    client_wait(&test.client, &first);
    client_wait(&test.client, &second);
    expect_success(&first);
    expect_failure(&second, FAILURE_LIMIT, "the only tag of its image");
    client_fetch(&test.client, "v2", &second);
    expect_success(&second);
    ecr_world_close(&test);
}

static void test_line_goes_on_after_a_cancelled_one(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result first = {0};
    AUTO_RESULT struct result second = {0};
    uint64_t id;

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    add_tag(&test, "v2");
    id = registry_delete_tag(test.client.registry, "app", "v1", result_take, &first);
    (void)registry_delete_tag(test.client.registry, "app", "v2", result_take, &second);
    registry_cancel(test.client.registry, id);
    client_wait(&test.client, &second);
    expect_success(&second);
    assert_int_equal(first.calls, 0);
    ecr_world_close(&test);
}

static void test_tag_that_moved(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "moved", true));
    add_tag(&test, "v2");
    delete_tag(&test, "v1", &result);
    expect_failure(&result, FAILURE_ABSENT, "on another image");
    client_fetch(&test.client, "v1", &result);
    expect_digest(&result.digest, stub_value(&test.client.stub, "index"));
    ecr_world_close(&test);
}

static void test_manifest_removed(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    delete_manifest(&test, "image", &result);
    expect_failure(&result, FAILURE_DENIED, "an image index names it");
    delete_manifest(&test, "index", &result);
    expect_success(&result);
    delete_manifest(&test, "index", &result);
    expect_failure(&result, FAILURE_ABSENT, "not there");
    delete_manifest(&test, "image", &result);
    expect_success(&result);
    ecr_world_close(&test);
}

static const struct {
    const char *scenario;
    enum failure kind;
    size_t calls;
} bad_removals[] = {
    {"BatchDeleteImage=lost", FAILURE_UNCERTAIN, 1},
    {"BatchDeleteImage=ServerException", FAILURE_UNCERTAIN, 1},
    {"BatchDeleteImage=ThrottlingException*1", FAILURE_NONE, 2},
    {"BatchDeleteImage=AccessDeniedException", FAILURE_DENIED, 1},
    {"BatchDeleteImage=RepositoryNotFoundException", FAILURE_ABSENT, 1},
};

static void test_bad_removals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_removals); i++) {
        struct ecr_world test;
        AUTO_RESULT struct result result = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", bad_removals[i].scenario, true));
        delete_manifest(&test, "index", &result);
        expect_failure(&result, bad_removals[i].kind, "");
        assert_int_equal(calls(&test, "BatchDeleteImage"), bad_removals[i].calls);
        ecr_world_close(&test);
    }
}

static void test_names_that_are_none(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    delete_tag(&test, "sha256:abc", &result);
    expect_failure(&result, FAILURE_INPUT, "is not a tag");
    put(&test, "../x", "v1", "{}", &result);
    expect_failure(&result, FAILURE_INPUT, "not a repository");
    put(&test, "app", "not a tag", "{}", &result);
    expect_failure(&result, FAILURE_INPUT, "is not a tag");
    assert_int_equal(stub_count(&test.client.stub, "\"api\"", NULL), 0);
    ecr_world_close(&test);
}

/* --- putting --- */

#define EMPTY_INDEX                                                                         \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"mani" \
    "fests\":[]}"

static void test_put(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    put(&test, "app", "new", EMPTY_INDEX, &result);
    expect_success(&result);
    client_fetch(&test.client, "new", &result);
    assert_string_equal(result.bytes, EMPTY_INDEX);
    put(&test, "app", "new", EMPTY_INDEX, &result); /* the same again */
    expect_success(&result);
    put(&test, "app", "v1", EMPTY_INDEX, &result); /* moves the tag */
    expect_success(&result);
    ecr_world_close(&test);
}

static const struct {
    const char *scenario, *bytes;
    enum failure kind;
    const char *text, *hint;
} bad_puts[] = {
    {"immutable", EMPTY_INDEX, FAILURE_DENIED, "ImageTagAlreadyExistsException", "immutable"},
    {"ok", "{\"layers\":[{\"digest\":\"sha256:00\"}]}", FAILURE_INPUT, "LayersNotFound", ""},
    {"ok", "{\"manifests\":[{\"digest\":\"sha256:00\"}]}", FAILURE_INPUT,
     "ReferencedImagesNotFound", ""},
    {"ok", "{\"a\":\"\xff\"}", FAILURE_INPUT, "not UTF-8", ""},
    {"PutImage=LimitExceededException", EMPTY_INDEX, FAILURE_DENIED, "LimitExceeded", "quota"},
    {"PutImage=KmsException", EMPTY_INDEX, FAILURE_LATER, "KmsException", "KMS key"},
    {"PutImage=AccessDeniedException", EMPTY_INDEX, FAILURE_DENIED, "AccessDenied", "ecr:PutImage"},
    {"PutImage=lost", EMPTY_INDEX, FAILURE_UNCERTAIN, "put of manifest app, v1", ""},
};

static void test_bad_puts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_puts); i++) {
        struct ecr_world test;
        AUTO_RESULT struct result result = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", bad_puts[i].scenario, true));
        put(&test, "app", "v1", bad_puts[i].bytes, &result);
        expect_failure(&result, bad_puts[i].kind, bad_puts[i].text);
        if (!strstr(result.error.hint, bad_puts[i].hint))
            fail_msg("\"%s\" is not in \"%s\"", bad_puts[i].hint, result.error.hint);
        ecr_world_close(&test);
    }
}

/* --- copying into quarantine --- */

static void copy_layer(struct ecr_world *test, const char *to, struct result *ret)
{
    struct registry_blob_copy copy = {.from = "app", .to = to};

    result_release(ret);
    digest_named(test, "layer", &copy.digest);
    assert_int_equal(
        text_parse_uint(stub_value(&test->client.stub, "layer-size"), UINT64_MAX, &copy.size, NULL),
        0);
    (void)registry_copy_blob(test->client.registry, &copy, result_take, ret);
    client_wait(&test->client, ret);
}

static void test_repository_for_quarantine(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    copy_layer(&test, "quarantine/app", &result);
    expect_success(&result);
    assert_false(result.mounted);
    put(&test, "quarantine/other", "v1", EMPTY_INDEX, &result);
    expect_success(&result);
    assert_int_equal(calls(&test, "CreateRepository"), 2);
    copy_layer(&test, "quarantine/app", &result);
    assert_int_equal(calls(&test, "CreateRepository"), 2);
    ecr_world_close(&test);
}

static void test_no_other_repository_is_made(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    copy_layer(&test, "quarantined", &result);
    expect_failure(&result, FAILURE_ABSENT, "NAME_UNKNOWN");
    put(&test, "somewhere/else", "v1", EMPTY_INDEX, &result);
    expect_failure(&result, FAILURE_ABSENT, "RepositoryNotFound");
    test.client.settings.quarantine_means = QUARANTINE_AUTO;
    copy_layer(&test, "quarantine/app", &result);
    expect_failure(&result, FAILURE_ABSENT, "NAME_UNKNOWN");
    assert_int_equal(calls(&test, "CreateRepository"), 0);
    ecr_world_close(&test);
}

static void test_right_to_make_it_is_missing(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(
        ecr_world_open(&test, "ecr_stub.py", "CreateRepository=AccessDeniedException", true));
    copy_layer(&test, "quarantine/app", &result);
    expect_failure(&result, FAILURE_DENIED, "making of repository quarantine/app");
    assert_non_null(strstr(result.error.hint, "ecr:CreateRepository and ecr:TagResource"));
    ecr_world_close(&test);
    assert_true(ecr_world_open(&test, "ecr_stub.py",
                               "CreateRepository=RepositoryAlreadyExistsException", true));
    copy_layer(&test, "quarantine/app", &result); /* made by somebody else, and gone again */
    expect_failure(&result, FAILURE_ABSENT, "NAME_UNKNOWN");
    ecr_world_close(&test);
}

static void test_blob_is_mounted_where_that_is_on(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "mounts", true));
    copy_layer(&test, "team/other", &result);
    expect_success(&result);
    assert_true(result.mounted);
    ecr_world_close(&test);
}

/* --- archiving --- */

typedef uint64_t change_f(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument);

static void change(struct ecr_world *test, change_f *how, const char *value, struct result *ret)
{
    struct digest digest;

    digest_named(test, value, &digest);
    result_release(ret);
    (void)how(test->client.registry, "app", &digest, result_take, ret);
    client_wait(&test->client, ret);
}

static void test_archive_and_restore(void **state)
{
    struct ecr_world test;
    struct ecr_rows_seen rows = {0};
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    change(&test, registry_archive, "index", &result);
    expect_success(&result);
    client_fetch(&test.client, "multi", &result);
    expect_failure(&result, FAILURE_ABSENT, "404");
    (void)registry_page_of_images(test.client.registry, "app", NULL, ecr_world_take, &rows);
    ecr_world_wait(&test, &rows);
    assert_false(text_list_has(&rows.tags, "multi"));
    ecr_world_release_rows(&rows);
    change(&test, registry_archive, "index", &result); /* as it is already */
    expect_success(&result);
    change(&test, registry_restore, "index", &result);
    expect_failure(&result, FAILURE_LATER, "takes some minutes");
    assert_true(result.error.retry_after_ms > 0);
    change(&test, registry_restore, "index", &result);
    expect_failure(&result, FAILURE_LATER, "takes some minutes");
    change(&test, registry_restore, "index", &result);
    expect_success(&result);
    client_fetch(&test.client, "multi", &result);
    expect_success(&result);
    assert_int_equal(calls(&test, "UpdateImageStorageClass"), 3);
    ecr_world_close(&test);
}

static const struct {
    const char *scenario;
    enum failure kind;
    const char *text;
} bad_archives[] = {
    {"UpdateImageStorageClass=ImageNotFoundException", FAILURE_ABSENT, "ImageNotFound"},
    {"UpdateImageStorageClass=ImageStorageClassUpdateNotSupportedException", FAILURE_DENIED,
     "NotSupported"},
    {"UpdateImageStorageClass=ThrottlingException", FAILURE_LATER, "Throttling"},
    {"UpdateImageStorageClass=AccessDeniedException", FAILURE_DENIED, "AccessDenied"},
    {"UpdateImageStorageClass=lost", FAILURE_UNCERTAIN, "archiving of app@"},
};

static void test_bad_archives(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_archives); i++) {
        struct ecr_world test;
        AUTO_RESULT struct result result = {0};

        assert_true(ecr_world_open(&test, "ecr_stub.py", bad_archives[i].scenario, true));
        change(&test, registry_archive, "index", &result);
        expect_failure(&result, bad_archives[i].kind, bad_archives[i].text);
        ecr_world_close(&test);
    }
}

/* --- scan reports --- */

static void test_scan_report(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};
    AUTO_JSON struct json *report = NULL;
    struct vulnerability_report read = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    change(&test, registry_fetch_scan_report, "image", &result);
    expect_success(&result);
    assert_string_equal(result.media_type, MEDIA_TYPE_ECR_REPORT);
    assert_int_equal(json_parse(result.bytes, result.size, NULL, &report, NULL), 0);
    assert_int_equal(json_count(json_get(report, "findings")), 450);
    assert_int_equal(json_count(json_get(report, "enhancedFindings")), 0);
    assert_string_equal(json_get_string(report, "imageDigest"),
                        stub_value(&test.client.stub, "image"));
    assert_int_equal(calls(&test, "DescribeImageScanFindings"), 3);
    /* The reader of reports understands it. */
    assert_int_equal(
        vulnerability_report_read(result.media_type, result.bytes, result.size, &read, NULL), 0);
    assert_true(read.totals[VULNERABILITY_HIGH] == 225);
    assert_true(read.totals[VULNERABILITY_LOW] == 225);
    assert_string_equal(read.items[0].package, "openssl");
    vulnerability_report_release(&read);
    ecr_world_close(&test);
}

static void test_no_scan_report(void **state)
{
    struct ecr_world test;
    AUTO_RESULT struct result result = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    change(&test, registry_fetch_scan_report, "artifact", &result);
    expect_failure(&result, FAILURE_ABSENT, "ScanNotFound");
    change(&test, registry_fetch_scan_report, "index", &result);
    expect_failure(&result, FAILURE_LATER, "IN_PROGRESS");
    ecr_world_close(&test);
    assert_true(ecr_world_open(&test, "ecr_stub.py",
                               "DescribeImageScanFindings=ValidationException", true));
    change(&test, registry_fetch_scan_report, "image", &result);
    expect_failure(&result, FAILURE_LATER, "ValidationException"); /* not the image's fault */
    ecr_world_close(&test);
}

/* --- the end --- */

static void test_freed_in_the_middle(void **state)
{
    struct ecr_world test;
    struct digest digest;
    struct ecr_rows_seen rows = {0};
    struct result results[4] = {0};

    (void)state;
    assert_true(ecr_world_open(&test, "ecr_stub.py", "ok", true));
    digest_named(&test, "index", &digest);
    (void)registry_fetch_manifest(test.client.registry, "app", "v1", result_take, &results[0]);
    (void)registry_delete_tag(test.client.registry, "app", "v1", result_take, &results[1]);
    (void)registry_delete_manifest(test.client.registry, "app", &digest, result_take, &results[2]);
    (void)registry_archive(test.client.registry, "app", &digest, result_take, &results[3]);
    (void)registry_page_of_images(test.client.registry, "app", NULL, ecr_world_take, &rows);
    client_run_for(&test.client, 3);
    registry_free(test.client.registry);
    test.client.registry = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(results); i++) {
        assert_true(results[i].done);
        result_release(&results[i]);
    }
    ecr_world_release_rows(&rows);
    ecr_world_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_password_for_many),
        cmocka_unit_test(test_password_that_is_not_taken_any_more),
        cmocka_unit_test(test_password_is_renewed_before_it_expires),
        cmocka_unit_test(test_password_for_another_registry),
        cmocka_unit_test(test_bad_logins),
        cmocka_unit_test(test_wrong_clock),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pages_with_too_much),
        cmocka_unit_test(test_pages_in_a_row),
        cmocka_unit_test(test_stale_cursors),
        cmocka_unit_test(test_bad_pages),
        cmocka_unit_test(test_tag_removed),
        cmocka_unit_test(test_last_tag_is_not_removed),
        cmocka_unit_test(test_the_last_of_two_stays),
        cmocka_unit_test(test_line_goes_on_after_a_cancelled_one),
        cmocka_unit_test(test_tag_that_moved),
        cmocka_unit_test(test_manifest_removed),
        cmocka_unit_test(test_bad_removals),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_bad_puts),
        cmocka_unit_test(test_repository_for_quarantine),
        cmocka_unit_test(test_no_other_repository_is_made),
        cmocka_unit_test(test_right_to_make_it_is_missing),
        cmocka_unit_test(test_blob_is_mounted_where_that_is_on),
        cmocka_unit_test(test_archive_and_restore),
        cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_scan_report),
        cmocka_unit_test(test_no_scan_report),
        cmocka_unit_test(test_freed_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
