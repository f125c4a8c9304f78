/* Labels and archives, which only some kinds of registries have: their calls of the registry client
 * are answered here, all others by the stub. */
#include "fixture.h"

#include <string.h>

/* What the registry is said to be, and what it was asked for. */
static struct {
    enum answer labels, archive, keeps_untagged;
    bool typed;
    char label[64]; /* on the image; "" none */
    bool archived;
    enum failure refusal; /* of the next calls; FAILURE_NONE: they do it */
    unsigned calls;
    struct fixture *fixture;
} kind;

void __real_registry_abilities(const struct registry *registry, struct registry_abilities *ret);
void __wrap_registry_abilities(const struct registry *registry, struct registry_abilities *ret);
void __wrap_registry_abilities(const struct registry *registry, struct registry_abilities *ret)
{
    __real_registry_abilities(registry, ret);
    ret->labels = kind.labels;
    ret->archive = kind.archive;
    ret->keeps_untagged = kind.keeps_untagged;
}

enum registry_type __wrap_registry_get_type(const struct registry *registry);
enum registry_type __wrap_registry_get_type(const struct registry *registry)
{
    (void)registry;
    return kind.typed ? REGISTRY_TYPE_OCI : REGISTRY_TYPE_AUTO;
}

/* An answer that comes later, as they all do. */
struct reply {
    struct timer *timer;
    registry_done_f *done;
    void *argument;
    struct error error;
};

static void send_reply(void *argument)
{
    struct reply *reply = argument;
    struct registry_answer answer = {
        .error = reply->error.kind == FAILURE_NONE ? NULL : &reply->error, .media_type = ""};
    timer_free(reply->timer);
    reply->done(reply->argument, &answer);
    free(reply);
}

/* Returns whether it may be done. */
static bool answer_later(registry_done_f *done, void *argument)
{
    struct reply *reply = memory_new(sizeof(*reply));
    kind.calls++;
    reply->done = done;
    reply->argument = argument;
    if (kind.refusal != FAILURE_NONE)
        error_set(&reply->error, kind.refusal, "refused");
    reply->timer = timer_new(kind.fixture->loop, send_reply, reply);
    timer_arm(reply->timer, 0);
    return kind.refusal == FAILURE_NONE;
}

uint64_t __wrap_registry_add_label(struct registry *registry, const struct registry_label *label,
                                   registry_done_f *done, void *argument);
uint64_t __wrap_registry_add_label(struct registry *registry, const struct registry_label *label,
                                   registry_done_f *done, void *argument)
{
    (void)registry;
    assert_string_equal(label->repository, "team/app");
    assert_non_null(label->description);
    if (answer_later(done, argument))
        snprintf(kind.label, sizeof(kind.label), "%s", label->name);
    else if (kind.refusal == FAILURE_DENIED)
        kind.labels = ANSWER_NO;
    return 1;
}

uint64_t __wrap_registry_remove_label(struct registry *registry, const struct registry_label *label,
                                      registry_done_f *done, void *argument);
uint64_t __wrap_registry_remove_label(struct registry *registry, const struct registry_label *label,
                                      registry_done_f *done, void *argument)
{
    (void)registry;
    if (answer_later(done, argument) && strcmp(kind.label, label->name) == 0)
        kind.label[0] = '\0';
    return 1;
}

uint64_t __wrap_registry_archive(struct registry *registry, const char *repository,
                                 const struct digest *digest, registry_done_f *done,
                                 void *argument);
uint64_t __wrap_registry_archive(struct registry *registry, const char *repository,
                                 const struct digest *digest, registry_done_f *done, void *argument)
{
    (void)registry;
    (void)repository;
    (void)digest;
    if (answer_later(done, argument))
        kind.archived = true;
    return 1;
}

uint64_t __wrap_registry_restore(struct registry *registry, const char *repository,
                                 const struct digest *digest, registry_done_f *done,
                                 void *argument);
uint64_t __wrap_registry_restore(struct registry *registry, const char *repository,
                                 const struct digest *digest, registry_done_f *done, void *argument)
{
    (void)registry;
    (void)repository;
    (void)digest;
    if (answer_later(done, argument))
        kind.archived = false;
    return 1;
}

static struct digest begin_kind(struct fixture *fixture, const char *switches)
{
    memset(&kind, 0, sizeof(kind));
    kind.fixture = fixture;
    fixture->settings.quarantine_means = QUARANTINE_AUTO;
    fixture_reset(fixture, switches);
    return push_image(fixture, "team/app", "v1", "bad");
}

