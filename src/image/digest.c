/* Digests: the grammar "algorithm:encoded", the two algorithms that can be verified, and comparing
 * bytes with them. Hashing itself is crypto.h's. */
#include "regwarden/digest.h"

#include <assert.h>
#include <string.h>

#include "regwarden/crypto.h"

enum { DIGEST_TEXT_LIMIT = 512 }; /* of what is read; far above every registered algorithm */

static const struct {
    enum digest_algorithm algorithm;
    const char *name;
    enum hash_algorithm hash;
    size_t size;
} algorithms[] = {
    {.algorithm = DIGEST_SHA256, .name = "sha256", .hash = HASH_SHA256, .size = 32},
    {.algorithm = DIGEST_SHA512, .name = "sha512", .hash = HASH_SHA512, .size = 64},
};

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* component ([+._-] component)*, component = [a-z0-9]+ */
static bool algorithm_is_valid(const char *text, size_t size)
{
    bool after_separator = true;
    for (size_t i = 0; i < size; i++) {
        bool word = is_lower_or_digit(text[i]);
        if (!word && (after_separator || !strchr("+._-", text[i])))
            return false;
        after_separator = !word;
    }
    return !after_separator;
}

static bool encoded_is_valid(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!is_lower_or_digit(*c) && !(*c >= 'A' && *c <= 'Z') && !strchr("=_-", *c))
            return false;
    return *text != '\0';
}

static int refuse(const char *text, const char *why, struct error *err)
{
    AUTO_FREE char *shown = text_printable(text, 80);
    return error_set(err, FAILURE_INPUT, "\"%s\" is not a digest: %s", shown, why);
}

static int parse_known(const char *text, size_t index, const char *encoded, struct digest *ret,
                       struct error *err)
{
    struct digest digest = {.algorithm = algorithms[index].algorithm};
    if (strlen(encoded) != 2 * algorithms[index].size)
        return refuse(text, "wrong number of hex digits", err);
    if (!crypto_from_hex(encoded, algorithms[index].size, digest.bytes))
        return refuse(text, "only lower-case hex digits may follow the algorithm", err);
    *ret = digest;
    return 0;
}

int digest_parse(const char *text, struct digest *ret, struct error *err)
{
    if (!text || strnlen(text, DIGEST_TEXT_LIMIT) == DIGEST_TEXT_LIMIT)
        return refuse(text ? text : "", "too long or missing", err);
    const char *colon = strchr(text, ':');
    if (!colon)
        return refuse(text, "the algorithm and a colon are missing", err);
    size_t name_size = (size_t)(colon - text);
    if (!algorithm_is_valid(text, name_size) || !encoded_is_valid(colon + 1))
        return refuse(text, "not of the form algorithm:encoded", err);
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        if (strlen(algorithms[i].name) == name_size &&
            memcmp(algorithms[i].name, text, name_size) == 0)
            return parse_known(text, i, colon + 1, ret, err);
    struct digest digest = {.algorithm = DIGEST_OTHER};
    if (name_size >= sizeof(digest.other))
        return refuse(text, "the algorithm's name is too long", err);
    memcpy(digest.other, text, name_size);
    *ret = digest;
    return 0;
}

int digest_parse_verifiable(const char *text, struct digest *ret, struct error *err)
{
    struct digest digest = {0};
    int failure = digest_parse(text, &digest, err);
    if (failure)
        return failure;
    if (digest.algorithm == DIGEST_OTHER)
        return error_set(err, FAILURE_INPUT,
                         "digest algorithm %s cannot be verified here, only sha256 and sha512",
                         digest.other);
    *ret = digest;
    return 0;
}

int digest_parse_tag(const char *tag, struct digest *ret)
{
    static const char lead[] = "sha256-";
    enum { START = sizeof(lead) - 1, END = START + 64 };
    char text[END + 1];

    if (!tag || strncmp(tag, lead, START) != 0 || strnlen(tag, END) < END ||
        (tag[END] != '\0' && tag[END] != '.'))
        return FAILURE_INPUT;
    memcpy(text, tag, END);
    text[START - 1] = ':';
    text[END] = '\0';
    return digest_parse(text, ret, NULL);
}

const char *digest_format(const struct digest *digest, char buffer[static DIGEST_TEXT_SIZE])
{
    buffer[0] = '\0';
    if (digest->algorithm == DIGEST_OTHER)
        snprintf(buffer, DIGEST_TEXT_SIZE, "%s:unsupported", digest->other);
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++) {
        if (algorithms[i].algorithm != digest->algorithm)
            continue;
        int prefix = snprintf(buffer, DIGEST_TEXT_SIZE, "%s:", algorithms[i].name);
        crypto_hex(digest->bytes, algorithms[i].size, buffer + prefix);
    }
    return buffer;
}

const char *digest_format_short(const struct digest *digest, char buffer[static DIGEST_SHORT_SIZE])
{
    buffer[0] = '\0';
    if (digest->algorithm == DIGEST_OTHER)
        snprintf(buffer, DIGEST_SHORT_SIZE, "%.20s", digest->other);
    else if (digest->algorithm != DIGEST_NONE)
        crypto_hex(digest->bytes, 6, buffer);
    return buffer;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    if (a->algorithm != b->algorithm)
        return false;
    if (a->algorithm == DIGEST_OTHER)
        return false; /* their bytes are not kept: nothing proves that they are the same */
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        if (algorithms[i].algorithm == a->algorithm)
            return memcmp(a->bytes, b->bytes, algorithms[i].size) == 0;
    return true;
}

bool digest_is_set(const struct digest *digest)
{
    return digest->algorithm != DIGEST_NONE;
}

void digest_compute(const struct digest *like, const void *bytes, size_t size, struct digest *ret)
{
    size_t index = like && like->algorithm == DIGEST_SHA512 ? 1 : 0;
    uint8_t hash[HASH_SIZE_MAX];
    assert(!like || like->algorithm != DIGEST_OTHER);
    crypto_hash(algorithms[index].hash, bytes, size, hash);
    *ret = (struct digest){.algorithm = algorithms[index].algorithm};
    memcpy(ret->bytes, hash, algorithms[index].size);
}

int digest_verify(const struct digest *digest, const void *bytes, size_t size, struct error *err)
{
    if (digest->algorithm == DIGEST_NONE)
        return error_set(err, FAILURE_INPUT, "there is no digest to verify with");
    if (digest->algorithm == DIGEST_OTHER)
        return error_set(err, FAILURE_INPUT, "digest algorithm %s cannot be verified here",
                         digest->other);
    struct digest found;
    digest_compute(digest, bytes, size, &found);
    if (digest_equal(digest, &found))
        return 0;
    char expected[DIGEST_TEXT_SIZE], actual[DIGEST_TEXT_SIZE];
    return error_set(err, FAILURE_INPUT, "content does not match its digest: expected %s, got %s",
                     digest_format(digest, expected), digest_format(&found, actual));
}
