/* The pure parts: challenges, links, locations, tokens, scopes, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "challenge.h"
#include "errors.h"
#include "link.h"
#include "location.h"
#include "token.h"

static void add_challenges(struct text *to, const struct challenges *challenges)
{
    for (size_t i = 0; i < challenges->count; i++) {
        const struct challenge *c = &challenges->items[i];

        text_format(to, "%s%s(%s|%s|%s|%s)", i ? " " : "", c->scheme, c->realm ? c->realm : "-",
                    c->service ? c->service : "-", c->scope ? c->scope : "-",
                    c->error ? c->error : "-");
    }
}

static void test_challenges(void **state)
{
    static const struct {
        const char *header;
        const char *read; /* NULL: refused */
    } cases[] = {
        {"Basic realm=\"a\"", "basic(a|-|-|-)"},
        {"Basic", "basic(-|-|-|-)"},
        {"BASIC realm=x", "basic(x|-|-|-)"},
        {"Basic realm=\"a, b\\\"c\", charset=\"UTF-8\"", "basic(a, b\"c|-|-|-)"},
        {"Bearer realm=\"https://a/t\",service=\"s, t\",scope=\"repository:n:pull,push\"",
         "bearer(https://a/t|s, t|repository:n:pull,push|-)"},
        {"Bearer Realm = \"r\" , ERROR=\"insufficient_scope\"", "bearer(r|-|-|insufficient_scope)"},
        {"Negotiate, Basic realm=\"a\"", "negotiate(-|-|-|-) basic(a|-|-|-)"},
        {"Negotiate abc+/==, Bearer realm=\"b\"", "negotiate(-|-|-|-) bearer(b|-|-|-)"},
        {"Basic realm=\"a\", Bearer realm=\"b\", Digest nonce=\"c\"",
         "basic(a|-|-|-) bearer(b|-|-|-) digest(-|-|-|-)"},
        {", ,Basic realm=a,,", "basic(a|-|-|-)"},
        {"", ""},
        {" , ", ""},
        {"Bearer realm=\"open", NULL},
        {"Bearer realm=\"open\\", NULL},
        /* By the grammar a token68, which nobody asks for. */
        {"Bearer realm=", "bearer(-|-|-|-)"},
        {"Bearer realm=, x=y", "bearer(-|-|-|-)"},
        {"Bearer realm=\"a\" service=\"b\"", NULL},
        {"Bearer realm=\"a\", realm=\"b\"", NULL},
        {"realm=\"a\"", NULL},
        {"\"Bearer\"", NULL},
        {"Bearer realm=\"a\", \x01", NULL},
        {"a,b,c,d,e,f,g,h,i", NULL},
        {"B a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct challenges challenges = {0};
        struct error error = {0};
        AUTO_TEXT struct text read = {0};
        int rc = challenges_parse(&challenges, cases[i].header, &error);

        add_challenges(&read, &challenges);
        if (cases[i].read && (rc < 0 || !text_equal(text_data(&read), cases[i].read)))
            fail_msg("%s: %s %s", cases[i].header, text_data(&read), error.text);
        if (!cases[i].read && rc != FAILURE_INPUT)
            fail_msg("%s: not refused: %s", cases[i].header, text_data(&read));
        assert_true(cases[i].read || challenges.count == 0);
        challenges_release(&challenges);
    }
}

static void test_challenges_of_several_lines(void **state)
{
    struct challenges challenges = {0};

    (void)state;
    assert_int_equal(challenges_parse(&challenges, "Basic realm=a", NULL), 0);
    assert_int_equal(challenges_parse(&challenges, "Bearer realm=\"", NULL), FAILURE_INPUT);
    assert_int_equal(challenges_parse(&challenges, "Bearer realm=b", NULL), 0);
    assert_int_equal(challenges.count, 2);
    assert_string_equal(challenges_find(&challenges, "bearer")->realm, "b");
    assert_null(challenges_find(&challenges, "digest"));
    for (size_t i = 2; i < CHALLENGES_MAX; i++)
        assert_int_equal(challenges_parse(&challenges, "X", NULL), 0);
    assert_int_equal(challenges_parse(&challenges, "Y", NULL), FAILURE_INPUT);
    assert_int_equal(challenges.count, CHALLENGES_MAX);
    challenges_release(&challenges);
}

