/* See api_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "api_fixture.h"

#include "regwarden/clock.h"
#include "regwarden/file.h"
#include "regwarden/report.h"

/* --- the daemon's side --- */

static bool is_ready(void *argument, struct text *ret_why_not)
{
    const struct fixture *f = argument;
    if (!f->ready)
        text_add(ret_why_not, "the store is being checked");
    return f->ready;
}

static struct json *live_status(void *argument)
{
    (void)argument;
    struct json *json = json_new_object();
    json_set_integer(json, "reviewsRunning", 3);
    return json;
}

static void write_metrics(void *argument, struct text *to)
{
    (void)argument;
    metric_family(to, "regwarden_up", METRIC_GAUGE, NULL, "Always 1.");
    metric_sample(to, "regwarden_up", METRIC_GAUGE, &(struct metric_sample){.value = 1});
}

static void note(struct fixture *f, const struct asked *asked)
{
    AUTO_JSON struct json *body = json_new_object();
    f->asked = *asked;
    json_set_string(body, "asked", asked->what);
    if (!f->answer_later)
        api_answer(f->api, asked->request, 200, body);
}

static void ask_release(void *argument, uint64_t request, int64_t plan_id, bool force,
                        const char *by)
{
    struct asked asked = {.what = "release", .request = request, .id = plan_id, .force = force};
    snprintf(asked.by, sizeof(asked.by), "%s", by);
    note(argument, &asked);
}

static void ask_sweep(void *argument, uint64_t request, const char *registry)
{
    struct asked asked = {.what = "sweep", .request = request};
    snprintf(asked.registry, sizeof(asked.registry), "%s", registry == NULL ? "-" : registry);
    note(argument, &asked);
}

static void ask_retry(void *argument, uint64_t request, int64_t id)
{
    note(argument, &(struct asked){.what = "retry", .request = request, .id = id});
}

static void ask_add_base(void *argument, uint64_t request, const char *reference, const char *by)
{
    struct asked asked = {.what = "add base", .request = request};
    snprintf(asked.by, sizeof(asked.by), "%s", by);
    snprintf(asked.registry, sizeof(asked.registry), "%s", reference);
    note(argument, &asked);
}

static void ask_remove_base(void *argument, uint64_t request, const char *reference)
{
    struct asked asked = {.what = "remove base", .request = request};
    snprintf(asked.registry, sizeof(asked.registry), "%s", reference);
    note(argument, &asked);
}

static struct json *list_bases(void *argument)
{
    (void)argument;
    struct json *json = json_new_object();
    json_set_integer(json, "basesVersion", 1);
    return json;
}

static void waivers_changed(void *argument)
{
    struct fixture *f = argument;
    f->waivers_changed++;
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    struct fixture *f = argument;
    if (!api_handle(f->api, exchange))
        http_exchange_reply_text(exchange, 418, "none of the API's");
}

/* --- life --- */

static void listen_both(struct fixture *f)
{
    struct error err = {0};
    AUTO_FREE char *local = text_new("unix:%s/socket", f->directory);
    struct http_server_options options = {0};
    assert_int_equal(http_server_new(f->loop, &options, on_request, f, &f->server, &err), 0);
    assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
    assert_int_equal(http_server_listen(f->server, local, &err), 0);
}

