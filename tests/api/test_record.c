/* What the API shows and changes of the record, with the real store, and what it asks of the
 * daemon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"

#include "regwarden/clock.h"

static const struct json *item(const struct json *page, size_t index)
{
    return json_at(json_get(page, "items"), index);
}

static size_t count(struct fixture *f, const char *path)
{
    AUTO_JSON struct json *page = get(f, path);
    return json_count(json_get(page, "items"));
}

/* --- reading --- */

static void the_status(void **state)
{
    record_verdict(*state, "team/app", "v1", PLAN_PLANNED);
    AUTO_JSON struct json *status = get(*state, "/api/v1/status");
    assert_non_null(json_get_string(status, "version"));
    assert_int_equal(json_get_integer(status, "reviewsRunning", 0), 3); /* the daemon's part */
    assert_true(json_count(status) > 3);                                /* and the store's */
}

static void verdicts(void **state)
{
    struct fixture *f = *state;
    record_verdict(f, "team/app", "v1", PLAN_PLANNED);
    record_verdict(f, "other/app", "v2", PLAN_PLANNED);
    assert_int_equal(count(f, "/api/v1/verdicts"), 2);
    assert_int_equal(count(f, "/api/v1/verdicts?repository=team/**"), 1);
    assert_int_equal(count(f, "/api/v1/verdicts?verdict=pass"), 0);
    assert_int_equal(count(f, "/api/v1/verdicts?rule=non-root&tag=v2"), 1);
    AUTO_JSON struct json *page = get(f, "/api/v1/verdicts?tag=v1");
    assert_string_equal(json_get_string(item(page, 0), "verdict"), "fail");
    assert_string_equal(json_get_string(item(page, 0), "digest"), DIGEST_A);
    assert_null(json_get(page, "next"));
    AUTO_FREE char *path =
        text_new("/api/v1/verdicts/%lld", (long long)json_get_integer(item(page, 0), "id", 0));
    AUTO_JSON struct json *one = get(f, path);
    assert_string_equal(json_get_string(one, "repository"), "team/app");
    assert_string_equal(json_get_string(json_at(json_get(one, "findings"), 0), "rule"), "non-root");
}

static void pages_follow_each_other(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        record_letter(f, "not understood");
    int64_t seen[5] = {0}, next = 0;
    size_t found = 0;
    do {
        AUTO_FREE char *path =
            next == 0 ? text_new("/api/v1/dead-letters?limit=2")
                      : text_new("/api/v1/dead-letters?limit=2&before=%lld", (long long)next);
        AUTO_JSON struct json *page = get(f, path);
        for (size_t i = 0; i < json_count(json_get(page, "items")); i++)
            seen[found++] = json_get_integer(item(page, i), "id", 0);
        next = json_get_integer(page, "next", 0);
    } while (next != 0);
    assert_int_equal(found, 5);
    for (size_t i = 1; i < found; i++)
        assert_true(seen[i] < seen[i - 1]);
}

static void history(void **state)
{
    struct fixture *f = *state;
    record_verdict(f, "team/app", "v1", PLAN_PLANNED);
    record_verdict(f, "team/app", "v1", PLAN_PLANNED);
    assert_int_equal(count(f, "/api/v1/verdicts"), 1);
    assert_int_equal(count(f, "/api/v1/history?registry=main&repository=team/app&tag=v1"), 2);
    assert_int_equal(count(f, "/api/v1/history?registry=main&repository=team/other"), 0);
}

static void quarantine_shows_what_is_in_it(void **state)
{
    struct fixture *f = *state;
    int64_t in = record_verdict(f, "team/in", "v1", PLAN_DONE);
    record_verdict(f, "team/out", "v1", PLAN_UNDONE);
    record_verdict(f, "team/planned", "v1", PLAN_PLANNED);
    assert_int_equal(count(f, "/api/v1/plans?kind=quarantine"), 3);
    AUTO_JSON struct json *page = get(f, "/api/v1/quarantine");
    assert_int_equal(json_count(json_get(page, "items")), 1);
    assert_int_equal(json_get_integer(item(page, 0), "id", 0), in);
    assert_int_equal(count(f, "/api/v1/quarantine?state=undone"), 1);
}

