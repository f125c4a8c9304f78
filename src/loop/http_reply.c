/* The bytes of an answer's head. What a handler hands over may come from outside (a relayed header,
 * a name in a message), so nothing is sent that could end a line or the head. */
#include "http_server_private.h"

static const struct status_word {
    int status;
    const char *word;
} status_words[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

static const char *word_of(int status)
{
    for (size_t i = 0; i < ARRAY_COUNT(status_words); i++) {
        if (status_words[i].status == status)
            return status_words[i].word;
    }
    return "Status";
}

static bool is_value(const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        if (!http_is_value_byte((unsigned char)*at))
            return false;
    }
    return true;
}

/* Framing is ours alone; only the length of a body that HEAD leaves out may come from the handler.
 */
static bool is_allowed(const struct http_reply *reply, const struct http_reply_header *header)
{
    if (!http_is_token(header->name) || !is_value(header->value))
        return false;
    if (text_equal_nocase(header->name, "Content-Length"))
        return reply->is_head && reply->size == 0 && header->value[0] != '\0' &&
               header->value[strspn(header->value, "0123456789")] == '\0';
    return !text_equal_nocase(header->name, "Transfer-Encoding") &&
           !text_equal_nocase(header->name, "Connection");
}

static void add_field(struct text *to, const char *name, const char *value)
{
    text_add(to, name);
    text_add(to, ": ");
    text_add(to, value);
    text_add(to, "\r\n");
}

static void add_number(struct text *to, uint64_t number)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(to, at);
}

static bool add_headers(const struct http_reply *reply, struct text *to, bool *ret_has_length)
{
    const struct http_reply_header *header = reply->headers;
    for (; header != NULL && header->name != NULL; header++) {
        if (!is_allowed(reply, header))
            return false;
        if (text_equal_nocase(header->name, "Content-Length"))
            *ret_has_length = true;
        add_field(to, header->name, header->value);
    }
    return true;
}

bool http_reply_has_body(int status)
{
    return status != 204 && status != 304;
}

bool http_reply_head(const struct http_reply *reply, struct text *to)
{
    if (reply->content_type != NULL && !is_value(reply->content_type))
        return false;
    size_t before = to->length;
    text_add(to, "HTTP/1.1 ");
    add_number(to, (uint64_t)reply->status);
    text_add_char(to, ' ');
    text_add(to, word_of(reply->status));
    text_add(to, "\r\n");
    bool has_length = false;
    if (!add_headers(reply, to, &has_length)) {
        to->length = before;
        to->data[before] = '\0';
        return false;
    }
    if (reply->content_type != NULL)
        add_field(to, "Content-Type", reply->content_type);
    if (http_reply_has_body(reply->status) && !has_length) {
        text_add(to, "Content-Length: ");
        add_number(to, reply->size);
        text_add(to, "\r\n");
    }
    if (!reply->keep_alive)
        add_field(to, "Connection", "close");
    else if (reply->is_http10)
        add_field(to, "Connection", "keep-alive");
    text_add(to, "\r\n");
    return true;
}
