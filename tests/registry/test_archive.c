/* Images in tar archives: what Docker and others write, what hostile ones hold, and layers as
 * streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/file.h"
#include "regwarden/gather.h"

#include "archives.h"
#include "client.h"

#define PLAIN_TYPE "application/vnd.docker.image.rootfs.diff.tar"
enum { LAYER_BYTES = 700 * 1024 }; /* more than two pieces */

struct fixture {
    char path[64];
    struct loop *loop;
    char *layer; /* LAYER_BYTES bytes */
    struct digest diff_id;
    struct digest config_digest;
    char *config;
    char *config_name; /* "<hex>.json" */
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));
    char text[DIGEST_TEXT_SIZE];
    int fd;

    snprintf(fixture->path, sizeof(fixture->path), "/tmp/regwarden-archive-XXXXXX");
    fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture->layer = memory_new(LAYER_BYTES);
    for (size_t i = 0; i < LAYER_BYTES; i++)
        fixture->layer[i] = (char)(i * 7 % 251);
    digest_compute(NULL, fixture->layer, LAYER_BYTES, &fixture->diff_id);
    fixture->config = text_new("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":"
                               "\"layers\",\"diff_ids\":[\"%s\"]}}",
                               digest_format(&fixture->diff_id, text));
    digest_compute(NULL, fixture->config, strlen(fixture->config), &fixture->config_digest);
    digest_format(&fixture->config_digest, text);
    fixture->config_name = text_new("%s.json", text + strlen("sha256:"));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loop_free(fixture->loop);
    unlink(fixture->path);
    free(fixture->layer);
    free(fixture->config);
    free(fixture->config_name);
    free(fixture);
    return 0;
}

static void add_layer(const struct fixture *fixture, struct text *to, const char *name)
{
    archive_add(to, &(struct archive_entry){
                        .name = name, .data = fixture->layer, .data_size = LAYER_BYTES});
}

static void add_manifest(const struct fixture *fixture, struct text *to, const char *layers)
{
    AUTO_FREE char *json = text_new(
        "[{\"Config\":\"%s\",\"RepoTags\":[\"team/app:v1\",\"app:latest\"],\"Layers\":[%s]}]",
        fixture->config_name, layers);

    archive_add_file(to, "manifest.json", json);
}

/* As Docker wrote them before version 25. */
static void add_old(const struct fixture *fixture, struct text *to)
{
    add_layer(fixture, to, "0a/layer.tar");
    archive_add_file(to, fixture->config_name, fixture->config);
    add_manifest(fixture, to, "\"0a/layer.tar\"");
}

static int open_archive(const struct fixture *fixture, enum reference_transport transport,
                        const struct text *archive, struct local_source **ret, struct error *err)
{
    assert_int_equal(file_write(fixture->path, text_data(archive), archive->length, 0600, NULL), 0);
    return local_source_new(fixture->loop, transport, fixture->path, ret, err);
}

static struct local_source *must_open(const struct fixture *fixture,
                                      enum reference_transport transport, struct text *archive)
{
    struct local_source *local = NULL;
    struct error error = {0};

    archive_add_end(archive);
    if (open_archive(fixture, transport, archive, &local, &error) < 0)
        fail_msg("%s", error.text);
    return local;
}

static bool is_done(void *result)
{
    return ((const struct result *)result)->done;
}

static void fetch(struct fixture *fixture, struct local_source *local, const char *reference,
                  struct result *ret)
{
    struct image_source source = local_image_source(local);

    result_release(ret);
    (void)source.fetch_manifest(source.self, NULL, reference, result_take, ret);
    assert_true(loop_run_until(fixture->loop, is_done, ret, 5000));
}

