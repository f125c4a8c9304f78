/* Calls with keys of a file, against an AWS that throttles, fails, loses answers and has another
 * clock. */
#include "fixture.h"

#include <stdlib.h>

#include "regwarden/clock.h"

static struct fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_open(&f);
    fixture_write_credentials(&f, CREDENTIALS_FILE);
    fixture_start(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clock_set_for_test(-1, -1);
    fixture_close(&f);
    return 0;
}

static const struct prepared good = {.status = 200, .body = "{\"b\":2}"};

static void counts(uint64_t calls, uint64_t failures, uint64_t retries, uint64_t throttled)
{
    struct aws_counters counters;

    aws_counters(f.aws, &counters);
    assert_int_equal(counters.calls, calls);
    assert_int_equal(counters.failures, failures);
    assert_int_equal(counters.retries, retries);
    assert_int_equal(counters.throttled, throttled);
}

static void calls_and_signs(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    const char *request;

    (void)state;
    fixture_answer(&f, &good);
    (void)fixture_call(&f, false, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_NONE);
    assert_int_equal(outcome.status, 200);
    assert_string_equal(text_data(&outcome.body), "{\"b\":2}");
    request = f.requests.items[0];
    assert_true(text_starts_with(request, "POST /\n"));
    assert_non_null(strstr(request, "Content-Type: application/x-amz-json-1.1\n"));
    assert_non_null(
        strstr(request, "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DescribeImages\n"));
    assert_non_null(strstr(request, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_non_null(strstr(request, "/eu-central-1/ecr/aws4_request, "
                                    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "));
    assert_null(strstr(request, "X-Amz-Security-Token"));
    assert_true(text_ends_with(request, "\n\n{\"a\":1}"));
    counts(1, 0, 0, 0);
}

static void waits_when_throttled(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)state;
    fixture_answer(
        &f, &(struct prepared){.status = 400,
                               .body = "{\"__type\":\"com.amazonaws.ecr#ThrottlingException\","
                                       "\"message\":\"Rate exceeded\"}"});
    fixture_answer(&f, &(struct prepared){.status = 503, .body = "busy"});
    fixture_answer(&f, &good);
    (void)fixture_call(&f, true, &outcome); /* both are said before anything is done */
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_NONE);
    assert_int_equal(f.asked, 3);
    counts(1, 0, 2, 1);
}

static void gives_up_when_throttled_for_long(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)state;
    fixture_answer(
        &f, &(struct prepared){.status = 400, .body = "{\"__type\":\"ThrottlingException\"}"});
    (void)fixture_call(&f, true, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_LATER);
    assert_string_equal(outcome.type, "ThrottlingException");
    assert_int_equal(f.asked, 4);
    counts(1, 1, 3, 4);
}

static void does_not_repeat_an_uncertain_write(void **state)
{
    AUTO_OUTCOME struct outcome lost = {0};
    AUTO_OUTCOME struct outcome read = {0};

    (void)state;
    fixture_answer(&f,
                   &(struct prepared){.status = 500, .body = "{\"__type\":\"ServerException\"}"});
    fixture_answer(&f,
                   &(struct prepared){.status = 500, .body = "{\"__type\":\"ServerException\"}"});
    fixture_answer(&f, &good);
    (void)fixture_call(&f, true, &lost);
    fixture_wait(&f, &lost);
    assert_int_equal(lost.error.kind, FAILURE_UNCERTAIN);
    assert_int_equal(f.asked, 1);
    (void)fixture_call(&f, false, &read);
    fixture_wait(&f, &read);
    assert_int_equal(read.error.kind, FAILURE_NONE);
    assert_int_equal(f.asked, 3);
}

static void tells_kinds_apart(void **state)
{
    static const struct {
        struct prepared answer;
        enum failure kind;
        const char *type;
    } cases[] = {
        {{.status = 400, .body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}"},
         FAILURE_DENIED,
         "AccessDeniedException"},
        {{.status = 400, .body = "{\"__type\":\"RepositoryNotFoundException\"}"},
         FAILURE_ABSENT,
         "RepositoryNotFoundException"},
        {{.status = 400, .body = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\"}"},
         FAILURE_ABSENT,
         "QueueDoesNotExist"},
        {{.status = 400, .body = "{\"__type\":\"AWS.SimpleQueueService.NonExistentQueue\"}"},
         FAILURE_ABSENT,
         "NonExistentQueue"},
        {{.status = 400, .body = "{\"__type\":\"InvalidParameterException\"}"},
         FAILURE_INPUT,
         "InvalidParameterException"},
        {{.status = 400, .body = "{}", .type = "ValidationException:http://internal.amazon.com/"},
         FAILURE_INPUT,
         "ValidationException"},
        {{.status = 403, .body = "<html>"}, FAILURE_DENIED, NULL},
        {{.status = 404, .body = ""}, FAILURE_ABSENT, NULL},
        {{.status = 200, .body = "[]"}, FAILURE_INPUT, NULL},
        {{.status = 200, .body = "no JSON"}, FAILURE_INPUT, NULL},
        {{.status = 302, .body = ""}, FAILURE_INPUT, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};

        f.answer_count = 0;
        fixture_answer(&f, &cases[i].answer);
        (void)fixture_call(&f, false, &outcome);
        fixture_wait(&f, &outcome);
        assert_int_equal(outcome.error.kind, cases[i].kind);
        assert_true(text_equal(outcome.type, cases[i].type));
    }
    assert_int_equal(f.asked, ARRAY_COUNT(cases));
}

static void corrects_its_clock(void **state)
{
    AUTO_OUTCOME struct outcome first = {0};
    AUTO_OUTCOME struct outcome second = {0};
    struct aws_counters counters;

    (void)state;
    fixture_answer(&f, &(struct prepared){.status = 400,
                                          .body = "{\"__type\":\"InvalidSignatureException\"}",
                                          .date = "Tue, 01 Jan 2030 10:00:00 GMT"});
    fixture_answer(&f, &good);
    (void)fixture_call(&f, true, &first);
    fixture_wait(&f, &first);
    assert_int_equal(first.error.kind, FAILURE_NONE);
    assert_non_null(strstr(f.requests.items[1], "X-Amz-Date: 20300101T10000"));
    (void)fixture_call(&f, true, &second);
    fixture_wait(&f, &second);
    assert_int_equal(f.asked, 3);
    assert_non_null(strstr(f.requests.items[2], "X-Amz-Date: 20300101T10000"));
    aws_counters(f.aws, &counters);
    assert_int_equal(counters.clock_corrections, 1);
}

/* Its signatures could not say when they were made, and credentials would never expire. */
static void takes_over_no_clock_of_another_age(void **state)
{
    static const char *const dates[] = {"Fri, 31 Dec 9999 23:59:59 GMT",
                                        "Thu, 01 Jan 1970 00:00:01 GMT"};

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(dates); i++) {
        AUTO_OUTCOME struct outcome first = {0};
        AUTO_OUTCOME struct outcome second = {0};
        struct aws_counters counters;

        f.answer_count = 0;
        fixture_answer(&f, &(struct prepared){.status = 400,
                                              .body = "{\"__type\":\"RequestExpired\"}",
                                              .date = dates[i]});
        (void)fixture_call(&f, false, &first);
        fixture_wait(&f, &first);
        fixture_run(&f, 1100);
        (void)fixture_call(&f, false, &second);
        fixture_wait(&f, &second);
        assert_int_equal(second.error.kind, FAILURE_DENIED);
        aws_counters(f.aws, &counters);
        assert_int_equal(counters.clock_corrections, 0);
    }
}

