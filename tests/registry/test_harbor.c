/* Harbor's own API, against a Harbor that keeps what it is told (harbor_stub.py): labels, tags,
 * artifacts, pages and scan reports, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/file.h"
#include "regwarden/harbor.h"

#include "client.h"
#include "profile.h"

struct harbor_client {
    struct client client; /* the stub, the loop and the registry of it */
    char password_path[32];
};

static char robot[] = "robot$regwarden";
static char registry_name[] = "harbor";

static void open_harbor(struct harbor_client *harbor, const char *scenario, bool with_account)
{
    struct client *client = &harbor->client;
    struct config_registry *settings = &client->settings;
    struct error error = {0};
    int fd;

    *harbor = (struct harbor_client){.password_path = "/tmp/regwarden-secret-XXXXXX"};
    assert_true(stub_start_script(&client->stub, "harbor_stub.py", scenario));
    assert_int_equal(loop_new(&client->loop, &error), 0);
    fd = mkstemp(harbor->password_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "correct horse\n", 14), 14);
    close(fd);
    *settings = (struct config_registry){.name = registry_name,
                                         .url = client->stub.url,
                                         .type = REGISTRY_TYPE_HARBOR,
                                         .timeout_ms = 5000};
    if (with_account) {
        settings->username = robot;
        settings->password_file = harbor->password_path;
    }
    if (registry_new_tuned(client->loop, settings, &client_tuning, &client->registry, &error) < 0)
        fail_msg("%s", error.text);
}

static void close_harbor(struct harbor_client *harbor)
{
    registry_free(harbor->client.registry);
    loop_free(harbor->client.loop);
    stub_stop(&harbor->client.stub);
    unlink(harbor->password_path);
}

static struct digest digest_of(struct harbor_client *harbor, const char *name)
{
    struct digest digest = {0};

    assert_int_equal(digest_parse(stub_value(&harbor->client.stub, name), &digest, NULL), 0);
    return digest;
}

static size_t count(struct harbor_client *harbor, const char *a, const char *b)
{
    return stub_count(&harbor->client.stub, a, b);
}

/* --- labels --- */

static void label(struct harbor_client *harbor, bool on, const char *repository, struct result *ret)
{
    struct registry_label wanted = {.repository = repository,
                                    .digest = digest_of(harbor, "image"),
                                    .name = "policy-fail",
                                    .description = "does not hold to the policy"};

    result_release(ret);
    if (on)
        (void)profile_harbor.add_label(harbor->client.registry, &wanted, result_take, ret);
    else
        (void)profile_harbor.remove_label(harbor->client.registry, &wanted, result_take, ret);
    client_wait(&harbor->client, ret);
}

static void test_label_is_made_once_and_taken_off(void **state)
{
    struct harbor_client harbor;
    struct registry_abilities abilities;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    for (int i = 0; i < 2; i++) {
        label(&harbor, true, "team/app", &result);
        expect_success(&result);
    }
    assert_int_equal(count(&harbor, "\"POST\"", "/api/v2.0/labels\""), 1);
    assert_int_equal(count(&harbor, "\"POST\"", "/labels\", \"auth"), 2);
    registry_abilities(harbor.client.registry, &abilities);
    assert_int_equal(abilities.labels, ANSWER_YES);
    for (int i = 0; i < 2; i++) {
        label(&harbor, false, "team/app", &result);
        expect_success(&result);
    }
    assert_int_equal(count(&harbor, "\"DELETE\"", NULL), 1);
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    assert_int_equal(count(&harbor, "\"POST\"", "/api/v2.0/labels\""), 1);
    close_harbor(&harbor);
}

/* Harbor sets a cookie with every answer: sending it back would be refused. */
static void test_no_cookie_is_sent(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    assert_true(count(&harbor, "\"headers\"", NULL) > 0);
    assert_int_equal(count(&harbor, "\"Cookie\"", NULL), 0);
    assert_int_equal(count(&harbor, "\"authorization\": \"Basic ", NULL),
                     count(&harbor, "/api/v2.0", NULL));
    close_harbor(&harbor);
}

