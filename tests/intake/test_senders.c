/* Over real HTTP: which paths and methods there are, and who may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint_fixture.h"

#include "regwarden/crypto.h"

/* --- routing --- */

static void routes(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } table[] = {
        {"POST", "/hooks/open", 202},    {"POST", "/hooks/open?token=abc", 202},
        {"GET", "/hooks/open", 405},     {"PUT", "/hooks/open", 405},
        {"DELETE", "/hooks/open", 405},  {"POST", "/hooks/nobody", 404},
        {"POST", "/hooks/", 404},        {"POST", "/hooks", 404},
        {"POST", "/hooks/open/", 404},   {"POST", "/hooks/open/x", 404},
        {"POST", "/hooks/OPEN", 404},    {"POST", "/hooks/..%2fopen", 404},
        {"POST", "/hooks/%6fpen", 202},  {"POST", "/hook", 418},
        {"POST", "/hookshot/open", 418},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        int got = status_of(
            f, &(struct sent){.method = table[i].method, .path = table[i].path, .body = PUSH});
        if (got != table[i].status)
            fail_msg("%s %s: %d", table[i].method, table[i].path, got);
    }
    assert_int_equal(f->not_ours, 2);
    assert_int_equal(counters_of(f).unknown_registry, 7);
}

static void wrong_method_names_the_right_one(void **state)
{
    AUTO_TEXT struct text answer = {0};
    assert_int_equal(
        exchange(*state, &(struct sent){.method = "GET", .path = "/hooks/open"}, &answer), 405);
    assert_non_null(strstr(answer.data, "Allow: POST\r\n"));
}

/* --- the secret --- */

static char *basic(const char *pair)
{
    AUTO_TEXT struct text line = {0};
    text_add(&line, "Authorization: Basic ");
    crypto_base64(pair, strlen(pair), &line);
    text_add(&line, "\r\n");
    return text_take(&line);
}

static void secrets(void **state)
{
    static const struct {
        const char *path, *headers;
        int status;
    } table[] = {
        {"/hooks/safe", NULL, 401},
        {"/hooks/safe", "Authorization: " SECRET "\r\n", 202},
        {"/hooks/safe", "authorization: Bearer " SECRET "\r\n", 202},
        {"/hooks/safe", "Authorization: bearer   " SECRET "\r\n", 202},
        {"/hooks/safe", "Authorization: Bearer" SECRET "\r\n", 401},
        {"/hooks/safe", "Authorization: Bearer \r\n", 401},
        {"/hooks/safe", "Authorization: Bearer x" SECRET "\r\n", 401},
        {"/hooks/safe", "Authorization: Bearer s3cr3t\r\n", 401},
        {"/hooks/safe", "Authorization: " SECRET "x\r\n", 401},
        {"/hooks/safe", "Authorization: \r\n", 401},
        {"/hooks/safe", "Authorization: Basic !!!\r\n", 401},
        {"/hooks/safe", "Authorization: Basic \r\n", 401},
        {"/hooks/safe", "X-Api-Key: " SECRET "\r\n", 401},
        {"/hooks/safe", "Authorization: " SECRET "\r\nAuthorization: " SECRET "\r\n", 401},
        {"/hooks/key", "X-Api-Key: " SECRET "\r\n", 202},
        {"/hooks/key", "X-Api-Key: Bearer " SECRET "\r\n", 401},
        {"/hooks/key", "Authorization: " SECRET "\r\n", 401},
        {"/hooks/safe?code=s3cr3t%3Avalue", NULL, 202},
        {"/hooks/safe?a=b&secret=" SECRET, NULL, 202},
        {"/hooks/safe?code=s3cr3t", NULL, 401},
        {"/hooks/safe?Code=" SECRET, NULL, 401},
        {"/hooks/safe?code=&secret=", NULL, 401},
        {"/hooks/key?code=" SECRET, NULL, 202},
        {"/hooks/open", "Authorization: whatever\r\n", 202},
    };
    struct fixture *f = *state;
    uint64_t refused = 0;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        int got = status_of(
            f, &(struct sent){.path = table[i].path, .headers = table[i].headers, .body = PUSH});
        refused += table[i].status == 401 ? 1 : 0;
        if (got != table[i].status)
            fail_msg("%s %s: %d", table[i].path, table[i].headers, got);
    }
    assert_int_equal(counters_of(f).unauthorised, refused);
}

