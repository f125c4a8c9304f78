/* Lists, status, report and pruning. */
#include <math.h>

#include "fixture.h"
#include "regwarden/clock.h"

static const int64_t day_ms = 86400000;
static const char *const one_rule[] = {"non-root", NULL};
static const char *const two_rules[] = {"non-root", "image-size", "image-size", NULL};

struct judged {
    const char *repository, *tag, *content;
    enum verdict_status status;
    const char *const *rules;
    int64_t days_ago;
};

static void judge(struct fixture *fixture, const struct judged *judged)
{
    struct verdict verdict = make_verdict(judged->status, "r", judged->rules);
    struct store_record wanted =
        make_record(judged->repository, judged->tag, judged->content, &verdict);

    wanted.at_ms -= judged->days_ago * day_ms;
    record(fixture, &wanted);
    verdict_release(&verdict);
}

static const struct judged usual[] = {
    {"team/a", "v1", "a1", VERDICT_FAIL, two_rules, 2},
    {"team/a", "v2", "a2", VERDICT_PASS, NULL, 1},
    {"team/b", "v1", "b1", VERDICT_WARN, NULL, 1},
    {"other/c", "v1", "c1", VERDICT_UNKNOWN, NULL, 0},
    {"other/c", NULL, "c2", VERDICT_FAIL, one_rule, 0},
    {"team/a", "v1", "a3", VERDICT_FAIL, one_rule, 0},
};

static void judge_usual(struct fixture *fixture)
{
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        judge(fixture, &usual[i]);
}

static void verdicts_are_filtered(void **state)
{
    static const struct {
        struct store_filter filter;
        size_t count;
    } cases[] = {
        {{0}, 5},
        {{.registry = "main"}, 5},
        {{.registry = "second"}, 0},
        {{.repository = "team/a"}, 2},
        {{.repository = "team/*"}, 3},
        {{.repository = "**"}, 5},
        {{.repository = "team"}, 0},
        {{.tag = "v1"}, 3},
        {{.verdict = "fail"}, 2},
        {{.verdict = "pass"}, 1},
        {{.verdict = "nonsense"}, 0},
        {{.rule = "non-root"}, 2},
        {{.rule = "image-size"}, 0}, /* superseded */
        {{.rule = "non-root", .tag = "v1"}, 1},
        {{.limit = 2}, 2},
        {{.limit = 100000}, 5},
    };
    struct fixture *fixture = *state;

    judge_usual(fixture);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_VERDICTS, &cases[i].filter);
        assert_int_equal(json_count(list), cases[i].count);
    }
}

static void a_verdict_shows_its_place_and_findings(void **state)
{
    struct fixture *fixture = *state;
    struct digest digest = digest_of("a3");
    struct digest previous = digest_of("a1");
    char text[DIGEST_TEXT_SIZE];

    judge_usual(fixture);
    AUTO_JSON struct json *list = read_list(fixture, STORE_LIST_VERDICTS, NULL);
    const struct json *newest = json_at(list, 0);
    assert_string_equal(json_get_string(newest, "registry"), "main");
    assert_string_equal(json_get_string(newest, "repository"), "team/a");
    assert_string_equal(json_get_string(newest, "tag"), "v1");
    assert_string_equal(json_get_string(newest, "digest"), digest_format(&digest, text));
    assert_string_equal(json_get_string(newest, "previous"), digest_format(&previous, text));
    assert_string_equal(json_get_string(newest, "verdict"), "fail");
    assert_string_equal(json_get_string(newest, "pusher"), "ci");
    assert_string_equal(json_get_string(newest, "policyRevision"), "r");
    assert_int_equal(json_get_integer(newest, "sizeBytes", 0), 1000);
    assert_true(json_is(json_get(newest, "actions"), JSON_KIND_ARRAY));
    assert_false(json_bool(json_get(newest, "enforced"), true));
    const struct json *finding = json_at(json_get(newest, "findings"), 0);
    assert_string_equal(json_get_string(finding, "rule"), "non-root");
    assert_string_equal(json_get_string(finding, "severity"), "high");

    int64_t id = json_get_integer(newest, "id", 0);
    AUTO_JSON struct json *one =
        read_list(fixture, STORE_LIST_VERDICTS, &(struct store_filter){.id = id});
    assert_int_equal(json_count(one), 1);
    AUTO_JSON struct json *page =
        read_list(fixture, STORE_LIST_VERDICTS, &(struct store_filter){.before = id});
    assert_int_equal(json_count(page), 4);
    assert_null(json_get(json_at(page, 0), "tag")); /* the untagged one */
    AUTO_JSON struct json *history = read_list(
        fixture, STORE_LIST_HISTORY,
        &(struct store_filter){.repository = "team/a", .tag = "v1", .rule = "image-size"});
    assert_int_equal(json_count(history), 1);
    assert_int_equal(json_count(json_get(json_at(history, 0), "findings")), 3);
}

