/* Over real HTTP with a store that answers as the test says: what is kept, what each sender is
 * answered, what happens when the disk is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "endpoint_fixture.h"

#include "regwarden/file.h"

/* --- what is kept --- */

static void events_are_durable_before_the_answer(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text request = {0};
    write_request(&(struct sent){.path = "/hooks/open", .body = PUSH}, &request);
    struct raw_client client;
    fake_store.wait = true;
    raw_client_open(&client, f->loop, http_server_address(f->server, 0), &request);
    assert_false(loop_run_until(f->loop, raw_client_step, &client, 200));
    assert_int_equal(fake_store.waiting_count, 1);
    assert_int_equal(client.answer.length, 0);
    assert_int_equal(f->accepted, 0);
    fake_store_answer();
    assert_true(loop_run_until(f->loop, raw_client_step, &client, 5000));
    assert_int_equal(f->accepted, 1);
    assert_true(text_starts_with(client.answer.data, "HTTP/1.1 202"));
    raw_client_close(&client);
}

static void a_sender_that_left_loses_nothing(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text request = {0};
    write_request(&(struct sent){.path = "/hooks/open", .body = PUSH}, &request);
    struct raw_client client;
    fake_store.wait = true;
    raw_client_open(&client, f->loop, http_server_address(f->server, 0), &request);
    assert_false(loop_run_until(f->loop, raw_client_step, &client, 200));
    raw_client_close(&client);
    assert_int_equal(post(f, "/hooks/nobody", PUSH), 404); /* lets the loop see the end */
    fake_store_answer();
    assert_int_equal(f->accepted, 1);
}

static void the_registry_is_the_hooks(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "/hooks/open", PUSH), 202);
    assert_string_equal(fake_store.last_registry, "open");
    assert_string_equal(fake_store.last_repository, "team/app");
    assert_true(fake_store.last_received_ms > 0);
}

static void nothing_of_interest(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "/hooks/open", PULL), 204);
    assert_int_equal(post(f, "/hooks/open", "{\"events\":[]}"), 204);
    assert_int_equal(fake_store.event_count, 0);
    assert_int_equal(fake_store.letter_count, 0);
    assert_int_equal(counters_of(f).ignored, 1);
}

static void the_answer_counts(void **state)
{
    AUTO_TEXT struct text answer = {0};
    static const char body[] =
        "{\"events\":[" PUSH_IN("a") "," PUSH_IN("b") ",{},"
                                                      "{\"action\":\"pull\"}]}";
    assert_int_equal(exchange(*state, &(struct sent){.path = "/hooks/open", .body = body}, &answer),
                     202);
    assert_string_equal(raw_body(&answer), "{\"events\":2,\"ignored\":1,\"deadLetters\":1}\n");
}

