/* Sweeps and waivers. */
#include "fixture.h"

#include "regwarden/clock.h"

static int64_t begin_sweep(struct fixture *fixture, const char *registry, int64_t at_ms)
{
    struct reply reply = {0};

    store_sweep_begin(fixture->store, registry, at_ms, "test", on_id, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
    assert_true(reply.id > 0);
    return reply.id;
}

static void end_sweep(struct fixture *fixture, int64_t id, bool complete, const char *reason)
{
    struct reply reply = {0};

    store_sweep_end(fixture->store,
                    &(struct sweep_end){
                        .id = id, .at_ms = clock_wall_ms(), .complete = complete, .reason = reason},
                    on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
}

static bool see(struct fixture *fixture, int64_t id, const char *repository, const char *tag,
                const char *content)
{
    struct sweep_item item = {repository, tag, digest_of(content)};
    struct reply reply = {0};
    bool wanted = true;

    store_sweep_batch(fixture->store, "main", id, &item, 1, &wanted, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    if (reply.error.kind != FAILURE_NONE)
        fail_msg("%s", reply.error.text);
    return wanted;
}

static void judge(struct fixture *fixture, const char *tag, const char *content, int64_t at_ms)
{
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record("team/app", tag, content, &verdict);

    wanted.at_ms = at_ms;
    record(fixture, &wanted);
}

static int64_t count_tags(struct fixture *fixture, const char *key)
{
    AUTO_JSON struct json *status = read_list(fixture, STORE_LIST_STATUS, NULL);

    return json_get_integer(json_get(status, "tags"), key, -1);
}

static void a_sweep_wants_what_is_not_judged(void **state)
{
    struct fixture *fixture = *state;
    struct store_record artifact = make_record("team/app", "chart", "chart", NULL);
    int64_t now_ms = clock_wall_ms();

    judge(fixture, "judged", "one", now_ms - 5000);
    judge(fixture, "moved", "one", now_ms - 5000);
    artifact.at_ms = now_ms - 5000;
    record(fixture, &artifact);
    int64_t id = begin_sweep(fixture, "main", now_ms);
    assert_false(see(fixture, id, "team/app", "judged", "one"));
    assert_false(see(fixture, id, "team/app", "chart", "chart"));
    assert_true(see(fixture, id, "team/app", "moved", "two"));
    assert_true(see(fixture, id, "team/app", "moved", "two")); /* until it is judged */
    assert_true(see(fixture, id, "team/app", "new", "three"));

    /* seen is known: the tag moved, and what it points at is not judged */
    assert_int_equal(count_tags(fixture, "known"), 3);
    assert_int_equal(count_tags(fixture, "judged"), 1);
    struct event event = make_event("team/app", "moved", "two");
    struct store_context context = read_context(fixture, &event);
    struct digest one = digest_of("one");
    assert_true(context.placement_known);
    assert_false(context.has_verdict);
    assert_true(digest_equal(&context.previous, &one));
    judge(fixture, "moved", "two", clock_wall_ms());
    assert_false(see(fixture, id, "team/app", "moved", "two"));
}

static void a_push_during_the_sweep_is_believed(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = begin_sweep(fixture, "main", clock_wall_ms() - 1000);
    struct event event = make_event("team/app", "v1", "new");

    judge(fixture, "v1", "new", clock_wall_ms());
    assert_false(see(fixture, id, "team/app", "v1", "old")); /* read before the push */
    struct store_context context = read_context(fixture, &event);
    assert_true(context.has_verdict);
}

static void a_complete_sweep_ends_what_it_did_not_see(void **state)
{
    struct fixture *fixture = *state;
    int64_t old_ms = clock_wall_ms() - 60000;
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record elsewhere = make_record("team/app", "v1", "one", &verdict);

    judge(fixture, "seen", "one", old_ms);
    judge(fixture, "unseen", "two", old_ms);
    judge(fixture, NULL, "three", old_ms); /* untagged: no list of tags could show it */
    elsewhere.registry = "second";
    elsewhere.at_ms = old_ms;
    record(fixture, &elsewhere);

    int64_t id = begin_sweep(fixture, "main", clock_wall_ms() - 1000);
    see(fixture, id, "team/app", "seen", "one");
    judge(fixture, "fresh", "four", clock_wall_ms()); /* pushed after the sweep began */
    end_sweep(fixture, id, false, "the registry went away");
    AUTO_JSON struct json *before = read_list(fixture, STORE_LIST_VERDICTS, NULL);
    assert_int_equal(json_count(before), 5); /* incomplete: no conclusions */

    id = begin_sweep(fixture, "main", clock_wall_ms() - 1000);
    see(fixture, id, "team/app", "seen", "one");
    end_sweep(fixture, id, true, NULL);
    AUTO_JSON struct json *after = read_list(fixture, STORE_LIST_VERDICTS, NULL);
    assert_int_equal(json_count(after), 4);
    for (size_t i = 0; i < json_count(after); i++)
        assert_false(text_equal(json_get_string(json_at(after, i), "tag"), "unseen"));
}

static void judge_in(struct fixture *fixture, const char *repository, int64_t at_ms)
{
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record wanted = make_record(repository, "v1", repository, &verdict);

    wanted.at_ms = at_ms;
    record(fixture, &wanted);
}

/* What was not walked cannot be missed. */
static void a_sweep_ends_nothing_beyond_its_scope(void **state)
{
    static const struct {
        const char *globs[3];
        const char *left; /* of a/one, a/two and b/one, newest first */
    } cases[] = {
        {{"a/*"}, "b/one"},   {{"a/*", "!a/two"}, "b/one a/two"},
        {{"!b/**"}, "b/one"}, {{"c/**"}, "b/one a/two a/one"},
        {{NULL}, ""},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_TEXT_LIST struct text_list scope = {0};
        AUTO_TEXT struct text left = {0};
        struct reply reply = {0};
        int64_t old_ms = clock_wall_ms() - 60000;

        judge_in(fixture, "a/one", old_ms);
        judge_in(fixture, "a/two", old_ms);
        judge_in(fixture, "b/one", old_ms);
        for (size_t n = 0; cases[i].globs[n]; n++)
            text_list_add(&scope, cases[i].globs[n]);
        struct sweep_end end = {.id = begin_sweep(fixture, "main", clock_wall_ms()),
                                .at_ms = clock_wall_ms(),
                                .complete = true,
                                .scope = &scope};
        store_sweep_end(fixture->store, &end, on_done, &reply);
        text_list_release(&scope); /* was copied */
        scope = (struct text_list){0};
        fixture_wait(fixture, &reply, 1);
        AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_VERDICTS, NULL);
        for (size_t n = 0; n < json_count(list); n++)
            text_format(&left, "%s%s", n ? " " : "",
                        json_get_string(json_at(list, n), "repository"));
        assert_string_equal(text_data(&left), cases[i].left);
    }
}

static void many_unseen_tags_end_in_small_steps(void **state)
{
    enum { COUNT = 1203 };
    struct fixture *fixture = *state;
    struct verdict verdict = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record *records = memory_new_array(COUNT, sizeof(*records));
    char(*tags)[16] = memory_new_array(COUNT, sizeof(*tags));
    struct reply reply = {0};

    for (int i = 0; i < COUNT; i++) {
        snprintf(tags[i], sizeof(tags[i]), "v%d", i);
        records[i] = make_record("team/app", tags[i], "one", &verdict);
        records[i].at_ms = 1000;
        store_record_verdict(fixture->store, &records[i], on_done, &reply);
    }
    fixture_wait(fixture, &reply, COUNT);
    assert_int_equal(count_tags(fixture, "known"), COUNT);
    AUTO_TEXT_LIST struct text_list scope = {0};
    text_list_add(&scope, "elsewhere/**");
    struct sweep_end end = {.id = begin_sweep(fixture, "main", clock_wall_ms()),
                            .at_ms = clock_wall_ms(),
                            .complete = true,
                            .scope = &scope};
    store_sweep_end(fixture->store, &end, on_done, &reply);
    fixture_wait(fixture, &reply, COUNT + 1);
    assert_int_equal(count_tags(fixture, "known"), COUNT);
    int64_t id = begin_sweep(fixture, "main", clock_wall_ms());
    end_sweep(fixture, id, true, NULL);
    assert_int_equal(count_tags(fixture, "known"), 0);
    free(records);
    free(tags);
}

static void own_pushes_are_not_wanted(void **state)
{
    static const char *const rules[] = {"non-root", NULL};
    struct fixture *fixture = *state;
    struct verdict verdict = make_verdict(VERDICT_FAIL, "r", rules);
    struct store_record wanted = make_record("team/app", "v1", "bad", &verdict);
    struct digest digest = digest_of("bad");
    char text[DIGEST_TEXT_SIZE];
    AUTO_JSON struct json *pushes = json_new_array();
    struct json *push = json_new_object();
    struct store_plan plan = {.kind = ACTION_TAG, .pushes = pushes};

    json_set_string(push, "repository", "team/app");
    json_set_string(push, "reference", "policy-fail-abc");
    json_set_string(push, "digest", digest_format(&digest, text));
    json_append_take(pushes, push);
    wanted.plans = &plan;
    wanted.plan_count = 1;
    record(fixture, &wanted);
    verdict_release(&verdict);
    int64_t id = begin_sweep(fixture, "main", clock_wall_ms());
    assert_false(see(fixture, id, "team/app", "policy-fail-abc", "bad"));
    assert_int_equal(count_tags(fixture, "known"), 1);
    assert_true(see(fixture, id, "team/app", "policy-fail-abc", "somebody's"));
}

static void sweeps_are_listed_with_their_end(void **state)
{
    static const struct {
        const char *state;
        size_t count;
    } cases[] = {{NULL, 4}, {"running", 1}, {"complete", 1}, {"incomplete", 2}};
    struct fixture *fixture = *state;
    struct reply absent = {0};
    struct sweep_item item = {"a", "b", digest_of("x")};
    bool wanted;

    int64_t first = begin_sweep(fixture, "main", 1000);
    see(fixture, first, "team/app", "v1", "one");
    end_sweep(fixture, first, true, NULL);
    int64_t second = begin_sweep(fixture, "main", 2000);
    end_sweep(fixture, second, false, "timeout");
    begin_sweep(fixture, "main", 3000); /* killed */
    begin_sweep(fixture, "main", 4000);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *list =
            read_list(fixture, STORE_LIST_SWEEPS,
                      &(struct store_filter){.registry = "main", .state = cases[i].state});
        assert_int_equal(json_count(list), cases[i].count);
    }
    AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_SWEEPS, NULL);
    assert_string_equal(json_get_string(json_at(list, 1), "reason"), "interrupted");
    assert_string_equal(json_get_string(json_at(list, 2), "reason"), "timeout");
    assert_int_equal(json_get_integer(json_at(list, 3), "seen", -1), 1);
    assert_int_equal(json_get_integer(json_at(list, 3), "wanted", -1), 1);

    store_sweep_batch(fixture->store, "main", 4711, &item, 1, &wanted, on_done, &absent);
    fixture_wait(fixture, &absent, 1);
    assert_int_equal(absent.error.kind, FAILURE_ABSENT);
}

