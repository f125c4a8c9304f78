/* UTF-8: recognising sequences and taking the dangerous ones out of lines. Not a Unicode library:
 * no normal forms, no widths, no case. */
#include "utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How many bytes the lead byte announces; 0 when it cannot lead. 0xc0, 0xc1 and above 0xf4 would
 * only make overlong or too large values. */
static size_t announced_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static uint32_t decode(const unsigned char *at, size_t length)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = at[0] & lead_bits[length];
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (at[i] & 0x3f);
    return point;
}

static bool point_fits(uint32_t point, size_t length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point >= smallest[length] && point <= 0x10ffff && !surrogate;
}

static bool is_dangerous(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     /* C0 controls, with tab and line ends: a line is one line */
        {0x7f, 0x9f},     /* DEL and C1 controls: some terminals obey them */
        {0x200e, 0x200f}, /* direction marks */
        {0x2028, 0x202e}, /* separators, embeddings and overrides */
        {0x2066, 0x2069}, /* isolates */
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

size_t utf8_length(const char *bytes, size_t left)
{
    const unsigned char *at = (const unsigned char *)bytes;
    if (left == 0)
        return 0;
    size_t length = announced_length(at[0]);
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(at[i]))
            return 0;
    }
    return point_fits(decode(at, length), length) ? length : 0;
}

void utf8_scrub_line(char *line)
{
    size_t left = strlen(line);
    while (left > 0) {
        size_t length = utf8_length(line, left);
        bool bad = length == 0 || is_dangerous(decode((const unsigned char *)line, length));
        if (length == 0)
            length = 1;
        if (bad)
            memset(line, '?', length);
        line += length;
        left -= length;
    }
}