/* --- labels --- */

static void labels_and_takes_off(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = begin_kind(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    perform(fixture, ACTION_LABEL, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(kind.label, "policy-fail");
    assert_string_equal(json_get_string(outcome.undo, "label"), "policy-fail");
    assert_int_equal(take_writes(fixture), 0);

    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    undo(fixture, ACTION_LABEL, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(kind.label, "");
}

static void labels_what_has_no_tag(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = begin_kind(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", NULL, &bad);
    assert_int_equal(actions_resolve(fixture->actions, ACTION_BIT(ACTION_LABEL), &target),
                     ACTION_BIT(ACTION_LABEL));
    perform(fixture, ACTION_LABEL, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(kind.label, "policy-fail");
}

/* Where images have no labels a tag says it: in the plan when that is known, else on the way. */
static void label_becomes_tag(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = begin_kind(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    kind.refusal = FAILURE_DENIED;
    assert_int_equal(actions_resolve(fixture->actions, ACTION_BIT(ACTION_LABEL), &target),
                     ACTION_BIT(ACTION_LABEL));
    perform(fixture, ACTION_LABEL, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    const char *tag = json_get_string(outcome.undo, "tag");
    assert_non_null(tag);
    assert_digest(tag_of(fixture, "team/app", tag), bad);
    assert_true(journal_announced("team/app", tag));
    assert_int_equal(actions_resolve(fixture->actions, ACTION_BIT(ACTION_LABEL), &target),
                     ACTION_BIT(ACTION_TAG));

    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    undo(fixture, ACTION_LABEL, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_int_equal(tag_count(fixture, "team/app"), 1);

    target = target_of(fixture, "team/app", NULL, &bad);
    perform(fixture, ACTION_LABEL, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_null(outcome.undo);
}

static void label_failures(void **state)
{
    static const struct {
        enum failure refusal;
        enum plan_state state;
    } cases[] = {
        {FAILURE_LATER, PLAN_PLANNED},
        {FAILURE_UNCERTAIN, PLAN_PLANNED},
        {FAILURE_ABSENT, PLAN_SKIPPED},
        {FAILURE_INPUT, PLAN_FAILED},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = begin_kind(fixture, "{}");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        kind.refusal = cases[i].refusal;
        perform(fixture, ACTION_LABEL, &target, &outcome);
        assert_int_equal(outcome.state, cases[i].state);
        assert_string_equal(kind.label, "");
        assert_int_equal(take_writes(fixture), 0);
    }
}

/* --- archive --- */

static void archives_and_restores(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = begin_kind(fixture, "{}");
    (void)push_image(fixture, "team/app", "v2", "other");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    kind.typed = true;
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_true(kind.archived);
    assert_string_equal(json_get_string(outcome.undo, "means"), "archived");
    assert_int_equal(take_writes(fixture), 0);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);

    AUTO_JSON struct json *recorded = TAKE(outcome.undo);
    kind.refusal = FAILURE_LATER; /* it takes minutes */
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_PLANNED);
    kind.refusal = FAILURE_NONE;
    undo(fixture, ACTION_QUARANTINE, &target, recorded, false, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_false(kind.archived);
    assert_int_equal(take_writes(fixture), 0);
}

enum need { NEED_TAG, NEED_INDEX, NEED_REFERRER, NEED_COUNT };

static void need(struct fixture *fixture, enum need what, const struct digest *digest)
{
    switch (what) {
    case NEED_TAG:
        (void)push_image(fixture, "team/app", "stable", "bad");
        break;
    case NEED_INDEX:
        (void)push_index(fixture, "team/app", "multi", digest, 1);
        break;
    case NEED_REFERRER:
        (void)push_signature(fixture, "team/app", digest);
        break;
    case NEED_COUNT:
        break;
    }
}

/* What somebody else needs is moved, or left alone where moving was not asked for. */
static void archives_nothing_that_is_needed(void **state)
{
    struct fixture *fixture = *state;
    for (enum need what = NEED_TAG; what < NEED_COUNT; what++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = begin_kind(fixture, "{}");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        kind.typed = true;
        need(fixture, what, &bad);
        fixture->settings.quarantine_means = QUARANTINE_ARCHIVE;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_FAILED);
        assert_non_null(strstr(outcome.error.text, "was not archived"));
        assert_null(outcome.undo);
        assert_int_equal(take_writes(fixture), 0);

        fixture->settings.quarantine_means = QUARANTINE_AUTO;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), bad);
        assert_int_equal(kind.calls, 0);
    }
}

static void archives_where_it_can(void **state)
{
    static const struct {
        enum quarantine_means means;
        bool typed;
        enum answer archive;
        bool archived;
    } cases[] = {
        {QUARANTINE_AUTO, false, ANSWER_UNKNOWN, false},
        {QUARANTINE_AUTO, true, ANSWER_UNKNOWN, true},
        {QUARANTINE_AUTO, true, ANSWER_YES, true},
        {QUARANTINE_AUTO, true, ANSWER_NO, false},
        {QUARANTINE_COPY, true, ANSWER_YES, false},
        {QUARANTINE_ARCHIVE, false, ANSWER_UNKNOWN, true},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = begin_kind(fixture, "{}");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        kind.typed = cases[i].typed;
        kind.archive = cases[i].archive;
        fixture->settings.quarantine_means = cases[i].means;
        perform(fixture, ACTION_QUARANTINE, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        assert_int_equal(kind.archived, cases[i].archived);
    }
}

/* After a crash the image is archived already: its tag names nothing, and neither does its digest.
 * When the digest is there still, somebody took the tag away. */
static void archives_again_after_a_crash(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad =
        begin_kind(fixture, "{'refuse': {'(GET|HEAD) /v2/team/app/manifests': 404}}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    kind.typed = true;
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_string_equal(json_get_string(outcome.undo, "means"), "archived");

    bad = begin_kind(fixture, "{}");
    kind.typed = true;
    target = target_of(fixture, "team/app", "v9", &bad);
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_SKIPPED);
    assert_null(outcome.undo);
    assert_int_equal(kind.calls, 0);
}

static void refused_archive(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad = begin_kind(fixture, "{}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    kind.typed = true;
    kind.refusal = FAILURE_LATER;
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_PLANNED);
    kind.refusal = FAILURE_DENIED;
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_digest(tag_of(fixture, "quarantine/team/app", "v1"), bad);
}

/* --- tags --- */

/* An immutable tag is respected: its manifest is not deleted in its place. */
static void immutable_tags(void **state)
{
    struct fixture *fixture = *state;
    AUTO_OUTCOME struct outcome outcome = {0};
    struct digest bad =
        begin_kind(fixture, "{'refuse': {'(DELETE|PUT) /v2/team/app/manifests/v1$': 412}}");
    struct action_target target = target_of(fixture, "team/app", "v1", &bad);
    kind.archive = ANSWER_NO;
    perform(fixture, ACTION_QUARANTINE, &target, &outcome);
    assert_int_equal(outcome.state, PLAN_DONE);
    assert_non_null(strstr(outcome.error.text, "answered 412"));
    assert_true(fixture->held);
    assert_digest(tag_of(fixture, "team/app", "v1"), bad);
    assert_true(is_whole(fixture, "team/app", &bad));
}

/* Where the last tag takes the image along, a tag of ours is not removed alone. */
static void last_tag_takes_the_image(void **state)
{
    struct fixture *fixture = *state;
    for (enum answer keeps = ANSWER_UNKNOWN; keeps <= ANSWER_NO; keeps++) {
        AUTO_OUTCOME struct outcome outcome = {0};
        struct digest bad = begin_kind(fixture, keeps == ANSWER_NO ? "{'brutal': true}" : "{}");
        struct action_target target = target_of(fixture, "team/app", "v1", &bad);
        kind.keeps_untagged = keeps;
        perform(fixture, ACTION_TAG, &target, &outcome);
        assert_int_equal(outcome.state, PLAN_DONE);
        AUTO_JSON struct json *recorded = TAKE(outcome.undo);
        struct digest good = push_image(fixture, "team/app", "v1", "good");
        undo(fixture, ACTION_TAG, &target, recorded, false, &outcome);
        if (outcome.state != PLAN_DONE)
            fail_msg("%d: %s", keeps, outcome.error.text);
        assert_true(is_whole(fixture, "team/app", &bad));
        assert_digest(tag_of(fixture, "team/app", "v1"), good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_takes_off),
        cmocka_unit_test(labels_what_has_no_tag),
        cmocka_unit_test(label_becomes_tag),
        cmocka_unit_test(label_failures),
        cmocka_unit_test(archives_and_restores),
        cmocka_unit_test(archives_nothing_that_is_needed),
        cmocka_unit_test(archives_where_it_can),
        cmocka_unit_test(archives_again_after_a_crash),
        cmocka_unit_test(refused_archive),
        cmocka_unit_test(immutable_tags),
        cmocka_unit_test(last_tag_takes_the_image),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