static void the_report(void **state)
{
    struct fixture *f = *state;
    record_verdict(f, "team/app", "v1", PLAN_PLANNED);
    AUTO_JSON struct json *report = get(f, "/api/v1/report?since=7d");
    assert_true(json_is(report, JSON_KIND_OBJECT));
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_UNIX, .path = "/api/v1/report?format=csv"};
    assert_int_equal(exchange(f, &sent, &answer), 200);
    assert_non_null(strstr(answer.data, "Content-Type: text/csv"));
    assert_true(text_starts_with(raw_body(&answer), "section,name,field,value\r\n"));
    assert_non_null(strstr(raw_body(&answer), "team/app"));
}

static void answers_are_not_kept_by_caches(void **state)
{
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_UNIX, .path = "/api/v1/status"};
    assert_int_equal(exchange(*state, &sent, &answer), 200);
    assert_non_null(strstr(answer.data, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(answer.data, "X-Content-Type-Options: nosniff\r\n"));
}

/* --- dead letters --- */

static void dead_letters(void **state)
{
    struct fixture *f = *state;
    record_letter(f, "no JSON");
    AUTO_JSON struct json *page = get(f, "/api/v1/dead-letters?kind=hook&registry=main");
    assert_string_equal(json_get_string(item(page, 0), "reason"), "no JSON");
    AUTO_FREE char *path =
        text_new("/api/v1/dead-letters/%lld", (long long)json_get_integer(item(page, 0), "id", 0));
    AUTO_JSON struct json *one = get(f, path);
    assert_string_equal(json_get_string(one, "body"), "{}");
    AUTO_JSON struct json *gone = fetch(f, 200, &(struct sent){.method = "DELETE", .path = path});
    assert_string_equal(json_get_string(gone, "state"), "removed");
    assert_int_equal(count(f, "/api/v1/dead-letters"), 0);
    check_refused(f, &(struct sent){.method = "DELETE", .path = path}, 404, "");
    check_refused(f, &(struct sent){.path = path}, 404, "none with this id");
}

/* --- waivers --- */

static void waivers(void **state)
{
    struct fixture *f = *state;
    struct sent add = {.method = "POST",
                       .path = "/api/v1/waivers",
                       .body =
                           "{\"rule\":\"non-root\",\"repository\":\"team/**\",\"reason\":\"old\","
                           "\"owner\":\"team\",\"expires\":\"2999-12-31\",\"id\":\"W-1\"}"};
    AUTO_JSON struct json *added = fetch(f, 201, &add);
    assert_string_equal(json_get_string(added, "id"), "W-1");
    assert_int_equal(f->waivers_changed, 1);
    check_refused(f, &add, 400, "");
    assert_int_equal(f->waivers_changed, 1);
    assert_int_equal(count(f, "/api/v1/waivers?state=active"), 1);
    struct sent revoke = {.method = "DELETE", .path = "/api/v1/waivers/W-1?by=alice"};
    AUTO_JSON struct json *revoked = fetch(f, 200, &revoke);
    assert_string_equal(json_get_string(revoked, "state"), "revoked");
    assert_int_equal(f->waivers_changed, 2);
    check_refused(f, &revoke, 404, "");
    AUTO_JSON struct json *page = get(f, "/api/v1/waivers?state=revoked");
    assert_string_equal(json_get_string(item(page, 0), "id"), "W-1");
    assert_string_equal(json_get_string(item(page, 0), "revokedBy"), "alice");
}

static void a_waiver_without_id_gets_one(void **state)
{
    struct sent add = {.method = "POST",
                       .path = "/api/v1/waivers",
                       .headers = "Content-Type: application/json; charset=utf-8\r\n",
                       .body = "{\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\","
                               "\"expires\":\"2999-12-31\"}"};
    AUTO_JSON struct json *one = fetch(*state, 201, &add);
    AUTO_JSON struct json *other = fetch(*state, 201, &add);
    assert_true(text_starts_with(json_get_string(one, "id"), "w-"));
    assert_string_not_equal(json_get_string(one, "id"), json_get_string(other, "id"));
}

