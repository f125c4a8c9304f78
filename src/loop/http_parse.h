/* A strict reader of HTTP/1.1 requests: bytes in, one request at a time out. Pure: no sockets, no
 * clock, so that it can be fuzzed.
 *
 * What two programs could read differently is refused, not repaired: a proxy in front of us must
 * never see another request than we do. Refused are bare LF and bare CR, NUL and control bytes,
 * folded and misspelt fields, two or non-decimal Content-Length, any Transfer-Encoding but exactly
 * "chunked", both at once, chunk extensions, a missing, double or malformed Host, targets that do
 * not begin with a slash, and versions other than 1.0 and 1.1. Trailers are checked and dropped.
 *
 *     http_reader_init(&reader, limits);
 *     while bytes come: used = http_reader_feed(&reader, bytes, size), until reader.state is
 *         READER_DONE (what was not used belongs to the next request) or READER_REFUSED;
 *     http_reader_next(&reader) before the next request;
 *
 * All strings of the request live in the reader until http_reader_next(). */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/text.h"

enum { HTTP_FIELDS_MAX = 100 };

struct http_field {
    const char *name;  /* as sent */
    const char *value; /* without the blanks around it */
};

struct http_request_head {
    const char *method;
    const char *target; /* as sent */
    const char *query;  /* behind the first '?' of target, NULL without one */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t field_count;
    bool is_http10;
    bool wants_close;
    bool wants_keep_alive;
    bool keep_alive; /* what the two above and the version come to */
    bool expects_continue;
    bool chunked;
    bool has_length;
    bool has_host;
    uint64_t length_bytes;
};

enum http_chunk_state {
    CHUNK_SIZE_START, /* the first digit of a size */
    CHUNK_SIZE,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_START, /* a trailer's first byte, or the CR that ends all */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_DONE,
};

struct http_chunks {
    enum http_chunk_state state;
    unsigned digits;
    uint64_t left_bytes; /* of this chunk */
    size_t trailer_bytes;
};

enum http_reader_state {
    READER_HEAD,
    READER_LENGTH,
    READER_CHUNKS,
    READER_DONE,
    READER_REFUSED,
};

struct http_limits {
    size_t head_bytes; /* request line and fields; trailers once more */
    uint64_t body_bytes;
};

struct http_reader {
    struct http_limits limits;
    enum http_reader_state state;
    int refusal_status;  /* 400, 413, 417 or 431 when READER_REFUSED */
    const char *refusal; /* why, static text */
    struct text head;    /* the raw head; cut into strings once it is complete */
    size_t line_start;
    struct text path; /* target without its query */
    struct http_request_head request;
    uint64_t left_bytes; /* of a body with a length */
    struct http_chunks chunks;
    struct text body;
};

void http_reader_init(struct http_reader *reader, struct http_limits limits);
void http_reader_release(struct http_reader *reader);
void http_reader_next(struct http_reader *reader);
/* Returns how many bytes were used: all, unless the request is done or refused. */
size_t http_reader_feed(struct http_reader *reader, const char *bytes, size_t size);

/* The parts, for the files http_*.c of this room. */

/* Cuts a complete head (ending in an empty line) into reader->request. False when refused. */
bool http_head_parse(struct http_reader *reader);
/* Decodes chunks into reader->body; returns the bytes used. Refuses through http_refuse(). */
size_t http_chunks_feed(struct http_reader *reader, const char *bytes, size_t size);
/* Sets READER_REFUSED; returns false. */
bool http_refuse(struct http_reader *reader, int status, const char *reason);

/* The bytes of method and field names; visible bytes, blanks and tabs, and everything above ASCII
 * in values. */
bool http_is_token_byte(unsigned char byte);
bool http_is_value_byte(unsigned char byte);
bool http_is_token(const char *string); /* and not empty */

#endif
