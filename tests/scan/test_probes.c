/* Probes: files that a policy asks for, by pattern and by content, whatever the pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archives.h"
#include "probes.h"

#define ENTRY(...) (&(struct archive_entry){__VA_ARGS__})

static struct layer_facts *facts_of(const struct scan_probes *probes, const struct text *layer,
                                    size_t piece)
{
    struct scan_options options = {.limits = scan_limits_default, .probes = probes};
    AUTO_SCAN struct scan *scan = scan_new(&options);
    struct layer_facts *facts = NULL;
    struct error err = {0};

    for (size_t at = 0; at < layer->length; at += piece) {
        size_t size = layer->length - at < piece ? layer->length - at : piece;
        if (scan_push(scan, layer->data + at, size, &err) < 0)
            fail_msg("%s", err.text);
    }
    if (scan_finish(scan, &facts, &err) < 0)
        fail_msg("%s", err.text);
    return facts;
}

static const struct layer_probe *find(const struct layer_facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->probe_count; i++)
        if (text_equal(facts->probes[i].path, path))
            return &facts->probes[i];
    return NULL;
}

static void files_are_told_with_what_they_are(void **state)
{
    AUTO_PROBES struct scan_probes probes = {0};
    AUTO_TEXT struct text layer = {0};
    char digest[DIGEST_TEXT_SIZE];

    (void)state;
    scan_probes_add(&probes, "/etc/**", NULL);
    archive_add(&layer, ENTRY(.name = "etc/", .type = '5'));
    archive_add(&layer, ENTRY(.name = "etc/a", .mode = 0640, .uid = 7, .gid = 8, .data = "abc"));
    archive_add(&layer, ENTRY(.name = "etc/d/", .type = '5', .mode = 01777));
    archive_add(&layer, ENTRY(.name = "etc/l", .type = '2', .link = "a"));
    archive_add(&layer, ENTRY(.name = "etc/h", .type = '1', .link = "etc/a"));
    archive_add_file(&layer, "etc/.wh.gone", "");
    archive_add_file(&layer, "usr/etc/b", "abc");
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&probes, &layer, 1 << 16);
    assert_int_equal(facts->probes_asked.count, 1);
    assert_string_equal(facts->probes_asked.items[0], probes.items[0].id);
    assert_int_equal(facts->probe_count, 4);
    const struct layer_probe *file = find(facts, "etc/a");
    assert_string_equal(file->probe, probes.items[0].id);
    assert_int_equal(file->kind, LAYER_PATH_FILE);
    assert_int_equal(file->mode, 0640);
    assert_int_equal(file->uid, 7);
    assert_int_equal(file->gid, 8);
    assert_int_equal(file->bytes, 3);
    assert_int_equal(file->content, ANSWER_UNKNOWN);
    assert_string_equal(digest_format(&file->sha256, digest),
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(find(facts, "etc/d")->kind, LAYER_PATH_DIRECTORY);
    assert_int_equal(find(facts, "etc/d")->mode, 01777);
    assert_int_equal(find(facts, "etc/l")->kind, LAYER_PATH_SYMLINK);
    assert_int_equal(find(facts, "etc/h")->kind, LAYER_PATH_HARD_LINK);
    assert_false(digest_is_set(&find(facts, "etc/h")->sha256));
}

static void patterns_mean_what_they_mean_in_policies(void **state)
{
    static const char *const paths[] = {"a.pem",     "x/a.pem",     "x/y/a.pem",
                                        "x/a.pem/b", "srv/k/a.key", "srv/a.key"};
    static const struct {
        const char *pattern;
        const char *matches; /* one digit per path */
    } rows[] = {
        {"*.pem", "100000"},        {"**/*.pem", "111000"},    {"**/a.pem", "111000"},
        {"x/*", "010000"},          {"x/**", "011100"},        {"/x/a.pem", "010000"},
        {"x/**/a.pem", "011000"},   {"srv/*/?.key", "000010"}, {"**", "111111"},
        {"srv/**/*.key", "000011"}, {"y/**", "000000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_PROBES struct scan_probes probes = {0};
        AUTO_TEXT struct text layer = {0};
        scan_probes_add(&probes, rows[i].pattern, NULL);
        for (size_t k = 0; k < ARRAY_COUNT(paths); k++)
            archive_add_file(&layer, paths[k], "");
        archive_add_end(&layer);
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&probes, &layer, 1 << 16);
        for (size_t k = 0; k < ARRAY_COUNT(paths); k++)
            if ((find(facts, paths[k]) != NULL) != (rows[i].matches[k] == '1'))
                fail_msg("%s, %s", rows[i].pattern, paths[k]);
    }
}