static void test_old_archives_get_a_manifest(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TEXT struct text archive = {0};
    AUTO_RESULT struct result result = {0};
    AUTO_MANIFEST struct manifest *manifest = NULL;
    struct local_source *local;
    char id[DIGEST_TEXT_SIZE];
    static const char *const names[] = {
        "",   "team/app:v1", "app:latest", "app", "docker.io/team/app:v1", "docker.io/library/app",
        NULL, /* and the image's id */
    };

    add_old(fixture, &archive);
    local = must_open(fixture, REFERENCE_DOCKER_ARCHIVE, &archive);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        fetch(fixture, local,
              names[i] || i == 0 ? names[i] : digest_format(&fixture->config_digest, id), &result);
        expect_success(&result);
        assert_string_equal(result.media_type, MEDIA_TYPE_DOCKER_MANIFEST);
    }
    assert_int_equal(manifest_parse(result.bytes, result.size, result.media_type, &result.digest,
                                    &manifest, NULL),
                     0);
    assert_int_equal(manifest->kind, MANIFEST_IMAGE);
    assert_true(digest_equal(&manifest->config.digest, &fixture->config_digest));
    assert_int_equal(manifest->layer_count, 1);
    assert_true(digest_equal(&manifest->layers[0].digest, &fixture->diff_id));
    assert_int_equal(manifest->layers[0].size, LAYER_BYTES);
    assert_string_equal(manifest->layers[0].media_type, PLAIN_TYPE);
    fetch(fixture, local, "other:v1", &result);
    expect_failure(&result, FAILURE_ABSENT, "no image is tagged \"other:v1\"");
    assert_non_null(strstr(result.error.hint, "team/app:v1, app:latest"));
    local_source_free(local);
}

/* skopeo and podman write layers once and link to them. */
static void test_links_are_followed_inside(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        char type;
        const char *link;
        enum failure kind;
        const char *text;
    } cases[] = {
        {'2', "../real.tar", FAILURE_NONE, ""},
        {'2', "./../0a/../real.tar", FAILURE_NONE, ""},
        {'1', "real.tar", FAILURE_NONE, ""},
        {'2', "/real.tar", FAILURE_INPUT, "a link out of the archive"},
        {'2', "../../real.tar", FAILURE_INPUT, "a link out of the archive"},
        {'2', "layer.tar", FAILURE_INPUT, "links go round"},
        {'2', "../gone.tar", FAILURE_ABSENT, "not in the archive"},
        {'2', "../fifo", FAILURE_INPUT, "no plain file"},
        {'2', "../..", FAILURE_INPUT, "a link out of the archive"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text archive = {0};
        AUTO_RESULT struct result result = {0};
        struct local_source *local;

        add_layer(fixture, &archive, "real.tar");
        archive_add(&archive, &(struct archive_entry){.name = "fifo", .type = '6'});
        archive_add(&archive, &(struct archive_entry){.name = "0a/layer.tar",
                                                      .type = cases[i].type,
                                                      .link = cases[i].link});
        archive_add_file(&archive, fixture->config_name, fixture->config);
        add_manifest(fixture, &archive, "\"0a/layer.tar\"");
        local = must_open(fixture, REFERENCE_DOCKER_ARCHIVE, &archive);
        fetch(fixture, local, "app", &result);
        if (cases[i].kind == FAILURE_NONE)
            expect_success(&result);
        else
            expect_failure(&result, cases[i].kind, cases[i].text);
        local_source_free(local);
    }
}

static void test_archives_that_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *bytes; /* NULL: the entry */
        struct archive_entry entry;
        enum failure kind;
        const char *text;
    } cases[] = {
        {.entry = {.name = "../manifest.json"}, .kind = FAILURE_INPUT, .text = "leads out"},
        {.entry = {.name = "manifest.json"}, .kind = FAILURE_INPUT, .text = "twice"},
        {.entry = {.name = "./manifest.json", .type = '2', .link = "x"},
         .kind = FAILURE_INPUT,
         .text = "twice"},
        {.entry = {.name = "big", .size_field = "00000777777"},
         .kind = FAILURE_INPUT,
         .text = "cut off"},
        {.entry = {.name = "bad", .bad_checksum = true}, .kind = FAILURE_INPUT, .text = "checksum"},
        {"\x1f\x8b\x08", {0}, FAILURE_INPUT, "compressed with gzip"},
        {"\x28\xb5\x2f\xfd", {0}, FAILURE_INPUT, "compressed with zstd"},
        {"no tar at all", {0}, FAILURE_INPUT, "cut off"},
        {"", {0}, FAILURE_INPUT, "the archive is empty"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text archive = {0};
        struct local_source *local = NULL;
        struct error error = {0};

        if (cases[i].bytes) {
            text_add(&archive, cases[i].bytes);
        } else {
            add_old(fixture, &archive);
            archive_add(&archive, &cases[i].entry);
            archive_add_end(&archive);
        }
        assert_int_equal(open_archive(fixture, REFERENCE_DOCKER_ARCHIVE, &archive, &local, &error),
                         cases[i].kind);
        if (!strstr(error.text, cases[i].text))
            fail_msg("'%s', not '%s'", error.text, cases[i].text);
    }
}

