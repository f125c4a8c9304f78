/* A scanner has reported: what it speaks of is judged again, and nothing else changes. The reports
 * are attached ones, which the policies here trust. */
#include "fixture.h"

#define POLICY \
    "policy: p\nrules:\n  - { rule: vulnerabilities, with: { trust: any }, on-unknown: retry }\n"

static void use_policy(struct fixture *fixture, const char *policy)
{
    fixture_stop(fixture);
    fixture_write(fixture, "policy.yaml", policy);
    fixture_start(fixture);
}

static struct digest digest_in(const struct json *answer)
{
    struct digest digest;

    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &digest, NULL), 0);
    return digest;
}

/* Nobody is told of it. */
static struct digest attach(struct fixture *fixture, const struct digest *subject,
                            const char *results)
{
    char text[DIGEST_TEXT_SIZE];
    AUTO_JSON struct json *answer = stub_ask(
        &fixture->stub,
        "{'do': 'artifact', 'repository': 'team/app', 'tag': '', 'type': 'application/sarif+json', "
        "'subject': '%s', 'content': '{\\'runs\\':[{\\'tool\\':{\\'driver\\':{\\'name\\':"
        "\\'Trivy\\'}},\\'results\\':[%s]}]}'}",
        digest_format(subject, text), results);

    return digest_in(answer);
}
#define HIGH "{\\'ruleId\\':\\'CVE-2029-1\\',\\'level\\':\\'error\\'}"

static void tell_scanned(struct fixture *fixture, const char *tag, const struct digest *digest)
{
    struct event event = make_event(EVENT_CAUSE_HOOK, "team/app", tag, digest);

    event.action = EVENT_SCANNED;
    tell(fixture, &event, 1);
}

static void an_image_is_judged_again_when_it_was_scanned(void **state)
{
    struct fixture *fixture = *state;
    struct digest image, other;

    use_policy(fixture, POLICY);
    image = push_image(fixture, "team/app", "v1", true, "one");
    other = push_image(fixture, "team/app", "v2", true, "two");
    tell_push(fixture, "team/app", "v1", &image);
    tell_push(fixture, "team/app", "v2", &other);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "unknown");
    (void)attach(fixture, &image, "");
    tell_scanned(fixture, NULL, &image);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
    assert_string_equal(verdict_of(fixture, "team/app", "v2"), "unknown");
    (void)attach(fixture, &image, HIGH);
    tell_scanned(fixture, "v1", &image); /* the tag is a hint */
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "fail");
    assert_int_equal(open_events(fixture), 0);
}

static void an_attached_report_tells_of_itself(void **state)
{
    struct fixture *fixture = *state;
    struct digest image, report;

    use_policy(fixture, POLICY);
    image = push_image(fixture, "team/app", "v1", true, "one");
    tell_push(fixture, "team/app", "v1", &image);
    settle(fixture);
    report = attach(fixture, &image, HIGH);
    tell_push(fixture, "team/app", NULL, &report);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "fail");
}

/* A child is scanned; the index stands under the tag. */
static void an_index_is_judged_again_when_its_child_was_scanned(void **state)
{
    struct fixture *fixture = *state;
    struct digest child, index;
    char text[DIGEST_TEXT_SIZE];

    use_policy(fixture, POLICY);
    child = push_image(fixture, "team/app", "child", true, "one");
    AUTO_JSON struct json *answer =
        stub_ask(&fixture->stub,
                 "{'do': 'index', 'repository': 'team/app', 'tag': 'multi', 'children': ['%s']}",
                 digest_format(&child, text));
    index = digest_in(answer);
    tell_push(fixture, "team/app", "multi", &index);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "multi"), "unknown");
    (void)attach(fixture, &child, HIGH);
    tell_scanned(fixture, NULL, &child);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "multi"), "fail");
}

static void nobody_is_bothered_without_need(void **state)
{
    struct fixture *fixture = *state;
    struct digest image = push_image(fixture, "team/app", "v1", true, "one");
    uint64_t begun;
    size_t judged;

    tell_push(fixture, "team/app", "v1", &image);
    settle(fixture);
    begun = fixture->daemon.counters.reviews_begun;
    judged = count_of(fixture, STORE_LIST_VERDICTS, &(struct store_filter){0});
    (void)requests(fixture);
    tell_scanned(fixture, "v1", &image);
    settle(fixture);
    assert_int_equal(fixture->daemon.counters.reviews_begun, begun + 1);
    assert_int_equal(count_of(fixture, STORE_LIST_VERDICTS, &(struct store_filter){0}), judged);
    assert_int_equal(requests(fixture), 0);
    assert_int_equal(open_events(fixture), 0);
}

/* That something was scanned does not say that it was pushed. */
static void a_scan_makes_no_placement(void **state)
{
    struct fixture *fixture = *state;
    struct digest image;

    use_policy(fixture, POLICY);
    image = push_image(fixture, "team/app", "v1", true, "one");
    tell_scanned(fixture, "v1", &image);
    tell_scanned(fixture, "v1", NULL);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "");
    assert_int_equal(count_of(fixture, STORE_LIST_VERDICTS, &(struct store_filter){0}), 0);
    assert_int_equal(open_events(fixture), 0);
}

/* What is judged again is what was there before: it does not put the tag back. */
static void a_tag_that_moved_stays_where_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct digest old, new;
    struct event events[2];

    use_policy(fixture, POLICY);
    old = push_image(fixture, "team/app", "v1", true, "one");
    (void)attach(fixture, &old, HIGH);
    tell_push(fixture, "team/app", "v1", &old);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "fail");
    new = push_image(fixture, "team/app", "v1", true, "two");
    (void)attach(fixture, &new, "");
    events[0] = make_event(EVENT_CAUSE_HOOK, "team/app", "v1", &new);
    events[1] = make_event(EVENT_CAUSE_EVIDENCE, "team/app", "v1", &old);
    tell(fixture, events, 2);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_is_judged_again_when_it_was_scanned),
        TEST(an_attached_report_tells_of_itself),
        TEST(an_index_is_judged_again_when_its_child_was_scanned),
        TEST(nobody_is_bothered_without_need),
        TEST(a_scan_makes_no_placement),
        TEST(a_tag_that_moved_stays_where_it_is),
    };

    return cmocka_run_group_tests_name("scans", tests, fixture_group_setup, fixture_group_teardown);
}
