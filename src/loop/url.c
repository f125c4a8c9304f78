/* Strict absolute URLs: what two programs could read differently is refused. */
#include "regwarden/http_client.h"

#include "http_percent.h"

#include <stdlib.h>

enum { URL_MAX_BYTES = 16 * 1024, PORT_DIGITS_MAX = 5 };

static bool is_url_byte(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f && byte != '#' && byte != '\\';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* Length of "name", "1.2.3.4" or "[::1]" (lower case) at the start, 0 when malformed. */
static size_t host_length(const char *host)
{
    size_t length = 0;
    if (host[0] != '[') {
        while (is_name_byte(host[length]))
            length++;
        return length;
    }
    length = 1 + strspn(host + 1, "0123456789abcdef:.");
    return length > 2 && host[length] == ']' ? length + 1 : 0;
}

static bool is_port(const char *port)
{
    uint64_t number;
    return strlen(port) <= PORT_DIGITS_MAX &&
           text_parse_uint(port, UINT16_MAX, &number, NULL) == 0 && number > 0;
}

static bool is_host_port(const char *host_port)
{
    size_t length = host_length(host_port);
    if (length == 0)
        return false;
    return host_port[length] == '\0' ||
           (host_port[length] == ':' && is_port(host_port + length + 1));
}

static void lower(char *string)
{
    for (; *string != '\0'; string++) {
        if (*string >= 'A' && *string <= 'Z')
            *string = (char)(*string - 'A' + 'a');
    }
}

static int refuse(struct error *err, const char *url, const char *why)
{
    /* Neither the query nor anything near a user name: both may be secrets. */
    size_t length = strchr(url, '@') == NULL ? strcspn(url, "?#") : strcspn(url, "/");
    AUTO_FREE char *start = memory_copy_bytes(url, length);
    AUTO_FREE char *shown = text_printable(start, 128);
    return error_set(err, FAILURE_INPUT, "the URL \"%s\" %s", shown, why);
}

static bool has_prefix_nocase(const char *string, const char *prefix)
{
    for (; *prefix != '\0'; string++, prefix++) {
        char c = *string >= 'A' && *string <= 'Z' ? (char)(*string - 'A' + 'a') : *string;
        if (c != *prefix)
            return false;
    }
    return true;
}

static const char *scheme_of(const char *url)
{
    if (has_prefix_nocase(url, "https://"))
        return "https";
    if (has_prefix_nocase(url, "http://"))
        return "http";
    return NULL;
}

int url_parse(const char *url, struct url *ret, struct error *err)
{
    size_t size = strnlen(url, URL_MAX_BYTES + 1);
    if (size > URL_MAX_BYTES)
        return error_set(err, FAILURE_INPUT, "the URL is longer than %d bytes", URL_MAX_BYTES);
    const char *scheme = scheme_of(url);
    if (scheme == NULL)
        return refuse(err, url, "does not begin with https:// or http://");
    for (size_t i = 0; i < size; i++) {
        if (!is_url_byte((unsigned char)url[i]))
            return refuse(err, url, "holds a blank, a fragment, or a byte that must be encoded");
    }
    const char *authority = url + strlen(scheme) + strlen("://");
    size_t length = strcspn(authority, "/?");
    AUTO_FREE char *host_port = memory_copy_bytes(authority, length);
    lower(host_port);
    if (strchr(host_port, '@') != NULL)
        return refuse(err, url, "holds a user name");
    if (!is_host_port(host_port))
        return refuse(err, url, "does not name a valid host and port");

    const char *path = authority + length;
    ret->scheme = memory_copy_text(scheme);
    ret->host_port = TAKE(host_port);
    ret->path = path[0] == '/' ? memory_copy_text(path) : text_new("/%s", path);
    return 0;
}

void url_release(struct url *url)
{
    free(url->scheme);
    free(url->host_port);
    free(url->path);
    *url = (struct url){0};
}

static uint64_t effective_port(const struct url *url)
{
    const char *port = url->host_port + host_length(url->host_port);
    uint64_t number = text_equal(url->scheme, "https") ? 443 : 80;
    if (*port == ':')
        text_parse_uint(port + 1, UINT16_MAX, &number, NULL);
    return number;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    size_t length = host_length(a->host_port);
    return text_equal(a->scheme, b->scheme) && length == host_length(b->host_port) &&
           strncmp(a->host_port, b->host_port, length) == 0 &&
           effective_port(a) == effective_port(b);
}

void url_encode(struct text *to, const char *string)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;
        bool is_unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                             (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
        if (is_unreserved) {
            text_add_char(to, *string);
        } else {
            text_add_char(to, '%');
            text_add_char(to, digits[byte >> 4]);
            text_add_char(to, digits[byte & 15]);
        }
    }
}

char *url_decode(const char *bytes, size_t size, bool is_form)
{
    return http_percent_decode(bytes, size, is_form ? PERCENT_FORM : PERCENT_PLAIN);
}
