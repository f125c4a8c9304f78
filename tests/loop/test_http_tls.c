/* TLS in both directions, with certificates made for the run. */
#include "http_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "http_server_private.h"

static struct certificates made;
static struct world world;

static int make_certificates(void **state)
{
    (void)state;
    return certificates_make(&made) ? 0 : -1;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_remove(&made);
    return 0;
}

struct outcome {
    unsigned called;
    int status;
    bool sent;
    struct error error;
    struct text body;
};

static void on_done(void *argument, const struct http_response *response)
{
    struct outcome *outcome = argument;
    outcome->called++;
    outcome->status = response->status;
    outcome->sent = response->sent;
    outcome->error = response->error;
    if (response->body_size > 0)
        text_add(&outcome->body, response->body);
}

static bool was_called(void *argument)
{
    return ((struct outcome *)argument)->called > 0;
}

static void open_tls(bool wants_clients)
{
    world_open(&world, &(struct http_server_options){
                           .tls_certificate_file = made.server,
                           .tls_key_file = made.server_key,
                           .tls_client_ca_file = wants_clients ? made.ca : NULL,
                           .request_timeout_ms = 500,
                       });
    world_listen(&world, "127.0.0.1:0");
}

static void ask(const struct http_client_options *options, const char *host, struct outcome *ret)
{
    struct http_client *client;
    AUTO_FREE char *url = text_new("https://%s:%u/tls", host, world_port(&world));
    *ret = (struct outcome){0};
    assert_int_equal(http_client_new(world.loop, options, &client, NULL), 0);
    http_client_send(client, &(struct http_request){.method = "GET", .url = url}, on_done, ret);
    assert_true(world_wait(&world, was_called, ret));
    http_client_free(client);
    assert_int_equal(ret->called, 1);
}

static void trusted_servers_are_asked(void **state)
{
    (void)state;
    open_tls(false);
    struct outcome outcome;
    ask(&(struct http_client_options){.ca_file = made.ca}, "127.0.0.1", &outcome);
    assert_int_equal(outcome.status, 200);
    assert_string_equal(text_data(&outcome.body), "<GET /tls|>");
    text_release(&outcome.body);
    world_close(&world);
}

static void other_servers_are_denied_with_a_hint(void **state)
{
    (void)state;
    open_tls(false);
    struct outcome outcome;
    const struct http_client_options unknown_ca = {.ca_file = made.other_ca};
    ask(&unknown_ca, "127.0.0.1", &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);
    assert_false(outcome.sent);
    assert_non_null(strstr(outcome.error.hint, "CA file"));

    ask(&(struct http_client_options){0}, "127.0.0.1", &outcome); /* the system's */
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);

    ask(&(struct http_client_options){.ca_file = made.ca}, "localhost", &outcome); /* other name */
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);
    assert_int_equal(world.handled, 0);
    world_close(&world);
}

static char *subject;

static void remember_subject(void *argument, struct http_exchange *exchange)
{
    (void)argument;
    free(subject);
    subject = memory_copy_text(http_exchange_client_subject(exchange));
    http_exchange_reply(exchange, 204, NULL, NULL, NULL, 0);
}

static void clients_are_required_and_known(void **state)
{
    (void)state;
    open_tls(true);
    world.server->handler = remember_subject;
    struct outcome outcome;
    ask(&(struct http_client_options){.ca_file = made.ca}, "127.0.0.1", &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_DENIED);
    assert_non_null(strstr(outcome.error.hint, "client certificate"));
    assert_null(subject);

    const struct http_client_options known = {
        .ca_file = made.ca,
        .client_certificate_file = made.client,
        .client_key_file = made.client_key,
    };
    ask(&known, "127.0.0.1", &outcome);
    assert_int_equal(outcome.status, 204);
    assert_string_equal(subject, "CN=gate one,O=tests");
    free(subject);
    subject = NULL;
    world_close(&world);
}

static void without_client_ca_there_is_no_subject(void **state)
{
    (void)state;
    open_tls(false);
    world.server->handler = remember_subject;
    struct outcome outcome;
    const struct http_client_options known = {
        .ca_file = made.ca,
        .client_certificate_file = made.client,
        .client_key_file = made.client_key,
    };
    ask(&known, "127.0.0.1", &outcome);
    assert_int_equal(outcome.status, 204);
    assert_null(subject);
    world_close(&world);
}

static void plain_requests_on_a_tls_port_are_dropped(void **state)
{
    (void)state;
    open_tls(false);
    struct raw raw;
    raw_open(&raw, &world);
    raw_send(&raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(raw_wait_closed(&raw));
    assert_null(strstr(text_data(&raw.got), "HTTP/1.1"));
    raw_close(&raw);

    struct raw silent; /* a handshake that never comes ends at the request's deadline */
    raw_open(&silent, &world);
    assert_true(raw_wait_closed(&silent));
    raw_close(&silent);
    assert_int_equal(world.handled, 0);
    world_close(&world);
}

static void a_plain_server_is_no_tls_server(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){0});
    world_listen(&world, "127.0.0.1:0");
    struct outcome outcome;
    ask(&(struct http_client_options){.ca_file = made.ca}, "127.0.0.1", &outcome);
    assert_int_equal(outcome.error.kind, FAILURE_LATER);
    assert_non_null(strstr(outcome.error.hint, "speaks TLS"));
    world_close(&world);
}

