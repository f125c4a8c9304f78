/* The hash map: every operation against many keys, and removal while walking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/map.h"
#include "regwarden/text.h"

enum { MANY = 5000 };

static int values[MANY];

static const char *key_of(int number, char buffer[static 32])
{
    snprintf(buffer, 32, "key-%d-%.*s", number, number % 9, "padding!!");
    return buffer;
}

static void an_empty_map_answers(void **state)
{
    AUTO_MAP struct map *map = map_new();
    size_t position = 0;
    const char *key;
    void *value;
    (void)state;
    assert_null(map_get(map, "a"));
    assert_null(map_remove(map, "a"));
    assert_int_equal(map_count(map), 0);
    assert_false(map_each(map, &position, &key, &value));
    map_free(NULL);
}

static void setting_replaces_and_copies_the_key(void **state)
{
    AUTO_MAP struct map *map = map_new();
    char key[] = "a";
    (void)state;
    assert_null(map_set(map, key, &values[1]));
    key[0] = 'b';
    assert_ptr_equal(map_get(map, "a"), &values[1]);
    assert_null(map_get(map, "b"));
    assert_ptr_equal(map_set(map, "a", &values[2]), &values[1]);
    assert_int_equal(map_count(map), 1);
    assert_ptr_equal(map_remove(map, "a"), &values[2]);
    assert_null(map_get(map, "a"));
    assert_int_equal(map_count(map), 0);
    assert_null(map_set(map, "", &values[3]));
    assert_ptr_equal(map_get(map, ""), &values[3]);
}

static void many_keys_are_kept_apart(void **state)
{
    AUTO_MAP struct map *map = map_new();
    char key[32];
    (void)state;
    for (int i = 0; i < MANY; i++)
        assert_null(map_set(map, key_of(i, key), &values[i]));
    assert_int_equal(map_count(map), MANY);
    for (int i = 0; i < MANY; i += 2)
        assert_ptr_equal(map_remove(map, key_of(i, key)), &values[i]);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(map_get(map, key_of(i, key)), i % 2 ? &values[i] : NULL);
    assert_int_equal(map_count(map), MANY / 2);
}

/* Removed places must not fill the table up for ever. */
static void coming_and_going_does_not_wear_it_out(void **state)
{
    AUTO_MAP struct map *map = map_new();
    char key[32];
    (void)state;
    for (int i = 0; i < 20 * MANY; i++) {
        map_set(map, key_of(i, key), &values[i % MANY]);
        if (i >= 10)
            assert_ptr_equal(map_remove(map, key_of(i - 10, key)), &values[(i - 10) % MANY]);
    }
    assert_int_equal(map_count(map), 10);
}

static void a_walk_gives_each_entry_once(void **state)
{
    AUTO_MAP struct map *map = map_new();
    char key[32];
    int seen[MANY] = {0};
    size_t position = 0;
    const char *each_key;
    void *value;
    (void)state;
    for (int i = 0; i < MANY; i++)
        map_set(map, key_of(i, key), &values[i]);
    while (map_each(map, &position, &each_key, &value)) {
        long number = (int *)value - values;
        assert_string_equal(each_key, key_of((int)number, key));
        seen[number]++;
        if (number % 3 == 0)
            assert_ptr_equal(map_remove(map, each_key), value);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(map_count(map), MANY - (MANY + 2) / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(setting_replaces_and_copies_the_key),
        cmocka_unit_test(many_keys_are_kept_apart),
        cmocka_unit_test(coming_and_going_does_not_wear_it_out),
        cmocka_unit_test(a_walk_gives_each_entry_once),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