/* Else a proxy with a wrong clock would send us round and round. */
static void corrects_its_clock_once_a_call(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)state;
    fixture_answer(&f, &(struct prepared){.status = 400,
                                          .body = "{\"__type\":\"RequestExpired\"}",
                                          .date = "Tue, 01 Jan 2030 10:00:00 GMT"});
    fixture_answer(&f, &(struct prepared){.status = 400,
                                          .body = "{\"__type\":\"RequestExpired\"}",
                                          .date = "Tue, 01 Jan 2020 10:00:00 GMT"});
    (void)fixture_call(&f, false, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);
    assert_int_equal(f.asked, 2);
}

static void fetches_refused_keys_anew(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)state;
    fixture_answer(&f, &good);
    (void)fixture_call(&f, false, &outcome);
    fixture_wait(&f, &outcome);
    outcome.called = 0;
    fixture_write_credentials(&f, "[default]\naws_access_key_id = AKIDROTATED\n"
                                  "aws_secret_access_key = n3w\naws_session_token = s3ss10n\n");
    f.answer_count = 0;
    f.asked = 0;
    fixture_answer(&f, &(struct prepared){.status = 400,
                                          .body = "{\"__type\":\"UnrecognizedClientException\"}"});
    fixture_answer(&f, &good);
    (void)fixture_call(&f, true, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_NONE);
    assert_int_equal(f.asked, 2);
    assert_non_null(strstr(f.requests.items[1], "Credential=AKIDEXAMPLE/"));
    assert_non_null(strstr(f.requests.items[2], "Credential=AKIDROTATED/"));
    assert_non_null(strstr(f.requests.items[2], "X-Amz-Security-Token: s3ss10n\n"));
    assert_non_null(strstr(f.requests.items[2], "x-amz-date;x-amz-security-token;x-amz-target"));
}

