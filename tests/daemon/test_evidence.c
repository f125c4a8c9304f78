/* Evidence that comes after the verdict: what it speaks of is judged again. */
#include "fixture.h"

#define POLICY(rule) "policy: p\nmode: enforce\nrules:\n  - " rule "\n"

static void use_policy(struct fixture *fixture, const char *policy)
{
    fixture_stop(fixture);
    fixture_write(fixture, "policy.yaml", policy);
    fixture_start(fixture);
}

static struct digest push_sbom(struct fixture *fixture, const char *tag,
                               const struct digest *subject)
{
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;
    AUTO_FREE char *more = subject ? text_new(", 'subject': '%s'", digest_format(subject, text))
                                   : memory_copy_text("");
    AUTO_JSON struct json *answer =
        stub_ask(&fixture->stub,
                 "{'do': 'artifact', 'repository': 'team/app', 'tag': '%s', 'type': "
                 "'application/spdx+json'%s}",
                 tag, more);

    assert_int_equal(digest_parse(json_get_string(answer, "digest"), &digest, NULL), 0);
    return digest;
}

static void an_image_is_judged_again_when_its_sbom_comes(void **state)
{
    struct fixture *fixture = *state;
    struct digest image;
    struct digest other;
    struct digest sbom;

    use_policy(fixture, POLICY("{ rule: attested, with: { provenance: false } }"));
    image = push_image(fixture, "team/app", "v1", true, "one");
    other = push_image(fixture, "team/app", "v2", true, "two");
    tell_push(fixture, "team/app", "v1", &image);
    tell_push(fixture, "team/app", "v2", &other);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "warn");
    sbom = push_sbom(fixture, "", &image);
    tell_push(fixture, "team/app", NULL, &sbom);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
    assert_string_equal(verdict_of(fixture, "team/app", "v2"), "warn");
    /* what is known now is used for another tag of it, and after a start */
    fixture_stop(fixture);
    fixture_start(fixture);
    tell_push(fixture, "team/app", "v3", &image);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v3"), "pass");
}

static void a_tag_of_cosign_says_whom_it_is_about(void **state)
{
    struct fixture *fixture = *state;
    struct digest image;
    struct digest sbom;
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *tag = NULL;

    use_policy(fixture, POLICY("{ rule: attested, with: { provenance: false } }"));
    switches(fixture, "{'referrers': false}");
    image = push_image(fixture, "team/app", "v1", true, "one");
    tell_push(fixture, "team/app", "v1", &image);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "warn");
    tag = text_new("sha256-%s.sbom", digest_format(&image, text) + 7);
    sbom = push_sbom(fixture, tag, NULL);
    tell_push(fixture, "team/app", tag, &sbom);
    settle(fixture);
    assert_string_equal(verdict_of(fixture, "team/app", "v1"), "pass");
}

/* No policy asks for it: nothing is fetched, and no verdict is renewed. */
static void nobody_is_bothered_without_need(void **state)
{
    struct fixture *fixture = *state;
    struct digest image = push_image(fixture, "team/app", "v1", true, "one");
    struct digest sbom;
    uint64_t begun;

    tell_push(fixture, "team/app", "v1", &image);
    settle(fixture);
    sbom = push_sbom(fixture, "", &image);
    begun = fixture->daemon.counters.reviews_begun;
    tell_push(fixture, "team/app", NULL, &sbom);
    settle(fixture);
    assert_int_equal(fixture->daemon.counters.reviews_begun, begun + 1);
}

/* An image that was refused is not let through by whatever refers to it. */
static void evidence_lifts_no_measure(void **state)
{
    struct fixture *fixture = *state;
    struct digest image;
    struct digest sbom;

    use_policy(fixture, POLICY("{ rule: attested, on-fail: [hold] }"));
    image = push_image(fixture, "team/app", "v1", true, "one");
    tell_push(fixture, "team/app", "v1", &image);
    settle(fixture);
    sbom = push_sbom(fixture, "", &image);
    tell_push(fixture, "team/app", NULL, &sbom);
    settle(fixture);
    AUTO_JSON struct json *verdicts =
        list(fixture, STORE_LIST_VERDICTS, &(struct store_filter){.tag = "v1"});
    assert_string_equal(json_get_string(json_at(verdicts, 0), "verdict"), "fail");
    assert_true(json_bool(json_get(json_at(verdicts, 0), "enforced"), false));
}

/* Whoever may push chooses the tags. */
static void an_image_that_is_its_own_evidence_is_judged_again_once(void **state)
{
    struct fixture *fixture = *state;
    struct digest image;
    struct digest sbom;
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *own = NULL;
    AUTO_FREE char *tag = NULL;
    uint64_t begun;

    use_policy(fixture, POLICY("{ rule: attested, with: { provenance: false } }"));
    switches(fixture, "{'referrers': false}");
    image = push_image(fixture, "team/app", "v1", true, "one");
    own = text_new("sha256-%s", digest_format(&image, text) + 7);
    tag = text_new("%s.sbom", own);
    push_image(fixture, "team/app", own, true, "one");
    tell_push(fixture, "team/app", own, &image);
    settle(fixture);
    begun = fixture->daemon.counters.reviews_begun;
    sbom = push_sbom(fixture, tag, NULL);
    tell_push(fixture, "team/app", tag, &sbom);
    settle(fixture);
    assert_int_equal(fixture->daemon.counters.reviews_begun, begun + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_is_judged_again_when_its_sbom_comes),
        TEST(a_tag_of_cosign_says_whom_it_is_about),
        TEST(nobody_is_bothered_without_need),
        TEST(evidence_lifts_no_measure),
        TEST(an_image_that_is_its_own_evidence_is_judged_again_once),
    };

    return cmocka_run_group_tests_name("evidence", tests, fixture_group_setup,
                                       fixture_group_teardown);
}
