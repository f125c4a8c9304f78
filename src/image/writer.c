/* Typed members of our own documents. */
#include "writer.h"

#include "regwarden/clock.h"

void writer_digest(struct json *to, const char *key, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    if (digest_is_set(digest))
        json_set_string(to, key, digest_format(digest, text));
}

void writer_time(struct json *to, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms)
        json_set_string(to, key, clock_format_rfc3339(ms, text));
}

void writer_count(struct json *to, const char *key, uint64_t value)
{
    json_set_integer(to, key, (int64_t)(value < INT64_MAX ? value : INT64_MAX));
}
