/* The catalogue of bases in the store. */
#include "fixture.h"

#include <string.h>

#include "regwarden/bases.h"

static struct base_catalogue *make_catalogue(void)
{
    static const char text[] =
        "{\"basesVersion\":1,\"bases\":[{\"digest\":\"sha256:"
        "0000000000000000000000000000000000000000000000000000000000000001\",\"platform\":\"linux/"
        "amd64\",\"names\":[{\"name\":\"r.example/a:1\",\"since\":\"2026-01-01T00:00:00Z\"}],"
        "\"layers\":[\"sha256:"
        "000000000000000000000000000000000000000000000000000000000000000a\"]},{\"digest\":\"sha256:"
        "0000000000000000000000000000000000000000000000000000000000000002\",\"names\":[{\"name\":"
        "\"r.example/b:1\"}],\"layers\":[\"sha256:"
        "000000000000000000000000000000000000000000000000000000000000000b\"]}]}";
    struct base_catalogue *catalogue = NULL;
    struct json *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), NULL, &json, NULL), 0);
    assert_int_equal(base_catalogue_from_json(json, &catalogue, NULL), 0);
    json_release(json);
    return catalogue;
}

static void change(struct fixture *fixture, const struct bases_change *wanted)
{
    struct reply reply = {0};

    store_change_bases(fixture->store, wanted, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
}

static struct json *load(struct fixture *fixture)
{
    struct reply reply = {0};

    store_load_bases(fixture->store, on_json, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
    return reply.json;
}

static void bases_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct base_catalogue *catalogue = make_catalogue();
    struct base_catalogue *copy = NULL;
    const struct base_image *saved[] = {base_catalogue_at(catalogue, 0),
                                        base_catalogue_at(catalogue, 1)};

    change(fixture, &(struct bases_change){.saved = saved, .saved_count = 2});
    change(fixture, &(struct bases_change){.saved = saved, .saved_count = 1}); /* as it is now */
    fixture_reopen(fixture);
    AUTO_JSON struct json *json = load(fixture);
    assert_int_equal(base_catalogue_from_json(json, &copy, NULL), 0);
    assert_string_equal(base_catalogue_revision(copy), base_catalogue_revision(catalogue));
    change(fixture, &(struct bases_change){.gone = &saved[0]->digest, .gone_count = 1});
    AUTO_JSON struct json *less = load(fixture);
    assert_int_equal(json_count(json_get(less, "bases")), 1);
    base_catalogue_free(copy);
    base_catalogue_free(catalogue);
}

static void sources_come_back(void **state)
{
    struct fixture *fixture = *state;

    change(fixture, &(struct bases_change){.add_source = "main/base/*:*", .by = "anna"});
    change(fixture, &(struct bases_change){.add_source = "main/base/*:*", .by = "ben"});
    AUTO_JSON struct json *json = load(fixture);
    const struct json *sources = json_get(json, "sources");
    assert_int_equal(json_count(sources), 1);
    assert_string_equal(json_get_string(json_at(sources, 0), "reference"), "main/base/*:*");
    assert_string_equal(json_get_string(json_at(sources, 0), "by"), "anna");
    change(fixture, &(struct bases_change){.remove_source = "main/base/*:*"});
    AUTO_JSON struct json *less = load(fixture);
    assert_int_equal(json_count(json_get(less, "sources")), 0);
}

static void a_damaged_base_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct reply reply = {0};

    fixture_close(fixture);
    fixture_change(fixture, "INSERT INTO bases (digest, document) VALUES (x'00', '{')");
    store_load_bases(fixture->store, on_json, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bases_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(sources_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_base_is_told, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
