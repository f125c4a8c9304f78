/* The common part of the tests of Amazon ECR. */
#include "ecr_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "internal.h"

static char region[] = "eu-central-1";
static char prefix[] = "quarantine";
static char name[] = "stub";
static char profile[] = "default";

static char *write_credentials(void)
{
    static const char text[] = "[default]\naws_access_key_id = AKIDEXAMPLE\n"
                               "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
    char template[] = "/tmp/regwarden-aws-XXXXXX";
    int fd = mkstemp(template);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
    close(fd);
    return memory_copy_text(template);
}

bool ecr_world_open(struct ecr_world *world, const char *script, const char *scenario,
                    bool with_host)
{
    struct client *client = &world->client;
    struct config_registry *settings = &client->settings;
    struct error error = {0};

    *world = (struct ecr_world){0};
    if (!stub_start_script(&client->stub, script, scenario))
        return false;
    assert_int_equal(loop_new(&client->loop, &error), 0);
    world->credentials = write_credentials();
    world->endpoint = memory_copy_text(client->stub.url);
    settings->name = name;
    settings->type = REGISTRY_TYPE_ECR;
    settings->url = memory_copy_text(client->stub.url);
    settings->concurrency = 4;
    settings->timeout_ms = 5000;
    settings->quarantine_prefix = prefix;
    settings->quarantine_means = QUARANTINE_COPY;
    settings->aws.region = region;
    settings->aws.credentials = AWS_CREDENTIALS_FILE;
    settings->aws.credentials_file = world->credentials;
    settings->aws.profile = profile;
    settings->aws.ecr_endpoint = world->endpoint;
    if (with_host)
        text_list_add(&settings->hosts, stub_value(&client->stub, "host"));
    client->tuning = client_tuning;
    if (registry_new_tuned(client->loop, settings, &client->tuning, &client->registry, &error) < 0)
        fail_msg("%s", error.text);
    return true;
}

void ecr_world_close(struct ecr_world *world)
{
    /* Field names and types are AWS's own, where its model is there to ask. */
    assert_int_equal(stub_count(&world->client.stub, "\"invalid\"", NULL), 0);
    text_list_release(&world->client.settings.hosts);
    unlink(world->credentials);
    free(world->credentials);
    client_close(&world->client);
    free(world->endpoint);
}

void ecr_world_take(void *argument, const struct registry_page *page)
{
    struct ecr_rows_seen *rows = argument;

    assert_false(rows->done);
    rows->done = true;
    free(rows->cursor);
    rows->cursor = NULL;
    if (page->error) {
        rows->error = *page->error;
        return;
    }
    for (size_t i = 0; i < page->row_count; i++) {
        text_list_add(&rows->tags, page->rows[i].tag ? page->rows[i].tag : "");
        assert_true(digest_is_set(&page->rows[i].digest));
        assert_true(page->rows[i].pushed_ms > 0);
    }
    for (size_t i = 0; page->repositories && i < page->repositories->count; i++)
        text_list_add(&rows->repositories, page->repositories->items[i]);
    rows->cursor = memory_copy_text(page->cursor);
}

static bool are_done(void *rows)
{
    return ((struct ecr_rows_seen *)rows)->done;
}

void ecr_world_wait(struct ecr_world *world, struct ecr_rows_seen *rows)
{
    assert_true(loop_run_until(world->client.loop, are_done, rows, 20000));
    rows->done = false;
}

void ecr_world_release_rows(struct ecr_rows_seen *rows)
{
    text_list_release(&rows->tags);
    text_list_release(&rows->repositories);
    free(rows->cursor);
    *rows = (struct ecr_rows_seen){0};
}
