/* Hex and base64: bytes spelled as text. Strict where text becomes bytes, so that one value has one
 * spelling per alphabet. */
#include "regwarden/crypto.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void crypto_hex(const uint8_t *bytes, size_t size, char *ret)
{
    for (size_t i = 0; i < size; i++) {
        *ret++ = hex_digits[bytes[i] >> 4];
        *ret++ = hex_digits[bytes[i] & 0xf];
    }
    *ret = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Checked in full before the first byte is written: `ret` is untouched on failure. */
bool crypto_from_hex(const char *hex, size_t size, uint8_t *ret)
{
    for (size_t i = 0; i < 2 * size; i++) {
        if (hex_value(hex[i]) < 0)
            return false;
    }
    if (hex[2 * size])
        return false;
    for (size_t i = 0; i < size; i++)
        ret[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    return true;
}

void crypto_base64(const void *bytes, size_t size, struct text *to)
{
    const uint8_t *at = bytes;
    for (; size > 0; at += 3) {
        size_t part = size < 3 ? size : 3;
        uint32_t word = (uint32_t)at[0] << 16;
        word |= part > 1 ? (uint32_t)at[1] << 8 : 0;
        word |= part > 2 ? at[2] : 0;
        char digits[4] = {base64_digits[word >> 18], base64_digits[word >> 12 & 63],
                          part > 1 ? base64_digits[word >> 6 & 63] : '=',
                          part > 2 ? base64_digits[word & 63] : '='};
        text_add_bytes(to, digits, sizeof(digits));
        size -= part;
    }
}

static int base64_value(char c)
{
    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    const char *at = c ? strchr(base64_digits, c) : NULL;
    return at ? (int)(at - base64_digits) : -1;
}

/* The number of digits before the padding, or -1 when the padding does not fit them. */
static ssize_t digits_before_padding(const char *base64)
{
    size_t length = strlen(base64), digits = length;
    while (digits > 0 && length - digits < 2 && base64[digits - 1] == '=')
        digits--;
    bool padded = digits < length;
    if (digits % 4 == 1 || (padded && length % 4 != 0))
        return -1;
    return (ssize_t)digits;
}

int crypto_from_base64(const char *base64, struct text *ret, struct error *err)
{
    AUTO_TEXT struct text bytes = {0};
    ssize_t digits = digits_before_padding(base64);
    uint32_t word = 0;
    unsigned bits = 0;
    bool good = digits >= 0;
    for (ssize_t i = 0; good && i < digits; i++) {
        int value = base64_value(base64[i]);
        good = value >= 0;
        word = word << 6 | ((uint32_t)value & 63);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            text_add_char(&bytes, (char)(word >> bits));
        }
        word &= (1u << bits) - 1;
    }
    /* Bits left over must be 0, or two spellings would mean the same bytes. */
    if (!good || word != 0)
        return error_set(err, FAILURE_INPUT, "this is not valid base64");
    text_add_bytes(ret, text_data(&bytes), bytes.length);
    return 0;
}
