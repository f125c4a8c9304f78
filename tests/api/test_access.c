/* Who may: unix socket, loopback, token; and which paths and methods there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"

#define BEARER "Authorization: Bearer " API_TOKEN "\r\n"

struct row {
    int way;
    const char *path, *headers;
    int status;
};

static void check_rows(struct fixture *f, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_TEXT struct text answer = {0};
        struct sent sent = {.way = rows[i].way, .path = rows[i].path, .headers = rows[i].headers};
        int got = exchange(f, &sent, &answer);
        if (got != rows[i].status)
            fail_msg("row %zu, %s: %d", i, rows[i].path, got);
        assert_null(strstr(answer.data, API_TOKEN));
    }
}

static void with_a_token(void **state)
{
    static const struct row rows[] = {
        {OVER_TCP, "/healthz", NULL, 200},
        {OVER_TCP, "/readyz", NULL, 200},
        {OVER_TCP, "/metrics", NULL, 200},
        {OVER_TCP, "/metrics", "X-Forwarded-For: 10.0.0.1\r\n", 401},
        {OVER_TCP, "/metrics", "Forwarded: for=10.0.0.1\r\n", 401},
        {OVER_TCP, "/metrics", "X-Forwarded-For: 10.0.0.1\r\n" BEARER, 200},
        {OVER_UNIX, "/metrics", NULL, 200},
        {OVER_TCP, "/api/v1/status", NULL, 401},
        {OVER_TCP, "/api/v1/status", BEARER, 200},
        {OVER_TCP, "/api/v1/status", "authorization: bearer " API_TOKEN "\r\n", 200},
        {OVER_TCP, "/api/v1/status", "Authorization: Bearer wrong\r\n", 401},
        {OVER_TCP, "/api/v1/status", "Authorization: Bearer " API_TOKEN "x\r\n", 401},
        {OVER_TCP, "/api/v1/status", "Authorization: Bearer \r\n", 401},
        {OVER_TCP, "/api/v1/status", "Authorization: " API_TOKEN "\r\n", 401},
        {OVER_TCP, "/api/v1/status", "Authorization: Basic " API_TOKEN "\r\n", 401},
        {OVER_TCP, "/api/v1/status", BEARER BEARER, 401},
        {OVER_TCP, "/api/v1/openapi.json", NULL, 401},
        {OVER_UNIX, "/api/v1/status", NULL, 200},
        {OVER_UNIX, "/api/v1/status", "Authorization: Bearer wrong\r\n", 200},
    };
    check_rows(*state, rows, ARRAY_COUNT(rows));
}

static void without_a_token(void **state)
{
    static const struct row rows[] = {
        {OVER_TCP, "/healthz", NULL, 200},
        {OVER_TCP, "/metrics", NULL, 200},
        {OVER_TCP, "/api/v1/status", NULL, 401},
        {OVER_TCP, "/api/v1/status", BEARER, 401},
        {OVER_TCP, "/api/v1/status", "Authorization: Bearer \r\n", 401},
        {OVER_UNIX, "/api/v1/status", NULL, 200},
    };
    check_rows(*state, rows, ARRAY_COUNT(rows));
}

static void a_refusal_tells_what_to_do(void **state)
{
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_TCP, .path = "/api/v1/status"};
    assert_int_equal(exchange(*state, &sent, &answer), 401);
    assert_non_null(strstr(answer.data, "WWW-Authenticate: Bearer"));
    assert_non_null(strstr(answer.data, "\"kind\":\"denied\""));
    assert_non_null(strstr(answer.data, "unix socket"));
}

static void an_empty_token_is_none(void **state)
{
    (void)state;
    struct api *api = NULL;
    struct api_options options = {.token = ""};
    assert_int_equal(api_new(&options, &api, NULL), FAILURE_INPUT);
}

static void paths(void **state)
{
    static const struct row rows[] = {
        {OVER_UNIX, "/", NULL, 418},
        {OVER_UNIX, "/healthz/", NULL, 418},
        {OVER_UNIX, "/apis", NULL, 418},
        {OVER_UNIX, "/api", NULL, 404},
        {OVER_UNIX, "/api/v1", NULL, 404},
        {OVER_UNIX, "/api/v2/status", NULL, 404},
        {OVER_UNIX, "/api/v1/status/", NULL, 404},
        {OVER_UNIX, "/api/v1/verdicts/1/2", NULL, 404},
        {OVER_UNIX, "/api/v1/verdicts/0", NULL, 400},
        {OVER_UNIX, "/api/v1/verdicts/-1", NULL, 400},
        {OVER_UNIX, "/api/v1/verdicts/1x", NULL, 400},
        {OVER_UNIX, "/api/v1/verdicts/99999999999999999999", NULL, 400},
        {OVER_UNIX, "/api/v1/verdicts/7", NULL, 404},
        {OVER_UNIX, "/api/v1/sweep", NULL, 405},
    };
    check_rows(*state, rows, ARRAY_COUNT(rows));
}

static void methods(void **state)
{
    static const struct {
        const char *method, *path, *allow;
    } table[] = {
        {"POST", "/healthz", "GET"},
        {"PUT", "/api/v1/waivers", "GET, POST"},
        {"PUT", "/api/v1/bases", "GET, POST, DELETE"},
        {"PATCH", "/api/v1/dead-letters/1", "GET, DELETE"},
        {"DELETE", "/api/v1/verdicts/1", "GET"},
        {"GET", "/api/v1/quarantine/1/release", "POST"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_TEXT struct text answer = {0};
        AUTO_FREE char *allow = text_new("Allow: %s\r\n", table[i].allow);
        struct sent sent = {.way = OVER_UNIX, .method = table[i].method, .path = table[i].path};
        assert_int_equal(exchange(*state, &sent, &answer), 405);
        if (strstr(answer.data, allow) == NULL)
            fail_msg("%s", answer.data);
    }
}

static void head_is_get_without_body(void **state)
{
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_TCP, .method = "HEAD", .path = "/healthz"};
    assert_int_equal(exchange(*state, &sent, &answer), 200);
    assert_string_equal(raw_body(&answer), "");
}

static void readiness(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_TCP, .path = "/readyz"};
    f->ready = false;
    assert_int_equal(exchange(f, &sent, &answer), 503);
    assert_string_equal(raw_body(&answer), "the store is being checked\n");
}

static void metrics(void **state)
{
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.way = OVER_TCP, .path = "/metrics"};
    assert_int_equal(exchange(*state, &sent, &answer), 200);
    assert_non_null(
        strstr(answer.data, "Content-Type: application/openmetrics-text; version=1.0.0"));
    assert_string_equal(raw_body(&answer), "# TYPE regwarden_up gauge\n"
                                           "# HELP regwarden_up Always 1.\n"
                                           "regwarden_up 1\n"
                                           "# EOF\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(with_a_token),
        cmocka_unit_test_setup_teardown(without_a_token, api_setup_without_token, api_teardown),
        API_TEST(a_refusal_tells_what_to_do),
        cmocka_unit_test(an_empty_token_is_none),
        API_TEST(paths),
        API_TEST(methods),
        API_TEST(head_is_get_without_body),
        API_TEST(readiness),
        API_TEST(metrics),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
