/* Sweeps and waivers. */
#include "fixture.h"

#include "regwarden/clock.h"

static int64_t begin_sweep(struct fixture *fixture, const char *registry, int64_t at_ms)
{
    struct reply reply = {0};

    store_sweep_begin(
        fixture->store,
        &(struct sweep_start){
            .registry = registry, .cause = "test", .at_ms = at_ms, .resume_after_ms = INT64_MAX},
        on_sweep, &reply);
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

static struct sweep_item make_item(const char *repository, const char *tag, const char *content)
{
    return (struct sweep_item){.event = {.received_ms = clock_wall_ms(),
                                         .action = EVENT_PUSH,
                                         .cause = EVENT_CAUSE_SWEEP,
                                         .registry = (char *)(uintptr_t) "main",
                                         .repository = (char *)(uintptr_t)repository,
                                         .tag = (char *)(uintptr_t)tag,
                                         .digest = digest_of(content)}};
}

static enum failure save(struct fixture *fixture, struct sweep_batch *batch)
{
    struct reply reply = {0};

    batch->at_ms = clock_wall_ms();
    store_sweep_batch(fixture->store, batch, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    return reply.error.kind;
}

static bool see(struct fixture *fixture, int64_t id, const char *repository, const char *tag,
                const char *content)
{
    struct sweep_item item = make_item(repository, tag, content);
    struct sweep_batch batch = {.id = id, .items = &item, .count = 1, .position = "there"};

    assert_int_equal(save(fixture, &batch), FAILURE_NONE);
    assert_int_equal(item.wanted, item.event.id != 0);
    return item.wanted;
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
    assert_false(see(fixture, id, "team/app", "moved", "two")); /* it has its event */
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

    judge(fixture, "v1", "new", clock_wall_ms() + 1000);
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

/* --- a sweep that broke off --- */

static int64_t resume_sweep(struct fixture *fixture, int64_t resume_after_ms, const char *position)
{
    struct reply reply = {0};

    store_sweep_begin(fixture->store,
                      &(struct sweep_start){.registry = "main",
                                            .cause = "test",
                                            .at_ms = clock_wall_ms(),
                                            .resume_after_ms = resume_after_ms},
                      on_sweep, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
    assert_string_equal(reply.text, position);
    return reply.id;
}

static void break_off(struct fixture *fixture, int64_t id, bool may_resume)
{
    struct reply reply = {0};

    store_sweep_end(
        fixture->store,
        &(struct sweep_end){
            .id = id, .at_ms = clock_wall_ms(), .may_resume = may_resume, .reason = "down"},
        on_done, &reply);
    fixture_wait(fixture, &reply, 1);
}

static void a_sweep_goes_on_where_it_broke_off(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = clock_wall_ms();
    int64_t id = begin_sweep(fixture, "main", now_ms);

    judge(fixture, "judged", "one", now_ms - 5000);
    assert_true(see(fixture, id, "team/app", "new", "two"));
    assert_false(see(fixture, id, "team/app", "judged", "one"));
    /* killed; and told that the registry is down */
    assert_int_equal(resume_sweep(fixture, now_ms, "there"), id);
    break_off(fixture, id, true);
    assert_int_equal(resume_sweep(fixture, now_ms, "there"), id);
    /* what was seen before it broke off counts */
    end_sweep(fixture, id, true, NULL);
    assert_int_equal(count_tags(fixture, "known"), 2);
    assert_int_equal(count_open(fixture), 1);
    assert_true(resume_sweep(fixture, now_ms, "") > id);
}

static void a_sweep_begins_anew_where_it_may_not_go_on(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = begin_sweep(fixture, "main", clock_wall_ms());
    int64_t next;

    see(fixture, id, "team/app", "v1", "one");
    next = resume_sweep(fixture, clock_wall_ms() + 60000, ""); /* too old */
    assert_true(next > id);
    see(fixture, next, "team/app", "v1", "one");
    break_off(fixture, next, false);
    id = resume_sweep(fixture, 0, "");
    assert_true(id > next);
    see(fixture, id, "team/app", "v1", "one");
    next = begin_sweep(fixture, "main", clock_wall_ms()); /* asked for anew */
    assert_int_equal(resume_sweep(fixture, 0, "") > next, true);
}

static void what_could_not_be_looked_at_is_not_missed(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TEXT_LIST struct text_list exceptions = {0};
    int64_t old_ms = clock_wall_ms() - 60000;
    int64_t id;

    judge_in(fixture, "a/one", old_ms);
    judge_in(fixture, "b/one", old_ms);
    text_list_add(&exceptions, "b/one");
    id = begin_sweep(fixture, "main", clock_wall_ms() - 1000);
    struct sweep_batch batch = {.id = id, .exceptions = &exceptions, .position = "there"};
    assert_int_equal(save(fixture, &batch), FAILURE_NONE);
    assert_int_equal(save(fixture, &batch), FAILURE_NONE); /* twice is once */
    assert_int_equal(resume_sweep(fixture, 0, "there"), id);
    end_sweep(fixture, id, true, NULL);
    assert_int_equal(count_tags(fixture, "known"), 1);
    end_sweep(fixture, begin_sweep(fixture, "main", clock_wall_ms() - 1000), true, NULL);
    assert_int_equal(count_tags(fixture, "known"), 0);
}

/* --- what somebody took off --- */

struct taken_off {
    enum action_kind kind;
    enum plan_state state;
    enum verdict_status verdict;
    bool asks; /* the verdict in force */
    bool seen; /* the label, or the tag */
    bool redone;
};

static const struct taken_off taken_off[] = {
    {ACTION_LABEL, PLAN_DONE, VERDICT_FAIL, true, false, true},
    {ACTION_LABEL, PLAN_DONE, VERDICT_FAIL, true, true, false},
    {ACTION_LABEL, PLAN_DONE, VERDICT_FAIL, false, false, false},
    {ACTION_LABEL, PLAN_UNDONE, VERDICT_FAIL, true, false, false},
    {ACTION_LABEL, PLAN_PLANNED, VERDICT_FAIL, true, false, false},
    {ACTION_TAG, PLAN_DONE, VERDICT_FAIL, true, false, true},
    {ACTION_TAG, PLAN_DONE, VERDICT_FAIL, true, true, false},
    {ACTION_TAG, PLAN_DONE, VERDICT_FAIL, false, false, false},
    {ACTION_TAG, PLAN_DONE, VERDICT_PASS, true, false, false},
    {ACTION_TAG, PLAN_UNDONE, VERDICT_FAIL, true, false, false},
};

static int64_t plan_it(struct fixture *fixture, const struct taken_off *row, const char *tag)
{
    static const char *const rules[] = {"non-root", NULL};
    struct verdict verdict = make_verdict(row->verdict, "r", rules);
    struct store_record wanted = make_record("team/app", tag, tag, &verdict);
    struct digest digest = digest_of(tag);
    char text[DIGEST_TEXT_SIZE];
    AUTO_JSON struct json *pushes = json_new_array();
    struct json *push = json_new_object();
    struct store_plan plan = {.kind = row->kind, .pushes = pushes};
    struct reply reply = {0};

    json_set_string(push, "repository", "team/app");
    json_set_string(push, "reference", "policy-fail");
    json_set_string(push, "digest", digest_format(&digest, text));
    json_append_take(pushes, push);
    verdict.actions = row->asks ? ACTION_BIT(row->kind) : 0;
    wanted.at_ms = 1000;
    wanted.plans = &plan;
    wanted.plan_count = 1;
    record(fixture, &wanted);
    verdict_release(&verdict);
    store_update_plan(fixture->store,
                      &(struct plan_update){.id = plan.id, .state = row->state, .at_ms = 1000},
                      on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    return plan.id;
}

static void what_somebody_took_off_is_planned_again(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(taken_off); i++) {
        const struct taken_off *row = &taken_off[i];
        AUTO_FREE char *tag = text_new("v%zu", i);
        int64_t plan = plan_it(fixture, row, tag);
        int64_t id = begin_sweep(fixture, "main", clock_wall_ms());
        struct sweep_item items[] = {make_item("team/app", tag, tag),
                                     make_item("team/app", "policy-fail", tag)};
        struct sweep_batch batch = {.id = id, .items = items, .count = 1, .position = "there"};
        struct reply tags = {0}, loaded = {0};

        items[0].has_label = row->kind == ACTION_TAG ? ANSWER_UNKNOWN
                             : row->seen             ? ANSWER_YES
                                                     : ANSWER_NO;
        batch.count += row->kind == ACTION_TAG && row->seen;
        assert_int_equal(save(fixture, &batch), FAILURE_NONE);
        assert_false(items[0].wanted);
        store_sweep_redo_tags(fixture->store, id, clock_wall_ms(), on_ids, &tags);
        fixture_wait(fixture, &tags, 1);
        if (row->kind == ACTION_LABEL)
            assert_int_equal(items[0].redo, row->redone ? plan : 0);
        else
            assert_int_equal(tags.count ? tags.id : 0, row->redone ? plan : 0);
        store_load_plan(fixture->store, plan, on_plans, &loaded);
        fixture_wait(fixture, &loaded, 1);
        assert_int_equal(loaded.plan.state, row->redone ? PLAN_PLANNED : row->state);
        reply_release(&loaded);
        break_off(fixture, id, false);
    }
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
    struct sweep_item item = make_item("a", "b", "x");
    struct sweep_batch nowhere = {.id = 4711, .items = &item, .count = 1};

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

    assert_int_equal(save(fixture, &nowhere), FAILURE_ABSENT);
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
        TEST(a_sweep_goes_on_where_it_broke_off),
        TEST(a_sweep_begins_anew_where_it_may_not_go_on),
        TEST(what_could_not_be_looked_at_is_not_missed),
        TEST(what_somebody_took_off_is_planned_again),
        TEST(sweeps_are_listed_with_their_end),
        TEST(waivers_come_back_until_they_are_revoked),
        TEST(the_ledger_shows_every_waiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
