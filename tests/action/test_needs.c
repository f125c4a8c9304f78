/* A manifest that something else needs is never deleted, whatever asked for it. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define NO_TAG_DELETE "{'tag_delete': false}"

static const enum action_kind takers[] = {ACTION_QUARANTINE, ACTION_REMOVE};

static size_t count_deletes(struct fixture *fixture, const char *what)
{
    AUTO_JSON struct json *log = take_log(fixture);
    size_t count = 0;
    for (size_t i = 0; i < json_count(json_get(log, "writes")); i++) {
        const char *line = json_string(json_at(json_get(log, "writes"), i));
        count += text_starts_with(line, "DELETE") && strstr(line, what) != NULL;
    }
    return count;
}

/* The tag goes without the manifest: by way of an empty index, which is all that is deleted. */
static void assert_only_the_tag_goes(struct fixture *fixture, const struct digest *digest)
{
    struct action_target target = target_of(fixture, "team/app", "v1", digest);
    char hex[DIGEST_TEXT_SIZE];
    size_t before = tag_count(fixture, "team/app");
    for (size_t i = 0; i < ARRAY_COUNT(takers); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        stub_tell(&fixture->stub,
                  "{'do': 'retag', 'repository': 'team/app', 'tag': 'v1', 'digest': '%s'}",
                  digest_format(digest, hex));
        perform(fixture, takers[i], &target, &outcome);
        if (outcome.state != PLAN_DONE || outcome.error.text[0] != '\0')
            fail_msg("%d: %s", (int)outcome.state, outcome.error.text);
        assert_int_equal(tag_count(fixture, "team/app"), before - 1);
        assert_true(is_whole(fixture, "team/app", digest));
        if (takers[i] == ACTION_QUARANTINE)
            assert_string_equal(json_get_string(outcome.undo, "means"), "tag-replaced");
    }
    assert_int_equal(count_deletes(fixture, strchr(digest_format(digest, hex), ':') + 1), 0);
}

/* Where that cannot be done neither action takes v1 away; the reason names what stands in the way;
 * nothing was deleted. */
static void assert_kept(struct fixture *fixture, const struct digest *digest, const char *why)
{
    struct action_target target = target_of(fixture, "team/app", "v1", digest);
    stub_tell(&fixture->stub, "{'do': 'switch', 'switches': {'empty_index': false}}");
    for (size_t i = 0; i < ARRAY_COUNT(takers); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        perform(fixture, takers[i], &target, &outcome);
        assert_int_equal(outcome.state, takers[i] == ACTION_REMOVE ? PLAN_FAILED : PLAN_DONE);
        if (strstr(outcome.error.text, why) == NULL)
            fail_msg("%s: %s", why, outcome.error.text);
        assert_digest(tag_of(fixture, "team/app", "v1"), *digest);
        assert_true(is_whole(fixture, "team/app", digest));
    }
    assert_int_equal(count_deletes(fixture, "sha256"), 0);
    stub_tell(&fixture->stub, "{'do': 'switch', 'switches': {'empty_index': true}}");
}

static void assert_removed(struct fixture *fixture, const struct digest *digest)
{
    AUTO_OUTCOME struct outcome outcome = {0};
    struct action_target target = target_of(fixture, "team/app", "v1", digest);
    perform(fixture, ACTION_REMOVE, &target, &outcome);
    if (outcome.state != PLAN_DONE)
        fail_msg("%s", outcome.error.text);
    struct digest now = tag_of(fixture, "team/app", "v1");
    assert_false(digest_is_set(&now));
}

static void another_tag(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_image(fixture, "team/app", "v2", "bad");
    assert_kept(fixture, &bad, "another tag on it: v2");
    assert_only_the_tag_goes(fixture, &bad);
    assert_digest(tag_of(fixture, "team/app", "v2"), bad);
}

static void another_tag_on_a_later_page(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{'tag_delete': false, 'page': 2}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    for (int i = 0; i < 20; i++) {
        char tag[16], layer[24];
        snprintf(tag, sizeof(tag), "t%02d", i);
        snprintf(layer, sizeof(layer), "layer %d", i);
        push_image(fixture, "team/app", tag, layer);
    }
    push_image(fixture, "team/app", "zz", "bad");
    assert_kept(fixture, &bad, "another tag on it: zz");
    stub_tell(&fixture->stub, "{'do': 'untag', 'repository': 'team/app', 'tag': 'zz'}");
    assert_removed(fixture, &bad);
    assert_int_equal(tag_count(fixture, "team/app"), 20);
}

