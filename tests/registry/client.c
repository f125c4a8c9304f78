/* The common part of all tests that talk to a registry. */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "regwarden/clock.h"
#include "regwarden/file.h"

#include "internal.h"

const struct registry_tuning client_tuning = {
    .attempts = 4,
    .backoff_first_ms = 5,
    .backoff_max_ms = 20,
    .hold_max_ms = 3000,
    .breaker_failures = 6,
    .breaker_open_ms = 300,
    .breaker_open_max_ms = 600,
    .slowest_bytes_per_s = 16 * 1024,
    .max_redirects = 5,
    .max_pages = 20,
};

static char *write_password(const char *password)
{
    char template[] = "/tmp/regwarden-secret-XXXXXX";
    int fd = mkstemp(template);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, password, strlen(password)), (ssize_t)strlen(password));
    close(fd);
    return memory_copy_text(template);
}

static void set_settings(struct client *client, const struct client_options *options)
{
    struct config_registry *settings = &client->settings;
    const char *secure = text_pairs_get(&client->stub.values, "secure-url");
    static char name[] = "stub";
    static char user[] = "robot";

    settings->name = name;
    settings->url = memory_copy_text(options->url ? options->url
                                     : secure     ? secure
                                                  : client->stub.url);
    settings->type = options->find_type ? REGISTRY_TYPE_AUTO : REGISTRY_TYPE_OCI;
    settings->concurrency = options->concurrency ? options->concurrency : 4;
    settings->timeout_ms = options->timeout_ms ? options->timeout_ms : 2000;
    settings->ca_file = memory_copy_text(
        secure && !options->distrust ? stub_value(&client->stub, "authority") : NULL);
    if (options->token_realm)
        text_list_add(&settings->token_realms, options->token_realm);
    if (options->with_password || options->password) {
        client->password_path =
            write_password(options->password ? options->password : "correct horse");
        settings->username = user;
        settings->password_file = client->password_path;
    }
}

void client_open(struct client *client, const char *scenario, const struct client_options *options)
{
    static const struct client_options usual = {0};
    struct error error = {0};

    *client = (struct client){0};
    options = options ? options : &usual;
    if (!options->url && !stub_start_script(&client->stub, "stub_registry.py", scenario))
        skip();
    assert_int_equal(loop_new(&client->loop, &error), 0);
    set_settings(client, options);
    client->tuning = options->tuning ? *options->tuning : client_tuning;
    if (registry_new_tuned(client->loop, &client->settings, &client->tuning, &client->registry,
                           &error) < 0)
        fail_msg("%s", error.text);
}

void client_close(struct client *client)
{
    registry_free(client->registry);
    loop_free(client->loop);
    stub_stop(&client->stub);
    if (client->password_path)
        unlink(client->password_path);
    free(client->password_path);
    free(client->settings.url);
    free(client->settings.ca_file);
    text_list_release(&client->settings.token_realms);
    *client = (struct client){0};
}

void result_take(void *argument, const struct registry_answer *answer)
{
    struct result *result = argument;

    assert_false(result->done);
    result->calls++;
    result->done = !answer->more;
    if (answer->error) {
        result->error = *answer->error;
        return;
    }
    assert_null(result->bytes);
    if (answer->bytes)
        result->bytes = memory_copy_bytes(answer->bytes, answer->size);
    result->size = answer->size;
    free(result->media_type);
    result->media_type = memory_copy_text(answer->media_type);
    result->digest = answer->digest;
    result->mounted = answer->mounted;
    for (size_t i = 0; answer->names && i < answer->names->count; i++)
        text_list_add(&result->names, answer->names->items[i]);
}

void result_release(struct result *result)
{
    free(result->bytes);
    free(result->media_type);
    text_list_release(&result->names);
    *result = (struct result){0};
}

static bool is_done(void *result)
{
    return ((const struct result *)result)->done;
}

void client_wait(struct client *client, struct result *result)
{
    assert_false(result->done); /* never from within the call */
    if (!loop_run_until(client->loop, is_done, result, 20000))
        fail_msg("no answer came");
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

void client_run_for(struct client *client, int64_t ms)
{
    (void)loop_run_until(client->loop, never, NULL, ms);
}

void client_fetch(struct client *client, const char *reference, struct result *ret)
{
    result_release(ret);
    assert_true(registry_fetch_manifest(client->registry, "app", reference, result_take, ret) > 0);
    client_wait(client, ret);
}

void client_fetch_config(struct client *client, struct result *ret)
{
    struct digest digest;
    uint64_t size;

    result_release(ret);
    assert_int_equal(digest_parse(stub_value(&client->stub, "config"), &digest, NULL), 0);
    assert_int_equal(
        text_parse_uint(stub_value(&client->stub, "config-size"), UINT64_MAX, &size, NULL), 0);
    (void)registry_fetch_blob(client->registry, "app", &digest, size, result_take, ret);
    client_wait(client, ret);
}

void expect_failure(const struct result *result, enum failure kind, const char *part)
{
    if (result->error.kind != kind)
        fail_msg("%s instead of %s: %s", failure_name(result->error.kind), failure_name(kind),
                 result->error.text);
    if (!strstr(result->error.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, result->error.text);
}

void expect_success(const struct result *result)
{
    if (result->error.kind != FAILURE_NONE)
        fail_msg("%s: %s", failure_name(result->error.kind), result->error.text);
}

void expect_digest(const struct digest *digest, const char *text)
{
    char buffer[DIGEST_TEXT_SIZE];

    assert_string_equal(digest_format(digest, buffer), text);
}