/* --- waivers --- */

static struct waiver make_waiver(const char *id, int64_t expires_ms)
{
    return (struct waiver){.id = (char *)(uintptr_t)id,
                           .rule = (char *)(uintptr_t) "non-root",
                           .repository = (char *)(uintptr_t) "team/*",
                           .digest = digest_of("one"),
                           .reason = (char *)(uintptr_t) "a vendor's image",
                           .owner = (char *)(uintptr_t) "ops",
                           .expires_ms = expires_ms};
}

static enum failure add_waiver(struct fixture *fixture, const struct waiver *waiver)
{
    struct reply reply = {0};

    store_add_waiver(fixture->store, waiver, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    return reply.error.kind;
}

static enum failure revoke_waiver(struct fixture *fixture, const char *id)
{
    struct reply reply = {0};

    store_revoke_waiver(fixture->store, id, clock_wall_ms(), "alice", on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    return reply.error.kind;
}

static void waivers_come_back_until_they_are_revoked(void **state)
{
    struct fixture *fixture = *state;
    struct waiver first = make_waiver("w-1", clock_wall_ms() + 86400000);
    struct waiver second = make_waiver("w-2", clock_wall_ms() + 86400000);
    struct waiver incomplete = make_waiver("w-3", 0);
    struct waiver nameless = make_waiver(NULL, clock_wall_ms() + 86400000);
    struct reply loaded = {0};

    assert_int_equal(add_waiver(fixture, &first), FAILURE_NONE);
    assert_int_equal(add_waiver(fixture, &second), FAILURE_NONE);
    assert_int_equal(add_waiver(fixture, &first), FAILURE_INPUT);
    assert_int_equal(add_waiver(fixture, &incomplete), FAILURE_INPUT);
    assert_int_equal(add_waiver(fixture, &nameless), FAILURE_INPUT);
    assert_int_equal(revoke_waiver(fixture, "w-1"), FAILURE_NONE);
    assert_int_equal(revoke_waiver(fixture, "w-1"), FAILURE_ABSENT);
    assert_int_equal(revoke_waiver(fixture, "w-9"), FAILURE_ABSENT);
    assert_int_equal(add_waiver(fixture, &first), FAILURE_INPUT); /* an id is used once */
    fixture_reopen(fixture);
    store_load_waivers(fixture->store, on_waivers, &loaded);
    fixture_wait(fixture, &loaded, 1);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.waivers[0].id, "w-2");
    assert_string_equal(loaded.waivers[0].repository, "team/*");
    assert_true(digest_equal(&loaded.waivers[0].digest, &second.digest));
    assert_int_equal(loaded.waivers[0].expires_ms, second.expires_ms);
    reply_release(&loaded);
}

static void the_ledger_shows_every_waiver(void **state)
{
    static const struct {
        const char *state;
        size_t count;
    } cases[] = {{NULL, 3}, {"active", 1}, {"expired", 1}, {"revoked", 1}};
    struct fixture *fixture = *state;
    struct waiver waivers[] = {make_waiver("revoked", clock_wall_ms() + 86400000),
                               make_waiver("expired", clock_wall_ms() - 1000),
                               make_waiver("active", clock_wall_ms() + 86400000)};

    for (size_t i = 0; i < ARRAY_COUNT(waivers); i++)
        assert_int_equal(add_waiver(fixture, &waivers[i]), FAILURE_NONE);
    revoke_waiver(fixture, "revoked");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *list =
            read_list(fixture, STORE_LIST_WAIVERS, &(struct store_filter){.state = cases[i].state});
        assert_int_equal(json_count(list), cases[i].count);
        if (cases[i].state)
            assert_string_equal(json_get_string(json_at(list, 0), "id"), cases[i].state);
    }
    AUTO_JSON struct json *list =
        read_list(fixture, STORE_LIST_WAIVERS, &(struct store_filter){.state = "revoked"});
    assert_string_equal(json_get_string(json_at(list, 0), "revokedBy"), "alice");
    assert_non_null(json_get_string(json_at(list, 0), "revokedAt"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sweep_wants_what_is_not_judged),
        TEST(a_push_during_the_sweep_is_believed),
        TEST(a_complete_sweep_ends_what_it_did_not_see),
        TEST(a_sweep_ends_nothing_beyond_its_scope),
        TEST(many_unseen_tags_end_in_small_steps),
        TEST(own_pushes_are_not_wanted),
        TEST(sweeps_are_listed_with_their_end),
        TEST(waivers_come_back_until_they_are_revoked),
        TEST(the_ledger_shows_every_waiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