static void test_documents_that_do_not_fit(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *manifest;
        enum failure kind;
        const char *text;
    } cases[] = {
        {"{}", FAILURE_INPUT, "no list"},
        {"[{\"Layers\":[]}]", FAILURE_INPUT, "no Config"},
        {"[{\"Config\":\"c\",\"Layers\":[1]}]", FAILURE_INPUT, "Layers"},
        {"[{\"Config\":\"../c\",\"Layers\":[]}]", FAILURE_INPUT, "leads out"},
        {"[{\"Config\":\"gone\",\"Layers\":[]}]", FAILURE_ABSENT, "not in the archive"},
        {"[{\"Config\":\"c\",\"Layers\":[]}]", FAILURE_INPUT, "0 layers, the config has 1"},
        {"[{\"Config\":\"c\",\"Layers\":[\"z\"]}]", FAILURE_INPUT, "compressed, and its name"},
        {"[{\"Config\":\"0123456789012345678901234567890123456789012345678901234567890123.json\","
         "\"Layers\":[]}]",
         FAILURE_INPUT, "not what its name says"},
        {"[]", FAILURE_ABSENT, "holds no image"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text archive = {0};
        AUTO_RESULT struct result result = {0};
        struct local_source *local = NULL;
        struct error error = {0};

        archive_add_file(&archive, "c", fixture->config);
        archive_add_file(&archive, "z", "\x1f\x8b\x08");
        archive_add_file(&archive,
                         "0123456789012345678901234567890123456789012345678901234567890123.json",
                         fixture->config);
        archive_add_file(&archive, "manifest.json", cases[i].manifest);
        archive_add_end(&archive);
        if (open_archive(fixture, REFERENCE_DOCKER_ARCHIVE, &archive, &local, &error) == 0) {
            fetch(fixture, local, "", &result);
            error = result.error;
        }
        assert_int_equal(error.kind, cases[i].kind);
        if (!strstr(error.text, cases[i].text))
            fail_msg("'%s', not '%s'", error.text, cases[i].text);
        local_source_free(local);
    }
}

static char *blob_name(const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    return text_new("blobs/sha256/%s", digest_format(digest, text) + strlen("sha256:"));
}

/* Docker 25 and later: an OCI layout, with manifest.json beside it; here also with the names of
 * platforms that were not saved. */
static void add_new(const struct fixture *fixture, struct text *to, struct digest *ret_manifest)
{
    char config[DIGEST_TEXT_SIZE], layer[DIGEST_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
    AUTO_FREE char *config_name = blob_name(&fixture->config_digest);
    AUTO_FREE char *layer_name = blob_name(&fixture->diff_id);
    AUTO_FREE char *manifest =
        text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                 "\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG
                 "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
                 "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%d}]}",
                 digest_format(&fixture->config_digest, config), strlen(fixture->config),
                 digest_format(&fixture->diff_id, layer), LAYER_BYTES);
    AUTO_FREE char *manifest_name = NULL;
    AUTO_FREE char *index = NULL;
    AUTO_FREE char *json =
        text_new("[{\"Config\":\"%s\",\"RepoTags\":[\"app:v1\"],\"Layers\":[\"%s\"]}]", config_name,
                 layer_name);

    digest_compute(NULL, manifest, strlen(manifest), ret_manifest);
    manifest_name = blob_name(ret_manifest);
    index = text_new("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                     "\",\"digest\":\"%s\",\"size\":7},{\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST
                     "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
                     "\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
                     layer, digest_format(ret_manifest, digest), strlen(manifest));
    archive_add_file(to, config_name, fixture->config);
    add_layer(fixture, to, layer_name);
    archive_add_file(to, manifest_name, manifest);
    archive_add_file(to, "index.json", index);
    archive_add_file(to, "manifest.json", json);
    archive_add_file(to, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static void test_new_archives_hold_their_manifest(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        enum reference_transport transport;
        const char *reference;
    } cases[] = {{REFERENCE_DOCKER_ARCHIVE, "app:v1"}, {REFERENCE_OCI_ARCHIVE, "v1"}};

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text archive = {0};
        AUTO_RESULT struct result result = {0};
        struct digest manifest;
        struct local_source *local;

        add_new(fixture, &archive, &manifest);
        local = must_open(fixture, cases[i].transport, &archive);
        fetch(fixture, local, cases[i].reference, &result);
        expect_success(&result);
        assert_true(digest_equal(&result.digest, &manifest));
        local_source_free(local);
    }
}