static void the_status_counts_open_events_as_known(void **state)
{
    struct fixture *fixture = *state;
    struct event events[] = {
        make_event("team/new", "v1", "n"),   make_event("team/new", "v1", "n2"), /* one tag */
        make_event("team/a", "v2", "moved"), /* judged with another digest */
        make_event("team/a", "v1", "a3"),    /* judged with this one */
        make_event("team/a", NULL, "x"),     make_event("team/gone", "v1", NULL),
    };
    AUTO_JSON struct json *empty = read_list(fixture, STORE_LIST_STATUS, NULL);

    assert_int_equal(json_get_integer(json_get(empty, "tags"), "known", -1), 0);
    assert_int_equal(json_get_integer(json_get(empty, "plans"), "planned", -1), 0);
    assert_int_equal(json_get_integer(json_get(empty, "deadLetters"), "total", -1), 0);
    judge_usual(fixture);
    events[0].received_ms = clock_wall_ms() - 60000;
    events[5].action = EVENT_DELETE;
    for (size_t i = 0; i < ARRAY_COUNT(events); i++)
        add_event(fixture, &events[i]);
    AUTO_JSON struct json *status = read_list(fixture, STORE_LIST_STATUS, NULL);
    const struct json *tags = json_get(status, "tags");
    assert_int_equal(json_get_integer(tags, "known", -1), 5);
    assert_int_equal(json_get_integer(tags, "judged", -1), 3);
    assert_int_equal(json_get_integer(tags, "unjudged", -1), 2);
    assert_int_equal(json_get_integer(tags, "untagged", -1), 1);
    int64_t age_ms = json_get_integer(tags, "oldestUnjudgedAgeMs", -1);
    assert_true(age_ms >= 60000 && age_ms < 90000);
    assert_int_equal(json_get_integer(json_get(status, "events"), "open", -1), 6);
    assert_true(json_get_integer(json_get(status, "events"), "oldestAgeMs", -1) >= 60000);
    assert_int_equal(json_get_integer(json_get(status, "verdicts"), "fail", -1), 1);
    assert_int_equal(json_get_integer(json_get(status, "verdicts"), "pass", -1), 1);
    const struct json *registry = json_at(json_get(status, "registries"), 0);
    assert_int_equal(json_count(json_get(status, "registries")), 1);
    assert_string_equal(json_get_string(registry, "registry"), "main");
    assert_int_equal(json_get_integer(registry, "unjudged", -1), 2);
}

static void assert_near(double a, double b)
{
    assert_true(fabs(a - b) < 0.0001);
}

static void the_report_sums_repositories_and_rules(void **state)
{
    struct fixture *fixture = *state;

    judge_usual(fixture);
    AUTO_JSON struct json *report = read_list(fixture, STORE_LIST_REPORT, NULL);
    const struct json *totals = json_get(report, "totals");
    assert_int_equal(json_get_integer(totals, "tags", -1), 4); /* tagged ones */
    assert_int_equal(json_get_integer(totals, "pass", -1), 1);
    assert_int_equal(json_get_integer(totals, "warn", -1), 1);
    assert_int_equal(json_get_integer(totals, "fail", -1), 1);
    assert_int_equal(json_get_integer(totals, "unknown", -1), 1);
    assert_near(json_real(json_get(totals, "compliance"), -1), 0.5);
    assert_non_null(json_get_string(report, "generatedAt"));

    const struct json *repositories = json_get(report, "repositories");
    assert_int_equal(json_count(repositories), 3);
    assert_string_equal(json_get_string(json_at(repositories, 1), "repository"), "team/a");
    assert_int_equal(json_get_integer(json_at(repositories, 1), "tags", -1), 2);

    const struct json *rules = json_get(report, "rules");
    assert_int_equal(json_count(rules), 1); /* of verdicts in force */
    assert_string_equal(json_get_string(json_at(rules, 0), "rule"), "non-root");
    assert_string_equal(json_get_string(json_at(rules, 0), "severity"), "high");
    assert_int_equal(json_get_integer(json_at(rules, 0), "findings", -1), 2);
    assert_int_equal(json_get_integer(json_at(rules, 0), "tags", -1), 2);

    AUTO_JSON struct json *filtered =
        read_list(fixture, STORE_LIST_REPORT, &(struct store_filter){.repository = "team/*"});
    assert_int_equal(json_count(json_get(filtered, "repositories")), 2);
    assert_int_equal(json_get_integer(json_at(json_get(filtered, "rules"), 0), "findings", -1), 1);
    assert_int_equal(json_get_integer(json_get(filtered, "totals"), "tags", -1), 3);
}

