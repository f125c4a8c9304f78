/* Any bytes as JSON, and as each of the small texts that come from outside. What is taken keeps to
 * the limits and means the same when it is written and read again. */
#include <stddef.h>
#include <stdint.h>

#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_values = 100};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static size_t count_values(const struct json *json, unsigned depth)
{
    size_t count = 1;
    bool nested = json_is(json, JSON_KIND_ARRAY) || json_is(json, JSON_KIND_OBJECT);
    must(!nested || depth < limits.max_depth);
    for (void *i = json_iterate(json); i; i = json_next(json, i))
        count += count_values(json_iterator_value(i), depth + 1);
    for (size_t i = 0; json_is(json, JSON_KIND_ARRAY) && i < json_count(json); i++)
        count += count_values(json_at(json, i), depth + 1);
    return count;
}

static void check_json(const char *bytes, size_t size)
{
    AUTO_JSON struct json *json = NULL, *again = NULL;
    AUTO_TEXT struct text first = {0}, second = {0};
    struct error err = {0};
    if (json_parse(bytes, size, &limits, &json, &err)) {
        must(err.text[0] && !json);
        return;
    }
    must(!memchr(bytes, '\0', size) && count_values(json, 0) <= limits.max_values);
    json_write(json, JSON_COMPACT, &first);
    must(json_parse(first.data, first.length, NULL, &again, NULL) == 0);
    json_write(again, JSON_COMPACT, &second);
    must(text_equal(first.data, second.data));
    json_refuse_case_variants(json, &err);
}

static void check_texts(const char *text)
{
    struct error err = {0};
    char time[CLOCK_TEXT_SIZE], number[TEXT_NUMBER_SIZE];
    uint64_t bytes = 0;
    int64_t ms = 0, back = 0;
    if (clock_parse_rfc3339(text, &ms, &err) == 0 && ms >= INT64_C(-62135596800000) &&
        ms < INT64_C(253402300800000)) {
        must(clock_parse_rfc3339(clock_format_rfc3339(ms, time), &back, NULL) == 0 && back == ms);
    }
    if (text_parse_bytes(text, &bytes, &err) == 0)
        text_format_bytes(bytes, number);
    if (text_parse_duration(text, &ms, &err) == 0)
        text_format_duration(ms, number);
    AUTO_FREE char *shown = text_printable(text, 100);
    error_set(&err, FAILURE_INPUT, "%s", text);
    must(!strpbrk(err.text, "\n\r\x1b") && !strpbrk(shown, "\n\r\x1b"));
}

/* Strict decoding: what is taken is spelled exactly as we would spell it, but for alphabet and
 * padding. */
static void check_base64(const char *text)
{
    AUTO_TEXT struct text bytes = {0}, spelled = {0};
    if (crypto_from_base64(text, &bytes, NULL))
        return;
    crypto_base64(text_data(&bytes), bytes.length, &spelled);
    for (size_t i = 0; text[i] && text[i] != '='; i++) {
        char standard = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        must(spelled.data[i] == standard);
    }
}

static void check_glob(const char *text)
{
    const char *line_end = strchrnul(text, '\n');
    AUTO_FREE char *pattern = memory_copy_bytes(text, (size_t)(line_end - text));
    text_glob_match(pattern, *line_end ? line_end + 1 : line_end);
    if (!strpbrk(pattern, "*?"))
        must(text_glob_match(pattern, pattern));
    must(text_glob_match("**", text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    check_json((const char *)data, size);
    check_texts(text);
    check_base64(text);
    check_glob(text);
    return 0;
}
