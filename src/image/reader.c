/* Typed reading of our own documents without trust. Members of other programs' documents are read
 * in fields.c. */
#include "reader.h"

#include <string.h>

void reader_fault(struct reader *reader, const char *part)
{
    if (reader->failure == 0)
        reader->failure = error_set(reader->err, FAILURE_INPUT,
                                    "the %s' %s is not as it ought to be", reader->what, part);
}

char *reader_text(struct reader *reader, const struct json *json, const char *part, bool may_miss)
{
    const char *string = json_string(json);
    size_t size = string ? strlen(string) : 0;

    if (json_is(json, JSON_KIND_NONE) && may_miss)
        return NULL;
    if (!string || size > READER_TEXT_MAX) {
        reader_fault(reader, part);
        return NULL;
    }
    for (size_t i = 0; i < size; i++)
        if (string[i] < 0x20 || string[i] > 0x7e)
            reader_fault(reader, part);
    return memory_copy_text(string);
}

char *reader_member(struct reader *reader, const struct json *json, const char *key)
{
    return reader_text(reader, json_get(json, key), key, /* may_miss= */ false);
}

char *reader_member_if(struct reader *reader, const struct json *json, const char *key)
{
    return reader_text(reader, json_get(json, key), key, /* may_miss= */ true);
}

uint64_t reader_number(struct reader *reader, const struct json *json, uint64_t max,
                       const char *part)
{
    int64_t value = json_integer(json, -1);

    if (value >= 0 && (uint64_t)value <= max)
        return (uint64_t)value;
    reader_fault(reader, part);
    return 0;
}

uint64_t reader_count(struct reader *reader, const struct json *json, const char *key)
{
    return reader_number(reader, json_get(json, key), INT64_MAX, key);
}

void reader_digest(struct reader *reader, const struct json *json, const char *key, bool may_miss,
                   struct digest *ret)
{
    const struct json *member = json_get(json, key);

    if (may_miss && json_is(member, JSON_KIND_NONE))
        return;
    if (!json_string(member) || digest_parse_verifiable(json_string(member), ret, NULL) < 0)
        reader_fault(reader, key);
}

const struct json *reader_list(struct reader *reader, const struct json *json, const char *key,
                               size_t max, size_t *ret_count)
{
    const struct json *list = json_get(json, key);

    *ret_count = json_count(list);
    if (!json_is(list, JSON_KIND_ARRAY) || *ret_count > max) {
        reader_fault(reader, key);
        *ret_count = 0;
    }
    return list;
}

void reader_texts(struct reader *reader, const struct json *json, const char *key, size_t max,
                  struct text_list *ret)
{
    size_t count;
    const struct json *list = reader_list(reader, json, key, max, &count);

    for (size_t i = 0; i < count; i++) {
        char *text = reader_text(reader, json_at(list, i), key, false);
        text_list_add_take(ret, text ? text : memory_copy_text(""));
    }
}
