/* URLs, request paths and percent-encoding: whatever url_parse takes is made of safe bytes and
 * parses to itself again; decoding never gives more than it got, nor a NUL; routes never match what
 * holds an encoded slash. */
#include <assert.h>
#include <stdint.h>

#include "http_percent.h"
#include "regwarden/http_client.h"
#include "regwarden/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_url(const char *string)
{
    struct url url = {0};
    struct error err = {0};
    if (url_parse(string, &url, &err) != 0) {
        assert(err.kind == FAILURE_INPUT && url.path == NULL);
        return;
    }
    assert(url.path[0] == '/');
    assert(url.host_port[0] != '\0' && strpbrk(url.host_port, "@/?#\\ \r\n") == NULL);
    assert(strpbrk(url.path, "# \r\n\t\\") == NULL);
    AUTO_FREE char *again = text_new("%s://%s%s", url.scheme, url.host_port, url.path);
    struct url same = {0};
    assert(url_parse(again, &same, NULL) == 0);
    assert(text_equal(url.host_port, same.host_port) && text_equal(url.path, same.path));
    assert(url_same_origin(&url, &same));
    url_release(&url);
    url_release(&same);
}

static void check_decoding(const char *string, size_t size, enum percent_kind kind)
{
    AUTO_FREE char *decoded = http_percent_decode(string, size, kind);
    if (decoded == NULL)
        return;
    assert(strlen(decoded) <= size);
    AUTO_TEXT struct text encoded = {0};
    url_encode(&encoded, decoded);
    AUTO_FREE char *back = http_percent_decode(text_data(&encoded), encoded.length, PERCENT_FORM);
    assert(text_equal(back, decoded));
}

static void check_route(const char *pattern, const char *path)
{
    char *values[2] = {NULL};
    int count = http_route_match(pattern, path, values, 2);
    assert(count >= -1 && count <= 2);
    for (int i = 0; i < 2; i++) {
        assert((values[i] != NULL) == (i < count));
        if (i == 0 && values[0] != NULL)
            assert(strchr(values[0], '/') == NULL);
        free(values[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO_FREE char *string = memory_copy_bytes(bytes, size);
    check_url(string);
    check_decoding(string, strlen(string), PERCENT_PATH);
    check_decoding(string, strlen(string), PERCENT_FORM);
    check_route("/v2/:name/**", string);
    check_route("/:a/:b", string);
    return 0;
}