static void basic_credentials(void **state)
{
    static const struct {
        const char *pair;
        int status;
    } table[] = {
        {SECRET, 202}, {"anyone:" SECRET, 202}, {"s3cr3t:other", 401}, {"s3cr3t", 401},
        {"", 401},     {":" SECRET, 202},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_FREE char *header = basic(table[i].pair);
        int got = status_of(*state,
                            &(struct sent){.path = "/hooks/safe", .headers = header, .body = PUSH});
        if (got != table[i].status)
            fail_msg("%s: %d", table[i].pair, got);
    }
}

/* Only who has Event Grid configured says that it may send, whatever the question says. */
static void questions_before_events(void **state)
{
    static const struct {
        const char *path, *headers;
        int status;
        const char *with, *without;
    } table[] = {
        {"/hooks/grid", "WebHook-Request-Origin: eventgrid.azure.net\r\n", 200,
         "WebHook-Allowed-Origin: eventgrid.azure.net\r\n", "WebHook-Allowed-Rate"},
        {"/hooks/grid",
         "WebHook-Request-Origin: EventGrid.azure.net\r\nWebHook-Request-Rate: 120\r\n"
         "WebHook-Request-Callback: http://127.0.0.1:1/\r\n",
         200, "WebHook-Allowed-Rate: 120\r\n", "127.0.0.1"},
        {"/hooks/grid",
         "WebHook-Request-Origin: eventgrid.azure.net\r\nWebHook-Request-Rate: *\r\n", 200,
         "WebHook-Allowed-Origin: eventgrid.azure.net\r\n", "WebHook-Allowed-Rate"},
        {"/hooks/grid", "WebHook-Request-Origin: evil.example\r\n", 405, "Allow: POST",
         "WebHook-Allowed"},
        {"/hooks/grid", NULL, 405, "Allow: POST", "WebHook-Allowed"},
        {"/hooks/open", "WebHook-Request-Origin: eventgrid.azure.net\r\n", 405, "Allow: POST",
         "WebHook-Allowed"},
        {"/hooks/nobody", "WebHook-Request-Origin: eventgrid.azure.net\r\n", 404, "absent",
         "WebHook-Allowed"},
    };
    struct fixture *f = *state;
    static char grid[] = "grid", dialect[] = "eventgrid";
    f->registries[2].name = grid;
    f->registries[2].dialect = dialect;
    assert_int_equal(intake_reload(f->intake, &f->config, NULL), 0);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_TEXT struct text answer = {0};
        struct sent sent = {
            .method = "OPTIONS", .path = table[i].path, .headers = table[i].headers};
        int status = exchange(f, &sent, &answer);
        if (status != table[i].status || strstr(answer.data, table[i].with) == NULL ||
            strstr(answer.data, table[i].without) != NULL)
            fail_msg("row %zu: %s", i, answer.data);
    }
    assert_int_equal(fake_store.event_count, 0);
}

/* A page in an operator's browser can post to loopback, but not without these headers. */
static void browsers_are_no_registries(void **state)
{
    static const struct {
        const char *path, *headers;
        int status;
    } table[] = {
        {"/hooks/open", "Origin: https://evil.example\r\nContent-Type: text/plain\r\n", 403},
        {"/hooks/open", "origin: null\r\n", 403},
        {"/hooks/open", "Sec-Fetch-Site: cross-site\r\n", 403},
        {"/hooks/open", "Content-Type: text/plain\r\n", 202},
        {"/hooks/safe", "Origin: https://proxy.example\r\nAuthorization: " SECRET "\r\n", 202},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        int got = status_of(
            f, &(struct sent){.path = table[i].path, .headers = table[i].headers, .body = PUSH});
        if (got != table[i].status)
            fail_msg("%s %s: %d", table[i].path, table[i].headers, got);
    }
    assert_int_equal(f->accepted, 2);
}

/* Before the sender is known nothing of the body is looked at, and nothing of it is kept. */
static void strangers_leave_nothing(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text answer = {0};
    struct sent sent = {.path = "/hooks/safe", .body = "garbage"};
    assert_int_equal(exchange(f, &sent, &answer), 401);
    assert_non_null(strstr(answer.data, "WWW-Authenticate: Basic"));
    assert_null(strstr(answer.data, SECRET));
    assert_int_equal(fake_store.letter_count, 0);
    assert_int_equal(fake_store.event_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENDPOINT_TEST(routes),
        ENDPOINT_TEST(wrong_method_names_the_right_one),
        ENDPOINT_TEST(secrets),
        ENDPOINT_TEST(basic_credentials),
        ENDPOINT_TEST(strangers_leave_nothing),
        ENDPOINT_TEST(questions_before_events),
        ENDPOINT_TEST(browsers_are_no_registries),
    };
    return cmocka_run_group_tests_name("senders", tests, NULL, NULL);
}
