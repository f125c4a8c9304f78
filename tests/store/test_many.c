/* A store with 100 000 placements: how long people wait for its lists. The bounds are ten times
 * what a slow machine needs: they catch a query without its index, nothing finer. */
#include "fixture.h"
#include "regwarden/clock.h"

enum { PLACEMENTS = 100000, AT_ONCE = 1000, REPOSITORIES = 500, SLOWEST_MS = 20000 };

struct batch {
    struct store_record records[AT_ONCE];
    char repositories[AT_ONCE][32];
    char tags[AT_ONCE][32];
};

static void fill(struct fixture *fixture)
{
    static const char *const rules[] = {"non-root", "image-size", "base-pinned", NULL};
    struct verdict verdicts[] = {make_verdict(VERDICT_FAIL, "r", rules),
                                 make_verdict(VERDICT_PASS, "r", NULL)};
    struct batch *batch = memory_new(sizeof(*batch));

    for (int first = 0; first < PLACEMENTS; first += AT_ONCE) {
        struct reply reply = {0};

        for (int i = 0; i < AT_ONCE; i++) {
            int number = first + i;

            snprintf(batch->repositories[i], sizeof(batch->repositories[i]), "team/app%d",
                     number % REPOSITORIES);
            snprintf(batch->tags[i], sizeof(batch->tags[i]), "v%d", number / REPOSITORIES);
            batch->records[i] = make_record(batch->repositories[i], batch->tags[i], batch->tags[i],
                                            &verdicts[number % 2]);
            store_record_verdict(fixture->store, &batch->records[i], on_done, &reply);
        }
        fixture_wait(fixture, &reply, AT_ONCE);
        assert_int_equal(reply.error.kind, FAILURE_NONE);
    }
    free(batch);
    verdict_release(&verdicts[0]);
}

static void time_list(struct fixture *fixture, const char *what, enum store_list list,
                      const struct store_filter *filter)
{
    int64_t start = clock_steady_ms();
    AUTO_JSON struct json *json = read_list(fixture, list, filter);
    int64_t elapsed = clock_steady_ms() - start;

    print_message("%-44s %5lld ms, %zu\n", what, (long long)elapsed, json_count(json));
    assert_true(elapsed < SLOWEST_MS);
}

static void lists_of_many_placements_take_no_age(void **state)
{
    static const struct {
        const char *what;
        enum store_list list;
        struct store_filter filter;
    } lists[] = {
        {"the newest 100 verdicts", STORE_LIST_VERDICTS, {0}},
        {"the newest 1000 verdicts", STORE_LIST_VERDICTS, {.limit = 1000}},
        {"verdicts of one repository", STORE_LIST_VERDICTS, {.repository = "team/app7"}},
        {"verdicts of a repository that is not there", STORE_LIST_VERDICTS, {.repository = "none"}},
        {"verdicts that break one rule", STORE_LIST_VERDICTS, {.rule = "base-pinned"}},
        {"verdicts that break no such rule", STORE_LIST_VERDICTS, {.rule = "nothing"}},
        {"history of one tag", STORE_LIST_HISTORY, {.repository = "team/app7", .tag = "v7"}},
        {"status", STORE_LIST_STATUS, {0}},
        {"report", STORE_LIST_REPORT, {0}},
        {"report of a team", STORE_LIST_REPORT, {.repository = "team/app1*"}},
    };
    struct fixture *fixture = *state;
    int64_t start = clock_steady_ms();
    struct store_counters counters;

    fill(fixture);
    store_counters(fixture->store, &counters);
    print_message("%d placements in %lld ms, %lld MB\n", PLACEMENTS,
                  (long long)(clock_steady_ms() - start), (long long)(counters.bytes / 1000000));
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
        time_list(fixture, lists[i].what, lists[i].list, &lists[i].filter);
    start = clock_steady_ms();
    fixture_reopen(fixture);
    print_message("closed and opened in %lld ms\n", (long long)(clock_steady_ms() - start));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_of_many_placements_take_no_age, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
