/* Matching paths against patterns, and decoding what came percent-encoded. A path is compared
 * segment by segment after decoding; what cannot be decoded matches nothing. */
#include "http_percent.h"
#include "regwarden/http_server.h"

#include <stdlib.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that an escape stands for, or -1. */
static int escaped_byte(const char *bytes, size_t size)
{
    if (size < 3)
        return -1;
    int high = hex_value(bytes[1]);
    int low = hex_value(bytes[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

char *http_percent_decode(const char *bytes, size_t size, enum percent_kind kind)
{
    AUTO_TEXT struct text decoded = {0};
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '+' && kind == PERCENT_FORM) {
            text_add_char(&decoded, ' ');
        } else if (bytes[i] == '%') {
            int byte = escaped_byte(bytes + i, size - i);
            if (byte <= 0 || (byte == '/' && kind == PERCENT_PATH))
                return NULL;
            text_add_char(&decoded, (char)byte);
            i += 2;
        } else {
            text_add_char(&decoded, bytes[i]);
        }
    }
    return text_take(&decoded);
}

struct parameters {
    char **values;
    int count;
    int max;
};

static bool add_parameter(struct parameters *parameters, char *value)
{
    if (value == NULL || parameters->count == parameters->max) {
        free(value);
        return false;
    }
    parameters->values[parameters->count++] = value;
    return true;
}

/* Decodes the rest of a path, each of its segments on its own. Returns new or NULL. */
static char *decode_rest(const char *path)
{
    AUTO_TEXT struct text rest = {0};
    for (;;) {
        size_t length = strcspn(path, "/");
        AUTO_FREE char *segment = http_percent_decode(path, length, PERCENT_PATH);
        if (segment == NULL)
            return NULL;
        text_add(&rest, segment);
        if (path[length] == '\0')
            return text_take(&rest);
        text_add_char(&rest, '/');
        path += length + 1;
    }
}

static bool match_segment(const char *pattern, size_t pattern_length, const char *path,
                          size_t length, struct parameters *parameters)
{
    AUTO_FREE char *segment = http_percent_decode(path, length, PERCENT_PATH);
    if (segment == NULL)
        return false;
    if (pattern_length > 0 && pattern[0] == ':')
        return segment[0] != '\0' && add_parameter(parameters, TAKE(segment));
    return strlen(segment) == pattern_length && memcmp(segment, pattern, pattern_length) == 0;
}

static bool match(const char *pattern, const char *path, struct parameters *parameters)
{
    for (;;) {
        if (strcmp(pattern, "**") == 0)
            return path[0] != '\0' && add_parameter(parameters, decode_rest(path));
        size_t pattern_length = strcspn(pattern, "/");
        size_t length = strcspn(path, "/");
        if (!match_segment(pattern, pattern_length, path, length, parameters))
            return false;
        pattern += pattern_length;
        path += length;
        if (*pattern == '\0' || *path == '\0')
            return *pattern == *path;
        pattern++;
        path++;
    }
}

int http_route_match(const char *pattern, const char *path, char **ret_parameters, int max)
{
    struct parameters parameters = {.values = ret_parameters, .max = max};
    if (match(pattern, path, &parameters))
        return parameters.count;
    for (int i = 0; i < parameters.count; i++) {
        free(parameters.values[i]);
        parameters.values[i] = NULL;
    }
    return -1;
}