static void content_is_looked_through_by_lines(void **state)
{
    AUTO_TEXT struct text large = {0}, long_line = {0};

    while (large.length <= PROBE_CONTENT_MAX)
        text_add(&large, "some line\n");
    while (long_line.length <= PROBE_LINE_MAX)
        text_add(&long_line, "0123456789");
    const struct {
        const char *content;
        size_t size;
        enum answer answer;
    } rows[] = {
        {"a\nPermitRootLogin yes\nb\n", 0, ANSWER_YES},
        {"PermitRootLogin\tyes", 0, ANSWER_YES},
        {"# PermitRootLogin yes\n", 0, ANSWER_NO},
        {"", 0, ANSWER_NO},
        {"x\0PermitRootLogin yes", 21, ANSWER_YES},
        {"PermitRootLogin\nyes\n", 0, ANSWER_NO},
        {large.data, 0, ANSWER_UNKNOWN},
        {long_line.data, 0, ANSWER_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO_PROBES struct scan_probes probes = {0};
        AUTO_TEXT struct text layer = {0};
        scan_probes_add(&probes, "**", "^PermitRootLogin[[:space:]]+yes");
        archive_add(&layer, ENTRY(.name = "f", .data = rows[i].content, .data_size = rows[i].size));
        archive_add(&layer, ENTRY(.name = "d", .type = '5'));
        archive_add_end(&layer);
        AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&probes, &layer, 1 << 16);
        AUTO_LAYER_FACTS struct layer_facts *cut = facts_of(&probes, &layer, 997);
        if (find(facts, "f")->content != rows[i].answer ||
            find(cut, "f")->content != rows[i].answer)
            fail_msg("row %zu: %s", i, answer_name(find(facts, "f")->content));
        assert_int_equal(find(facts, "d")->content, ANSWER_UNKNOWN);
        assert_true(digest_equal(&find(facts, "f")->sha256, &find(cut, "f")->sha256));
    }
}

static void what_was_not_looked_for_is_not_said_to_be_asked(void **state)
{
    AUTO_PROBES struct scan_probes probes = {0};
    AUTO_TEXT struct text layer = {0};

    (void)state;
    scan_probes_add(&probes, "a", "(");
    scan_probes_add(&probes, "b", "x");
    archive_add_file(&layer, "a", "(");
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&probes, &layer, 1 << 16);
    AUTO_FREE char *id = scan_probe_id("b", "x");
    assert_int_equal(facts->probes_asked.count, 1);
    assert_string_equal(facts->probes_asked.items[0], id);
    assert_int_equal(facts->probe_count, 0);
}

static void the_last_entry_of_a_path_counts_and_answers_are_bounded(void **state)
{
    AUTO_PROBES struct scan_probes probes = {0};
    AUTO_TEXT struct text layer = {0};

    (void)state;
    scan_probes_add(&probes, "**", "new");
    archive_add_file(&layer, "a", "old");
    archive_add_file(&layer, "a", "new");
    for (int i = 0; i < LAYER_PROBES_MAX; i++) {
        AUTO_FREE char *name = text_new("f%d", i);
        archive_add_file(&layer, name, "");
    }
    archive_add_end(&layer);
    AUTO_LAYER_FACTS struct layer_facts *facts = facts_of(&probes, &layer, 1 << 16);
    assert_int_equal(find(facts, "a")->content, ANSWER_YES);
    assert_int_equal(facts->probe_count, LAYER_PROBES_MAX);
    assert_int_equal(facts->limits.count, 1);
    assert_string_equal(facts->limits.items[0], "more files that policies ask for than are kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_told_with_what_they_are),
        cmocka_unit_test(patterns_mean_what_they_mean_in_policies),
        cmocka_unit_test(content_is_looked_through_by_lines),
        cmocka_unit_test(what_was_not_looked_for_is_not_said_to_be_asked),
        cmocka_unit_test(the_last_entry_of_a_path_counts_and_answers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