static void the_report_shows_day_by_day(void **state)
{
    static const struct {
        int64_t judged, tags, pass, fail;
        double compliance;
    } days[] = {{1, 1, 0, 1, 0}, {2, 3, 1, 1, 2.0 / 3}, {2, 4, 1, 1, 0.5}};
    struct fixture *fixture = *state;

    judge_usual(fixture);
    AUTO_JSON struct json *report = read_list(fixture, STORE_LIST_REPORT, NULL);
    const struct json *list = json_get(report, "days");
    assert_int_equal(json_count(list), ARRAY_COUNT(days));
    for (size_t i = 0; i < ARRAY_COUNT(days); i++) {
        const struct json *day = json_at(list, i);

        assert_int_equal(strlen(json_get_string(day, "day")), 10);
        assert_int_equal(json_get_integer(day, "judged", -1), days[i].judged);
        assert_int_equal(json_get_integer(day, "tags", -1), days[i].tags);
        assert_int_equal(json_get_integer(day, "pass", -1), days[i].pass);
        assert_int_equal(json_get_integer(day, "fail", -1), days[i].fail);
        assert_near(json_real(json_get(day, "compliance"), -1), days[i].compliance);
    }
    /* what came before the first day is in its sums; what is asked for too far back is cut */
    AUTO_JSON struct json *today =
        read_list(fixture, STORE_LIST_REPORT, &(struct store_filter){.since_ms = clock_wall_ms()});
    assert_int_equal(json_count(json_get(today, "days")), 1);
    assert_int_equal(json_get_integer(json_at(json_get(today, "days"), 0), "tags", -1), 4);
    AUTO_JSON struct json *ever =
        read_list(fixture, STORE_LIST_REPORT, &(struct store_filter){.since_ms = 1});
    assert_int_equal(json_count(json_get(ever, "days")), 3);
    AUTO_JSON struct json *filtered =
        read_list(fixture, STORE_LIST_REPORT, &(struct store_filter){.repository = "other/*"});
    assert_int_equal(json_count(json_get(filtered, "days")), 1);
}

static void an_empty_report_claims_nothing(void **state)
{
    struct fixture *fixture = *state;
    AUTO_JSON struct json *report = read_list(fixture, STORE_LIST_REPORT, NULL);

    assert_int_equal(json_get_integer(json_get(report, "totals"), "tags", -1), 0);
    assert_true(json_is(json_get(json_get(report, "totals"), "compliance"), JSON_KIND_NULL));
    assert_int_equal(json_count(json_get(report, "days")), 0);
}

/* --- pruning --- */

static void prune(struct fixture *fixture, int64_t before_ms)
{
    struct reply reply = {0};

    store_prune(fixture->store, before_ms, on_done, &reply);
    fixture_wait(fixture, &reply, 1);
    if (reply.error.kind != FAILURE_NONE)
        fail_msg("%s", reply.error.text);
}

