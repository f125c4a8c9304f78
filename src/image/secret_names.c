/* Secrets by name: the words that say "secret", the words that take it back, and the values that
 * are none under any name. Measured on the environments of 976 official images, a search for such
 * words anywhere in the name is wrong in 253 of 256 hits; whole words and these exceptions leave
 * the three real ones. */
#include <string.h>

#include "secret_scan.h"

enum { NAME_MAX_SIZE = 128, WORD_MAX_SIZE = 32, WEAK_MIN = 8 };

/* Whole words of a name, divided by anything but letters and digits, or by a change of case. */
static const struct {
    const char *word;
    enum secret_name judgement;
} secret_words[] = {
    {.word = "password", .judgement = SECRET_NAME_STRONG},
    {.word = "passwd", .judgement = SECRET_NAME_STRONG},
    {.word = "pword", .judgement = SECRET_NAME_STRONG},
    {.word = "passphrase", .judgement = SECRET_NAME_STRONG},
    {.word = "secret", .judgement = SECRET_NAME_STRONG},
    {.word = "secrets", .judgement = SECRET_NAME_STRONG},
    {.word = "pass", .judgement = SECRET_NAME_STRONG},
    {.word = "psw", .judgement = SECRET_NAME_STRONG},
    {.word = "secretkey", .judgement = SECRET_NAME_STRONG},
    {.word = "privatekey", .judgement = SECRET_NAME_STRONG},
    {.word = "apikey", .judgement = SECRET_NAME_WEAK},
    {.word = "accesskey", .judgement = SECRET_NAME_WEAK},
    {.word = "auth", .judgement = SECRET_NAME_WEAK},
    {.word = "credential", .judgement = SECRET_NAME_WEAK},
    {.word = "credentials", .judgement = SECRET_NAME_WEAK},
    {.word = "key", .judgement = SECRET_NAME_WEAK},
    {.word = "token", .judgement = SECRET_NAME_WEAK},
    {.word = "pwd", .judgement = SECRET_NAME_WEAK},
    {.word = "authtoken", .judgement = SECRET_NAME_WEAK},
    {.word = "accesstoken", .judgement = SECRET_NAME_WEAK},
};

/* With one of these in it, the name is of something public, or about a secret and not the secret.
 */
static const char *const public_words[] = {
    "gpg",     "pgp",    "public",    "pub",     "file",      "files",    "path",     "dir",
    "url",     "uri",    "urls",      "host",    "port",      "version",  "md5",      "checksum",
    "digest",  "sum",    "sha",       "sha1",    "sha256",    "sha384",   "sha512",   "fingerprint",
    "id",      "ids",    "name",      "type",    "algorithm", "algo",     "length",   "size",
    "min",     "max",    "ttl",       "timeout", "expiry",    "enabled",  "disabled", "enable",
    "disable", "policy", "allow",     "issuer",  "audience",  "endpoint", "server",   "method",
    "mode",    "header", "keyserver", "keyring", "location",  "folder",   "prefix",   "format",
};

static const char *const placeholders[] = {
    "none",        "null",     "nil",       "undefined", "unset",    "empty",     "todo",
    "tbd",         "changeme", "change_me", "change-me", "changeit", "replaceme", "replace_me",
    "placeholder", "redacted", "example",   "dummy",     "true",     "false",     "yes",
    "no",          "on",       "off",       "0",         "1",        "enabled",   "disabled",
    "required",    "optional", "default",   "basic",     "bearer",   "oauth",     "oauth2",
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Copies the next word of the name in lower case; false at the end. */
static bool next_word(const char *name, size_t size, size_t *position,
                      char ret[static WORD_MAX_SIZE])
{
    size_t length = 0, at = *position;
    while (at < size && !is_lower(name[at]) && !is_upper(name[at]) && !is_digit(name[at]))
        at++;
    for (; at < size && length + 1 < WORD_MAX_SIZE; at++) {
        char c = name[at];
        if (!is_lower(c) && !is_upper(c) && !is_digit(c))
            break;
        if (length > 0 && is_upper(c) && is_lower(name[at - 1]))
            break;
        ret[length++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
    }
    ret[length] = '\0';
    *position = at;
    return length > 0;
}

static bool is_listed(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i][0] == word[0] && strcmp(list[i], word) == 0)
            return true;
    return false;
}