static void waivers_are_paged_by_number(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        a_waiver_without_id_gets_one(state);
    AUTO_JSON struct json *page = get(f, "/api/v1/waivers?limit=4");
    assert_int_equal(json_count(json_get(page, "items")), 4);
    AUTO_FREE char *path = text_new("/api/v1/waivers?limit=4&before=%lld",
                                    (long long)json_get_integer(page, "next", 0));
    assert_int_equal(count(f, path), 2);
}

/* --- what the daemon does --- */

static void asks(void **state)
{
    static const struct {
        const char *path, *body;
        struct asked asked;
    } table[] = {
        {"/api/v1/quarantine/7/release", NULL, {.what = "release", .id = 7, .by = "unix socket"}},
        {"/api/v1/quarantine/8/release",
         "{\"force\":true,\"by\":\"al\\u001bice\"}",
         {.what = "release", .id = 8, .force = true, .by = "al\\x1bice"}},
        {"/api/v1/sweep", NULL, {.what = "sweep", .registry = "-"}},
        {"/api/v1/sweep", "{\"registry\":\"main\"}", {.what = "sweep", .registry = "main"}},
        {"/api/v1/dead-letters/9/retry", NULL, {.what = "retry", .id = 9}},
        {"/api/v1/bases",
         "{\"reference\":\"main/base/*:*\"}",
         {.what = "add base", .registry = "main/base/*:*", .by = "unix socket"}},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct sent sent = {.method = "POST", .path = table[i].path, .body = table[i].body};
        AUTO_JSON struct json *answer = fetch(f, 200, &sent);
        const struct asked *wanted = &table[i].asked;
        assert_string_equal(json_get_string(answer, "asked"), wanted->what);
        assert_int_equal(f->asked.id, wanted->id);
        assert_int_equal(f->asked.force, wanted->force);
        assert_string_equal(f->asked.by, wanted->by);
        assert_string_equal(f->asked.registry, wanted->registry);
    }
}

static void bases(void **state)
{
    struct fixture *f = *state;
    AUTO_JSON struct json *catalogue = get(f, "/api/v1/bases");
    struct sent sent = {.method = "DELETE", .path = "/api/v1/bases?reference=main%2Fbase/a:1"};
    AUTO_JSON struct json *answer = fetch(f, 200, &sent);
    assert_int_equal(json_get_integer(catalogue, "basesVersion", 0), 1);
    assert_string_equal(json_get_string(answer, "asked"), "remove base");
    assert_string_equal(f->asked.registry, "main/base/a:1");
}

static void an_answer_may_come_late(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text request = {0};
    AUTO_JSON struct json *body = json_new_object();
    struct raw_client client;
    f->answer_later = true;
    write_request(&(struct sent){.method = "POST", .path = "/api/v1/sweep"}, &request);
    raw_client_open(&client, f->loop, http_server_address(f->server, OVER_UNIX), &request);
    assert_false(loop_run_until(f->loop, raw_client_step, &client, 200));
    api_answer(f->api, f->asked.request, 202, body);
    assert_true(loop_run_until(f->loop, raw_client_step, &client, 5000));
    assert_true(text_starts_with(client.answer.data, "HTTP/1.1 202"));
    api_answer(f->api, f->asked.request, 202, body); /* nobody waits any more */
    api_answer(f->api, 123456, 202, body);
    raw_client_close(&client);
}

/* The store answers what was asked before it closes, when the API is gone already. */
static void freed_while_the_store_works(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text request = {0};
    struct raw_client client;
    write_request(&(struct sent){.path = "/api/v1/status"}, &request);
    raw_client_open(&client, f->loop, http_server_address(f->server, OVER_UNIX), &request);
    loop_run_until(f->loop, raw_client_step, &client, 1);
    api_free(f->api);
    f->api = NULL;
    raw_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(the_status),
        API_TEST(verdicts),
        API_TEST(pages_follow_each_other),
        API_TEST(history),
        API_TEST(quarantine_shows_what_is_in_it),
        API_TEST(the_report),
        API_TEST(answers_are_not_kept_by_caches),
        API_TEST(dead_letters),
        API_TEST(waivers),
        API_TEST(a_waiver_without_id_gets_one),
        API_TEST(waivers_are_paged_by_number),
        API_TEST(asks),
        API_TEST(bases),
        API_TEST(an_answer_may_come_late),
        API_TEST(freed_while_the_store_works),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