static void an_index(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_index(fixture, "team/app", "multi", &bad, 1);
    assert_kept(fixture, &bad, "an index that names it: multi");
    assert_only_the_tag_goes(fixture, &bad);
}

static void an_index_in_an_index(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest inner = push_index(fixture, "team/app", NULL, &bad, 1);
    push_index(fixture, "team/app", "outer", &inner, 1);
    assert_kept(fixture, &bad, "an index that names it");
}

static void a_referrer(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_signature(fixture, "team/app", &bad);
    assert_kept(fixture, &bad, "referrer");
    assert_only_the_tag_goes(fixture, &bad);
}

static void fallback_name(const struct digest *digest, const char *suffix, char ret[256])
{
    char buffer[DIGEST_TEXT_SIZE];
    snprintf(ret, 256, "%s%s", digest_format(digest, buffer), suffix);
    *strchr(ret, ':') = '-';
}

static void a_referrer_of_the_fallback_tag(void **state)
{
    struct fixture *fixture = *state;
    char name[256];
    fixture_reset(fixture, "{'tag_delete': false, 'referrers': false}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest signature = push_signature(fixture, "team/app", &bad);
    fallback_name(&bad, "", name);
    push_index(fixture, "team/app", name, &signature, 1);
    assert_kept(fixture, &bad, "referrer");
}

static void a_signature_tag(void **state)
{
    struct fixture *fixture = *state;
    char name[256];
    fixture_reset(fixture, "{'tag_delete': false, 'referrers': false}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    fallback_name(&bad, ".sig", name);
    push_image(fixture, "team/app", name, "signature");
    assert_kept(fixture, &bad, "signature");
}

/* What cannot be told counts as needed. */
static void an_index_that_cannot_be_read(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    stub_tell(&fixture->stub, "{'do': 'index', 'repository': 'team/app', 'tag': 'broken', "
                              "'children': [], 'extra': {'layers': []}}");
    assert_kept(fixture, &bad, "cannot be read: broken");
}

static void nothing_else(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    struct digest other = push_image(fixture, "team/app", "v2", "other");
    struct digest index = push_index(fixture, "team/app", "multi", &other, 1);
    push_signature(fixture, "team/app", &other);
    assert_removed(fixture, &bad);
    assert_digest(tag_of(fixture, "team/app", "v2"), other);
    assert_digest(tag_of(fixture, "team/app", "multi"), index);
    assert_true(is_whole(fixture, "team/app", &index));
}

/* Two tags on one image that are both to go. */
static void two_at_once(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome one = {0};
    AUTO_OUTCOME struct outcome two = {0};
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_image(fixture, "team/app", "v2", "bad");
    struct action_target first = target_of(fixture, "team/app", "v1", &bad);
    struct action_target second = target_of(fixture, "team/app", "v2", &bad);
    second.plan_id = 8;
    begin(fixture, ACTION_REMOVE, &first, &one);
    begin(fixture, ACTION_REMOVE, &second, &two);
    wait_for(fixture, &one);
    wait_for(fixture, &two);
    assert_int_equal(one.state, PLAN_DONE);
    assert_int_equal(two.state, PLAN_DONE);
    assert_int_equal(tag_count(fixture, "team/app"), 0);
}

/* The registry turns out to delete nothing once the tag names the empty index: it is put back. */
static void a_replacement_that_stays(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'tag_delete': false, 'manifest_delete': false}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_image(fixture, "team/app", "v2", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_REMOVE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_FAILED);
    assert_non_null(strstr(outcome.error.text, "deletes neither tags nor manifests"));
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
    assert_digest(tag_of(fixture, "team/app", "v2"), bad);
}

/* Where a tag is deleted with its manifest and all its other tags, that is found out on an image
 * which nothing else needs. */
static void a_registry_that_deletes_too_much(void **state)
{
    struct fixture *fixture = *state;
    fixture_reset(fixture, "{'brutal': true}");
    for (int i = 0; i < 2; i++) {
        struct digest bad = push_image(fixture, "team/app", "v1", "bad");
        push_image(fixture, "team/app", "v2", "bad");
        assert_removed(fixture, &bad);
        assert_digest(tag_of(fixture, "team/app", "v2"), bad);
        assert_true(is_whole(fixture, "team/app", &bad));
        struct digest alone = push_image(fixture, "team/app", "v1", "alone");
        assert_removed(fixture, &alone);
        assert_digest(tag_of(fixture, "team/app", "v2"), bad);
    }
}

/* One that was seen to keep the manifest is believed. */
static void a_registry_that_deletes_tags(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest alone = push_image(fixture, "team/app", "v1", "alone");
    assert_removed(fixture, &alone);
    assert_true(is_whole(fixture, "team/app", &alone));
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_image(fixture, "team/app", "v2", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(json_get_string(outcome.undo, "means"), "tag-deleted");
    assert_digest(tag_of(fixture, "team/app", "v2"), bad);
}

static void a_registry_that_deletes_tags_only(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{'manifest_delete': false}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    push_image(fixture, "team/app", "v2", "bad");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(json_get_string(outcome.undo, "means"), "tag-deleted");
    assert_digest(tag_of(fixture, "team/app", "v2"), bad);
    assert_true(is_whole(fixture, "team/app", &bad));
}

/* A tag that moves at any moment is left alone. */
static void a_replacement_of_a_moving_tag(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_SIZE];
    for (int at = 1; at < 16; at++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        fixture_reset(fixture, NO_TAG_DELETE);
        struct digest bad = push_image(fixture, "team/app", "v1", "bad");
        struct digest fixed = push_image(fixture, "team/app", NULL, "fixed");
        push_image(fixture, "team/app", "v2", "bad");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        stub_tell(&fixture->stub,
                  "{'do': 'move', 'at': %d, 'repository': 'team/app', 'tag': 'v1',"
                  " 'digest': '%s'}",
                  at, digest_format(&fixed, digest));
        perform(fixture, ACTION_REMOVE, &target, &outcome);
        struct digest now = tag_of(fixture, "team/app", "v1");
        assert_true(is_whole(fixture, "team/app", &fixed));
        assert_true(is_whole(fixture, "team/app", &bad));
        assert_digest(tag_of(fixture, "team/app", "v2"), bad);
        if (outcome.state == PLAN_SKIPPED)
            assert_digest(now, fixed);
    }
}

/* While one action finds out who needs an image, another must not point a tag at it. */
static void one_writer_per_repository(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome removal = {0};
    AUTO_OUTCOME struct outcome rollback = {0};
    fixture_reset(fixture, NO_TAG_DELETE);
    struct digest old = push_image(fixture, "team/app", "v1", "old");
    struct digest bad = push_image(fixture, "team/app", "v2", "bad");
    struct action_target first = target_of(fixture, "team/app", "v1", &old);
    struct action_target second = target_of(fixture, "team/app", "v2", &bad);
    second.last_passing = old;
    begin(fixture, ACTION_REMOVE, &first, &removal);
    begin(fixture, ACTION_ROLLBACK, &second, &rollback);
    wait_for(fixture, &removal);
    assert_false(rollback.called);
    wait_for(fixture, &rollback);
    assert_int_equal(removal.state, PLAN_DONE);
    assert_int_equal(rollback.state, PLAN_FAILED); /* the image is gone: said, not half done */
    assert_digest(tag_of(fixture, "team/app", "v2"), bad);
}

static void removed_already(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    fixture_reset(fixture, "{}");
    struct digest bad = push_image(fixture, "team/app", "v1", "bad");
    assert_removed(fixture, &bad);
    (void)take_writes(fixture);
    assert_removed(fixture, &bad);
    assert_int_equal(take_writes(fixture), 0);
    struct digest fixed = push_image(fixture, "team/app", "v1", "fixed");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_REMOVE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_int_equal(take_writes(fixture), 0);
    assert_digest(tag_of(fixture, "team/app", "v1"), fixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_tag),
        cmocka_unit_test(another_tag_on_a_later_page),
        cmocka_unit_test(an_index),
        cmocka_unit_test(an_index_in_an_index),
        cmocka_unit_test(a_referrer),
        cmocka_unit_test(a_referrer_of_the_fallback_tag),
        cmocka_unit_test(a_signature_tag),
        cmocka_unit_test(an_index_that_cannot_be_read),
        cmocka_unit_test(nothing_else),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(a_replacement_that_stays),
        cmocka_unit_test(a_replacement_of_a_moving_tag),
        cmocka_unit_test(a_registry_that_deletes_too_much),
        cmocka_unit_test(a_registry_that_deletes_tags),
        cmocka_unit_test(a_registry_that_deletes_tags_only),
        cmocka_unit_test(one_writer_per_repository),
        cmocka_unit_test(removed_already),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
