/* Facts of several hundred public images: none may crash, each must round-trip, and builder and
 * runtime must be right as often as they were. Needs REGWARDEN_SHARED_DATA; skipped without it.
 *
 * A record is no config, but holds what a config holds: it is turned into one here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "regwarden/file.h"

struct score {
    size_t images, builder_right, runtime_asked, runtime_right, runtime_wrong;
    size_t base_asked, base_right, base_low, base_high, base_unknown;
    size_t aligned, secrets;
    size_t builders[BUILDER_BUILDPACKS + 1];
};

/* What an image of this repository runs. Repositories that are not listed are not counted. */
static const struct {
    const char *repository;
    enum runtime runtime;
} repositories[] = {
    {"node", RUNTIME_NODE},     {"golang", RUNTIME_GO},          {"python", RUNTIME_PYTHON},
    {"pypy", RUNTIME_PYTHON},   {"ruby", RUNTIME_RUBY},          {"jruby", RUNTIME_RUBY},
    {"rails", RUNTIME_RUBY},    {"rust", RUNTIME_RUST},          {"php", RUNTIME_PHP},
    {"openjdk", RUNTIME_JAVA},  {"java", RUNTIME_JAVA},          {"maven", RUNTIME_JAVA},
    {"gradle", RUNTIME_JAVA},   {"tomcat", RUNTIME_JAVA},        {"jetty", RUNTIME_JAVA},
    {"groovy", RUNTIME_JAVA},   {"clojure", RUNTIME_JAVA},       {"composer", RUNTIME_PHP},
    {"wordpress", RUNTIME_PHP}, {"drupal", RUNTIME_PHP},         {"joomla", RUNTIME_PHP},
    {"nextcloud", RUNTIME_PHP}, {"ghost", RUNTIME_NODE},         {"redmine", RUNTIME_RUBY},
    {"sentry", RUNTIME_PYTHON}, {"elasticsearch", RUNTIME_JAVA},
};

static struct json *copy_member(const struct json *record, const char *key)
{
    return json_retain(json_get(record, key));
}

static void add_config(struct json *root, const struct json *record)
{
    static const struct {
        const char *from, *to;
    } members[] = {
        {"env", "Env"},   {"entrypoint", "Entrypoint"},  {"cmd", "Cmd"},
        {"user", "User"}, {"working_dir", "WorkingDir"}, {"labels_cfg", "Labels"},
    };
    struct json *config = json_new_object();
    for (size_t i = 0; i < ARRAY_COUNT(members); i++)
        if (json_get(record, members[i].from))
            json_set_take(config, members[i].to, copy_member(record, members[i].from));
    json_set_take(root, "config", config);
}

static struct image_config *config_of(const struct json *record)
{
    struct json *root = json_new_object();
    struct text text = {0};
    struct image_config *config = NULL;
    struct error err = {0};
    add_config(root, record);
    json_set_take(root, "history", copy_member(record, "history"));
    json_write(root, JSON_COMPACT, &text);
    if (image_config_parse(text_data(&text), text.length, &config, &err))
        fail_msg("%s", err.text);
    text_release(&text);
    json_release(root);
    return config;
}

static void round_trip(const struct facts *facts)
{
    AUTO_JSON struct json *json = facts_to_json(facts);
    AUTO_FACTS struct facts *copy = NULL;
    struct error err = {0};
    if (facts_from_json(json, &copy, &err))
        fail_msg("%s", err.text);
    AUTO_FREE char *before = fixture_document(facts);
    AUTO_FREE char *after = fixture_document(copy);
    assert_string_equal(before, after);
}

static void count_runtime(struct score *score, const char *repository, const struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_COUNT(repositories); i++) {
        if (!text_equal(repositories[i].repository, repository))
            continue;
        score->runtime_asked++;
        if (facts->runtime.runtime == repositories[i].runtime)
            score->runtime_right++;
        else if (facts->runtime.runtime != RUNTIME_UNKNOWN)
            score->runtime_wrong++;
    }
}

static void count_base(struct score *score, const struct json *record, const struct facts *facts)
{
    int64_t layers = json_get_integer(record, "base_prefix_layers", -1);
    if (layers < 0 || !facts->history.aligned)
        return;
    score->base_asked++;
    if (facts->base.layer_count < 0)
        score->base_unknown++;
    else if (facts->base.layer_count == layers)
        score->base_right++;
    else if (facts->base.layer_count < layers)
        score->base_low++;
    else
        score->base_high++;
}

static void judge(const struct json *record, enum image_builder builder, struct score *score)
{
    AUTO_FACTS struct facts *facts = facts_build_take(
        fixture_image(json_count(json_get(record, "layers")), "{}"), config_of(record), NULL, NULL);
    round_trip(facts);
    score->images++;
    score->builders[facts->history.builder]++;
    score->builder_right += facts->history.builder == builder;
    score->aligned += facts->history.aligned;
    score->secrets += facts->secret_count;
    for (size_t i = 0; i < facts->secret_count; i++)
        print_message("  %s:%s %s %s=%s\n", json_get_string(record, "repo"),
                      json_get_string(record, "tag"), facts->secrets[i].kind,
                      facts->secrets[i].key ? facts->secrets[i].key : "", facts->secrets[i].masked);
    count_runtime(score, json_get_string(record, "repo"), facts);
    count_base(score, record, facts);
}

