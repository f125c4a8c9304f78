/* Over real HTTP, with keys that are fetched over real TLS from a publisher behind a unix socket:
 * what is fetched, how often, and what nobody can make regwarden fetch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint_fixture.h"
#include "intake_private.h"
#include "sns_fixture.h"
#include "stub_process.h"

#include "regwarden/clock.h"
#include "regwarden/file.h"

#define FOREIGN "arn:aws:sns:eu-central-1:999999999999:evil"
#define AUDIENCE "https://warden.example/hooks/open"
#define WHO "push@project.iam.gserviceaccount.com"

static char dialect_auto[] = "auto", audience[] = AUDIENCE,
            issuer[] = "https://accounts.google.com";

/* "open" takes messages of SNS, "safe" tokens of Google. */
struct world {
    struct fixture *f;
    struct stub stub;
    struct signer *signer;
    char told[4][256]; /* "registry: what" */
    size_t told_count;
};

static void on_told(void *argument, const char *registry, const char *what)
{
    struct world *world = argument;
    snprintf(world->told[world->told_count++ % 4], sizeof(world->told[0]), "%s: %s", registry,
             what);
}

static void on_accept(void *argument, const struct event *events, size_t count)
{
    (void)events;
    ((struct world *)argument)->f->accepted += count;
}

static void publish(struct world *world, const char *file, const char *bytes)
{
    AUTO_FREE char *path = text_new("%s/%s", stub_value(&world->stub, "files"), file);
    assert_int_equal(file_write(path, bytes, strlen(bytes), 0644, NULL), 0);
}

static void publish_keys(struct world *world)
{
    AUTO_TEXT struct text pem = {0};
    AUTO_TEXT struct text set = {0};
    int64_t now_ms = clock_wall_ms();
    signer_certificate(world->signer, (struct key_validity){now_ms - 60000, now_ms + 60000}, &pem);
    publish(world, "SimpleNotificationService-1.pem", pem.data);
    text_add(&set, "{\"keys\":[");
    signer_jwk(world->signer, "one", &set);
    text_add(&set, "]}");
    publish(world, "oauth2_v3_certs", set.data);
    publish(world, "root", "<ConfirmSubscriptionResponse/>");
}

static void configure(struct fixture *f)
{
    struct config_registry *topics = &f->registries[0], *tokens = &f->registries[1];
    topics->hook_proof = HOOK_PROOF_SNS;
    text_list_add(&topics->hook_topics, SNS_TOPIC);
    tokens->dialect = dialect_auto;
    tokens->hook_proof = HOOK_PROOF_JWT;
    tokens->hook_secret_file = NULL;
    tokens->hook_audience = audience;
    tokens->hook_issuer = issuer;
    text_list_add(&tokens->hook_identities, WHO);
}

static int start(void **state, const char *scenario)
{
    void *fixture = NULL;
    struct world *world = memory_new(sizeof(*world));
    struct error err = {0};
    assert_int_equal(endpoint_setup(&fixture), 0);
    world->f = fixture;
    *state = world;
    if (!stub_start_script(&world->stub, "stub_publisher.py", scenario))
        return 0;
    world->signer = signer_new_rsa(2048);
    publish_keys(world);
    configure(world->f);
    struct intake_options options = {.loop = world->f->loop,
                                     .config = &world->f->config,
                                     .server = world->f->server,
                                     .accept = on_accept,
                                     .told = on_told,
                                     .argument = world};
    struct intake_tuning tuning = {.unix_socket = stub_value(&world->stub, "socket"),
                                   .ca_file = stub_value(&world->stub, "authority")};
    intake_free(world->f->intake);
    assert_int_equal(intake_new_tuned(&options, &tuning, &world->f->intake, &err), 0);
    return 0;
}

static int setup(void **state)
{
    return start(state, "trusted");
}

static int setup_untrusted(void **state)
{
    return start(state, "untrusted");
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *fixture = world->f;
    text_list_release(&world->f->registries[0].hook_topics);
    text_list_release(&world->f->registries[1].hook_identities);
    endpoint_teardown(&fixture);
    signer_free(world->signer);
    stub_stop(&world->stub);
    free(world);
    return 0;
}

