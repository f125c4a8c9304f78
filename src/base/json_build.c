/* Making and writing JSON. Whatever goes in comes out as valid UTF-8. With json.c the home of
 * jansson. */
#include "jansson_home.h"

#include <math.h>

#include "utf8.h"

/* jansson answers NULL or -1 only when memory is out, or when we broke its rules. */
static struct json *must(json_t *json)
{
    if (!json)
        abort();
    return foreign(json);
}

static void must_work(int result)
{
    if (result != 0)
        abort();
}

static bool is_utf8(const char *value, size_t length)
{
    while (length > 0) {
        size_t step = utf8_length(value, length);
        if (step == 0)
            return false;
        value += step;
        length -= step;
    }
    return true;
}

/* Each byte that is not part of a sequence becomes U+FFFD. */
static void add_as_utf8(struct text *to, const char *value, size_t length)
{
    while (length > 0) {
        size_t step = utf8_length(value, length);
        if (step == 0)
            text_add(to, "\xef\xbf\xbd");
        else
            text_add_bytes(to, value, step);
        step += step == 0;
        value += step;
        length -= step;
    }
}

struct json *json_new_object(void)
{
    return must(json_object());
}

struct json *json_new_array(void)
{
    return must(json_array());
}

struct json *json_new_string(const char *value)
{
    if (!value)
        return json_new_null();
    size_t length = strlen(value);
    if (is_utf8(value, length))
        return must(json_stringn_nocheck(value, length));
    AUTO_TEXT struct text mended = {0};
    add_as_utf8(&mended, value, length);
    return must(json_stringn_nocheck(mended.data, mended.length));
}

struct json *json_new_integer(int64_t value)
{
    return must(jansson_integer(value));
}

struct json *json_new_real(double value)
{
    return isfinite(value) ? must(jansson_real(value)) : json_new_null();
}

struct json *json_new_bool(bool value)
{
    return must(json_boolean(value));
}

struct json *json_new_null(void)
{
    return must(json_null());
}

void json_set_take(struct json *object, const char *key, struct json *value)
{
    size_t length = strlen(key);
    if (is_utf8(key, length)) {
        must_work(json_object_set_new_nocheck(native(object), key, native(value)));
        return;
    }
    AUTO_TEXT struct text mended = {0};
    add_as_utf8(&mended, key, length);
    must_work(json_object_set_new_nocheck(native(object), mended.data, native(value)));
}

void json_set_string(struct json *object, const char *key, const char *value)
{
    if (value)
        json_set_take(object, key, json_new_string(value));
}

void json_set_integer(struct json *object, const char *key, int64_t value)
{
    json_set_take(object, key, json_new_integer(value));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    json_set_take(object, key, json_new_bool(value));
}

void json_append_take(struct json *array, struct json *value)
{
    must_work(json_array_append_new(native(array), native(value)));
}

static int add_bytes(const char *bytes, size_t size, void *to)
{
    text_add_bytes(to, bytes, size);
    return 0;
}

void json_write(const struct json *json, unsigned style, struct text *to)
{
    enum { INDENT_SPACES = 2 };
    size_t flags = JSON_ENCODE_ANY;
    flags |= style & JSON_INDENTED ? JSON_INDENT(INDENT_SPACES) : JANSSON_COMPACT;
    flags |= style & JSON_SORTED ? JSON_SORT_KEYS : 0;
    must_work(json_dump_callback(native(json), add_bytes, to, flags));
}