static void test_label_that_somebody_else_makes_too(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "label-race", true);
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    assert_int_equal(count(&harbor, "\"POST\"", "/labels\", \"auth"), 2);
    close_harbor(&harbor);
}

/* A search finds "x-policy-fail-7" too, and another project has one of the exact name. */
static void test_label_is_found_by_its_exact_name(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "labels", true);
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    assert_int_equal(count(&harbor, "\"GET\"", "/labels?scope=p"), 3);
    assert_int_equal(count(&harbor, "\"POST\"", "/api/v2.0/labels\""), 1);
    close_harbor(&harbor);
}

static void test_labels_that_cannot_be(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    label(&harbor, true, "team/gone", &result);
    expect_failure(&result, FAILURE_ABSENT, "answered 404: NOT_FOUND");
    label(&harbor, true, "plain", &result);
    expect_failure(&result, FAILURE_INPUT, "names no project");
    label(&harbor, true, "Team/App", &result);
    expect_failure(&result, FAILURE_INPUT, "not a repository name");
    close_harbor(&harbor);
    open_harbor(&harbor, "no-rights", true);
    label(&harbor, true, "team/app", &result);
    expect_failure(&result, FAILURE_DENIED, "answered 403: FORBIDDEN");
    close_harbor(&harbor);
    open_harbor(&harbor, "ok", false);
    label(&harbor, true, "team/app", &result);
    expect_failure(&result, FAILURE_DENIED, "needs a name and a password");
    assert_int_equal(count(&harbor, "\"method\"", NULL), 0);
    close_harbor(&harbor);
    open_harbor(&harbor, "read-only", true);
    label(&harbor, true, "team/app", &result);
    expect_failure(&result, FAILURE_LATER, "read only mode");
    close_harbor(&harbor);
}

/* With the type auto Harbor is known by what it answers. */
static void test_harbor_is_found_out(void **state)
{
    struct harbor_client harbor;
    struct registry_label wanted = {.repository = "team/app", .name = "policy-fail"};
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    registry_free(harbor.client.registry);
    harbor.client.settings.type = REGISTRY_TYPE_AUTO;
    assert_int_equal(registry_new_tuned(harbor.client.loop, &harbor.client.settings, &client_tuning,
                                        &harbor.client.registry, NULL),
                     0);
    wanted.digest = digest_of(&harbor, "image");
    (void)registry_add_label(harbor.client.registry, &wanted, result_take, &result);
    client_wait(&harbor.client, &result);
    expect_success(&result);
    assert_int_equal(registry_get_type(harbor.client.registry), REGISTRY_TYPE_HARBOR);
    close_harbor(&harbor);
}

/* --- removing --- */

static void delete_tag(struct harbor_client *harbor, const char *repository, const char *tag,
                       struct result *ret)
{
    result_release(ret);
    (void)profile_harbor.delete_tag(harbor->client.registry, repository, tag, result_take, ret);
    client_wait(&harbor->client, ret);
}

static void delete_image(struct harbor_client *harbor, const char *name, struct result *ret)
{
    struct digest digest = digest_of(harbor, name);

    result_release(ret);
    (void)profile_harbor.delete_manifest(harbor->client.registry, "team/app", &digest, result_take,
                                         ret);
    client_wait(&harbor->client, ret);
}

