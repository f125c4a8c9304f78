/* The calls of Amazon ECR's API against moto, which somebody else wrote after the same description.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/vulnerabilities.h"

#include "ecr_world.h"

static void digest_named(const struct ecr_world *world, const char *value, struct digest *ret)
{
    assert_int_equal(digest_parse(stub_value(&world->client.stub, value), ret, NULL), 0);
}

static void put(struct ecr_world *world, const char *repository, const char *bytes,
                struct result *ret)
{
    struct registry_manifest_put wanted = {.repository = repository,
                                           .reference = "v1",
                                           .media_type =
                                               "application/vnd.oci.image.manifest.v1+json",
                                           .bytes = bytes,
                                           .size = strlen(bytes)};

    result_release(ret);
    (void)registry_put_manifest(world->client.registry, &wanted, result_take, ret);
    client_wait(&world->client, ret);
}

typedef uint64_t change_f(struct registry *registry, const char *repository,
                          const struct digest *digest, registry_done_f *done, void *argument);

static void change(struct ecr_world *world, change_f *how, const char *value, struct result *ret)
{
    struct digest digest;

    digest_named(world, value, &digest);
    result_release(ret);
    (void)how(world->client.registry, "app", &digest, result_take, ret);
    client_wait(&world->client, ret);
}

static void delete_tag(struct ecr_world *world, const char *tag, struct result *ret)
{
    result_release(ret);
    (void)registry_delete_tag(world->client.registry, "app", tag, result_take, ret);
    client_wait(&world->client, ret);
}

static void check_lists(struct ecr_world *world)
{
    struct ecr_rows_seen rows = {0};

    (void)registry_page_of_repositories(world->client.registry, NULL, ecr_world_take, &rows);
    ecr_world_wait(world, &rows);
    assert_int_equal(rows.repositories.count, 2);
    (void)registry_page_of_images(world->client.registry, "app", NULL, ecr_world_take, &rows);
    ecr_world_wait(world, &rows);
    assert_int_equal(rows.tags.count, 2);
    assert_true(text_list_has(&rows.tags, "v1"));
    (void)registry_page_of_images(world->client.registry, "missing", NULL, ecr_world_take, &rows);
    ecr_world_wait(world, &rows);
    assert_int_equal(rows.error.kind, FAILURE_ABSENT);
    ecr_world_release_rows(&rows);
}

static void check_puts(struct ecr_world *world)
{
    const char *manifest = stub_value(&world->client.stub, "manifest");
    AUTO_FREE char *changed = text_new("%s ", manifest);
    AUTO_RESULT struct result result = {0};

    put(world, "app", manifest, &result); /* as it is already */
    expect_success(&result);
    put(world, "other", changed, &result); /* moves the tag */
    expect_success(&result);
}

static void check_reports(struct ecr_world *world)
{
    AUTO_RESULT struct result result = {0};
    struct vulnerability_report report = {0};

    change(world, registry_fetch_scan_report, "image", &result);
    expect_success(&result);
    assert_int_equal(
        vulnerability_report_read(result.media_type, result.bytes, result.size, &report, NULL), 0);
    assert_true(report.count > 0);
    assert_true(text_starts_with(report.items[0].id, "CVE-"));
    vulnerability_report_release(&report);
    change(world, registry_fetch_scan_report, "other", &result);
    expect_failure(&result, FAILURE_ABSENT, "ScanNotFoundException");
}

static void check_removals(struct ecr_world *world)
{
    AUTO_RESULT struct result result = {0};

    delete_tag(world, "v1", &result);
    expect_failure(&result, FAILURE_LIMIT, "the only tag of its image");
    delete_tag(world, "none", &result);
    expect_failure(&result, FAILURE_ABSENT, "ImageNotFoundException");
    change(world, registry_delete_manifest, "image", &result);
    expect_success(&result);
    change(world, registry_delete_manifest, "image", &result);
    expect_failure(&result, FAILURE_ABSENT, "ImageNotFound");
}

static void test_moto(void **state)
{
    struct ecr_world world;

    (void)state;
    if (!ecr_world_open(&world, "ecr_moto.py", "ok", true))
        skip();
    check_lists(&world);
    check_puts(&world);
    check_reports(&world);
    check_removals(&world);
    ecr_world_close(&world);
}

/* moto takes a tag and a digest together for the whole image; a service that does so is found out
 * and not asked again. */
static void test_service_that_removes_more_than_the_tag(void **state)
{
    struct ecr_world world;
    struct registry_abilities abilities;
    AUTO_RESULT struct result result = {0};
    struct registry_manifest_put wanted = {.repository = "app",
                                           .reference = "v3",
                                           .media_type =
                                               "application/vnd.oci.image.manifest.v1+json"};

    (void)state;
    if (!ecr_world_open(&world, "ecr_moto.py", "ok", true))
        skip();
    wanted.bytes = stub_value(&world.client.stub, "manifest");
    wanted.size = strlen(wanted.bytes);
    (void)registry_put_manifest(world.client.registry, &wanted, result_take, &result);
    client_wait(&world.client, &result);
    expect_success(&result);
    delete_tag(&world, "v3", &result);
    expect_failure(&result, FAILURE_DENIED, "more than the tag");
    registry_abilities(world.client.registry, &abilities);
    assert_int_equal(abilities.tag_delete, ANSWER_NO);
    delete_tag(&world, "v2", &result);
    expect_failure(&result, FAILURE_DENIED, "removes more than the tag");
    ecr_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moto),
        cmocka_unit_test(test_service_that_removes_more_than_the_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
