/* Where credentials come from: each source against a stub of it, and how they are shared, renewed
 * and given up. */
#include "fixture.h"

#include <stdlib.h>

#include "regwarden/clock.h"

#define SECRET "wJalrXUtnFEMI"
#define GOOD_UNTIL "2099-01-01T00:00:00Z"
#define DOCUMENT(id, until)                                                          \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"" SECRET \
    "\",\"Token\":\"s3ss10n\",\"Expiration\":\"" until "\"}"
#define STS(action, id)                                                                  \
    "<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n<" action \
    "Result><Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>" SECRET      \
    "</SecretAccessKey><SessionToken>r0le&amp;</SessionToken><Expiration>" GOOD_UNTIL    \
    "</Expiration></Credentials></" action "Result></" action "Response>"

static struct fixture f;
static const struct prepared good = {.status = 200, .body = "{}"};
static const char *const variables[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME"};

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++)
        unsetenv(variables[i]);
    fixture_open(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clock_set_for_test(-1, -1);
    fixture_close(&f);
    return 0;
}

static void answers(int status, const char *body)
{
    fixture_answer(&f, &(struct prepared){.status = status, .body = body});
}

static void calls(enum failure expected)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)fixture_call(&f, false, &outcome);
    fixture_wait(&f, &outcome);
    if (outcome.error.kind != expected)
        fail_msg("%s", outcome.error.text);
    assert_null(strstr(outcome.error.text, SECRET));
    assert_null(strstr(outcome.error.text, "s3ss10n"));
}

static bool asked(size_t index, const char *words)
{
    return index < f.requests.count && strstr(f.requests.items[index], words);
}

static void instance_by_version_two(void **state)
{
    (void)state;
    fixture_start(&f);
    answers(200, "t0ken==");
    answers(200, "my-role\n");
    answers(200, DOCUMENT("ASIAINSTANCE", GOOD_UNTIL));
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    assert_true(asked(0, "PUT /latest/api/token\n"));
    assert_true(asked(0, "X-aws-ec2-metadata-token-ttl-seconds: 300\n"));
    assert_true(asked(1, "GET /latest/meta-data/iam/security-credentials/\n"));
    assert_true(asked(1, "X-aws-ec2-metadata-token: t0ken==\n"));
    assert_true(asked(2, "GET /latest/meta-data/iam/security-credentials/my-role\n"));
    assert_true(asked(2, "X-aws-ec2-metadata-token: t0ken==\n"));
    assert_true(asked(3, "Credential=ASIAINSTANCE/"));
    assert_true(asked(3, "X-Amz-Security-Token: s3ss10n\n"));
    calls(FAILURE_NONE); /* kept */
    assert_int_equal(f.requests.count, 5);
}

/* Whatever goes wrong, version 1, a GET without token, is never asked. */
static void instance_never_by_version_one(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum failure kind;
        size_t requests;
    } cases[] = {{403, "no", FAILURE_DENIED, 1},
                 {404, "", FAILURE_DENIED, 1},
                 {200, "", FAILURE_INPUT, 1},
                 {200, "two\nlines", FAILURE_INPUT, 1},
                 {500, "", FAILURE_LATER, 3}};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f.answer_count = 0;
        answers(cases[i].status, cases[i].body);
        fixture_start(&f);
        calls(cases[i].kind);
        assert_int_equal(f.requests.count, cases[i].requests);
        for (size_t r = 0; r < f.requests.count; r++)
            assert_true(text_starts_with(f.requests.items[r], "PUT "));
        text_list_release(&f.requests);
        aws_free(TAKE(f.aws));
    }
}

static void instance_without_a_role(void **state)
{
    (void)state;
    fixture_start(&f);
    answers(200, "t0ken");
    answers(404, "");
    calls(FAILURE_DENIED);
    text_list_release(&f.requests);
    f.answer_count = f.asked = 0;
    fixture_run(&f, 50);
    answers(200, "t0ken");
    answers(200, "../../user-data");
    calls(FAILURE_DENIED);
    assert_int_equal(f.requests.count, 2);
}

static void container_with_its_token(void **state)
{
    AUTO_FREE char *uri = text_new("%s/v1/credentials?x=1", f.url);
    AUTO_FREE char *token = fixture_write(&f, "token", "Basic pl4tform\n");

    (void)state;
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token, 1);
    fixture_start(&f);
    answers(200, DOCUMENT("ASIACONTAINER", GOOD_UNTIL));
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    assert_true(asked(0, "GET /v1/credentials?x=1\n"));
    assert_true(asked(0, "Authorization: Basic pl4tform\n"));
    assert_true(asked(1, "Credential=ASIACONTAINER/"));
}

static void container_of_a_strange_host(void **state)
{
    static const char *const uris[] = {
        "http://example.com/x",   "http://169.254.169.254/latest", "http://127.0.0.1.example.com/",
        "http://[fd00:ec2::24]/", "http://user@127.0.0.1/",        "ftp://127.0.0.1/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(uris); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uris[i], 1);
        fixture_start(&f);
        calls(FAILURE_INPUT);
        aws_free(TAKE(f.aws));
    }
    assert_int_equal(f.requests.count, 0);
}

static void web_identity_without_a_signature(void **state)
{
    AUTO_FREE char *path = fixture_write(&f, "identity", "eyJ.eyJ.sig\n");

    (void)state;
    f.settings.web_identity_token_file = memory_copy_text(path);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/of-the-pod", 1);
    fixture_start(&f);
    answers(200, STS("AssumeRoleWithWebIdentity", "ASIAIDENTITY"));
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    assert_false(asked(0, "Authorization"));
    assert_true(asked(0, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
                         "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fof-the-pod&"
                         "RoleSessionName=regwarden&WebIdentityToken=eyJ.eyJ.sig"));
    assert_true(asked(1, "Credential=ASIAIDENTITY/"));
    assert_true(asked(1, "X-Amz-Security-Token: r0le&\n"));
}