static struct world *world_of(void **state)
{
    struct world *world = *state;
    if (world->signer == NULL)
        skip();
    return world;
}

static int send_sns(struct world *world, const struct json *message)
{
    AUTO_TEXT struct text bytes = {0};
    json_write(message, JSON_COMPACT, &bytes);
    return status_of(world->f, &(struct sent){.path = "/hooks/open",
                                              .headers = "Content-Type: text/plain\r\n",
                                              .body = bytes.data});
}

static int send_signed(struct world *world, const char *type, const char *key, const char *value)
{
    AUTO_JSON struct json *message = sns_new(type, clock_wall_ms());
    if (key != NULL)
        json_set_string(message, key, value);
    sns_sign(message, world->signer, "2");
    return send_sns(world, message);
}

/* --- Amazon SNS --- */

/* `request` has to stay as long as the client. */
static void open_client(struct world *world, const char *type, struct raw_client *client,
                        struct text *request)
{
    AUTO_JSON struct json *message = sns_new(type, clock_wall_ms());
    AUTO_TEXT struct text bytes = {0};
    sns_sign(message, world->signer, "2");
    json_write(message, JSON_COMPACT, &bytes);
    write_request(&(struct sent){.path = "/hooks/open", .body = bytes.data}, request);
    raw_client_open(client, world->f->loop, http_server_address(world->f->server, 0), request);
}

static void a_certificate_is_fetched_once(void **state)
{
    struct world *world = world_of(state);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_signed(world, "Notification", NULL, NULL), 202);
    assert_int_equal(stub_count(&world->stub, SNS_HOST, "SimpleNotificationService-1.pem"), 1);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 1);
    assert_int_equal(fake_store.letter_count + fake_store.event_count, 3);
}

static void several_wait_for_one_certificate(void **state)
{
    struct world *world = world_of(state);
    struct text requests[5] = {{0}};
    struct raw_client clients[5];
    for (size_t i = 0; i < 5; i++)
        open_client(world, "Notification", &clients[i], &requests[i]);
    for (size_t i = 0; i < 5; i++) {
        assert_true(loop_run_until(world->f->loop, raw_client_step, &clients[i], 5000));
        assert_true(text_starts_with(clients[i].answer.data, "HTTP/1.1 202"));
        raw_client_close(&clients[i]);
        text_release(&requests[i]);
    }
    assert_int_equal(stub_count(&world->stub, "{", NULL), 1);
}

static void a_listed_topic_is_confirmed(void **state)
{
    struct world *world = world_of(state);
    assert_int_equal(send_signed(world, "SubscriptionConfirmation", NULL, NULL), 200);
    assert_int_equal(stub_count(&world->stub, "/?Action=ConfirmSubscription", SNS_TOKEN), 1);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 2);
    assert_int_equal(world->told_count, 1);
    assert_non_null(strstr(world->told[0], "open: the subscription"));
    assert_non_null(strstr(world->told[0], "confirmed"));
    assert_int_equal(send_signed(world, "UnsubscribeConfirmation", NULL, NULL), 200);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 2); /* and not subscribed anew */
    assert_non_null(strstr(world->told[1], "ended"));
    assert_int_equal(fake_store.event_count + fake_store.letter_count, 0);
}

static void a_refused_confirmation_is_asked_again(void **state)
{
    struct world *world = world_of(state);
    AUTO_FREE char *path = text_new("%s/root", stub_value(&world->stub, "files"));
    assert_int_equal(remove(path), 0);
    assert_int_equal(send_signed(world, "SubscriptionConfirmation", NULL, NULL), 503);
    assert_non_null(strstr(world->told[0], "could not be confirmed"));
}