static void test_one_tag_goes_and_the_image_stays(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    delete_tag(&harbor, "team/app", "v1", &result);
    expect_success(&result);
    assert_int_equal(count(&harbor, "\"DELETE\"", "/artifacts/sha256:"), 1);
    assert_int_equal(count(&harbor, "\"DELETE\"", "/tags/v1\""), 1);
    delete_tag(&harbor, "team/app", "v1", &result);
    expect_failure(&result, FAILURE_ABSENT, "removal of tag team/app:v1");
    delete_tag(&harbor, "team/sub/tool", "latest", &result);
    expect_success(&result);
    assert_true(count(&harbor, "/projects/team/repositories/sub%252Ftool/", NULL) > 0);
    delete_tag(&harbor, "12/app", "latest", &result);
    expect_success(&result);
    delete_tag(&harbor, "team/app", stub_value(&harbor.client.stub, "image"), &result);
    expect_failure(&result, FAILURE_INPUT, "is not a tag");
    close_harbor(&harbor);
}

static void test_what_harbor_keeps(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "immutable", true);
    delete_tag(&harbor, "team/app", "v1", &result);
    expect_failure(&result, FAILURE_DENIED, "immutable");
    assert_non_null(strstr(result.error.hint, "rule"));
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    delete_image(&harbor, "arm", &result);
    expect_failure(&result, FAILURE_DENIED, "referenced by others");
    assert_non_null(strstr(result.error.hint, "index"));
    delete_image(&harbor, "index", &result);
    expect_success(&result);
    delete_image(&harbor, "arm", &result);
    expect_success(&result);
    close_harbor(&harbor);
}

/* --- pages --- */

struct walked {
    bool done;
    struct error error;
    char *cursor;
    struct text_list names;
    size_t labelled, untagged, dated;
};

static void take_page(void *argument, const struct registry_page *page)
{
    struct walked *walked = argument;

    walked->done = true;
    free(walked->cursor);
    walked->cursor = NULL;
    if (page->error) {
        walked->error = *page->error;
        return;
    }
    walked->cursor = memory_copy_text(page->cursor);
    for (size_t i = 0; page->repositories && i < page->repositories->count; i++)
        text_list_add(&walked->names, page->repositories->items[i]);
    for (size_t i = 0; i < page->row_count; i++) {
        const struct registry_row *row = &page->rows[i];

        assert_true(digest_is_set(&row->digest));
        text_list_add(&walked->names, row->tag ? row->tag : "-");
        walked->untagged += !row->tag;
        walked->dated += row->pushed_ms > 0;
        walked->labelled += text_list_has(row->labels, "policy-fail");
    }
}

static bool has_walked(void *walked)
{
    return ((const struct walked *)walked)->done;
}

/* Returns how many pages there were. */
static unsigned walk(struct harbor_client *harbor, const char *repository, struct walked *ret)
{
    unsigned pages = 0;

    *ret = (struct walked){0};
    do {
        AUTO_FREE char *cursor = TAKE(ret->cursor);

        ret->done = false;
        if (repository)
            (void)profile_harbor.page_of_images(harbor->client.registry, repository, cursor,
                                                take_page, ret);
        else
            (void)profile_harbor.page_of_repositories(harbor->client.registry, cursor, take_page,
                                                      ret);
        assert_false(ret->done);
        assert_true(loop_run_until(harbor->client.loop, has_walked, ret, 20000));
        pages++;
    } while (ret->cursor && ret->error.kind == FAILURE_NONE && pages < 40);
    return pages;
}

static void test_pages(void **state)
{
    struct harbor_client harbor;
    struct walked walked;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "many", true);
    assert_int_equal(walk(&harbor, NULL, &walked), 3);
    assert_int_equal(walked.names.count, 253);
    assert_true(text_list_has(&walked.names, "team/many-249"));
    assert_true(text_list_has(&walked.names, "12/app"));
    text_list_release(&walked.names);
    assert_int_equal(walk(&harbor, "team/many-000", &walked), 3);
    assert_int_equal(walked.names.count, 230);
    assert_int_equal(walked.dated, 230);
    text_list_release(&walked.names);
    label(&harbor, true, "team/app", &result);
    expect_success(&result);
    /* One request of one page; the children of the index are not shown on their own. */
    assert_int_equal(walk(&harbor, "team/app", &walked), 1);
    assert_int_equal(walked.names.count, 3);
    assert_int_equal(walked.labelled, 2);
    assert_int_equal(walked.untagged, 0);
    text_list_release(&walked.names);
    assert_int_equal(walk(&harbor, "team/gone", &walked), 1);
    assert_int_equal(walked.error.kind, FAILURE_ABSENT);
    close_harbor(&harbor);
}

