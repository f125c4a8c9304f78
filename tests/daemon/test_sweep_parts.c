/* The parts of sweeps by themselves: the pace, a page, a position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sweep.h"

static void a_pace_lets_so_many_through_in_a_second(void **state)
{
    static const int64_t rates[] = {1, 10, 100, 3000};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rates); i++) {
        struct sweep_pace pace = {.rate = rates[i]};
        int64_t sent = 0;

        for (int64_t now_ms = 5000; now_ms < 15000; now_ms++)
            while (sweep_pace_take(&pace, now_ms) == 0)
                sent++;
        assert_in_range(sent, 10 * rates[i] * 99 / 100, 10 * rates[i] + rates[i] / 10 + 1);
    }
}

static void a_pace_says_how_long_to_wait(void **state)
{
    struct sweep_pace slow = {.rate = 2};
    struct sweep_pace unbound = {0};

    (void)state;
    assert_int_equal(sweep_pace_take(&slow, 1000), 0);
    assert_int_equal(sweep_pace_take(&slow, 1000), 400);
    assert_int_equal(sweep_pace_take(&slow, 1399), 1);
    assert_int_equal(sweep_pace_take(&slow, 1400), 0);
    assert_int_equal(sweep_pace_take(&slow, 60000), 0); /* nothing was saved up */
    assert_int_equal(sweep_pace_take(&slow, 60000), 400);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sweep_pace_take(&unbound, 1000), 0);
}

static struct digest digest_of(uint8_t number)
{
    return (struct digest){.algorithm = DIGEST_SHA256, .bytes = {number}};
}

static void a_page_gives_back_its_rows(void **state)
{
    AUTO_TEXT_LIST struct text_list none = {0}, ours = {0};
    struct sweep_page page = {0};
    struct sweep_row row;
    struct digest two = digest_of(2);

    (void)state;
    text_list_add(&ours, "other");
    text_list_add(&ours, "policy-fail");
    const struct registry_row rows[] = {
        {.tag = "v1", .digest = digest_of(1), .labels = &ours},
        {.tag = "not a tag", .digest = digest_of(1)},
        {.tag = NULL, .digest = digest_of(2), .labels = &none},
        {.tag = NULL},
        {.tag = "v3"},
    };
    sweep_page_fill(&page, &(struct registry_page){.rows = rows, .row_count = ARRAY_COUNT(rows)},
                    "policy-fail");
    assert_true(sweep_page_take(&page, &row));
    assert_string_equal(row.tag, "v1");
    assert_int_equal(row.has_label, ANSWER_YES);
    assert_true(sweep_page_take(&page, &row));
    assert_null(row.tag);
    assert_true(digest_equal(&row.digest, &two));
    assert_int_equal(row.has_label, ANSWER_NO);
    assert_true(sweep_page_take(&page, &row));
    assert_string_equal(row.tag, "v3");
    assert_false(digest_is_set(&row.digest));
    assert_int_equal(row.has_label, ANSWER_UNKNOWN);
    assert_false(sweep_page_take(&page, &row));
    sweep_page_release(&page);
    assert_false(sweep_page_take(&page, &row));
}

static void a_page_is_gone_through_from_where_it_was_left(void **state)
{
    static const struct {
        const char *last, *next;
    } cases[] = {{"a", "b"}, {"b", ""}, {"", "a"}, {"gone", "a"}, {NULL, "b"}};
    const struct registry_row rows[] = {
        {.tag = "a"}, {.tag = "b"}, {.tag = NULL, .digest = digest_of(2)}};
    char name[DIGEST_TEXT_SIZE];
    struct digest two = digest_of(2);

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sweep_page page = {0};
        struct sweep_row row = {0};
        struct registry_page answer = {.rows = rows, .row_count = ARRAY_COUNT(rows)};

        sweep_page_fill(&page, &answer, NULL);
        sweep_page_go_past(&page, cases[i].last ? cases[i].last : digest_format(&two, name));
        if (cases[i].last) {
            assert_true(sweep_page_take(&page, &row));
            assert_string_equal(row.tag ? row.tag : "", cases[i].next);
        } else {
            assert_false(sweep_page_take(&page, &row));
        }
        sweep_page_release(&page);
    }
}

static void a_position_comes_back(void **state)
{
    static char catalogue[] = "n=1000&last=\xc3\xa4", repository[] = "team/app", images[] = "2",
                reason[] = "\"why\"";
    struct sweep_position position = {.catalogue = catalogue,
                                      .repository = repository,
                                      .images = images,
                                      .last = "v1",
                                      .repositories = 7,
                                      .tags = 100000,
                                      .wanted = 3,
                                      .skipped = 1,
                                      .reason = reason,
                                      .lasting = true};
    struct sweep_position empty = {0}, again;
    AUTO_FREE char *text = sweep_position_write(&position);
    AUTO_FREE char *nothing = sweep_position_write(&empty);

    (void)state;
    assert_int_equal(sweep_position_read(text, &again, NULL), 0);
    assert_string_equal(again.catalogue, catalogue);
    assert_string_equal(again.repository, repository);
    assert_string_equal(again.images, images);
    assert_string_equal(again.last, "v1");
    assert_int_equal(again.repositories, 7);
    assert_int_equal(again.tags, 100000);
    assert_int_equal(again.wanted, 3);
    assert_int_equal(again.skipped, 1);
    assert_string_equal(again.reason, reason);
    assert_true(again.lasting);
    sweep_position_release(&again);
    assert_int_equal(sweep_position_read(nothing, &again, NULL), 0);
    assert_null(again.catalogue);
    assert_null(again.repository);
    assert_string_equal(again.last, "");
    sweep_position_release(&again);
    assert_true(sweep_position_read("nonsense", &again, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pace_lets_so_many_through_in_a_second),
        cmocka_unit_test(a_pace_says_how_long_to_wait),
        cmocka_unit_test(a_page_gives_back_its_rows),
        cmocka_unit_test(a_page_is_gone_through_from_where_it_was_left),
        cmocka_unit_test(a_position_comes_back),
    };

    return cmocka_run_group_tests_name("parts of sweeps", tests, NULL, NULL);
}
