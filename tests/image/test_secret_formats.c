/* Every row of the table of token formats: found in short texts and by its clue, whole, and not
 * when it is cut, an example or a placeholder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/text.h"
#include "secret_examples.h"

enum { SPECIALS = 4 }; /* clues before those of the rows */

static void every_row_is_found_in_short_texts(void **state)
{
    size_t count = secret_formats_count();

    (void)state;
    assert_true(count - secret_formats_context_count >= 150);
    for (size_t i = 0; i < 2 * count; i++) {
        const struct secret_format *row = secret_formats_row(i / 2);
        size_t start, size;
        AUTO_FREE char *text = secret_example(row, i % 2, &start, &size);
        struct secret_match match[2];
        struct secret_text scan;
        size_t position = 0;
        secret_text_init(&scan, text);
        if (row->name && text_ends_with(row->name, ":"))
            continue; /* part of the value: a named value like others, here */
        bool found = row->name ? secret_scan_next(&scan, &position, &match[0], NULL)
                               : secret_text_find(text, match, 2) == 1;
        if (!found || strcmp(match[0].kind, row->kind) != 0 || match[0].start != start ||
            match[0].size != size)
            fail_msg("%s in %s", row->kind, text);
        AUTO_FREE char *secret = memory_copy_bytes(text + start, size);
        AUTO_FREE char *redacted = secret_text_redact(text);
        assert_null(strstr(redacted, secret));
    }
}

/* Where the clue's literal stands, or -1. */
static long find_clue(const char *text, const struct secret_clue *clue)
{
    const char *at = clue->any_case ? strcasestr(text, clue->literal) : strstr(text, clue->literal);

    return at ? at - text : -1;
}

/* The marked group is searched at every word, the others only where their first two letters stand.
 */
static void what_has_something_before_its_mark_is_in_one_group(void **state)
{
    size_t marked = 0;

    (void)state;
    for (size_t i = 0; i < secret_formats_count(); i++) {
        const struct secret_format *row = secret_formats_row(i);
        bool is_marked = row >= secret_formats_marked &&
                         row < secret_formats_marked + secret_formats_marked_count;

        assert_int_equal(is_marked, row->before > 0);
        marked += is_marked;
    }
    assert_true(marked > 0);
}

static void every_row_is_found_by_its_clue(void **state)
{
    struct secret_search *search = secret_search_new();

    (void)state;
    assert_int_equal(secret_clue_count(), secret_formats_count() + SPECIALS);
    for (size_t i = 0; i < secret_formats_count(); i++) {
        size_t start, size;
        AUTO_FREE char *text = secret_example(secret_formats_row(i), false, &start, &size);
        struct secret_clue clue = secret_clue(i + SPECIALS);
        struct secret_match match;
        long at = find_clue(text, &clue);
        assert_true(at >= 0);
        secret_search_begin(search, text, strlen(text));
        if (!secret_search_try(search, i + SPECIALS, (size_t)at, &match) || match.start != start ||
            match.size != size)
            fail_msg("%s in %s", match.kind, text);
    }
    secret_search_free(search);
}

/* One character less than the least. */
static void a_cut_token_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < secret_formats_count(); i++) {
        const struct secret_format *row = secret_formats_row(i);
        size_t start, size;
        AUTO_FREE char *text = secret_example(row, false, &start, &size);
        struct secret_match match;
        if (row->name || row->min == 0)
            continue;
        memmove(text + start + size - 1, text + start + size, strlen(text + start + size) + 1);
        if (secret_text_find(text, &match, 1) > 0 && strcmp(match.kind, row->kind) == 0)
            fail_msg("%s in %s", row->kind, text);
    }
}

static bool class_has(const char *class, char c)
{
    for (const char *at = class; *at; at++) {
        bool range = at[1] == '-' && at[2];
        if (range ? c >= at[0] && c <= at[2] : c == at[0])
            return true;
        at += range ? 2 : 0;
    }
    return false;
}

