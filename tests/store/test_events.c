/* Events: ids, order, open until finished, across closing and opening; dead letters. */
#include "fixture.h"

static void ids_grow_and_all_fields_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct event events[] = {make_event("a/b", "v1", "one"), make_event("a/b", NULL, "two"),
                             make_event("c", "v2", NULL)};
    struct reply answer = {0};
    struct reply loaded = {0};

    events[0].media_type = (char *)(uintptr_t)MEDIA_TYPE_OCI_INDEX;
    events[0].actor = (char *)(uintptr_t) "robot";
    events[0].source_id = (char *)(uintptr_t) "id-1";
    events[1].action = EVENT_DELETE;
    events[2].cause = EVENT_CAUSE_EXISTING;
    store_add_events(fixture->store, events, ARRAY_COUNT(events), on_done, &answer);
    assert_int_equal(answer.calls, 0); /* never from within the call */
    fixture_wait(fixture, &answer, 1);
    assert_true(0 < events[0].id && events[0].id < events[1].id && events[1].id < events[2].id);

    store_load_events(fixture->store, 0, 10, on_events, &loaded);
    fixture_wait(fixture, &loaded, 1);
    assert_int_equal(loaded.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct event *got = &loaded.events[i];

        assert_int_equal(got->id, events[i].id);
        assert_int_equal(got->received_ms, events[i].received_ms);
        assert_int_equal(got->action, events[i].action);
        assert_int_equal(got->cause, events[i].cause);
        assert_true(text_equal(got->registry, events[i].registry));
        assert_true(text_equal(got->repository, events[i].repository));
        assert_true(text_equal(got->tag, events[i].tag));
        assert_true(digest_equal(&got->digest, &events[i].digest));
        assert_true(text_equal(got->media_type, events[i].media_type));
        assert_true(text_equal(got->actor, events[i].actor));
        assert_true(text_equal(got->source_id, events[i].source_id));
    }
    reply_release(&loaded);
}

static void digests_of_every_algorithm_come_back(void **state)
{
    static const char *const texts[] = {
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ("sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
        "blake3:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct event event = make_event("a", "v1", NULL);
        struct reply loaded = {0};
        char before[DIGEST_TEXT_SIZE];
        char after[DIGEST_TEXT_SIZE];

        assert_int_equal(digest_parse(texts[i], &event.digest, NULL), 0);
        add_event(fixture, &event);
        store_load_events(fixture->store, event.id - 1, 10, on_events, &loaded);
        fixture_wait(fixture, &loaded, 1);
        assert_int_equal(loaded.count, 1);
        assert_string_equal(digest_format(&loaded.events[0].digest, after),
                            digest_format(&event.digest, before));
        reply_release(&loaded);
    }
}

static void every_action_and_cause_has_a_name(void **state)
{
    static const char *const causes[] = {"hook", "sweep", "existing", "policy", "manual"};

    (void)state;
    assert_string_equal(event_action_name(EVENT_PUSH), "push");
    assert_string_equal(event_action_name(EVENT_DELETE), "delete");
    for (size_t i = 0; i < ARRAY_COUNT(causes); i++)
        assert_string_equal(event_cause_name((enum event_cause)i), causes[i]);
}

static void load_pages_by_id(void **state)
{
    struct fixture *fixture = *state;
    struct event events[5];
    int64_t after = 0;
    size_t seen = 0;

    for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
        events[i] = make_event("a", "v1", "x");
        add_event(fixture, &events[i]);
    }
    for (;;) {
        struct reply loaded = {0};

        store_load_events(fixture->store, after, 2, on_events, &loaded);
        fixture_wait(fixture, &loaded, 1);
        if (loaded.count == 0) {
            reply_release(&loaded);
            break;
        }
        assert_true(loaded.count <= 2);
        for (size_t i = 0; i < loaded.count; i++)
            assert_int_equal(loaded.events[i].id, events[seen++].id);
        after = loaded.events[loaded.count - 1].id;
        reply_release(&loaded);
    }
    assert_int_equal(seen, 5);
}

static void finished_events_are_not_loaded_again(void **state)
{
    struct fixture *fixture = *state;
    struct event events[] = {make_event("a", "v1", "one"), make_event("a", "v2", "two")};
    struct reply finished = {0};
    struct reply loaded = {0};

    add_event(fixture, &events[0]);
    add_event(fixture, &events[1]);
    assert_int_equal(count_open(fixture), 2);
    /* twice, and one that never was: nothing to complain about */
    int64_t ids[] = {events[0].id, events[0].id, 999999, -3};
    store_finish_events(fixture->store, ids, ARRAY_COUNT(ids), on_done, &finished);
    memset(ids, 0, sizeof(ids)); /* they need not live until the callback */
    fixture_wait(fixture, &finished, 1);
    assert_int_equal(finished.error.kind, FAILURE_NONE);
    fixture_reopen(fixture);
    store_load_events(fixture->store, 0, 10, on_events, &loaded);
    fixture_wait(fixture, &loaded, 1);
    assert_int_equal(loaded.count, 1);
    assert_int_equal(loaded.events[0].id, events[1].id);
    reply_release(&loaded);
}