struct taker {
    struct text bytes;
    unsigned pauses;
    bool pause; /* after every piece */
    const char *refusal;
    struct result result;
};

static int take(void *argument, const void *bytes, size_t size, struct error *err)
{
    struct taker *taker = argument;

    text_add_bytes(&taker->bytes, bytes, size);
    if (taker->refusal)
        return error_set(err, FAILURE_LIMIT, "%s", taker->refusal);
    taker->pauses += taker->pause;
    return taker->pause;
}

static bool is_paused(void *argument)
{
    const struct taker *taker = argument;

    return taker->pauses > 0 || taker->result.done;
}

static uint64_t stream(const struct fixture *fixture, const struct image_source *source,
                       struct taker *taker)
{
    struct descriptor layer = {.digest = fixture->diff_id, .size = LAYER_BYTES};
    struct blob_stream to = {take, taker};

    return source->stream_blob(source->self, "any", &layer, &to, result_take, &taker->result);
}

static void taker_release(struct taker *taker)
{
    text_release(&taker->bytes);
    result_release(&taker->result);
    *taker = (struct taker){0};
}

static void test_layers_come_as_they_are_taken(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TEXT struct text archive = {0};
    struct digest manifest;
    struct local_source *local;
    struct image_source source;
    struct taker taker = {.pause = true};
    uint64_t id;

    add_new(fixture, &archive, &manifest);
    local = must_open(fixture, REFERENCE_OCI_ARCHIVE, &archive);
    source = local_image_source(local);
    id = stream(fixture, &source, &taker);
    while (!taker.result.done) {
        assert_true(loop_run_until(fixture->loop, is_paused, &taker, 5000));
        taker.pauses = 0;
        source.resume(source.self, id);
    }
    expect_success(&taker.result);
    assert_int_equal(taker.bytes.length, LAYER_BYTES);
    assert_memory_equal(taker.bytes.data, fixture->layer, LAYER_BYTES);
    taker_release(&taker);

    taker.refusal = "enough";
    (void)stream(fixture, &source, &taker);
    assert_true(loop_run_until(fixture->loop, is_done, &taker.result, 5000));
    expect_failure(&taker.result, FAILURE_LIMIT, "enough");
    assert_true(taker.bytes.length < LAYER_BYTES);
    taker_release(&taker);

    id = stream(fixture, &source, &taker);
    source.cancel(source.self, id);
    (void)stream(fixture, &source, &taker);
    local_source_free(local);
    assert_int_equal(taker.result.calls, 1);
    expect_failure(&taker.result, FAILURE_LATER, "closing");
    taker_release(&taker);
}

static void test_layers_that_are_not_there(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TEXT struct text archive = {0};
    struct local_source *local;
    struct image_source source;
    struct digest manifest;
    struct taker taker = {0};
    struct blob_stream to = {take, &taker};
    struct descriptor layer = {.digest = fixture->diff_id, .size = 7};

    add_new(fixture, &archive, &manifest);
    local = must_open(fixture, REFERENCE_OCI_ARCHIVE, &archive);
    source = local_image_source(local);
    (void)source.stream_blob(source.self, "any", &layer, &to, result_take, &taker.result);
    assert_true(loop_run_until(fixture->loop, is_done, &taker.result, 5000));
    expect_failure(&taker.result, FAILURE_INPUT, "its descriptor says 7");
    taker_release(&taker);
    digest_compute(NULL, "x", 1, &layer.digest);
    (void)source.stream_blob(source.self, "any", &layer, &to, result_take, &taker.result);
    assert_true(loop_run_until(fixture->loop, is_done, &taker.result, 5000));
    expect_failure(&taker.result, FAILURE_ABSENT, "not in the archive");
    taker_release(&taker);
    local_source_free(local);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_old_archives_get_a_manifest),      TEST(test_links_are_followed_inside),
        TEST(test_archives_that_are_refused),        TEST(test_documents_that_do_not_fit),
        TEST(test_new_archives_hold_their_manifest), TEST(test_layers_come_as_they_are_taken),
        TEST(test_layers_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
