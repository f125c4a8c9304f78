/* Plans and their journal, and how our own pushes are known again. */
#include "fixture.h"

#include "regwarden/clock.h"

static struct json *pushes_of(const char *repository, const char *reference, const char *content)
{
    struct digest digest = digest_of(content);
    char text[DIGEST_TEXT_SIZE];
    struct json *list = json_new_array();
    struct json *push = json_new_object();

    json_set_string(push, "repository", repository);
    json_set_string(push, "reference", reference);
    json_set_string(push, "digest", digest_format(&digest, text));
    json_append_take(list, push);
    return list;
}

/* Records a failing "team/app:v1" with these plans. */
static void record_plans(struct fixture *fixture, struct store_plan *plans, size_t count)
{
    static const char *const rules[] = {"non-root", NULL};
    struct verdict verdict = make_verdict(VERDICT_FAIL, "r", rules);
    struct store_record wanted = make_record("team/app", "v1", "bad", &verdict);

    wanted.plans = plans;
    wanted.plan_count = count;
    record(fixture, &wanted);
    verdict_release(&verdict);
}

static void update(struct fixture *fixture, const struct plan_update *wanted)
{
    struct reply reply = {0};

    store_update_plan(fixture->store, wanted, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    if (reply.error.kind != FAILURE_NONE)
        fail_msg("%s", reply.error.text);
}

static struct reply load_plan(struct fixture *fixture, int64_t id)
{
    struct reply reply = {0};

    store_load_plan(fixture->store, id, on_plans, &reply);
    fixture_wait(fixture, &reply, 1);
    assert_int_equal(reply.error.kind, FAILURE_NONE);
    return reply;
}

static size_t count_open_plans(struct fixture *fixture, int64_t after)
{
    struct reply reply = {0};

    store_load_open_plans(fixture->store, after, 100, on_plans, &reply);
    fixture_wait(fixture, &reply, 1);
    size_t count = (size_t)reply.id;
    reply_release(&reply);
    return count;
}

static void plans_get_ids_and_are_loaded_while_open(void **state)
{
    struct fixture *fixture = *state;
    struct json *detail = json_new_object();
    struct store_plan plans[] = {{.kind = ACTION_TAG, .detail = detail},
                                 {.kind = ACTION_HOLD},
                                 {.kind = ACTION_QUARANTINE, .audit = true}};
    struct verdict passing = make_verdict(VERDICT_PASS, "r", NULL);
    struct store_record before = make_record("team/app", "v1", "good", &passing);

    json_set_string(detail, "tag", "policy-fail-abc");
    record(fixture, &before);
    record_plans(fixture, plans, ARRAY_COUNT(plans));
    assert_true(0 < plans[0].id && plans[0].id < plans[1].id && plans[1].id < plans[2].id);
    fixture_reopen(fixture);
    assert_int_equal(count_open_plans(fixture, 0), 2); /* the audited one is never carried out */
    assert_int_equal(count_open_plans(fixture, plans[0].id), 1);

    struct reply reply = load_plan(fixture, plans[0].id);
    const struct plan *plan = &reply.plan;
    struct digest bad = digest_of("bad");
    struct digest good = digest_of("good");
    assert_int_equal(plan->id, plans[0].id);
    assert_int_equal(plan->kind, ACTION_TAG);
    assert_int_equal(plan->state, PLAN_PLANNED);
    assert_string_equal(plan->registry, "main");
    assert_string_equal(plan->repository, "team/app");
    assert_string_equal(plan->tag, "v1");
    assert_true(digest_equal(&plan->digest, &bad));
    assert_true(digest_equal(&plan->last_passing, &good));
    assert_string_equal(json_get_string(plan->detail, "tag"), "policy-fail-abc");
    assert_null(plan->undo);
    assert_int_equal(plan->attempts, 0);
    assert_false(plan->audit);
    assert_non_null(plan->verdict);
    assert_int_equal(plan->verdict->status, VERDICT_FAIL);
    assert_int_equal(plan->verdict->findings.count, 1);
    reply_release(&reply);
    reply = load_plan(fixture, 12345);
    assert_int_equal(reply.id, 0);
    reply = load_plan(fixture, plans[2].id);
    assert_int_equal(reply.plan.state, PLAN_WOULD);
    assert_true(reply.plan.audit);
    reply_release(&reply);
    json_release(detail);
}

static void the_journal_keeps_state_reason_and_undo(void **state)
{
    struct fixture *fixture = *state;
    struct store_plan plan = {.kind = ACTION_QUARANTINE};
    struct json *undo = json_new_object();

    record_plans(fixture, &plan, 1);
    json_set_string(undo, "from", "quarantine/team/app");
    update(fixture, &(struct plan_update){
                        .id = plan.id, .state = PLAN_PLANNED, .reason = "429", .at_ms = 1000});
    struct reply reply = load_plan(fixture, plan.id);
    assert_int_equal(reply.plan.attempts, 1);
    assert_string_equal(reply.plan.reason, "429");
    reply_release(&reply);

    update(fixture,
           &(struct plan_update){.id = plan.id, .state = PLAN_DONE, .undo = undo, .at_ms = 2000});
    json_release(undo);
    assert_int_equal(count_open_plans(fixture, 0), 0);
    update(fixture, &(struct plan_update){
                        .id = plan.id, .state = PLAN_UNDONE, .reason = "by ops", .at_ms = 3000});
    reply = load_plan(fixture, plan.id);
    assert_int_equal(reply.plan.state, PLAN_UNDONE);
    assert_int_equal(reply.plan.attempts, 2);
    assert_string_equal(json_get_string(reply.plan.undo, "from"), "quarantine/team/app");
    reply_release(&reply);

    struct reply absent = {0};
    store_update_plan(fixture->store,
                      &(struct plan_update){.id = 4711, .state = PLAN_DONE, .at_ms = 1}, on_done,
                      &absent);
    fixture_wait(fixture, &absent, 1);
    assert_int_equal(absent.error.kind, FAILURE_ABSENT);
}

static void what_was_acted_on_is_not_asked_again(void **state)
{
    static const struct {
        enum plan_state state;
        bool acted;
    } cases[] = {{PLAN_PLANNED, true}, {PLAN_DONE, true},     {PLAN_UNDONE, true},
                 {PLAN_FAILED, false}, {PLAN_SKIPPED, false}, {PLAN_WOULD, false}};
    struct fixture *fixture = *state;
    struct event bad = make_event("team/app", "v1", "bad");
    struct event other = make_event("team/app", "v1", "other");
    struct store_plan plan = {.kind = ACTION_QUARANTINE};

    record_plans(fixture, &plan, 1);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        update(fixture, &(struct plan_update){.id = plan.id, .state = cases[i].state, .at_ms = 1});
        struct store_context context = read_context(fixture, &bad);
        assert_int_equal(context.acted, cases[i].acted ? ACTION_BIT(ACTION_QUARANTINE) : 0);
        assert_int_equal(context.done,
                         cases[i].state == PLAN_DONE ? ACTION_BIT(ACTION_QUARANTINE) : 0);
        assert_int_equal(context.released, cases[i].state == PLAN_UNDONE);
        context = read_context(fixture, &other);
        assert_int_equal(context.acted, 0);
    }
}

