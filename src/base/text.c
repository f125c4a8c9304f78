/* The text buffer, the list and the pairs. What reads or compares text is in text_parse.c and
 * text_match.c. */
#include "regwarden/text.h"

#include <stdarg.h>

/* Room for `more` bytes and the NUL behind them. */
static void reserve(struct text *text, size_t more)
{
    size_t wanted;
    if (__builtin_add_overflow(text->length, more, &wanted) ||
        __builtin_add_overflow(wanted, 1, &wanted))
        abort();
    while (text->capacity < wanted)
        text->data = memory_grow(text->data, text->capacity, &text->capacity, 1);
}

void text_release(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->data)
        text->data[0] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
    reserve(text, size);
    if (size > 0)
        memcpy(text->data + text->length, bytes, size);
    text->length += size;
    text->data[text->length] = '\0';
}

void text_add_char(struct text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

/* Formats into the room that is there, and once more when it was too small. */
void text_format(struct text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    reserve(text, 0);
    size_t room = text->capacity - text->length;
    int needed = vsnprintf(text->data + text->length, room, format, arguments);
    if (needed < 0)
        abort(); /* only a broken format of our own can do this */
    if ((size_t)needed >= room) {
        reserve(text, (size_t)needed);
        vsnprintf(text->data + text->length, (size_t)needed + 1, format, again);
    }
    text->length += (size_t)needed;
    va_end(again);
    va_end(arguments);
}

const char *text_data(const struct text *text)
{
    return text->data ? text->data : "";
}

char *text_take(struct text *text)
{
    char *data = text->data ? text->data : memory_copy_text("");
    *text = (struct text){0};
    return data;
}

char *text_new(const char *format, ...)
{
    char *string = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&string, format, arguments) < 0)
        abort();
    va_end(arguments);
    return string;
}

void text_list_add(struct text_list *list, const char *string)
{
    text_list_add_take(list, memory_copy_text(string));
}

void text_list_add_take(struct text_list *list, char *string)
{
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count++] = string;
}

bool text_list_has(const struct text_list *list, const char *string)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_equal(list->items[i], string))
            return true;
    }
    return false;
}

void text_list_copy(struct text_list *to, const struct text_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        text_list_add(to, from->items[i]);
}

void text_list_release(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

void text_pairs_add(struct text_pairs *pairs, const char *key, const char *value)
{
    pairs->items = memory_grow(pairs->items, pairs->count, &pairs->capacity, sizeof(*pairs->items));
    pairs->items[pairs->count++] = (struct text_pair){
        .key = memory_copy_text(key),
        .value = memory_copy_text(value ? value : ""),
    };
}

const char *text_pairs_get(const struct text_pairs *pairs, const char *key)
{
    for (size_t i = pairs->count; i > 0; i--) {
        if (text_equal(pairs->items[i - 1].key, key))
            return pairs->items[i - 1].value;
    }
    return NULL;
}

void text_pairs_copy(struct text_pairs *to, const struct text_pairs *from)
{
    for (size_t i = 0; i < from->count; i++)
        text_pairs_add(to, from->items[i].key, from->items[i].value);
}

void text_pairs_release(struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].key);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct text_pairs){0};
}
