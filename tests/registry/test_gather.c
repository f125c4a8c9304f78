/* From a reference to facts: single images, indexes, gaps, what is known already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "regwarden/gather.h"
#include "regwarden/map.h"

#include "client.h"

/* What came out, in words: one line per image. */
struct outcome {
    bool done;
    struct gathered gathered;
};

static void take_outcome(void *argument, struct gathered *gathered)
{
    struct outcome *outcome = argument;

    assert_false(outcome->done);
    outcome->done = true;
    outcome->gathered = *gathered;
    *gathered = (struct gathered){0};
}

static bool is_done(void *outcome)
{
    return ((const struct outcome *)outcome)->done;
}

static void outcome_release(struct outcome *outcome)
{
    gathered_release(&outcome->gathered);
    outcome->done = false;
}

static const struct gather_options all = {.needs = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG)};

static void gather(struct client *client, const char *reference,
                   const struct gather_options *options, struct outcome *ret)
{
    struct image_source source = registry_image_source(client->registry);

    *ret = (struct outcome){0};
    assert_true(gather_start(&source, "app", reference, options, take_outcome, ret) > 0);
    assert_false(ret->done);
    assert_true(loop_run_until(client->loop, is_done, ret, 20000));
}

static void expect_no_error(const struct error *error)
{
    if (error->kind != FAILURE_NONE)
        fail_msg("%s", error->text);
}

static void test_single_image(void **state)
{
    struct client client;
    struct outcome outcome;
    const struct gathered_image *image;

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "v1", &all, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.kind, MANIFEST_IMAGE);
    expect_digest(&outcome.gathered.digest, stub_value(&client.stub, "image"));
    assert_string_equal(outcome.gathered.media_type, MEDIA_TYPE_OCI_MANIFEST);
    assert_null(outcome.gathered.index);
    assert_int_equal(outcome.gathered.image_count, 1);
    image = &outcome.gathered.images[0];
    expect_no_error(&image->error);
    assert_false(image->known);
    assert_string_equal(image->platform, "linux/amd64");
    assert_int_equal(image->facts->status[FACT_CONFIG].state, FACT_PRESENT);
    assert_string_equal(image->facts->config->user, "1000");
    outcome_release(&outcome);
    client_close(&client);
}

static void test_config_is_fetched_only_when_wanted(void **state)
{
    struct client client;
    struct outcome outcome;
    struct gather_options options = {.needs = FACT_BIT(FACT_MANIFEST)};

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "v1", &options, &outcome);
    assert_int_equal(outcome.gathered.images[0].facts->status[FACT_CONFIG].state, FACT_ABSENT);
    assert_non_null(outcome.gathered.images[0].facts->status[FACT_CONFIG].reason);
    assert_int_equal(stub_count(&client.stub, "/blobs/", NULL), 0);
    outcome_release(&outcome);
    client_close(&client);
}

static void test_index(void **state)
{
    struct client client;
    struct outcome outcome;

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "multi", &all, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.kind, MANIFEST_INDEX);
    assert_non_null(outcome.gathered.index);
    expect_digest(&outcome.gathered.digest, stub_value(&client.stub, "index"));
    /* Two platforms; the attestation is no image. */
    assert_int_equal(outcome.gathered.image_count, 2);
    assert_string_equal(outcome.gathered.images[0].platform, "linux/amd64");
    assert_string_equal(outcome.gathered.images[1].platform, "linux/arm64/v8");
    for (size_t i = 0; i < 2; i++) {
        expect_no_error(&outcome.gathered.images[i].error);
        assert_int_equal(outcome.gathered.images[i].facts->status[FACT_CONFIG].state, FACT_PRESENT);
    }
    outcome_release(&outcome);
    client_close(&client);
}

static void test_artifact(void **state)
{
    struct client client;
    struct outcome outcome;

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "artifact", &all, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.kind, MANIFEST_ARTIFACT);
    assert_int_equal(outcome.gathered.image_count, 0);
    assert_int_equal(stub_count(&client.stub, "/blobs/", NULL), 0);
    outcome_release(&outcome);
    client_close(&client);
}

/* Whole references that cannot be gathered. */
static const struct {
    const char *scenario;
    const char *reference;
    enum failure kind;
    const char *text;
} failures[] = {
    {"ok", "missing", FAILURE_ABSENT, "404"},
    {"type-mismatch", "v1", FAILURE_INPUT, "served as"},
    {"schema1", "v1", FAILURE_INPUT, "schema 1"},
    {"failing-always", "v1", FAILURE_LATER, "503"},
    {"crowded-index", "crowded", FAILURE_LIMIT, "more than 64 images"},
};

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        struct client client;
        struct outcome outcome;

        client_open(&client, failures[i].scenario, NULL);
        gather(&client, failures[i].reference, &all, &outcome);
        assert_int_equal(outcome.gathered.error.kind, failures[i].kind);
        assert_non_null(strstr(outcome.gathered.error.text, failures[i].text));
        assert_int_equal(outcome.gathered.image_count, 0);
        assert_null(outcome.gathered.index);
        outcome_release(&outcome);
        client_close(&client);
    }
}