static void pruning_keeps_what_is_in_force(void **state)
{
    struct fixture *fixture = *state;
    struct reply reply = {0};
    struct verdict verdict = make_verdict(VERDICT_FAIL, "r", one_rule);
    struct store_record held = make_record("team/h", "v1", "h1", &verdict);
    struct store_plan plans[] = {
        {.kind = ACTION_HOLD}, {.kind = ACTION_NOTIFY}, {.kind = ACTION_TAG}};
    struct event events[] = {make_event("a", "v1", "1"), make_event("a", "v2", "2"),
                             make_event("a", "v3", "3")};

    judge_usual(fixture); /* supersedes one verdict */
    held.plans = plans;
    held.plan_count = ARRAY_COUNT(plans);
    record(fixture, &held);
    for (size_t i = 0; i < 2; i++) /* the hold and the notification are done, the tag is open */
        store_update_plan(fixture->store,
                          &(struct plan_update){.id = plans[i].id, .state = PLAN_DONE, .at_ms = 1},
                          on_done, &reply);
    judge(fixture, &(struct judged){"team/h", "v1", "h2", VERDICT_PASS, NULL, 0});
    for (size_t i = 0; i < ARRAY_COUNT(events); i++)
        add_event(fixture, &events[i]);
    store_finish_events(fixture->store, (const int64_t[]){events[0].id, events[2].id}, 2, on_done,
                        &reply);
    store_add_dead_letter(fixture->store,
                          &(struct dead_letter){.at_ms = 1000, .kind = "hook", .reason = "old"},
                          on_done, &reply);
    fixture_wait(fixture, &reply, 4);
    verdict_release(&verdict);

    prune(fixture, 1); /* nothing is that old but what has no time */
    AUTO_JSON struct json *all = read_list(fixture, STORE_LIST_HISTORY, NULL);
    assert_int_equal(json_count(all), 8);
    prune(fixture, clock_wall_ms() + day_ms);

    AUTO_JSON struct json *letters = read_list(fixture, STORE_LIST_DEAD_LETTERS, NULL);
    assert_int_equal(json_count(letters), 0);
    AUTO_JSON struct json *verdicts = read_list(fixture, STORE_LIST_VERDICTS, NULL);
    assert_int_equal(json_count(verdicts), 6);
    AUTO_JSON struct json *history = read_list(fixture, STORE_LIST_HISTORY, NULL);
    assert_int_equal(json_count(history), 7); /* and the one that the plans refer to */
    AUTO_JSON struct json *left = read_list(fixture, STORE_LIST_PLANS, NULL);
    assert_int_equal(json_count(left), 2);
    assert_string_equal(json_get_string(json_at(left, 0), "kind"), "tag");
    assert_string_equal(json_get_string(json_at(left, 1), "kind"), "hold");
    assert_int_equal(count_open(fixture), 1); /* however old */

    struct event next = make_event("a", "v4", "4");
    add_event(fixture, &next);
    assert_true(next.id > events[2].id); /* ids grow over pruned ones */
}

static void pruning_forgets_what_is_gone(void **state)
{
    enum { COUNT = 2500 };
    struct fixture *fixture = *state;
    struct event *events = memory_new_array(COUNT, sizeof(*events));
    int64_t *ids = memory_new_array(COUNT, sizeof(*ids));
    struct event removal = make_event("team/a", "v1", NULL);
    struct reply reply = {0};

    judge(fixture, &usual[0]);
    removal.action = EVENT_DELETE;
    add_event(fixture, &removal);
    store_record_gone(fixture->store, &removal, on_done, &reply);
    for (int i = 0; i < COUNT; i++)
        events[i] = make_event("a", "v1", "x");
    store_add_events(fixture->store, events, COUNT, on_done, &reply);
    fixture_wait(fixture, &reply, 2);
    for (int i = 0; i < COUNT; i++)
        ids[i] = events[i].id;
    store_finish_events(fixture->store, ids, COUNT, on_done, &reply);
    fixture_wait(fixture, &reply, 3);
    prune(fixture, clock_wall_ms() + day_ms);
    AUTO_JSON struct json *history = read_list(fixture, STORE_LIST_HISTORY, NULL);
    assert_int_equal(json_count(history), 0);
    fixture_change(fixture, "CREATE TABLE counted AS SELECT (SELECT count(*) FROM events) AS e,"
                            " (SELECT count(*) FROM placements) AS p,"
                            " (SELECT count(*) FROM sightings) AS s;"
                            "CREATE TABLE proof (ok INTEGER CHECK (ok = 1));"
                            "INSERT INTO proof SELECT e = 1 AND p = 0 AND s = 0 FROM counted;");
    free(events);
    free(ids);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verdicts_are_filtered),
        TEST(a_verdict_shows_its_place_and_findings),
        TEST(the_status_counts_open_events_as_known),
        TEST(the_report_sums_repositories_and_rules),
        TEST(the_report_shows_day_by_day),
        TEST(an_empty_report_claims_nothing),
        TEST(pruning_keeps_what_is_in_force),
        TEST(pruning_forgets_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
