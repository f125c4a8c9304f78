/* Files: bounds, failures by kind, secrets, replacement, listing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "regwarden/file.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/regwarden-file-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    (void)state;
    file_list(directory, NULL, &names, NULL);
    for (size_t i = 0; i < names.count; i++)
        remove(names.items[i]);
    return rmdir(directory);
}

static char *path_of(const char *name)
{
    return text_new("%s/%s", directory, name);
}

static void put(const char *name, const char *bytes, size_t size)
{
    AUTO_FREE char *path = path_of(name);
    assert_int_equal(file_write(path, bytes, size, 0600, NULL), 0);
}

static void reading_appends_and_is_bounded(void **state)
{
    AUTO_FREE char *path = path_of("bounded");
    AUTO_TEXT struct text text = {0};
    struct error err;
    (void)state;
    put("bounded", "12345", 5);
    text_add(&text, "<");
    assert_int_equal(file_read(path, 5, &text, &err), 0);
    assert_string_equal(text_data(&text), "<12345");
    assert_int_equal(file_read(path, 4, &text, &err), FAILURE_LIMIT);
    assert_string_equal(text_data(&text), "<12345");
    assert_non_null(strstr(err.text, "larger than 4 bytes"));
    assert_int_equal(file_read(path, SIZE_MAX, &text, &err), 0);
    assert_int_equal(file_read("/dev/zero", 1000, &text, &err), FAILURE_LIMIT);
}

static void large_files_come_in_pieces(void **state)
{
    enum { LARGE = 3 * 64 * 1024 + 1 };
    AUTO_FREE char *bytes = memory_new(LARGE);
    AUTO_FREE char *path = path_of("large");
    (void)state;
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)(i * 7);
    put("large", bytes, LARGE);
    for (size_t size = LARGE - 2; size <= LARGE; size++) {
        AUTO_TEXT struct text text = {0};
        put("large", bytes, size);
        assert_int_equal(file_read(path, size, &text, NULL), 0);
        assert_int_equal(text.length, size);
        assert_memory_equal(text.data, bytes, size);
        assert_int_equal(file_read(path, size - 1, &text, NULL), FAILURE_LIMIT);
    }
}

static void what_is_not_there_is_absent(void **state)
{
    AUTO_FREE char *path = path_of("missing");
    AUTO_FREE char *below = path_of("plain/below");
    AUTO_TEXT struct text text = {0};
    AUTO_TEXT_LIST struct text_list list = {0};
    struct error err;
    (void)state;
    put("plain", "x", 1);
    assert_int_equal(file_read(path, 10, &text, &err), FAILURE_ABSENT);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(file_read(below, 10, &text, &err), FAILURE_ABSENT);
    assert_int_equal(file_read_secret(path, &text, &err), FAILURE_ABSENT);
    assert_int_equal(file_list(path, NULL, &list, &err), FAILURE_ABSENT);
    assert_int_equal(file_read(directory, 10, &text, &err), FAILURE_SYSTEM);
    assert_int_equal(file_write(below, "", 0, 0600, &err), FAILURE_ABSENT);
}

static void standard_input_is_a_dash(void **state)
{
    AUTO_FREE char *path = path_of("input");
    AUTO_TEXT struct text text = {0};
    (void)state;
    put("input", "from there", 10);
    assert_non_null(freopen(path, "r", stdin));
    assert_int_equal(file_read("-", 100, &text, NULL), 0);
    assert_string_equal(text_data(&text), "from there");
}

static void secrets_lose_one_line_end(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        int result;
        const char *secret;
        size_t length;
    } cases[] = {
        {"s3cret", 6, 0, "s3cret", 6},     {"s3cret\n", 7, 0, "s3cret", 6},
        {"s3cret\r\n", 8, 0, "s3cret", 6}, {"s3cret\n\n", 8, 0, "s3cret\n", 7},
        {"s3cret\r", 7, 0, "s3cret\r", 7}, {" s \n", 4, 0, " s ", 3},
        {"a\0b", 3, 0, "a\0b", 3},         {"", 0, FAILURE_INPUT, "", 0},
        {"\n", 1, FAILURE_INPUT, "", 0},   {"\r\n", 2, FAILURE_INPUT, "", 0},
    };
    AUTO_FREE char *path = path_of("secret");
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT struct text secret = {0};
        struct error err;
        put("secret", cases[i].bytes, cases[i].size);
        assert_int_equal(file_read_secret(path, &secret, &err), cases[i].result);
        assert_int_equal(secret.length, cases[i].length);
        assert_memory_equal(text_data(&secret), cases[i].secret, cases[i].length);
    }
}

static void secrets_are_bounded(void **state)
{
    enum { MOST = 64 * 1024 };
    AUTO_FREE char *bytes = memory_new(MOST + 1);
    AUTO_FREE char *path = path_of("secret");
    AUTO_TEXT struct text secret = {0};
    (void)state;
    memset(bytes, 'x', MOST + 1);
    put("secret", bytes, MOST + 1);
    assert_int_equal(file_read_secret(path, &secret, NULL), FAILURE_LIMIT);
    assert_int_equal(secret.length, 0);
    put("secret", bytes, MOST);
    assert_int_equal(file_read_secret(path, &secret, NULL), 0);
    assert_int_equal(secret.length, MOST);
}

static void writing_replaces_and_leaves_nothing_beside(void **state)
{
    AUTO_FREE char *path = path_of("written");
    AUTO_TEXT struct text text = {0};
    AUTO_TEXT_LIST struct text_list names = {0};
    struct stat status;
    (void)state;
    assert_int_equal(file_write(path, "old", 3, 0644, NULL), 0);
    assert_int_equal(file_write(path, "new", 3, 0640, NULL), 0);
    assert_int_equal(file_read(path, 10, &text, NULL), 0);
    assert_string_equal(text_data(&text), "new");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    AUTO_FREE char *taken = path_of("taken");
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(file_write(taken, "x", 1, 0600, NULL), FAILURE_SYSTEM);
    assert_int_equal(file_list(directory, NULL, &names, NULL), 0);
    for (size_t i = 0; i < names.count; i++)
        assert_null(strstr(names.items[i], "taken."));
    assert_int_equal(rmdir(taken), 0);
}

static void listing_is_sorted_and_filtered(void **state)
{
    AUTO_TEXT_LIST struct text_list names = {0};
    AUTO_FREE char *first = path_of("10.yaml");
    AUTO_FREE char *second = path_of("9.yaml");
    AUTO_FREE char *slashed = text_new("%s/", directory);
    (void)state;
    put("9.yaml", "", 0);
    put("10.yaml", "", 0);
    put("other.txt", "", 0);
    assert_int_equal(file_list(directory, ".yaml", &names, NULL), 0);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], first);
    assert_string_equal(names.items[1], second);
    assert_int_equal(file_list(slashed, "0.yaml", &names, NULL), 0);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[2], first);
}

static void directories_are_recognised(void **state)
{
    AUTO_FREE char *path = path_of("plain-file");
    (void)state;
    put("plain-file", "", 0);
    assert_true(file_is_directory(directory));
    assert_false(file_is_directory(path));
    assert_false(file_is_directory("/does/not/exist"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_appends_and_is_bounded),
        cmocka_unit_test(large_files_come_in_pieces),
        cmocka_unit_test(what_is_not_there_is_absent),
        cmocka_unit_test(standard_input_is_a_dash),
        cmocka_unit_test(secrets_lose_one_line_end),
        cmocka_unit_test(secrets_are_bounded),
        cmocka_unit_test(writing_replaces_and_leaves_nothing_beside),
        cmocka_unit_test(listing_is_sorted_and_filtered),
        cmocka_unit_test(directories_are_recognised),
    };
    return cmocka_run_group_tests_name("file", tests, make_directory, remove_directory);
}
