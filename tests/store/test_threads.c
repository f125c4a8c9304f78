/* Everything at once: writes, reads and lists under way together, opened and closed in between.
 * What it proves, it proves under the thread sanitizer. */
#include "fixture.h"
#include "regwarden/clock.h"

enum { CALLS = 3000, UNDER_WAY = 64 };

struct many {
    struct fixture *fixture;
    int made, answered, failed;
    struct verdict verdict;
    struct facts *facts;
};

struct call {
    struct many *many;
    char tag[32];
    struct event event;
    struct store_record record;
    struct store_image image;
    struct store_plan plan;
};

static void next(struct call *call);

static void done(struct call *call, const struct error *error)
{
    struct many *many = call->many;

    many->answered++;
    many->failed += error != NULL;
    if (many->made < CALLS)
        next(call);
}

static void call_done(void *argument, const struct error *error)
{
    done(argument, error);
}

/* Not every tag was judged when its repeat comes. */
static void call_repeated(void *argument, const struct error *error)
{
    done(argument, error && error->kind == FAILURE_ABSENT ? NULL : error);
}

static void call_context(void *argument, const struct error *error, struct store_context *context)
{
    (void)context;
    done(argument, error);
}

static void call_facts(void *argument, const struct error *error, struct facts *facts)
{
    facts_free(facts);
    done(argument, error);
}

static void call_json(void *argument, const struct error *error, struct json *json)
{
    if (!error)
        assert_true(json_is(json, JSON_KIND_OBJECT) || json_is(json, JSON_KIND_ARRAY));
    done(argument, error);
}

static void call_events(void *argument, const struct error *error, const struct event *events,
                        size_t count)
{
    (void)events;
    (void)count;
    done(argument, error);
}

static void record_one(struct call *call)
{
    struct many *many = call->many;

    call->record = make_record("team/app", call->tag, call->tag, &many->verdict);
    call->image = (struct store_image){.digest = call->record.digest, .facts = many->facts};
    call->plan = (struct store_plan){.kind = ACTION_TAG};
    call->record.images = &call->image;
    call->record.image_count = 1;
    call->record.plans = &call->plan;
    call->record.plan_count = 1;
    store_record_verdict(many->fixture->store, &call->record, call_done, call);
}

static void next(struct call *call)
{
    struct store *store = call->many->fixture->store;
    int number = call->many->made++;
    struct store_counters counters;

    snprintf(call->tag, sizeof(call->tag), "v%d", number % 97);
    call->event = make_event("team/app", call->tag, call->tag);
    switch (number % 9) {
    case 0:
        store_add_events(store, &call->event, 1, call_done, call);
        break;
    case 1:
    case 2:
        record_one(call);
        break;
    case 3:
        store_read_context(store, &call->event, call_context, call);
        break;
    case 4:
        store_read_facts(store, &call->event.digest, call_facts, call);
        break;
    case 5:
        store_record_repeat(store, "main", "team/app", call->tag, 1, (int64_t[]){number}, 1,
                            call_repeated, call);
        break;
    case 6:
        store_list(store, (enum store_list)(number % (STORE_LIST_REPORT + 1)), NULL, call_json,
                   call);
        break;
    case 7:
        store_load_events(store, 0, 10, call_events, call);
        break;
    default:
        store_counters(store, &counters);
        store_prune(store, 1000, call_done, call);
        break;
    }
}

static bool all_answered(void *argument)
{
    const struct many *many = argument;

    return many->answered >= CALLS;
}

static void everything_at_once(void **state)
{
    static const char *const rules[] = {"non-root", NULL};
    struct fixture *fixture = *state;
    struct many many = {.fixture = fixture};
    struct call *calls = memory_new_array(UNDER_WAY, sizeof(*calls));

    many.verdict = make_verdict(VERDICT_FAIL, "r", rules);
    many.facts = make_facts("one");
    for (int i = 0; i < UNDER_WAY; i++) {
        calls[i].many = &many;
        next(&calls[i]);
    }
    assert_true(loop_run_until(fixture->loop, all_answered, &many, WAIT_MS));
    assert_int_equal(many.failed, 0);
    verdict_release(&many.verdict);
    facts_free(many.facts);
    free(calls);
}

static void closing_answers_reads_too(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("team/app", "v1", "one");

    for (int round = 0; round < 20; round++) {
        struct reply reply = {0};

        for (int i = 0; i < 20; i++) {
            store_add_events(fixture->store, &event, 1, on_done, &reply);
            store_count_open_events(fixture->store, on_count, &reply);
        }
        fixture_reopen(fixture);
        assert_int_equal(reply.calls, 40);
        assert_int_equal(reply.error.kind, FAILURE_NONE);
    }
    assert_int_equal(count_open(fixture), 400);
}

/* A read that is asked for after a write was answered sees it. */
static void reads_see_what_was_answered(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 1; i <= 300; i++) {
        struct event event = make_event("team/app", "v1", "one");

        add_event(fixture, &event);
        assert_int_equal(count_open(fixture), i);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_at_once),
        TEST(closing_answers_reads_too),
        TEST(reads_see_what_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
