/* Local OCI layouts: tags, digests, and files that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "regwarden/file.h"
#include "regwarden/gather.h"

#include "client.h"

#define LAYOUT_FILE "{\"imageLayoutVersion\":\"1.0.0\"}"

struct fixture {
    char directory[64];
    struct loop *loop;
    struct digest config, image, index; /* of the blobs */
};

static void write_file(const char *directory, const char *name, const char *bytes)
{
    AUTO_FREE char *path = text_new("%s/%s", directory, name);

    assert_int_equal(file_write(path, bytes, strlen(bytes), 0600, NULL), 0);
}

/* Writes a blob; its descriptor without the closing brace comes back. Returns new. */
static char *write_blob(const char *directory, const char *media_type, const char *bytes,
                        struct digest *ret)
{
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *name = NULL;

    digest_compute(NULL, bytes, strlen(bytes), ret);
    digest_format(ret, text);
    name = text_new("blobs/sha256/%s", text + strlen("sha256:"));
    write_file(directory, name, bytes);
    return text_new("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu", media_type, text,
                    strlen(bytes));
}

static char *write_image(struct fixture *fixture)
{
    AUTO_FREE char *config =
        write_blob(fixture->directory, MEDIA_TYPE_OCI_CONFIG,
                   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"app\"},"
                   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
                   &fixture->config);
    /* Some builders leave mediaType out. */
    AUTO_FREE char *manifest =
        text_new("{\"schemaVersion\":2,\"config\":%s},\"layers\":[]}", config);

    return write_blob(fixture->directory, MEDIA_TYPE_OCI_MANIFEST, manifest, &fixture->image);
}

/* Tags: one, an index under `multi`, and `twice` on two different manifests. */
static void write_layout(struct fixture *fixture)
{
    AUTO_FREE char *blobs = text_new("%s/blobs", fixture->directory);
    AUTO_FREE char *sha256 = text_new("%s/blobs/sha256", fixture->directory);
    AUTO_FREE char *image = NULL;
    AUTO_FREE char *nested = NULL;
    AUTO_FREE char *index = NULL;
    AUTO_FREE char *top = NULL;

    assert_int_equal(mkdir(blobs, 0700), 0);
    assert_int_equal(mkdir(sha256, 0700), 0);
    image = write_image(fixture);
    nested = text_new("{\"schemaVersion\":2,\"manifests\":[%s,\"platform\":{\"os\":\"linux\","
                      "\"architecture\":\"amd64\"}}]}",
                      image);
    index = write_blob(fixture->directory, MEDIA_TYPE_OCI_INDEX, nested, &fixture->index);
#define NAMED(tag) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" tag "\"}}"
    top = text_new("{\"schemaVersion\":2,\"manifests\":[%s" NAMED("one") ",%s" NAMED(
                       "multi") ",%s" NAMED("twice") ",%s" NAMED("twice") "]}",
                   image, index, image, index);
#undef NAMED
    write_file(fixture->directory, "index.json", top);
    write_file(fixture->directory, "oci-layout", LAYOUT_FILE);
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));

    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/regwarden-layout-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    write_layout(fixture);
    *state = fixture;
    return 0;
}

static void remove_tree(const char *directory)
{
    AUTO_TEXT_LIST struct text_list names = {0};

    assert_int_equal(file_list(directory, NULL, &names, NULL), 0);
    for (size_t i = 0; i < names.count; i++) {
        if (file_is_directory(names.items[i]))
            remove_tree(names.items[i]);
        else
            assert_int_equal(remove(names.items[i]), 0);
    }
    assert_int_equal(remove(directory), 0);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loop_free(fixture->loop);
    remove_tree(fixture->directory);
    free(fixture);
    return 0;
}

static struct local_source *open_layout(struct fixture *fixture)
{
    struct local_source *layout = NULL;
    struct error error = {0};

    if (local_source_new(fixture->loop, REFERENCE_OCI_LAYOUT, fixture->directory, &layout, &error) <
        0)
        fail_msg("%s", error.text);
    return layout;
}

static bool is_done(void *result)
{
    return ((const struct result *)result)->done;
}

static void fetch(struct fixture *fixture, struct local_source *layout, const char *reference,
                  struct result *ret)
{
    struct image_source source = local_image_source(layout);

    result_release(ret);
    (void)source.fetch_manifest(source.self, NULL, reference, result_take, ret);
    assert_false(ret->done);
    assert_true(loop_run_until(fixture->loop, is_done, ret, 2000));
}