static void wrong_bodies_become_dead_letters(void **state)
{
    static const struct {
        const char *body, *reason;
    } table[] = {
        {NULL, "not JSON"},
        {"garbage", "not JSON"},
        {"{\"events\":[],\"events\":[]}", "not JSON"},
        {"{\"events\":7}", "no dialect"},
        {"[]", "no dialect"},
        {"{\"events\":[{}]}", "event 0: the event has no action"},
        {"{\"events\":[{},3]}", "event 0: the event has no action; event 1: "},
        {"payload%7B%7D", "not JSON"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        assert_int_equal(post(f, "/hooks/open", table[i].body), 202);
        assert_int_equal(fake_store.letter_count, i + 1);
        const struct fake_letter *letter = &fake_store.letters[i];
        assert_string_equal(letter->registry, "open");
        assert_string_equal(letter->body, table[i].body == NULL ? "" : table[i].body);
        if (strstr(letter->reason, table[i].reason) == NULL)
            fail_msg("%s: %s", table[i].body, letter->reason);
    }
    assert_int_equal(counters_of(f).dead, ARRAY_COUNT(table));
}

static void the_secret_is_in_no_letter(void **state)
{
    struct sent sent = {.path = "/hooks/safe",
                        .headers = "Authorization: Bearer " SECRET "\r\nX-Token: " SECRET "\r\n",
                        .body = "garbage"};
    assert_int_equal(status_of(*state, &sent), 202);
    assert_int_equal(fake_store.letter_count, 1);
    assert_null(strstr(fake_store.letters[0].reason, SECRET));
    assert_null(strstr(fake_store.letters[0].body, SECRET));
}

static void a_letter_is_bounded(void **state)
{
    struct fixture *f = *state;
    size_t size = 200 << 10;
    AUTO_FREE char *body = memory_new(size + 1);
    memset(body, 'x', size);
    body[5] = '\0';
    assert_int_equal(
        status_of(f, &(struct sent){.path = "/hooks/open", .body = body, .size = size}), 202);
    assert_int_equal(fake_store.letters[0].body_size, 64 << 10);
    assert_memory_equal(fake_store.letters[0].body, body, 64 << 10);
}

static void the_type_is_kept_with_the_letter(void **state)
{
    struct sent sent = {.path = "/hooks/safe",
                        .headers = "Authorization: Bearer " SECRET "\r\nX-Other: 1\r\n"
                                   "Content-Type: application/x-www-form-urlencoded\r\n",
                        .body = "garbage"};
    assert_int_equal(status_of(*state, &sent), 202);
    const struct text_pairs *headers = &fake_store.letters[0].headers;
    assert_int_equal(headers->count, 1);
    assert_string_equal(text_pairs_get(headers, "content-type"),
                        "application/x-www-form-urlencoded");
}

static void too_deep_is_told_apart(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text body = {0};
    for (int i = 0; i < 100000; i++)
        text_add_char(&body, '[');
    assert_int_equal(post(f, "/hooks/open", body.data), 202);
    assert_int_equal(fake_store.letter_count, 1);
    assert_int_equal(counters_of(f).too_large, 1);
}

static void oversize_is_the_servers(void **state)
{
    AUTO_TEXT struct text body = {0};
    for (int i = 0; i < 2 << 20; i++)
        text_add_char(&body, ' ');
    assert_int_equal(post(*state, "/hooks/open", body.data), 413);
}

/* --- failures of the store --- */

static void a_full_disk_is_503(void **state)
{
    static const struct {
        const char *path, *body, *retry;
    } table[] = {
        {"/hooks/open", PUSH, "Retry-After: 1\r\n"},
        {"/hooks/open", "garbage", "Retry-After: 15\r\n"},
        {"/hooks/open", "{\"events\":[{}]}", "Retry-After: 1\r\n"},
    };
    struct fixture *f = *state;
    fake_store.fail = FAILURE_LATER;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO_TEXT struct text answer = {0};
        assert_int_equal(
            exchange(f, &(struct sent){.path = table[i].path, .body = table[i].body}, &answer),
            503);
        if (strstr(answer.data, table[i].retry) == NULL)
            fail_msg("%s", answer.data);
    }
    assert_int_equal(f->accepted, 0);
    assert_int_equal(counters_of(f).failed, ARRAY_COUNT(table));
    assert_int_equal(counters_of(f).dead, 0);
    fake_store.fail = FAILURE_NONE;
    assert_int_equal(post(f, "/hooks/open", PUSH), 202);
}

/* Senders that do not wait for the answer cannot queue without end. */
static void waiting_is_bounded(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text body = {0};
    text_add(&body, PUSH);
    for (int i = 0; i < 1000 << 10; i++)
        text_add_char(&body, ' ');
    AUTO_TEXT struct text request = {0};
    write_request(&(struct sent){.path = "/hooks/open", .body = body.data}, &request);
    fake_store.wait = true;
    struct raw_client client;
    size_t sent = 0;
    do {
        raw_client_open(&client, f->loop, http_server_address(f->server, 0), &request);
        loop_run_until(f->loop, raw_client_step, &client, 100);
        bool refused = text_starts_with(text_data(&client.answer), "HTTP/1.1 503");
        raw_client_close(&client);
        if (refused)
            break;
    } while (++sent < 40);
    assert_in_range(sent, 15, 20);
    fake_store.wait = false;
    fake_store_answer();
    assert_int_equal(post(f, "/hooks/open", PUSH), 202);
}

static void freed_while_the_store_works(void **state)
{
    struct fixture *f = *state;
    AUTO_TEXT struct text request = {0};
    write_request(
        &(struct sent){.path = "/hooks/open", .body = "{\"events\":[" PUSH_IN("a") ",{}]}"},
        &request);
    struct raw_client client;
    fake_store.wait = true;
    raw_client_open(&client, f->loop, http_server_address(f->server, 0), &request);
    loop_run_until(f->loop, raw_client_step, &client, 200);
    assert_int_equal(fake_store.waiting_count, 2);
    intake_free(f->intake);
    f->intake = NULL;
    fake_store_answer();
    assert_int_equal(f->accepted, 0);
    raw_client_close(&client);
}

/* --- instances --- */

#define FROM(instance) \
    "{\"events\":[{\"action\":\"pull\",\"source\":{\"instanceID\":\"" instance "\"}}]}"