static void role_on_top_of_a_file(void **state)
{
    (void)state;
    fixture_write_credentials(&f, CREDENTIALS_FILE);
    f.settings.role_arn = memory_copy_text("arn:aws:iam::123456789012:role/regwarden");
    fixture_start(&f);
    answers(200, STS("AssumeRole", "ASIAROLE"));
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    assert_true(asked(0, "Credential=AKIDEXAMPLE/"));
    assert_true(asked(0, "/eu-central-1/sts/aws4_request"));
    assert_true(asked(0, "Action=AssumeRole&"));
    assert_true(asked(1, "Credential=ASIAROLE/"));
}

static void role_that_is_refused(void **state)
{
    (void)state;
    fixture_write_credentials(&f, CREDENTIALS_FILE);
    f.settings.role_arn = memory_copy_text("arn:aws:iam::123456789012:role/regwarden");
    fixture_start(&f);
    answers(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"
                 "not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>");
    calls(FAILURE_DENIED);
    assert_int_equal(f.requests.count, 1);
}

static void one_fetch_for_many(void **state)
{
    struct outcome outcomes[8] = {{0}};
    struct aws_counters counters;

    (void)state;
    fixture_start(&f);
    answers(200, "t0ken");
    answers(200, "role");
    answers(200, DOCUMENT("ASIAINSTANCE", GOOD_UNTIL));
    fixture_answer(&f, &good);
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++)
        (void)fixture_call(&f, false, &outcomes[i]);
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        fixture_wait(&f, &outcomes[i]);
        assert_int_equal(outcomes[i].error.kind, FAILURE_NONE);
        outcome_release(&outcomes[i]);
    }
    aws_counters(f.aws, &counters);
    assert_int_equal(counters.credential_requests, 3);
    assert_int_equal(f.requests.count, 3 + ARRAY_COUNT(outcomes));
}

static void use_container(void)
{
    AUTO_FREE char *uri = text_new("%s/", f.url);

    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, 1);
    fixture_start(&f);
}

/* Near the end the old are used while others are fetched, and a failure then hurts nobody. */
static void renews_before_they_expire(void **state)
{
    int64_t until_ms = 0;

    (void)state;
    assert_int_equal(clock_parse_rfc3339("2026-01-01T12:00:00Z", &until_ms, NULL), 0);
    clock_set_for_test(until_ms - 3600000, 1000);
    use_container();
    answers(200, DOCUMENT("ASIAFIRST", "2026-01-01T12:00:00Z"));
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    clock_set_for_test(until_ms - 300000, 2000);
    f.asked = f.answer_count = 0;
    text_list_release(&f.requests);
    answers(500, ""); /* of the endpoint; the call's own answer follows */
    answers(200, "{}");
    calls(FAILURE_NONE);
    assert_true(asked(0, "GET /") || asked(1, "GET /"));
    assert_true(asked(0, "Credential=ASIAFIRST/") || asked(1, "Credential=ASIAFIRST/"));
    fixture_run(&f, 60);
    f.asked = f.answer_count = 0;
    text_list_release(&f.requests);
    answers(200, DOCUMENT("ASIASECOND", GOOD_UNTIL));
    clock_set_for_test(until_ms + 1, 3000); /* now they have expired */
    fixture_answer(&f, &good);
    calls(FAILURE_NONE);
    assert_true(asked(1, "Credential=ASIASECOND/"));
}

static void refuses_what_has_expired(void **state)
{
    (void)state;
    use_container();
    answers(200, DOCUMENT("ASIAOLD", "2020-01-01T00:00:00Z"));
    calls(FAILURE_LATER);
    for (size_t i = 0; i < f.requests.count; i++)
        assert_true(text_starts_with(f.requests.items[i], "GET /"));
}

static void refuses_documents_that_are_odd(void **state)
{
    static const struct {
        const char *body;
        enum failure kind;
    } cases[] = {
        {"", FAILURE_INPUT},
        {"[]", FAILURE_INPUT},
        {"{}", FAILURE_INPUT},
        {DOCUMENT("A B", GOOD_UNTIL), FAILURE_INPUT},
        {DOCUMENT("A/B", GOOD_UNTIL), FAILURE_INPUT},
        {DOCUMENT("A\\r\\nX: y", GOOD_UNTIL), FAILURE_INPUT},
        {DOCUMENT("ASIA", "tomorrow"), FAILURE_INPUT},
        {"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume\"}",
         FAILURE_LATER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f.answer_count = 0;
        answers(200, cases[i].body);
        use_container();
        calls(cases[i].kind);
        aws_free(TAKE(f.aws));
    }
}

static void pauses_after_a_failure(void **state)
{
    (void)state;
    f.tuning.fetch_pause_ms = 300;
    f.tuning.attempts = 1;
    use_container();
    answers(403, "");
    for (int i = 0; i < 2; i++)
        calls(FAILURE_DENIED);
    assert_int_equal(f.requests.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(instance_by_version_two),     TEST(instance_never_by_version_one),
        TEST(instance_without_a_role),     TEST(container_with_its_token),
        TEST(container_of_a_strange_host), TEST(web_identity_without_a_signature),
        TEST(role_on_top_of_a_file),       TEST(role_that_is_refused),
        TEST(one_fetch_for_many),          TEST(renews_before_they_expire),
        TEST(refuses_what_has_expired),    TEST(refuses_documents_that_are_odd),
        TEST(pauses_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