static void test_references(void **state)
{
    struct fixture *fixture = *state;
    struct local_source *layout = open_layout(fixture);
    char image[DIGEST_TEXT_SIZE];
    char config[DIGEST_TEXT_SIZE];
    const struct {
        const char *reference;
        enum failure kind;
        const char *text; /* of the error, or the media type */
    } cases[] = {
        {"one", FAILURE_NONE, MEDIA_TYPE_OCI_MANIFEST},
        {"multi", FAILURE_NONE, MEDIA_TYPE_OCI_INDEX},
        {digest_format(&fixture->image, image), FAILURE_NONE, MEDIA_TYPE_OCI_MANIFEST},
        /* Not in index.json: served by digest, its type is not known. */
        {digest_format(&fixture->config, config), FAILURE_NONE, ""},
        {"missing", FAILURE_ABSENT, "no image is tagged \"missing\""},
        {"twice", FAILURE_INPUT, "two images are tagged"},
        {"", FAILURE_INPUT, "holds 4 images"},
        {NULL, FAILURE_INPUT, "holds 4 images"},
        {"../../etc/passwd", FAILURE_ABSENT, "no image is tagged"},
        {"sha256:0000000000000000000000000000000000000000000000000000000000000000", FAILURE_ABSENT,
         "blobs/sha256/0000"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_RESULT struct result result = {0};

        fetch(fixture, layout, cases[i].reference, &result);
        expect_failure(&result, cases[i].kind, cases[i].kind ? cases[i].text : "");
        if (!cases[i].kind)
            assert_string_equal(result.media_type, cases[i].text);
    }
    local_source_free(layout);
}

static void test_damaged_blobs(void **state)
{
    struct fixture *fixture = *state;
    struct local_source *layout = open_layout(fixture);
    struct image_source source = local_image_source(layout);
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *name =
        text_new("blobs/sha256/%s", digest_format(&fixture->config, text) + strlen("sha256:"));
    static const struct {
        const char *bytes;
        uint64_t size;
        enum failure kind;
        const char *text;
    } cases[] = {
        {"{}", 2, FAILURE_INPUT, "sha256:"},
        {"{}", 3, FAILURE_INPUT, "its descriptor says 3"},
        {"{}", 5 << 20, FAILURE_LIMIT, "larger than 4 MiB"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_RESULT struct result result = {0};

        write_file(fixture->directory, name, cases[i].bytes);
        (void)source.fetch_blob(source.self, "any", &fixture->config, cases[i].size, result_take,
                                &result);
        assert_true(loop_run_until(fixture->loop, is_done, &result, 2000));
        expect_failure(&result, cases[i].kind, cases[i].text);
    }
    local_source_free(layout);
}

static void test_directories_that_are_no_layout(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *bytes;
        enum failure kind;
        const char *text;
    } cases[] = {
        {"oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", FAILURE_INPUT, "version 1.0.0"},
        {"oci-layout", "nonsense", FAILURE_INPUT, "oci-layout"},
        {"oci-layout", LAYOUT_FILE, FAILURE_NONE, ""},
        {"index.json", "{\"schemaVersion\":2,\"layers\":[]}", FAILURE_INPUT, "index.json"},
        {"index.json", "[]", FAILURE_INPUT, "index.json"},
    };
    struct local_source *layout = NULL;
    struct error error = {0};

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        write_file(fixture->directory, cases[i].name, cases[i].bytes);
        assert_int_equal(local_source_new(fixture->loop, REFERENCE_OCI_LAYOUT, fixture->directory,
                                          &layout, &error),
                         cases[i].kind);
        if (cases[i].kind)
            assert_non_null(strstr(error.text, cases[i].text));
        local_source_free(layout);
        layout = NULL;
    }
    assert_int_equal(
        local_source_new(fixture->loop, REFERENCE_OCI_LAYOUT, "/nonexistent", &layout, &error),
        FAILURE_ABSENT);
    assert_non_null(strstr(error.hint, "oci-layout"));
}

