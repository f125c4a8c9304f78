/* Text from outside into every kind of document: whatever goes in, what comes out is harmless. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "escape.h"

#include "regwarden/json.h"
#include "regwarden/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* UTF-8 without control characters: JSON takes it, and only line feeds are below a blank. */
static void check_text(const struct text *text)
{
    AUTO_JSON struct json *value = json_new_string(text_data(text));
    assert(strcmp(json_string(value), text_data(text)) == 0);
    for (size_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->data[i];
        assert((c >= 0x20 || c == '\n') && c != 0x7F);
    }
}

static void check_csv(const char *value)
{
    AUTO_TEXT struct text to = {0};
    report_csv_field(&to, value);
    check_text(&to);
    const char *first = text_data(&to);
    first += *first == '"' ? 1 : 0;
    assert(*first == '\0' || strchr("=+-@\t\r", *first) == NULL);
    size_t quotes = 0;
    for (const char *c = text_data(&to); *c != '\0'; c++)
        quotes += *c == '"' ? 1 : 0;
    assert(quotes % 2 == 0);
}

static void check_html(const char *value)
{
    AUTO_TEXT struct text to = {0};
    report_html_escape(&to, value);
    check_text(&to);
    assert(strpbrk(text_data(&to), "<>\"'") == NULL);
}

static void check_markdown(const char *value)
{
    AUTO_TEXT struct text to = {0};
    escape_markdown(&to, value);
    check_text(&to);
    assert(strchr(text_data(&to), '@') == NULL && strchr(text_data(&to), '\n') == NULL);
}

static void check_label(const char *value)
{
    AUTO_TEXT struct text to = {0};
    metric_label(&to, "name", value);
    check_text(&to);
    assert(strchr(text_data(&to), '\n') == NULL);
}

static void check_uri(const char *value)
{
    AUTO_TEXT struct text to = {0};
    escape_uri(&to, value);
    check_text(&to);
    assert(strpbrk(text_data(&to), " :@?#\\<>\"") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *value = memory_copy_bytes(data, size);
    check_csv(value);
    check_html(value);
    check_markdown(value);
    check_label(value);
    check_uri(value);
    return 0;
}
