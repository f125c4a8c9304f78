/* Recorded and documented payloads of every sender: each file has a row that says what comes out of
 * it (samples.c), and each is shown to every dialect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode.h"
#include "outcome.h"
#include "samples.h"

#include "regwarden/file.h"

static char registry_name[] = "main";
static char nobody_url[] = "https://registry.example";

/* One body of a file, with the headers that it came with. */
struct sample_body {
    struct text_pairs headers;
    struct text bytes;
};

struct sample_bodies {
    struct sample_body items[16];
    size_t count;
};

static struct sample_body *add_body(struct sample_bodies *bodies)
{
    assert_true(bodies->count < ARRAY_COUNT(bodies->items));
    return &bodies->items[bodies->count++];
}

static void bodies_release(struct sample_bodies *bodies)
{
    for (size_t i = 0; i < bodies->count; i++) {
        text_pairs_release(&bodies->items[i].headers);
        text_release(&bodies->items[i].bytes);
    }
    *bodies = (struct sample_bodies){0};
}

static void add_header(struct sample_body *body, const char *name, const char *value)
{
    AUTO_FREE char *lower = decode_lower(memory_copy_text(name));
    text_pairs_add(&body->headers, lower, value);
}

/* {"headers": {…}, "body": {…}}: the header is half of the message. */
static void read_with_headers(const struct json *document, struct sample_bodies *to)
{
    struct sample_body *body = add_body(to);
    const struct json *headers = json_get(document, "headers");
    for (void *i = json_iterate(headers); i != NULL; i = json_next(headers, i))
        add_header(body, json_iterator_key(i), json_string(json_iterator_value(i)));
    json_write(json_get(document, "body"), JSON_COMPACT, &body->bytes);
}

/* A series of requests as they were captured. */
static void read_captured(const struct json *document, struct sample_bodies *to)
{
    const struct json *requests = json_get(document, "requests");
    for (size_t i = 0; i < json_count(requests); i++) {
        struct sample_body *body = add_body(to);
        const struct json *headers = json_get(json_at(requests, i), "headers");
        for (size_t k = 0; k < json_count(headers); k++)
            add_header(body, json_string(json_at(json_at(headers, k), 0)),
                       json_string(json_at(json_at(headers, k), 1)));
        text_add(&body->bytes, json_get_string(json_at(requests, i), "body_raw"));
    }
}

/* An answer of SQS: each of its messages is a notification. */
static void read_polled(const struct json *document, struct sample_bodies *to)
{
    const struct json *messages = json_get(document, "Messages");
    for (size_t i = 0; i < json_count(messages); i++)
        text_add(&add_body(to)->bytes, json_get_string(json_at(messages, i), "Body"));
}

static void read_sample(const char *path, struct sample_bodies *to)
{
    AUTO_TEXT struct text content = {0};
    AUTO_JSON struct json *document = NULL;
    assert_int_equal(file_read(path, 1 << 20, &content, NULL), 0);
    assert_int_equal(json_parse(content.data, content.length, NULL, &document, NULL), 0);
    const char *file = strrchr(path, '/') + 1;
    if (json_get(document, "headers") != NULL && json_get(document, "body") != NULL)
        read_with_headers(document, to);
    else if (json_get(document, "requests") != NULL)
        read_captured(document, to);
    else if (json_get(document, "Messages") != NULL)
        read_polled(document, to);
    else
        text_add(&add_body(to)->bytes, content.data);
    if (text_starts_with(file, "github-"))
        add_header(&to->items[0], "x-github-event",
                   strstr(file, "registry_package") != NULL ? "registry_package" : "package");
    if (text_starts_with(file, "sns-"))
        add_header(&to->items[0], "content-type", "text/plain; charset=UTF-8");
    if (text_starts_with(file, "eventgrid-cloudevents-"))
        add_header(&to->items[0], "content-type", "application/cloudevents-batch+json");
}

static struct hook_message message_of(const struct sample_body *body)
{
    struct hook_message message = {
        .headers = &body->headers, .bytes = body->bytes.data, .size = body->bytes.length};
    message.content_type = hook_message_header(&message, "content-type");
    return message;
}

/* --- outcomes --- */

struct described {
    const struct decoder *decoder; /* of the last body */
    struct text text;
    size_t events;
};