/* Whoever owns a topic can have SNS sign what they like for it. */
static void a_foreign_topic_makes_no_connection(void **state)
{
    struct world *world = world_of(state);
    assert_int_equal(send_signed(world, "SubscriptionConfirmation", "TopicArn", FOREIGN), 403);
    assert_int_equal(send_signed(world, "Notification", "TopicArn", FOREIGN), 403);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 0);
    assert_int_equal(world->told_count, 1); /* of both, within a minute */
    assert_non_null(strstr(world->told[0], "open: a sender of events is refused: the topic"));
}

static void on_replayed(void *argument, const struct error *error)
{
    *(struct error *)argument = error == NULL ? (struct error){0} : *error;
}

/* SNS signs its own fields only: whoever got hold of one of its messages can write others beside
 * them, or headers, and say in another dialect what was never signed. */
static void what_is_not_signed_is_not_read(void **state)
{
    struct world *world = world_of(state);
    AUTO_JSON struct json *message = sns_new("Notification", clock_wall_ms());
    AUTO_JSON struct json *push = NULL;
    AUTO_TEXT struct text bytes = {0};
    sns_sign(message, world->signer, "2");
    assert_int_equal(json_parse(PUSH, strlen(PUSH), NULL, &push, NULL), 0);
    json_set_take(message, "events", json_retain((struct json *)json_get(push, "events")));
    json_write(message, JSON_COMPACT, &bytes);
    assert_int_equal(send_sns(world, message), 202);
    assert_int_equal(world->f->accepted, 0);
    assert_int_equal(fake_store.event_count, 0);
    assert_int_equal(fake_store.letter_count, 1); /* its Message is no event */
    /* nor when what was kept of it is tried again */
    struct error outcome = {0};
    intake_replay(
        world->f->intake,
        &(struct intake_body){.registry = "open", .bytes = bytes.data, .size = bytes.length},
        on_replayed, &outcome);
    assert_int_equal(outcome.kind, FAILURE_INPUT);
    assert_int_equal(fake_store.event_count, 0);
}

/* All that could be an address, set to one that would count the connections. */
static void no_address_of_a_message_is_followed(void **state)
{
    struct world *world = world_of(state);
    static const char *const keys[] = {"SigningCertURL", "SubscribeURL", "UnsubscribeURL"};
    static const char *const types[] = {"Notification", "SubscriptionConfirmation"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(types); k++) {
            AUTO_FREE char *url =
                text_new("http://%s/a.pem", http_server_address(world->f->server, 0));
            struct http_server_counters before, after;
            http_server_counters(world->f->server, &before);
            int status = send_signed(world, types[k], keys[i], url);
            http_server_counters(world->f->server, &after);
            assert_int_equal(after.connections - before.connections, 1); /* our own */
            assert_in_range(status, 200, 403);
        }
    }
    assert_int_equal(stub_count(&world->stub, "{", NULL) -
                         stub_count(&world->stub, SNS_HOST, "SimpleNotificationService-1.pem") -
                         stub_count(&world->stub, SNS_HOST, "Action=ConfirmSubscription"),
                     0);
}

/* The certificate's host is known by its TLS certificate alone. */
static void an_untrusted_publisher_proves_nothing(void **state)
{
    struct world *world = world_of(state);
    assert_int_equal(send_signed(world, "Notification", NULL, NULL), 503);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 0);
}

/* Names below the host that nobody publishes are asked for a few times, not for ever. */
static void strangers_do_not_make_it_ask_for_ever(void **state)
{
    struct world *world = world_of(state);
    for (int i = 0; i < 60; i++) {
        AUTO_FREE char *url = text_new("https://" SNS_HOST "/no-%d.pem", i);
        assert_int_equal(send_signed(world, "Notification", "SigningCertURL", url), 503);
    }
    assert_in_range(stub_count(&world->stub, "/no-", NULL), 1, 21);
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            send_signed(world, "Notification", "SigningCertURL", "https://" SNS_HOST "/no-1.pem"),
            503);
    assert_in_range(stub_count(&world->stub, "/no-", NULL), 1, 21);
}

static void the_client_left_before_the_key_came(void **state)
{
    struct world *world = world_of(state);
    AUTO_TEXT struct text request = {0};
    struct raw_client client;
    open_client(world, "Notification", &client, &request);
    raw_client_close(&client);
    assert_int_equal(send_signed(world, "Notification", NULL, NULL), 202);
}