static void test_links(void **state)
{
    static const struct {
        const char *header;
        enum failure kind;
        const char *next; /* NULL: none */
    } cases[] = {
        {"</v2/_catalog?last=x&n=2>; rel=\"next\"", FAILURE_NONE, "/v2/_catalog?last=x&n=2"},
        {"</a>; rel=next", FAILURE_NONE, "/a"},
        {"</a>;rel=next;title=\"x, y; rel=prev\"", FAILURE_NONE, "/a"},
        {"</a>; title=\"> , <b>; rel=next\"; rel=\"prev\"", FAILURE_NONE, NULL},
        {"</p>; rel=prev, </a>; rel=\"first NEXT\"", FAILURE_NONE, "/a"},
        {"</a>; rel=\"prev\"; rel=\"next\"", FAILURE_NONE, NULL},
        {"</a>; REL=\"next\"", FAILURE_NONE, "/a"},
        {"</a>; rel=\"nextish\"", FAILURE_NONE, NULL},
        {"</a>; rel", FAILURE_NONE, NULL},
        {"</a>;", FAILURE_NONE, NULL},
        {"</a>", FAILURE_NONE, NULL},
        {"<>; rel=next", FAILURE_NONE, ""},
        {"", FAILURE_NONE, NULL},
        {"/a; rel=next", FAILURE_INPUT, NULL},
        {"</a; rel=next", FAILURE_INPUT, NULL},
        {"</a<b>; rel=next", FAILURE_INPUT, NULL},
        {"</a>; rel=\"next", FAILURE_INPUT, NULL},
        {"</a> rel=next", FAILURE_INPUT, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *next = NULL;
        int rc = link_find_next(cases[i].header, &next, NULL);

        if (rc != (int)cases[i].kind || !text_equal(next, cases[i].next))
            fail_msg("%s: %d %s", cases[i].header, rc, next ? next : "-");
    }
}

static void test_headers_that_are_too_long(void **state)
{
    char header[LINK_HEADER_MAX + 2];
    struct challenges challenges = {0};
    char *next = NULL;

    (void)state;
    memset(header, 'a', sizeof(header) - 1);
    header[sizeof(header) - 1] = '\0';
    assert_int_equal(link_find_next(header, &next, NULL), FAILURE_INPUT);
    assert_int_equal(challenges_parse(&challenges, header, NULL), FAILURE_INPUT);
    assert_null(next);
}

static void test_locations(void **state)
{
    static const struct {
        const char *base;
        const char *target;
        const char *resolved; /* NULL: refused */
    } cases[] = {
        {"https://r/v2/a/tags/list?n=2", "/v2/b", "https://r/v2/b"},
        {"https://r/v2/a/tags/list?n=2", "?n=3", "https://r/v2/a/tags/list?n=3"},
        {"https://r/v2/a/tags/list?n=/2", "other?x", "https://r/v2/a/tags/other?x"},
        {"https://r:5000/v2/", "//s/x", "https://s/x"},
        {"http://r/", "https://S:443/x", "https://s:443/x"},
        {"http://r/", "/x?to=http://y", "http://r/x?to=http://y"},
        {"http://r/", "x?to=http://y", "http://r/x?to=http://y"},
        {"http://r/", "file:///etc/passwd", NULL},
        {"http://r/", "javascript:alert(1)", NULL},
        {"http://r/", "http://user@s/", NULL},
        {"http://r/", "/a b", NULL},
        {"http://r/", "/a\r\nX: y", NULL},
        {"http://r/", "", NULL},
        {"http://r/", "http://", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url base = {0};
        struct url url = {0};
        int rc;

        assert_int_equal(url_parse(cases[i].base, &base, NULL), 0);
        rc = location_resolve(&base, cases[i].target, &url, NULL);
        if (cases[i].resolved) {
            AUTO_FREE char *text = rc == 0 ? location_format(&url) : memory_copy_text("refused");

            assert_string_equal(text, cases[i].resolved);
        } else {
            assert_int_equal(rc, FAILURE_INPUT);
        }
        url_release(&base);
        url_release(&url);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        const char *url;
        const char *host;
        bool loopback;
    } cases[] = {
        {"http://r.example:5000/", "r.example", false},
        {"http://127.0.0.1:80/", "127.0.0.1", true},
        {"http://127.9.9.9/", "127.9.9.9", true},
        {"http://127.example/", "127.example", false},
        {"http://127.0.0.1.example/", "127.0.0.1.example", false},
        {"http://localhost/", "localhost", true},
        {"http://localhost.example/", "localhost.example", false},
        {"http://[::1]:5000/", "[::1]", true},
        {"http://[::2]/", "[::2]", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url url = {0};
        AUTO_FREE char *host = NULL;

        assert_int_equal(url_parse(cases[i].url, &url, NULL), 0);
        host = location_host(&url);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(location_is_loopback(&url), cases[i].loopback);
        url_release(&url);
    }
}

static void test_realms(void **state)
{
    static const struct {
        const char *registry;
        const char *realm;
        const char *allowed;
        bool good;
    } cases[] = {
        {"https://r.example", "https://r.example/token", NULL, true},
        {"https://r.example", "https://r.example:5001/token", NULL, true},
        {"https://r.example", "http://r.example/token", NULL, false},
        {"https://r.example", "https://evil.example/token", NULL, false},
        {"https://r.example", "https://sub.r.example/token", NULL, false},
        {"https://r.example", "https://auth.example/token", "auth.example", true},
        {"https://r.example", "https://auth.example:444/token", "auth.example", true},
        {"https://r.example", "https://auth.example:444/token", "auth.example:443", false},
        {"https://r.example", "https://auth.example:444/token", "AUTH.example:444", true},
        {"https://r.example", "http://auth.example/token", "auth.example", false},
        {"https://r.example", "http://127.0.0.1/token", "127.0.0.1", true},
        {"http://r.example", "http://r.example/token", NULL, true},
        {"http://r.example", "http://evil.example/token", NULL, false},
        {"https://registry-1.docker.io", "https://auth.docker.io/token", NULL, true},
        {"https://r.example", "https://auth.docker.io/token", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url registry = {0};
        struct url realm = {0};
        AUTO_TEXT_LIST struct text_list allowed = {0};
        struct error error = {0};

        assert_int_equal(url_parse(cases[i].registry, &registry, NULL), 0);
        assert_int_equal(url_parse(cases[i].realm, &realm, NULL), 0);
        if (cases[i].allowed)
            text_list_add(&allowed, cases[i].allowed);
        if ((token_check_realm(&registry, &allowed, &realm, &error) == 0) != cases[i].good)
            fail_msg("%s for %s: %s", cases[i].realm, cases[i].registry, error.text);
        url_release(&registry);
        url_release(&realm);
    }
}

static void test_token_questions(void **state)
{
    static const struct {
        const char *realm;
        struct token_question question;
        const char *url;
    } cases[] = {
        {"https://a/t", {.scopes = ""}, "https://a/t"},
        {"https://a/t",
         {.service = "a b", .scopes = "repository:n:pull", .account = "me&you"},
         "https://a/t?service=a%20b&scope=repository%3An%3Apull&account=me%26you"},
        {"https://a/t?x=1",
         {.scopes = "a:b:c  d:e:f "},
         "https://a/t?x=1&scope=a%3Ab%3Ac&scope=d%3Ae%3Af"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url realm = {0};
        AUTO_FREE char *url = NULL;

        assert_int_equal(url_parse(cases[i].realm, &realm, NULL), 0);
        url = token_url(&realm, &cases[i].question);
        assert_string_equal(url, cases[i].url);
        url_release(&realm);
    }
}

static void test_merged_scopes(void **state)
{
    static const struct {
        const char *own;
        const char *named;
        const char *merged;
    } cases[] = {
        {"repository:a:pull", NULL, "repository:a:pull"},
        {"repository:a:pull", "", "repository:a:pull"},
        {"repository:a:pull", "repository:a:pull", "repository:a:pull"},
        {"repository:a:pull,push", "repository:a:pull", "repository:a:pull,push"},
        {"repository:a:pull", "repository:a:metadata_read",
         "repository:a:pull repository:a:metadata_read"},
        {"repository:a:pull", "repository:a:*", "repository:a:pull repository:a:*"},
        /* Nothing about what is not ours to ask for. */
        {"repository:a:pull", "repository:b:pull,push", "repository:a:pull"},
        {"repository:a:pull", "registry:catalog:*", "repository:a:pull"},
        {"repository:a:pull", "repository:ab:push repository:a:delete x",
         "repository:a:pull repository:a:delete"},
        {"repository:a:pull,push repository:b:pull", "repository:b:delete",
         "repository:a:pull,push repository:b:pull repository:b:delete"},
        {"", "repository:a:pull", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *merged = token_merge_scopes(cases[i].own, cases[i].named);

        assert_string_equal(merged, cases[i].merged);
    }
}

static void test_token_answers(void **state)
{
    static const struct {
        const char *body;
        const char *value; /* NULL: refused */
        int64_t lifetime_ms;
    } cases[] = {
        {"{\"token\":\"t\"}", "t", 60000},
        {"{\"access_token\":\"t\",\"expires_in\":300}", "t", 300000},
        {"{\"token\":\"t\",\"access_token\":\"u\",\"expires_in\":5}", "t", 60000},
        {"{\"token\":\"\",\"access_token\":\"u\"}", "u", 60000},
        {"{\"token\":\"t\",\"expires_in\":-7}", "t", 60000},
        {"{\"token\":\"t\",\"expires_in\":9000000000000000000}", "t", 86400000},
        {"{\"token\":\"a b\"}", NULL, 0},
        {"{\"token\":\"a\\nb\"}", NULL, 0},
        {"{\"token\":7}", NULL, 0},
        {"{}", NULL, 0},
        {"[]", NULL, 0},
        {"", NULL, 0},
        {"<html>", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct token_grant grant = {0};
        int rc = token_read(cases[i].body, strlen(cases[i].body), &grant, NULL);

        assert_int_equal(rc, cases[i].value ? 0 : FAILURE_INPUT);
        if (cases[i].value)
            assert_string_equal(grant.value, cases[i].value);
        assert_int_equal(grant.lifetime_ms, cases[i].lifetime_ms);
        free(grant.value);
    }
}

static void test_errors(void **state)
{
    static const struct {
        int status;
        const char *type;
        const char *body;
        enum failure kind;
        const char *text;
    } cases[] = {
        {404, "application/json",
         "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}",
         FAILURE_ABSENT, "answered 404: MANIFEST_UNKNOWN: manifest unknown"},
        {403, "text/html", "<html>", FAILURE_DENIED,
         "answered 403 with a web page instead of a registry's error"},
        {401, NULL, "", FAILURE_DENIED, "answered 401"},
        {404, "text/plain; charset=utf-8", "404 page not found\nmore\n", FAILURE_ABSENT,
         "answered 404: 404 page not found"},
        {429, NULL, "", FAILURE_LATER, "answered 429"},
        {500, "application/json", "{\"errors\":[]}", FAILURE_LATER, "answered 500"},
        {400, "application/json", "{\"errors\":[{\"code\":7,\"message\":null}]}", FAILURE_INPUT,
         "answered 400"},
        {401, "application/json", "{\"details\":\"incorrect username or password\"}",
         FAILURE_DENIED, "answered 401: incorrect username or password"},
        {413, NULL, "", FAILURE_LIMIT, "answered 413"},
        {304, NULL, "", FAILURE_INPUT, "answered 304"},
        {418, "application/json", "{\"errors\":{", FAILURE_INPUT, "answered 418"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_response response = {
            .status = cases[i].status, .body = cases[i].body, .body_size = strlen(cases[i].body)};
        struct error error = {0};

        if (cases[i].type)
            text_pairs_add(&response.headers, "content-type", cases[i].type);
        assert_int_equal(errors_from_response(&response, true, &error), cases[i].kind);
        assert_string_equal(error.text, cases[i].text);
        text_pairs_release(&response.headers);
    }
}

/* The status alone would say something else, or nothing of what to do. */
static void test_refusals_that_say_more(void **state)
{
    static const struct {
        int status;
        const char *code;
        const char *message;
        enum failure kind;
        const char *hint;
    } cases[] = {
        {403, "DENIED", "The system is in read only mode. Any modification is prohibited.",
         FAILURE_LATER, "read-only mode"},
        {403, "DENIED", "requested access to the resource is denied", FAILURE_DENIED, ""},
        {412, "PROJECTPOLICYVIOLATION", "current image cannot be pulled", FAILURE_DENIED,
         "prevent vulnerable images"},
        {412, "PRECONDITION", "the tag v1 is immutable, cannot be deleted", FAILURE_DENIED,
         "makes this tag immutable"},
        {412, "PRECONDITION", "referenced by other artifacts", FAILURE_DENIED,
         "belongs to an index"},
        {401, "UNAUTHORIZED", "unauthorized to access repository: quarantine/app, action: push",
         FAILURE_DENIED, "regwarden harbor connect"},
        {401, "UNAUTHORIZED", "project quarantine not found", FAILURE_DENIED, "quarantine project"},
        {401, "UNAUTHORIZED", "authentication required", FAILURE_DENIED, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *body = text_new("{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}",
                                        cases[i].code, cases[i].message);
        struct http_response response = {
            .status = cases[i].status, .body = body, .body_size = strlen(body)};
        struct error error = {0};

        assert_int_equal(errors_from_response(&response, true, &error), cases[i].kind);
        assert_int_equal(error.kind, cases[i].kind);
        if (*cases[i].hint)
            assert_non_null(strstr(error.hint, cases[i].hint));
        else
            assert_string_equal(error.hint, "");
    }
}

static void test_error_codes(void **state)
{
    static const char body[] = "{\"errors\":[{\"code\":\"A\"},{\"code\":\"B\"}]}";
    struct http_response response = {.status = 400, .body = body, .body_size = sizeof(body) - 1};

    (void)state;
    assert_true(errors_has_code(&response, "B"));
    assert_false(errors_has_code(&response, "C"));
    assert_false(errors_has_code(NULL, "A"));
    response.body = "";
    response.body_size = 0;
    assert_false(errors_has_code(&response, "A"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenges),    cmocka_unit_test(test_challenges_of_several_lines),
        cmocka_unit_test(test_links),         cmocka_unit_test(test_headers_that_are_too_long),
        cmocka_unit_test(test_locations),     cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_realms),        cmocka_unit_test(test_token_questions),
        cmocka_unit_test(test_merged_scopes), cmocka_unit_test(test_token_answers),
        cmocka_unit_test(test_errors),        cmocka_unit_test(test_refusals_that_say_more),
        cmocka_unit_test(test_error_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