static void sets_are_what_their_classes_say(void **state)
{
    static const struct {
        enum secret_set set;
        const char *in, *out;
    } rows[] = {
        {SET_ALNUM, "azAZ09", "-_.+/ "},   {SET_UPPER_ALNUM, "AZ09", "az-"},
        {SET_BASE32, "AZ27", "0189az"},    {SET_HEX, "09af", "gAF-"},
        {SET_ANY_HEX, "09afAF", "gG-"},    {SET_HEX_DASH, "09af-", "gA_"},
        {SET_WORD, "azAZ09-_", ".+/= "},   {SET_TOKEN, "azAZ09-_.", "+/=,"},
        {SET_BASE64, "azAZ09+/=", "-_. "}, {SET_BEARER, "azAZ09-_.~+/=", " ,:"},
        {SET_DOLLAR, "az09$", "AZ-"},      {SET_PATH, "azAZ09-_.@/", " :?"},
        {SET_URL, "azAZ09-_.%", " /+"},    {SET_DIGIT, "09", "a-"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (const char *c = rows[i].in; *c; c++)
            assert_true(secret_set_has(rows[i].set, *c));
        for (const char *c = rows[i].out; *c; c++)
            assert_false(secret_set_has(rows[i].set, *c));
        assert_false(secret_set_has(rows[i].set, '\0'));
    }
    for (unsigned set = 0; set < SECRET_SET_COUNT; set++)
        for (int c = 1; c < 256; c++)
            if (secret_set_has((enum secret_set)set, (char)c) !=
                class_has(secret_set_class((enum secret_set)set), (char)c))
                fail_msg("set %u, character %d", set, c);
}

/* However the places are asked for. */
static void runs_are_measured_right(void **state)
{
    static const char text[] = "abc-def ghi";
    static const size_t order[] = {4, 2, 0, 9, 8, 1, 5, 7, 3, 6, 10, 0, 4};

    (void)state;
    struct secret_text scan;
    secret_text_init(&scan, text);
    for (size_t i = 0; i < ARRAY_COUNT(order); i++)
        assert_int_equal(secret_run_at(&scan, SET_WORD, order[i]),
                         strspn(text + order[i], "abcdefghi-"));
}

static void examples_and_words_are_none(void **state)
{
    static const char *const texts[] = {
        ("AKIA"
         "IOSFODNN7EXAMPLE"),
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "glpat-your-token-goes-here-now",
        "re_compile_all_of_the_patterns_now",
        "secret_management_service_configurationxx",
        "datadog_api_key = 00000000000000000000000000000000",
        "datadog_trace_id = 0123456789abcdef0123456789abcdef",
        "heroku_app_url: 01234567-89ab-cdef-0123-456789abcdef",
        "snyk_token = ${SNYK_TOKEN}",
        "datadog_api_key = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Authorization: Bearer your-token-here",
        "sk-learn-pipelines-are-made-of-transformers-and-one-estimator",
    };

    (void)state;
    struct secret_search *search = secret_search_new();
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        secret_search_begin(search, texts[i], strlen(texts[i]));
        for (size_t k = 0; k < secret_clue_count(); k++) {
            struct secret_clue clue = secret_clue(k);
            struct secret_match match;
            long at = find_clue(texts[i], &clue);
            if (at >= 0 && secret_search_try(search, k, (size_t)at, &match))
                fail_msg("%s is said to be %s", texts[i], match.kind);
        }
    }
    secret_search_free(search);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_in_short_texts),
        cmocka_unit_test(what_has_something_before_its_mark_is_in_one_group),
        cmocka_unit_test(every_row_is_found_by_its_clue),
        cmocka_unit_test(a_cut_token_is_none),
        cmocka_unit_test(sets_are_what_their_classes_say),
        cmocka_unit_test(runs_are_measured_right),
        cmocka_unit_test(examples_and_words_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