/* Whoever may push makes lists too large for one page: none of the images in them is missed. */
static void test_pages_that_are_too_large(void **state)
{
    struct harbor_client harbor;
    struct walked walked;

    (void)state;
    open_harbor(&harbor, "heavy", true);
    (void)walk(&harbor, "team/many-000", &walked);
    assert_int_equal(walked.error.kind, FAILURE_NONE);
    assert_null(walked.cursor);
    assert_int_equal(walked.names.count, 230);
    assert_int_equal(count(&harbor, "page_size=100", NULL), 2);
    assert_in_range(count(&harbor, "page_size=10&", NULL), 23, 33);
    text_list_release(&walked.names);
    close_harbor(&harbor);
}

static void test_untagged_images_are_rows(void **state)
{
    struct harbor_client harbor;
    struct walked walked;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    delete_tag(&harbor, "team/app", "multi", &result);
    expect_success(&result);
    assert_int_equal(walk(&harbor, "team/app", &walked), 1);
    assert_int_equal(walked.untagged, 1);
    text_list_release(&walked.names);
    close_harbor(&harbor);
}

/* Repositories are deleted between the pages: none of those that stay is missed. */
static void test_pages_while_the_list_shrinks(void **state)
{
    struct harbor_client harbor;
    struct walked walked;

    (void)state;
    open_harbor(&harbor, "shrinking", true);
    assert_int_equal(walk(&harbor, NULL, &walked), 3);
    for (int i = 30; i < 250; i++) {
        AUTO_FREE char *name = text_new("team/many-%03d", i);

        if (!text_list_has(&walked.names, name))
            fail_msg("%s was missed", name);
    }
    text_list_release(&walked.names);
    close_harbor(&harbor);
}

static void test_cursors_that_are_none(void **state)
{
    static const char *const cursors[] = {"0",     "x",   "-1", "99999999999999999999", "1:", "1:0",
                                          "1:101", "1:x", ":1"};
    struct harbor_client harbor;

    (void)state;
    open_harbor(&harbor, "ok", true);
    for (size_t i = 0; i < ARRAY_COUNT(cursors); i++) {
        struct walked walked = {0};

        (void)profile_harbor.page_of_repositories(harbor.client.registry, cursors[i], take_page,
                                                  &walked);
        assert_true(loop_run_until(harbor.client.loop, has_walked, &walked, 20000));
        assert_int_equal(walked.error.kind, FAILURE_ABSENT);
    }
    assert_int_equal(count(&harbor, "\"method\"", NULL), 0);
    close_harbor(&harbor);
}

/* --- scan reports --- */

static void fetch_report(struct harbor_client *harbor, const char *name, struct result *ret)
{
    struct digest digest = digest_of(harbor, name);

    result_release(ret);
    (void)profile_harbor.fetch_scan_report(harbor->client.registry, "team/app", &digest,
                                           result_take, ret);
    client_wait(&harbor->client, ret);
}

static void test_scan_reports(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "scans", true);
    fetch_report(&harbor, "image", &result);
    expect_success(&result);
    assert_string_equal(result.media_type,
                        "application/vnd.security.vulnerability.report; version=1.1");
    assert_non_null(strstr(result.bytes, "CVE-2024-0001"));
    fetch_report(&harbor, "arm", &result);
    expect_failure(&result, FAILURE_LATER, "goes on");
    fetch_report(&harbor, "index", &result);
    expect_failure(&result, FAILURE_ABSENT, "failed or was stopped");
    close_harbor(&harbor);
    open_harbor(&harbor, "ok", true);
    fetch_report(&harbor, "image", &result);
    expect_failure(&result, FAILURE_ABSENT, "has not scanned");
    close_harbor(&harbor);
}

