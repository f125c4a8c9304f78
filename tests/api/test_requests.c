/* What is asked for is checked: parameters, bodies, and that the OpenAPI document says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "routes.h"

static void parameters(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *words;
    } table[] = {
        {"/api/v1/verdicts?registy=main", 400, "Did you mean \"registry\"?"},
        {"/api/v1/verdicts?colour=red", 400, "takes no parameter \"colour\""},
        {"/api/v1/verdicts?state=done", 400, "takes no parameter \"state\""},
        {"/api/v1/verdicts?%74ag=v1", 400, "takes no parameter \"%74ag\""},
        {"/api/v1/verdicts?=x", 400, "takes no parameter \"\""},
        {"/api/v1/verdicts?tag=a&tag=b", 400, "is there twice"},
        {"/api/v1/verdicts?tag=", 400, "empty or badly encoded"},
        {"/api/v1/verdicts?tag", 400, "empty or badly encoded"},
        {"/api/v1/verdicts?tag=%zz", 400, "empty or badly encoded"},
        {"/api/v1/verdicts?tag=%00", 400, "empty or badly encoded"},
        {"/api/v1/verdicts?verdict=bad", 400, "One of pass, warn, unknown, fail."},
        {"/api/v1/verdicts?limit=0", 400, "it starts at 1"},
        {"/api/v1/verdicts?limit=1001", 400, "the parameter \"limit\""},
        {"/api/v1/verdicts?limit=-5", 400, "the parameter \"limit\""},
        {"/api/v1/verdicts?limit=ten", 400, "the parameter \"limit\""},
        {"/api/v1/verdicts?before=99999999999999999999", 400, "the parameter \"before\""},
        {"/api/v1/verdicts?since=yesterday", 400, "30d for the last 30 days"},
        {"/api/v1/verdicts?verdict=%1b%5b31m", 400, "\\x1b[31m"},
        {"/api/v1/plans?kind=explode", 400, "quarantine"},
        {"/api/v1/dead-letters?kind=quarantine", 400, "hook, event, notification"},
        {"/api/v1/report?format=pdf", 400, "json, csv"},
        {"/api/v1/history", 400, "\"registry\" is needed"},
        {"/api/v1/history?registry=main", 400, "\"repository\" is needed"},
        {"/healthz?x=1", 400, "takes no parameter \"x\""},
        {"/api/v1/verdicts?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a",
         400, "takes no parameter \"a\""},
        {"/api/v1/verdicts?&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&", 413, "more than 32"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        check_refused(*state, &(struct sent){.path = table[i].path}, table[i].status,
                      table[i].words);
}

static void good_parameters(void **state)
{
    static const char *const paths[] = {
        "/api/v1/verdicts?registry=main&repository=team/**&tag=v1&verdict=fail&rule=non-root",
        "/api/v1/verdicts?since=30d&before=5&limit=1000",
        "/api/v1/verdicts?since=2026-01-31T00:00:00%2B01:00",
        "/api/v1/verdicts?repository=team%2F**",
        "/api/v1/verdicts?",
        "/api/v1/verdicts?&tag=v1&",
        "/api/v1/history?registry=main&repository=team/app",
        "/api/v1/plans?kind=quarantine&state=failed",
        "/api/v1/quarantine?state=undone",
        "/api/v1/waivers?state=expired",
        "/api/v1/sweeps?registry=main",
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        AUTO_JSON struct json *page = get(*state, paths[i]);
        assert_true(json_is(json_get(page, "items"), JSON_KIND_ARRAY));
    }
}

#define WAIVER "\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2999-01-01\""

static void bodies(void **state)
{
    static const struct {
        const char *path, *headers, *body;
        int status;
        const char *words;
    } table[] = {
        {"/api/v1/waivers", NULL, NULL, 400, "a JSON body is needed"},
        {"/api/v1/waivers", NULL, "", 400, "a JSON body is needed"},
        {"/api/v1/waivers", NULL, "[]", 400, "it is not an object"},
        {"/api/v1/waivers", NULL, "{\"rule\":", 400, "the body"},
        {"/api/v1/waivers", NULL, "{\"rule\":\"a\",\"rule\":\"b\"}", 400, "the body"},
        {"/api/v1/waivers", NULL, "{}", 400, "\"rule\" is needed"},
        {"/api/v1/waivers", NULL, "{\"rul\":\"a\"}", 400, "Did you mean \"rule\"?"},
        {"/api/v1/waivers", NULL, "{" WAIVER ",\"note\":\"a\"}", 400, "no member \"note\""},
        {"/api/v1/waivers", NULL, "{\"rule\":7}", 400, "\"rule\" is a string"},
        {"/api/v1/waivers", NULL, "{\"rule\":null}", 400, "\"rule\" is a string"},
        {"/api/v1/waivers", NULL, "{\"rule\":{\"a\":{\"b\":{\"c\":{}}}}}", 413, "the body"},
        {"/api/v1/waivers", "Content-Type: text/plain\r\n", "{" WAIVER "}", 400,
         "not application/json"},
        {"/api/v1/waivers", "Content-Type: application/jsonx\r\n", "{" WAIVER "}", 400,
         "not application/json"},
        {"/api/v1/waivers", NULL,
         "{\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"2001-01-01\"}", 400,
         "expired before it began"},
        {"/api/v1/waivers", NULL,
         "{\"rule\":\"r\",\"reason\":\"x\",\"owner\":\"o\",\"expires\":\"soon\"}", 400, ""},
        {"/api/v1/waivers", NULL, "{" WAIVER ",\"digest\":\"sha256:00\"}", 400, ""},
        {"/api/v1/quarantine/1/release", NULL, "{\"force\":\"yes\"}", 400, "true or false"},
        {"/api/v1/quarantine/1/release", NULL, "{\"forse\":true}", 400, "Did you mean \"force\"?"},
        {"/api/v1/sweep", NULL, "{\"registry\":[]}", 400, "is a string"},
        {"/api/v1/bases", NULL, "{}", 400, "\"reference\""},
        {"/api/v1/bases", NULL, "{\"refrence\":\"x\"}", 400, "Did you mean \"reference\"?"},
        {"/api/v1/dead-letters/1/retry", NULL, "{}", 400, "takes no body"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct sent sent = {.method = "POST",
                            .path = table[i].path,
                            .headers = table[i].headers,
                            .body = table[i].body};
        check_refused(*state, &sent, table[i].status, table[i].words);
    }
}

static void a_long_text_is_refused(void **state)
{
    AUTO_TEXT struct text body = {0};
    text_add(&body, "{\"rule\":\"");
    for (int i = 0; i < 5000; i++)
        text_add_char(&body, 'x');
    text_add(&body, "\"}");
    struct sent sent = {.method = "POST", .path = "/api/v1/waivers", .body = body.data};
    check_refused(*state, &sent, 413, "longer than");
}

/* --- the OpenAPI document --- */

