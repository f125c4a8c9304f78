/* See fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "regwarden/file.h"

static const char *const shown_headers[] = {"Host",
                                            "Authorization",
                                            "Content-Type",
                                            "X-Amz-Date",
                                            "X-Amz-Target",
                                            "X-Amz-Security-Token",
                                            "X-aws-ec2-metadata-token",
                                            "X-aws-ec2-metadata-token-ttl-seconds"};

static void keep_request(struct fixture *fixture, struct http_exchange *exchange)
{
    struct text request = {0};
    size_t size = 0;
    const char *body = http_exchange_body(exchange, &size);

    text_format(&request, "%s %s\n", http_exchange_method(exchange),
                http_exchange_target(exchange));
    for (size_t i = 0; i < ARRAY_COUNT(shown_headers); i++) {
        const char *value = http_exchange_header(exchange, shown_headers[i]);

        if (value)
            text_format(&request, "%s: %s\n", shown_headers[i], value);
    }
    text_add_char(&request, '\n');
    text_add_bytes(&request, body, size);
    text_list_add_take(&fixture->requests, text_take(&request));
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    struct fixture *fixture = argument;
    size_t last = fixture->answer_count - 1;
    const struct prepared *answer =
        &fixture->answers[fixture->asked < last ? fixture->asked : last];
    struct http_reply_header headers[3] = {{NULL, NULL}};
    size_t count = 0;

    assert_true(fixture->answer_count > 0);
    fixture->asked++;
    keep_request(fixture, exchange);
    if (answer->keeps)
        return;
    if (answer->date)
        headers[count++] = (struct http_reply_header){"Date", answer->date};
    if (answer->type)
        headers[count++] = (struct http_reply_header){"x-amzn-errortype", answer->type};
    http_exchange_reply(exchange, answer->status, headers, "application/x-amz-json-1.1",
                        answer->body, strlen(answer->body));
}

void fixture_open(struct fixture *fixture)
{
    struct error err = {0};

    *fixture = (struct fixture){.directory = "/tmp/regwarden-aws-XXXXXX"};
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(loop_new(&fixture->loop, &err), 0);
    assert_int_equal(http_server_new(fixture->loop, &(struct http_server_options){0}, on_request,
                                     fixture, &fixture->server, &err),
                     0);
    assert_int_equal(http_server_listen(fixture->server, "127.0.0.1:0", &err), 0);
    fixture->url = text_new("http://%s", http_server_address(fixture->server, 0));
    fixture->tuning = (struct aws_tuning){
        .attempts = 4,
        .backoff_first_ms = 5,
        .backoff_max_ms = 20,
        .skew_min_ms = 240000,
        .renew_before_ms = 600000,
        .expired_before_ms = 15000,
        .file_reread_ms = 300000,
        .fetch_pause_ms = 30,
        .fetch_attempts = 3,
        .metadata_timeout_ms = 500,
    };
    fixture->settings = (struct config_aws){
        .region = memory_copy_text("eu-central-1"),
        .profile = memory_copy_text("default"),
        .ecr_endpoint = memory_copy_text(fixture->url),
        .sts_endpoint = memory_copy_text(fixture->url),
        .metadata_endpoint = memory_copy_text(fixture->url),
    };
}

void fixture_close(struct fixture *fixture)
{
    aws_free(fixture->aws);
    http_server_free(fixture->server);
    loop_free(fixture->loop);
    free(fixture->settings.region);
    free(fixture->settings.profile);
    free(fixture->settings.ecr_endpoint);
    free(fixture->settings.sts_endpoint);
    free(fixture->settings.metadata_endpoint);
    free(fixture->settings.credentials_file);
    free(fixture->settings.role_arn);
    free(fixture->settings.web_identity_token_file);
    free(fixture->url);
    text_list_release(&fixture->requests);
    {
        struct text_list files = {0};

        assert_int_equal(file_list(fixture->directory, NULL, &files, NULL), 0);
        for (size_t i = 0; i < files.count; i++)
            (void)unlink(files.items[i]);
        text_list_release(&files);
    }
    (void)rmdir(fixture->directory);
    *fixture = (struct fixture){0};
}

void fixture_start(struct fixture *fixture)
{
    struct error err = {0};

    if (aws_new_tuned(fixture->loop, &fixture->settings, NULL, &fixture->tuning, &fixture->aws,
                      &err) < 0)
        fail_msg("%s", err.text);
}

void fixture_answer(struct fixture *fixture, const struct prepared *answer)
{
    assert_true(fixture->answer_count < ANSWERS_MAX);
    fixture->answers[fixture->answer_count++] = *answer;
}

char *fixture_write(struct fixture *fixture, const char *name, const char *content)
{
    char *path = text_new("%s/%s", fixture->directory, name);

    assert_int_equal(file_write(path, content, strlen(content), 0600, NULL), 0);
    return path;
}

void fixture_write_credentials(struct fixture *fixture, const char *content)
{
    free(fixture->settings.credentials_file);
    fixture->settings.credentials_file = fixture_write(fixture, "credentials", content);
}

void outcome_take(void *argument, const struct aws_answer *answer)
{
    struct outcome *outcome = argument;

    outcome->called++;
    outcome->status = answer->status;
    if (answer->error)
        outcome->error = *answer->error;
    free(outcome->type);
    outcome->type = memory_copy_text(answer->error_type);
    text_clear(&outcome->body);
    if (answer->body)
        json_write(answer->body, JSON_COMPACT, &outcome->body);
}

void outcome_release(struct outcome *outcome)
{
    free(outcome->type);
    text_release(&outcome->body);
}

uint64_t fixture_call(struct fixture *fixture, bool writes, struct outcome *outcome)
{
    AUTO_JSON struct json *input = json_new_object();
    uint64_t id;

    json_set_integer(input, "a", 1);
    id =
        aws_send(fixture->aws,
                 &(struct aws_call){.service = "ecr",
                                    .target = "AmazonEC2ContainerRegistry_V20150921.DescribeImages",
                                    .json_version = "1.1",
                                    .input = input,
                                    .writes = writes},
                 outcome_take, outcome);
    assert_int_not_equal(id, 0);
    assert_int_equal(outcome->called, 0); /* never from within the call */
    return id;
}

static bool was_called(void *outcome)
{
    return ((const struct outcome *)outcome)->called > 0;
}

void fixture_wait(struct fixture *fixture, const struct outcome *outcome)
{
    struct outcome *watched = (struct outcome *)(uintptr_t)outcome;

    if (!loop_run_until(fixture->loop, was_called, watched, 10000))
        fail_msg("no answer came");
    assert_int_equal(outcome->called, 1);
}

static bool never(void *argument)
{
    (void)argument;
    return false;
}

void fixture_run(struct fixture *fixture, int64_t ms)
{
    (void)loop_run_until(fixture->loop, never, NULL, ms);
}
