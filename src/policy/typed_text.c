/* Checking that a text is a URL, a time, a licence expression, a version … No look-ups: an SPDX
 * expression is checked for its grammar, not against the list of licences. */
#include "typed_text.h"

#include <string.h>

#include "regwarden/clock.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { SPDX_DEPTH_MAX = 16 };

const char *const text_type_names[] = {
    [TEXT_TYPE_TEXT] = "text",         [TEXT_TYPE_URL] = "url",
    [TEXT_TYPE_RFC3339] = "rfc3339",   [TEXT_TYPE_SPDX] = "spdx",
    [TEXT_TYPE_GIT_HASH] = "git-hash", [TEXT_TYPE_SEMVER] = "semver",
    [TEXT_TYPE_EMAIL] = "email",       NULL,
};

const char *const text_type_descriptions[] = {
    [TEXT_TYPE_TEXT] = "a text that is not empty",
    [TEXT_TYPE_URL] = "a URL",
    [TEXT_TYPE_RFC3339] = "a time as in 2030-01-31T12:00:00Z",
    [TEXT_TYPE_SPDX] = "an SPDX licence expression",
    [TEXT_TYPE_GIT_HASH] = "a git commit hash",
    [TEXT_TYPE_SEMVER] = "a semantic version",
    [TEXT_TYPE_EMAIL] = "an e-mail address",
    NULL,
};

static bool check_text(const char *text)
{
    return text[strspn(text, " \t\r\n")] != '\0';
}

/* scheme "://" host, without blanks or control characters. */
static bool check_url(const char *text)
{
    static const char *const schemes[] = {"https://", "http://",      "git://",
                                          "ssh://",   "git+https://", "git+ssh://"};

    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '"' || *c == '<' || *c == '>')
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        const char *host = text + strlen(schemes[i]);

        if (text_starts_with(text, schemes[i]))
            return strcspn(host, "/?#") > 0 && strspn(host, LETTERS DIGITS "[") > 0;
    }
    return false;
}

static bool check_rfc3339(const char *text)
{
    int64_t ms;

    return clock_parse_rfc3339(text, &ms, NULL) == 0;
}

/* A recursive grammar, kept flat: `depth` brackets are open, and `wants_term` says what comes next.
 */
static bool check_spdx(const char *text)
{
    size_t depth = 0;
    bool wants_term = true;

    for (;;) {
        size_t length;

        text += strspn(text, " ");
        length = strspn(text, LETTERS DIGITS "-.+:");
        if (length == 0 && *text == '(' && wants_term && depth < SPDX_DEPTH_MAX) {
            depth++;
            length = 1;
        } else if (length == 0 && *text == ')' && !wants_term && depth > 0) {
            depth--;
            length = 1;
        } else if (length == 0) {
            return *text == '\0' && !wants_term && depth == 0;
        } else {
            bool joins = (length == 3 && memcmp(text, "AND", 3) == 0) ||
                         (length == 2 && memcmp(text, "OR", 2) == 0) ||
                         (length == 4 && memcmp(text, "WITH", 4) == 0);

            if (joins == wants_term)
                return false;
            wants_term = joins;
        }
        text += length;
    }
}

static bool check_git_hash(const char *text)
{
    size_t length = strspn(text, DIGITS "abcdef");

    return text[length] == '\0' && ((length >= 7 && length <= 40) || length == 64);
}

/* A number without leading zeros. Returns its length, 0 when there is none. */
static size_t version_number(const char *text)
{
    size_t length = strspn(text, DIGITS);

    return length > 1 && text[0] == '0' ? 0 : length;
}

/* Dot-separated identifiers up to one of `stop`; numbers in them without leading zeros when
 * `strict`. Returns the length, 0 when they are malformed. */
static size_t version_identifiers(const char *text, const char *stop, bool strict)
{
    size_t total = strcspn(text, stop);
    size_t at = 0;

    while (at <= total) {
        size_t length = strspn(text + at, LETTERS DIGITS "-");

        if (length == 0 || (at + length < total && text[at + length] != '.') || at + length > total)
            return 0;
        if (strict && length > 1 && text[at] == '0' && strspn(text + at, DIGITS) == length)
            return 0;
        at += length + 1;
    }
    return total;
}

/* A leading `v` is accepted: tags are written so. */
static bool check_semver(const char *text)
{
    text += *text == 'v' ? 1 : 0;
    for (int part = 0; part < 3; part++) {
        size_t length = version_number(text);

        if (length == 0 || (part < 2 && text[length] != '.'))
            return false;
        text += length + (part < 2 ? 1 : 0);
    }
    if (*text == '-') {
        size_t length = version_identifiers(text + 1, "+", true);

        if (length == 0)
            return false;
        text += 1 + length;
    }
    if (*text == '+') {
        size_t length = version_identifiers(text + 1, "", false);

        return length > 0 && text[1 + length] == '\0';
    }
    return *text == '\0';
}

static bool check_email(const char *text)
{
    size_t local = strspn(text, LETTERS DIGITS "!#$%&'*+/=?^_`{|}~.-");
    const char *domain = text + local + 1;
    size_t length;

    if (local == 0 || text[local] != '@')
        return false;
    length = strspn(domain, LETTERS DIGITS ".-");
    return length > 2 && domain[length] == '\0' && memchr(domain, '.', length) &&
           domain[0] != '.' && domain[length - 1] != '.';
}

static bool (*const checks[TEXT_TYPE_COUNT])(const char *text) = {
    [TEXT_TYPE_TEXT] = check_text,         [TEXT_TYPE_URL] = check_url,
    [TEXT_TYPE_RFC3339] = check_rfc3339,   [TEXT_TYPE_SPDX] = check_spdx,
    [TEXT_TYPE_GIT_HASH] = check_git_hash, [TEXT_TYPE_SEMVER] = check_semver,
    [TEXT_TYPE_EMAIL] = check_email,
};

bool text_type_check(enum text_type type, const char *text)
{
    return checks[type](text);
}