static const struct json *operation(const struct json *document, const struct route *route)
{
    AUTO_TEXT struct text path = {0};
    AUTO_FREE char *method = memory_copy_text(route->method);
    for (const char *c = route->pattern; *c != '\0'; c++) {
        if (text_starts_with(c, ":id")) {
            text_add(&path, "{id}");
            c += 2;
        } else {
            text_add_char(&path, *c);
        }
    }
    for (char *c = method; *c != '\0'; c++)
        *c = (char)(*c | 0x20);
    return json_get(json_get(json_get(document, "paths"), text_data(&path)), method);
}

static size_t parameter_count(const struct route *route)
{
    size_t count = route->id == SEGMENT_NONE ? 0 : 1;
    for (size_t i = 0; route->parameters != NULL && route->parameters[i] != NULL; i++)
        count++;
    return count;
}

static void the_document_has_every_route(void **state)
{
    AUTO_JSON struct json *document = get(*state, "/api/v1/openapi.json");
    assert_string_equal(json_get_string(document, "openapi"), "3.1.0");
    for (const struct route *route = routes; route->method != NULL; route++) {
        const struct json *found = operation(document, route);
        if (found == NULL)
            fail_msg("%s %s is not in the document", route->method, route->pattern);
        AUTO_FREE char *status = text_new("%d", route->status);
        assert_string_equal(json_get_string(found, "summary"), route->summary);
        assert_int_equal(json_count(json_get(found, "parameters")), parameter_count(route));
        assert_non_null(json_get(json_get(found, "responses"), status));
        assert_int_equal(json_get(found, "requestBody") != NULL, route->fields != NULL);
        assert_int_equal(json_count(json_get(found, "security")), route->role != ROLE_ANYONE);
    }
}

static void the_table_is_sound(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method != NULL; route++) {
        assert_non_null(route->handle);
        assert_in_range(route->status, 200, 299);
        assert_int_equal(strstr(route->pattern, ":id") != NULL, route->id != SEGMENT_NONE);
        for (const struct route *other = route + 1; other->method != NULL; other++)
            assert_false(text_equal(route->method, other->method) &&
                         text_equal(route->pattern, other->pattern));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(parameters),
        API_TEST(good_parameters),
        API_TEST(bodies),
        API_TEST(a_long_text_is_refused),
        API_TEST(the_document_has_every_route),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