static void callbacks_may_be_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("a", "v1", "one");

    add_event(fixture, &event);
    store_finish_events(fixture->store, &event.id, 1, NULL, NULL);
    store_finish_events(fixture->store, NULL, 0, NULL, NULL);
    fixture_reopen(fixture);
    assert_int_equal(count_open(fixture), 0);
}

static void counting_names_the_oldest(void **state)
{
    struct fixture *fixture = *state;
    struct event events[] = {make_event("a", "v1", "one"), make_event("a", "v2", "two")};
    struct reply count = {0};

    assert_int_equal(count_open(fixture), 0);
    events[0].received_ms = 1000;
    events[1].received_ms = 2000;
    add_event(fixture, &events[0]);
    add_event(fixture, &events[1]);
    store_count_open_events(fixture->store, on_count, &count);
    fixture_wait(fixture, &count, 1);
    assert_int_equal(count.id, 2);
    assert_int_equal(count.second, 1000);
}

/* Each answer in the order of the calls, all in few commits. */
struct order {
    struct reply answer;
    int next;
    bool in_order;
};
struct numbered {
    struct order *order;
    int number;
};

static void on_numbered(void *argument, const struct error *error)
{
    struct numbered *numbered = argument;

    on_done(&numbered->order->answer, error);
    numbered->order->in_order =
        numbered->order->in_order && numbered->number == numbered->order->next++;
}

static void writes_are_answered_in_order_and_committed_together(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *fixture = *state;
    struct order order = {.in_order = true};
    struct event *events = memory_new_array(COUNT, sizeof(*events));
    struct numbered *numbered = memory_new_array(COUNT, sizeof(*numbered));
    struct store_counters counters;

    for (int i = 0; i < COUNT; i++) {
        events[i] = make_event("a", "v1", "x");
        numbered[i] = (struct numbered){&order, i};
        store_add_events(fixture->store, &events[i], 1, on_numbered, &numbered[i]);
    }
    fixture_wait(fixture, &order.answer, COUNT);
    assert_int_equal(order.answer.error.kind, FAILURE_NONE);
    assert_true(order.in_order);
    for (int i = 1; i < COUNT; i++)
        assert_true(events[i - 1].id < events[i].id);
    store_counters(fixture->store, &counters);
    assert_int_equal(counters.operations, COUNT);
    assert_int_equal(counters.failures, 0);
    assert_int_equal(counters.waiting, 0);
    assert_true(counters.commits > 0 && counters.commits < COUNT / 10);
    assert_true(counters.bytes > 0);
    free(events);
    free(numbered);
}

static void closing_commits_what_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct event events[100];
    struct reply answer = {0};

    for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
        events[i] = make_event("a", "v1", "x");
        store_add_events(fixture->store, &events[i], 1, on_done, &answer);
    }
    fixture_close(fixture);
    assert_int_equal(answer.calls, ARRAY_COUNT(events));
    assert_int_equal(answer.error.kind, FAILURE_NONE);
    fixture_open(fixture);
    assert_int_equal(count_open(fixture), ARRAY_COUNT(events));
}

struct late {
    struct fixture *fixture;
    struct store *store;
    struct reply refused;
};

static void ask_again(void *argument, const struct error *error)
{
    struct late *late = argument;

    assert_null(error);
    store_finish_events(late->store, NULL, 0, on_done, &late->refused);
}

static void what_is_asked_while_closing_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct late late = {.fixture = fixture, .store = fixture->store};
    struct event event = make_event("a", "v1", "x");

    store_add_events(fixture->store, &event, 1, ask_again, &late);
    fixture_close(fixture);
    assert_int_equal(late.refused.calls, 1);
    assert_int_equal(late.refused.error.kind, FAILURE_LATER);
    assert_non_null(strstr(late.refused.error.text, "closing"));
}

