/* One function for each kind of document that text from outside is written into. What a payload, an
 * image or a user wrote must never act as markup, as a formula or as a terminal command. */
#include "escape.h"

#include <stdint.h>

#include "regwarden/report.h"

/* Decodes one sequence. Returns its length, or 0 when the bytes are not UTF-8. */
static size_t decode(const char *bytes, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)bytes[0];
    size_t length = lead < 0x80             ? 1
                    : (lead & 0xE0) == 0xC0 ? 2
                    : (lead & 0xF0) == 0xE0 ? 3
                    : (lead & 0xF8) == 0xF0 ? 4
                                            : 0;
    uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3F);
    }
    if (length == 0 || point < least[length] || point > 0x10FFFF ||
        (point >= 0xD800 && point < 0xE000))
        return 0;
    *ret_point = point;
    return length;
}

/* Points that steer a terminal, forge a line or turn the direction of writing. */
static bool is_steering(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C ||
           (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || point == 0xFFFE ||
           point == 0xFFFF;
}

void escape_plain(struct text *to, const char *value, const char *line_feed)
{
    uint32_t point = 0;
    for (const char *c = value; *c != '\0';) {
        size_t length = decode(c, &point);
        if (*c == '\n' && line_feed != NULL)
            text_add(to, line_feed);
        else if (length == 0 || is_steering(point))
            text_add_char(to, '?');
        else
            text_add_bytes(to, c, length);
        c += length == 0 ? 1 : length;
    }
}

void escape_markdown(struct text *to, const char *value)
{
    static const char marks[] = "\\`*_{}[]()#+-.!|~$^=:";
    AUTO_TEXT struct text plain = {0};
    escape_plain(&plain, value, "\n");
    for (const char *c = text_data(&plain); *c != '\0'; c++) {
        if (*c == '\n')
            text_add(to, "<br>");
        else if (*c == '<' || *c == '>' || *c == '&' || *c == '@')
            text_format(to, "&#%d;", *c); /* '@': no mention of whoever bears that name */
        else if (strchr(marks, *c) != NULL)
            text_format(to, "\\%c", *c);
        else
            text_add_char(to, *c);
    }
}

void escape_uri(struct text *to, const char *value)
{
    static const char kept[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (const char *c = value; *c != '\0'; c++) {
        if (strchr(kept, *c) != NULL)
            text_add_char(to, *c);
        else
            text_format(to, "%%%02X", (unsigned char)*c);
    }
}

/* What a spreadsheet takes for the start of a formula; blanks before it do not help. */
static bool is_formula(const char *value)
{
    const char *first = value + strspn(value, " ");
    return *first != '\0' && strchr("=+-@\t\r\n", *first) != NULL;
}

void report_csv_field(struct text *to, const char *value)
{
    AUTO_TEXT struct text plain = {0};
    if (value == NULL)
        return;
    if (is_formula(value))
        text_add_char(&plain, '\'');
    escape_plain(&plain, value, "\n");
    const char *data = text_data(&plain);
    bool quoted = strpbrk(data, ",\"\n ") != NULL;
    if (!quoted) {
        text_add(to, data);
        return;
    }
    text_add_char(to, '"');
    for (const char *c = data; *c != '\0'; c++) {
        if (*c == '"')
            text_add_char(to, '"');
        text_add_char(to, *c);
    }
    text_add_char(to, '"');
}

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void report_html_escape(struct text *to, const char *value)
{
    AUTO_TEXT struct text plain = {0};
    if (value == NULL)
        return;
    escape_plain(&plain, value, "\n");
    for (const char *c = text_data(&plain); *c != '\0'; c++) {
        const char *entity = html_entity(*c);
        if (entity != NULL)
            text_add(to, entity);
        else
            text_add_char(to, *c);
    }
}
