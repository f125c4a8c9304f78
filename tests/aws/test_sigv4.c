/* Signatures against the vectors that AWS published as "Signature Version 4 Test Suite"
 * (aws-sig-v4-test-suite, also in botocore's tests as aws4_testsuite; Copyright Amazon.com, Apache
 * License 2.0): key, time and scope are the suite's, and of each vector what it signs and the
 * signature. Vectors that say the same twice, and the one with folded header lines, which HTTP does
 * not know any more, are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/clock.h"

#include "sigv4.h"

static const char session_token[] =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx"
    "7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNV"
    "XAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
    "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

struct pair {
    const char *name;
    const char *value;
};

static const struct vector {
    const char *name;
    const char *method;
    const char *path;
    struct pair query[3];
    struct pair headers[5]; /* besides Host and X-Amz-Date */
    const char *body;
    const char *signature;
} vectors[] = {
    {.name = "get-header-key-duplicate",
     .method = "GET",
     .path = "/",
     .headers = {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {.name = "get-header-value-order",
     .method = "GET",
     .path = "/",
     .headers = {{"My-Header1", "value4"},
                 {"My-Header1", "value1"},
                 {"My-Header1", "value3"},
                 {"My-Header1", "value2"}},
     .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {.name = "get-header-value-trim",
     .method = "GET",
     .path = "/",
     .headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {.name = "get-unreserved",
     .method = "GET",
     .path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     .signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {.name = "get-vanilla",
     .method = "GET",
     .path = "/",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-empty-query-key",
     .method = "GET",
     .path = "/",
     .query = {{"Param1", "value1"}},
     .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {.name = "get-vanilla-query-order-key",
     .method = "GET",
     .path = "/",
     .query = {{"Param1", "value2"}, {"Param1", "Value1"}},
     .signature = "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {.name = "get-vanilla-query-order-key-case",
     .method = "GET",
     .path = "/",
     .query = {{"Param2", "value2"}, {"Param1", "value1"}},
     .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {.name = "get-vanilla-query-order-value",
     .method = "GET",
     .path = "/",
     .query = {{"Param1", "value2"}, {"Param1", "value1"}},
     .signature = "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {.name = "get-vanilla-query-unreserved",
     .method = "GET",
     .path = "/",
     .query = {{"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}},
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {.name = "get-vanilla-utf8-query",
     .method = "GET",
     .path = "/",
     .query = {{"\xe1\x88\xb4"
                "",
                "bar"}},
     .signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {.name = "post-header-key-case",
     .method = "POST",
     .path = "/",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-header-key-sort",
     .method = "POST",
     .path = "/",
     .headers = {{"My-Header1", "value1"}},
     .signature = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {.name = "post-header-value-case",
     .method = "POST",
     .path = "/",
     .headers = {{"My-Header1", "VALUE1"}},
     .signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {.name = "post-vanilla-empty-query-value",
     .method = "POST",
     .path = "/",
     .query = {{"Param1", "value1"}},
     .signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {.name = "post-x-www-form-urlencoded",
     .method = "POST",
     .path = "/",
     /* the suite signs it without its length */
     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
     .body = "Param1=value1",
     .signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {.name = "post-x-www-form-urlencoded-parameters",
     .method = "POST",
     .path = "/",
     /* this one too, and with this spelling */
     .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
     .body = "Param1=value1",
     .signature = "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {.name = "get-relative",
     .method = "GET",
     .path = "/example/..",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-relative-relative",
     .method = "GET",
     .path = "/example1/example2/../..",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash",
     .method = "GET",
     .path = "//",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-dot-slash",
     .method = "GET",
     .path = "/./",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-pointless-dot",
     .method = "GET",
     .path = "/./example",
     .signature = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {.name = "get-slashes",
     .method = "GET",
     .path = "//example//",
     .signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {.name = "post-sts-header-before",
     .method = "POST",
     .path = "/",
     .headers = {{"X-Amz-Security-Token", session_token}},
     .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {.name = "get-utf8",
     .method = "GET",
     .path = "/\xe1\x88\xb4"
             "",
     .signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {.name = "get-space",
     .method = "GET",
     .path = "/example space/",
     .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
};

static void add_pairs(const struct pair *pairs, struct text_pairs *to)
{
    for (; pairs->name; pairs++)
        text_pairs_add(to, pairs->name, pairs->value);
}

static void check_vector(const struct vector *vector)
{
    static const struct sigv4_key key = {
        .access_key_id = "AKIDEXAMPLE",
        .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        .time = "20150830T123600Z",
        .region = "us-east-1",
        .service = "service",
    };
    struct text_pairs query = {0};
    struct text_pairs headers = {0};
    struct sigv4_request request = {.method = vector->method,
                                    .path = vector->path,
                                    .query = &query,
                                    .headers = &headers,
                                    .body = vector->body,
                                    .body_size = vector->body ? strlen(vector->body) : 0};
    AUTO_FREE char *authorization = NULL;
    const char *signature;

    add_pairs(vector->query, &query);
    text_pairs_add(&headers, "Host", "example.amazonaws.com");
    add_pairs(vector->headers, &headers);
    text_pairs_add(&headers, "X-Amz-Date", key.time);
    authorization = sigv4_authorization(&request, &key);
    assert_true(text_starts_with(authorization,
                                 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
                                 "service/aws4_request, SignedHeaders="));
    signature = strstr(authorization, ", Signature=") + strlen(", Signature=");
    if (!text_equal(signature, vector->signature))
        fail_msg("%s: %s", vector->name, authorization);
    text_pairs_release(&query);
    text_pairs_release(&headers);
}

static void signs_as_the_suite_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++)
        check_vector(&vectors[i]);
}

/* The example of the documentation ("Create a signed AWS API request"), written out. */
static void writes_the_canonical_request(void **state)
{
    struct text_pairs query = {0};
    struct text_pairs headers = {0};
    AUTO_TEXT struct text canonical = {0};

    (void)state;
    text_pairs_add(&query, "Version", "2010-05-08");
    text_pairs_add(&query, "Action", "ListUsers");
    text_pairs_add(&headers, "X-Amz-Date", "20150830T123600Z");
    text_pairs_add(&headers, "host", "iam.amazonaws.com");
    text_pairs_add(&headers, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    sigv4_canonical(
        &(struct sigv4_request){.method = "GET", .path = "/", .query = &query, .headers = &headers},
        &canonical);
    assert_string_equal(text_data(&canonical),
                        "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
                        "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
                        "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
                        "content-type;host;x-amz-date\n"
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_pairs_release(&query);
    text_pairs_release(&headers);
}

static void writes_the_time(void **state)
{
    char time[SIGV4_TIME_SIZE];
    int64_t ms = 0;

    (void)state;
    assert_int_equal(clock_parse_rfc3339("2015-08-30T12:36:00.999Z", &ms, NULL), 0);
    sigv4_time(ms, time);
    assert_string_equal(time, "20150830T123600Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_the_suite_says),
        cmocka_unit_test(writes_the_canonical_request),
        cmocka_unit_test(writes_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
