/* The chunked transfer coding, one byte at a time for its framing and in whole pieces for its data.
 * Extensions are refused: nobody sends them, and programs disagree about where they end. Trailers
 * are checked, counted and dropped; they never become header fields. */
#include "http_parse.h"

#include <assert.h>

enum { SIZE_DIGITS_MAX = 15 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool expect_byte(struct http_reader *reader, char got, char expected,
                        enum http_chunk_state next)
{
    if (got != expected)
        return http_refuse(reader, 400, "a chunk is not framed by CR LF");
    reader->chunks.state = next;
    return true;
}

static bool step_size(struct http_reader *reader, char byte)
{
    struct http_chunks *chunks = &reader->chunks;
    int digit = hex_digit(byte);
    if (digit < 0)
        return http_refuse(reader, 400, "a chunk's size is not a plain hexadecimal number");
    if (chunks->digits == SIZE_DIGITS_MAX)
        return http_refuse(reader, 400, "a chunk's size has too many digits");
    chunks->digits++;
    chunks->left_bytes = chunks->left_bytes << 4 | (uint64_t)digit;
    chunks->state = CHUNK_SIZE;
    return true;
}

static bool step_size_or_end(struct http_reader *reader, char byte)
{
    if (byte != '\r')
        return step_size(reader, byte);
    if (reader->chunks.left_bytes > reader->limits.body_bytes - reader->body.length)
        return http_refuse(reader, 413, "the body is too large");
    reader->chunks.state = CHUNK_SIZE_LF;
    return true;
}

static bool step_size_lf(struct http_reader *reader, char byte)
{
    reader->chunks.digits = 0;
    return expect_byte(reader, byte, '\n',
                       reader->chunks.left_bytes > 0 ? CHUNK_DATA : CHUNK_TRAILER_START);
}

static bool step_data_cr(struct http_reader *reader, char byte)
{
    return expect_byte(reader, byte, '\r', CHUNK_DATA_LF);
}

static bool step_data_lf(struct http_reader *reader, char byte)
{
    return expect_byte(reader, byte, '\n', CHUNK_SIZE_START);
}

static bool count_trailer(struct http_reader *reader)
{
    if (++reader->chunks.trailer_bytes > reader->limits.head_bytes)
        return http_refuse(reader, 431, "the trailers are too large");
    return true;
}

static bool step_trailer_name(struct http_reader *reader, char byte)
{
    if (!http_is_token_byte((unsigned char)byte))
        return http_refuse(reader, 400, "a trailer's name is malformed");
    reader->chunks.state = CHUNK_TRAILER_NAME;
    return count_trailer(reader);
}

static bool step_trailer_start(struct http_reader *reader, char byte)
{
    if (byte != '\r')
        return step_trailer_name(reader, byte);
    reader->chunks.state = CHUNK_LAST_LF;
    return true;
}

static bool step_trailer_name_or_colon(struct http_reader *reader, char byte)
{
    if (byte != ':')
        return step_trailer_name(reader, byte);
    reader->chunks.state = CHUNK_TRAILER_VALUE;
    return count_trailer(reader);
}

static bool step_trailer_value(struct http_reader *reader, char byte)
{
    if (byte == '\r') {
        reader->chunks.state = CHUNK_TRAILER_LF;
        return true;
    }
    if (!http_is_value_byte((unsigned char)byte))
        return http_refuse(reader, 400, "a trailer holds a control byte");
    return count_trailer(reader);
}

static bool step_trailer_lf(struct http_reader *reader, char byte)
{
    return expect_byte(reader, byte, '\n', CHUNK_TRAILER_START);
}

static bool step_last_lf(struct http_reader *reader, char byte)
{
    return expect_byte(reader, byte, '\n', CHUNK_DONE);
}

/* CHUNK_DATA and CHUNK_DONE take no single bytes. */
static bool (*const steps[CHUNK_DONE])(struct http_reader *reader, char byte) = {
    [CHUNK_SIZE_START] = step_size,
    [CHUNK_SIZE] = step_size_or_end,
    [CHUNK_SIZE_LF] = step_size_lf,
    [CHUNK_DATA_CR] = step_data_cr,
    [CHUNK_DATA_LF] = step_data_lf,
    [CHUNK_TRAILER_START] = step_trailer_start,
    [CHUNK_TRAILER_NAME] = step_trailer_name_or_colon,
    [CHUNK_TRAILER_VALUE] = step_trailer_value,
    [CHUNK_TRAILER_LF] = step_trailer_lf,
    [CHUNK_LAST_LF] = step_last_lf,
};

static size_t take_data(struct http_reader *reader, const char *bytes, size_t size)
{
    struct http_chunks *chunks = &reader->chunks;
    if (size > chunks->left_bytes)
        size = (size_t)chunks->left_bytes;
    text_add_bytes(&reader->body, bytes, size);
    chunks->left_bytes -= size;
    if (chunks->left_bytes == 0)
        chunks->state = CHUNK_DATA_CR;
    return size;
}

size_t http_chunks_feed(struct http_reader *reader, const char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && reader->chunks.state != CHUNK_DONE) {
        if (reader->chunks.state == CHUNK_DATA) {
            used += take_data(reader, bytes + used, size - used);
            continue;
        }
        assert(steps[reader->chunks.state] != NULL);
        if (!steps[reader->chunks.state](reader, bytes[used++]))
            break;
    }
    if (reader->chunks.state == CHUNK_DONE && reader->state != READER_REFUSED)
        reader->state = READER_DONE;
    return used;
}
