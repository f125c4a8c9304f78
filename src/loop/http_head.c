/* Cuts a complete request head into request line and fields, in place, and refuses every head that
 * can be read in two ways. It sees a head whose lines all end in CR LF and whose last line is
 * empty: http_parse.c made sure of that. */
#include "http_parse.h"

#include <assert.h>

enum { METHOD_MAX = 32, LENGTH_DIGITS_MAX = 18 };

struct line {
    char *start;
    char *end; /* at the CR */
};

/* Bytes of a target: what browsers and tools send raw in a query is let through, a fragment or a
 * quote is not. */
static bool is_target_byte(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f && byte != '"' && byte != '#' && byte != '<' && byte != '>';
}

static bool parse_version(struct http_reader *reader, const char *version)
{
    if (text_equal(version, "HTTP/1.1"))
        return true;
    if (text_equal(version, "HTTP/1.0")) {
        reader->request.is_http10 = true;
        return true;
    }
    return http_refuse(reader, 400, "the version is neither HTTP/1.1 nor HTTP/1.0");
}

static bool parse_target(struct http_reader *reader, const char *target)
{
    if (target[0] != '/')
        return http_refuse(reader, 400, "the target does not begin with a slash");
    const char *query = NULL;
    for (const char *at = target; *at != '\0'; at++) {
        if (!is_target_byte((unsigned char)*at))
            return http_refuse(reader, 400, "the target holds a byte that must be encoded");
        if (*at == '?' && query == NULL)
            query = at + 1;
    }
    reader->request.target = target;
    reader->request.query = query;
    text_clear(&reader->path);
    if (query == NULL)
        text_add(&reader->path, target);
    else
        text_add_bytes(&reader->path, target, (size_t)(query - 1 - target));
    return true;
}

static bool parse_request_line(struct http_reader *reader, struct line line)
{
    *line.end = '\0';
    if (memchr(line.start, '\0', (size_t)(line.end - line.start)) != NULL)
        return http_refuse(reader, 400, "the request line holds a NUL");
    char *target = strchr(line.start, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');
    if (version == NULL)
        return http_refuse(reader, 400, "the request line is not method, target and version");
    *target++ = '\0';
    *version++ = '\0';
    if (!http_is_token(line.start) || strlen(line.start) > METHOD_MAX)
        return http_refuse(reader, 400, "the method is malformed");
    reader->request.method = line.start;
    return parse_target(reader, target) && parse_version(reader, version);
}

static bool take_host(struct http_reader *reader, const char *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~%!$&'()*+;=:[]";
    if (reader->request.has_host)
        return http_refuse(reader, 400, "there are two Host fields");
    if (value[0] == '\0' || value[strspn(value, allowed)] != '\0')
        return http_refuse(reader, 400, "the Host field is malformed");
    reader->request.has_host = true;
    return true;
}

static bool take_length(struct http_reader *reader, const char *value)
{
    struct http_request_head *request = &reader->request;
    if (request->has_length)
        return http_refuse(reader, 400, "there are two Content-Length fields");
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || value[digits] != '\0')
        return http_refuse(reader, 400, "the Content-Length is not a plain number");
    if (digits > LENGTH_DIGITS_MAX)
        return http_refuse(reader, 413, "the body is too large");
    for (const char *at = value; *at != '\0'; at++)
        request->length_bytes = request->length_bytes * 10 + (uint64_t)(*at - '0');
    request->has_length = true;
    return true;
}

static bool take_transfer_encoding(struct http_reader *reader, const char *value)
{
    if (reader->request.chunked)
        return http_refuse(reader, 400, "there are two Transfer-Encoding fields");
    if (!text_equal(value, "chunked"))
        return http_refuse(reader, 400, "the Transfer-Encoding is not exactly \"chunked\"");
    reader->request.chunked = true;
    return true;
}

/* Is `word` one of the comma-separated words of `list`? */
static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,");
        if (length == size && strncasecmp(at, word, size) == 0)
            return true;
        at += length;
    }
    return false;
}

static bool take_connection(struct http_reader *reader, const char *value)
{
    struct http_request_head *request = &reader->request;
    if (has_word(value, "close"))
        request->wants_close = true;
    if (has_word(value, "keep-alive"))
        request->wants_keep_alive = true;
    return true;
}

static bool take_expect(struct http_reader *reader, const char *value)
{
    if (!text_equal_nocase(value, "100-continue"))
        return http_refuse(reader, 417, "the expectation is not 100-continue");
    reader->request.expects_continue = !reader->request.is_http10;
    return true;
}

static const struct known_field {
    const char *name;
    bool (*take)(struct http_reader *reader, const char *value);
} known_fields[] = {
    {.name = "host", .take = take_host},
    {.name = "content-length", .take = take_length},
    {.name = "transfer-encoding", .take = take_transfer_encoding},
    {.name = "connection", .take = take_connection},
    {.name = "expect", .take = take_expect},
};

static bool take_field(struct http_reader *reader, struct http_field field)
{
    struct http_request_head *request = &reader->request;
    if (request->field_count == HTTP_FIELDS_MAX)
        return http_refuse(reader, 431, "there are too many fields");
    request->fields[request->field_count++] = field;
    for (size_t i = 0; i < ARRAY_COUNT(known_fields); i++) {
        if (text_equal_nocase(field.name, known_fields[i].name))
            return known_fields[i].take(reader, field.value);
    }
    return true;
}

static bool parse_field(struct http_reader *reader, struct line line)
{
    char *colon = line.start;
    while (colon < line.end && http_is_token_byte((unsigned char)*colon))
        colon++;
    /* Also refuses folded lines, which begin with a blank, and blanks before the colon. */
    if (colon == line.start || colon == line.end || *colon != ':')
        return http_refuse(reader, 400, "a field's name is malformed");

    char *value = colon + 1;
    for (char *at = value; at < line.end; at++) {
        if (!http_is_value_byte((unsigned char)*at))
            return http_refuse(reader, 400, "a field holds a control byte");
    }
    char *end = line.end;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *colon = '\0';
    *end = '\0';
    return take_field(reader, (struct http_field){.name = line.start, .value = value});
}

static bool check_framing(struct http_reader *reader)
{
    const struct http_request_head *request = &reader->request;
    if (!request->has_host && !request->is_http10)
        return http_refuse(reader, 400, "there is no Host field");
    if (request->chunked && request->has_length)
        return http_refuse(reader, 400, "there are both Transfer-Encoding and Content-Length");
    if (request->chunked && request->is_http10)
        return http_refuse(reader, 400, "HTTP/1.0 knows no Transfer-Encoding");
    if (request->length_bytes > reader->limits.body_bytes)
        return http_refuse(reader, 413, "the body is too large");
    return true;
}

/* "close" anywhere wins; "keep-alive" means something to HTTP/1.0 only. */
static bool keeps_alive(const struct http_request_head *request)
{
    if (request->wants_close)
        return false;
    return !request->is_http10 || request->wants_keep_alive;
}

bool http_head_parse(struct http_reader *reader)
{
    char *at = reader->head.data;
    char *last = at + reader->head.length - 2; /* the CR LF of the empty line */
    bool is_first = true;
    while (at < last) {
        char *newline = memchr(at, '\n', (size_t)(last - at));
        assert(newline != NULL && newline > at);
        struct line line = {.start = at, .end = newline - 1};
        if (!(is_first ? parse_request_line(reader, line) : parse_field(reader, line)))
            return false;
        is_first = false;
        at = newline + 1;
    }
    reader->request.keep_alive = keeps_alive(&reader->request);
    return check_framing(reader);
}