enum secret_name secret_name_judge(const char *name, size_t size)
{
    enum secret_name judgement = SECRET_NAME_NO;
    char word[WORD_MAX_SIZE];
    size_t position = 0;
    if (size > NAME_MAX_SIZE)
        return SECRET_NAME_NO;
    while (next_word(name, size, &position, word)) {
        if (is_listed(word, public_words, ARRAY_COUNT(public_words)))
            return SECRET_NAME_NO;
        for (size_t i = 0; i < ARRAY_COUNT(secret_words); i++)
            if (secret_words[i].word[0] == word[0] && strcmp(secret_words[i].word, word) == 0 &&
                secret_words[i].judgement > judgement)
                judgement = secret_words[i].judgement;
    }
    return judgement;
}

/* ${X}, $(x), %X%, {{x}}, <x>, [x]: filled in later. */
static bool is_reference(const char *value, size_t size)
{
    return (*value == '$' && size > 1 && value[1] != '2') || /* "$2y$…" is a password's hash */
           (*value == '%' && value[size - 1] == '%') || (*value == '<' && value[size - 1] == '>') ||
           (*value == '[' && value[size - 1] == ']') ||
           (size > 1 && value[0] == '{' && value[1] == '{');
}

static bool is_placeholder(const char *value, size_t size)
{
    enum { PLACEHOLDER_MAX = 16 };
    char lower[PLACEHOLDER_MAX] = "";
    for (size_t i = 0; i < size && i + 1 < PLACEHOLDER_MAX; i++)
        lower[i] = is_upper(value[i]) ? (char)(value[i] - 'A' + 'a') : value[i];
    if (strncmp(lower, "your_", 5) == 0 || strncmp(lower, "your-", 5) == 0)
        return true;
    return size < PLACEHOLDER_MAX && is_listed(lower, placeholders, ARRAY_COUNT(placeholders));
}

/* "ghp_****(36)": masked before. */
static bool is_masked(const char *value, size_t size)
{
    return memmem(value, size, "****", 4);
}

static bool is_repeated(const char *value, size_t size)
{
    for (size_t i = 1; i < size; i++)
        if (value[i] != value[0])
            return false;
    return size > 1;
}

/* A path or an address. The keys of base64 that begin with a slash have no second one soon, or have
 * signs that paths do not. */
static bool is_location(const char *value, size_t size)
{
    if (memmem(value, size, "://", 3))
        return true;
    if (*value != '/' && *value != '~' && !(*value == '.' && size > 1 && value[1] == '/'))
        return false;
    for (size_t i = 1; i < size; i++)
        if (!is_lower(value[i]) && !is_upper(value[i]) && !is_digit(value[i]) &&
            !strchr("/._-", value[i]))
            return false;
    return size < 32 || memchr(value + 1, '/', size - 1);
}

/* 40 or more hex digits in capitals, or 0x…: a fingerprint. */
static bool is_fingerprint(const char *value, size_t size)
{
    size_t skip = size > 2 && value[0] == '0' && value[1] == 'x' ? 2 : 0;
    if (size - skip < 16)
        return false;
    for (size_t i = skip; i < size; i++)
        if (!is_digit(value[i]) && !(value[i] >= 'A' && value[i] <= 'F'))
            return false;
    return true;
}

/* Under a weak name: one word with letters and digits, or a long one of mixed case. */
static bool looks_random(const char *value, size_t size)
{
    enum { MIXED_MIN = 16 };
    bool letter = false, digit = false, lower = false, upper = false;
    if (size < WEAK_MIN || is_fingerprint(value, size))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (value[i] == ' ' || value[i] == '\t' || value[i] == '\n')
            return false;
        lower = lower || is_lower(value[i]);
        upper = upper || is_upper(value[i]);
        digit = digit || is_digit(value[i]);
    }
    letter = lower || upper;
    return (letter && digit) || (size >= MIXED_MIN && lower && upper);
}

bool secret_value_is_plausible(enum secret_name name, const char *value, size_t size)
{
    if (name == SECRET_NAME_NO || size == 0)
        return false;
    if (is_reference(value, size) || is_placeholder(value, size) || is_masked(value, size) ||
        is_repeated(value, size) || is_location(value, size))
        return false;
    return name == SECRET_NAME_STRONG || looks_random(value, size);
}