/* --- what concerns the distribution API --- */

static void test_pull_that_harbors_policy_blocks(void **state)
{
    struct harbor_client harbor;
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "blocked", true);
    (void)registry_fetch_manifest(harbor.client.registry, "team/app", "v1", result_take, &result);
    client_wait(&harbor.client, &result);
    expect_failure(&result, FAILURE_DENIED, "PROJECTPOLICYVIOLATION");
    assert_non_null(strstr(result.error.hint, "regwarden-harbor(7)"));
    close_harbor(&harbor);
}

static void test_missing_quarantine_project(void **state)
{
    struct harbor_client harbor;
    struct registry_manifest_put put = {.repository = "nowhere/team/app",
                                        .reference = "v1",
                                        .media_type = "application/vnd.example+json",
                                        .bytes = "{}",
                                        .size = 2};
    AUTO_RESULT struct result result = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    (void)registry_put_manifest(harbor.client.registry, &put, result_take, &result);
    client_wait(&harbor.client, &result);
    expect_failure(&result, FAILURE_DENIED, "put of manifest");
    assert_non_null(strstr(result.error.hint, "regwarden harbor connect"));
    close_harbor(&harbor);
}

/* --- any call --- */

struct called {
    bool done;
    struct error error;
    int status;
    char *name;
    uint64_t total;
};

static void take_reply(void *argument, const struct harbor_reply *reply)
{
    struct called *called = argument;

    called->done = true;
    called->status = reply->status;
    called->total = reply->total;
    if (reply->error)
        called->error = *reply->error;
    called->name = memory_copy_text(json_get_string(reply->body, "name"));
}

static bool was_called(void *called)
{
    return ((const struct called *)called)->done;
}

static void test_calls(void **state)
{
    struct harbor_client harbor;
    struct harbor_call call = {.method = "GET", .path = "/projects/12"};
    struct called called = {0};

    (void)state;
    open_harbor(&harbor, "ok", true);
    (void)harbor_call(harbor.client.registry, &call, take_reply, &called);
    assert_true(loop_run_until(harbor.client.loop, was_called, &called, 20000));
    assert_int_equal(called.error.kind, FAILURE_NONE);
    assert_string_equal(called.name, "12"); /* and not the one with that id */
    free(called.name);
    called = (struct called){0};
    call.path = "/labels?scope=p&project_id=999&page_size=100";
    (void)harbor_call(harbor.client.registry, &call, take_reply, &called);
    assert_true(loop_run_until(harbor.client.loop, was_called, &called, 20000));
    assert_int_not_equal(called.error.kind, FAILURE_NONE);
    assert_int_equal(called.status, 400);
    close_harbor(&harbor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_is_made_once_and_taken_off),
        cmocka_unit_test(test_no_cookie_is_sent),
        cmocka_unit_test(test_label_that_somebody_else_makes_too),
        cmocka_unit_test(test_label_is_found_by_its_exact_name),
        cmocka_unit_test(test_labels_that_cannot_be),
        cmocka_unit_test(test_harbor_is_found_out),
        cmocka_unit_test(test_one_tag_goes_and_the_image_stays),
        cmocka_unit_test(test_what_harbor_keeps),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pages_that_are_too_large),
        cmocka_unit_test(test_untagged_images_are_rows),
        cmocka_unit_test(test_pages_while_the_list_shrinks),
        cmocka_unit_test(test_cursors_that_are_none),
        cmocka_unit_test(test_scan_reports),
        cmocka_unit_test(test_pull_that_harbors_policy_blocks),
        cmocka_unit_test(test_missing_quarantine_project),
        cmocka_unit_test(test_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