static void never_repeats_a_secret(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};

    (void)state;
    fixture_answer(&f,
                   &(struct prepared){
                       .status = 400,
                       .body = "{\"__type\":\"AccessDenied\",\"message\":\"key sup3r/s3cr3t\"}"});
    (void)fixture_call(&f, false, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);
    assert_null(strstr(outcome.error.text, "s3cr3t"));
    assert_non_null(strstr(outcome.error.text, "AccessDenied"));
}

static void free_in_callback(void *argument, const struct aws_answer *answer)
{
    struct fixture *fixture = argument;

    assert_non_null(answer->error);
    if (fixture->aws)
        aws_free(TAKE(fixture->aws));
}

static void survives_being_freed_in_a_callback(void **state)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    AUTO_JSON struct json *input = json_new_object();

    (void)state;
    fixture_answer(&f, &(struct prepared){.status = 400, .body = "{}"});
    (void)aws_send(f.aws, &(struct aws_call){"ecr", NULL, "a.B", "1.1", input, .writes = true},
                   free_in_callback, &f);
    (void)fixture_call(&f, true, &outcome);
    fixture_wait(&f, &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_LATER);
    assert_non_null(strstr(outcome.error.text, "cancelled"));
}

static void cancels(void **state)
{
    AUTO_OUTCOME struct outcome before = {0};
    AUTO_OUTCOME struct outcome under_way = {0};
    uint64_t id;

    (void)state;
    fixture_answer(&f, &(struct prepared){.keeps = true});
    aws_cancel(f.aws, fixture_call(&f, false, &before));
    id = fixture_call(&f, false, &under_way);
    fixture_run(&f, 200);
    assert_int_equal(f.asked, 1);
    aws_cancel(f.aws, id);
    aws_cancel(f.aws, id);
    fixture_run(&f, 50);
    assert_int_equal(before.called + under_way.called, 0);
}

static void refused(const struct config_aws *settings, const char *region, enum failure kind)
{
    struct aws *aws = NULL;
    struct error err = {0};

    assert_int_equal(aws_new(f.loop, settings, region, &aws, &err), kind);
    assert_null(aws);
    assert_null(strstr(err.text, "s3cr3t"));
}

static void says_at_once_what_is_wrong(void **state)
{
    struct config_aws settings = f.settings;
    AUTO_FREE char *odd = fixture_write(&f, "odd", "[default]\nsup3r/s3cr3t\n");
    static char other[] = "other";
    struct aws *aws = NULL;

    (void)state;
    settings.region = NULL;
    refused(&settings, NULL, FAILURE_INPUT);
    refused(&settings, "eu.example.com/", FAILURE_INPUT);
    assert_int_equal(aws_new(f.loop, &settings, "cn-north-1", &aws, NULL), 0);
    assert_string_equal(aws_region(aws), "cn-north-1");
    aws_free(aws);
    settings.profile = other;
    refused(&settings, "cn-north-1", FAILURE_ABSENT);
    settings.credentials_file = odd;
    refused(&settings, "cn-north-1", FAILURE_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(calls_and_signs),
        TEST(waits_when_throttled),
        TEST(gives_up_when_throttled_for_long),
        TEST(does_not_repeat_an_uncertain_write),
        TEST(tells_kinds_apart),
        TEST(corrects_its_clock),
        TEST(corrects_its_clock_once_a_call),
        TEST(takes_over_no_clock_of_another_age),
        TEST(fetches_refused_keys_anew),
        TEST(never_repeats_a_secret),
        TEST(survives_being_freed_in_a_callback),
        TEST(cancels),
        TEST(says_at_once_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
