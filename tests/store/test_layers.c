/* Layer facts: kept by digest and version, with what was asked, as long as somebody asks. */
#include "fixture.h"

#include "regwarden/clock.h"
#include "regwarden/layer_facts.h"

struct found {
    bool done;
    bool known;
    struct text_list probes;
    struct text packed;
    struct error error;
};

static void on_found(void *argument, const struct error *error, const struct text_list *probes)
{
    struct found *found = argument;

    found->done = true;
    found->known = probes != NULL;
    if (error)
        found->error = *error;
    if (probes)
        text_list_copy(&found->probes, probes);
}

static void on_packed(void *argument, const struct error *error, struct text *packed)
{
    struct found *found = argument;

    found->done = true;
    found->known = packed != NULL;
    if (error)
        found->error = *error;
    if (packed) {
        found->packed = *packed;
        *packed = (struct text){0};
    }
}

static bool is_done(void *argument)
{
    return ((const struct found *)argument)->done;
}

static void found_release(struct found *found)
{
    text_list_release(&found->probes);
    text_release(&found->packed);
}
#define AUTO_FOUND AUTO(found_release)

static void find(struct fixture *fixture, const struct digest *digest, struct found *ret)
{
    found_release(ret);
    *ret = (struct found){0};
    store_find_layer(fixture->store, digest, on_found, ret);
    assert_true(loop_run_until(fixture->loop, is_done, ret, WAIT_MS));
    assert_int_equal(ret->error.kind, FAILURE_NONE);
}

static void read_it(struct fixture *fixture, const struct digest *digest, struct found *ret)
{
    found_release(ret);
    *ret = (struct found){0};
    store_read_layer(fixture->store, digest, on_packed, ret);
    assert_true(loop_run_until(fixture->loop, is_done, ret, WAIT_MS));
    assert_int_equal(ret->error.kind, FAILURE_NONE);
}

static struct layer_facts *make(const char *content, const char *probe)
{
    struct layer_facts *facts = memory_new(sizeof(*facts));

    digest_compute(NULL, content, strlen(content), &facts->digest);
    facts->compression = memory_copy_text("gzip");
    facts->paths_complete = true;
    if (probe)
        text_list_add(&facts->probes_asked, probe);
    return facts;
}

static void put(struct fixture *fixture, const struct layer_facts *facts)
{
    struct reply reply = {0};
    AUTO_TEXT struct text packed = {0};
    AUTO_LAYER_FACTS struct layer_facts *back = NULL;

    store_put_layer(fixture->store, facts, &packed, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
    assert_int_equal(layer_facts_unpack(packed.data, packed.length, &back, NULL), 0);
    assert_true(digest_equal(&back->digest, &facts->digest));
    reply_release(&reply);
}

static void test_put_find_read(void **state)
{
    struct fixture *fixture = *state;
    AUTO_LAYER_FACTS struct layer_facts *facts = make("one", "0123456789abcdef");
    AUTO_LAYER_FACTS struct layer_facts *other = make("two", NULL);
    AUTO_LAYER_FACTS struct layer_facts *again = make("one", "fedcba9876543210");
    AUTO_LAYER_FACTS struct layer_facts *back = NULL;
    AUTO_FOUND struct found found = {0};

    find(fixture, &facts->digest, &found);
    assert_false(found.known);
    read_it(fixture, &facts->digest, &found);
    assert_false(found.known);
    text_list_add(&facts->probes_asked, "1123456789abcdef");
    put(fixture, facts);
    put(fixture, other);
    fixture_reopen(fixture);
    find(fixture, &facts->digest, &found);
    assert_true(found.known);
    assert_int_equal(found.probes.count, 2);
    assert_string_equal(found.probes.items[1], "1123456789abcdef");
    find(fixture, &other->digest, &found);
    assert_true(found.known);
    assert_int_equal(found.probes.count, 0);
    read_it(fixture, &facts->digest, &found);
    assert_int_equal(layer_facts_unpack(found.packed.data, found.packed.length, &back, NULL), 0);
    assert_int_equal(back->probes_asked.count, 2);
    put(fixture, again); /* asked for other things: replaced */
    find(fixture, &facts->digest, &found);
    assert_int_equal(found.probes.count, 1);
    assert_string_equal(found.probes.items[0], "fedcba9876543210");
}

static void test_other_version_and_damage(void **state)
{
    struct fixture *fixture = *state;
    AUTO_LAYER_FACTS struct layer_facts *facts = make("one", NULL);
    AUTO_LAYER_FACTS struct layer_facts *back = NULL;
    AUTO_FOUND struct found found = {0};
    struct error error = {0};

    put(fixture, facts);
    fixture_change(fixture, "UPDATE layers SET version = version + 1");
    find(fixture, &facts->digest, &found);
    assert_false(found.known);
    read_it(fixture, &facts->digest, &found);
    assert_false(found.known);
    put(fixture, facts);
    fixture_change(fixture, "UPDATE layers SET document = x'28b52ffd00'");
    read_it(fixture, &facts->digest, &found);
    assert_true(found.known);
    assert_int_equal(layer_facts_unpack(found.packed.data, found.packed.length, &back, &error),
                     FAILURE_SYSTEM);
}

static void test_pack_without_a_store(void **state)
{
    AUTO_LAYER_FACTS struct layer_facts *facts = make("one", "0123456789abcdef");
    AUTO_LAYER_FACTS struct layer_facts *back = NULL;
    AUTO_TEXT struct text packed = {0};

    (void)state;
    assert_int_equal(layer_facts_pack(facts, &packed, NULL), 0);
    assert_int_equal(layer_facts_unpack(packed.data, packed.length, &back, NULL), 0);
    assert_string_equal(back->probes_asked.items[0], "0123456789abcdef");
}

static void prune(struct fixture *fixture, int64_t before_ms)
{
    struct reply reply = {0};

    store_prune(fixture->store, before_ms, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    reply_release(&reply);
}

/* To ask is to use, but not every question is written down. */
static void test_what_nobody_asks_for_goes(void **state)
{
    struct fixture *fixture = *state;
    const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    AUTO_LAYER_FACTS struct layer_facts *used = make("one", NULL);
    AUTO_LAYER_FACTS struct layer_facts *unused = make("two", NULL);
    AUTO_FOUND struct found found = {0};

    put(fixture, used);
    put(fixture, unused);
    fixture_change(fixture, "UPDATE layers SET used_ms = 1000");
    find(fixture, &used->digest, &found);
    prune(fixture, clock_wall_ms() - day_ms);
    find(fixture, &used->digest, &found);
    assert_true(found.known);
    find(fixture, &unused->digest, &found);
    assert_false(found.known);
    prune(fixture, clock_wall_ms() + day_ms);
    find(fixture, &used->digest, &found);
    assert_false(found.known);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_put_find_read),
        TEST(test_other_version_and_damage),
        cmocka_unit_test(test_pack_without_a_store),
        TEST(test_what_nobody_asks_for_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
