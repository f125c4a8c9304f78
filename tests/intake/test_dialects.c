/* Every dialect, by a table of messages (messages.c): what comes out of them as the dialect that
 * they are of and by "auto", that no other dialect takes them for its own, and that nothing breaks
 * when one dialect gets the messages of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>

#include "decode.h"
#include "messages.h"
#include "outcome.h"

#include "regwarden/crypto.h"

static char registry_name[] = "main";
static char unnamed_url[] = "https://registry.example";
static char other_host[] = "alias.example:8443";
static char nexus_host[] = "docker-ported";
static char *hosts[] = {other_host, nexus_host};

/* A message of the table as it would come over the wire. Released with wire_release. */
struct wire {
    struct text_pairs headers;
    char *body;
    struct hook_message message;
};

static void add_headers(const char *lines, struct text_pairs *to)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        AUTO_FREE char *line = memory_copy_bytes(lines, length);
        char *value = strstr(line, ": ");
        assert_non_null(value);
        *value = '\0';
        text_pairs_add(to, line, value + 2);
        lines += length + (lines[length] == '\n' ? 1 : 0);
    }
}

static void wire_init(struct wire *wire, const struct test_message *from)
{
    *wire = (struct wire){.body = memory_copy_text(from->body)};
    for (char *c = wire->body; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    if (from->headers != NULL)
        add_headers(from->headers, &wire->headers);
    wire->message = (struct hook_message){
        .headers = &wire->headers, .bytes = wire->body, .size = strlen(wire->body)};
    wire->message.content_type = hook_message_header(&wire->message, "content-type");
}

static void wire_release(struct wire *wire)
{
    text_pairs_release(&wire->headers);
    free(wire->body);
}

/* Events and faults go into logs and onto terminals: nothing that steers one of them is let
 * through. */
static void check_shown(const struct decoded *decoded)
{
    AUTO_TEXT struct text shown = {0};
    for (size_t i = 0; i < decoded->count; i++) {
        const struct event *event = &decoded->events[i];
        text_add(&shown, event->actor == NULL ? "" : event->actor);
        text_add(&shown, event->source_id == NULL ? "" : event->source_id);
        text_add(&shown, event->media_type == NULL ? "" : event->media_type);
    }
    for (size_t i = 0; i < decoded->fault_count; i++)
        text_add(&shown, decoded->faults[i].text);
    for (const char *c = text_data(&shown); *c != '\0'; c++)
        assert_false(iscntrl((unsigned char)*c));
}

static int decode_wire(const struct wire *wire, const char *dialect, const char *url,
                       struct text *to)
{
    AUTO_FREE char *own_url = memory_copy_text(url == NULL ? unnamed_url : url);
    AUTO_FREE char *own_dialect = memory_copy_text(dialect);
    struct config_registry registry = {
        .name = registry_name,
        .url = own_url,
        .dialect = own_dialect,
        .hosts = {.items = hosts, .count = ARRAY_COUNT(hosts)},
    };
    struct decode_input input = {.registry = &registry, .message = &wire->message};
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    struct error err = {0};
    int r = decode_body(&input, &decoded, &decoder, &err);
    outcome_describe(&decoded, to);
    check_shown(&decoded);
    if (r != 0)
        text_format(to, "not understood: %s\n", err.text);
    decoded_release(&decoded);
    return r;
}

/* What is broken or unusual in it is what the dialect is recognised by. */
static bool is_configured(const struct test_message *row)
{
    return row->name[0] == '*';
}

static void check_message(const struct test_message *row, const char *dialect)
{
    AUTO_TEXT struct text got = {0};
    struct wire wire;
    wire_init(&wire, row);
    decode_wire(&wire, dialect, row->url, &got);
    if (!text_equal(text_data(&got), row->outcome))
        fail_msg("%s: %s, as \"%s\":\n%s", row->dialect, row->name, dialect, text_data(&got));
    wire_release(&wire);
}

static void messages_give_what_the_table_says(void **state)
{
    (void)state;
    for (const struct test_message *row = test_messages; row->name != NULL; row++) {
        check_message(row, row->dialect);
        if (!is_configured(row))
            check_message(row, "auto");
    }
}

static void one_dialect_recognises_each(void **state)
{
    (void)state;
    for (const struct test_message *row = test_messages; row->name != NULL; row++) {
        struct wire wire;
        AUTO_JSON struct json *body = NULL;
        wire_init(&wire, row);
        bool parsed = message_parse_body(&wire.message, &body, NULL) == 0;
        wire.message.body = body;
        for (size_t i = 0; parsed && !is_configured(row) && decoders[i] != NULL; i++) {
            bool own = text_equal(decoders[i]->name, row->dialect);
            if (decoders[i]->recognises(&wire.message) != own)
                fail_msg("%s: %s: %s is mistaken", row->dialect, row->name, decoders[i]->name);
        }
        wire_release(&wire);
    }
}

static void every_dialect_has_messages(void **state)
{
    (void)state;
    for (size_t i = 0; decoders[i] != NULL; i++) {
        size_t count = 0;
        for (const struct test_message *row = test_messages; row->name != NULL; row++)
            count += text_equal(row->dialect, decoders[i]->name) ? 1 : 0;
        if (count < 2)
            fail_msg("%s has %zu messages", decoders[i]->name, count);
    }
}

/* Whatever it is given, a dialect says something of it: events, that it is ignored, or why not. */
static void foreign_messages_break_nothing(void **state)
{
    (void)state;
    for (const struct test_message *row = test_messages; row->name != NULL; row++) {
        struct wire wire;
        wire_init(&wire, row);
        for (size_t i = 0; decoders[i] != NULL; i++) {
            AUTO_TEXT struct text got = {0};
            decode_wire(&wire, decoders[i]->name, row->url, &got);
            if (got.length == 0)
                fail_msg("%s: %s: %s says nothing", row->dialect, row->name, decoders[i]->name);
        }
        wire_release(&wire);
    }
}

/* Each string of each message in turn is replaced by values of other kinds: never more than one
 * message can mean, and never a crash. */
static struct json *replace_strings(const struct json *from, size_t *index, size_t wanted,
                                    struct json *by)
{
    if (json_is(from, JSON_KIND_STRING) && (*index)++ == wanted)
        return json_retain(by);
    if (json_is(from, JSON_KIND_OBJECT)) {
        struct json *copy = json_new_object();
        for (void *i = json_iterate(from); i != NULL; i = json_next(from, i))
            json_set_take(copy, json_iterator_key(i),
                          replace_strings(json_iterator_value(i), index, wanted, by));
        return copy;
    }
    if (json_is(from, JSON_KIND_ARRAY)) {
        struct json *copy = json_new_array();
        for (size_t i = 0; i < json_count(from); i++)
            json_append_take(copy, replace_strings(json_at(from, i), index, wanted, by));
        return copy;
    }
    AUTO_TEXT struct text text = {0};
    struct json *copy = NULL;
    json_write(from, JSON_COMPACT, &text);
    text_add_char(&text, ']');
    AUTO_FREE char *wrapped = text_new("[%s", text.data);
    AUTO_JSON struct json *array = NULL;
    assert_int_equal(json_parse(wrapped, strlen(wrapped), NULL, &array, NULL), 0);
    copy = json_retain(json_at(array, 0));
    return copy;
}

static void try_replaced(const struct test_message *row, const struct json *body, struct json *by)
{
    for (size_t wanted = 0;; wanted++) {
        size_t index = 0;
        AUTO_JSON struct json *changed = replace_strings(body, &index, wanted, by);
        if (wanted >= index)
            return;
        AUTO_TEXT struct text bytes = {0};
        AUTO_TEXT struct text got = {0};
        struct wire wire;
        wire_init(&wire, row);
        json_write(changed, JSON_COMPACT, &bytes);
        wire.message.bytes = bytes.data;
        wire.message.size = bytes.length;
        decode_wire(&wire, row->dialect, row->url, &got);
        wire_release(&wire);
    }
}

static void members_of_other_kinds(void **state)
{
    (void)state;
    static const char values[] = "[null,7,[],{},\"\",\"\\u0001\\r\\nx: y\",\"../..\",true]";
    AUTO_JSON struct json *all = NULL;
    assert_int_equal(json_parse(values, sizeof(values) - 1, NULL, &all, NULL), 0);
    for (const struct test_message *row = test_messages; row->name != NULL; row++) {
        struct wire wire;
        AUTO_JSON struct json *body = NULL;
        wire_init(&wire, row);
        if (message_parse_body(&wire.message, &body, NULL) == 0) {
            for (size_t i = 0; i < json_count(all); i++)
                try_replaced(row, body, json_at(all, i));
        }
        wire_release(&wire);
    }
}

/* --- what the table cannot hold --- */

static void batches_are_bounded(void **state)
{
    (void)state;
    static const char event[] =
        "{\"specversion\":\"1.0\",\"type\":\"Microsoft.ContainerRegistry.ImagePushed\",\"data\":{"
        "\"action\":\"push\",\"target\":{\"repository\":\"a\",\"tag\":\"t\"}}}";
    AUTO_TEXT struct text body = {0};
    for (int i = 0; i < DECODE_EVENTS_MAX + 10; i++)
        text_format(&body, "%c%s", i == 0 ? '[' : ',', event);
    text_add_char(&body, ']');
    char dialect[] = "eventgrid";
    struct config_registry registry = {
        .name = registry_name, .url = unnamed_url, .dialect = dialect};
    struct hook_message message = {.bytes = body.data, .size = body.length};
    struct decode_input input = {.registry = &registry, .message = &message};
    struct decoded decoded = {0};
    const struct decoder *decoder = NULL;
    assert_int_equal(decode_body(&input, &decoded, &decoder, NULL), 0);
    assert_int_equal(decoded.count, DECODE_EVENTS_MAX);
    assert_int_equal(decoded.fault_count, 1);
    assert_int_equal(decoded.faults[0].kind, FAILURE_LIMIT);
    decoded_release(&decoded);
}

/* What is packed inside a message is bounded like a message. */
static void packed_bodies_are_bounded(void **state)
{
    (void)state;
    AUTO_TEXT struct text deep = {0}, packed = {0}, got = {0};
    for (int i = 0; i < 1000; i++)
        text_add_char(&deep, '[');
    crypto_base64(deep.data, deep.length, &packed);
    AUTO_FREE char *pubsub = text_new("{'message':{'data':'%s'},'subscription':'s'}", packed.data);
    AUTO_FREE char *sns =
        text_new("{'Type':'Notification','TopicArn':'t','Message':'%s'}", deep.data);
    const struct test_message rows[] = {
        {.name = "pubsub", .dialect = "gar", .body = pubsub},
        {.name = "sns", .dialect = "sns", .body = sns},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct wire wire;
        wire_init(&wire, &rows[i]);
        assert_int_equal(decode_wire(&wire, rows[i].dialect, NULL, &got), 0);
        wire_release(&wire);
    }
    assert_non_null(strstr(got.data, "the message's data: "));
    assert_non_null(strstr(got.data, "the notification's Message: "));
}

/* Ids that stay the same when a sender sends again. */
static void ids_of_transports(void **state)
{
    (void)state;
    static const struct {
        const char *dialect, *headers, *body, *id;
    } rows[] = {
        {"github", "x-github-delivery: d-1",
         "{'action':'published','package':{'name':'n','ecosystem':'docker','owner':{'login':'O'},"
         "'package_version':{'version':'t'}}}",
         "d-1"},
        {"gitea", "x-gitea-delivery: d-2",
         "{'action':'created','package':{'name':'n','type':'container','owner':{'login':'o'},"
         "'version':'t'}}",
         "d-2"},
        {"zot", "ce-type: zotregistry.image.updated\nce-id: a%20b", "{'name':'a','reference':'t'}",
         "a b"},
        {"nexus", "x-nexus-webhook-delivery: d-3",
         "{'nodeId':'n','repositoryName':'r','action':'CREATED','component':{'format':'docker',"
         "'name':'a','version':'t'}}",
         "d-3"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct test_message row = {
            .dialect = rows[i].dialect, .headers = rows[i].headers, .body = rows[i].body};
        struct wire wire;
        char dialect[16];
        struct decoded decoded = {0};
        const struct decoder *decoder = NULL;
        wire_init(&wire, &row);
        snprintf(dialect, sizeof(dialect), "%s", row.dialect);
        struct config_registry registry = {
            .name = registry_name, .url = unnamed_url, .dialect = dialect};
        struct decode_input input = {.registry = &registry, .message = &wire.message};
        assert_int_equal(decode_body(&input, &decoded, &decoder, NULL), 0);
        assert_int_equal(decoded.count, 1);
        assert_string_equal(decoded.events[0].source_id, rows[i].id);
        decoded_release(&decoded);
        wire_release(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_give_what_the_table_says),
        cmocka_unit_test(one_dialect_recognises_each),
        cmocka_unit_test(every_dialect_has_messages),
        cmocka_unit_test(foreign_messages_break_nothing),
        cmocka_unit_test(members_of_other_kinds),
        cmocka_unit_test(batches_are_bounded),
        cmocka_unit_test(packed_bodies_are_bounded),
        cmocka_unit_test(ids_of_transports),
    };
    return cmocka_run_group_tests_name("dialects", tests, NULL, NULL);
}