static void decode_sample(const struct sample_bodies *bodies, const char *url, const char *dialect,
                          struct described *ret)
{
    AUTO_FREE char *own_url = memory_copy_text(url);
    AUTO_FREE char *own_dialect = memory_copy_text(dialect);
    struct config_registry registry = {
        .name = registry_name, .url = own_url, .dialect = own_dialect};
    for (size_t i = 0; i < bodies->count; i++) {
        struct hook_message message = message_of(&bodies->items[i]);
        struct decode_input input = {.registry = &registry, .message = &message};
        struct decoded decoded = {0};
        struct error err = {0};
        if (decode_body(&input, &decoded, &ret->decoder, &err) != 0)
            text_format(&ret->text, "not understood: %s\n", err.text);
        outcome_describe(&decoded, &ret->text);
        ret->events += decoded.count;
        decoded_release(&decoded);
    }
}

/* --- the tests --- */

static const struct sample *sample_find(const char *file)
{
    for (const struct sample *sample = samples; sample->file != NULL; sample++) {
        if (text_equal(sample->file, file))
            return sample;
    }
    fail_msg("%s is not in the table of expected outcomes", file);
    return NULL;
}

static void check_outcome(const struct sample *sample, const struct sample_bodies *bodies,
                          const char *dialect)
{
    struct described got = {0};
    decode_sample(bodies, sample->url == NULL ? nobody_url : sample->url, dialect, &got);
    const char *name = got.decoder == NULL ? NULL : got.decoder->name;
    if (!text_equal(text_data(&got.text), sample->outcome))
        fail_msg("%s as \"%s\":\n%s", sample->file, dialect, text_data(&got.text));
    /* a queue holds bodies of two dialects */
    if (!text_equal(name, sample->dialect) && !text_starts_with(sample->file, "sqs-"))
        fail_msg("%s is of the dialect %s", sample->file, name == NULL ? "(none)" : name);
    text_release(&got.text);
}

/* Where a payload names the registry, nothing of it happens at another's hook. */
static void check_elsewhere(const struct sample *sample, const struct sample_bodies *bodies)
{
    struct described got = {0};
    if (sample->url == NULL)
        return;
    decode_sample(bodies, nobody_url, "auto", &got);
    if (got.events > 0)
        fail_msg("%s was taken for the registry of another:\n%s", sample->file,
                 text_data(&got.text));
    text_release(&got.text);
}

static void check_recognised(const struct sample *sample, const struct sample_body *body)
{
    struct hook_message message = message_of(body);
    AUTO_JSON struct json *parsed = NULL;
    size_t count = 0;
    assert_int_equal(message_parse_body(&message, &parsed, NULL), 0);
    message.body = parsed;
    for (size_t i = 0; decoders[i] != NULL; i++)
        count += decoders[i]->recognises(&message) ? 1 : 0;
    if (count != (sample->dialect == NULL ? 0 : 1))
        fail_msg("%s is recognised by %zu dialects", sample->file, count);
}

static void check_sample(const char *path)
{
    const struct sample *sample = sample_find(strrchr(path, '/') + 1);
    struct sample_bodies bodies = {0};
    read_sample(path, &bodies);
    check_outcome(sample, &bodies, "auto");
    if (sample->dialect != NULL)
        check_outcome(sample, &bodies, sample->dialect);
    check_elsewhere(sample, &bodies);
    for (size_t i = 0; i < bodies.count; i++)
        check_recognised(sample, &bodies.items[i]);
    bodies_release(&bodies);
}

static void every_sample_gives_what_the_table_says(void **state)
{
    (void)state;
    const char *root = getenv("REGWARDEN_SHARED_DATA");
    if (root == NULL)
        skip();
    AUTO_FREE char *directory = text_new("%s/events", root);
    AUTO_TEXT_LIST struct text_list files = {0};
    struct error err = {0};
    size_t rows = 0;
    if (file_list(directory, ".json", &files, &err) != 0)
        fail_msg("%s", err.text);
    while (samples[rows].file != NULL)
        rows++;
    assert_int_equal(files.count, rows);
    for (size_t i = 0; i < files.count; i++)
        check_sample(files.items[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gives_what_the_table_says),
    };
    return cmocka_run_group_tests_name("recorded payloads", tests, NULL, NULL);
}