static void test_only_image_needs_no_tag(void **state)
{
    struct fixture *fixture = *state;
    struct local_source *layout;
    AUTO_FREE char *image = write_image(fixture);
    AUTO_FREE char *one = text_new("{\"schemaVersion\":2,\"manifests\":[%s}]}", image);
    static const char *const references[] = {"", NULL};

    write_file(fixture->directory, "index.json", one);
    layout = open_layout(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(references); i++) {
        AUTO_RESULT struct result result = {0};

        fetch(fixture, layout, references[i], &result);
        expect_success(&result);
        assert_true(digest_equal(&result.digest, &fixture->image));
    }
    local_source_free(layout);
    write_file(fixture->directory, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
    layout = open_layout(fixture);
    {
        AUTO_RESULT struct result result = {0};

        fetch(fixture, layout, "", &result);
        expect_failure(&result, FAILURE_ABSENT, "holds no image");
    }
    local_source_free(layout);
}

/* Those of the index whose subject it is; what stands beside them is not told. */
static void test_referrers(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest;
    AUTO_FREE char *config = write_blob(fixture->directory, MEDIA_TYPE_OCI_EMPTY, "{}", &digest);
    AUTO_FREE char *described = write_image(fixture);
    AUTO_FREE char *manifest =
        text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                 "\",\"artifactType\":\"application/"
                 "spdx+json\",\"config\":%s},\"layers\":[],\"subject\":%s},"
                 "\"annotations\":{\"a\":\"b\"}}",
                 config, described);
    AUTO_FREE char *referrer =
        write_blob(fixture->directory, MEDIA_TYPE_OCI_MANIFEST, manifest, &digest);
    AUTO_FREE char *index =
        text_new("{\"schemaVersion\":2,\"manifests\":[%s},%s}]}", described, referrer);
    AUTO_FREE char *wanted = text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_INDEX
                                      "\",\"manifests\":[%s,\"artifactType\":\"application/"
                                      "spdx+json\",\"annotations\":{\"a\":\"b\"}}]}",
                                      referrer);
    AUTO_RESULT struct result result = {0};
    struct local_source *layout;
    struct image_source source;

    write_file(fixture->directory, "index.json", index);
    layout = open_layout(fixture);
    source = local_image_source(layout);
    (void)source.fetch_referrers(source.self, "any", &fixture->image, result_take, &result);
    assert_true(loop_run_until(fixture->loop, is_done, &result, 2000));
    expect_success(&result);
    assert_string_equal(result.media_type, MEDIA_TYPE_OCI_INDEX);
    assert_string_equal(result.bytes, wanted);
    result_release(&result);
    (void)source.fetch_referrers(source.self, "any", &digest, result_take, &result);
    assert_true(loop_run_until(fixture->loop, is_done, &result, 2000));
    expect_success(&result);
    assert_non_null(strstr(result.bytes, "\"manifests\":[]"));
    local_source_free(layout);
}

static void test_cancel_and_free(void **state)
{
    struct fixture *fixture = *state;
    struct local_source *layout = open_layout(fixture);
    struct image_source source = local_image_source(layout);
    AUTO_RESULT struct result cancelled = {0};
    AUTO_RESULT struct result ended = {0};
    uint64_t id = source.fetch_manifest(source.self, NULL, "one", result_take, &cancelled);

    (void)source.fetch_manifest(source.self, NULL, "one", result_take, &ended);
    source.cancel(source.self, id);
    source.cancel(source.self, id);
    local_source_free(layout);
    assert_int_equal(cancelled.calls, 0);
    assert_int_equal(ended.calls, 1);
    expect_failure(&ended, FAILURE_LATER, "closing");
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

static void test_gather_over_a_layout(void **state)
{
    struct fixture *fixture = *state;
    struct local_source *layout = open_layout(fixture);
    struct image_source source = local_image_source(layout);
    struct gather_options options = {.needs = FACT_BIT(FACT_CONFIG)};
    static const char *const references[] = {"one", "multi"};

    for (size_t i = 0; i < ARRAY_COUNT(references); i++) {
        struct outcome outcome = {0};

        (void)gather_start(&source, NULL, references[i], &options, take_outcome, &outcome);
        assert_true(loop_run_until(fixture->loop, outcome_is_done, &outcome, 2000));
        if (outcome.gathered.error.kind)
            fail_msg("%s", outcome.gathered.error.text);
        assert_int_equal(outcome.gathered.image_count, 1);
        assert_string_equal(outcome.gathered.images[0].platform, "linux/amd64");
        assert_string_equal(outcome.gathered.images[0].facts->config->user, "app");
        gathered_release(&outcome.gathered);
    }
    local_source_free(layout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_references, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_blobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directories_that_are_no_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_image_needs_no_tag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_referrers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_and_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gather_over_a_layout, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