/* The publisher answers with the file only when it is let go. */
static void hold(struct world *world, const char *file, struct text *content)
{
    AUTO_FREE char *path = text_new("%s/%s", stub_value(&world->stub, "files"), file);
    assert_int_equal(file_read(path, 65536, content, NULL), 0);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void let_go(struct world *world, const char *file, const struct text *content)
{
    AUTO_FREE char *path = text_new("%s/%s", stub_value(&world->stub, "files"), file);
    int fd = open(path, O_WRONLY); /* waits for the reader */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content->data, content->length), (ssize_t)content->length);
    close(fd);
}

struct awaited {
    struct world *world;
    struct raw_client *client;
    const char *part;
};

static bool was_asked(void *argument)
{
    struct awaited *awaited = argument;
    raw_client_step(awaited->client);
    return stub_count(&awaited->world->stub, awaited->part, NULL) > 0;
}

static void await_question(struct world *world, struct raw_client *client, const char *part)
{
    struct awaited awaited = {world, client, part};
    assert_true(loop_run_until(world->f->loop, was_asked, &awaited, 5000));
}

static void freed_while_a_key_is_fetched(void **state)
{
    struct world *world = world_of(state);
    AUTO_TEXT struct text request = {0};
    struct raw_client client;
    open_client(world, "Notification", &client, &request);
    await_question(world, &client, ".pem");
    intake_free(TAKE(world->f->intake));
    loop_run_until(world->f->loop, raw_client_step, &client, 200);
    raw_client_close(&client);
}

/* The topic is struck from the settings while its certificate is under way: by the settings that
 * are in force when it comes, it may not send. */
static void reloaded_while_a_key_is_fetched(void **state)
{
    struct world *world = world_of(state);
    struct error err = {0};
    struct raw_client client;
    AUTO_TEXT struct text request = {0};
    AUTO_TEXT struct text pem = {0};
    hold(world, "SimpleNotificationService-1.pem", &pem);
    open_client(world, "SubscriptionConfirmation", &client, &request);
    await_question(world, &client, ".pem");
    text_list_release(&world->f->registries[0].hook_topics);
    text_list_add(&world->f->registries[0].hook_topics, FOREIGN);
    assert_int_equal(intake_reload(world->f->intake, &world->f->config, &err), 0);
    let_go(world, "SimpleNotificationService-1.pem", &pem);
    assert_true(loop_run_until(world->f->loop, raw_client_step, &client, 5000));
    assert_true(text_starts_with(client.answer.data, "HTTP/1.1 403"));
    assert_int_equal(stub_count(&world->stub, "Action=ConfirmSubscription", NULL), 0);
    raw_client_close(&client);
}

static void reloaded_and_freed_while_it_confirms(void **state)
{
    struct world *world = world_of(state);
    struct error err = {0};
    struct raw_client client;
    AUTO_TEXT struct text request = {0};
    AUTO_TEXT struct text root = {0};
    hold(world, "root", &root);
    open_client(world, "SubscriptionConfirmation", &client, &request);
    await_question(world, &client, "Action=ConfirmSubscription");
    assert_int_equal(intake_reload(world->f->intake, &world->f->config, &err), 0);
    intake_free(TAKE(world->f->intake));
    assert_true(loop_run_until(world->f->loop, raw_client_step, &client, 5000));
    assert_true(text_starts_with(client.answer.data, "HTTP/1.1 503"));
    let_go(world, "root", &root);
    raw_client_close(&client);
}

/* --- tokens --- */

static int send_token(struct world *world, const char *key_id)
{
    int64_t now_s = clock_wall_ms() / 1000;
    AUTO_FREE char *header = text_new("{\"alg\":\"RS256\",\"kid\":\"%s\"}", key_id);
    AUTO_FREE char *claims =
        text_new("{\"iss\":\"https://accounts.google.com\",\"aud\":\"" AUDIENCE "\",\"exp\":%lld,"
                 "\"iat\":%lld,\"email\":\"" WHO "\",\"email_verified\":true}",
                 (long long)now_s + 3600, (long long)now_s);
    AUTO_TEXT struct text token = {0};
    signer_token(world->signer, header, claims, &token);
    AUTO_FREE char *line = text_new("Authorization: Bearer %s\r\n", token.data);
    return status_of(world->f,
                     &(struct sent){.path = "/hooks/safe", .headers = line, .body = PUSH});
}

