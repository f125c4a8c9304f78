/* The table of paths: whatever the order of the archive, it comes out in the order that readers
 * demand, with each path once and the last one of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "path_table.h"

enum { PATHS = 4000 };

static int compare(const void *a, const void *b)
{
    return layer_path_compare(*(char *const *)a, *(char *const *)b);
}

/* Few letters, so that paths begin alike, contain each other and repeat. */
static char *make_path(uint32_t *state)
{
    static const char letters[] = "ab-.~0";
    struct text path = {0};
    unsigned parts = 1 + (*state >> 8) % 4;

    for (unsigned i = 0; i < parts; i++) {
        if (i > 0)
            text_add_char(&path, '/');
        do {
            *state = *state * 1664525 + 1013904223;
            text_add_char(&path, letters[(*state >> 16) % (sizeof(letters) - 1)]);
        } while ((*state >> 24) % 3 != 0);
    }
    return text_take(&path);
}

static void paths_come_in_order(void **state)
{
    struct path_table *table = path_table_new();
    AUTO_TEXT_LIST struct text_list paths = {0};
    AUTO_TEXT struct text text = {0};
    struct layer_paths_cursor cursor;
    uint64_t duplicates = 0;
    uint32_t seed = 7;
    size_t at = 0;

    (void)state;
    assert_true(path_table_add(table, LAYER_PATH_DIRECTORY, "", 0, ""));
    text_list_add(&paths, "");
    for (size_t i = 0; i < PATHS; i++) {
        AUTO_FREE char *path = make_path(&seed);
        assert_true(path_table_add(table, LAYER_PATH_FILE, path, 1, ""));
        text_list_add(&paths, path);
    }
    assert_true(path_table_write(table, &text, &duplicates));
    path_table_free(table);

    qsort(paths.items, paths.count, sizeof(*paths.items), compare);
    layer_paths_begin(&cursor, &text);
    while (layer_paths_next(&cursor, NULL) > 0) {
        assert_string_equal(cursor.current.path, paths.items[at]);
        while (at < paths.count && text_equal(cursor.current.path, paths.items[at]))
            at++;
    }
    layer_paths_end(&cursor);
    assert_int_equal(at, paths.count);
    assert_true(duplicates > 0);
    assert_int_equal(layer_paths_check(&text, NULL), 0);
}

static void the_last_entry_of_a_path_counts(void **state)
{
    struct path_table *table = path_table_new();
    AUTO_TEXT struct text text = {0};
    uint64_t duplicates = 0;

    (void)state;
    path_table_add(table, LAYER_PATH_FILE, "a/b", 7, "");
    path_table_add(table, LAYER_PATH_OPAQUE, "a", 0, "");
    path_table_add(table, LAYER_PATH_SYMLINK, "a/b", 0, "c\nd");
    path_table_add(table, LAYER_PATH_DIRECTORY, "a", 0, "");
    path_table_add(table, LAYER_PATH_WHITEOUT, "a", 0, "");
    assert_true(path_table_write(table, &text, &duplicates));
    path_table_free(table);
    assert_string_equal(text_data(&text), "0 a\tw0\n1 \to0\n1 \td0\n1 /b\tl0\tc\\x0ad\n");
    assert_int_equal(duplicates, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_come_in_order),
        cmocka_unit_test(the_last_entry_of_a_path_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
