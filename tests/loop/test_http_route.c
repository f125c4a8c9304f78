/* Route patterns, query parameters, and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_percent.h"
#include "regwarden/http_client.h"
#include "regwarden/http_server.h"

static const struct route {
    const char *pattern;
    const char *path;
    int count;
    const char *values[3];
} routes[] = {
    {"/healthz", "/healthz", 0, {0}},
    {"/healthz", "/health%7a", 0, {0}},
    {"/healthz", "/healthz/", -1, {0}},
    {"/healthz", "/health", -1, {0}},
    {"/healthz", "/HEALTHZ", -1, {0}},
    {"/", "/", 0, {0}},
    {"/a", "//a", -1, {0}},
    {"/a/b", "/a%2fb", -1, {0}},
    {"/a/:id", "/a/7", 1, {"7"}},
    {"/a/:id", "/a/", -1, {0}},
    {"/a/:id", "/a", -1, {0}},
    {"/a/:id", "/a/b/c", -1, {0}},
    {"/a/:id/release", "/a/x%20y/release", 1, {"x y"}},
    {"/a/:id/release", "/a/x+y/release", 1, {"x+y"}},
    {"/a/:id/release", "/a/x%2Fy/release", -1, {0}},
    {"/a/:id/release", "/a/x%00/release", -1, {0}},
    {"/a/:id/release", "/a/x%0/release", -1, {0}},
    {"/a/:id/release", "/a/x%/release", -1, {0}},
    {"/a/:id/release", "/a/x%zz/release", -1, {0}},
    {"/a/:b/:c", "/a/1/2", 2, {"1", "2"}},
    {"/a/:b/:c", "/a/1/%", -1, {0}},
    {"/v2/**", "/v2/library/app/manifests/latest", 1, {"library/app/manifests/latest"}},
    {"/v2/**", "/v2/a%2Fb", -1, {0}},
    {"/v2/**", "/v2/", -1, {0}},
    {"/v2/**", "/v2", -1, {0}},
    {"/v2/:r/**", "/v2/a/b%20c/", 2, {"a", "b c/"}},
    {"/:a/:b/:c/:d", "/1/2/3/4", -1, {0}}, /* more than fit */
};

static void routes_match_decoded_segments(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        char *values[3] = {NULL};
        int count = http_route_match(routes[i].pattern, routes[i].path, values, 3);
        if (count != routes[i].count)
            fail_msg("%s on %s: %d", routes[i].pattern, routes[i].path, count);
        for (int v = 0; v < 3; v++) {
            if (v < count)
                assert_string_equal(values[v], routes[i].values[v]);
            else
                assert_null(values[v]);
            free(values[v]);
        }
    }
}

static const struct good_url {
    const char *url, *scheme, *host_port, *path;
} good_urls[] = {
    {"http://a", "http", "a", "/"},
    {"HTTPS://Registry.Example:5000", "https", "registry.example:5000", "/"},
    {"https://a/v2/", "https", "a", "/v2/"},
    {"https://a?b=c", "https", "a", "/?b=c"},
    {"https://a/x?b=http://c/", "https", "a", "/x?b=http://c/"},
    {"http://[::1]:80/x", "http", "[::1]:80", "/x"},
    {"http://127.0.0.1:65535/%41", "http", "127.0.0.1:65535", "/%41"},
    {"http://a_b.c-d/@", "http", "a_b.c-d", "/@"},
};

static void good_urls_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(good_urls); i++) {
        struct url url = {0};
        assert_int_equal(url_parse(good_urls[i].url, &url, NULL), 0);
        assert_string_equal(url.scheme, good_urls[i].scheme);
        assert_string_equal(url.host_port, good_urls[i].host_port);
        assert_string_equal(url.path, good_urls[i].path);
        url_release(&url);
    }
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "a",
        "/a",
        "//a/",
        "http:",
        "http:/a",
        "http://",
        "http:///a",
        "http://?a",
        "ftp://a/",
        "file:///etc/passwd",
        "javascript:http://a",
        " http://a",
        "http://a b/",
        "http://a/b c",
        "http://a/\tb",
        "http://a/\r\nX: y",
        "http://a/\x7f",
        "http://a/\xc3\xa4",
        "http://\xc3\xa4/",
        "http://a/#b",
        "http://a\\b/",
        "http://user@a/",
        "http://user:password@a/",
        "http://a:80@b/",
        "http://a:/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:000080/",
        "http://a:8x/",
        "http://a:80:80/",
        "http://a,b/",
        "http://a%2fb/",
        "http://[::1/",
        "http://[]/",
        "http://[::1]x/",
        "http://[a]b/",
        "http://::1/",
    };
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        struct url url = {0};
        struct error err = {0};
        if (url_parse(urls[i], &url, &err) != FAILURE_INPUT)
            fail_msg("\"%s\" was taken", urls[i]);
        assert_null(url.path);
        assert_null(strstr(err.text, "password"));
    }
    AUTO_TEXT struct text longest = {0};
    text_format(&longest, "http://a/%020000d", 0);
    assert_int_equal(url_parse(longest.data, &(struct url){0}, NULL), FAILURE_INPUT);
}

static void origins_are_compared_by_effective_port(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://a/x", "https://A:443/y", true},     {"http://a", "http://a:80", true},
        {"http://a:0080", "http://a:80", true},       {"http://a", "https://a", false},
        {"http://a:443", "https://a", false},         {"https://a", "https://a:80", false},
        {"https://a", "https://ab", false},           {"https://a.b", "https://a", false},
        {"https://[::1]", "https://[::1]:443", true}, {"https://[::1]", "https://[::2]", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct url a = {0};
        struct url b = {0};
        assert_int_equal(url_parse(rows[i].a, &a, NULL), 0);
        assert_int_equal(url_parse(rows[i].b, &b, NULL), 0);
        assert_int_equal(url_same_origin(&a, &b), rows[i].same);
        assert_int_equal(url_same_origin(&b, &a), rows[i].same);
        url_release(&a);
        url_release(&b);
    }
}

static void encoding_leaves_unreserved_characters(void **state)
{
    (void)state;
    AUTO_TEXT struct text encoded = {0};
    url_encode(&encoded, "aZ09-._~ /:?&=+%\xc3\xa4");
    assert_string_equal(encoded.data, "aZ09-._~%20%2F%3A%3F%26%3D%2B%25%C3%A4");
    AUTO_FREE char *back = http_percent_decode(encoded.data, encoded.length, PERCENT_FORM);
    assert_string_equal(back, "aZ09-._~ /:?&=+%\xc3\xa4");
    AUTO_FREE char *form = url_decode("a+b%2Fc", 7, true);
    assert_string_equal(form, "a b/c");
    AUTO_FREE char *plain = url_decode("a+b%2Fc", 7, false);
    assert_string_equal(plain, "a+b/c");
    assert_null(url_decode("%00", 3, false));
    assert_null(url_decode("%2", 2, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_match_decoded_segments),
        cmocka_unit_test(good_urls_are_split),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(origins_are_compared_by_effective_port),
        cmocka_unit_test(encoding_leaves_unreserved_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
