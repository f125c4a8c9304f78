/* See fixture.h. */
#include "fixture.h"

#include <dirent.h>
#include <unistd.h>

#include "driver.h"
#include "regwarden/clock.h"
#include "regwarden/file.h"

void fixture_open(struct fixture *fixture)
{
    struct error err = {0};

    if (store_open(fixture->loop, fixture->url, &fixture->store, &err) < 0)
        fail_msg("%s", err.text);
}

void fixture_close(struct fixture *fixture)
{
    store_close(TAKE(fixture->store));
}

void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

void fixture_change(struct fixture *fixture, const char *sql)
{
    struct driver *driver = NULL;
    struct error err = {0};

    fixture_close(fixture);
    if (driver_open(fixture->url, /* reader= */ false, &driver, &err) < 0 ||
        driver->type->define(driver, sql, &err) < 0)
        fail_msg("%s", err.text);
    driver_close(driver);
    fixture_open(fixture);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = memory_new(sizeof(*fixture));

    fixture->directory = memory_copy_text("/tmp/store-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    fixture->path = text_new("%s/regwarden.db", fixture->directory);
    fixture->url = text_new("sqlite:%s", fixture->path);
    assert_int_equal(loop_new(&fixture->loop, NULL), 0);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    struct text_list files = {0};

    fixture_close(fixture);
    loop_free(fixture->loop);
    if (file_list(fixture->directory, NULL, &files, NULL) == 0)
        for (size_t i = 0; i < files.count; i++)
            unlink(files.items[i]);
    text_list_release(&files);
    rmdir(fixture->directory);
    free(fixture->directory);
    free(fixture->path);
    free(fixture->url);
    free(fixture);
    return 0;
}

void reply_release(struct reply *answer)
{
    for (size_t i = 0; answer->events && i < answer->count; i++)
        event_release(&answer->events[i]);
    for (size_t i = 0; answer->waivers && i < answer->count; i++)
        waiver_release(&answer->waivers[i]);
    free(answer->events);
    free(answer->waivers);
    facts_free(answer->facts);
    facts_free(answer->context.facts);
    json_release(answer->json);
    free(answer->plan.registry);
    free(answer->plan.repository);
    free(answer->plan.tag);
    free(answer->plan.reason);
    json_release(answer->plan.detail);
    json_release(answer->plan.undo);
    if (answer->plan.verdict)
        verdict_release(answer->plan.verdict);
    free(answer->plan.verdict);
    *answer = (struct reply){0};
}

static struct reply *answered(void *argument, const struct error *error)
{
    struct reply *answer = argument;

    answer->calls++;
    if (error)
        answer->error = *error;
    return answer;
}

void on_done(void *argument, const struct error *error)
{
    answered(argument, error);
}

void on_sweep(void *argument, const struct error *error, int64_t id, const char *position)
{
    struct reply *answer = answered(argument, error);

    answer->id = id;
    snprintf(answer->text, sizeof(answer->text), "%s", position ? position : "");
}

void on_ids(void *argument, const struct error *error, const int64_t *ids, size_t count)
{
    struct reply *answer = answered(argument, error);

    answer->count = count;
    answer->id = count ? ids[0] : 0;
}

void on_count(void *argument, const struct error *error, int64_t count, int64_t oldest_ms)
{
    struct reply *answer = answered(argument, error);

    answer->id = count;
    answer->second = oldest_ms;
}

void on_events(void *argument, const struct error *error, const struct event *events, size_t count)
{
    struct reply *answer = answered(argument, error);

    answer->events = memory_new_array(count, sizeof(*events));
    answer->count = count;
    for (size_t i = 0; i < count; i++)
        event_copy(&answer->events[i], &events[i]);
}

void on_context(void *argument, const struct error *error, struct store_context *context)
{
    struct reply *answer = answered(argument, error);

    if (!context)
        return;
    answer->context = *context;
    context->facts = NULL;
}

void on_facts(void *argument, const struct error *error, struct facts *facts)
{
    answered(argument, error)->facts = facts;
}

void on_json(void *argument, const struct error *error, struct json *json)
{
    answered(argument, error)->json = json_retain(json);
}

void on_plans(void *argument, const struct error *error, struct plan *plans, size_t count)
{
    struct reply *answer = answered(argument, error);

    answer->count = 0;
    answer->id = (int64_t)count;
    if (count == 0)
        return;
    answer->plan = plans[0];
    plans[0] = (struct plan){0};
}

void on_waivers(void *argument, const struct error *error, const struct waiver *waivers,
                size_t count)
{
    struct reply *answer = answered(argument, error);

    answer->count = count;
    answer->waivers = memory_new_array(count, sizeof(*waivers));
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON struct json *json = waiver_to_json(&waivers[i]);

        assert_int_equal(waiver_from_json(json, &answer->waivers[i], NULL), 0);
    }
}

