/* What images are built on: followed by the configuration, told by events, and never believed from
 * them. */
#include "fixture.h"

#include "regwarden/bases.h"
#include "regwarden/clock.h"

static const char policy[] =
    "policy: test\nscope: { repositories: [\"team/**\"] }\nrules:\n"
    "  - rule: base-known\n  - rule: base-fresh\n    with: {grace: 0}\n    severity: high\n";
static const char top[] = "bases: [\"main/base/*:*\"]\nretry: {first: 100ms, max: 200ms}\n";

static struct digest push_layers(struct fixture *fixture, const char *repository, const char *tag,
                                 const char *layers)
{
    AUTO_JSON struct json *answer = stub_ask(
        &fixture->stub,
        "{'do': 'image', 'repository': '%s', 'tag': '%s', 'layers': [%s], 'config': "
        "'{\\\"os\\\": \\\"linux\\\", \\\"architecture\\\": \\\"amd64\\\", \\\"config\\\": {}}'}",
        repository, tag, layers);
    struct digest digest;

    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &digest, NULL), 0);
    return digest;
}

static bool bases_are_two(struct fixture *fixture)
{
    AUTO_JSON struct json *document = bases_document(fixture->daemon.bases);

    return json_count(json_get(document, "bases")) == 2;
}

static bool app_passes(struct fixture *fixture)
{
    return text_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

static bool app_fails(struct fixture *fixture)
{
    return text_equal(verdict_of(fixture, "team/app", "v1"), "fail");
}

static size_t superseded(struct fixture *fixture)
{
    AUTO_JSON struct json *document = bases_document(fixture->daemon.bases);
    const struct json *bases = json_get(document, "bases");
    size_t count = 0;

    for (size_t i = 0; i < json_count(bases); i++) {
        const struct json *names = json_get(json_at(bases, i), "names");

        for (size_t k = 0; k < json_count(names); k++)
            count += json_get_string(json_at(names, k), "supersededAt") != NULL;
    }
    return count;
}

static void start(struct fixture *fixture)
{
    fixture_stop(fixture);
    fixture_write(fixture, "policy.yaml", policy);
    fixture_start_with(fixture, &(struct fixture_settings){.top = top});
}

/* What is judged before the bases are known is judged again when they are, from the record. */
static void a_changed_catalogue_judges_again(void **state)
{
    struct fixture *fixture = *state;
    struct digest app, next;

    start(fixture);
    app = push_layers(fixture, "team/app", "v1", "'one', 'app'");
    tell_push(fixture, "team/app", "v1", &app);
    settle(fixture);
    assert_false(app_passes(fixture));
    next = push_layers(fixture, "base/os", "1", "'one'");
    tell_push(fixture, "base/os", "1", &next);
    until(fixture, app_passes);
    settle(fixture);
    fixture_stop(fixture); /* what is known outlives a restart */
    fixture_start_with(fixture, &(struct fixture_settings){.top = top});
    turn_for(fixture, 300);
    settle(fixture);
    assert_true(app_passes(fixture));
    next = push_layers(fixture, "base/os", "1", "'two'");
    tell_push(fixture, "base/os", "1", &next);
    until(fixture, app_fails);
    assert_int_equal(superseded(fixture), 1);
}

/* Whoever reaches the hook can say that a tag names something else. The registry is asked. */
static void an_event_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct digest other;

    start(fixture);
    push_layers(fixture, "base/os", "1", "'one'");
    other = push_layers(fixture, "base/os", "2", "'two'");
    bases_refresh(fixture->daemon.bases);
    until(fixture, bases_are_two);
    tell_push(fixture, "base/os", "1", &other);
    settle(fixture);
    turn_for(fixture, 500);
    assert_int_equal(superseded(fixture), 0);
}

/* The registry fails: what is known stays known, and is tried again. */
static void a_failing_registry_takes_nothing_away(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    push_layers(fixture, "base/os", "1", "'one'");
    push_layers(fixture, "base/os", "2", "'two'");
    bases_refresh(fixture->daemon.bases);
    until(fixture, bases_are_two);
    stub_tell(&fixture->stub, "{'do': 'untag', 'repository': '%s', 'tag': '%s'}", "base/os", "2");
    bases_refresh(fixture->daemon.bases);
    turn_for(fixture, 500);
    assert_true(bases_are_two(fixture));
    fixture_break_off(fixture); /* in the middle of a walk */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_changed_catalogue_judges_again),
        TEST(an_event_is_not_believed),
        TEST(a_failing_registry_takes_nothing_away),
    };

    return cmocka_run_group_tests_name("bases", tests, fixture_group_setup, fixture_group_teardown);
}
