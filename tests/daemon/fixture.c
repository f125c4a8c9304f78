/* See fixture.h. */
#include "fixture.h"

#include <ftw.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/log.h"

enum { WAIT_MS = 30000 };

static const char usual_policy[] = "policy: test\n"
                                   "layers: false\n"
                                   "mode: %s\n"
                                   "%s"
                                   "rules:\n"
                                   "  - rule: non-root\n"
                                   "    severity: high\n"
                                   "    on-fail: [%s]\n";

/* --- files --- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void fixture_write(struct fixture *fixture, const char *name, const char *bytes)
{
    AUTO_FREE char *path = text_new("%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
}

void fixture_policy(struct fixture *fixture, const char *mode, const char *actions,
                    const char *more)
{
    AUTO_TEXT struct text text = {0};

    text_format(&text, usual_policy, mode, more ? more : "", actions);
    fixture_write(fixture, "policy.yaml", text_data(&text));
}

static void write_config(struct fixture *fixture, const struct fixture_settings *settings)
{
    AUTO_TEXT struct text text = {0};

    text_format(&text,
                "listen: [\"unix:%s/socket\"]\n"
                "state-directory: %s/state/of/it\n"
                "policies: [\"%s\"]\n"
                "sweep-at-start: false\n"
                "log: {level: error}\n"
                "%s"
                "registries:\n"
                "  %s:\n"
                "    url: http://127.0.0.1:%d\n"
                "    sweep-interval: 0\n"
                "%s",
                fixture->directory, fixture->directory, fixture->policy_path,
                settings->top ? settings->top : "retry: {first: 100ms, max: 300ms, give-up: 1s}\n",
                settings->name ? settings->name : "main", fixture->stub.port,
                settings->registry ? settings->registry : "");
    fixture_write(fixture, "regwarden.yaml", text_data(&text));
}

/* --- life --- */

int fixture_group_setup(void **state)
{
    struct fixture *fixture = memory_new(sizeof *fixture);

    log_setup(LOG_TEXT, getenv("DEBUG") ? LEVEL_DEBUG : LEVEL_ERROR);
    stub_start(&fixture->stub, "stub_writable.py");
    *state = fixture;
    return 0;
}