struct awaited {
    const struct reply *answer;
    int calls;
};

static bool has_answered(void *argument)
{
    const struct awaited *awaited = argument;

    return awaited->answer->calls >= awaited->calls;
}

void fixture_wait(struct fixture *fixture, struct reply *answer, int calls)
{
    struct awaited awaited = {answer, calls};

    assert_true(loop_run_until(fixture->loop, has_answered, &awaited, WAIT_MS));
    assert_int_equal(answer->calls, calls);
}

static void wait_for_success(struct fixture *fixture, struct reply *answer)
{
    fixture_wait(fixture, answer, 1);
    if (answer->error.kind != FAILURE_NONE)
        fail_msg("%s", answer->error.text);
}

struct digest digest_of(const char *content)
{
    struct digest digest = {0};

    if (content)
        digest_compute(NULL, content, strlen(content), &digest);
    return digest;
}

/* The strings are literals: such an event is never released. */
struct event make_event(const char *repository, const char *tag, const char *content)
{
    return (struct event){.received_ms = clock_wall_ms(),
                          .action = EVENT_PUSH,
                          .cause = EVENT_CAUSE_HOOK,
                          .registry = (char *)(uintptr_t) "main",
                          .repository = (char *)(uintptr_t)repository,
                          .tag = (char *)(uintptr_t)tag,
                          .digest = digest_of(content)};
}

void add_event(struct fixture *fixture, struct event *event)
{
    struct reply answer = {0};

    store_add_events(fixture->store, event, 1, on_done, &answer);
    wait_for_success(fixture, &answer);
}

void record(struct fixture *fixture, struct store_record *wanted)
{
    struct reply answer = {0};

    store_record_verdict(fixture->store, wanted, on_done, &answer);
    wait_for_success(fixture, &answer);
}

struct store_context read_context(struct fixture *fixture, const struct event *event)
{
    struct reply answer = {0};

    store_read_context(fixture->store, event, on_context, &answer);
    wait_for_success(fixture, &answer);
    return answer.context;
}

struct json *read_list(struct fixture *fixture, enum store_list list,
                       const struct store_filter *filter)
{
    struct reply answer = {0};

    store_list(fixture->store, list, filter, on_json, &answer);
    wait_for_success(fixture, &answer);
    return answer.json;
}

int64_t count_open(struct fixture *fixture)
{
    struct reply answer = {0};

    store_count_open_events(fixture->store, on_count, &answer);
    wait_for_success(fixture, &answer);
    return answer.id;
}

struct verdict make_verdict(enum verdict_status status, const char *revision,
                            const char *const *rules)
{
    struct verdict verdict = {.status = status, .policy_count = 1};

    snprintf(verdict.policy_revision, sizeof(verdict.policy_revision), "%s", revision);
    for (size_t i = 0; rules && rules[i]; i++) {
        struct findings *findings = &verdict.findings;

        findings->items = memory_grow(findings->items, findings->count, &findings->capacity,
                                      sizeof(*findings->items));
        findings->items[findings->count++] =
            (struct finding){.rule = memory_copy_text(rules[i]),
                             .id = memory_copy_text(rules[i]),
                             .policy = memory_copy_text("baseline"),
                             .severity = SEVERITY_HIGH,
                             .status = FINDING_FAIL,
                             .message = memory_copy_text("it does not keep to the rule"),
                             .origin = ORIGIN_OWN,
                             .step = -1,
                             .fingerprint = "0123456789abcdef0123456789abcdef"};
    }
    return verdict;
}

struct store_record make_record(const char *repository, const char *tag, const char *content,
                                const struct verdict *verdict)
{
    return (struct store_record){.registry = "main",
                                 .repository = repository,
                                 .tag = tag,
                                 .digest = digest_of(content),
                                 .media_type = MEDIA_TYPE_OCI_MANIFEST,
                                 .size_bytes = 1000,
                                 .pusher = "ci",
                                 .at_ms = clock_wall_ms(),
                                 .verdict = verdict};
}

struct facts *make_facts(const char *content)
{
    struct digest digest = digest_of(content);
    char text[DIGEST_TEXT_SIZE];
    AUTO_FREE char *body =
        text_new("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_OCI_MANIFEST "\",\"config\":"
                 "{\"mediaType\":\"" MEDIA_TYPE_OCI_CONFIG "\",\"digest\":\"%s\",\"size\":100},"
                 "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\","
                 "\"digest\":\"%s\",\"size\":1000}]}",
                 digest_format(&digest, text), digest_format(&digest, text));
    struct manifest *manifest = NULL;
    struct error err = {0};

    if (manifest_parse(body, strlen(body), MEDIA_TYPE_OCI_MANIFEST, &digest, &manifest, &err) < 0)
        fail_msg("%s", err.text);
    return facts_build_take(manifest, NULL, "not fetched", NULL);
}