static void a_new_instance_is_told_once(void **state)
{
    struct fixture *f = *state;
    post(f, "/hooks/open", FROM("one"));
    post(f, "/hooks/open", FROM("one"));
    assert_int_equal(f->changed_count, 0);
    post(f, "/hooks/open", FROM("two"));
    assert_int_equal(f->changed_count, 1);
    assert_string_equal(f->changed, "open");
    post(f, "/hooks/open", FROM("one")); /* two replicas of one registry take turns */
    post(f, "/hooks/open", FROM("two"));
    assert_int_equal(f->changed_count, 1);
}

static void instances_outlive_a_reload(void **state)
{
    struct fixture *f = *state;
    post(f, "/hooks/open", FROM("one"));
    assert_int_equal(intake_reload(f->intake, &f->config, NULL), 0);
    post(f, "/hooks/open", FROM("two"));
    assert_int_equal(f->changed_count, 1);
}

/* --- reload and replay --- */

static void reload_reads_the_secret_again(void **state)
{
    struct fixture *f = *state;
    struct sent sent = {.path = "/hooks/safe", .headers = "Authorization: new\r\n", .body = PUSH};
    assert_int_equal(status_of(f, &sent), 401);
    assert_int_equal(file_write(f->secret_path, "new\n", 4, 0600, NULL), 0);
    assert_int_equal(intake_reload(f->intake, &f->config, NULL), 0);
    assert_int_equal(status_of(f, &sent), 202);
}

static void a_failed_reload_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    unlink(f->secret_path);
    assert_int_not_equal(intake_reload(f->intake, &f->config, &err), 0);
    assert_non_null(strstr(err.text, "\"safe\""));
    struct sent sent = {
        .path = "/hooks/safe", .headers = "Authorization: " SECRET "\r\n", .body = PUSH};
    assert_int_equal(status_of(f, &sent), 202);
}

struct replayed {
    size_t calls;
    enum failure kind;
};

static void on_replayed(void *argument, const struct error *error)
{
    struct replayed *replayed = argument;
    replayed->calls++;
    replayed->kind = error == NULL ? FAILURE_NONE : error->kind;
}