static void large_bodies_pass(void **state)
{
    (void)state;
    open_tls(false);
    world.reply_size = 3 * 1024 * 1024;
    struct http_client *client;
    struct http_client_options options = {.ca_file = made.ca};
    struct outcome outcome = {0};
    AUTO_FREE char *url = text_new("https://127.0.0.1:%u/large", world_port(&world));
    assert_int_equal(http_client_new(world.loop, &options, &client, NULL), 0);
    struct http_request request = {.method = "GET", .url = url, .max_body_bytes = 4 * 1024 * 1024};
    for (unsigned i = 1; i <= 3; i++) { /* the second and third on the same connection */
        text_clear(&outcome.body);
        outcome.called = 0;
        http_client_send(client, &request, on_done, &outcome);
        assert_true(world_wait(&world, was_called, &outcome));
        assert_int_equal(outcome.body.length, world.reply_size);
    }
    AUTO_FREE char *body = memory_new(900000);
    memset(body, 'b', 900000);
    request.method = "POST";
    request.body = body;
    request.body_size = 900000;
    outcome.called = 0;
    http_client_send(client, &request, on_done, &outcome);
    assert_true(world_wait(&world, was_called, &outcome));
    assert_int_equal(world.last_body.length, 900000);
    struct http_server_counters counters;
    http_server_counters(world.server, &counters);
    assert_int_equal(counters.connections, 2); /* writes take a connection of their own */
    text_release(&outcome.body);
    http_client_free(client);
    world_close(&world);
}

/* A client of our own, so that it can offer what the real one never would. */
static bool can_shake_hands(int max_version)
{
    struct raw raw;
    raw_open(&raw, &world);
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(tls, max_version);
    SSL_CTX_set_security_level(tls, 0);
    SSL *ssl = SSL_new(tls);
    SSL_set_fd(ssl, raw.fd);
    int result = -1;
    for (unsigned i = 0; i < 100 && result != 1; i++) {
        result = SSL_connect(ssl);
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            break;
        world_sleep(&world, 5);
    }
    SSL_free(ssl);
    SSL_CTX_free(tls);
    raw_close(&raw);
    return result == 1;
}

static void old_versions_are_refused(void **state)
{
    (void)state;
    open_tls(false);
    assert_true(can_shake_hands(TLS1_3_VERSION));
    assert_true(can_shake_hands(TLS1_2_VERSION));
    assert_false(can_shake_hands(TLS1_1_VERSION));
    assert_false(can_shake_hands(TLS1_VERSION));
    world_close(&world);
}

static void replace(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

static void reload_takes_new_files_and_keeps_the_old_on_failure(void **state)
{
    (void)state;
    open_tls(false);
    struct error err = {0};
    assert_int_equal(http_server_reload_tls(world.server, &err), 0);
    AUTO_FREE char *aside = text_new("%s.aside", made.server_key);
    replace(made.server_key, aside);
    assert_int_equal(http_server_reload_tls(world.server, &err), FAILURE_INPUT);
    assert_non_null(strstr(err.text, made.server_key));
    struct outcome outcome;
    ask(&(struct http_client_options){.ca_file = made.ca}, "127.0.0.1", &outcome);
    assert_int_equal(outcome.status, 200);
    text_release(&outcome.body);
    replace(aside, made.server_key);
    world_close(&world);
}

static void unusable_files_are_named(void **state)
{
    (void)state;
    world_open(&world, &(struct http_server_options){0});
    const struct http_server_options rows[] = {
        {.tls_certificate_file = "/nonexistent", .tls_key_file = made.server_key},
        {.tls_certificate_file = made.server_key, .tls_key_file = made.server_key},
        {.tls_certificate_file = made.server, .tls_key_file = made.client_key},
        {.tls_certificate_file = made.server, .tls_key_file = NULL},
        {.tls_certificate_file = made.server,
         .tls_key_file = made.server_key,
         .tls_client_ca_file = "/nonexistent"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_server *server = NULL;
        struct error err = {0};
        assert_int_equal(
            http_server_new(world.loop, &rows[i], remember_subject, NULL, &server, &err),
            FAILURE_INPUT);
        assert_null(server);
        assert_string_not_equal(err.text, "");
    }
    const struct http_client_options clients[] = {
        {.ca_file = "/nonexistent"},
        {.client_certificate_file = "/nonexistent"},
        {.client_certificate_file = made.client, .client_key_file = "/nonexistent"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        struct http_client *client = NULL;
        struct error err = {0};
        assert_int_equal(http_client_new(world.loop, &clients[i], &client, &err), FAILURE_SYSTEM);
        assert_non_null(strstr(err.text, "/nonexistent"));
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusted_servers_are_asked),
        cmocka_unit_test(other_servers_are_denied_with_a_hint),
        cmocka_unit_test(clients_are_required_and_known),
        cmocka_unit_test(without_client_ca_there_is_no_subject),
        cmocka_unit_test(plain_requests_on_a_tls_port_are_dropped),
        cmocka_unit_test(a_plain_server_is_no_tls_server),
        cmocka_unit_test(large_bodies_pass),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(reload_takes_new_files_and_keeps_the_old_on_failure),
        cmocka_unit_test(unusable_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