/* One image of the reference has an error, the others have facts. */
static const struct {
    const char *scenario;
    const char *reference;
    size_t images;
    size_t bad;
    enum failure kind;
    const char *text;
} gaps[] = {
    {"child-gone", "multi", 2, 1, FAILURE_ABSENT, "image for linux/arm64/v8: "},
    {"nested-index", "nested", 2, 1, FAILURE_INPUT, "an index itself"},
    {"lying-index", "lying", 2, 0, FAILURE_INPUT, "the index says 1 bytes"},
    {"lying-index", "lying", 2, 1, FAILURE_INPUT, "image for linux/arm: "},
    {"huge-entries", "huge", 2, 0, FAILURE_INPUT, "the index says 9437184 bytes"},
    {"huge-entries", "huge", 2, 1, FAILURE_LIMIT, "more than 16 MiB in all"},
};

static void test_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(gaps); i++) {
        struct client client;
        struct outcome outcome;
        const struct gathered_image *bad;

        client_open(&client, gaps[i].scenario, NULL);
        gather(&client, gaps[i].reference, &all, &outcome);
        expect_no_error(&outcome.gathered.error);
        assert_int_equal(outcome.gathered.image_count, gaps[i].images);
        bad = &outcome.gathered.images[gaps[i].bad];
        assert_int_equal(bad->error.kind, gaps[i].kind);
        assert_non_null(strstr(bad->error.text, gaps[i].text));
        assert_null(bad->facts);
        outcome_release(&outcome);
        client_close(&client);
    }
}

/* A config that is gone is a gap in the facts; a wrong or boundless one is illegal. */
static void test_configs_that_cannot_be_had(void **state)
{
    struct client client;
    struct outcome outcome;

    (void)state;
    client_open(&client, "config-gone", NULL);
    gather(&client, "v1", &all, &outcome);
    expect_no_error(&outcome.gathered.images[0].error);
    assert_int_equal(outcome.gathered.images[0].facts->status[FACT_CONFIG].state, FACT_ABSENT);
    assert_non_null(strstr(outcome.gathered.images[0].facts->status[FACT_CONFIG].reason, "404"));
    assert_string_equal(outcome.gathered.images[0].platform, "");
    outcome_release(&outcome);
    client_close(&client);

    client_open(&client, "huge-config", NULL);
    gather(&client, "v1", &all, &outcome);
    assert_int_equal(outcome.gathered.images[0].error.kind, FAILURE_LIMIT);
    assert_non_null(strstr(outcome.gathered.images[0].error.text, "larger than 4 MiB"));
    assert_null(outcome.gathered.images[0].facts);
    assert_int_equal(stub_count(&client.stub, "/blobs/", NULL), 0);
    outcome_release(&outcome);
    client_close(&client);

    client_open(&client, "small-blob", NULL);
    gather(&client, "v1", &all, &outcome);
    assert_int_equal(outcome.gathered.images[0].error.kind, FAILURE_INPUT);
    assert_null(outcome.gathered.images[0].facts);
    outcome_release(&outcome);
    client_close(&client);
}

static void test_full_index(void **state)
{
    struct client client;
    struct outcome outcome;

    (void)state;
    client_open(&client, "full-index", NULL);
    gather(&client, "full", &all, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.image_count, 64);
    for (size_t i = 0; i < 64; i++)
        expect_no_error(&outcome.gathered.images[i].error);
    assert_string_equal(outcome.gathered.images[63].platform, "linux/cpu63");
    outcome_release(&outcome);
    client_close(&client);
}

/* An artifact that an index lists like an image is left out, and a repeated entry counts once. */
static void test_mixed_index(void **state)
{
    struct client client;
    struct outcome outcome;

    (void)state;
    client_open(&client, "artifact-child", NULL);
    gather(&client, "mixed", &all, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.image_count, 1);
    expect_digest(&outcome.gathered.images[0].digest, stub_value(&client.stub, "image"));
    outcome_release(&outcome);
    client_close(&client);
}

static struct facts *take_known(void *known, const struct digest *digest)
{
    char key[DIGEST_TEXT_SIZE];

    return map_remove(known, digest_format(digest, key));
}

static void keep(struct map *known, struct facts **facts)
{
    char key[DIGEST_TEXT_SIZE];

    assert_null(map_set(known, digest_format(&(*facts)->manifest->digest, key), *facts));
    *facts = NULL;
}

static void release_known(struct map *known)
{
    size_t position = 0;
    const char *key;
    void *facts;

    while (map_each(known, &position, &key, &facts))
        facts_free(facts);
    map_free(known);
}

