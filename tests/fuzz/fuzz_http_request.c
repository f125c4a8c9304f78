/* Requests as the server reads them: the same bytes in one piece, byte by byte, and in pieces of
 * any other size must give the same requests, and whatever is accepted must be unambiguous. The
 * first byte of the input is the size of the pieces. */
#include <assert.h>
#include <stdint.h>

#include "http_parse.h"

static const struct http_limits limits = {.head_bytes = 4096, .body_bytes = 4096};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_value(const char *value)
{
    for (const char *at = value; *at != '\0'; at++)
        assert(http_is_value_byte((unsigned char)*at));
    size_t length = strlen(value);
    assert(length == 0 || (value[0] != ' ' && value[0] != '\t'));
    assert(length == 0 || (value[length - 1] != ' ' && value[length - 1] != '\t'));
}

static void check_accepted(const struct http_reader *reader)
{
    const struct http_request_head *request = &reader->request;
    size_t hosts = 0;
    size_t framings = 0;
    assert(http_is_token(request->method));
    assert(request->target[0] == '/');
    assert(strchr(request->target, ' ') == NULL);
    assert(request->field_count <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        assert(http_is_token(field->name));
        check_value(field->value);
        if (text_equal_nocase(field->name, "host"))
            hosts++;
        if (text_equal_nocase(field->name, "content-length") ||
            text_equal_nocase(field->name, "transfer-encoding"))
            framings++;
    }
    assert(hosts <= 1 && (hosts == 1 || request->is_http10));
    assert(framings <= 1);
    assert(reader->body.length <= limits.body_bytes);
    assert(framings == 1 || reader->body.length == 0);
    assert(!request->has_length || reader->body.length == request->length_bytes);
    assert(strncmp(request->target, text_data(&reader->path), reader->path.length) == 0);
}

static void describe(const struct http_reader *reader, struct text *to)
{
    const struct http_request_head *request = &reader->request;
    text_format(to, "%d %d\n", (int)reader->state, reader->refusal_status);
    if (reader->state != READER_DONE)
        return;
    text_format(to, "%s %s %d %d\n", request->method, request->target, request->keep_alive,
                request->expects_continue);
    for (size_t i = 0; i < request->field_count; i++)
        text_format(to, "%s: %s\n", request->fields[i].name, request->fields[i].value);
    text_add_bytes(to, text_data(&reader->body), reader->body.length);
}

static void read_all(const char *bytes, size_t size, size_t piece, struct text *to)
{
    struct http_reader reader;
    http_reader_init(&reader, limits);
    size_t at = 0;
    while (at < size && reader.state != READER_REFUSED) {
        size_t next = size - at < piece ? size - at : piece;
        size_t used = http_reader_feed(&reader, bytes + at, next);
        assert(used <= next &&
               (used == next || reader.state == READER_DONE || reader.state == READER_REFUSED));
        assert(reader.head.length <= limits.head_bytes);
        at += used;
        if (reader.state != READER_DONE)
            continue;
        check_accepted(&reader);
        describe(&reader, to);
        http_reader_next(&reader);
    }
    describe(&reader, to);
    http_reader_release(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    const char *request = (const char *)bytes + 1;
    AUTO_TEXT struct text whole = {0};
    AUTO_TEXT struct text single = {0};
    AUTO_TEXT struct text pieces = {0};
    read_all(request, size - 1, SIZE_MAX, &whole);
    read_all(request, size - 1, 1, &single);
    read_all(request, size - 1, (size_t)bytes[0] + 1, &pieces);
    assert(whole.length == single.length && memcmp(whole.data, single.data, whole.length) == 0);
    assert(whole.length == pieces.length && memcmp(whole.data, pieces.data, whole.length) == 0);
    return 0;
}
