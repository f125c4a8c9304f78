/* From a POST to the database file and back: the intake with the real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "raw_client.h"

#include "regwarden/file.h"
#include "regwarden/http_server.h"
#include "regwarden/intake.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct fixture {
    struct loop *loop;
    struct store *store;
    struct http_server *server;
    struct intake *intake;
    struct config config;
    struct config_registry registry;
    char directory[32];
    size_t accepted;
    int64_t last_id;
};

static char registry_name[] = "main", registry_dialect[] = "auto";

static void on_accept(void *argument, const struct event *events, size_t count)
{
    struct fixture *f = argument;
    for (size_t i = 0; i < count; i++) {
        assert_true(events[i].id > f->last_id);
        f->last_id = events[i].id;
    }
    f->accepted += count;
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    struct fixture *f = argument;
    assert_true(intake_handle(f->intake, exchange));
}

static void open_store(struct fixture *f)
{
    struct error err = {0};
    AUTO_FREE char *url = text_new("sqlite:%s/regwarden.db", f->directory);
    if (store_open(f->loop, url, &f->store, &err) != 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = memory_new(sizeof(*f));
    struct error err = {0};
    snprintf(f->directory, sizeof(f->directory), "/tmp/intake-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->registry = (struct config_registry){.name = registry_name, .dialect = registry_dialect};
    f->config = (struct config){.registries = &f->registry, .registry_count = 1};
    assert_int_equal(loop_new(&f->loop, &err), 0);
    open_store(f);
    struct http_server_options server = {0};
    assert_int_equal(http_server_new(f->loop, &server, on_request, f, &f->server, &err), 0);
    assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
    struct intake_options options = {.config = &f->config,
                                     .store = f->store,
                                     .server = f->server,
                                     .accept = on_accept,
                                     .argument = f};
    assert_int_equal(intake_new(&options, &f->intake, &err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT_LIST struct text_list files = {0};
    intake_free(f->intake);
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

static int post(struct fixture *f, const char *body, size_t size)
{
    AUTO_TEXT struct text request = {0};
    AUTO_TEXT struct text answer = {0};
    text_format(&request,
                "POST /hooks/main HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                size);
    text_add_bytes(&request, body, size);
    return raw_exchange(f->loop, http_server_address(f->server, 0), &request, &answer);
}

/* --- reading back --- */

struct read_back {
    bool done;
    size_t events;
    char last_tag[32];
    struct json *list;
};

static bool is_done(void *argument)
{
    return ((const struct read_back *)argument)->done;
}

static void on_events(void *argument, const struct error *error, const struct event *events,
                      size_t count)
{
    struct read_back *back = argument;
    assert_null(error);
    back->events = count;
    if (count > 0)
        snprintf(back->last_tag, sizeof(back->last_tag), "%s", events[count - 1].tag);
    back->done = true;
}

static struct read_back open_events(struct fixture *f)
{
    struct read_back back = {0};
    store_load_events(f->store, 0, 10000, on_events, &back);
    assert_true(loop_run_until(f->loop, is_done, &back, 10000));
    return back;
}

static void on_list(void *argument, const struct error *error, struct json *json)
{
    struct read_back *back = argument;
    assert_null(error);
    back->list = json_retain(json);
    back->done = true;
}

static struct json *dead_letters(struct fixture *f)
{
    struct read_back back = {0};
    struct store_filter filter = {0};
    store_list(f->store, STORE_LIST_DEAD_LETTERS, &filter, on_list, &back);
    assert_true(loop_run_until(f->loop, is_done, &back, 10000));
    return back.list;
}

/* --- bodies --- */

static void add_pushes(struct text *body, size_t count)
{
    text_add(body, "{\"events\":[");
    for (size_t i = 0; i < count; i++)
        text_format(
            body,
            "%s{\"id\":\"e%zu\",\"action\":\"push\",\"target\":{\"repository\":\"team/app\","
            "\"tag\":\"v%zu\",\"digest\":\"" DIGEST_A "\"}}",
            i == 0 ? "" : ",", i, i);
    text_add(body, "]}");
}

static void a_thousand_events_in_one_body(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text body = {0};
    add_pushes(&body, 1000);
    assert_int_equal(post(f, body.data, body.length), 202);
    assert_int_equal(f->accepted, 1000);
    struct read_back back = open_events(f);
    assert_int_equal(back.events, 1000);
    assert_string_equal(back.last_tag, "v999");
}

/* Senders repeat what they think was lost: each is kept, and later judged as one. */
static void repeated_bodies_are_taken_again(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text body = {0};
    add_pushes(&body, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(post(f, body.data, body.length), 202);
    assert_int_equal(f->accepted, 3);
}

static void events_outlive_a_restart(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text body = {0};
    add_pushes(&body, 5);
    assert_int_equal(post(f, body.data, body.length), 202);
    store_close(f->store);
    open_store(f);
    assert_int_equal(open_events(f).events, 5);
}

/* Every byte that a body may hold, at every place that matters. */
static void no_body_harms(void **state)
{
    static const char *const bodies[] = {
        "",
        "\x00\x01",
        "null",
        "{\"events\":[{\"action\":\"push\",\"target\":{\"repository\":\"\\u0000\"}}]}",
        "{\"events\":[{\"action\":\"push\",\"target\":\"x\"}]}",
        "{\"events\":null}",
        "{\"events\":[[[[[[]]]]]]}",
        "{\"type\":7,\"event_data\":{}}",
        "{\"type\":\"PUSH_ARTIFACT\",\"event_data\":[]}",
        "{\"source\":\"aws.ecr\",\"detail-type\":\"ECR Image Action\",\"detail\":[]}",
        "\xef\xbb\xbf{}",
        "1e99999",
        ("{\"events\":[{\"action\":\"push\",\"target\":{\"repository\":\"a\",\"tag\":\"\xc3\x28\"}}"
         "]"
         "}"),
        "--boundary\r\nContent-Disposition: form-data\r\n",
        "<?xml version=\"1.0\"?><events/>",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        int status = post(f, bodies[i], i == 1 ? 2 : strlen(bodies[i]));
        if (status != 202)
            fail_msg("body %zu: %d", i, status);
    }
    AUTO_JSON struct json *letters = dead_letters(f);
    assert_int_equal(json_count(letters), ARRAY_COUNT(bodies));
    assert_int_equal(open_events(f).events, 0);
}

static void dead_letters_can_be_read(void **state)
{
    struct fixture *f = *state;
    static const char body[] = "{\"events\":[{}]}";
    assert_int_equal(post(f, body, sizeof(body) - 1), 202);
    AUTO_JSON struct json *letters = dead_letters(f);
    const struct json *letter = json_at(letters, 0);
    assert_string_equal(json_get_string(letter, "kind"), "hook");
    assert_string_equal(json_get_string(letter, "registry"), "main");
    assert_string_equal(json_get_string(letter, "dialect"), "distribution");
    assert_string_equal(json_get_string(letter, "body"), body);
    assert_non_null(strstr(json_get_string(letter, "reason"), "has no action"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_events_in_one_body), TEST(repeated_bodies_are_taken_again),
        TEST(events_outlive_a_restart),      TEST(no_body_harms),
        TEST(dead_letters_can_be_read),
    };
    return cmocka_run_group_tests_name("to disk", tests, NULL, NULL);
}
