/* What the manual and the README tell to write into regwarden.yaml is taken as it stands there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>

#include "regwarden/config.h"
#include "regwarden/file.h"

enum { PAGE_BYTES_MAX = 1024 * 1024 };

static const char *const keys[] = {"registries:", "listen:", "policies:", "notifiers:"};

static bool is_configuration(const char *block)
{
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (text_starts_with(block, keys[i]))
            return true;
    }
    return false;
}

static size_t try_block(const char *page, const char *block)
{
    struct config *config = NULL;
    struct error err = {0};

    if (!is_configuration(block))
        return 0;
    if (config_parse("/etc/regwarden/regwarden.yaml", block, strlen(block), &config, &err) < 0)
        fail_msg("%s: %s\n%s", page, err.text, block);
    config_free(config);
    return 1;
}

/* Between fences. */
static size_t try_page(const char *path)
{
    AUTO_TEXT struct text page = {0};
    AUTO_TEXT struct text block = {0};
    struct error err = {0};
    bool inside = false;
    size_t found = 0;

    if (file_read(path, PAGE_BYTES_MAX, &page, &err) < 0)
        fail_msg("%s", err.text);
    for (const char *line = text_data(&page); *line;) {
        const char *end = strchrnul(line, '\n');

        if (text_starts_with(line, "```")) {
            found += inside ? try_block(path, text_data(&block)) : 0;
            text_clear(&block);
            inside = !inside;
        } else if (inside) {
            text_add_bytes(&block, line, (size_t)(end - line));
            text_add_char(&block, '\n');
        }
        line = *end ? end + 1 : end;
    }
    assert_false(inside);
    return found;
}

static void manual_pages_hold_what_is_taken(void **state)
{
    size_t found = 0;
    glob_t pages;

    (void)state;
    assert_int_equal(glob(TEST_SOURCE_DIR "/man/*.scd", 0, NULL, &pages), 0);
    for (size_t i = 0; i < pages.gl_pathc; i++)
        found += try_page(pages.gl_pathv[i]);
    globfree(&pages);
    assert_in_range(found, 9, 100);
}

/* In the README code is indented by four spaces. */
static void readme_holds_what_is_taken(void **state)
{
    AUTO_TEXT struct text page = {0};
    AUTO_TEXT struct text block = {0};
    size_t found = 0;

    (void)state;
    assert_int_equal(file_read(TEST_SOURCE_DIR "/README.md", PAGE_BYTES_MAX, &page, NULL), 0);
    for (const char *line = text_data(&page); *line;) {
        const char *end = strchrnul(line, '\n');

        if (text_starts_with(line, "    ")) {
            text_add_bytes(&block, line + 4, (size_t)(end - line) - 4);
            text_add_char(&block, '\n');
        } else {
            found += try_block("README.md", text_data(&block));
            text_clear(&block);
        }
        line = *end ? end + 1 : end;
    }
    assert_in_range(found, 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual_pages_hold_what_is_taken),
        cmocka_unit_test(readme_holds_what_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