static void announced_pushes_are_known_as_ours(void **state)
{
    struct fixture *fixture = *state;
    AUTO_JSON struct json *at_plan = pushes_of("team/app", "policy-fail-abc", "bad");
    AUTO_JSON struct json *later = pushes_of("quarantine/team/app", "v1", "bad");
    struct store_plan plans[] = {{.kind = ACTION_TAG, .pushes = at_plan},
                                 {.kind = ACTION_QUARANTINE}};
    struct event tag = make_event("team/app", "policy-fail-abc", "bad");
    struct event untagged = make_event("team/app", NULL, "bad");
    struct event other_digest = make_event("team/app", "policy-fail-abc", "other");
    struct event other_registry = make_event("team/app", "policy-fail-abc", "bad");
    struct event moved = make_event("quarantine/team/app", "v1", "bad");

    other_registry.registry = (char *)(uintptr_t) "second";
    record_plans(fixture, plans, ARRAY_COUNT(plans));
    assert_false(read_context(fixture, &moved).is_own_push);
    update(fixture, &(struct plan_update){
                        .id = plans[1].id, .state = PLAN_PLANNED, .pushes = later, .at_ms = 1});
    assert_true(read_context(fixture, &moved).is_own_push);
    assert_true(read_context(fixture, &tag).is_own_push);
    assert_true(read_context(fixture, &untagged).is_own_push);
    assert_false(read_context(fixture, &other_digest).is_own_push);
    assert_false(read_context(fixture, &other_registry).is_own_push);
    struct reply reply = load_plan(fixture, plans[1].id);
    assert_int_equal(reply.plan.attempts, 0); /* an announcement is no attempt */
    reply_release(&reply);
}

