/* Typed members of our own documents. */
#include "writer.h"

#include "regwarden/clock.h"

void writer_digest(struct json *to, const char *key, const struct digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    if (digest_is_set(digest))
        json_set_string(to, key, digest_format(digest, text));
}

void writer_digests(struct json *to, const char *key, const struct digest *digests, size_t count)
{
    char text[DIGEST_TEXT_SIZE];
    struct json *array = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_append_take(array, json_new_string(digest_format(&digests[i], text)));
    json_set_take(to, key, array);
}

void writer_time_if(struct json *to, const char *key, bool is_set, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (is_set)
        json_set_string(to, key, clock_format_rfc3339(ms, text));
}

void writer_time(struct json *to, const char *key, int64_t ms)
{
    writer_time_if(to, key, ms != 0, ms);
}

void writer_count(struct json *to, const char *key, uint64_t value)
{
    json_set_integer(to, key, (int64_t)(value < INT64_MAX ? value : INT64_MAX));
}
