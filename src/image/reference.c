/* Names of images: the grammars of repository, tag and host, and the forms that users write. Says
 * nothing about whether a thing of that name exists. */
#include "regwarden/reference.h"

#include <assert.h>
#include <string.h>

#include "regwarden/text.h"

enum { REPOSITORY_LIMIT = 255, TAG_LIMIT = 128, HOST_LIMIT = 255, REFERENCE_LIMIT = 4096 };

static const struct {
    const char *prefix;
    enum reference_transport transport;
} transports[] = {
    {.prefix = "oci:", .transport = REFERENCE_OCI_LAYOUT},
    {.prefix = "oci-archive:", .transport = REFERENCE_OCI_ARCHIVE},
    {.prefix = "docker-archive:", .transport = REFERENCE_DOCKER_ARCHIVE},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool is_letter_or_digit(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Separators inside a component: one dot, one or two underscores, any number of dashes. Returns how
 * many bytes the separator at `text` has, 0 when there is none. */
static size_t separator_size(const char *text)
{
    if (*text == '.')
        return 1;
    if (*text == '_')
        return text[1] == '_' ? 2 : 1;
    return strspn(text, "-");
}

bool repository_is_valid(const char *repository)
{
    if (!repository || strnlen(repository, REPOSITORY_LIMIT + 1) > REPOSITORY_LIMIT)
        return false;
    const char *c = repository;
    for (;;) {
        if (!is_lower_or_digit(*c))
            return false;
        while (is_lower_or_digit(*c))
            c++;
        if (*c == '\0')
            return true;
        size_t size = *c == '/' ? 1 : separator_size(c);
        if (size == 0)
            return false;
        c += size;
    }
}

bool tag_is_valid(const char *tag)
{
    if (!tag || !(is_letter_or_digit(*tag) || *tag == '_'))
        return false;
    size_t size = 1;
    while (is_letter_or_digit(tag[size]) || (tag[size] && strchr("._-", tag[size])))
        size++;
    return tag[size] == '\0' && size <= TAG_LIMIT;
}

static bool port_is_valid(const char *port)
{
    uint64_t number;
    return text_parse_uint(port, 65535, &number, NULL) == 0 && number > 0;
}

/* Name or IPv4 address: labels of letters, digits and inner dashes. */
static bool domain_is_valid(const char *host, size_t size)
{
    bool at_edge = true;
    for (size_t i = 0; i < size; i++) {
        bool edge = host[i] == '.';
        if (!edge && host[i] != '-' && !is_letter_or_digit(host[i]))
            return false;
        if (at_edge && (edge || host[i] == '-'))
            return false;
        if (edge && host[i - 1] == '-')
            return false;
        at_edge = edge;
    }
    return !at_edge && host[size - 1] != '-';
}

static bool host_is_valid(const char *host)
{
    if (strlen(host) > HOST_LIMIT)
        return false;
    size_t size = strcspn(host, ":");
    if (*host == '[') {
        size = strspn(host + 1, "0123456789abcdefABCDEF:.");
        if (size < 2 || host[1 + size] != ']')
            return false;
        size += 2;
    } else if (!domain_is_valid(host, size)) {
        return false;
    }
    return host[size] == '\0' || (host[size] == ':' && port_is_valid(host + size + 1));
}

/* Without a dot, a port or the name localhost, the first word cannot be told from a repository. */
static bool looks_like_host(const char *word)
{
    return strpbrk(word, ".:") || text_equal_nocase(word, "localhost");
}

static int refuse(const char *text, const char *why, struct error *err)
{
    AUTO_FREE char *shown = text_printable(text, 120);
    return error_set(err, FAILURE_INPUT, "\"%s\" is not an image reference: %s", shown, why);
}

/* Cuts "@digest" off the end of `text`. */
static int take_digest(char *text, struct digest *ret, struct error *err)
{
    char *at = strrchr(text, '@');
    if (!at)
        return 0;
    int failure = digest_parse_verifiable(at + 1, ret, err);
    if (!failure)
        *at = '\0';
    return failure;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static int parse_registry(char *rest, const char *text, struct reference *ret, struct error *err)
{
    int failure = take_digest(rest, &ret->digest, err);
    if (failure)
        return failure;
    char *slash = strchr(rest, '/');
    if (slash)
        *slash = '\0';
    if (!slash || !looks_like_host(rest)) {
        int refused = refuse(text, "the registry's host is missing", err);
        error_hint(err, "write host/repository:tag; a host without a dot needs its port, as "
                        "in registry:5000/app");
        return refused;
    }
    if (!host_is_valid(rest))
        return refuse(text, "the host is malformed", err);
    char *colon = strchr(slash + 1, ':');
    if (colon)
        *colon = '\0';
    if (!repository_is_valid(slash + 1)) {
        int refused = refuse(text, "the repository is malformed", err);
        error_hint(err, "lower-case letters, digits and single separators, parts divided by "
                        "slashes, at most 255 bytes");
        return refused;
    }
    if (colon && !tag_is_valid(colon + 1))
        return refuse(text, "the tag is malformed", err);
    lower(rest); /* host names have no case; one spelling makes them comparable */
    ret->host = memory_copy_text(rest);
    ret->repository = memory_copy_text(slash + 1);
    ret->tag = colon ? memory_copy_text(colon + 1) : NULL;
    return 0;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static int parse_local(char *rest, const char *text, struct reference *ret, struct error *err)
{
    struct digest digest = {0};
    if (strchr(rest, '@') && take_digest(rest, &digest, NULL) == 0)
        ret->digest = digest; /* otherwise the '@' belongs to the path */
    char *colon = strchr(rest, ':');
    if (colon)
        *colon = '\0';
    if (*rest == '\0')
        return refuse(text, "the path is missing", err);
    if (colon && colon[1] == '\0')
        return refuse(text, "nothing follows the last colon", err);
    if (!is_printable(rest) || (colon && !is_printable(colon + 1)))
        return refuse(text, "it holds control characters", err);
    ret->path = memory_copy_text(rest);
    ret->tag = colon ? memory_copy_text(colon + 1) : NULL;
    return 0;
}

static int parse(const char *text, struct reference *ret, struct error *err)
{
    AUTO_FREE char *copy = memory_copy_text(text);
    for (size_t i = 0; i < ARRAY_COUNT(transports); i++) {
        if (!text_starts_with(text, transports[i].prefix))
            continue;
        ret->transport = transports[i].transport;
        return parse_local(copy + strlen(transports[i].prefix), text, ret, err);
    }
    if (text_starts_with(text, "http://") || text_starts_with(text, "https://")) {
        int refused = refuse(text, "it is a URL", err);
        error_hint(err, "leave out the scheme: host/repository:tag");
        return refused;
    }
    size_t skip = text_starts_with(text, "docker://") ? strlen("docker://") : 0;
    ret->transport = REFERENCE_REGISTRY;
    return parse_registry(copy + skip, text, ret, err);
}

int reference_parse(const char *text, struct reference *ret, struct error *err)
{
    assert(text && ret);
    if (strnlen(text, REFERENCE_LIMIT + 1) > REFERENCE_LIMIT)
        return refuse(text, "it is too long", err);
    struct reference reference = {0};
    int failure = parse(text, &reference, err);
    if (!failure)
        *ret = reference;
    return failure;
}

void reference_release(struct reference *reference)
{
    free(reference->host);
    free(reference->path);
    free(reference->repository);
    free(reference->tag);
    *reference = (struct reference){0};
}

char *reference_format(const struct reference *reference)
{
    struct text text = {0};
    char digest[DIGEST_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_COUNT(transports); i++)
        if (transports[i].transport == reference->transport)
            text_format(&text, "%s%s", transports[i].prefix, reference->path);
    if (reference->transport == REFERENCE_REGISTRY)
        text_format(&text, "%s/%s", reference->host, reference->repository);
    if (reference->tag)
        text_format(&text, ":%s", reference->tag);
    if (digest_is_set(&reference->digest))
        text_format(&text, "@%s", digest_format(&reference->digest, digest));
    return text_take(&text);
}
