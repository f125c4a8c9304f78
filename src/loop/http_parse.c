/* Reads one request after the other from pieces of any size: collects the head line by line, has it
 * parsed, then collects the body. Limits are applied before anything is kept. */
#include "http_parse.h"

enum { KEPT_CAPACITY = 4 * 1024 }; /* a larger buffer is not carried to the next request */

bool http_refuse(struct http_reader *reader, int status, const char *reason)
{
    reader->state = READER_REFUSED;
    reader->refusal_status = status;
    reader->refusal = reason;
    return false;
}

static void begin_body(struct http_reader *reader)
{
    const struct http_request_head *request = &reader->request;
    if (request->chunked) {
        reader->state = READER_CHUNKS;
    } else if (request->length_bytes > 0) {
        reader->state = READER_LENGTH;
        reader->left_bytes = request->length_bytes;
    } else {
        reader->state = READER_DONE;
    }
}

/* The head ends with a LF: checks that line's end. True when it was the empty line. */
static bool end_line(struct http_reader *reader)
{
    const struct text *head = &reader->head;
    size_t length = head->length - reader->line_start; /* with its CR LF */
    if (length < 2 || head->data[head->length - 2] != '\r')
        return http_refuse(reader, 400, "a line does not end in CR LF");
    if (length == 2 && reader->line_start == 0)
        return http_refuse(reader, 400, "the request line is empty");
    reader->line_start = head->length;
    return length == 2;
}

static size_t feed_head(struct http_reader *reader, const char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && reader->state == READER_HEAD) {
        const char *newline = memchr(bytes + used, '\n', size - used);
        size_t piece = newline == NULL ? size - used : (size_t)(newline + 1 - (bytes + used));
        if (piece > reader->limits.head_bytes - reader->head.length) {
            http_refuse(reader, 431, "the head is too large");
            break;
        }
        text_add_bytes(&reader->head, bytes + used, piece);
        used += piece;
        if (newline != NULL && end_line(reader) && http_head_parse(reader))
            begin_body(reader);
    }
    return used;
}

static size_t feed_length(struct http_reader *reader, const char *bytes, size_t size)
{
    if (size > reader->left_bytes)
        size = (size_t)reader->left_bytes;
    text_add_bytes(&reader->body, bytes, size);
    reader->left_bytes -= size;
    if (reader->left_bytes == 0)
        reader->state = READER_DONE;
    return size;
}

static size_t feed_once(struct http_reader *reader, const char *bytes, size_t size)
{
    switch (reader->state) {
    case READER_HEAD:
        return feed_head(reader, bytes, size);
    case READER_LENGTH:
        return feed_length(reader, bytes, size);
    case READER_CHUNKS:
        return http_chunks_feed(reader, bytes, size);
    case READER_DONE:
    case READER_REFUSED:
        break;
    }
    return 0;
}

void http_reader_init(struct http_reader *reader, struct http_limits limits)
{
    *reader = (struct http_reader){.limits = limits};
}

void http_reader_release(struct http_reader *reader)
{
    text_release(&reader->head);
    text_release(&reader->path);
    text_release(&reader->body);
}

static void empty(struct text *text)
{
    if (text->capacity > KEPT_CAPACITY)
        text_release(text);
    else
        text_clear(text);
}

void http_reader_next(struct http_reader *reader)
{
    empty(&reader->head);
    empty(&reader->path);
    empty(&reader->body);
    reader->state = READER_HEAD;
    reader->line_start = 0;
    reader->left_bytes = 0;
    reader->chunks = (struct http_chunks){0};
    /* The fields themselves are not cleared: field_count says how many hold. */
    struct http_request_head *request = &reader->request;
    request->method = request->target = request->query = NULL;
    request->field_count = 0;
    request->is_http10 = request->expects_continue = false;
    request->wants_close = request->wants_keep_alive = request->keep_alive = false;
    request->chunked = request->has_length = request->has_host = false;
    request->length_bytes = 0;
}

size_t http_reader_feed(struct http_reader *reader, const char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && reader->state != READER_DONE && reader->state != READER_REFUSED)
        used += feed_once(reader, bytes + used, size - used);
    return used;
}