int fixture_group_teardown(void **state)
{
    struct fixture *fixture = *state;

    stub_stop(&fixture->stub);
    free(fixture);
    return 0;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = *state;
    char template[] = "/tmp/regwarden-daemon-XXXXXX";

    assert_non_null(mkdtemp(template));
    fixture->directory = memory_copy_text(template);
    fixture->policy_path = text_new("%s/policy.yaml", template);
    stub_tell(&fixture->stub, "{'do': 'reset'}");
    fixture_policy(fixture, "enforce", "quarantine", NULL);
    fixture_start(fixture);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    switches(fixture, "{'hang': ''}");
    fixture_stop(fixture);
    nftw(fixture->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(TAKE(fixture->directory));
    free(TAKE(fixture->policy_path));
    clock_set_for_test(-1, -1);
    return 0;
}

void fixture_start_with(struct fixture *fixture, const struct fixture_settings *settings)
{
    AUTO_FREE char *path = text_new("%s/regwarden.yaml", fixture->directory);
    struct error error = {0};
    struct config *config = NULL;

    write_config(fixture, settings);
    if (config_load(path, &config, &error) < 0)
        fail_msg("%s", error.text);
    fixture->options = (struct daemon_options){
        .config = config, .config_path = config->path, .scan_program = REGWARDEN_PROGRAM};
    fixture->daemon = (struct daemon){.options = &fixture->options,
                                      .config = config,
                                      .start_config = config,
                                      .intake_config = config};
    if (daemon_start(&fixture->daemon, &error) < 0)
        fail_msg("%s", error.text);
    fixture->running = true;
}

void fixture_start(struct fixture *fixture)
{
    fixture_start_with(fixture, &(struct fixture_settings){0});
}

void fixture_stop(struct fixture *fixture)
{
    if (!fixture->running)
        return;
    daemon_stop(&fixture->daemon);
    daemon_free_configs(&fixture->daemon);
    fixture->running = false;
}

void fixture_break_off(struct fixture *fixture)
{
    struct daemon *daemon = &fixture->daemon;

    daemon->ready = false;
    daemon->stopping = true;
    sweeps_stop(daemon->sweeps);
    rejudge_stop(daemon->rejudge);
    dispatcher_stop(daemon->dispatcher);
    acts_stop(daemon->acts);
    fixture_stop(fixture);
}

/* --- the registry --- */

static struct digest digest_in(struct json *answer)
{
    struct digest digest;
    int result = digest_parse(json_get_string(answer, "digest"), &digest, NULL);

    json_release(answer);
    assert_int_equal(result, 0);
    return digest;
}

#define CONFIG                                                                    \
    "{\\\"os\\\": \\\"linux\\\", \\\"architecture\\\": \\\"amd64\\\", "           \
    "\\\"config\\\": {\\\"User\\\": \\\"%s\\\"}, \\\"rootfs\\\": {\\\"type\\\": " \
    "\\\"layers\\\", \\\"diff_ids\\\": [\\\"sha256:"                              \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\\\"]}}"

struct digest push_image(struct fixture *fixture, const char *repository, const char *tag,
                         bool good, const char *content)
{
    return digest_in(stub_ask(&fixture->stub,
                              "{'do': 'image', 'repository': '%s', 'tag': '%s', 'layers': ['%s'], "
                              "'config': '" CONFIG "'}",
                              repository, tag, content, good ? "1000" : ""));
}

struct digest push_many(struct fixture *fixture, const char *repository, const char *tag, int count)
{
    return digest_in(stub_ask(&fixture->stub,
                              "{'do': 'many', 'repository': '%s', 'tag': '%s', 'count': %d, "
                              "'config': '" CONFIG "'}",
                              repository, tag ? tag : "", count, "1000"));
}

void take_away(struct fixture *fixture, const char *repository, const char *tag,
               const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    stub_tell(&fixture->stub, "{'do': 'untag', 'repository': '%s', 'tag': '%s'}", repository, tag);
    if (digest)
        stub_tell(&fixture->stub, "{'do': 'forget', 'repository': '%s', 'digest': '%s'}",
                  repository, digest_format(digest, text));
}

bool tag_is(struct fixture *fixture, const char *repository, const char *tag,
            const struct digest *digest)
{
    AUTO_JSON struct json *answer =
        stub_ask(&fixture->stub, "{'do': 'tags', 'repository': '%s'}", repository);
    const char *found = json_get_string(json_get(answer, "tags"), tag);
    char text[DIGEST_TEXT_SIZE];

    return text_equal(found, digest ? digest_format(digest, text) : NULL);
}

size_t requests(struct fixture *fixture)
{
    AUTO_JSON struct json *answer = stub_ask(&fixture->stub, "{'do': 'log'}");

    return json_count(json_get(answer, "log"));
}

void switches(struct fixture *fixture, const char *json)
{
    stub_tell(&fixture->stub, "{'do': 'switch', 'switches': %s}", json);
}

/* --- waiting --- */

struct waiting {
    struct fixture *fixture;
    bool (*condition)(struct fixture *fixture);
};

static bool check_condition(void *argument)
{
    struct waiting *waiting = argument;

    return waiting->condition(waiting->fixture);
}

static bool wait_for(struct fixture *fixture, bool (*condition)(struct fixture *fixture),
                     int64_t ms)
{
    struct waiting waiting = {fixture, condition};
    int64_t end_ms = clock_steady_ms() + ms;
    bool met = false;

    /* what nothing on the loop changes is looked at again, too */
    while (!(met = loop_run_until(fixture->daemon.loop, check_condition, &waiting, 100)))
        if (clock_steady_ms() > end_ms)
            break;
    return met;
}

void until(struct fixture *fixture, bool (*condition)(struct fixture *fixture))
{
    assert_true(wait_for(fixture, condition, WAIT_MS));
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

void turn_for(struct fixture *fixture, int64_t ms)
{
    (void)loop_run_until(fixture->daemon.loop, never, NULL, ms);
}

static bool is_quiet(struct fixture *fixture)
{
    return dispatcher_waiting(fixture->daemon.dispatcher) == 0 &&
           acts_active(fixture->daemon.acts) == 0;
}

void settle(struct fixture *fixture)
{
    static const struct store_filter planned = {.state = "planned"};
    int64_t end_ms = clock_steady_ms() + WAIT_MS;

    do {
        until(fixture, is_quiet);
        if (open_events(fixture) == 0 && count_of(fixture, STORE_LIST_PLANS, &planned) == 0)
            return;
        turn_for(fixture, 20);
    } while (clock_steady_ms() < end_ms);
    fail_msg("%lld events and %zu plans are open", (long long)open_events(fixture),
             count_of(fixture, STORE_LIST_PLANS, &planned));
}

/* --- the store --- */

struct reply {
    bool called;
    struct error error;
    struct json *json;
    int64_t count;
};

static struct reply *reply; /* of the one question under way */

static bool is_answered(struct fixture *fixture)
{
    (void)fixture;
    return reply->called;
}

static void wait_for_reply(struct fixture *fixture)
{
    until(fixture, is_answered);
    if (reply->error.kind != FAILURE_NONE)
        fail_msg("%s", reply->error.text);
}

static void on_done(void *argument, const struct error *error)
{
    struct reply *own = argument;

    own->called = true;
    if (error)
        own->error = *error;
}

static void on_json(void *argument, const struct error *error, struct json *json)
{
    struct reply *own = argument;

    on_done(own, error);
    own->json = json ? json_retain(json) : NULL;
}

static void on_count(void *argument, const struct error *error, int64_t count, int64_t oldest_ms)
{
    struct reply *own = argument;

    (void)oldest_ms;
    on_done(own, error);
    own->count = count;
}

struct json *list(struct fixture *fixture, enum store_list kind, const struct store_filter *filter)
{
    struct reply own = {0};

    reply = &own;
    store_list(fixture->daemon.store, kind, filter, on_json, &own);
    wait_for_reply(fixture);
    return own.json;
}

size_t count_of(struct fixture *fixture, enum store_list kind, const struct store_filter *filter)
{
    AUTO_JSON struct json *items = list(fixture, kind, filter);

    return json_count(items);
}

const char *verdict_of(struct fixture *fixture, const char *repository, const char *tag)
{
    static char word[16];
    struct store_filter filter = {.repository = repository, .tag = tag};
    AUTO_JSON struct json *items = list(fixture, STORE_LIST_VERDICTS, &filter);
    const char *verdict = json_get_string(json_at(items, 0), "verdict");

    snprintf(word, sizeof word, "%s", verdict ? verdict : "");
    return word;
}

int64_t open_events(struct fixture *fixture)
{
    struct reply own = {0};

    reply = &own;
    store_count_open_events(fixture->daemon.store, on_count, &own);
    wait_for_reply(fixture);
    return own.count;
}

/* --- events --- */

struct event make_event(enum event_cause cause, const char *repository, const char *tag,
                        const struct digest *digest)
{
    static char main_registry[] = "main";
    struct event event = {.received_ms = clock_wall_ms(),
                          .action = EVENT_PUSH,
                          .cause = cause,
                          .registry = main_registry,
                          .repository = (char *)(uintptr_t)repository,
                          .tag = (char *)(uintptr_t)tag};

    if (digest)
        event.digest = *digest;
    return event;
}

void keep(struct fixture *fixture, struct event *events, size_t count)
{
    struct reply own = {0};

    reply = &own;
    store_add_events(fixture->daemon.store, events, count, on_done, &own);
    wait_for_reply(fixture);
}

void tell(struct fixture *fixture, struct event *events, size_t count)
{
    keep(fixture, events, count);
    dispatcher_add(fixture->daemon.dispatcher, events, count);
}

void tell_push(struct fixture *fixture, const char *repository, const char *tag,
               const struct digest *digest)
{
    struct event event = make_event(EVENT_CAUSE_HOOK, repository, tag, digest);

    tell(fixture, &event, 1);
}

void tell_delete(struct fixture *fixture, const char *repository, const char *tag,
                 const struct digest *digest)
{
    struct event event = make_event(EVENT_CAUSE_HOOK, repository, tag, digest);

    event.action = EVENT_DELETE;
    tell(fixture, &event, 1);
}