static void replays(void **state)
{
    static const struct {
        const char *registry, *body;
        enum failure kind;
        size_t events;
    } table[] = {
        {"open", PUSH, FAILURE_NONE, 1},
        {"open", PULL, FAILURE_NONE, 0},
        {"safe", PUSH, FAILURE_NONE, 1}, /* who sent it was proven when it came */
        {"open", "garbage", FAILURE_INPUT, 0},
        {"open", "{\"events\":[{}," PUSH_IN("a") "]}", FAILURE_INPUT, 0},
        {"gone", PUSH, FAILURE_ABSENT, 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct replayed replayed = {0};
        struct intake_body body = {
            .registry = table[i].registry, .bytes = table[i].body, .size = strlen(table[i].body)};
        f->accepted = 0;
        intake_replay(f->intake, &body, on_replayed, &replayed);
        assert_int_equal(replayed.calls, 1);
        assert_int_equal(replayed.kind, table[i].kind);
        assert_int_equal(f->accepted, table[i].events);
    }
    assert_int_equal(fake_store.letter_count, 0);
}

/* A hook of the wrong dialect: once that is set right, the letters are read again, with what the
 * senders say in headers only. */
static void letters_are_read_again_with_their_headers(void **state)
{
    static char dialect_wrong[] = "harbor";
    static char dialects[][8] = {"zot", "github"};
    static const char *const messages[][2] = {
        {"Ce-Specversion: 1.0\r\nCe-Type: zotregistry.image.updated\r\nCe-Id: z\r\n"
         "Content-Type: application/json\r\n",
         "{\"name\":\"app\",\"reference\":\"v1\",\"digest\":\"" DIGEST_A "\"}"},
        {"X-GitHub-Event: package\r\nX-GitHub-Delivery: d-1\r\nX-Hub-Signature-256: sha256=00\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\n",
         "payload=%7B%22action%22%3A%22published%22%2C%22package%22%3A%7B%22name%22%3A%22app%22%2C"
         "%22package_type%22%3A%22CONTAINER%22%2C%22owner%22%3A%7B%22login%22%3A%22team%22%7D%2C"
         "%22package_version%22%3A%7B%22version%22%3A%22" DIGEST_A "%22%2C"
         "%22container_metadata%22%3A%7B%22tag%22%3A%7B%22name%22%3A%22v1%22%7D%7D%7D%7D%7D"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
        struct replayed replayed = {0};
        struct sent sent = {
            .path = "/hooks/open", .headers = messages[i][0], .body = messages[i][1]};
        f->registries[0].dialect = dialect_wrong;
        assert_int_equal(intake_reload(f->intake, &f->config, NULL), 0);
        f->accepted = 0;
        assert_int_equal(status_of(f, &sent), 202);
        assert_int_equal(fake_store.letter_count, i + 1);
        const struct fake_letter *letter = &fake_store.letters[i];
        assert_null(text_pairs_get(&letter->headers, "x-hub-signature-256"));
        f->registries[0].dialect = dialects[i];
        assert_int_equal(intake_reload(f->intake, &f->config, NULL), 0);
        struct intake_body body = {.registry = "open",
                                   .bytes = letter->body,
                                   .size = letter->body_size,
                                   .headers = &letter->headers};
        intake_replay(f->intake, &body, on_replayed, &replayed);
        assert_int_equal(replayed.kind, FAILURE_NONE);
        assert_int_equal(f->accepted, 1);
        if (i > 0)
            continue; /* GitHub's form can be told by its body as well */
        body.headers = NULL;
        intake_replay(f->intake, &body, on_replayed, &replayed);
        assert_int_equal(replayed.kind, FAILURE_INPUT);
    }
}

/* What a poller brings is taken like what is sent; what is not understood is kept. */
static void polled_messages(void **state)
{
    static const struct {
        const char *registry, *body;
        enum failure kind;
        size_t events, letters;
    } table[] = {
        {"open", PUSH, FAILURE_NONE, 1, 0},
        {"safe", PUSH, FAILURE_NONE, 1, 0},
        {"open", PULL, FAILURE_NONE, 0, 0},
        {"open", "garbage", FAILURE_NONE, 0, 1},
        {"open", "{\"events\":[{}," PUSH_IN("a") "]}", FAILURE_NONE, 1, 1},
        {"gone", PUSH, FAILURE_ABSENT, 0, 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct replayed polled = {0};
        struct intake_body body = {
            .registry = table[i].registry, .bytes = table[i].body, .size = strlen(table[i].body)};
        size_t letters = fake_store.letter_count;
        f->accepted = 0;
        intake_take_message(f->intake, &body, on_replayed, &polled);
        assert_int_equal(polled.calls, 1);
        assert_int_equal(polled.kind, table[i].kind);
        assert_int_equal(f->accepted, table[i].events);
        assert_int_equal(fake_store.letter_count - letters, table[i].letters);
    }
}

/* It may be deleted from the queue only once it is on disk. */
static void polled_messages_wait_for_the_disk(void **state)
{
    struct fixture *f = *state;
    struct replayed polled = {0};
    struct intake_body body = {.registry = "open", .bytes = PUSH, .size = strlen(PUSH)};
    fake_store.wait = true;
    intake_take_message(f->intake, &body, on_replayed, &polled);
    assert_int_equal(polled.calls, 0);
    fake_store.fail = FAILURE_LATER;
    fake_store_answer();
    assert_int_equal(polled.calls, 1);
    assert_int_equal(polled.kind, FAILURE_LATER);
    assert_int_equal(f->accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENDPOINT_TEST(events_are_durable_before_the_answer),
        ENDPOINT_TEST(a_sender_that_left_loses_nothing),
        ENDPOINT_TEST(the_registry_is_the_hooks),
        ENDPOINT_TEST(nothing_of_interest),
        ENDPOINT_TEST(the_answer_counts),
        ENDPOINT_TEST(wrong_bodies_become_dead_letters),
        ENDPOINT_TEST(the_secret_is_in_no_letter),
        ENDPOINT_TEST(a_letter_is_bounded),
        ENDPOINT_TEST(the_type_is_kept_with_the_letter),
        ENDPOINT_TEST(too_deep_is_told_apart),
        ENDPOINT_TEST(oversize_is_the_servers),
        ENDPOINT_TEST(a_full_disk_is_503),
        ENDPOINT_TEST(waiting_is_bounded),
        ENDPOINT_TEST(freed_while_the_store_works),
        ENDPOINT_TEST(a_new_instance_is_told_once),
        ENDPOINT_TEST(instances_outlive_a_reload),
        ENDPOINT_TEST(reload_reads_the_secret_again),
        ENDPOINT_TEST(a_failed_reload_changes_nothing),
        ENDPOINT_TEST(replays),
        ENDPOINT_TEST(letters_are_read_again_with_their_headers),
        ENDPOINT_TEST(polled_messages),
        ENDPOINT_TEST(polled_messages_wait_for_the_disk),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