static void a_key_set_is_fetched_once(void **state)
{
    struct world *world = world_of(state);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_token(world, "one"), 202);
    assert_int_equal(stub_count(&world->stub, "www.googleapis.com", "/oauth2/v3/certs"), 1);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 1);
    assert_int_equal(stub_count(&world->stub, "Bearer", NULL), 0); /* the token went nowhere */
    assert_int_equal(world->f->accepted, 3);
}

/* An unknown key may be a new one: asked again, but not by everyone who makes one up. */
static void a_new_key_is_found(void **state)
{
    struct world *world = world_of(state);
    int64_t steady_ms = clock_steady_ms(), wall_ms = clock_wall_ms();
    AUTO_TEXT struct text set = {0};
    assert_int_equal(send_token(world, "one"), 202);
    text_add(&set, "{\"keys\":[");
    signer_jwk(world->signer, "two", &set);
    text_add(&set, "]}");
    publish(world, "oauth2_v3_certs", set.data);
    assert_int_equal(send_token(world, "two"), 401);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 1);
    clock_set_for_test(wall_ms, steady_ms + 6 * 60000);
    assert_int_equal(send_token(world, "two"), 202);
    assert_int_equal(send_token(world, "one"), 401);
    clock_set_for_test(-1, -1);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 2);
}

/* The settings' issuer decides, not the token's word for it. */
static void a_foreign_issuer_makes_no_connection(void **state)
{
    struct world *world = world_of(state);
    AUTO_FREE char *claims = text_new("{\"iss\":\"http://%s\",\"aud\":\"" AUDIENCE "\"}",
                                      http_server_address(world->f->server, 0));
    AUTO_FREE char *header = text_new("{\"alg\":\"RS256\",\"kid\":\"one\",\"jku\":\"http://%s/k\"}",
                                      http_server_address(world->f->server, 0));
    AUTO_TEXT struct text token = {0};
    signer_token(world->signer, header, claims, &token);
    AUTO_FREE char *line = text_new("Authorization: Bearer %s\r\n", token.data);
    struct http_server_counters counters;
    assert_int_equal(
        status_of(world->f, &(struct sent){.path = "/hooks/safe", .headers = line, .body = PUSH}),
        401);
    http_server_counters(world->f->server, &counters);
    assert_int_equal(counters.connections, 1);
    assert_int_equal(stub_count(&world->stub, "{", NULL), 0);
}

#define FETCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FETCH_TEST(a_certificate_is_fetched_once),
        FETCH_TEST(several_wait_for_one_certificate),
        FETCH_TEST(a_listed_topic_is_confirmed),
        FETCH_TEST(a_refused_confirmation_is_asked_again),
        FETCH_TEST(a_foreign_topic_makes_no_connection),
        FETCH_TEST(what_is_not_signed_is_not_read),
        FETCH_TEST(no_address_of_a_message_is_followed),
        FETCH_TEST(strangers_do_not_make_it_ask_for_ever),
        FETCH_TEST(the_client_left_before_the_key_came),
        FETCH_TEST(freed_while_a_key_is_fetched),
        FETCH_TEST(reloaded_while_a_key_is_fetched),
        FETCH_TEST(reloaded_and_freed_while_it_confirms),
        FETCH_TEST(a_key_set_is_fetched_once),
        FETCH_TEST(a_new_key_is_found),
        FETCH_TEST(a_foreign_issuer_makes_no_connection),
        cmocka_unit_test_setup_teardown(an_untrusted_publisher_proves_nothing, setup_untrusted,
                                        teardown),
    };
    return cmocka_run_group_tests_name("fetching", tests, NULL, NULL);
}
