/* See endpoint_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "endpoint_fixture.h"

#include "regwarden/file.h"

static char name_open[] = "open", name_safe[] = "safe", name_key[] = "key";
static char dialect_auto[] = "auto", dialect_harbor[] = "harbor";
static char header_key[] = "X-Api-Key", header_authorization[] = "Authorization";

static void on_accept(void *argument, const struct event *events, size_t count)
{
    struct fixture *f = argument;
    f->accepted += count;
    assert_true(events[0].id > 0);
}

static void on_changed(void *argument, const char *registry)
{
    struct fixture *f = argument;
    snprintf(f->changed, sizeof(f->changed), "%s", registry);
    f->changed_count++;
}

static void on_request(void *argument, struct http_exchange *exchange)
{
    struct fixture *f = argument;
    if (intake_handle(f->intake, exchange))
        return;
    f->not_ours++;
    http_exchange_reply_text(exchange, 418, "not of the intake");
}

static void fill_config(struct fixture *f)
{
    f->registries[0] = (struct config_registry){
        .name = name_open, .dialect = dialect_auto, .hook_secret_header = header_authorization};
    f->registries[1] = (struct config_registry){.name = name_safe,
                                                .dialect = dialect_auto,
                                                .hook_secret_file = f->secret_path,
                                                .hook_secret_header = header_authorization};
    f->registries[2] = (struct config_registry){.name = name_key,
                                                .dialect = dialect_harbor,
                                                .hook_secret_file = f->secret_path,
                                                .hook_secret_header = header_key};
    f->config = (struct config){.registries = f->registries, .registry_count = 3};
}

int endpoint_setup(void **state)
{
    struct fixture *f = memory_new(sizeof(*f));
    struct error err = {0};
    fake_store_reset();
    snprintf(f->directory, sizeof(f->directory), "/tmp/intake-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->secret_path = text_new("%s/secret", f->directory);
    assert_int_equal(file_write(f->secret_path, SECRET "\n", strlen(SECRET) + 1, 0600, &err), 0);
    fill_config(f);
    assert_int_equal(loop_new(&f->loop, &err), 0);
    struct http_server_options server = {0};
    assert_int_equal(http_server_new(f->loop, &server, on_request, f, &f->server, &err), 0);
    assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
    struct intake_options options = {.config = &f->config,
                                     .server = f->server,
                                     .accept = on_accept,
                                     .instance_changed = on_changed,
                                     .argument = f};
    assert_int_equal(intake_new(&options, &f->intake, &err), 0);
    *state = f;
    return 0;
}

int endpoint_teardown(void **state)
{
    struct fixture *f = *state;
    intake_free(f->intake);
    http_server_free(f->server);
    fake_store_answer();
    loop_free(f->loop);
    unlink(f->secret_path);
    rmdir(f->directory);
    free(f->secret_path);
    free(f);
    fake_store_reset();
    return 0;
}

/* --- sending --- */

void write_request(const struct sent *sent, struct text *to)
{
    size_t size = sent->body == NULL ? 0 : sent->size > 0 ? sent->size : strlen(sent->body);
    text_format(to, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n",
                sent->method == NULL ? "POST" : sent->method, sent->path, size);
    text_add(to, sent->headers == NULL ? "" : sent->headers);
    text_add(to, "\r\n");
    text_add_bytes(to, sent->body == NULL ? "" : sent->body, size);
}

int exchange(struct fixture *f, const struct sent *sent, struct text *answer)
{
    AUTO_TEXT struct text request = {0};
    write_request(sent, &request);
    return raw_exchange(f->loop, http_server_address(f->server, 0), &request, answer);
}

int status_of(struct fixture *f, const struct sent *sent)
{
    AUTO_TEXT struct text answer = {0};
    return exchange(f, sent, &answer);
}

int post(struct fixture *f, const char *path, const char *body)
{
    return status_of(f, &(struct sent){.path = path, .body = body});
}

struct intake_counters counters_of(const struct fixture *f)
{
    struct intake_counters counters;
    intake_counters(f->intake, &counters);
    return counters;
}