static void read_record(const char *path, enum image_builder builder, struct score *score)
{
    struct text text = {0};
    AUTO_JSON struct json *record = NULL;
    struct error err = {0};
    if (file_read(path, 16 << 20, &text, &err) ||
        json_parse(text_data(&text), text.length, NULL, &record, &err))
        fail_msg("%s: %s", path, err.text);
    if (json_get(record, "history"))
        judge(record, builder, score);
    text_release(&text);
}

/* Every *.json of one source. False, and the test is skipped, when there is no such data. */
static bool read_source(const char *source, enum image_builder builder, struct score *score)
{
    const char *shared = getenv("REGWARDEN_SHARED_DATA");
    AUTO_FREE char *folder = text_new("%s/corpus/%s", shared ? shared : "", source);
    DIR *directory = shared ? opendir(folder) : NULL;
    if (!directory) {
        print_message("skipped: no corpus %s below $REGWARDEN_SHARED_DATA\n", source);
        return false;
    }
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        AUTO_FREE char *path = text_new("%s/%s", folder, entry->d_name);
        if (text_ends_with(entry->d_name, ".json"))
            read_record(path, builder, score);
    }
    closedir(directory);
    print_message("%s: %zu images, builder right %zu, aligned %zu, secrets %zu\n", source,
                  score->images, score->builder_right, score->aligned, score->secrets);
    print_message("  runtime: %zu asked, %zu right, %zu wrong, the rest unknown\n",
                  score->runtime_asked, score->runtime_right, score->runtime_wrong);
    print_message("  base layers: %zu asked, %zu right, %zu too few, %zu too many, %zu unknown\n",
                  score->base_asked, score->base_right, score->base_low, score->base_high,
                  score->base_unknown);
    return true;
}

static void official_images_of_2018(void **state)
{
    struct score score = {0};
    (void)state;
    if (!read_source("repo-info", BUILDER_CLASSIC, &score))
        skip();
    assert_true(score.builder_right * 100 >= score.images * 98);
    assert_true(score.runtime_right * 100 >= score.runtime_asked * 95);
    assert_true(score.runtime_wrong * 100 <= score.runtime_asked * 2);
    /* Wrongly blamed or wrongly excused are worse than unknown. */
    assert_true((score.base_low + score.base_high) * 100 <= score.base_asked * 8);
    assert_true(score.base_high * 100 <= score.base_asked);
}

static void images_of_many_builders(void **state)
{
    struct score score = {0};
    (void)state;
    if (!read_source("snyk-snapshots", BUILDER_BUILDKIT, &score))
        skip();
    assert_int_equal(score.builders[BUILDER_CLASSIC], 9);
    assert_int_equal(score.builders[BUILDER_BUILDKIT], 5);
    assert_int_equal(score.builders[BUILDER_BUILDAH], 2);
    assert_int_equal(score.builders[BUILDER_APKO], 1);
}

static void buildkit_images_of_2020(void **state)
{
    struct score score = {0};
    (void)state;
    if (!read_source("donaldrich80", BUILDER_BUILDKIT, &score))
        skip();
    assert_true(score.builder_right * 100 >= score.images * 90);
}

/* Every JSON blob of a layout that is a manifest or an index must be taken, and be of the kind that
 * it is. */
static void read_layout(const char *folder, size_t *kinds)
{
    AUTO_FREE char *blobs = text_new("%s/blobs/sha256", folder);
    DIR *directory = opendir(blobs);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        AUTO_FREE char *path = text_new("%s/%s", blobs, entry->d_name);
        AUTO_FREE char *name = text_new("sha256:%s", entry->d_name);
        AUTO_MANIFEST struct manifest *manifest = NULL;
        struct digest digest;
        struct text text = {0};
        if (digest_parse(name, &digest, NULL) == 0 && file_read(path, 4 << 20, &text, NULL) == 0 &&
            digest_verify(&digest, text_data(&text), text.length, NULL) == 0 &&
            manifest_parse(text_data(&text), text.length, NULL, &digest, &manifest, NULL) == 0)
            kinds[manifest->kind]++;
        text_release(&text);
    }
    closedir(directory);
}

static void layouts_with_attestations(void **state)
{
    static const struct {
        const char *folder;
        size_t kinds[4]; /* image, index, attestation, artifact */
    } cases[] = {
        {"provenance/snyk-busybox-attestation", {1, 1, 1, 0}},
        {"provenance/slsa-verifier/layout-gha-generic-container-v2.1.0", {1, 1, 1, 1}},
    };
    const char *shared = getenv("REGWARDEN_SHARED_DATA");
    (void)state;
    if (!shared) {
        print_message("skipped: $REGWARDEN_SHARED_DATA is not set\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *folder = text_new("%s/%s", shared, cases[i].folder);
        size_t kinds[4] = {0};
        read_layout(folder, kinds);
        print_message("%s: %zu images, %zu indexes, %zu attestations, %zu artifacts\n",
                      cases[i].folder, kinds[0], kinds[1], kinds[2], kinds[3]);
        assert_memory_equal(kinds, cases[i].kinds, sizeof(kinds));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_images_of_2018),
        cmocka_unit_test(images_of_many_builders),
        cmocka_unit_test(buildkit_images_of_2020),
        cmocka_unit_test(layouts_with_attestations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