/* Everything is known: not one request, and still not from within the call. */
static void test_known_facts_cost_nothing(void **state)
{
    struct client client;
    struct outcome outcome;
    struct map *known = map_new();
    struct gather_options options = {
        .needs = all.needs, .lookup = take_known, .lookup_argument = known};
    size_t requests;

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "multi", &options, &outcome);
    keep(known, &outcome.gathered.index);
    keep(known, &outcome.gathered.images[0].facts);
    keep(known, &outcome.gathered.images[1].facts);
    outcome_release(&outcome);
    requests = stub_count(&client.stub, "/v2/", NULL);
    gather(&client, stub_value(&client.stub, "index"), &options, &outcome);
    expect_no_error(&outcome.gathered.error);
    assert_int_equal(outcome.gathered.kind, MANIFEST_INDEX);
    assert_int_equal(outcome.gathered.image_count, 2);
    assert_true(outcome.gathered.images[0].known && outcome.gathered.images[1].known);
    assert_string_equal(outcome.gathered.images[1].platform, "linux/arm64/v8");
    assert_int_equal(stub_count(&client.stub, "/v2/", NULL), requests);
    outcome_release(&outcome);
    release_known(known);
    client_close(&client);
}

static void test_known_single_image(void **state)
{
    struct client client;
    struct outcome outcome;
    struct map *known = map_new();
    struct gather_options options = {
        .needs = all.needs, .lookup = take_known, .lookup_argument = known};

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "v1", &options, &outcome);
    keep(known, &outcome.gathered.images[0].facts);
    outcome_release(&outcome);
    /* By tag: the manifest is asked for, the config is not. */
    gather(&client, "v1", &options, &outcome);
    assert_true(outcome.gathered.images[0].known);
    assert_string_equal(outcome.gathered.images[0].platform, "linux/amd64");
    assert_int_equal(stub_count(&client.stub, "/blobs/", NULL), 1);
    keep(known, &outcome.gathered.images[0].facts);
    outcome_release(&outcome);
    /* By digest: nothing is. */
    gather(&client, stub_value(&client.stub, "image"), &options, &outcome);
    assert_true(outcome.gathered.images[0].known);
    assert_int_equal(stub_count(&client.stub, "/v2/", NULL), 3);
    outcome_release(&outcome);
    release_known(known);
    client_close(&client);
}

/* Facts without the config are fetched again when the config is wanted. */
static void test_known_facts_that_do_not_do(void **state)
{
    struct client client;
    struct outcome outcome;
    struct map *known = map_new();
    struct gather_options poor = {.needs = FACT_BIT(FACT_MANIFEST)};
    struct gather_options options = {
        .needs = all.needs, .lookup = take_known, .lookup_argument = known};

    (void)state;
    client_open(&client, "ok", NULL);
    gather(&client, "v1", &poor, &outcome);
    keep(known, &outcome.gathered.images[0].facts);
    outcome_release(&outcome);
    gather(&client, stub_value(&client.stub, "image"), &options, &outcome);
    assert_false(outcome.gathered.images[0].known);
    assert_int_equal(outcome.gathered.images[0].facts->status[FACT_CONFIG].state, FACT_PRESENT);
    outcome_release(&outcome);
    release_known(known);
    client_close(&client);
}

static void test_cancel(void **state)
{
    struct client client;
    struct outcome outcome = {0};
    struct image_source source;
    uint64_t id;

    (void)state;
    client_open(&client, "ok", NULL);
    source = registry_image_source(client.registry);
    for (int64_t ms = 0; ms < 12; ms += 3) {
        id = gather_start(&source, "app", "multi", &all, take_outcome, &outcome);
        client_run_for(&client, ms);
        if (outcome.done)
            outcome_release(&outcome);
        gather_cancel(id);
        gather_cancel(id);
    }
    client_run_for(&client, 50);
    assert_false(outcome.done);
    client_close(&client);
}

static void test_registry_freed_midway(void **state)
{
    struct client client;
    struct outcome outcome = {0};
    struct image_source source;

    (void)state;
    client_open(&client, "silent", NULL);
    source = registry_image_source(client.registry);
    (void)gather_start(&source, "app", "multi", &all, take_outcome, &outcome);
    client_run_for(&client, 30);
    client_close(&client);
    assert_true(outcome.done);
    assert_int_equal(outcome.gathered.error.kind, FAILURE_LATER);
    outcome_release(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_image),
        cmocka_unit_test(test_config_is_fetched_only_when_wanted),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_artifact),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_configs_that_cannot_be_had),
        cmocka_unit_test(test_full_index),
        cmocka_unit_test(test_mixed_index),
        cmocka_unit_test(test_known_facts_cost_nothing),
        cmocka_unit_test(test_known_single_image),
        cmocka_unit_test(test_known_facts_that_do_not_do),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_registry_freed_midway),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