static int setup_with(void **state, const char *token)
{
    struct fixture *f = memory_new(sizeof(*f));
    struct error err = {0};
    f->ready = true;
    snprintf(f->directory, sizeof(f->directory), "/tmp/api-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    AUTO_FREE char *url = text_new("sqlite:%s/regwarden.db", f->directory);
    assert_int_equal(loop_new(&f->loop, &err), 0);
    assert_int_equal(store_open(f->loop, url, &f->store, &err), 0);
    listen_both(f);
    struct api_options options = {.store = f->store,
                                  .server = f->server,
                                  .token = token,
                                  .ready = is_ready,
                                  .live_status = live_status,
                                  .metrics = write_metrics,
                                  .release = ask_release,
                                  .sweep = ask_sweep,
                                  .bases = list_bases,
                                  .add_base = ask_add_base,
                                  .remove_base = ask_remove_base,
                                  .retry_dead_letter = ask_retry,
                                  .waivers_changed = waivers_changed,
                                  .argument = f};
    assert_int_equal(api_new(&options, &f->api, &err), 0);
    *state = f;
    return 0;
}

int api_setup(void **state)
{
    return setup_with(state, API_TOKEN);
}

int api_setup_without_token(void **state)
{
    return setup_with(state, NULL);
}

int api_teardown(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT_LIST struct text_list files = {0};
    api_free(f->api);
    http_server_free(f->server);
    store_close(f->store);
    loop_free(f->loop);
    assert_int_equal(file_list(f->directory, NULL, &files, NULL), 0);
    for (size_t i = 0; i < files.count; i++)
        unlink(files.items[i]);
    rmdir(f->directory);
    free(f);
    return 0;
}

/* --- sending --- */

void write_request(const struct sent *sent, struct text *to)
{
    bool typed = sent->headers != NULL && strstr(sent->headers, "Content-Type") != NULL;
    text_format(to, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
                sent->method == NULL ? "GET" : sent->method, sent->path);
    text_add(to, sent->headers == NULL ? "" : sent->headers);
    if (sent->body != NULL)
        text_format(to, "Content-Length: %zu\r\n", strlen(sent->body));
    if (sent->body != NULL && !typed)
        text_add(to, "Content-Type: application/json\r\n");
    text_format(to, "\r\n%s", sent->body == NULL ? "" : sent->body);
}

int exchange(struct fixture *f, const struct sent *sent, struct text *answer)
{
    AUTO_TEXT struct text request = {0};
    write_request(sent, &request);
    return raw_exchange(f->loop, http_server_address(f->server, (size_t)sent->way), &request,
                        answer);
}

struct json *fetch(struct fixture *f, int status, const struct sent *sent)
{
    AUTO_TEXT struct text answer = {0};
    struct sent local = *sent;
    struct json *json = NULL;
    local.way = OVER_UNIX;
    int got = exchange(f, &local, &answer);
    if (got != status)
        fail_msg("%s: %d %s", sent->path, got, raw_body(&answer));
    const char *body = raw_body(&answer);
    if (json_parse(body, strlen(body), NULL, &json, NULL) != 0)
        fail_msg("%s: %s", sent->path, text_data(&answer));
    return json;
}

struct json *get(struct fixture *f, const char *path)
{
    return fetch(f, 200, &(struct sent){.path = path});
}

void check_refused(struct fixture *f, const struct sent *sent, int status, const char *words)
{
    AUTO_JSON struct json *body = fetch(f, status, sent);
    const struct json *error = json_get(body, "error");
    const char *message = json_get_string(error, "message");
    const char *hint = json_get_string(error, "hint");
    assert_non_null(json_get_string(error, "kind"));
    assert_non_null(message);
    if (strstr(message, words) == NULL && (hint == NULL || strstr(hint, words) == NULL))
        fail_msg("%s: \"%s\" (%s) has no \"%s\"", sent->path, message, hint == NULL ? "" : hint,
                 words);
}

/* --- what is on record --- */

static void on_done(void *argument, const struct error *error)
{
    if (error != NULL)
        fail_msg("%s", error->text);
    *(bool *)argument = true;
}

static bool is_done(void *argument)
{
    return *(const bool *)argument;
}

static void wait_for(struct fixture *f, bool *done)
{
    assert_true(loop_run_until(f->loop, is_done, done, 10000));
}

static void set_state(struct fixture *f, int64_t plan, enum plan_state state)
{
    bool done = false;
    struct plan_update update = {.id = plan, .state = state, .at_ms = clock_wall_ms()};
    store_update_plan(f->store, &update, on_done, &done);
    wait_for(f, &done);
}

int64_t record_verdict(struct fixture *f, const char *repository, const char *tag,
                       enum plan_state state)
{
    static char rule[] = "non-root", policy[] = "baseline", message[] = "Runs as root.";
    struct finding finding = {.rule = rule,
                              .id = rule,
                              .policy = policy,
                              .severity = SEVERITY_HIGH,
                              .status = FINDING_FAIL,
                              .message = message,
                              .step = -1,
                              .fingerprint = "0123456789abcdef0123456789abcdef"};
    struct verdict verdict = {.status = VERDICT_FAIL,
                              .findings = {.items = &finding, .count = 1},
                              .actions = ACTION_BIT(ACTION_QUARANTINE),
                              .enforced = true,
                              .policy_count = 1,
                              .policy_revision = "r1"};
    AUTO_JSON struct json *detail = json_new_object();
    struct store_plan plan = {.kind = ACTION_QUARANTINE, .detail = detail};
    struct store_record record = {.registry = "main",
                                  .repository = repository,
                                  .tag = tag,
                                  .at_ms = clock_wall_ms(),
                                  .verdict = &verdict,
                                  .plans = &plan,
                                  .plan_count = 1};
    bool done = false;
    assert_int_equal(digest_parse(DIGEST_A, &record.digest, NULL), 0);
    store_record_verdict(f->store, &record, on_done, &done);
    wait_for(f, &done);
    if (state != PLAN_PLANNED)
        set_state(f, plan.id, state);
    return plan.id;
}

void record_letter(struct fixture *f, const char *reason)
{
    bool done = false;
    struct dead_letter letter = {.at_ms = clock_wall_ms(),
                                 .kind = "hook",
                                 .registry = "main",
                                 .reason = reason,
                                 .body = "{}",
                                 .body_size = 2};
    store_add_dead_letter(f->store, &letter, on_done, &done);
    wait_for(f, &done);
}
