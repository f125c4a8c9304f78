/* Which bytes may stand where in HTTP, as tables. */
#include "http_parse.h"

static const bool token_bytes[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

static const bool value_bytes[256] = {
    ['\t'] = true,
    [0x20 ... 0x7e] = true,
    [0x80 ... 0xff] = true,
};

bool http_is_token_byte(unsigned char byte)
{
    return token_bytes[byte];
}

bool http_is_value_byte(unsigned char byte)
{
    return value_bytes[byte];
}

bool http_is_token(const char *string)
{
    if (string[0] == '\0')
        return false;
    for (const char *at = string; *at != '\0'; at++) {
        if (!token_bytes[(unsigned char)*at])
            return false;
    }
    return true;
}