/* A rollback pushes to a tag that others use: what they push there later is theirs. */
static void a_push_to_somebodys_tag_is_judged(void **state)
{
    struct fixture *fixture = *state;
    AUTO_JSON struct json *pushes = pushes_of("team/app", "v1", "good");
    struct store_plan plan = {.kind = ACTION_ROLLBACK, .pushes = pushes};
    struct event back = make_event("team/app", "v1", "good");

    record_plans(fixture, &plan, 1);
    assert_false(read_context(fixture, &back).is_own_push);
}

static void an_audited_plan_announces_nothing(void **state)
{
    struct fixture *fixture = *state;
    AUTO_JSON struct json *pushes = pushes_of("team/app", "policy-fail-abc", "bad");
    struct store_plan plan = {.kind = ACTION_TAG, .audit = true, .pushes = pushes};
    struct event tag = make_event("team/app", "policy-fail-abc", "bad");

    record_plans(fixture, &plan, 1);
    assert_false(read_context(fixture, &tag).is_own_push);
}

static void plans_are_listed_by_kind_and_state(void **state)
{
    static const struct {
        struct store_filter filter;
        size_t count;
    } cases[] = {
        {{0}, 3},
        {{.kind = "tag"}, 1},
        {{.state = "planned"}, 2},
        {{.state = "would"}, 1},
        {{.kind = "quarantine", .state = "planned"}, 0},
        {{.repository = "team/*"}, 3},
        {{.repository = "*"}, 0},
        {{.registry = "second"}, 0},
        {{.tag = "v1"}, 3},
        {{.tag = "v2"}, 0},
        {{.limit = 2}, 2},
    };
    struct fixture *fixture = *state;
    struct store_plan plans[] = {
        {.kind = ACTION_TAG}, {.kind = ACTION_HOLD}, {.kind = ACTION_QUARANTINE, .audit = true}};

    record_plans(fixture, plans, ARRAY_COUNT(plans));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_PLANS, &cases[i].filter);
        assert_int_equal(json_count(list), cases[i].count);
    }
    AUTO_JSON struct json *page =
        read_list(fixture, STORE_LIST_PLANS, &(struct store_filter){.before = plans[1].id});
    assert_int_equal(json_count(page), 1);
    assert_int_equal(json_get_integer(json_at(page, 0), "id", 0), plans[0].id);
    AUTO_JSON struct json *one =
        read_list(fixture, STORE_LIST_PLANS, &(struct store_filter){.id = plans[1].id});
    assert_int_equal(json_count(one), 1);
    assert_string_equal(json_get_string(json_at(one, 0), "kind"), "hold");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plans_get_ids_and_are_loaded_while_open),
        TEST(the_journal_keeps_state_reason_and_undo),
        TEST(what_was_acted_on_is_not_asked_again),
        TEST(announced_pushes_are_known_as_ours),
        TEST(a_push_to_somebodys_tag_is_judged),
        TEST(an_audited_plan_announces_nothing),
        TEST(plans_are_listed_by_kind_and_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
