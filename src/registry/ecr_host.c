/* Taking the hosts of Amazon ECR apart. */
#include "ecr_host.h"

#include <string.h>

enum { ACCOUNT_DIGITS = ECR_ACCOUNT_SIZE - 1, REGION_LENGTH_MIN = 5 };

/* Each part of AWS has names of its own; a region tells its part by how it begins. */
static const struct part {
    const char *region_prefix;
    const char *suffix;             /* of registries and the API */
    const char *dual_stack_suffix;  /* of registries that answer over IPv6 too */
    const char *dual_stack_service; /* of their API */
} parts[] = {
    {"cn-", "amazonaws.com.cn", "on.amazonwebservices.com.cn", "api.amazonwebservices.com.cn"},
    {"eusc-", "amazonaws.eu", "on.amazonwebservices.eu", "api.amazonwebservices.eu"},
    {"", "amazonaws.com", "on.aws", "api.aws"},
};

static const struct {
    const char *text;
    bool fips, dual_stack;
} services[] = {
    {".dkr.ecr.", false, false},
    {".dkr.ecr-fips.", true, false},
    {".dkr-ecr.", false, true},
    {".dkr-ecr-fips.", true, true},
};

static const struct part *part_of(const char *region)
{
    size_t i = 0;

    while (!text_starts_with(region, parts[i].region_prefix))
        i++;
    return &parts[i];
}

static bool is_region(const char *text, size_t length)
{
    bool hyphen = false;

    if (length < REGION_LENGTH_MIN || length >= ECR_REGION_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", text[i]))
            return false;
        hyphen |= text[i] == '-';
    }
    return hyphen;
}

/* "<region>.<suffix>[:443]" */
static bool read_end(const char *text, bool dual_stack, struct ecr_host *ret)
{
    size_t length = strcspn(text, ".");
    const struct part *part;
    const char *suffix;
    const char *end;

    if (!is_region(text, length) || text[length] != '.')
        return false;
    memcpy(ret->region, text, length);
    part = part_of(ret->region);
    suffix = dual_stack ? part->dual_stack_suffix : part->suffix;
    end = text + length + 1;
    if (!text_starts_with(end, suffix))
        return false;
    end += strlen(suffix);
    return *end == '\0' || text_equal(end, ":443");
}

bool ecr_host_parse(const char *host_port, struct ecr_host *ret)
{
    struct ecr_host host = {0};

    *ret = (struct ecr_host){0};
    if (strspn(host_port, "0123456789") != ACCOUNT_DIGITS)
        return false;
    memcpy(host.account, host_port, ACCOUNT_DIGITS);
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        if (!text_starts_with(host_port + ACCOUNT_DIGITS, services[i].text))
            continue;
        host.fips = services[i].fips;
        host.dual_stack = services[i].dual_stack;
        if (!read_end(host_port + ACCOUNT_DIGITS + strlen(services[i].text), host.dual_stack,
                      &host))
            return false;
        *ret = host;
        return true;
    }
    return false;
}

bool ecr_host_is_address(const struct url *url)
{
    struct ecr_host host;

    return text_equal(url->scheme, "https") && ecr_host_parse(url->host_port, &host);
}

char *ecr_host_endpoint(const struct ecr_host *host, const char *region)
{
    const char *where = region ? region : host->region;
    const struct part *part = part_of(where);
    const char *fips = host->fips ? "-fips" : "";

    if (host->dual_stack)
        return text_new("https://ecr%s.%s.%s", fips, where, part->dual_stack_service);
    return text_new("https://api.ecr%s.%s.%s", fips, where, part->suffix);
}