static void dead_letters_are_kept_listed_and_removed(void **state)
{
    struct fixture *fixture = *state;
    struct reply answer = {0};
    AUTO_FREE char *large = memory_new(100001);

    memset(large, 'x', 100000);
    AUTO_PAIRS struct text_pairs headers = {0};
    text_pairs_add(&headers, "x-github-event", "package");
    text_pairs_add(&headers, "ce-type", "a \"quoted\" one");
    store_add_dead_letter(fixture->store,
                          &(struct dead_letter){.at_ms = 5000,
                                                .kind = "hook",
                                                .registry = "main",
                                                .dialect = "harbor",
                                                .reason = "no such thing",
                                                .body = large,
                                                .headers = &headers,
                                                .body_size = 100000},
                          on_done, &answer);
    store_add_dead_letter(fixture->store,
                          &(struct dead_letter){.at_ms = 6000,
                                                .kind = "notification",
                                                .reason = "refused",
                                                .body = "{\"a\":1}",
                                                .body_size = 7},
                          on_done, &answer);
    memset(large, 'y', 100000); /* copied by the call */
    fixture_wait(fixture, &answer, 2);

    AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_DEAD_LETTERS, NULL);
    assert_int_equal(json_count(list), 2);
    assert_string_equal(json_get_string(json_at(list, 0), "kind"), "notification");
    assert_string_equal(json_get_string(json_at(list, 0), "body"), "{\"a\":1}");
    assert_null(json_get(json_at(list, 0), "registry"));
    const struct json *hook = json_at(list, 1);
    assert_string_equal(json_get_string(hook, "dialect"), "harbor");
    assert_string_equal(json_get_string(hook, "at"), "1970-01-01T00:00:05Z");
    assert_string_equal(json_get_string(json_get(hook, "headers"), "x-github-event"), "package");
    assert_string_equal(json_get_string(json_get(hook, "headers"), "ce-type"), "a \"quoted\" one");
    assert_null(json_get(json_at(list, 0), "headers"));
    assert_int_equal(json_get_integer(hook, "bodyBytes", 0), 100000);
    assert_int_equal(strlen(json_get_string(hook, "body")), 1024);

    int64_t id = json_get_integer(hook, "id", 0);
    AUTO_JSON struct json *one =
        read_list(fixture, STORE_LIST_DEAD_LETTERS, &(struct store_filter){.id = id});
    assert_int_equal(json_count(one), 1);
    assert_int_equal(strlen(json_get_string(json_at(one, 0), "body")), 64 * 1024);
    assert_int_equal(json_get_string(json_at(one, 0), "body")[0], 'x');

    AUTO_JSON struct json *kind =
        read_list(fixture, STORE_LIST_DEAD_LETTERS, &(struct store_filter){.kind = "hook"});
    assert_int_equal(json_count(kind), 1);

    struct reply removed = {0};
    store_remove_dead_letter(fixture->store, id, on_done, &removed);
    store_remove_dead_letter(fixture->store, id, on_done, &removed);
    fixture_wait(fixture, &removed, 2);
    assert_int_equal(removed.error.kind, FAILURE_ABSENT);
    AUTO_JSON struct json *rest = read_list(fixture, STORE_LIST_DEAD_LETTERS, NULL);
    assert_int_equal(json_count(rest), 1);
}

static void a_given_up_event_is_finished_and_its_tag_known(void **state)
{
    struct fixture *fixture = *state;
    struct event event = make_event("team/app", "v1", "one");
    struct reply answer = {0};

    add_event(fixture, &event);
    store_add_dead_letter(fixture->store,
                          &(struct dead_letter){.at_ms = event.received_ms,
                                                .kind = "event",
                                                .registry = "main",
                                                .reason = "the registry is gone",
                                                .body = "{}",
                                                .body_size = 2,
                                                .event_id = event.id},
                          on_done, &answer);
    fixture_wait(fixture, &answer, 1);
    assert_int_equal(count_open(fixture), 0);
    AUTO_JSON struct json *status = read_list(fixture, STORE_LIST_STATUS, NULL);
    const struct json *tags = json_get(status, "tags");
    assert_int_equal(json_get_integer(tags, "known", -1), 1);
    assert_int_equal(json_get_integer(tags, "unjudged", -1), 1);
    assert_non_null(json_get_string(tags, "oldestUnjudgedAt"));
    assert_int_equal(json_get_integer(json_get(status, "deadLetters"), "event", -1), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_grow_and_all_fields_come_back),
        TEST(digests_of_every_algorithm_come_back),
        cmocka_unit_test(every_action_and_cause_has_a_name),
        TEST(load_pages_by_id),
        TEST(finished_events_are_not_loaded_again),
        TEST(callbacks_may_be_left_out),
        TEST(counting_names_the_oldest),
        TEST(writes_are_answered_in_order_and_committed_together),
        TEST(closing_commits_what_was_asked_for),
        TEST(what_is_asked_while_closing_is_refused),
        TEST(dead_letters_are_kept_listed_and_removed),
        TEST(a_given_up_event_is_finished_and_its_tag_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
