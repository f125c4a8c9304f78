/* Buffers, lists, pairs and the allocation beneath them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/text.h"

static void an_empty_buffer_has_empty_data(void **state)
{
    struct text text = {0};
    (void)state;
    assert_string_equal(text_data(&text), "");
    AUTO_FREE char *taken = text_take(&text);
    assert_string_equal(taken, "");
    text_release(&text);
    text_clear(&text);
    assert_int_equal(text.length, 0);
}

static void a_buffer_grows(void **state)
{
    AUTO_TEXT struct text text = {0};
    (void)state;
    text_add(&text, "a");
    text_add_char(&text, 'b');
    text_add_bytes(&text, "c\0d", 3);
    assert_int_equal(text.length, 5);
    assert_memory_equal(text.data, "abc\0d", 6);
    text_clear(&text);
    assert_string_equal(text.data, "");
    for (int i = 0; i < 10000; i++)
        text_format(&text, "%d,", i);
    assert_int_equal(text.length, 48890);
    assert_int_equal(strlen(text.data), text.length);
    assert_true(text.capacity > text.length);
}

static void a_format_longer_than_the_room_is_kept_whole(void **state)
{
    AUTO_TEXT struct text text = {0};
    char wide[5000];
    (void)state;
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    text_add(&text, "x");
    text_format(&text, "%s-%s", wide, "end");
    assert_int_equal(text.length, 1 + 4999 + 4);
    assert_true(text_ends_with(text.data, "w-end"));
}

static void taking_leaves_an_empty_buffer(void **state)
{
    struct text text = {0};
    (void)state;
    text_add(&text, "mine");
    AUTO_FREE char *taken = text_take(&text);
    assert_string_equal(taken, "mine");
    assert_null(text.data);
    assert_int_equal(text.length + text.capacity, 0);
}

static void new_formats(void **state)
{
    AUTO_FREE char *made = text_new("%s-%d", "a", 7);
    (void)state;
    assert_string_equal(made, "a-7");
}

static void lists_own_their_items(void **state)
{
    AUTO_TEXT_LIST struct text_list list = {0}, copy = {0};
    (void)state;
    char word[] = "one";
    text_list_add(&list, word);
    word[0] = 'X';
    text_list_add_take(&list, memory_copy_text("two"));
    assert_int_equal(list.count, 2);
    assert_true(text_list_has(&list, "one"));
    assert_true(text_list_has(&list, "two"));
    assert_false(text_list_has(&list, "three"));
    text_list_copy(&copy, &list);
    text_list_release(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(copy.count, 2);
    assert_string_equal(copy.items[1], "two");
    for (int i = 0; i < 1000; i++)
        text_list_add(&copy, "more");
    assert_int_equal(copy.count, 1002);
}

static void pairs_keep_order_and_the_last_wins(void **state)
{
    struct text_pairs pairs = {0}, copy = {0};
    (void)state;
    text_pairs_add(&pairs, "a", "1");
    text_pairs_add(&pairs, "b", NULL);
    text_pairs_add(&pairs, "a", "2");
    text_pairs_copy(&copy, &pairs);
    text_pairs_release(&pairs);
    assert_int_equal(pairs.count, 0);
    assert_int_equal(copy.count, 3);
    assert_string_equal(copy.items[0].value, "1");
    assert_string_equal(text_pairs_get(&copy, "a"), "2");
    assert_string_equal(text_pairs_get(&copy, "b"), "");
    assert_null(text_pairs_get(&copy, "c"));
    text_pairs_release(&copy);
}

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    AUTO_FREE unsigned char *bytes = memory_new(64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(bytes[i], 0);
    AUTO_FREE void *nothing = memory_new_array(0, 16);
    assert_non_null(nothing);
    AUTO_FREE char *copy = memory_copy_bytes("a\0b", 3);
    assert_memory_equal(copy, "a\0b", 4);
    AUTO_FREE char *empty = memory_copy_bytes(NULL, 0);
    assert_string_equal(empty, "");
    assert_null(memory_copy_text(NULL));
}

static void growing_doubles(void **state)
{
    int *numbers = NULL;
    size_t capacity = 0, moves = 0;
    (void)state;
    for (size_t count = 0; count < 10000; count++) {
        size_t before = capacity;
        numbers = memory_grow(numbers, count, &capacity, sizeof(*numbers));
        moves += capacity != before;
        numbers[count] = (int)count;
    }
    assert_true(moves < 20);
    assert_int_equal(numbers[9999], 9999);
    free(numbers);
}

static void take_clears_its_source(void **state)
{
    char *from = memory_copy_text("x");
    (void)state;
    AUTO_FREE char *to = TAKE(from);
    assert_null(from);
    assert_string_equal(to, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_has_empty_data),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(a_format_longer_than_the_room_is_kept_whole),
        cmocka_unit_test(taking_leaves_an_empty_buffer),
        cmocka_unit_test(new_formats),
        cmocka_unit_test(lists_own_their_items),
        cmocka_unit_test(pairs_keep_order_and_the_last_wins),
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(growing_doubles),
        cmocka_unit_test(take_clears_its_source),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
