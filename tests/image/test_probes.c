/* Probes: ids that follow from what is asked, lists that hold each once. */
#include "regwarden/probes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_ids(void **state)
{
    AUTO_FREE char *path = scan_probe_id("etc/app.conf", NULL);
    AUTO_FREE char *again = scan_probe_id("etc/app.conf", NULL);
    AUTO_FREE char *empty = scan_probe_id("etc/app.conf", "");
    AUTO_FREE char *content = scan_probe_id("etc/app.conf", "debug");
    AUTO_FREE char *shifted = scan_probe_id("etc/app.confdebug", NULL);

    (void)state;
    assert_int_equal(strlen(path), 16);
    assert_string_equal(path, again);
    assert_string_not_equal(path, empty);
    assert_string_not_equal(path, content);
    assert_string_not_equal(content, shifted);
}

static void test_list(void **state)
{
    static const char *const paths[] = {"c", "a", "**/b", "a", "d/*", "c"};
    AUTO_PROBES struct scan_probes probes = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        scan_probes_add(&probes, paths[i], NULL);
    scan_probes_add(&probes, "a", "x");
    scan_probes_add(&probes, "a", "x");
    assert_int_equal(probes.count, 5);
    for (size_t i = 1; i < probes.count; i++)
        assert_true(strcmp(probes.items[i - 1].id, probes.items[i].id) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids), cmocka_unit_test(test_list)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
