/* Characters are drawn from the format's sets by a fixed sequence. */
#include "secret_examples.h"

#include <string.h>

#include "regwarden/text.h"

static void add_run(struct text *to, enum secret_set set, size_t size, uint32_t *state)
{
    while (size > 0) {
        *state = *state * 1664525 + 1013904223;
        char c = (char)(33 + (*state >> 16) % 94);
        if (!secret_set_has(set, c) || (c == '.' || c == '=' || c == '-' || c == '_'))
            continue;
        text_add_char(to, c);
        size--;
    }
}

static void add_body(struct text *to, const struct secret_format *format, size_t size,
                     uint32_t *state)
{
    size_t inside = format->inside ? strlen(format->inside) : 0;
    size_t first = (size - inside - format->dots) / 2;

    add_run(to, format->set, first, state);
    text_add_bytes(to, format->inside ? format->inside : "", inside);
    for (unsigned i = 0; i < format->dots; i++)
        text_add_char(to, '.');
    add_run(to, format->set, size - first - inside - format->dots, state);
}

char *secret_example(const struct secret_format *format, bool is_long, size_t *ret_start,
                     size_t *ret_size)
{
    enum { LONG = 300 };
    size_t size = format->min;
    struct text text = {0};
    uint32_t state = 7;

    if (is_long)
        size = format->max < LONG ? format->max : LONG > format->min ? LONG : format->min;
    if (format->name) {
        bool whole = text_ends_with(format->name, ":");
        text_format(&text, "x: 1\n%s%s", format->name, whole ? "" : "_secret_key=\"");
    } else {
        text_add(&text, "a = '");
    }
    *ret_start = text.length;
    add_run(&text, format->before_set, format->before, &state);
    if (!format->name)
        text_add(&text, format->prefix);
    if (format->prefix_stays)
        *ret_start = text.length;
    add_body(&text, format, size, &state);
    *ret_size = text.length - *ret_start;
    text_add(&text, format->name && !text_ends_with(format->name, ":") ? "\"\n" : "'\n");
    if (format->name && text_ends_with(format->name, ":"))
        text.data[text.length - 2] = ' ';
    return text_take(&text);
}
